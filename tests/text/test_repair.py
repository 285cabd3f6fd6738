"""Repair happens around gaps and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.text.entities import decode, printable
from transferset.text.marks import GAP, gap_at
from transferset.text.passages import is_prose, without_holes
from transferset.text.quotes import without_quotes
from transferset.text.repair import repaired

REPAIRED = [
    ("a (_, b) c", "a (b) c"),
    ("a (_; _, b) c", "a (b) c"),
    ("a (b; _) c", "a (b) c"),
    ("a (_) c", "a c"),
    ("a ( _ ) c", "a c"),
    ("a ([_]) c", "a c"),
    ("a (_), c", "a, c"),
    ("a _, c", "a, c"),
    ("a, _, c", "a, c"),
    ("a, _. C", "a. C"),
    ("a _ c", "a c"),
    ("a _ _ c", "a c"),
    ("a_c", "ac"),
    ("_ a", "a"),
    ("_, a", "a"),
    ("a _", "a"),
    ('a "_" c', "a c"),
    ("a “_” c", "a c"),
    ("a (see _) c", "a c"),
    ("a (e.g. _) c", "a c"),
    ("a (b _) c", "a (b) c"),
    ("a ( b ) , c", "a ( b ) , c"),
]


@pytest.mark.parametrize(("text", "expected"), REPAIRED)
def test_around_a_gap(text: str, expected: str) -> None:
    assert repaired(text.replace("_", GAP)) == expected


@given(st.text())
def test_text_without_gaps_is_untouched(text: str) -> None:
    clean = "".join(c for c in text if c > "\x06")
    assert repaired(clean) == clean


@given(st.lists(st.sampled_from(["word", "(", ")", ",", ";", " ", GAP, '"', "."]), max_size=20))
def test_no_word_is_lost_and_no_gap_stays(parts: list[str]) -> None:
    text = "".join(parts)
    result = repaired(text.replace("  ", " "))
    assert GAP not in result
    assert result.count("word") == text.count("word")


def test_a_gap_is_marked_only_where_repair_may_be_needed() -> None:
    assert gap_at("word<ref/>", 4) == ""
    assert gap_at("word <ref/>", 5) == GAP
    assert gap_at("(<ref/>", 1) == GAP
    assert gap_at("<ref/>", 0) == GAP


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&amp;lt;", "&lt;"), ("&lt;", "<"), ("&#60;", "<"), ("&#x3C;", "<"), ("&eacute;", "é"),
        ("&nosuch;", "&nosuch;"), ("&amp", "&amp"), ("AT&T", "AT&T"), ("&#55357;", ""),
        ("&#1;", ""),
        ("&#99999999;", "&#99999999;"), ("&#9999999;", ""), ("&amp;nbsp;", "&nbsp;"),
        ("&#10;", " "),
    ],
)  # fmt: skip
def test_entities_are_decoded_once(text: str, expected: str) -> None:
    assert decode(text) == expected


def test_what_no_reader_sees() -> None:
    assert printable("a\u00adb\u200bc\ud800d\ufffee\x07f") == "abcdef"
    assert printable("a\u00a0b\u2009\tc") == "a b c"
    assert printable("می\u200cخواهم") == "می\u200cخواهم"  # the joiner is spelling
    assert printable("日本\U000e0001語") == "日本語"  # a language tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("''a''", "a"), ("'''a'''", "a"), ("'''''a'''''", "a"), ("''''a'''", "'a"), ("a's", "a's"),
        ("l'''amour''", "l'amour"), ("''''''''a", "'''a"), ("''a", "a"),
        ("the '''dog''''s", "the dog's"),
    ],
)  # fmt: skip
def test_apostrophes(text: str, expected: str) -> None:
    assert without_quotes(text) == expected


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("He came back.", True), ("Notes:", False), ("Came back.", False),
        ("1 2 3 4 5 6 7 8.", False),
        ("The members of the series are named as follows:", False),
        ("He said “no” to them.”", True),
        ("one two three four five six seven", False),
        ("one two three four five six seven eight", True),
        ("这是一个关于狗和猫的条目。", True),
        ("条目", False), ("http://a.org/b", False), ("", False),
    ],
)  # fmt: skip
def test_prose(text: str, prose: bool) -> None:
    assert is_prose(text) is prose


def test_holes() -> None:
    assert without_holes("One is. Two \x02 is. Three is.") == "One is. Three is."
    assert without_holes("One (of \x02) is.") == "One is."
    assert without_holes("एक। दो \x02। तीन।") == "एक। तीन।"
    assert without_holes("一。二\x02。三。") == "一。三。"
