"""`books find`: what of a catalogue becomes a manifest, and why the rest does not."""

from __future__ import annotations

import csv
import gzip
import io
import re
import resource
import tarfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making_catalogs import CATALOG, COPYRIGHTED, HEADER, SITE, rdf, texts

from transferset.errors import InputError, UsageError
from transferset.sources.books import streams
from transferset.sources.books.entries import BookEntry
from transferset.sources.books.find import Found, find_books_in
from transferset.sources.books.manifest_writer import write_books
from transferset.sources.books.manifests import load_books
from transferset.sources.books.select import DROPPED, BookFilters

MIRROR = "https://m.example"
UNCHECKED = "Public domain in the USA unless the book says otherwise"
#: What of `CATALOG` no filter of a book's own can keep: the rows x12 and 13, and 84 again.
ALWAYS = {"malformed": 2, "duplicate": 1}
PLAIN = {**ALWAYS, "other_type": 4, "other_language": 1}


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "pg_catalog.csv"
    path.write_text(CATALOG, encoding="utf-8")
    return path


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """RDF of most books: what becomes of each stands beside it."""
    folder = tmp_path / "rdf"
    html = {f"{SITE}/ebooks/1727.html.images": (900_000, ["text/html"])}
    # the size of a packed text tells nothing
    short = {
        **texts(20, 95_999),
        f"{SITE}/files/20/20-8.zip": (999_999, ["application/zip", "text/plain"]),
    }
    unsized = {f"{SITE}/files/3/3-8.txt": ("", ["text/plain"])}
    made = {
        1342: rdf(1342),  # kept
        84: rdf(84),  # kept
        20: rdf(20, short),  # a byte below 0.8 × 20,000 × 6: too few words
        1260: rdf(1260, texts(1260, 96_000)),  # exactly there: kept
        158: rdf(158, rights="None"),  # other licence
        1727: rdf(1727, html),  # no format
        27045: rdf(27045, rights=COPYRIGHTED),  # other licence
        22577: b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>',  # unreadable
        3: rdf(3, unsized, creators=["Nobody", "Somebody"], issued="2001-01-01"),  # kept
        2000: rdf(2000),  # in another language, hence never read
    }  # 7 has none: rights unknown
    for number, data in made.items():
        path = folder / str(number) / f"pg{number}.rdf"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    return folder


def find(catalog: Path, *, rdf: Path | None = None, **filters: Any) -> Found:
    found = find_books_in(catalog, BookFilters(**filters), rdf=rdf, mirror=MIRROR)
    assert found.rows == 18
    assert found.rows == len(found.manifest.entries) + sum(found.dropped.values())
    return found


def ids(found: Found) -> list[int | None]:
    return [entry.id for entry in found.manifest.entries]


def test_a_catalogue_alone(catalog: Path) -> None:
    found = find(catalog)
    assert ids(found) == [3, 7, 20, 84, 158, 1260, 1342, 1727, 22577, 27045]
    assert found.dropped == PLAIN
    manifest = found.manifest
    assert (manifest.name, manifest.language, manifest.licence) == ("gutenberg-en", "en", UNCHECKED)
    assert (manifest.mirror, manifest.pause) == (MIRROR, 2.0)
    assert manifest.terms == "https://www.gutenberg.org/policy/robot_access.html"
    assert "not checked book by book" in manifest.note
    assert [note[:40] for note in found.notes] == [
        "The first malformed row is row 17.",
        "Rights were not checked book by book, fo",
        "No filter by size was applied, for only ",
    ]


def test_an_entry_of_a_catalogue_alone(catalog: Path) -> None:
    book = {entry.id: entry for entry in find(catalog).manifest.entries}
    assert book[1342] == BookEntry(
        id=1342,
        url=f"{MIRROR}/cache/epub/1342/pg1342.txt",
        title="Pride and Prejudice",
        author="Austen, Jane, 1775-1817",
        language="en",
        licence=UNCHECKED,
        rights=(
            "as Project Gutenberg states: public domain in the USA unless the book says otherwise"
        ),
        subjects="England -- Fiction; Young women -- Fiction; Love stories; Sisters -- Fiction",
        issued="1998-06-01",
        alternatives=(
            f"{MIRROR}/files/1342/1342-0.txt",
            f"{MIRROR}/files/1342/1342.txt",
            f"{MIRROR}/1/3/4/1342/1342-0.txt",
            f"{MIRROR}/1/3/4/1342/1342.txt",
        ),
    )
    # a title of two lines is one; a translator is no author
    assert book[1727].title == (
        "The Odyssey Rendered into English prose for the use of those who cannot read the original"
    )
    assert book[1727].author == "Homer, 751? BCE-651? BCE"
    # where nobody else is named, the editor is kept with the role
    assert (book[22577].title, book[22577].author, book[22577].language) == (
        'Practical "First" Lessons in French',
        "Worman, James H. [Editor]",
        "en; fr",
    )
    assert (book[7].author, book[3].issued, book[3].language) == ("", "", "en-GB")


def test_a_catalogue_with_rdf(catalog: Path, records: Path) -> None:
    found = find(catalog, rdf=records)
    assert ids(found) == [3, 84, 1260, 1342]
    assert found.dropped == {
        **PLAIN,
        "rights_unknown": 1,
        "unreadable": 1,
        "other_licence": 2,
        "no_format": 1,
        "too_few_words": 1,
    }
    assert list(found.dropped) == [reason for reason in DROPPED if reason in found.dropped]
    assert found.manifest.licence == "Public domain in the USA"
    assert "for each book" in found.manifest.note
    assert [re.sub(r"is \S*/", "is …/", note) for note in found.notes] == [
        "The first malformed row is row 17.",
        "The first unreadable RDF is …/pg22577.rdf: a DTD.",
    ]
    book = {entry.id: entry for entry in found.manifest.entries}
    assert book[1342] == BookEntry(
        id=1342,
        url=f"{MIRROR}/cache/epub/1342/pg1342.txt",
        title="Pride and Prejudice",
        author="Austen, Jane, 1775-1817",
        language="en",
        licence="Public domain in the USA",
        rights="Public domain in the USA.",
        subjects="England -- Fiction; Young women -- Fiction; Love stories; Sisters -- Fiction",
        issued="1998-06-01",
        alternatives=(f"{MIRROR}/files/1342/1342-0.txt", f"{MIRROR}/1/3/4/1342/1342-0.txt"),
    )
    # the RDF fills what the catalogue leaves empty, and only that
    assert (book[3].author, book[3].issued) == ("Anonymous", "2001-01-01")
    assert book[3].url == f"{MIRROR}/files/3/3-8.txt"


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"language": "any"}, [3, 7, 20, 84, 158, 1260, 1342, 1727, 2000, 22577, 27045]),
        ({"language": "fr"}, [22577]),
        ({"language": "ES"}, [2000]),
        ({"language": "e"}, None),
        ({"authors": ("AUSTEN",)}, [158, 1342]),
        ({"authors": ("bronte\u0308", "milton")}, [20, 1260]),  # ë in two characters
        ({"authors": ("butler",)}, [1727]),  # the translator, too
        ({"subjects": ("fiction",)}, [3, 84, 158, 1260, 1342]),
        ({"subjects": ("poetry",)}, [20, 1727]),
        ({"subjects": ("british literature",)}, [1342]),  # a bookshelf
        ({"subjects": ("fiction",), "exclude_subjects": ("science", "governess")}, [3, 158, 1342]),
        ({"limit": 3}, [3, 7, 20]),
        ({"limit": 99}, [3, 7, 20, 84, 158, 1260, 1342, 1727, 22577, 27045]),
    ],
)
def test_filters(catalog: Path, filters: dict[str, Any], kept: list[int] | None) -> None:
    if kept is None:
        with pytest.raises(UsageError):
            find(catalog, **filters)
    else:
        assert ids(find(catalog, **filters)) == kept


def test_reasons_of_the_filters_of_a_row(catalog: Path) -> None:
    found = find(
        catalog,
        authors=("a",),
        subjects=("fiction", "poetry"),
        exclude_subjects=("epic",),
        limit=2,
    )
    # of the ten books in English 7 has no author and 20 (Milton, John) no a; of the others
    # 22577 and 27045 are neither fiction nor poetry, 1727 is epic; of the five left 3 and 84 stay
    assert found.dropped == {
        **PLAIN,
        "other_author": 2,
        "other_subject": 2,
        "excluded_subject": 1,
        "over_limit": 3,
    }
    assert ids(found) == [3, 84]


def test_any_rights_keep_what_is_stated(catalog: Path, records: Path) -> None:
    found = find(catalog, rdf=records, rights="any", min_words=0)
    assert ids(found) == [3, 7, 20, 84, 158, 1260, 1342, 27045]
    stated = {entry.id: (entry.licence, entry.rights) for entry in found.manifest.entries}
    assert stated[27045] == (COPYRIGHTED, COPYRIGHTED)
    assert stated[158] == ("Not stated; see the book", "None")
    assert stated[7][0] == UNCHECKED
    assert found.manifest.licence == "Stated for each book"


def test_epub(catalog: Path, records: Path) -> None:
    cache = f"{MIRROR}/cache/epub/1342/pg1342"
    [only] = find(
        catalog, authors=("austen",), formats=("application/epub+zip",), rdf=records
    ).manifest.entries
    assert (only.url, only.alternatives) == (f"{cache}.epub", (f"{cache}-images-3.epub",))
    both = find(
        catalog, authors=("austen",), formats=("application/epub+zip", "text/plain"), rdf=records
    ).manifest.entries[0]
    assert both.alternatives[-1] == f"{MIRROR}/1/3/4/1342/1342-0.txt"


def test_a_mirror_is_the_users_choice(catalog: Path) -> None:
    found = find_books_in(catalog, BookFilters(min_words=0))
    assert found.manifest.mirror == SITE
    assert any("main site, which is for people" in note for note in found.notes)
    assert find_books_in(catalog, BookFilters(), mirror="https://m.example/pg/").manifest.entries[
        0
    ].url == ("https://m.example/pg/cache/epub/3/pg3.txt")
    for mirror in ("m.example", "ftp://m.example", "http://m.example"):
        with pytest.raises(UsageError):
            find_books_in(catalog, BookFilters(), mirror=mirror)


def test_the_same_input_gives_the_same_bytes(catalog: Path, records: Path, tmp_path: Path) -> None:
    found = find(catalog, rdf=records)
    written = write_books(found.manifest)
    (tmp_path / "m.toml").write_bytes(written)
    assert load_books(tmp_path / "m.toml") == found.manifest
    packed = tmp_path / "pg_catalog.csv.gz"
    packed.write_bytes(gzip.compress(CATALOG.encode("utf-8-sig").replace(b"\n", b"\r\n")))
    archive = tmp_path / "rdf.tar.bz2"
    with tarfile.open(archive, "w:bz2") as tar:
        tar.add(records, "cache/epub")
    assert write_books(find(packed, rdf=archive).manifest) == written


@pytest.mark.parametrize(
    "filters",
    [
        {"language": ""},
        {"language": "english language"},
        {"rights": "public-domian"},
        {"formats": ("text/html",)},
        {"formats": ()},
        {"subjects": (" ",)},
        {"authors": ("",)},
        {"min_words": -1},
        {"limit": 0},
    ],
)
def test_filters_that_cannot_be(filters: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        BookFilters(**filters)


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(UsageError, match="did you mean 'public-domain'"):
        BookFilters(rights="public-domian")


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    source = list(csv.DictReader(io.StringIO(CATALOG)))
    columns = [*reversed(HEADER.split(",")), "New"]
    sink = io.StringIO()
    writer = csv.DictWriter(sink, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(source)
    path = tmp_path / "a.csv"
    path.write_text(sink.getvalue(), encoding="utf-8")
    # the row with a column too few is whole here: its number is 13
    assert set(ids(find(path, min_words=0))) - {13} == {
        3, 7, 20, 84, 158, 1260, 1342, 1727, 22577, 27045,
    }  # fmt: skip


@pytest.mark.parametrize("column", [name for name in HEADER.split(",") if name != "LoCC"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER.replace(column, "X") + "\n1,Text\n")
    with pytest.raises(InputError, match=f"found no column {column} in .*a.csv, row 1"):
        find_books_in(path, BookFilters())


def test_whatever_is_found_can_be_written(tmp_path: Path) -> None:
    long = "x" * 20_000
    rows = [f"1,Text,,{long},en,,,,", f"2,Text,,,en,,{'y ' * 7999},,", f"3,Text,,,en{long},,,,"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *rows, "4,Text,,T,en,,,,", "5,Text,,T,en,,,,"]))
    for number, made in {
        2: rdf(2),
        4: rdf(4, rights=long),
        5: rdf(5, creators=["Somebody"] * 1000),
    }.items():
        (tmp_path / f"pg{number}.rdf").write_bytes(made)
    found = find_books_in(path, BookFilters(rights="any"), rdf=tmp_path)
    assert found.dropped == {"malformed": 2, "unreadable": 2}
    assert ids(found) == [2]
    write_books(found.manifest)


ROW = b"5,Text,1975-12-01,The United States Constitution,en,United States,X,KF,\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no column Text# .*row 1"),
        (b"<!DOCTYPE html>\n<html>", "no column Text# .*row 1"),
        (HEADER.encode() + b"\n" + ROW + b"6,Text,,Caf\xe9,en,,,,\n", "UTF-8, found .*row 3"),
        (HEADER.encode() + b"\n" + ROW + b"6,Text,,a\0b,en,,,,\n", "a NUL byte at .*row 3"),
        (HEADER.encode() + b"\n" + ROW + b'6,Text,,"open,en,,,,\n', "CSV, found .*row 3"),
        (HEADER.encode() + b'\n6,Text,,"open,en,,,,\n' + ROW * 4000, "rows of at most .*row 2"),
        (HEADER.encode() + b'\n6,Text,,"a"b,en,,,,\n', "CSV, found .*row 2"),
        (CATALOG.encode("utf-16"), "UTF-8, found .*row 1|NUL"),
        (gzip.compress(CATALOG.encode())[:-9], "whole compressed data"),
        (gzip.compress(CATALOG.encode()) + b"x", "whole compressed data"),
    ],
    ids=["empty", "html", "latin-1", "nul", "open", "swallows", "quote", "utf-16", "cut", "more"],
)
def test_catalogues_that_are_damaged(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected):
        find_books_in(path, BookFilters())


def test_a_missing_catalogue(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UsageError, match="a catalogue"):
            find_books_in(path, BookFilters())


@pytest.mark.parametrize("filler", [b"a", b"a\n"])
def test_a_field_of_100_mb_is_refused_by_its_row(tmp_path: Path, filler: bytes) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(HEADER.encode() + b"\n" + ROW + b'6,Text,,"')
        for _ in range(100):
            file.write(filler * ((1 << 20) // len(filler)))
        file.write(b'",en,,,,\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with pytest.raises(InputError, match=r"rows of at most 131,072 bytes, found .*row 3"):
        find_books_in(path, BookFilters())
    assert time.process_time() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10  # KiB


def test_a_gzip_bomb_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SMALL", 1 << 20)
    monkeypatch.setattr(streams, "MOST_RATIO", 20)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(HEADER.encode() + b"\n" + ROW * 40_000))
    assert path.stat().st_size * 20 < len(ROW) * 40_000
    with pytest.raises(InputError, match="when unpacked"):
        find_books_in(path, BookFilters())


def test_an_rdf_of_another_book_does_not_speak_for_this_one(catalog: Path, records: Path) -> None:
    (records / "1342" / "pg1342.rdf").write_bytes(rdf(84))
    found = find(catalog, rdf=records)
    assert 1342 not in ids(found)
    assert found.dropped["unreadable"] == 2


def test_the_first_of_two_rdf_of_a_book_is_read(catalog: Path, records: Path) -> None:
    for folder, rights in (("0", COPYRIGHTED), ("9", COPYRIGHTED)):
        (records / folder).mkdir()
        number = 84 if folder == "0" else 1342  # before 84/pg84.rdf, after 1342/pg1342.rdf
        (records / folder / f"pg{number}.rdf").write_bytes(rdf(number, rights=rights))
    found = find(catalog, rdf=records)
    assert ids(found) == [3, 1260, 1342]
    assert found.dropped["other_licence"] == 3


# --- any catalogue, against a plain reading of it ----------------------------------------------

_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_rows = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "30", "0", "x", " 4", "٣"]),
        st.sampled_from(["Text", "Sound", ""]),
        st.sampled_from(["1998-06-01", "", "None"]),
        _cells,
        st.sampled_from(["en", "fr; en", "de", "", "enm"]),
        _cells,
        st.sampled_from(["Fiction", "", "Poetry; FICTION"]),
        _cells,
        _cells,
    ),
    max_size=12,
)


@given(rows=_rows, fiction=st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_row_is_an_entry_or_counted(
    rows: list[tuple[str, ...]], fiction: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        writer.writerows(rows)
    kept: dict[int, str] = {}
    dropped: Counter[str] = Counter()
    for number, kind, _, title, language, _, subjects, _, shelves in rows:
        if number not in ("1", "2", "30"):
            dropped["malformed"] += 1
        elif int(number) in kept:
            dropped["duplicate"] += 1
        elif kind != "Text":
            dropped["other_type"] += 1
        elif "en" not in language.split("; "):
            dropped["other_language"] += 1
        elif fiction and "fiction" not in (subjects + shelves).lower():
            dropped["other_subject"] += 1
        else:
            kept[int(number)] = title
    filters = BookFilters(subjects=("fiction",) if fiction else ())
    found = find_books_in(path, filters, mirror=MIRROR)
    assert found.dropped == dict(dropped)
    assert found.rows == len(rows)
    assert [(e.id, e.title) for e in found.manifest.entries] == [
        (number, " ".join(kept[number].split())) for number in sorted(kept)
    ]
    if kept:
        write_books(replace(found.manifest, name="any"))
