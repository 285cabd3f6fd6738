"""Text that is hard to split: strategies shared by the tests of this folder."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import strategies as st

CHARACTERS = list(".?!…\"'()[]{}“”‘’«»*-–—:;,@#&`/\\_012abcXYZéÉßΩ中·।|。！？؟۔")
SPACES = [" "] * 20 + ["  ", "\u00a0", "\u2009", "\u3000", "\t", "\x0b", "\x1c", "\u2028"]
RUNS = [
    ". ",
    '." ',
    '." ',
    ".) ",
    "! ",
    "? ",
    "?! ",
    "!!! ",
    "... ",
    " . . . ",
    ". . ",
    ".. ",
    "....",
    "--",
    '."',
    ".)",
    ".[1]",
    ".,",
    ".;",
    ".:",
    '?",',
    ".”",
    ' "',
    " (",
    ".' ",
    ".'\" ",
    ".-- ",
    "! ! ",
    ".* ",
    "…",
]
WORDS = [
    "U.S.",
    "U.S.A.",
    "e.g.",
    "i.e.",
    "Ph.D.",
    "Mr.",
    "Dr.",
    "etc.",
    "No.",
    "no.",
    "p.m.",
    "c.",
    "J.",
    "A.",
    "b.",
    "I",
    "I’ve",
    "I'm",
    "The",
    "the",
    "He",
    "he",
    "However",
    "It",
    "1.",
    "12.",
    "1990.",
    "3.14",
    "1,000.",
    "-5.",
    "(a)",
    "(1).",
    "IV.",
    "iv.",
    '"The',
    '"he',
    "“The",
    "(he",
    "[The",
    "'tis",
    "don't",
    "aff’d.",
    "Yahoo!",
    "Yahoo!,",
    "foo?!bar",
    "x!)y",
    "x.!y",
    "ab.",
    "AB.",
    "a.b.",
    "mid-jan.",
    "AT&T.",
    "x_y.",
    "_.",
    "É.",
    "ǅ.",
    "٣.",
    "ß.",
    "😀.",
    "http://a.b.c/d.e?f=g!h",
    "́",
    "\u200b.",
    "\ufeff",
]
LONG = ["x" * 70 + "."]
BREAKS = ["\n", "\n\n", "\n \n", ".\n", "\r\n", '."\n\n']


def texts(model: Iterable[str] = (), line_breaks: bool = False) -> st.SearchStrategy[str]:
    """Texts from nasty pieces and words of a model, with and without spaces between."""
    words = sorted(set(model))
    words += [word.capitalize() for word in words] + [word + "." for word in words]
    pieces = CHARACTERS + SPACES + RUNS + WORDS + LONG + words + (BREAKS if line_breaks else [])
    parts = st.lists(st.sampled_from(pieces), max_size=30)
    return st.one_of(
        parts.map("".join),
        parts.map(" ".join),
        st.lists(st.sampled_from(CHARACTERS + SPACES), max_size=40).map("".join),
        st.text(max_size=40).map(lambda text: text if line_breaks else text.replace("\n", " ")),
    )


def drawn(values: Iterable[str], number: int) -> list[str]:
    """Draw some of the values, always the same."""
    ordered = sorted(values)
    return random.Random(7).sample(ordered, min(number, len(ordered)))


def stripped(sentences: Iterable[str]) -> list[str]:
    """What a library returns, as our splitters return it: stripped, none empty."""
    return [piece for sentence in sentences if (piece := sentence.strip())]
