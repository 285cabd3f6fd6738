"""Which paragraphs are prose, and what happens to a sentence with a hole."""

from __future__ import annotations

import re

from transferset.text.marks import HOLE

MIN_WORDS_ENDED = 3
"""Words of a passage that ends like a sentence."""

MIN_WORDS_OPEN = 8
"""Words of a passage that does not: shorter ones are labels (`Notes:`), captions, lone names."""

MIN_WORDS_COLON = 12
"""Words of a passage that ends with a colon: a shorter one only led to a list that is gone."""

_SURELY_PROSE = 40

_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
_ENDINGS = tuple(".!?…。！？।॥؟۔։።")
_CLOSERS = "\"'”’»)]›」』）"
_IN_PARENTHESES = re.compile(rf" ?\([^(){HOLE}]*+{HOLE}[^()]*+\)")
_SENTENCE_END = re.compile(r"(?<=[.!?…।॥؟۔։።])[\"'”’»)\]]*\s+(?=[^a-z\s])|(?<=[。！？])(?=\S)")


def without_holes(text: str) -> str:
    """Drop the sentences that hold a value which cannot be told.

    One inside parentheses takes only its parentheses along: what stands there can be missed.
    """
    if HOLE not in text:
        return text
    text = _IN_PARENTHESES.sub("", text)
    kept, done = [], 0
    for match in _SENTENCE_END.finditer(text):
        kept.append(text[done : match.end()])
        done = match.end()
    kept.append(text[done:])
    return "".join(sentence for sentence in kept if HOLE not in sentence)


def _words(text: str) -> int:
    """Words, or for scripts without spaces a pair of characters for each word."""
    words = text.count(" ") + 1
    if len(text) > 12 * words and not text.isascii():
        return len(text) // 2
    return words


def ends_like_a_sentence(text: str) -> bool:
    """Whether a full stop or its kin ends a text, closing quotes and brackets aside."""
    return text.rstrip(_CLOSERS).endswith(_ENDINGS)


def _least_words(text: str) -> int:
    if ends_like_a_sentence(text):
        return MIN_WORDS_ENDED
    return MIN_WORDS_COLON if text.endswith((":", "：")) else MIN_WORDS_OPEN


def is_prose(text: str) -> bool:
    """Whether a paragraph is running prose.

    It is when it ends like a sentence (`.`, `!`, `?`, `…` and their kin, closing quotes and
    brackets aside) and has at least `MIN_WORDS_ENDED` words; or ends with a colon and has at least
    `MIN_WORDS_COLON`; or has at least `MIN_WORDS_OPEN`. Of fewer than 40 words, half of the
    characters must be letters or spaces.
    """
    # counting all words of long paragraphs would be a good part of the time that they take
    if text.count(" ", 0, 8 * _SURELY_PROSE) >= _SURELY_PROSE:
        return True
    words = _words(text)
    if words >= _SURELY_PROSE:
        return True
    if words < _least_words(text):
        return False
    return 2 * (_letters(text) + text.count(" ")) >= len(text)


def prose(text: str) -> str:
    """The running prose of a paragraph: all of it, or nothing.

    Of a short one that ends with a colon the last sentence goes: it only led to a list.
    """
    if is_prose(text):
        return text
    if not text.endswith(":"):
        return ""
    last = 0
    for match in _SENTENCE_END.finditer(text):
        last = match.end()
    head = text[:last].rstrip()
    return head if head and is_prose(head) else ""


def _letters(text: str) -> int:
    if text.isascii():  # ten times faster
        return len(text.encode("ascii").translate(None, _NO_LETTERS))
    return sum(map(str.isalpha, text))
