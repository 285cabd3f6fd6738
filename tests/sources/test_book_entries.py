"""Manifests of books are read strictly, and read back as they were written."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transferset.errors import InputError, UsageError
from transferset.sources.books import manifest_tables, manifest_toml
from transferset.sources.books.entries import BookEntry, BookManifest
from transferset.sources.books.manifest_csv import COLUMNS
from transferset.sources.books.manifest_writer import write_books
from transferset.sources.books.manifests import load_books
from transferset.toml import LONGEST_LINE

SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CORPUS = """
[corpus]
kind = "books"
name = "mine"
title = "My books"
language = "en"
licence = "CC0"
"""
MIRROR = '[retrieval]\nmirror = "https://m.example/"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def toml(folder: Path, text: str) -> BookManifest:
    path = folder / "mine.toml"
    path.write_bytes(text.encode())
    return load_books(path)


def table(folder: Path, text: str | bytes) -> BookManifest:
    path = folder / "my books.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_books(path)


def book(folder: Path, text: str) -> BookEntry:
    return toml(folder, f"{CORPUS}{MIRROR}[[book]]\n{text}").entries[0]


def test_a_full_manifest(folder: Path) -> None:
    manifest = toml(
        folder,
        CORPUS
        + f"""
        note = "Why"
        [retrieval]
        mirror = "https://m.example/"
        pause = 3
        terms = "https://m.example/terms"
        [[book]]
        url = "cache/epub/1342/pg1342.txt"
        alternatives = ["files/1342/1342-0.txt", "http://other.example/1342.txt"]
        id = 1342
        title = "Pride and \\"Prejudice\\""
        author = "Austen, Jane, 1775-1817"
        language = "en; fr"
        licence = "Public domain in the USA"
        rights = "Public domain in the USA."
        subjects = "Love stories; Sisters -- Fiction"
        issued = "1998-06-01"
        size = 772420
        sha256 = "{SHA256.upper()}"
        [[book]]
        url = "https://a.example/b.epub"
        rights = "CC BY 4.0"
        """,
    )
    assert manifest == BookManifest(
        name="mine",
        title="My books",
        language="en",
        licence="CC0",
        mirror="https://m.example",
        pause=3.0,
        terms="https://m.example/terms",
        note="Why",
        entries=(
            BookEntry(
                id=1342,
                url="https://m.example/cache/epub/1342/pg1342.txt",
                alternatives=(
                    "https://m.example/files/1342/1342-0.txt",
                    "http://other.example/1342.txt",
                ),
                title='Pride and "Prejudice"',
                author="Austen, Jane, 1775-1817",
                language="en; fr",
                licence="Public domain in the USA",
                rights="Public domain in the USA.",
                subjects="Love stories; Sisters -- Fiction",
                issued="1998-06-01",
                size=772420,
                sha256=SHA256,
            ),
            # without a licence in words the source's statement is what can be shown
            BookEntry(None, "https://a.example/b.epub", licence="CC BY 4.0", rights="CC BY 4.0"),
        ),
    )


def test_without_rules_of_retrieval_two_seconds_lie_between_requests(folder: Path) -> None:
    manifest = toml(folder, CORPUS + '[[book]]\nurl = "https://a.example/b"\nlicence = "CC0"')
    assert (manifest.mirror, manifest.pause, manifest.terms) == (None, 2.0, None)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (CORPUS + 'licens = "x"\n[[book]]\nurl = "https://a.example/b"', "licence"),
        (CORPUS + '[retrieval]\nmiror = "x"\n[[book]]\nurl = "https://a.example/b"', "mirror"),
        (CORPUS + '[[book]]\nurl = "https://a.example/b"\nlicence = "x"\nautor = "x"', "author"),
        (CORPUS + '[[books]]\nurl = "https://a.example/b"', "book"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(folder: Path, text: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{near}'"):
        toml(folder, text)


def test_a_manifest_of_dumps_is_told_from_one_of_books(folder: Path) -> None:
    text = CORPUS.replace('kind = "books"\n', "") + '[[part]]\nwiki = "a"\ndate = "latest"'
    with pytest.raises(UsageError) as error:
        toml(folder, text)
    assert str(error.value) == (
        'expected a manifest of books ([corpus] kind = "books"), found a manifest of dumps '
        f"([[part]]) at {folder / 'mine.toml'}; give it to transferset build wiki"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('licence = "a"', "the key 'url'"),
        ('url = "a"', "a licence or rights for every book, found none"),
        ('url = "a"\nlicence = " "', "a text of 1 to"),
        ('url = "ftp://a.example/b"\nlicence = "a"', "a path on the mirror"),
        ('url = "https://u:p@a.example/b"\nlicence = "a"', "a path on the mirror"),
        ('url = "//a.example/b"\nlicence = "a"', "a path on the mirror"),
        ('url = "../b"\nlicence = "a"', "a path on the mirror"),
        ('url = "a b"\nlicence = "a"', "a path on the mirror"),
        ('url = "a"\nalternatives = "b"\nlicence = "a"', "a list of at most 100"),
        ('url = "a"\nalternatives = ["x:b"]\nlicence = "a"', "a path on the mirror"),
        ('url = "http://a.example/b"\nlicence = "a"', "a digest with a plain http address"),
        (
            'url = "b"\nalternatives = ["http://a.example/b"]\nlicence = "a"',
            "a digest with a plain http address",
        ),
        ('url = "a"\nlicence = "a"\nid = -1', "a whole number from 0"),
        ('url = "a"\nlicence = "a"\nid = true', "a whole number from 0"),
        (f'url = "a"\nlicence = "a"\nid = {1 << 63}', "a whole number from 0"),
        ('url = "a"\nlicence = "a"\nissued = "1998-02-30"', "a date in quotation marks"),
        ('url = "a"\nlicence = "a"\nissued = 1998-02-03', "a date in quotation marks"),
        ('url = "a"\nlicence = "a"\nsha256 = "12"', "a digest out of"),
        ('url = "a"\nlicence = "a"\nsize = 1.5', "a whole number from 0"),
    ],
)
def test_books_that_cannot_be(folder: Path, text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as error:
        book(folder, text)
    assert "mine.toml, [[book]] 1" in str(error.value)


def test_a_relative_address_needs_a_mirror(folder: Path) -> None:
    with pytest.raises(UsageError, match="the whole address, or a mirror"):
        toml(folder, CORPUS + '[[book]]\nurl = "a/b"\nlicence = "CC0"')


def test_a_http_mirror_needs_digests_too(folder: Path) -> None:
    text = CORPUS + MIRROR.replace("https", "http") + '[[book]]\nurl = "a"\nlicence = "x"\n'
    with pytest.raises(UsageError, match="a digest with a plain http address"):
        toml(folder, text)
    assert toml(folder, f'{text}sha256 = "{SHA256}"').entries[0].url == "http://m.example/a"


@pytest.mark.parametrize("again", ['url = "a"\nid = 2', 'url = "b"\nid = 1'])
def test_a_book_stands_once(folder: Path, again: str) -> None:
    with pytest.raises(UsageError, match=r"every book once, found .* again .*\[\[book\]\] 2"):
        book(folder, f'url = "a"\nid = 1\nlicence = "x"\n[[book]]\n{again}\nlicence = "x"')


@pytest.mark.parametrize("text", ["", CORPUS, "book = 1\n" + CORPUS, CORPUS + "[book]\na = 1"])
def test_a_manifest_has_books(folder: Path, text: str) -> None:
    with pytest.raises(UsageError):
        toml(folder, text)


@pytest.mark.parametrize("name", ["mine.json", "mine", "none.toml", "none.csv"])
def test_a_file_that_cannot_be_one(folder: Path, name: str) -> None:
    with pytest.raises(UsageError):
        load_books(folder / name)


@pytest.mark.parametrize(
    "content",
    [
        b"[corpus",
        b"[[book]]\nurl = \xff",
        b"[[book]]\n[[book]]\nurl = ",
        b"[[book]]\nurl = 'a'\nurl = 'b'",
        b'[[book]]\nurl = "a"\nurl = "b"',
        b"[[book]]\nx = " + b"[" * 900,
        b'[[book]]\nx = "' + b"a" * LONGEST_LINE + b'"',
    ],
)
def test_what_is_not_toml_is_an_input_error(folder: Path, content: bytes) -> None:
    (folder / "bad.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"(TOML in UTF-8|lines of|deep).*bad\.toml"):
        load_books(folder / "bad.toml")


def test_sizes_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CORPUS + MIRROR + '[[book]]\nurl = "a"\nlicence = "x"\n[[book]]\nurl = "b"\nlicence="x"'
    assert len(toml(folder, text).entries) == 2
    monkeypatch.setattr(manifest_tables, "MOST_BOOKS", 1)
    with pytest.raises(UsageError, match=r"1 to 1 \[\[book\]\]"):
        toml(folder, text)
    with pytest.raises(UsageError, match="at most 1 books"):
        table(folder, "url,licence\nhttps://a.example/1,x\nhttps://a.example/2,x\n")
    monkeypatch.setattr(manifest_toml, "MOST_BYTES", len(text) - 1)
    with pytest.raises(InputError, match="at most"):
        toml(folder, text)


# Forms of TOML that are read in the three ways of `manifest_toml`.
FORMS = [
    'url = "a"\nlicence = "x"\n',
    "url = 'a'\nlicence = \"x\" # why\n",
    'url = "a"\r\nlicence = "x"\r\nid = 7\r\n',
    'url = "a"\nlicence = "x"\ntitle = "b\\u0041"\nid = 0x10\n',
    'url = "a"\nlicence = """\nx\n[[book]]\ny"""\n',
    "url = \"a\"\nlicence = '''\n[[book]]\nurl = \"b\"\n[[book]]\n'''\n",
    'url = "a"\nlicence = "x"\nalternatives = [\n  "b", # c\n  "c"\n]\n',
    'url = "a"\nlicence = "x"\nalternatives = ["b", "c"]\nid = 1_000\n',
    'url = "a"\nlicence = "x"\n# [[book]]\n  [[book]]\nurl = "b"\nlicence = "y"\n',
    'url = "a"\nlicence = "x"\n\n[[ book ]]\nurl = "b"\nlicence = "y"\n',
    'url = "a"\nlicence = "x"\n[[book]]\nurl = "b"\nlicence = "y"\n' + MIRROR,
]


@pytest.mark.parametrize("text", FORMS)
def test_every_way_of_reading_gives_the_tables_of_tomllib(folder: Path, text: str) -> None:
    text = CORPUS + ("" if MIRROR in text else MIRROR) + "[[book]]\n" + text
    path = folder / "mine.toml"
    path.write_bytes(text.encode())
    tables = manifest_toml._cut(path)
    assert tables is None or tables == tomllib.loads(text)
    assert load_books(path) == manifest_tables.manifest_of(tomllib.loads(text), "x")


@pytest.mark.parametrize("text", FORMS[:4])
def test_plain_forms_are_read_book_by_book(folder: Path, text: str) -> None:
    (folder / "a.toml").write_bytes((CORPUS + MIRROR + "[[book]]\n" + text).encode())
    assert manifest_toml._cut(folder / "a.toml") is not None


def test_a_table(folder: Path) -> None:
    manifest = table(
        folder,
        "\ufeffurl, licence ,rights,id,title,author,language,subjects,sha256\r\n"
        'https://a.example/1.txt,CC0,,1,"A ""title""\r\non two lines",'
        f'"B, C",en,x; y,{SHA256}\r\n'
        "\r\n"
        "https://a.example/2.txt,,Free to use,,,,en,,\r\n",
    )
    assert manifest == BookManifest(
        name="my-books",
        title="my books",
        language="en",
        licence="stated for each book",
        mirror=None,
        pause=2.0,
        terms=None,
        entries=(
            BookEntry(
                1,
                "https://a.example/1.txt",
                'A "title"\r\non two lines',
                "B, C",
                "en",
                "CC0",
                "",
                "x; y",
                sha256=SHA256,
            ),
            BookEntry(
                None,
                "https://a.example/2.txt",
                language="en",
                licence="Free to use",
                rights="Free to use",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("url,licens\n", r"did you mean 'licence'.*|.*found 'licens' at .*row 1"),
        ("url,licence,licence\n", "every column once"),
        ("link,licence\n", "columns out of url"),
        ("licence,title\n", "a column url, found licence, title"),
        ("url,title\n", "a column licence or rights, found url, title"),
        ("", "a column|columns out of"),
        ("url,licence\n", "a row for each book"),
        ("Text#,Type,Issued\n", "found a catalogue .*transferset books find"),
        ("url,licence\nhttps://a.example/1,\n", "a licence or rights .*row 2"),
        ("url,licence\nhttps://a.example/1,x\n,x\n", "the key 'url'.*row 3"),
        ("url,licence\na/b,x\n", r"an http or https address.*row 2"),
        ("url,licence,id\nhttps://a.example/1,x,1b\n", "a number, found 1b at .*row 2, id"),
        ("url,licence\nhttp://a.example/1,x\n", "a digest with a plain http .*row 2"),
        ("url,licence\nhttps://a.example/1,x\n\nhttps://a.example/1,y\n", "every book .*row 4"),
    ],
)
def test_tables_that_cannot_be(folder: Path, text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        table(folder, text)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (b"https://a.example/2,x,y\n", "2 columns as in the header, found 3 at .*row 3"),
        (b"https://a.example/2\n", "2 columns as in the header, found 1 at .*row 3"),
        (b"https://a.example/2,caf\xe9\n", "UTF-8, found the byte 0xe9 at .*row 3"),
        (b"https://a.example/2,a\0b\n", "a NUL byte at .*row 3"),
        (b'https://a.example/2,"a"b\n', "CSV, found .*row 3"),
        (b'https://a.example/2,"a\n', "CSV, found .*row 3"),
        (b"https://a.example/2," + b"a" * (1 << 18) + b"\n", "rows of at most .*row 3"),
        (b'https://a.example/2,"' + b"a\n" * (1 << 17) + b'"\n', "rows of at most .*row 3"),
    ],
    ids=["wide", "narrow", "latin-1", "nul", "quote", "open", "long line", "long row"],
)
def test_malformed_rows_are_named(folder: Path, rows: bytes, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        table(folder, b"url,licence\nhttps://a.example/1,x\n" + rows + b"https://a.example/9,x\n")


# Any text that UTF-8 can carry, with what TOML and lines of bounded length make difficult.
_texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.sampled_from(
        ['"', '"""', "\\", "\\u0041", "a\nb\r\n\tc", "\x00\x7f\x85\u2028\u202e", " x "]
    ),
    st.builds(
        lambda piece, times: piece * times,
        st.sampled_from([" a", "a b", '"', "\x01", "é", "😀", "[[book]]\n"]),
        st.integers(200, 2000),
    ),
).filter(lambda text: 0 < len(text) <= 4096 and bool(text.strip()))
_maybe = st.one_of(st.just(""), _texts)
_path = st.from_regex(r"[a-z0-9][a-zA-Z0-9./_~%é-]{0,30}", fullmatch=True)
_urls = st.builds(
    lambda root, path: f"{root}/{path}",
    st.sampled_from(["https://m.example", "https://o.example:8443", "https://m.example/x:y?"]),
    st.one_of(_path, st.sampled_from(["", "http://a", "//a", "../a", "?q=1", "a#b", "a:b"])),
)
_entries = st.builds(
    BookEntry,
    id=st.one_of(st.none(), st.integers(0, (1 << 63) - 1)),
    url=_urls,
    title=_maybe,
    author=_maybe,
    language=st.sampled_from(["", "en", "en; fr"]),
    licence=_texts,
    rights=_maybe,
    subjects=_maybe,
    issued=st.one_of(st.just(""), st.dates().map(str)),
    sha256=st.one_of(st.none(), st.just(SHA256)),
    size=st.one_of(st.none(), st.integers(0, 1 << 40)),
    alternatives=st.lists(_urls, max_size=4).map(tuple),
)
_manifests = st.builds(
    BookManifest,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True),
    title=_texts,
    language=st.sampled_from(["en", "pt-BR", "mul"]),
    licence=_texts,
    mirror=st.sampled_from([None, "https://m.example", "https://m.example/x"]),
    pause=st.floats(0, 3600),
    terms=st.sampled_from([None, "https://m.example/terms"]),
    note=_maybe,
    entries=st.lists(
        _entries, min_size=1, max_size=4, unique_by=(lambda e: e.url, lambda e: e.id or object())
    )
    .filter(lambda entries: sum(e.id == 0 for e in entries) < 2)
    .map(tuple),
)


@given(manifest=_manifests)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_back(
    manifest: BookManifest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.toml"
    written = write_books(manifest)
    path.write_bytes(written)
    assert load_books(path) == manifest
    # the independent reader agrees
    tables = tomllib.loads(written.decode())
    assert [b.get("title", "") for b in tables["book"]] == [e.title for e in manifest.entries]
    lines = written.decode().split("\n")
    assert max(map(len, lines)) <= LONGEST_LINE
    assert all(line.isprintable() for line in lines)


def test_white_space_at_the_start_of_a_broken_line_stays(folder: Path) -> None:
    # one of the two has a space wherever the line is broken
    for text in (" a" * 1500, "a " * 1500 + "b"):
        entry = BookEntry(None, "https://a.example/1", licence="CC0", title=text)
        manifest = BookManifest("a", "A", "en", "CC0", None, 2.0, None, (entry,))
        assert toml(folder, write_books(manifest).decode()) == manifest


def test_another_mirror_is_one_line_to_change(folder: Path) -> None:
    old = BookManifest(
        name="a",
        title="A",
        language="en",
        licence="CC0",
        mirror="https://m.example",
        pause=2.0,
        terms=None,
        entries=(
            BookEntry(
                None,
                "https://m.example/x/1.txt",
                licence="CC0",
                alternatives=("https://m.example/y/1.txt", "https://o.example/1.txt"),
            ),
        ),
    )
    text = write_books(old).decode()
    assert text.count("m.example") == 1
    [entry] = toml(folder, text.replace("m.example", "n.example/pg")).entries
    assert entry.url == "https://n.example/pg/x/1.txt"
    assert entry.alternatives == ("https://n.example/pg/y/1.txt", "https://o.example/1.txt")


GOOD = BookEntry(1, "https://a.example/1", licence="CC0")


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (replace(GOOD, licence=""),),
        (replace(GOOD, licence="", rights="CC0"),),
        (replace(GOOD, url="http://a.example/1"),),
        (replace(GOOD, url="1"),),
        (replace(GOOD, title="\ud800"),),
        (replace(GOOD, title=" "),),
        (replace(GOOD, id=-1),),
        (replace(GOOD, sha256=SHA256.upper()),),
        (GOOD, GOOD),
    ],
)
def test_what_could_not_be_read_back_is_not_written(entries: tuple[BookEntry, ...]) -> None:
    manifest = BookManifest("a", "A", "en", "CC0", None, 2.0, None, entries)
    with pytest.raises(UsageError):
        write_books(manifest)


def test_every_key_and_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/books-find.md").read_text(encoding="utf-8")
    tables = (manifest_tables._CORPUS, manifest_tables._RETRIEVAL, manifest_tables.BOOK)
    for name in (*(key for keys in tables for key in keys), *COLUMNS):
        assert f"`{name}`" in page
