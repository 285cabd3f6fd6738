"""What is remembered of a book to find its likes: sets of shingles, and their MinHash sketches.

A shingle is five words in a row (Broder 1997, "On the resemblance and containment of documents");
a text of fewer words has one, all of them. A book is the set of its shingles' hashes, 64 bits
each: that two of 100,000 shingles each have one in common by chance has probability 5e-10.

The sketch is one-permutation hashing (Li, Owen & Zhang 2012, "One permutation hashing"): the hashes
are dealt to 128 bins by their first seven bits, and the smallest of each bin is kept. As the hashes
are sorted already, this costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import kernel
from transferset.curation.words import Hashes, hash_words, mix
from transferset.errors import InputError, SetError, sentence
from transferset.files import HashingFile

#: Words of a shingle.
WIDTH: Final = 5

#: Bins of a sketch.
BINS: Final = 128

#: Bits of a hash that name its bin, and those kept of the smallest hash of the bin.
_BIN_BITS: Final = 7
_KEPT_BITS: Final = 32

#: Stands in a bin to which no shingle was dealt.
EMPTY: Final = np.uint32(0xFFFFFFFF)

# One constant for each place in a shingle: bits of π after the point, made odd by the last one.
_K0, _K1 = uint64(0x243F6A8885A308D3), uint64(0x13198A2E03707345)
_K2, _K3 = uint64(0xA4093822299F31D1), uint64(0x082EFA98EC4E6C89)
_K4 = uint64(0x452821E638D01377)


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What is kept in memory of every book: some 830 bytes.

    Args:
        minhash: uint32[128], of each bin the first 32 bits (after the bin's seven) of the smallest
            hash; `EMPTY` if the bin is.
        shingles: Number of different shingles.
        digest: BLAKE3 of the folded words, 64 hex digits: equal for texts of the same words.
    """

    minhash: npt.NDArray[np.uint32]
    shingles: int
    digest: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        same = self.shingles == other.shingles and self.digest == other.digest
        return same and np.array_equal(self.minhash, other.minhash)

    __hash__ = None  # type: ignore[assignment]

    def to_json(self) -> dict[str, Any]:
        """For a receipt."""
        minhash = self.minhash.astype("<u4").tobytes().hex()
        return {"minhash": minhash, "shingles": self.shingles, "digest": self.digest}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Sketch:
        """Read what `to_json` gave.

        Raises:
            SetError: It did not.
        """
        try:
            minhash = np.frombuffer(bytes.fromhex(value["minhash"]), "<u4").astype(np.uint32)
            found = cls(minhash, int(value["shingles"]), str(value["digest"]))
        except (KeyError, TypeError, ValueError):
            found = None
        if found is None or len(found.minhash) != BINS:
            raise SetError(sentence("a sketch of a book", repr(value)))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Shingled:
    """A text as the set of its shingles.

    Args:
        sketch: Of the set.
        hashes: uint64[shingles], the set, sorted; eight bytes a shingle, about as many as words.
    """

    sketch: Sketch
    hashes: Hashes


def shingle(passages: Sequence[str]) -> Shingled:
    """Turn a text into the set of its shingles; they run across passages.

    Args:
        passages: The text.

    Returns:
        The set and its sketch.
    """
    hashes, digest = hash_words(passages)
    count = _hash_shingles(hashes)
    hashes = hashes[:count]
    hashes.sort()
    hashes = hashes[: drop_repeats(hashes)]
    return Shingled(Sketch(_minhash(hashes), len(hashes), digest), hashes)


def sketch(passages: Sequence[str]) -> Sketch:
    """Sketch a text; see `shingle`, which also gives what the sketch was made of."""
    return shingle(passages).sketch


def _minhash(hashes: Hashes) -> npt.NDArray[np.uint32]:
    """The first hash of each bin: bins are regions of the sorted hashes."""
    bins = (hashes >> np.uint64(64 - _BIN_BITS)).astype(np.uint8)
    firsts = np.flatnonzero(np.diff(bins, prepend=np.uint8(BINS)))
    smallest = hashes[firsts] >> np.uint64(64 - _BIN_BITS - _KEPT_BITS)
    minhash = np.full(BINS, EMPTY, np.uint32)
    minhash[bins[firsts]] = (smallest & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    return minhash


@kernel
def _hash_shingles(hashes: Any) -> Any:
    """Turn hashes of words into hashes of shingles, in place; returns how many."""
    words = len(hashes)
    if words == 0:
        return 0
    zero = uint64(0)
    for i in range(max(words - WIDTH + 1, 1)):  # behind i nothing is read any more
        value = hashes[i] * _K0
        value += (hashes[i + 1] if i + 1 < words else zero) * _K1
        value += (hashes[i + 2] if i + 2 < words else zero) * _K2
        value += (hashes[i + 3] if i + 3 < words else zero) * _K3
        value += (hashes[i + 4] if i + 4 < words else zero) * _K4
        hashes[i] = mix(value)
    return max(words - WIDTH + 1, 1)


@kernel
def drop_repeats(hashes: Any) -> Any:
    """Move the different ones of sorted numbers to the front; returns how many."""
    kept = 0
    for value in hashes:  # read before the place is written: kept never passes it
        if kept == 0 or value != hashes[kept - 1]:
            hashes[kept] = value
            kept += 1
    return kept


@kernel
def _common(a: Any, b: Any) -> Any:
    """How many numbers stand in both of two sorted arrays without repeats."""
    i = j = common = 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        common += x == y
        i += x <= y
        j += y <= x
    return common


def jaccard(a: Hashes, b: Hashes) -> float:
    """Exact Jaccard similarity of two sets: what both hold, as a share of what either holds.

    Args:
        a: Sorted, without repeats.
        b: The same.

    Returns:
        0 to 1; 0 if both are empty.
    """
    common = int(_common(a, b))
    either = len(a) + len(b) - common
    return common / either if either else 0.0


def write_shingles(path: Path, hashes: Hashes) -> tuple[int, str]:
    """Write a set of shingles: its numbers, little-endian, and nothing else.

    Args:
        path: Of the file.
        hashes: Sorted, without repeats.

    Returns:
        Size in bytes and BLAKE3 digest of the file.
    """
    with HashingFile(path) as sink:
        sink.write(np.ascontiguousarray(hashes, "<u8").data)
        return sink.size, sink.commit()


def read_shingles(path: Path) -> Hashes:
    """Read what `write_shingles` wrote.

    Args:
        path: Of the file.

    Returns:
        uint64, sorted, without repeats.

    Raises:
        InputError: The file is missing, or not one of these.
    """
    try:
        hashes = np.frombuffer(path.read_bytes(), "<u8").astype(np.uint64, copy=False)
    except (OSError, ValueError) as error:
        raise InputError(sentence("a file of shingles", str(error), str(path))) from None
    if len(hashes) > 1 and not bool((hashes[1:] > hashes[:-1]).all()):
        raise InputError(sentence("sorted shingles", "others", str(path)))
    return hashes
