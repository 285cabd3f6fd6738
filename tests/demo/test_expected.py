"""Six articles of the sample, cleaned, against their prose as copied out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from transferset import demo
from transferset.ledger import Ledger
from transferset.sources.dump import Dump
from transferset.text.wikitext import WikitextCleaner

EXPECTED = Path(__file__).resolve().parents[2] / "tools/sample/expected"
TITLES = {
    "aurora": "Aurora",
    "chess": "Chess",
    "halleys-comet": "Halley's Comet",
    "lake-baikal": "Lake Baikal",
    "marie-curie": "Marie Curie",
    "petra": "Petra",
}


@pytest.fixture(scope="module")
def cleaned() -> dict[str, list[str]]:
    sample = Dump.open(demo.path())
    cleaner = WikitextCleaner(language="en", namespaces=sample.site.namespaces)
    pages = (page for part in sample.parts() for page in sample.read(part, Ledger()))
    return {page.title: cleaner.clean(page.text, page.title) for page in pages}


def test_each_expectation_has_its_title() -> None:
    assert sorted(TITLES) == sorted(path.stem for path in EXPECTED.glob("*.txt"))


@pytest.mark.parametrize("name", sorted(TITLES))
def test_cleaning_gives_the_prose_that_a_reader_sees(
    name: str, cleaned: dict[str, list[str]]
) -> None:
    expected = (EXPECTED / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    assert cleaned[TITLES[name]] == expected


def test_the_sample_is_large_enough_for_statistics(cleaned: dict[str, list[str]]) -> None:
    words = {title: sum(len(p.split()) for p in passages) for title, passages in cleaned.items()}
    assert sum(words.values()) > 30_000
    assert sum(1 for count in words.values() if count > 250) == 62
    assert words["Mercury (disambiguation)"] == 0
