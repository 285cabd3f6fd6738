"""Tricky wikitext and what a reader sees of it, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from transferset.text.wikitext import WikitextCleaner

ENGLISH = {"File": 6, "File talk": 7, "Category": 14, "Template": 10, "": 0}

#: Cases that a text file shows badly.
INVISIBLE = [
    (
        "soft hyphens and zero-width spaces",
        "One\u00adtwo three\u200b four.",
        ["Onetwo three four."],
    ),
    ("kinds of spaces", "One&nbsp;two\u2009three&thinsp;four.", ["One two three four."]),
    ("nothing", "", []),
]


def cases() -> list[tuple[str, str, list[str]]]:
    """Read `reader_sees.txt`; its first lines say how."""
    found = []
    source = (Path(__file__).parent / "reader_sees.txt").read_text(encoding="utf-8")
    for block in source.split("\n%%% ")[1:]:
        name, _, rest = block.partition("\n")
        wikitext, _, expected = rest.partition("\n%=\n")
        found.append((name, wikitext, expected.strip("\n").splitlines()))
    return found + INVISIBLE


CASES = cases()


def test_the_cases_are_read() -> None:
    assert len(CASES) > 80
    assert all("%=" not in wikitext for _, wikitext, _ in CASES)


@pytest.fixture(scope="module")
def cleaner() -> WikitextCleaner:
    return WikitextCleaner(language="en", namespaces=ENGLISH)


@pytest.mark.parametrize(
    ("wikitext", "passages"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_a_reader_sees(cleaner: WikitextCleaner, wikitext: str, passages: list[str]) -> None:
    assert cleaner.clean(wikitext, "Title") == passages


# language, namespaces, wikitext, passages
WIKIS = [
    (
        "de",
        {"Datei": 6, "Kategorie": 14},
        "[[Datei:A.jpg|mini|Ein [[Hund]].]]Das ist Text.\n[[Kategorie:Hund]]",
        ["Das ist Text."],
    ),
    (
        "de",
        {"Datei": 6, "Kategorie": 14},
        "[[Bild:A.jpg]] [[File:A.jpg|mini|x]] Das ist Text.\n[[en:Dog]]",
        ["Das ist Text."],
    ),  # "Bild" is an alias that siteinfo does not list
    (
        "ru",
        {"Файл": 6, "Категория": 14},
        "[[файл:A.jpg|мини|Это [[кот]].]]Это просто текст.\n[[Категория:Коты]]",
        ["Это просто текст."],
    ),
    (
        "fr",
        {"Fichier": 6, "Catégorie": 14},
        "[[Fichier:A.jpg|vignette]]Ceci est un texte.[[catégorie:Chien]] [[de:Hund]]",
        ["Ceci est un texte."],
    ),
    (
        "zh",
        {"文件": 6, "分类": 14},
        "[[文件:A.jpg|thumb|说明]]这是一个关于-{zh-hans:计算机;zh-hant:電腦}-的条目。",
        ["这是一个关于计算机的条目。"],
    ),
    (
        "zh",
        {},
        "-{T|zh-hans:甲;zh-hant:乙}-这是-{一個}-关于狗和猫的条目。",
        ["甲这是一個关于狗和猫的条目。"],
    ),
    ("en", {}, "[[en:Dog|A page]] of this wiki.", ["A page of this wiki."]),
]


@pytest.mark.parametrize(("language", "namespaces", "wikitext", "passages"), WIKIS)
def test_local_namespaces(
    language: str, namespaces: dict[str, int], wikitext: str, passages: list[str]
) -> None:
    cleaner = WikitextCleaner(language=language, namespaces=namespaces)
    assert cleaner.clean(wikitext) == passages
