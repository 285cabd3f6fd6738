"""Books made of word numbers, and the plain definitions that the compiled ones must equal."""

from __future__ import annotations

import unicodedata

from transferset.curation.language import Vote
from transferset.curation.records import Record
from transferset.curation.shingles import shingle

ENGLISH = Vote("en", 1.0, 32)


def is_variation(code):
    return 0xE0100 <= code <= 0xE01EF


def plain_words(passages):
    """Words by the definition in `curation/words.py`, one character at a time."""
    words, word = [], ""
    for letter in "\n".join(passages).casefold() + "\n":
        category, code = unicodedata.category(letter), ord(letter)
        if category == "Cf" or letter in "'’ʼ＇" or 0xFE00 <= code <= 0xFE0F or is_variation(code):
            continue
        is_letter = category[0] in "LM" or category in ("Nd", "Nl")
        alone = is_letter and any(
            first <= code <= last
            for first, last in (
                *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF)),
                *((0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
                (0x20000, 0x3FFFF),
            )
        )
        if alone or not is_letter:
            words += [word] if word else []
            word = ""
        if alone:
            words.append(letter)
        elif is_letter:
            word += letter
    return words


def plain_shingles(passages):
    """Shingles as tuples of words."""
    words = plain_words(passages)
    if len(words) < 5:
        return {tuple(words)} if words else set()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def plain_jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 0.0


def text_of(numbers, line=12):
    """Word numbers as passages of `line` words."""
    words = [f"w{number}" for number in numbers]
    return [" ".join(words[i : i + line]) for i in range(0, len(words), line)]


def record_of(passages, doc_id=0, words=None, **members):
    """A record of a text; `words` is what its source counts."""
    found = shingle(passages)
    count = sum(len(p.split()) for p in passages) if words is None else words
    fields = {"author": "", "licence": "", "vote": ENGLISH, **members}
    return Record(doc_id=doc_id, words=count, sketch=found.sketch, **fields), found.hashes
