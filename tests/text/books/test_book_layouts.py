"""Layouts, counts, headings."""

from __future__ import annotations

import pytest

from transferset.errors import UsageError
from transferset.text.books import TextCleaner
from transferset.text.books.lines import ends_sentence, is_heading

BOOK = TextCleaner()
PROSE = (
    "It was a bright cold day in the month of April, and all the clocks of\n"
    "the town were striking thirteen when the man with the narrow chest went\n"
    "quickly through the glass doors of the house, though not so quickly as\n"
    "he had wished.\n"
)
JOINED = PROSE.replace("\n", " ").strip()


def test_what_was_taken_out_is_counted_without_its_spaces() -> None:
    removed = BOOK.clean(
        "_One_[1] of the ex-\nam\u00adples.\n\n* * *\n\n[Illustration: b c]\n\n7\n\nEnd."
    ).removed
    assert removed == {
        "emphasis": 2,
        "footnote_mark": 3,
        "hyphen": 1,
        "soft_hyphen": 1,
        "rule": 3,
        "illustration": 17,
        "page_number": 1,
    }


def test_a_large_removal_brings_a_warning() -> None:
    text = f"{PROSE}\n[Footnote 1: {PROSE.strip()}]\n"
    (warning,) = BOOK.clean(text).warnings
    assert warning.endswith("% of the text was taken out as footnote")
    assert TextCleaner(most_removed=0.9).clean(text).warnings == []


def test_hyphens_stay_in_a_text_that_cuts_only_compounds() -> None:
    text = (
        "A well-bred man; well-\nbred folk. The old-fashioned; old-\nfashioned. A sun-\nlit hill."
    )
    assert BOOK.clean(text).passages == [text.replace("-\n", "-")]


def test_a_poem_is_verse_from_end_to_end() -> None:
    lines = [
        f"Of {word} disobedience, and the fruit"
        for word in ("man's", "our", "old", "that", "all", "any")
    ]
    assert BOOK.clean("\n".join(lines * 3)).passages == lines * 3


def test_a_text_with_a_margin_is_read_like_one_without() -> None:
    text = "".join(f"          {line}\n" for line in PROSE.splitlines())
    assert BOOK.clean(f"{text}\n{text}").passages == [JOINED, JOINED]


def test_layouts() -> None:
    text = "A first line, _so_\nand on[1].\n\n* * *\n\nWord-\nless"
    assert TextCleaner("lines").clean(text).passages == [
        "A first line, _so_",
        "and on[1].",
        "* * *",
        "Word-",
        "less",
    ]
    assert TextCleaner("wrapped").clean(text).passages == [
        "A first line, _so_ and on[1].",
        "* * *",
        "Wordless",
    ]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        (PROSE, "wrapped"),
        (f"{PROSE}\n{PROSE}", "wrapped"),
        ("One line.", "lines"),
        ("", "lines"),
        ("Title\nA sentence that is long. " + "And more. " * 40 + "\nSo.", "lines"),
        ("A list of words\nThat are short\nAnd many\n", "lines"),
        ("One.\n\nTwo.\n\nThree.", "lines"),
        (JOINED + "\n" + JOINED, "lines"),
    ],
)
def test_auto_decides_by_the_lines(text: str, layout: str) -> None:
    cleaned = TextCleaner("auto").clean(text)
    assert cleaned.layout == layout
    assert cleaned.passages == TextCleaner(layout).clean(text).passages


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(UsageError, match="expected one of book, lines, wrapped, auto, found page"):
        TextCleaner("page")
    with pytest.raises(UsageError, match="a share from 0 to 1"):
        TextCleaner(most_removed=2)


@pytest.mark.parametrize(
    "line",
    [
        "CHAPTER I",
        "Chapter 12",
        "VOLUME II",
        "Book the First",
        "THE END",
        "IV.",
        "XII",
        "Chapter 3. In which they meet",
        "PREFACE",
        "PART ONE",
        "ACT I. SCENE II.",
    ],
)
def test_headings(line: str) -> None:
    assert is_heading(line)


@pytest.mark.parametrize(
    "line",
    [
        "Chapter and verse were quoted",
        "Emma",
        "I am",
        "book I",
        "A",
        "12",
        "It was I.",
        "Part of the way they went",
    ],
)
def test_no_headings(line: str) -> None:
    assert not is_heading(line)


def test_abbreviations_end_no_sentence() -> None:
    assert ends_sentence('He came."')
    assert ends_sentence("It was I.")
    assert not any(map(ends_sentence, ["said Mr.", 'and "Dr.', "by J.", "by J. R.", "so", "so,"]))
