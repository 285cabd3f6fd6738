"""The vote on a book's language."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.curation import language
from transferset.curation.language import (
    PIECE,
    PIECES,
    Vote,
    check_language,
    normal_code,
    pieces,
    vote_language,
)
from transferset.errors import UsageError

ENGLISH = (
    "The old house stood on the hill above the village, and nobody had lived there for years.",
    "When the rain came, water ran down the walls and the windows rattled in the wind.",
    "She opened the door slowly, because she was afraid of what she might find inside.",
)
FRENCH = (
    "La vieille maison se dressait sur la colline, et personne n'y habitait depuis des années.",
    "Quand la pluie venait, l'eau coulait le long des murs et les fenêtres tremblaient.",
    "Elle ouvrit lentement la porte, parce qu'elle avait peur de ce qu'elle allait trouver.",
)
GERMAN = ("Das alte Haus stand auf dem Hügel über dem Dorf, und niemand wohnte seit Jahren darin.",)
TABLE = ("12 | 4,50 | 13 | 7,25 | --- | 3", "1901 1902 1903 1904 17.5 18.5")


def test_a_book_in_one_language_gets_all_votes_of_its_pieces():
    assert vote_language(ENGLISH * 200) == Vote("en", 1.0, PIECES, 0)
    assert vote_language(FRENCH * 200).language == "fr"


def test_a_licence_in_english_does_not_make_a_french_book_english():
    vote = vote_language(ENGLISH * 20 + FRENCH * 180)
    assert vote.language == "fr"
    assert 0.8 < vote.share < 1


def test_one_long_passage_is_cut_and_short_ones_are_joined():
    assert vote_language([" ".join(FRENCH * 200)]) == Vote("fr", 1.0, PIECES, 0)
    assert vote_language([word for text in FRENCH * 200 for word in text.split()]).votes == PIECES


def test_a_short_text_has_a_vote_too():
    assert vote_language(ENGLISH[:1]) == Vote("en", 1.0, 1, 0)


@pytest.mark.parametrize("passages", [[], [""], ["   "], ["\u00a0"]])
def test_nothing_to_vote_on(passages):
    assert vote_language(passages) == Vote("", 0.0, 0, 0)


def test_what_is_no_language_does_not_vote():
    vote = vote_language(TABLE * 300)
    assert (vote.language, vote.share, vote.votes) == ("", 0.0, 0)
    assert vote.uncertain == PIECES


def fake(monkeypatch, ranks):
    """Pieces are ranked as told, in turn."""
    told = iter(ranks)
    model = type("Model", (), {"rank": lambda self, piece: next(told)})()
    monkeypatch.setattr(language, "_identifier", lambda: model)


def test_equal_votes_decide_nothing(monkeypatch):
    # two pieces each, so half of the votes for either
    fake(monkeypatch, [[(code, -10.0), ("xx", -90.0)] for code in ("en", "fr", "fr", "en")])
    assert vote_language(["a" * (4 * PIECE - 1)]) == Vote("", 0.5, 4, 0)


def test_a_piece_that_could_be_either_does_not_vote(monkeypatch):
    near = [("da", -10.0), ("no", -12.9)]
    far = [("no", -10.0), ("da", -13.1)]
    fake(monkeypatch, [near, near, far])
    assert vote_language(["a" * (3 * PIECE - 1)]) == Vote("no", 1.0, 1, 2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab c", max_size=2000), max_size=30))
def test_pieces_are_parts_of_the_text_that_do_not_overlap(passages):
    text, at = " ".join(passages), 0
    found = pieces(passages)
    assert len(found) <= PIECES
    for piece in found:
        assert len(piece) <= PIECE
        at = text.index(piece, at) + len(piece)
    if len(text) < PIECE:
        assert "".join(found).strip() == text.strip()


def test_pieces_lie_evenly_over_the_text():
    numbered = [f"{n:06d} {'x' * 92}" for n in range(1000)]
    starts = [int(n) for piece in pieces(numbered) for n in piece.split() if n.isdigit()]
    # 100 characters a passage, a piece in the middle of each 32nd of the text
    for number in range(PIECES):
        centre = 1000 * (2 * number + 1) / (2 * PIECES)
        assert min(abs(start - centre) for start in starts) < 4


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *(("en", "en"), ("EN", "en"), ("eng", "en"), ("en-GB", "en"), ("en_US", "en")),
        *(("nn", "no"), ("zh-Hant", "zh"), ("cmn", "zh"), ("grc", "grc"), (" fr ", "fr")),
        *(("", ""), ("english", ""), ("12", ""), ("x\x1b", "")),
    ],
)
def test_codes_are_normalised(code, expected):
    assert normal_code(code) == expected


def test_a_language_that_cannot_be_told_is_refused():
    assert check_language("any") == "any"
    assert check_language("en-GB") == "en"
    with pytest.raises(UsageError, match=r"expected the code .* found gb at --language"):
        check_language("gb")


def test_the_model_is_loaded_only_for_a_vote():
    code = "import sys, transferset.curation.criteria; sys.exit('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
