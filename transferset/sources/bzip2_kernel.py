"""A compiled decoder of bzip2 blocks, more than twice as fast as libbz2.

Most of libbz2's time is one chain of dependent loads, the inverse of the Burrows–Wheeler transform
(Burrows and Wheeler, "A block-sorting lossless data compression algorithm", 1994), each of which
misses the cache. Here the chain is walked from many of its places at once: every walk stops where
another one began, and the pieces are then put in order. So a dozen loads are under way together.

Input is hostile: every index is bounded before it is used. What is unusual or damaged is not
decoded here; the caller then asks libbz2, and checks the block's CRC in any case.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, uint32, uint64

_F = TypeVar("_F", bound=Callable[..., Any])
_Array = np.ndarray[Any, Any]

_LIMIT = 900_000  # symbols of a block
_LOOK = 10  # bits of a code that are looked up at once
_LANES = 12  # walks under way together
_STARTS = 256  # places at which walks begin
_IDLE = -2  # a lane that has no more to do
_MARK = 1 << 28  # of a place at which a walk begins; its number and byte take 28 bits
_PAD = 64  # words after the data, which the longest run of unchecked reads may touch
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _compiled(function: _F) -> _F:
    return cast(_F, njit(cache=True, nogil=True)(function))


def _inlined(function: _F) -> _F:
    return cast(_F, njit(inline="always")(function))


def crc32(data: bytes) -> int:
    """Return bzip2's CRC: that of zlib with the bits of each byte and of the result mirrored."""
    return int(f"{zlib.crc32(data.translate(_MIRROR)):032b}"[::-1], 2)


class BlockDecoder:
    """Decodes one block after the other in buffers of its own (17 MB); not for two threads."""

    def __init__(self) -> None:
        self._last = np.empty(_LIMIT, np.uint8)
        self._links = np.empty(_LIMIT, np.uint32)
        self._lanes = np.empty((_LANES, _LIMIT), np.uint8)
        self._walked = np.empty(_LIMIT, np.uint8)
        self._plain = np.empty(2 * _LIMIT, np.uint8)

    def decode(self, data: bytes, start: int, stop: int) -> bytes | None:
        """Decode a block.

        Args:
            data: Bytes that contain the block.
            start: Bit of `data` at which the block's magic begins.
            stop: First bit after the block.

        Returns:
            Its bytes, whose CRC is the stored one; None if libbz2 should decide.
        """
        words = np.frombuffer(data + bytes(-len(data) % 4 + 4 * _PAD), ">u4").astype(np.uint32)
        counts = np.zeros(256, np.int64)
        size, origin = _read_symbols(words, start + 80, stop, self._last, counts)
        if size <= 0:
            return None
        _link(self._last, size, counts, self._links)
        _walk(self._links, size, origin, self._lanes, self._walked)
        length = _expand(self._walked, size, self._plain)
        if length < 0:
            return None
        plain = self._plain[:length].tobytes()
        return plain if crc32(plain) == _peek32(words, start + 48) else None


def _peek32(words: _Array, bit: int) -> int:
    both = int(words[bit >> 5]) << 32 | int(words[(bit >> 5) + 1])
    return both >> (32 - (bit & 31)) & 0xFFFFFFFF


@_inlined
def _peek(words: _Array, bit: int, count: int) -> int:
    both = (uint64(words[bit >> 5]) << uint64(32)) | uint64(words[(bit >> 5) + 1])
    return np.int64((both << uint64(bit & 31)) >> uint64(64 - count))


@_compiled
def _read_used(words: _Array, bit: int, used: _Array) -> tuple[int, int]:
    """Read which bytes occur; gives their number and the next bit."""
    groups = _peek(words, bit, 16)
    bit += 16
    count = 0
    for group in range(16):
        if groups >> (15 - group) & 1:
            row = _peek(words, bit, 16)
            bit += 16
            for place in range(16):
                if row >> (15 - place) & 1:
                    used[count] = group * 16 + place
                    count += 1
    return count, bit


@_compiled
def _read_selectors(words: _Array, bit: int, stop: int, tables: int, selectors: _Array) -> int:
    """Read which table each 50 symbols use; gives the next bit, -1 for damage."""
    order = np.arange(6)
    for at in range(selectors.size):
        rank = 0
        while _peek(words, bit, 1):
            rank += 1
            bit += 1
            if rank >= tables:
                return -1
        bit += 1
        if bit > stop:
            return -1
        table = order[rank]
        for place in range(rank, 0, -1):
            order[place] = order[place - 1]
        order[0] = table
        selectors[at] = table
    return bit


@_compiled
def _read_lengths(words: _Array, bit: int, stop: int, lengths: _Array) -> int:
    """Read the code lengths of one table; gives the next bit, -1 for damage."""
    length = _peek(words, bit, 5)
    bit += 5
    for symbol in range(lengths.size):
        while True:
            if length < 1 or length > 20 or bit > stop:
                return -1
            if not _peek(words, bit, 1):
                bit += 1
                break
            length += 1 - 2 * _peek(words, bit + 1, 1)
            bit += 2
        lengths[symbol] = length
    return bit


@_compiled
def _make_table(
    lengths: _Array, look: _Array, limits: _Array, bases: _Array, symbols: _Array
) -> bool:
    """Make the canonical code of `lengths`; False if it has more codes than fit.

    A code of up to `_LOOK` bits is found in `look` as symbol << 5 | length. A longer one of n bits
    is the first that is below `limits[n]`; its symbol is `symbols[code + bases[n]]`.
    """
    code = place = 0
    for length in range(1, 21):
        bases[length] = place - code
        for symbol in range(lengths.size):
            if lengths[symbol] != length:
                continue
            if code >= 1 << length:
                return False
            symbols[place] = symbol
            if length <= _LOOK:
                spare = _LOOK - length
                look[code << spare : (code + 1) << spare] = symbol << 5 | length
            code += 1
            place += 1
        limits[length] = code
        code <<= 1
    return True


@_compiled
def _read_symbols(  # noqa: C901 - one loop, one symbol a turn; calls would cost a third
    words: _Array, bit: int, stop: int, last: _Array, counts: _Array
) -> tuple[int, int]:
    """Undo the Huffman, run-length and move-to-front codes: the transform's last column.

    Gives its size and the place of the original row; size -1 where libbz2 should decide.
    """
    damaged = (-1, 0)
    if _peek(words, bit, 1):  # randomised: an obsolete form
        return damaged
    origin = _peek(words, bit + 1, 24)
    front = np.zeros(256, np.uint8)
    used, bit = _read_used(words, bit + 25, front)
    tables = _peek(words, bit, 3)
    selectors = np.zeros(_peek(words, bit + 3, 15), np.uint8)
    if used == 0 or tables < 2 or tables > 6:
        return damaged
    bit = _read_selectors(words, bit + 18, stop, tables, selectors)
    look = np.zeros((6, 1 << _LOOK), np.uint16)
    limits, bases = np.zeros((6, 21), np.int64), np.zeros((6, 21), np.int64)
    symbols, lengths = np.zeros((6, 258), np.uint16), np.zeros(used + 2, np.uint8)
    for table in range(tables):
        bit = _read_lengths(words, bit, stop, lengths) if bit >= 0 else bit
        if bit < 0 or not _make_table(
            lengths, look[table], limits[table], bases[table], symbols[table]
        ):
            return damaged
    end = used + 1
    size, run, weight = 0, 0, 1
    for table in selectors:
        if bit > stop:  # 50 symbols of 20 bits stay within the padding
            return damaged
        for _ in range(50):
            both = (uint64(words[bit >> 5]) << uint64(32)) | uint64(words[(bit >> 5) + 1])
            both <<= uint64(bit & 31)
            entry = look[table, both >> uint64(64 - _LOOK)]
            if entry:
                bit += entry & 31
                symbol = np.int64(entry >> 5)
            else:
                length = _LOOK + 1
                while (
                    length <= 20 and np.int64(both >> uint64(64 - length)) >= limits[table, length]
                ):
                    length += 1
                if length > 20:
                    return damaged
                code = np.int64(both >> uint64(64 - length))
                symbol = np.int64(symbols[table, code + bases[table, length]])
                bit += length
            if symbol <= 1:  # digits of a run's length, in bijective base 2
                run += weight << symbol
                weight <<= 1
                if run > _LIMIT:
                    return damaged
                continue
            if run:
                if size + run > _LIMIT:
                    return damaged
                counts[front[0]] += run
                last[size : size + run] = front[0]
                size += run
                run, weight = 0, 1
            if symbol == end:
                return (size, origin) if bit == stop and origin < size else damaged
            if size >= _LIMIT:
                return damaged
            byte = front[symbol - 1]
            for place in range(symbol - 1, 0, -1):
                front[place] = front[place - 1]
            front[0] = byte
            last[size] = byte
            counts[byte] += 1
            size += 1
    return damaged


@_compiled
def _link(last: _Array, size: int, counts: _Array, links: _Array) -> None:
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


@_compiled
def _walk(links: _Array, size: int, origin: int, lanes: _Array, out: _Array) -> None:
    """Follow `links` from `origin`, in pieces that are walked side by side.

    `links` is a permutation, so each place is passed once, each walk ends where one begins, and no
    lane holds more than `size` bytes. Pieces of other cycles (a periodic text has several) stay
    unused.
    """
    mark = uint32(_MARK)
    first = np.int64(links[origin] >> uint32(8))
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


@_compiled
def _expand(walked: _Array, size: int, plain: _Array) -> int:
    """Undo the first run-length code: four equal bytes are followed by a count of more.

    Gives the length, -1 if it does not fit.
    """
    done, run, before = 0, 0, -1
    for at in range(size):
        byte = np.int64(walked[at])
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
