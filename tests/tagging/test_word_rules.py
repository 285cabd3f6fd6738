from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty_words import check, texts

from transferset.tagging import normal_text
from transferset.tagging.english_words import EnglishWords
from transferset.tagging.words import ANY_WORD, ENGLISH_WORD, Cut, on_spaces

RULE = EnglishWords()

# What could make a pattern read on and on from every place.
LONG = ["a", "a.", "a@", "a.b@", "a-", "@a", "a'", "1.", "1,", "...!", "-", "(", ":", "'", "’s"]
LONG += ["n't", "don't", "www.", "http://!", "\u0301", "中", "👩\u200d"]


def words(text: str) -> list[str]:
    found = RULE([text])
    check(found, [text])
    return found.words


class TestNormalText:
    @pytest.mark.parametrize(
        ("text", "normal"),
        [
            ("", ""),
            (" \t\n", ""),
            ("  a \t b\n", "a b"),
            ("a\u00a0b\u2028c\u3000\u3000d\x1ce\x85f", "a b c d e f"),
            ("a\x00b \x07 c\x7f", "ab c"),
            ("zero\u200bwidth a\u200db", "zero\u200bwidth a\u200db"),
        ],
    )
    def test_white_space_is_single_spaces_and_controls_are_gone(
        self, text: str, normal: str
    ) -> None:
        assert normal_text(text) == normal

    @given(st.text())
    def test_it_is_its_own_normal_text(self, text: str) -> None:
        normal = normal_text(text)
        assert normal_text(normal) == normal
        assert not any(unicodedata.category(c) == "Cc" for c in normal)
        assert [c for c in normal if c.isspace()] == [" "] * normal.count(" ")

    @given(st.text())
    def test_nothing_else_is_lost(self, text: str) -> None:
        kept = [c for c in text if not c.isspace() and unicodedata.category(c) != "Cc"]
        assert normal_text(text).replace(" ", "") == "".join(kept)


class TestOnSpaces:
    def test_words_are_what_stands_between_spaces(self) -> None:
        found = on_spaces(["", "it 's n't", "", "one", ""])
        assert found.words == ["it", "'s", "n't", "one"]
        assert found.space.tolist() == [True, True, False, False]
        assert found.offsets.tolist() == [0, 0, 3, 3, 4, 4]

    @pytest.mark.parametrize("nothing", [[], [""], ["", ""]])
    def test_no_words(self, nothing: list[str]) -> None:
        found = on_spaces(nothing)
        assert (found.words, found.space.tolist()) == ([], [])
        assert found.offsets.tolist() == [0] * (len(nothing) + 1)

    @given(st.lists(texts))
    def test_put_together_they_are_the_texts(self, given_texts: list[str]) -> None:
        check(on_spaces(given_texts), given_texts)


class TestEnglishWords:
    @pytest.mark.parametrize(
        "cut",
        [
            # the Treebank's
            "I ca|n't , wo|n't|; could|n't|'ve",
            "you|'d|'ve She|’s they|'re I|'m we|'ll it|'s|.",
            "Smith|'s dogs|' O'Brien|'s rock'n'roll o'clock y'all",
            "can|not gon|na got|ta cannonade CAN|NOT",
            "does n't 's 'em 'tis|, '90s",
            "the U.S. e.g. i.e.|, U.S.A. J.R.R. Ph.D. Mr. Smith etc. B. Said I|.",
            "$|5.50 50|% 1,000.5 12:30 1/2 .5 20th 3-year-old -|5 US|$|5",
            "(|yes|) [|x|] {|y|} \"|hi|\" '|hi|' ``|hi|'' “|hi|”",
            "no|!|!|! what|?|! well|... so|--|yes end|.",
            "-lrb- -RRB-",
            # where words are going to be replaced
            "well-known AT&T R&B state-of-the-art",
            "and|/|or he|/|she",
            "http://x.org/a?q=1|. (|www.x.org|) a.b@c.org|, @name #|tag v1.2.3 file.txt",
            "end|.|Start",
            ":) ;-) 10:30",
            # other scripts
            "中|文|字 か|な|abc|カ",
            "हिन्दी cafe\u0301s naïve ру\u0301сский \u0645\u06cc\u200c\u062e\u0648",
            "👍🏽 👩\u200d👩\u200d👧 🇩🇪|🇫🇷 1\ufe0f\u20e3 I|❤\ufe0f|you",
            "a_b __x__ ¿|que|? 5|€",
        ],
    )
    def test_words(self, cut: str) -> None:
        assert words(cut.replace("|", "")) == re.split(r"[ |]", cut)

    def test_spaces_and_texts_are_kept_apart(self) -> None:
        found = RULE(["", "I can't.", "", "No"])
        assert found.words == ["I", "ca", "n't", ".", "No"]
        assert found.space.tolist() == [True, False, False, False, False]
        assert found.offsets.tolist() == [0, 0, 4, 4, 5]

    @pytest.mark.parametrize("nothing", [[], [""], ["", ""]])
    def test_no_words(self, nothing: list[str]) -> None:
        found = RULE(nothing)
        assert (found.words, found.space.tolist()) == ([], [])
        assert found.offsets.tolist() == [0] * (len(nothing) + 1)

    @given(st.lists(texts))
    def test_put_together_they_are_the_texts(self, given_texts: list[str]) -> None:
        check(RULE(given_texts), given_texts)

    @given(st.lists(texts, min_size=1))
    def test_a_text_is_cut_as_if_it_were_alone(self, given_texts: list[str]) -> None:
        together = RULE(given_texts)
        alone = [EnglishWords()([text]) for text in given_texts]
        assert together.words == [word for one in alone for word in one.words]
        assert together.space.tolist() == [s for one in alone for s in one.space.tolist()]

    @given(st.lists(texts, min_size=1).map(" ".join).map(normal_text))
    def test_nothing_reaches_across_a_space(self, text: str) -> None:
        runs = text.split(" ")
        assert RULE([text]).words == [word for run in runs for word in RULE([run]).words]

    @pytest.mark.parametrize("piece", LONG)
    def test_long_runs_take_linear_time(self, piece: str) -> None:
        # a quadratic rule needs 64 times as long for the longer one; 16 leaves room for noise
        short, long = (_seconds(piece * n) for n in (5_000, 40_000))
        assert long < 16 * max(short, 0.002)

    def test_runs_are_kept_up_to_a_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("transferset.tagging.english_words._MOST", 10)
        rule = EnglishWords()
        many = [f"don't{n}" for n in range(100)]
        assert rule(many).words == RULE(many).words
        assert len(rule._runs) <= 10


def _seconds(text: str) -> float:
    start = time.process_time()
    assert "".join(RULE([text]).words) == text
    return time.process_time() - start


class TestWordPatterns:
    @pytest.mark.parametrize(
        ("word", "english", "other"),
        [
            ("word", True, True),
            ("naïve", False, True),
            ("cafe\u0301", False, True),
            ("हिन्दी", False, True),
            ("中文", False, True),
            ("ру\u0301сский", False, True),
            ("n't", False, False),
            ("well-known", False, False),
            ("3rd", False, False),
            ("a_b", False, False),
            ("।", False, False),
            (".", False, False),
            ("", False, False),
        ],
    )
    def test_what_may_be_replaced(self, word: str, english: bool, other: bool) -> None:
        assert bool(re.fullmatch(ENGLISH_WORD, word)) == english
        assert bool(re.fullmatch(ANY_WORD, word)) == other


def test_a_cut_has_plain_words() -> None:
    assert isinstance(RULE(["a b"]), Cut)
    assert all(type(word) is str for word in RULE(["a b", "中文"]).words)
