"""Blocks of bzip2 data: found at any bit, decoded one by one, no central reader, no index.

A bzip2 stream is `BZh` and a digit, then blocks, then an end mark with the combined CRC, padded to
a byte; a file is one stream or many (J. Seward, bzip2 1.0; format as described by J. Tsai,
"BZIP2: Format Specification", 2016). Each block begins, at any bit, with a 48-bit magic followed by
its CRC. A block is decoded by itself: its bits are aligned and wrapped as a stream of one block.
"""

from __future__ import annotations

import bz2
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from transferset.sources.ranges import read_at

if TYPE_CHECKING:
    from transferset.sources.bzip2_kernel import BlockDecoder

BLOCK_MAGIC = 0x314159265359
END_MAGIC = 0x177245385090
#: No block is longer, in bytes: 900,000 symbols of at most 20 bits, its tables and a margin.
BLOCK_LIMIT = 3 << 20
#: From this size on, in bytes, the compiled decoder is worth its start.
FAST_FROM = 16 << 20
#: Bits of an end mark: magic and combined CRC.
END_BITS = 80

_kept = threading.local()  # a decoder's buffers, for all parts that a thread reads
_WINDOW = 1 << 19
_SPAN = 7  # bytes that a magic may touch
_LOW48 = (1 << 48) - 1


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A magic in the file.

    Attributes:
        bit: Its first bit, counted from the start of the file.
        end: True for the end of a stream, False for the start of a block.
    """

    bit: int
    end: bool


def _patterns() -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], dict[int, list[int]]]:
    # A magic covers five whole bytes at least, hence a whole aligned 16-bit word, whatever its
    # position: a table over 65,536 words finds the few places that are worth a closer look.
    table = np.zeros(1 << 16, dtype=np.bool_)
    back: dict[int, list[int]] = {}
    for magic in (BLOCK_MAGIC, END_MAGIC):
        for shift in range(8):
            spread = (magic << (8 - shift)).to_bytes(_SPAN, "big")
            for skip in (1, 2):
                word = int.from_bytes(spread[skip : skip + 2], "little")
                table[word] = True
                back.setdefault(word, []).append(skip * 8 - shift)
    return table, back


_TABLE, _BACK = _patterns()


def find_marks(data: bytes) -> list[Mark]:
    """Find every magic in `data`, at any bit.

    Args:
        data: Bytes of a bzip2 file.

    Returns:
        Marks in order; bits are counted from the start of `data`.
    """
    words = np.frombuffer(data, dtype="<u2", count=len(data) // 2)
    hits = np.flatnonzero(_TABLE.take(words, mode="wrap"))  # the table holds every word
    found = set()
    for hit, word in zip(hits.tolist(), words[hits].tolist(), strict=True):
        for back in _BACK[word]:
            bit = hit * 16 - back
            magic = peek_bits(data, bit, 48) if bit >= 0 else 0
            if magic in (BLOCK_MAGIC, END_MAGIC):
                found.add(Mark(bit, magic == END_MAGIC))
    return sorted(found)


def peek_bits(data: bytes, bit: int, count: int) -> int:
    """Return `count` bits of `data` from `bit` on as a number; bits after the end are 0."""
    first, last = bit // 8, (bit + count + 7) // 8
    value = int.from_bytes(data[first:last].ljust(last - first, b"\0"), "big")
    return value >> (last * 8 - bit - count) & ((1 << count) - 1)


def read_bits(file: BinaryIO, bit: int, count: int) -> int:
    """Return `count` bits of a file from `bit` on; bits after the end of the file are 0."""
    return peek_bits(read_at(file, bit // 8, count // 8 + 2), bit % 8, count)


class Marks:
    """The marks of a file from a byte on, found as they are asked for."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._found = self._scan(file, start)
        self._queue: deque[Mark] = deque()

    def peek(self, ahead: int = 0) -> Mark | None:
        """Return the mark that `ahead + 1` calls of `take` would give."""
        while len(self._queue) <= ahead:
            mark = next(self._found, None)
            if mark is None:
                return None
            self._queue.append(mark)
        return self._queue[ahead]

    def take(self) -> Mark | None:
        """Return the next mark, None at the end of the file."""
        mark = self.peek()
        if mark is not None:
            self._queue.popleft()
        return mark

    @staticmethod
    def _scan(file: BinaryIO, start: int) -> Iterator[Mark]:
        at, rest, last = start, b"", -1
        while window := read_at(file, at, _WINDOW):
            base = (at - len(rest)) * 8
            data = rest + window
            for mark in find_marks(data):
                if base + mark.bit > last:  # the overlap of two windows may show one twice
                    last = base + mark.bit
                    yield Mark(last, mark.end)
            rest = data[1 - _SPAN :]
            at += len(window)


def wrap(file: BinaryIO, start: int, stop: int) -> bytes:
    """Make a stream of one block from the bits `start` to `stop` of a file.

    Args:
        file: A bzip2 file.
        start: First bit of the block's magic.
        stop: First bit after the block.

    Returns:
        A complete bzip2 stream, as level 9 so that any block fits.
    """
    raw = np.frombuffer(read_at(file, start // 8, (stop + 7) // 8 - start // 8), dtype=np.uint8)
    shift = start % 8
    aligned: np.ndarray[Any, np.dtype[np.uint8]] = np.left_shift(raw, shift, dtype=np.uint8)
    if shift:
        aligned[:-1] |= raw[1:] >> (8 - shift)
    whole, odd = divmod(stop - start, 8)
    body = aligned[:whole].tobytes()
    crc = body[6:10]  # of one block, it is the combined CRC as well
    last = int(aligned[whole]) >> (8 - odd) if odd else 0
    tail = (last << 48 | END_MAGIC) << 32 | int.from_bytes(crc, "big")
    pad = -odd % 8
    return b"BZh9" + body + (tail << pad).to_bytes((odd + END_BITS + pad) // 8, "big")


def fast_decoder(size: int) -> BlockDecoder | None:
    """Return the compiled decoder where it pays: numba is installed and the file is large.

    It takes 0.7 CPU seconds to load in each process, and 4 to compile once per installation; then
    it needs a third of libbz2's time.
    """
    if size < FAST_FROM:
        return None
    try:
        from transferset.sources.bzip2_kernel import BlockDecoder
    except (ImportError, RuntimeError):  # no numba, or no place for its cache
        return None
    if not hasattr(_kept, "decoder"):
        _kept.decoder = BlockDecoder()
    decoder: BlockDecoder = _kept.decoder
    return decoder


def decode(file: BinaryIO, start: int, stop: int, fast: BlockDecoder | None = None) -> bytes | None:
    """Decode the block in the bits `start` to `stop`; None if that is not one sound block.

    Args:
        file: A bzip2 file.
        start: First bit of the block's magic.
        stop: First bit after the block.
        fast: Decoder to try first; libbz2 decides on what it does not decode.
    """
    if not END_BITS < stop - start <= BLOCK_LIMIT * 8:
        return None
    if fast is not None:
        raw = read_at(file, start // 8, (stop + 7) // 8 - start // 8)
        data = fast.decode(raw, start % 8, stop - start // 8 * 8)
        if data is not None:
            return data
    decoder = bz2.BZ2Decompressor()
    try:
        data = decoder.decompress(wrap(file, start, stop))
    except (OSError, EOFError):
        return None
    return data if decoder.eof and not decoder.unused_data else None


def decode_slowly(
    file: BinaryIO, start: int, stop: int, fast: BlockDecoder | None = None, step: int = 1 << 16
) -> Iterator[bytes]:
    """Decode a block in steps, for a reader that may not need all of it.

    Half of libbz2's work is done per byte of output, so stopping early saves it. What is given is
    verified only once the last step has been taken.

    Yields:
        Pieces of at most `step` bytes; nothing more where the block turns out to be damaged.
    """
    if not END_BITS < stop - start <= BLOCK_LIMIT * 8:
        return
    if fast is not None:  # all of it takes less time than libbz2's first step
        data = decode(file, start, stop, fast)
        if data is not None:
            yield data
        return
    decoder = bz2.BZ2Decompressor()
    stream = wrap(file, start, stop)
    while not decoder.eof:
        try:
            data = decoder.decompress(stream, max_length=step)
        except (OSError, EOFError):
            return
        stream = b""
        if not data:
            return
        yield data


def sound_prefix(file: BinaryIO, start: int, stop: int) -> tuple[bytes, int] | None:
    """Decode the block that begins at `start` and ends at an unknown bit before `stop`.

    For blocks whose following magic is damaged. The decoder gives output as soon as it has the
    last byte of a block, which leaves eight bits to try.

    Returns:
        The data and the block's end; None when the block itself is damaged.
    """
    stream = wrap(file, start, min(stop, start + BLOCK_LIMIT * 8))
    decoder = bz2.BZ2Decompressor()
    for at in range(len(stream)):
        try:
            started = decoder.decompress(stream[at : at + 1])
        except (OSError, EOFError):
            return None
        if started:
            ends = range(start + (at - 4) * 8 + 1, start + (at - 3) * 8 + 1)
            tried = ((decode(file, start, end), end) for end in ends)
            return next(((data, end) for data, end in tried if data is not None), None)
    return None


def fold(total: int, count: int, crc: int) -> int:
    """Append blocks to a stream's combined CRC.

    Args:
        total: Combined CRC of the blocks before.
        count: How many blocks are appended.
        crc: Their own combined CRC.

    Returns:
        The combined CRC of all of them; associative, so parts may be folded on their own.
    """
    turn = count % 32
    return ((total << turn | total >> (32 - turn)) & 0xFFFFFFFF) ^ crc


def previous_block(file: BinaryIO, bit: int) -> int | None:
    """Return the block mark next before `bit`, None if a stream's end or nothing precedes."""
    marks = Marks(file, max(0, bit // 8 - BLOCK_LIMIT))
    last = None
    while (mark := marks.take()) is not None and mark.bit < bit:
        last = mark
    return None if last is None or last.end else last.bit


def last_blocks(file: BinaryIO, size: int) -> tuple[list[tuple[int, int]], int | None]:
    """Find the blocks at the end of a file.

    Returns:
        The bits at which the blocks of the last stream (at most those in the last bytes) start
        and stop, and the byte at which the last stream ends, None where no end mark is found.
    """
    marks = Marks(file, max(0, size - 2 * BLOCK_LIMIT))
    found: list[Mark] = []
    while (mark := marks.take()) is not None:
        found.append(mark)
    blocks = [(a.bit, b.bit) for a, b in pairwise(found) if not a.end]
    stop = (found[-1].bit + END_BITS + 7) // 8 if found and found[-1].end else None
    return blocks, stop
