"""A corpora manifest is read strictly, and says what it pins."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.sources import corpora
from transferset.sources.corpora import Corpus, CorpusPart, Retrieval, load_corpus
from transferset.sources.resolve import resolve_source

CORPUS = """
[corpus]
name = "mine"
title = "My corpus"
language = "en"
licence = "CC0"
"""
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def load(folder: Path, text: str) -> Corpus:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_corpus(path)


def part(folder: Path, text: str) -> CorpusPart:
    return load(folder, f"{CORPUS}[[part]]\n{text}").parts[0]


def test_a_full_manifest(folder: Path) -> None:
    corpus = load(
        folder,
        CORPUS
        + f"""
        homepage = "https://example.org"
        attribution = "Its authors"
        note = "Why"
        [retrieval]
        mirror = "https://mirror.example/"
        connections = 1
        pause = 2
        terms = "https://example.org/terms"
        [[part]]
        wiki = "simplewiki"
        date = "20261101"
        [[part]]
        url = "https://example.org/a/b.xml.bz2"
        size = 10
        sha256 = "{SHA256.upper()}"
        licence = "CC BY 4.0"
        date = "20250101"
        [[part]]
        path = "sub/c.xml"
        """,
    )
    assert (corpus.name, corpus.title, corpus.language) == ("mine", "My corpus", "en")
    assert corpus.retrieval == Retrieval(
        "https://mirror.example", 1, 2.0, "https://example.org/terms"
    )
    assert corpus.parts == (
        CorpusPart("CC0", wiki="simplewiki", date="20261101"),
        CorpusPart(
            "CC BY 4.0",
            url="https://example.org/a/b.xml.bz2",
            name="b.xml.bz2",
            size=10,
            digests={"sha256": SHA256},
            date="20250101",
        ),
        CorpusPart("CC0", path=folder / "sub/c.xml"),
    )
    assert [piece.pins for piece in corpus.parts] == ["date", "bytes", "nothing"]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (CORPUS + 'licens = "x"\n[[part]]\npath = "a"', "licence"),
        (CORPUS + '[retrieval]\nconections = 1\n[[part]]\npath = "a"', "connections"),
        (CORPUS + '[[part]]\nwikki = "a"', "wiki"),
        (CORPUS + f'[[part]]\npath = "a"\nsha265 = "{SHA256}"', "sha256"),
        (CORPUS + '[[parts]]\npath = "a"', "part"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(folder: Path, text: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{near}'") as error:
        load(folder, text)
    assert str(folder / "mine.toml") in str(error.value)


def test_a_key_like_no_other_is_to_be_removed(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"found 'zzz' at .*; remove it"):
        part(folder, 'path = "a"\nzzz = 1')


@pytest.mark.parametrize("key", ["name", "title", "language", "licence"])
def test_a_missing_key_is_named(folder: Path, key: str) -> None:
    text = re.sub(rf"{key} = .*\n", "", CORPUS)
    with pytest.raises(UsageError, match=f"expected the key '{key}', found none"):
        load(folder, f'{text}[[part]]\npath = "a"')


@pytest.mark.parametrize("text", ["", CORPUS, CORPUS + "part = []", CORPUS + "part = 1"])
def test_a_corpus_has_parts(folder: Path, text: str) -> None:
    with pytest.raises(UsageError):
        load(folder, text.replace("[corpus]", "[corpus]", 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "one of wiki, url, path, found none"),
        ('wiki = "enwiki"\npath = "a"\ndate = "latest"', "found wiki and path"),
        ('wiki = "enwiki"', "a date beside wiki"),
        ('wiki = "English"\ndate = "latest"', "a wiki's code"),
        ('wiki = "enwiki"\ndate = "2026"', "a date YYYYMMDD"),
        ("wiki = 1\ndate = 2", "a text"),
        (f'wiki = "enwiki"\ndate = "latest"\nsha256 = "{SHA256}"', "keys that go with wiki"),
        ('path = "a"\ndate = "latest"', "latest without a wiki"),
        ('path = "a"\nname = "b"', "keys that go with path, found name"),
        ('path = ""', "a text of 1 to 4096"),
        ('path = "a"\nsize = -1', "a whole number from 0"),
        ('path = "a"\nsize = true', "a whole number from 0"),
        ('path = "a"\nsize = 1.5', "a whole number from 0"),
        ('path = "a"\nsha1 = "12"', "a digest out of"),
        ('url = "ftp://a.example/b"', "an http or https address"),
        ('url = "https://u:p@a.example/b"', "an http or https address"),
        ('url = "http://a.example/b"', "a digest with a plain http address"),
        ('url = "https://a.example/"', "a name beside the url"),
        ('url = "https://a.example/b"\nname = "../b"', "a plain file name"),
    ],
)
def test_parts_that_cannot_be(folder: Path, text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as error:
        part(folder, text)
    assert "mine.toml, [[part]] 1" in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("connections", "3"),
        ("connections", "0"),
        ("connections", "1.0"),
        ("pause", "-1"),
        ("pause", "nan"),
        ("pause", '"1"'),
        ("mirror", '"x"'),
        ("terms", '"x"'),
    ],
)
def test_rules_that_cannot_be(folder: Path, key: str, value: str) -> None:
    with pytest.raises(UsageError, match=rf"\[retrieval\], {key}"):
        load(folder, f'{CORPUS}[retrieval]\n{key} = {value}\n[[part]]\npath = "a"')


@pytest.mark.parametrize(
    ("old", "new"), [('"mine"', '"../mine"'), ('"en"', '"English!"'), ('"CC0"', '" "')]
)
def test_names_and_languages_are_plain(folder: Path, old: str, new: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load(folder, CORPUS.replace(old, new) + '[[part]]\npath = "a"')


@pytest.mark.parametrize(
    "parts",
    [
        '[[part]]\npath = "a"\n[[part]]\npath = "a"',
        '[[part]]\nurl = "https://a.example/x"\n[[part]]\nurl = "https://b.example/x"',
        '[[part]]\nwiki = "enwiki"\ndate = "latest"\n' * 2,
    ],
)
def test_a_part_stands_once(folder: Path, parts: str) -> None:
    with pytest.raises(UsageError, match="every part once"):
        load(folder, CORPUS + parts)


@pytest.mark.parametrize("content", [b"[corpus", b"\xff", b"a = 1\na = 2", b"x=" + b"[" * 9999])
def test_what_is_not_toml_is_an_input_error(folder: Path, content: bytes) -> None:
    path = folder / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"(TOML in UTF-8|lines of at most).*bad\.toml"):
        load_corpus(path)


@pytest.mark.parametrize("name", ["none.toml", "."])
def test_a_manifest_that_cannot_be_opened(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a corpora manifest"):
        load_corpus(folder / name)


SHIPPED = Path(__file__).parents[2] / "corpora_manifests"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_manifest_is_sound_and_honest(path: Path) -> None:
    corpus = load_corpus(path)
    assert corpus.name == path.stem
    assert corpus.retrieval.terms is not None
    pins = {piece.pins for piece in corpus.parts}
    # A manifest that pins nothing has to say so to whoever reads it.
    assert corpus.note is not None
    assert pins == {"bytes"} or "pins" in corpus.note


def test_manifests_are_shipped() -> None:
    assert {path.stem for path in SHIPPED.glob("*.toml")} >= {"enwiki", "simplewiki"}


def test_errors_are_ours(folder: Path) -> None:
    for text in ("corpus = 1\npart = [1]", CORPUS + "part = [1]", CORPUS + "retrieval = 2"):
        with pytest.raises(TransfersetError):
            load(folder, text)


def test_the_example_of_the_documentation_runs(folder: Path) -> None:
    page = (SHIPPED.parent / "docs/corpora-manifests.md").read_text(encoding="utf-8")
    [script] = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    before, command = script.rsplit("\n\n", 1)
    assert command.startswith("transferset build wiki mine.toml")
    subprocess.run(["bash", "-euc", before], cwd=folder, check=True)
    [file] = resolve_source(str(folder / "mine.toml"), cache=folder / "cache")
    assert file.path == folder / "mine.xml"
    assert "sha256" in file.digests


def test_every_key_is_documented() -> None:
    page = (SHIPPED.parent / "docs/corpora-manifests.md").read_text(encoding="utf-8")
    for keys in (corpora._CORPUS, corpora._RETRIEVAL, corpora._PART):
        assert all(f"`{key}`" in page for key in keys)
