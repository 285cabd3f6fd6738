"""The words by which books are compared, and their hashes.

A word is a longest run of letters, marks and decimal digits of the case-folded text (Unicode's
categories L, M, Nd, Nl); apostrophes, soft hyphens and other invisible characters inside it are
left out; everything else parts words. So "Don't--stop!" is `dont stop`, and line breaks, quotation
marks, dashes and `_italics_`, in which editions differ, do not count. In scripts that put no space
between words (Han, kana, Thai, Lao, Khmer, Burmese) every character is a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from blake3 import blake3
from numba import uint64

from transferset.compiled import inlined, kernel

Hashes = npt.NDArray[np.uint64]

#: Characters that are folded and hashed at once.
BLOCK: Final = 1 << 18

#: Where Unicode has assigned characters; private and unassigned code points part words.
_ASSIGNED: Final = ((0, 0x40000), (0xE0000, 0xE0200))

_PARTS, _LETTER, _LEFT_OUT, _ALONE = range(4)
_APOSTROPHES: Final = "'’ʼ＇"
_VARIATIONS: Final = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))  # invisible: which form of a letter
_UNSPACED: Final = (  # first and last code point of the scripts without spaces
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

#: FNV-1a, 64 bits (Fowler, Noll & Vo), here on code points for octets.
_BASIS, _PRIME = uint64(0xCBF29CE484222325), uint64(0x100000001B3)
_SPACE = np.uint32(0x20)

# What the kernel remembers between blocks: hash of the word it is in, and whether it is in one.
_HASH, _INSIDE = 0, 1


@inlined
def mix(value: Any) -> Any:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014), a permutation of 64 bits."""
    value = (value ^ (value >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> uint64(27))) * uint64(0x94D049BB133111EB)
    return value ^ (value >> uint64(31))


@kernel
def _hash_block(codes: Any, kinds: Any, state: Any, hashes: Any, folded: Any) -> Any:
    """Hash the words that end in a block, and write all its words, a space after each.

    Args:
        codes: uint32, code points.
        kinds: uint8, by code point.
        state: uint64[2], changed.
        hashes: uint64, one for each word; room for `len(codes) + 1`.
        folded: uint32, code points; room for `2 * len(codes) + 1`.

    Returns:
        Lengths of `hashes` and `folded`.
    """
    value, inside = state[_HASH], state[_INSIDE] != 0
    words = length = 0
    for code in codes:
        kind = kinds[code] if code < len(kinds) else _PARTS
        if kind == _LEFT_OUT:
            continue
        if inside and kind != _LETTER:
            hashes[words] = mix(value)
            folded[length] = _SPACE
            words, length, inside = words + 1, length + 1, False
        if kind == _PARTS:
            continue
        if not inside:
            value = _BASIS
        value = (value ^ uint64(code)) * _PRIME
        folded[length] = code
        length += 1
        inside = True
        if kind == _ALONE:
            hashes[words] = mix(value)
            folded[length] = _SPACE
            words, length, inside = words + 1, length + 1, False
    state[_HASH], state[_INSIDE] = value, uint64(inside)
    return words, length


def hash_words(passages: Sequence[str]) -> tuple[Hashes, str]:
    """Hash the words of a text.

    Args:
        passages: The text; a passage ends a word.

    Returns:
        A hash of each word, uint64[words], and the BLAKE3 digest of the folded words themselves
        (UTF-32, little-endian, a space after each) in hexadecimal.
    """
    kinds, state = _kinds(), np.zeros(2, np.uint64)
    digest = blake3(max_threads=1)
    found = []
    for block in _blocks(passages):
        # a slice may be folded alone: full case folding looks at one character at a time
        text = block.casefold().encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(text, "<u4")
        hashes, folded = np.empty(len(codes) + 1, np.uint64), np.empty(2 * len(codes) + 1, "<u4")
        words, length = _hash_block(codes, kinds, state, hashes, folded)
        digest.update(folded[:length].view(np.uint8).data)
        found.append(hashes[:words].copy())
    return np.concatenate([np.empty(0, np.uint64), *found]), digest.hexdigest()


def count_words(passages: Sequence[str]) -> int:
    """Count what stands between white space, as the statistics of a set do.

    Args:
        passages: The text; a passage ends a word.

    Returns:
        Number of words.
    """
    words, inside = 0, False
    for block in _blocks(passages):
        words += len(block.split())
        if inside and block and not block[0].isspace():
            words -= 1  # the last word of the block before goes on
        inside = not block[-1].isspace()
    return words


def _blocks(passages: Sequence[str]) -> Iterator[str]:
    """The text in blocks of bounded size, however long its passages are; none is empty."""
    waiting: list[str] = []
    size = 0
    for passage in passages:
        for start in range(0, len(passage), BLOCK):
            waiting.append(passage[start : start + BLOCK])
            size += len(waiting[-1])
            if size >= BLOCK:
                yield "".join(waiting)
                waiting, size = [], 0
        waiting.append("\n")
    if waiting:
        yield "".join(waiting)


@lru_cache(maxsize=1)
def _kinds() -> npt.NDArray[np.uint8]:
    """What each code point does to a word; 1 MB, made in some 0.1 s."""
    kinds = np.full(_ASSIGNED[-1][1], _PARTS, np.uint8)
    for first, end in _ASSIGNED:
        for code in range(first, end):
            category = unicodedata.category(chr(code))
            if category[0] in "LM" or category in ("Nd", "Nl"):
                kinds[code] = _LETTER
            elif category == "Cf":
                kinds[code] = _LEFT_OUT
    for first, last in _UNSPACED:
        region = kinds[first : last + 1]
        region[region == _LETTER] = _ALONE
    for first, last in _VARIATIONS:
        kinds[first : last + 1] = _LEFT_OUT
    for mark in _APOSTROPHES:
        kinds[ord(mark)] = _LEFT_OUT
    return kinds
