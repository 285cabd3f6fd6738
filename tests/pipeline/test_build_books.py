"""`build books`: what becomes of books, from folders and manifests to the set and its tables."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from making_books import gutenberg, prose, sentences, write_books
from web_server import serving

import transferset
from transferset.documents import read_documents
from transferset.errors import InputError, SetError, TransfersetError, UsageError
from transferset.shards import ShardSet
from transferset.sources.books import entries


@pytest.fixture(scope="module")
def build(tokenizer, tmp_path_factory):
    """Builds in this process, into a new directory, books of any length."""

    def build(inputs, out: Path | None = None, **options) -> ShardSet:
        out = out or tmp_path_factory.mktemp("books") / "set"
        given = {"tokenizer": str(tokenizer), "workers": 1, "min_words": 0, "keep_text": True}
        return transferset.build_books(inputs, out, **{**given, **options})

    return build


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Five books, one of them twice, one nearly, one in German, one copyrighted."""
    near = prose(1).replace("garden", "orchard", 3)
    german = "Der Wind war kalt, und die alten Leute gingen früh nach Hause. " * 60
    return write_books(
        tmp_path_factory.mktemp("library"),
        {
            "a/one.txt": gutenberg(prose(1), 11, "One", "Anna Able"),
            "a/two.txt": gutenberg(prose(2, 200), 12, "Two", "Bert Bold"),
            "b/again.txt": prose(2, 200),
            "b/nearly.txt": near,
            "b/three.txt": prose(3),
            "c/wind.txt": german,
            "c/owned.txt": gutenberg(prose(4), 14, "Owned", "C. Clark").replace(
                "This eBook is for", "This is a COPYRIGHTED Project Gutenberg eBook. It is for"
            ),
            "notes.md": "no book",
        },
    )


@pytest.fixture(scope="module")
def built(build, library) -> ShardSet:
    return build(library, licence="CC0-1.0")


def texts(found: ShardSet) -> list[str]:
    return pa.Table.from_batches(list(found.batches())).column("text").to_pylist()


def documents(found: ShardSet) -> dict[str, dict]:
    """Rows of the documents table by title."""
    batches = list(read_documents(found.root, found.manifest))
    return {row["title"]: row for row in pa.Table.from_batches(batches).to_pylist()}


def account(found: ShardSet) -> dict:
    return json.loads((found.root / "_tables/books.json").read_bytes())


def test_every_sentence_of_the_chosen_books_is_a_row(built):
    expected = [*sentences(1, 120), *sentences(2, 200), *sentences(3, 120), *["CHAPTER I"] * 3]
    assert sorted(texts(built)) == sorted(expected)


def test_the_others_are_accounted_for_by_name(built):
    why = {e["name"]: (e["reason"], e.get("of", {}).get("name")) for e in account(built)["dropped"]}
    assert why == {
        "b/again.txt": ("duplicate_document", "a/two.txt"),
        "b/nearly.txt": ("near_duplicate", "a/one.txt"),
        "c/wind.txt": ("other_language", None),
        "c/owned.txt": ("other_licence", None),
    }
    ledger = {e["reason"]: e["count"] for e in built.manifest.ledger}
    assert ledger.pop("licence_text") > 500  # characters, of two books
    assert set(ledger.items()) == {
        ("duplicate_document", 1),
        ("near_duplicate", 1),
        ("other_language", 1),
        ("other_licence", 1),
    }
    assert built.manifest.sources[0]["skipped"] == {".md": 1}


def test_each_row_leads_to_its_book(built, library):
    table = documents(built)
    assert set(table) == {"One", "Two", "three"}
    one = table["One"]
    assert (one["doc_id"], one["author"], one["language"]) == (11, "Anna Able", "en")
    raw = (library / "a/one.txt").read_bytes()
    assert one["sha256"] == hashlib.sha256(raw).hexdigest()
    # a file that says nothing of itself: its name, the licence stated for it, its digest's head
    three = table["three"]
    raw = (library / "b/three.txt").read_bytes()
    assert three["doc_id"] == int(hashlib.sha256(raw).hexdigest()[:16], 16)
    assert three["licence"] == one["licence"] == "CC0-1.0"
    rows = pa.Table.from_batches(list(built.batches()))
    of_one = [t for t, d in zip(texts(built), rows["doc_id"].to_pylist(), strict=True) if d == 11]
    assert sorted(of_one) == sorted([*sentences(1, 120), "CHAPTER I"])
    assert one["rows"] == len(of_one)
    assert one["words"] == sum(len(text.split()) for text in of_one)


def test_the_manifest_states_what_was_counted(built):
    (statistics,) = built.manifest.statistics
    assert statistics["documents"] == built.manifest.totals["documents"] == 3
    assert statistics["sentences"] == len(built) == 443
    assert statistics["words"] == sum(len(text.split()) for text in texts(built))
    assert built.manifest.licence == "CC0-1.0"


def test_rows_of_a_licence_can_be_taken_and_left(build, built, tmp_path):
    more = build(write_books(tmp_path / "more", {"four.txt": prose(4)}), licence="CC BY 4.0")
    both = transferset.mix([built.root, more.root], tmp_path / "both")
    assert set(documents(both)) == {"One", "Two", "three", "four"}

    def derived(name: str, expression: str) -> ShardSet:
        return transferset.derive(
            both.root, tmp_path / name, steps=[transferset.Filter(expression)]
        )

    free = derived("free", 'license in ("CC BY 4.0",)')
    assert sorted(texts(free)) == sorted([*sentences(4, 120), "CHAPTER I"])
    assert set(documents(free)) == {"four"}
    others = derived("others", 'licence != "CC BY 4.0"')
    assert len(free) + len(others) == len(both)
    assert set(documents(derived("bold", 'author == "Bert Bold" and length > 2'))) == {"Two"}
    assert len(derived("english", 'language == "en"')) == len(both)


def test_a_samples_documents_are_those_of_its_rows(built, tmp_path):
    sample = transferset.derive(built.root, tmp_path / "s", steps=[transferset.Sample("10%")])
    rows = pa.Table.from_batches(list(sample.batches()))
    counts = {row["doc_id"]: row["rows"] for row in documents(sample).values()}
    ids = rows["doc_id"].to_pylist()
    assert counts == {doc_id: ids.count(doc_id) for doc_id in set(ids)}


def test_bytes_do_not_depend_on_workers_or_on_where_the_books_lie(build, built, library, tmp_path):
    moved = tmp_path / "elsewhere" / library.name
    shutil.copytree(library, moved)
    again = build(moved, licence="CC0-1.0", workers=2)
    assert again.manifest == built.manifest
    for name in [p.name for p in built.root.iterdir() if p.is_file()]:
        assert (again.root / name).read_bytes() == (built.root / name).read_bytes()


def test_the_same_command_resumes_and_another_recipe_is_refused(build, library, tmp_path):
    out = tmp_path / "set"
    first = build(library, out)
    before = first.manifest
    (out / "manifest.json").unlink()  # as if the run had been stopped before its end
    assert build(library, out).manifest == before
    with pytest.raises(SetError, match="min_words was 0, is 5"):
        build(library, out, min_words=5)
    other = write_books(tmp_path / library.name, {"x.txt": prose(9)})
    with pytest.raises(SetError, match=r"sources\[0\]\.blake3 was"):
        build(other, out)


def test_words_are_counted_on_the_cleaned_text(build, tmp_path):
    words = sum(len(s.split()) for s in sentences(5, 40)) + 2  # and the heading's
    folder = write_books(tmp_path / "f", {"x.txt": gutenberg(prose(5, 40), 5, "X", "A. B.")})
    assert len(build(folder, min_words=words)) == 41
    with pytest.raises(TransfersetError, match="1 too_few_words"):
        build(folder, min_words=words + 1)


def test_a_cap_keeps_the_longest_books_of_an_author(build, tmp_path):
    books = {
        f"{n}.txt": gutenberg(prose(n, 40 * n), n, f"Book {n}", author)
        for n, author in ((1, "Able, Anna, 1801-1870"), (2, "Anna Able"), (3, "Various"))
    }
    found = build(write_books(tmp_path / "f", books), per_author=1)
    assert set(documents(found)) == {"Book 2", "Book 3"}


def test_a_damaged_book_ends_the_build_or_is_counted(build, tmp_path):
    folder = write_books(tmp_path / "f", {"good.txt": prose(6)})
    (folder / "bad.epub").write_bytes(b"PK\3\4 no archive")
    with pytest.raises(InputError, match=r"bad\.epub"):
        build(folder)
    found = build(folder, skip_damaged=True)
    assert {e["reason"]: e["count"] for e in found.manifest.ledger} == {"unreadable": 1}
    assert account(found)["dropped"][0]["name"] == "bad.epub"


def test_a_set_of_no_book_is_an_error_and_nothing_is_left(build, library, tmp_path):
    with pytest.raises(TransfersetError, match="expected at least one row"):
        build(library, tmp_path / "set", min_words=10**6)
    assert not (tmp_path / "set").exists() or not list((tmp_path / "set").glob("*.json"))


@pytest.mark.parametrize(
    "options",
    [
        {"min_words": -1},
        {"per_author": 0},
        {"dedupe": "all"},
        {"language": "no language"},
        {"unit": "page"},
        {"seed": -1},
        {"workers": 0},
    ],
)
def test_wrong_options_are_usage_errors(build, library, tmp_path, options):
    with pytest.raises(UsageError):
        build(library, tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


def test_books_of_a_manifest_are_fetched_once_and_built(build, tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "PAUSE", 0.0)  # the server is ours
    books = {"/1.txt": gutenberg(prose(1), 1, "One", "A. B.").encode(), "/2.txt": prose(2).encode()}
    with serving() as stage:
        stage.files.update(books)
        lines = ["url,title,author,licence,sha256"]
        for name, raw in books.items():
            digest = hashlib.sha256(raw).hexdigest()
            lines.append(f"{stage.root}{name},Title {name[1]},Someone,CC0-1.0,{digest}")
        lines.append(f"{stage.root}/gone.txt,Gone,Someone,CC0-1.0,{'0' * 64}")
        manifest = tmp_path / "list.csv"
        manifest.write_text("\n".join(lines) + "\n")
        options = {"cache": tmp_path / "cache", "mirror": stage.root, "contact": "me@example.org"}
        with pytest.raises(UsageError, match="contact"):
            build(manifest, **{**options, "contact": None})
        assert not stage.asked
        found = build(manifest, **options)
        before = [asked.path for asked in stage.asked]
        again = build(manifest, **options)
    assert before == ["/robots.txt", "/1.txt", "/2.txt", "/gone.txt"]
    assert len(stage.asked) == len(before)
    assert again.manifest == found.manifest
    table = documents(found)
    assert set(table) == {"Title 1", "Title 2"}
    assert table["Title 2"]["url"] == f"{stage.root}/2.txt"
    assert len(table["Title 2"]["retrieved"]) == len("2026-01-01")
    assert {e["reason"]: e["count"] for e in found.manifest.ledger}["unavailable"] == 1
    assert account(found)["unavailable"][0]["title"] == "Gone"


def test_a_book_that_says_it_is_not_free_stays_out_whatever_its_manifest_says(build, tmp_path):
    owned = gutenberg(prose(4), 14, "Owned", "C. Clark").replace(
        "This eBook is for", "This is a COPYRIGHTED Project Gutenberg eBook. It is for"
    )
    with serving() as stage:
        stage.files.update({"/1.txt": prose(1).encode(), "/2.txt": owned.encode()})
        manifest = tmp_path / "list.csv"
        rows = [
            f"{stage.root}{name},CC0-1.0,{hashlib.sha256(raw).hexdigest()}"
            for name, raw in stage.files.items()
        ]
        manifest.write_text("\n".join(["url,licence,sha256", *rows]) + "\n")
        options = {"cache": tmp_path / "cache", "mirror": stage.root, "contact": "me@example.org"}
        planned = transferset.plan_books(manifest, min_words=0, offline=True, **options)
        assert not stage.asked
        assert len(planned.sources[0].unavailable) == 2
        found = build(manifest, **options)
    assert [e["reason"] for e in account(found)["dropped"]] == ["other_licence"]
    assert found.manifest.licence == "CC0-1.0"


def test_a_language_has_one_code_and_the_manifest_names_its_splitter(build, library):
    one, other = build(library, language="en"), build(library, language="eng")
    assert one.manifest == other.manifest
    assert one.manifest.sources[0]["splitter"].startswith("nupunkt")


def test_the_licence_of_a_set_is_that_of_its_rows(build, tmp_path):
    parts = [
        build(write_books(tmp_path / name, {f"{name}.txt": prose(n)}), licence=licence)
        for n, (name, licence) in enumerate([("a", "CC BY 4.0"), ("b", "CC0-1.0.")])
    ]
    both = transferset.mix([one.root for one in parts], tmp_path / "both")
    assert both.manifest.licence == "CC BY 4.0 AND CC0-1.0"
    step = transferset.Filter('licence == "CC0-1.0"')
    assert transferset.derive(both.root, tmp_path / "c", steps=[step]).manifest.licence == "CC0-1.0"


def test_copies_of_one_file_are_told_apart_where_duplicates_may_stay(build, tmp_path):
    text = gutenberg(prose(1, 30), 1, "One", "A. B.")
    folder = write_books(tmp_path / "f", {"a.txt": text, "b.txt": text, "c.txt": text + "\n"})
    found = build(folder, dedupe="off")
    batches = list(read_documents(found.root, found.manifest))
    rows = pa.Table.from_batches(batches).to_pylist()
    assert len({row["doc_id"] for row in rows}) == 3
    assert [row["rows"] for row in rows] == [31, 31, 31]
