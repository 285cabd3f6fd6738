"""One name for an author, however a catalogue writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.curation.authors import known_authors


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Austen, Jane, 1775-1817", "Jane Austen"),
        ("Wells, H. G. (Herbert George), 1866-1946", "H.G. Wells"),
        ("Doyle, Arthur Conan, Sir, 1859-1930", "Sir Arthur Conan Doyle"),
        ("Brontë, Charlotte, 1816-1855", "charlotte  bronte"),
        ("Ward, Humphry, Mrs., 1851-1920", "Mrs. Humphry Ward"),
        ("King, Martin Luther, Jr., 1929-1968", "Martin Luther King Jr."),
        ("Homer, 751? BCE-651? BCE", "Homer"),
        ("Marx, Karl, 1818-1883; Engels, Friedrich, 1820-1895", "Friedrich Engels and Karl Marx"),
        ("Толстой, Лев", "лев толстой"),
        ("𝐉𝐚𝐧𝐞 Austen", "Jane Austen"),
        ("Tolstoy, Leo, graf; Garnett, Constance [Translator]", "Leo Tolstoy"),
        ("Poe, Edgar Allan [Author]", "Edgar Allan Poe"),
    ],
)
def test_the_same_authors(one, other):
    assert known_authors(one) == known_authors(other) != frozenset()


def test_names_by_hand():
    assert known_authors("Marx, Karl; Engels, Friedrich") == {"karl marx", "friedrich engels"}
    assert known_authors("夏目漱石") == {"夏目漱石"}


@pytest.mark.parametrize(
    "author", ["", " ; ", "Anonymous", "Various", "unknown", "???", ",", "Various; Smith [Editor]"]
)
def test_nobody_is_known(author):
    assert known_authors(author) == frozenset()


def test_fathers_and_sons_are_two():
    assert known_authors("Dumas, Alexandre, Jr.") != known_authors("Dumas, Alexandre")


@given(st.text(max_size=60))
def test_any_text_has_names_in_plain_words(author):
    for name in known_authors(author):
        assert name.strip()
        assert known_authors(name) in (frozenset(), {name}) or " and " in f" {name} "
