"""A compiled decoder of bzip2 blocks, three times as fast as libbz2.

Most of libbz2's time is one chain of dependent loads, the inverse of the Burrows–Wheeler transform
(Burrows and Wheeler, "A block-sorting lossless data compression algorithm", 1994), each of which
misses the cache. Here the chain is walked from many of its places at once: every walk stops where
another one began, and the pieces are then put in order. So a dozen loads are under way together.

Input is hostile: every index is bounded before it is used. What is unusual or damaged is not
decoded here; the caller then asks libbz2, and checks the block's CRC in any case.
"""

from __future__ import annotations

import zlib

import numpy as np
from numba import int64, uint32

from transferset.compiled import kernel
from transferset.sources.bzip2_codes import BLOCK_SYMBOLS, PAD_WORDS, Array, read_symbols

_LANES = 12  # walks under way together
_STARTS = 256  # places at which walks begin
_IDLE = -2  # a lane that has no more to do
_MARK = 1 << 28  # of a place at which a walk begins; its number and byte take 28 bits
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc32(data: bytes) -> int:
    """Return bzip2's CRC: that of zlib with the bits of each byte and of the result mirrored."""
    return int(f"{zlib.crc32(data.translate(_MIRROR)):032b}"[::-1], 2)


class BlockDecoder:
    """Decodes one block after the other in buffers of its own (17 MB); not for two threads."""

    def __init__(self) -> None:
        self._last = np.empty(BLOCK_SYMBOLS, np.uint8)
        self._links = np.empty(BLOCK_SYMBOLS, np.uint32)
        self._lanes = np.empty((_LANES, BLOCK_SYMBOLS), np.uint8)
        self._walked = np.empty(BLOCK_SYMBOLS, np.uint8)
        self._plain = np.empty(2 * BLOCK_SYMBOLS, np.uint8)

    def decode(self, data: bytes, start: int, stop: int) -> bytes | None:
        """Decode a block.

        Args:
            data: Bytes that contain the block.
            start: Bit of `data` at which the block's magic begins.
            stop: First bit after the block.

        Returns:
            Its bytes, whose CRC is the stored one; None if libbz2 should decide.
        """
        words = np.frombuffer(data + bytes(-len(data) % 4 + 4 * PAD_WORDS), ">u4").astype(np.uint32)
        counts = np.zeros(256, np.int64)
        size, origin = read_symbols(words, start + 80, stop, self._last, counts)
        if size <= 0:
            return None
        _link(self._last, size, counts, self._links)
        _walk(self._links, size, origin, self._lanes, self._walked)
        length = _expand(self._walked, size, self._plain)
        if length < 0:
            return None
        plain = self._plain[:length].tobytes()
        return plain if crc32(plain) == _peek32(words, start + 48) else None


def _peek32(words: Array, bit: int) -> int:
    both = int(words[bit >> 5]) << 32 | int(words[(bit >> 5) + 1])
    return both >> (32 - (bit & 31)) & 0xFFFFFFFF


@kernel
def _link(last: Array, size: int, counts: Array, links: Array) -> None:
    """Store each place's byte and, above it, the place that follows; uses up `counts`."""
    total = 0
    for byte in range(256):
        total += counts[byte]
        counts[byte] = total - counts[byte]
    links[:size] = last[:size]
    for place in range(size):
        byte = last[place]
        links[counts[byte]] |= uint32(place << 8)
        counts[byte] += 1


@kernel
def _walk(links: Array, size: int, origin: int, lanes: Array, out: Array) -> None:
    """Follow `links` from `origin`, in pieces that are walked side by side.

    `links` is a permutation, so each place is passed once, each walk ends where one begins, and no
    lane holds more than `size` bytes. Pieces of other cycles (a periodic text has several) stay
    unused.
    """
    mark = uint32(_MARK)
    first = int64(links[origin] >> uint32(8))
    step = -(-size // _STARTS)
    grid = -(-size // step)
    pieces = grid + 1 if first % step else grid  # the last one begins at `first`
    for piece in range(pieces):
        links[piece * step if piece < grid else first] |= mark
    begin, length = np.zeros(grid + 1, np.int64), np.zeros(grid + 1, np.int64)
    lane_of, follower = np.zeros(grid + 1, np.int64), np.zeros(grid + 1, np.int64)
    place, filled = np.zeros(_LANES, np.int64), np.zeros(_LANES, np.int64)
    piece_of = np.full(_LANES, -1)
    begun, live = 0, _LANES
    while live:
        for lane in range(_LANES):
            at = place[lane]
            link = links[at]
            if link >= mark:  # a piece ends here; this lane begins another, if there is one
                piece = piece_of[lane]
                if piece >= 0:
                    length[piece] = filled[lane] - begin[piece]
                    follower[piece] = grid if at % step else at // step
                if begun == pieces:
                    live -= piece != _IDLE
                    piece_of[lane] = _IDLE
                    continue
                piece_of[lane] = begun
                lane_of[begun], begin[begun] = lane, filled[lane]
                link = links[begun * step if begun < grid else first] ^ mark
                begun += 1
            lanes[lane, filled[lane]] = link
            filled[lane] += 1
            place[lane] = link >> uint32(8)
    piece = grid if first % step else first // step
    done = 0
    while done < size:
        count = min(length[piece], size - done)
        start = begin[piece]
        out[done : done + count] = lanes[lane_of[piece], start : start + count]
        done += count
        piece = follower[piece]


@kernel
def _expand(walked: Array, size: int, plain: Array) -> int:
    """Undo the first run-length code: four equal bytes are followed by a count of more.

    Gives the length, -1 if it does not fit.
    """
    done, run, before = 0, 0, -1
    for at in range(size):
        byte = int64(walked[at])
        if run == 4:
            if done + byte > plain.size:
                return -1
            plain[done : done + byte] = before
            done += byte
            run, before = 0, -1
            continue
        if done >= plain.size:
            return -1
        run = run + 1 if byte == before else 1
        before = byte
        plain[done] = byte
        done += 1
    return done
