from __future__ import annotations

import importlib.metadata

import nupunkt
import pytest
from hypothesis import given, settings
from nasty_prose import drawn, stripped, texts

from transferset.errors import UsageError
from transferset.sentences import annotation, nupunkt_rules

LIBRARY = nupunkt.load("default")
LEARNED = LIBRARY.parameters
PIECES = [
    *drawn(LEARNED.abbrev_types, 60),
    *drawn(LEARNED.abbrev_break_rates, 40),
    *drawn(LEARNED.sent_starters, 40),
    *(word for pair in sorted(LEARNED.collocations)[:40] for word in pair),
]


@pytest.fixture(scope="module")
def splitter() -> nupunkt_rules.NupunktSplitter:
    return nupunkt_rules.NupunktSplitter(nupunkt_rules.load())


def expected(text: str) -> list[str]:
    return stripped(nupunkt.sent_tokenize(text))


@settings(max_examples=500, deadline=None)
@given(text=texts(PIECES))
def test_a_passage_is_split_as_the_library_splits_it(
    splitter: nupunkt_rules.NupunktSplitter, text: str
) -> None:
    assert splitter.split(text) == expected(text)


@settings(max_examples=300, deadline=None)
@given(text=texts(PIECES, line_breaks=True))
def test_the_exact_way_takes_any_text(splitter: nupunkt_rules.NupunktSplitter, text: str) -> None:
    assert splitter.exact(text) == splitter.split(text) == expected(text)


@settings(max_examples=300, deadline=None)
@given(text=texts(PIECES))
def test_full_memories_change_nothing(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotation.Memo, "LIMIT", 2)
        patch.setattr(annotation.Memo, "LONGEST", 5)
        forgetful = nupunkt_rules.NupunktSplitter(nupunkt_rules.load())
        assert [forgetful.split(text), forgetful.split(text)] == [expected(text)] * 2


@pytest.mark.parametrize(
    ("passage", "sentences"),
    [
        # A title never ends a sentence before a name; a plain word does.
        ("I met Dr. Smith. He left.", ["I met Dr. Smith.", "He left."]),
        # Closing quotes stay with their sentence.
        ('"It rains." We left.', ['"It rains."', "We left."]),
        # A quotation goes on before a lower-case word.
        ('"Is it?" he asked. Yes.', ['"Is it?" he asked.', "Yes."]),
        # An ellipsis ends a sentence before a capital, but not before "I".
        ("Well... The end.", ["Well...", "The end."]),
        ("Well... I know.", ["Well... I know."]),
        # `?!` is one end.
        ("What?! No.", ["What?!", "No."]),
        # A list item's number is no sentence.
        ("1. The first. 2.", ["1. The first.", "2."]),
        # A decimal point and an address are no ends.
        ("It is 3.5 m at a.b.org now. Yes.", ["It is 3.5 m at a.b.org now.", "Yes."]),
        ("", []),
        (" \u00a0 ", []),
    ],
)
def test_decisions_by_example(
    splitter: nupunkt_rules.NupunktSplitter, passage: str, sentences: list[str]
) -> None:
    assert splitter.split(passage) == sentences


def test_the_model_is_a_copy_of_the_library_s() -> None:
    before = nupunkt_rules.load()
    LIBRARY.add_abbreviation("zzyzx")
    try:
        assert "zzyzx" not in before.abbreviations
    finally:
        LIBRARY.remove_abbreviation("zzyzx")


def test_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.metadata.version("nupunkt") == nupunkt_rules.RELEASE
    monkeypatch.setattr(nupunkt, "__version__", "9.9")
    with pytest.raises(UsageError, match=r"expected nupunkt 0\.8\.0, found nupunkt 9\.9; pip"):
        nupunkt_rules.load()
