"""Which paragraphs are prose, and what happens to a sentence with a hole."""

from __future__ import annotations

import re

from transferset.text.marks import HOLE

MIN_WORDS_ENDED = 3
"""Words of a passage that ends like a sentence."""

MIN_WORDS_OPEN = 8
"""Words of a passage that does not: shorter ones are labels (`Notes:`), captions, lone names."""

_ENDINGS = tuple(".!?…。！？।॥؟۔։።")
_CLOSERS = "\"'”’»)]›」』）"
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+(?=[^a-z\s])|(?<=[。！？])(?=\S)")


def without_holes(text: str) -> str:
    """Drop the sentences that hold a value which cannot be told."""
    if HOLE not in text:
        return text
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


def is_prose(text: str) -> bool:
    """Whether a paragraph is running prose.

    It is when it ends like a sentence (`.`, `!`, `?`, `…` and their kin, closing quotes and
    brackets aside) and has at least `MIN_WORDS_ENDED` words, or has at least `MIN_WORDS_OPEN`
    words; and when at least half of its characters are letters (or marks) or spaces.
    """
    ended = text.rstrip(_CLOSERS).endswith(_ENDINGS)
    if _words(text) < (MIN_WORDS_ENDED if ended else MIN_WORDS_OPEN):
        return False
    if len(text) > 400:
        return True
    return 2 * sum(map(str.isalpha, text)) + 2 * text.count(" ") >= len(text)
