"""The blocks that one part of a bzip2 file owns, with a trace from which parts are joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from transferset.errors import InputError, sentence
from transferset.sources.bzip2 import (
    END_BITS,
    Mark,
    Marks,
    decode,
    decode_slowly,
    fast_decoder,
    fold,
    previous_block,
    read_bits,
    sound_prefix,
)
from transferset.sources.ranges import Gap, Piece, read_at

REMEDY = "fetch the file again, or skip what is damaged with --skip-damaged"

_BLOCK = "an undamaged bzip2 block"
_HEADER = "the header of a bzip2 stream"


@dataclass(slots=True)
class Trace:
    """What a part knows of its file's blocks and streams; bits count from the file's start.

    Attributes:
        first: Bit of the first block, None for a part without blocks.
        next: Bit of the block after the last one, or the file's size in bits.
        head: Number and combined CRC of the blocks before the first end of a stream; None where
            damage hides them.
        end: CRC stored at that end; None when no stream ends in the part.
        end_at: Byte of that end.
        tail: As `head`, for the blocks after the last end.
        damage: Byte ranges that were skipped.
        damaged_blocks: How many blocks were lost with them, as far as they can be told.
    """

    first: int | None = None
    next: int | None = None
    head: tuple[int, int] | None = None
    end: int | None = None
    end_at: int | None = None
    tail: tuple[int, int] | None = (0, 0)
    damage: list[tuple[int, int]] = field(default_factory=list)
    damaged_blocks: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give what `coverage` needs, but for the damage."""
        names = ("first", "next", "head", "end", "end_at", "tail")
        return {name: getattr(self, name) for name in names}

    def add(self, crc: int) -> None:
        """Append a block."""
        if self.tail is not None:
            count, total = self.tail
            self.tail = ((count + 1) % 32, fold(total, 1, crc))

    def close(self, stored: int, at: int) -> bool:
        """End the stream; False if a stream that lies wholly in the part fails its CRC."""
        ended, self.tail = self.tail, (0, 0)
        if self.end is None:
            self.head, self.end, self.end_at = ended, stored, at
            return True
        return ended is None or ended[1] == stored

    def lose(self, start: int, stop: int, blocks: int) -> None:
        """Record damage from bit `start` to bit `stop`."""
        self.damage.append((start // 8, (stop + 7) // 8))
        self.damaged_blocks += blocks
        self.tail = None


class BlockReader:
    """Reads the blocks whose magic begins in the bytes `start` to `stop`, and what follows.

    Use it as a context.

    Args:
        path: A bzip2 file.
        start: First byte of the part.
        stop: First byte after the part.
        skip_damaged: Give a `Gap` for damage instead of raising.
        fast: Load the compiled decoder if the file is large.
    """

    def __init__(
        self,
        path: Path,
        start: int,
        stop: int,
        *,
        skip_damaged: bool = False,
        fast: bool = True,
    ) -> None:
        self.trace = Trace()
        self._path, self._start, self._stop = path, start, stop
        self._skip, self._load_fast = skip_damaged, fast
        self._size = path.stat().st_size
        self._noted = self.trace  # where what is read is noted
        self._gap = False
        self._after: Mark | None = None

    def __enter__(self) -> BlockReader:
        self._file: BinaryIO = self._path.open("rb")
        self._marks = Marks(self._file, self._start)
        self._fast = fast_decoder(self._size) if self._load_fast else None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def own(self) -> Iterator[Piece | Gap]:
        """Decode the part's own blocks.

        Raises:
            InputError: Something is damaged; the message names file and byte.
        """
        block = self._next_stream(0) if self._start == 0 else self._next_block()
        if self._start == 0:
            self.trace.next = self._bit_of(block)
        yield from self._read(block, self._stop * 8)

    def ahead(self) -> Iterator[Piece | Gap]:
        """Decode what follows the part, once `own` is exhausted.

        The owner of these blocks verifies them. Only when damage is skipped must a page that
        reaches into one know at once.
        """
        if not self._skip:
            return self._ahead_slowly(self._after)
        self._noted = Trace()
        return self._read(self._after, self._size * 8)

    def _read(self, block: Mark | None, stop: int) -> Iterator[Piece | Gap]:
        noted = self._noted
        while block is not None and block.bit < stop:
            if noted.first is None:
                noted.first = block.bit
            at, (data, block) = block.bit // 8, self._own(block)
            noted.next = self._bit_of(block)
            self._after = block
            if data:
                yield Piece(data, at)
            if self._gap:
                self._gap = False
                yield Gap(at)

    def _bit_of(self, block: Mark | None) -> int:
        return self._size * 8 if block is None else block.bit

    def _next_block(self) -> Mark | None:
        while (mark := self._marks.take()) is not None and mark.end:
            pass
        return mark

    def _own(self, block: Mark) -> tuple[bytes | None, Mark | None]:
        """Decode one block; give its data and the block after it."""
        after = self._marks.take()
        data, after = self._decode(block, after)
        if data is not None:
            self._noted.add(read_bits(self._file, block.bit + 48, 32))
            return data, self._advance(after)
        if block.bit == self._noted.first and self._is_chance(block, after):
            self._noted.first = None
            return None, self._next_block() if after is None or after.end else after
        return self._damaged(block, after)

    def _decode(self, block: Mark, after: Mark | None) -> tuple[bytes | None, Mark | None]:
        if after is None:
            return None, None
        data = decode(self._file, block.bit, after.bit, self._fast)
        beyond = self._marks.peek() if data is None else None
        if beyond is not None:
            # 48 bits of data may look like a magic by chance: try without that cut.
            data = decode(self._file, block.bit, beyond.bit)
            after = self._marks.take() if data is not None else after
        return data, after

    def _is_chance(self, block: Mark, after: Mark | None) -> bool:
        """Tell whether a part's first magic is data of the block before, which skips it."""
        before = previous_block(self._file, block.bit)
        if before is None or after is None:
            return False
        return decode(self._file, before, after.bit) is not None

    def _damaged(self, block: Mark, after: Mark | None) -> tuple[bytes | None, Mark | None]:
        stop = self._size * 8 if after is None else after.bit
        found = "damage" if after is not None else "the end of the file"
        self._complain(_BLOCK, found, block.bit // 8)
        sound = sound_prefix(self._file, block.bit, stop)
        start = block.bit if sound is None else sound[1]
        self._lose(start, stop, hides_block=True)
        return None if sound is None else sound[0], self._advance(after)

    def _advance(self, mark: Mark | None) -> Mark | None:
        """Step over the end of a stream, where one follows, to the next block."""
        if mark is None or not mark.end:
            return mark
        stored = read_bits(self._file, mark.bit + 48, 32)
        if not self._noted.close(stored, mark.bit // 8):
            self._complain("blocks that match their stream's CRC", "damage", mark.bit // 8)
            self._noted.lose(mark.bit, mark.bit + END_BITS, 0)
            self._noted.tail = (0, 0)
        return self._next_stream((mark.bit + END_BITS + 7) // 8)

    def _next_stream(self, at: int) -> Mark | None:
        """Read stream headers from byte `at` on, past empty streams, to the next block."""
        while at < self._size:
            mark = self._marks.peek()
            if not is_header(read_at(self._file, at, 4)) or mark is None or mark.bit != at * 8 + 32:
                return self._lost(at)
            self._marks.take()
            if not mark.end:
                return mark
            if read_bits(self._file, mark.bit + 48, 32):
                self._complain("an empty bzip2 stream", "a CRC of something", at)
                self._noted.lose(mark.bit, mark.bit + END_BITS, 0)
            at = (mark.bit + END_BITS + 7) // 8
        return None

    def _lost(self, at: int) -> Mark | None:
        mark = self._marks.peek()
        found = "other bytes" if mark is not None else "bytes after the last stream"
        self._complain(_HEADER, found, at)
        stop = self._size * 8 if mark is None else mark.bit
        self._lose(at * 8, stop, hides_block=mark is not None)
        return self._next_block()

    def _lose(self, start: int, stop: int, *, hides_block: bool) -> None:
        # An end mark with padding and a header is all that fits in so few bits.
        hides_block = hides_block and stop - start > END_BITS + 7 + 32
        self._noted.lose(start, stop, int(hides_block))
        self._gap = self._gap or hides_block

    def _complain(self, expected: str, found: str, at: int) -> None:
        if not self._skip:
            where = f"{self._path}, byte {at}"
            raise InputError(sentence(expected, found, at=where, do=REMEDY))

    def _ahead_slowly(self, block: Mark | None) -> Iterator[Piece]:
        while block is not None:
            after = self._marks.take()
            at, given = block.bit // 8, False
            for data in decode_slowly(self._file, block.bit, self._bit_of(after), self._fast):
                given = True
                yield Piece(data, at)
            beyond = self._marks.peek()
            if not given and beyond is not None and decode(self._file, block.bit, beyond.bit):
                continue  # the mark was data: take the next one as the end
            block = self._next_block() if after is not None and after.end else after


def is_header(header: bytes) -> bool:
    """Tell whether four bytes are the header of a bzip2 stream."""
    return len(header) == 4 and header[:3] == b"BZh" and 0x31 <= header[3] <= 0x39
