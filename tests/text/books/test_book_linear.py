"""No input makes the decoder or the cleaner slow, and none makes a passage that is no line."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError
from transferset.text.books import TextCleaner, decode
from transferset.text.books.characters import visible

SIZE = 1_000_000
SECONDS = 10.0  # of CPU; a scan that is quadratic takes minutes

OPENERS = [
    "[Illustration",
    "[Illustration: a ",
    "[",
    "]",
    "[]",
    "[1]",
    "a[1]",
    "a [1]",
    "[[",
    "[Footnote 1: ",
    "[Illustration]\n",
    "{",
    "{1",
    "{1}",
    "_",
    "_a",
    "_a ",
    " _a",
    "_a_ ",
    "__",
    "=",
    "=a",
    "~",
    "~a ",
    "\n*** START OF THE PROJECT GUTENBERG",
    "*** START OF ",
    "\n*** END OF THE PROJECT GUTENBERG\n*** START OF THE PROJECT GUTENBERG",
    "*** START OF THE PROJECT GUTENBERG\nProduced by A\n\n",
    "*END*THE SMALL PRINT\n",
    "-\n",
    "a-\n",
    "a-\nb",
    "a-\n\n",
    "--\n",
    "a--\n",
    "- ",
    "\u00ad\n",
    "\u00ad",
    "\f",
    "a\f",
    "a\n\f",
    "\n",
    "\n\n",
    " \n",
    "a\n",
    "A\n",
    "a\nB",
    " a\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "  a",
    "* ",
    "*\n",
    "- - x\n",
    "* * *\n",
    "\n\n12",
    "\n12\n",
    "\n- 1 -",
    "CHAPTER I\n",
    "CHAPTER ",
    "Mr.\n",
    "a.\nB",
    "\u2028",
    "\u00a0",
    "\ufffd",
    "語\n",
    "\ud800",
    "a" * 60 + "-\n",
    " " * 50 + "a\n",
    "I\n",
    "1. ",
]


@pytest.mark.parametrize("layout", ["book", "lines", "wrapped", "auto"])
def test_repeated_openers(layout: str) -> None:
    cleaner = TextCleaner(layout)
    for opener in OPENERS:
        text = opener * (SIZE // 40 // len(opener))
        started = time.process_time()
        cleaner.clean(text)
        assert time.process_time() - started < SECONDS / 2, repr(opener)


@pytest.mark.slow
@pytest.mark.parametrize("opener", OPENERS)
def test_a_megabyte_of_an_opener(opener: str) -> None:
    text = opener * (SIZE // len(opener)) + "\n"
    started = time.process_time()
    TextCleaner().clean(text)
    assert time.process_time() - started < SECONDS, repr(opener)


@pytest.mark.parametrize("piece", [b"\xff", b"\xe9 ", b"\x1b$", b"a\x00", b"\xef\xbf\xbd", b"\x81"])
def test_bytes_are_decoded_or_refused_in_time(piece: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(InputError):
        decode(piece * (SIZE // len(piece)))
    assert time.process_time() - started < SECONDS


PIECES = [
    "word",
    "Word",
    "WORD",
    "12",
    " ",
    "    ",
    "\n",
    "\n\n",
    "\f",
    "-\n",
    "--",
    "_",
    "=",
    "*",
    "[Illustration: ",
    "[Footnote 1: ",
    "[1]",
    "[",
    "]",
    "{12}",
    "\u00ad",
    "\ufeff",
    "\x01",
    "\ud800",
    "\u200b",
    "\t",
    "\r\n",
    ".",
    ",",
    '"',
    "CHAPTER I",
    "* * *",
    "é",
    "語",
    "\u2028",
    "\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n",
    "\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n",
    "\n\nProduced by Sue\n\n",
]


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join),
    st.sampled_from(["book", "lines", "wrapped", "auto"]),
)
@settings(max_examples=250, deadline=None)
def test_every_character_is_in_a_passage_or_counted(text: str, layout: str) -> None:
    cleaned = TextCleaner(layout).clean(text)
    # white space aside, since its amount may change
    assert visible(text) == sum(map(visible, cleaned.passages)) + sum(cleaned.removed.values())
    assert all(count > 0 for count in cleaned.removed.values())
    for passage in cleaned.passages:
        assert passage
        assert passage == " ".join(passage.split())
        assert passage.encode("utf-8")
        assert not set(passage) & set("\n\f\0\ufffd\u00ad\ufeff")
