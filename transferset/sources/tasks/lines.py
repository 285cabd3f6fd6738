"""Lines of a text file: decoded, numbered, bounded; a line that cannot be read is a flaw.

Lines end at a line feed, also with a carriage return before it, and at nothing else: U+2028, U+0085
and a lone carriage return are characters of a text. Only where a file's first megabyte has no
line feed at all do carriage returns end its lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from transferset.errors import InputError, sentence
from transferset.sources.tasks.reading import Flaw

#: Longest line, and longest row of several, in bytes.
MOST_BYTES: Final = 1 << 20

#: Bytes that are decoded at a time; no more than `MOST_BYTES`.
_BLOCK: Final = 1 << 18

_BOM: Final = b"\xef\xbb\xbf"
_OTHERS: Final = (
    (b"\xff\xfe", "UTF-16", "convert it with `iconv -t UTF-8`"),
    (b"\xfe\xff", "UTF-16", "convert it with `iconv -t UTF-8`"),
    (b"\x1f\x8b", "gzip data", "unpack it with gunzip"),
    (b"PK\x03\x04", "a zip archive", "unpack it with unzip"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "unpack it with unzstd"),
    (b"PAR1", "a Parquet file", "say --format parquet"),
    (b"ARROW1", "an Arrow file", "say --format arrow"),
    (b"version https://git-lfs", "a Git LFS pointer instead of the file", "run `git lfs pull`"),
)

#: A line's number, from 1, and what stands on it.
Numbered = tuple[int, str | Flaw]

#: Lines from a number on, in order.
Batch = tuple[int, Sequence[str | Flaw]]


def read(path: Path, encoding: str, *, keep_returns: bool = False) -> Iterator[Batch]:
    """Read the lines of a file, without their ends.

    Args:
        path: The file.
        encoding: In which bytes of ASCII are ASCII, see `options.check_encoding`.
        keep_returns: Whether the carriage return of a line's end is left in place.

    Yields:
        The number of the first line, from 1, and the lines. Empty ones at the file's end are none.

    Raises:
        InputError: The file cannot be read, or is of another format.
    """
    number, blank = 1, 0
    for lines in _batches(path, encoding, keep_returns):
        kept = len(lines)
        while kept and lines[kept - 1] in ("", "\r"):
            kept -= 1
        if kept:
            while blank:  # there may be more of them than memory should hold
                few = min(blank, 4096)
                yield number, [""] * few
                number, blank = number + few, blank - few
            yield number, lines[:kept]
            number += kept
        blank += len(lines) - kept


def numbered(batches: Iterable[Batch]) -> Iterator[Numbered]:
    """Lines one by one."""
    for first, batch in batches:
        yield from enumerate(batch, first)


def _batches(path: Path, encoding: str, keep_returns: bool) -> Iterator[Sequence[str | Flaw]]:
    try:
        with path.open("rb", MOST_BYTES) as file:
            end = _line_end(file, path)
            for byte, block in _blocks(file, end):
                if isinstance(block, int):
                    found = f"one of {block:,} bytes"
                    yield [Flaw(f"a line of at most {MOST_BYTES:,} bytes", found)]
                    continue
                strip = end == b"\n" and not keep_returns
                yield _decoded(block, byte, end, encoding, strip=strip)
    except OSError as error:
        found = error.strerror or "an error"
        raise InputError(sentence("a readable file", found, str(path))) from None


def _line_end(file: BinaryIO, path: Path) -> bytes:
    """What ends the lines of a file; the mark at its beginning is passed."""
    head = file.read(MOST_BYTES)
    for start, found, do in _OTHERS:
        if head.startswith(start):
            raise InputError(sentence("lines of text", found, f"{path}, byte 0", do))
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    return b"\r" if b"\r" in head and b"\n" not in head else b"\n"


def _blocks(file: BinaryIO, end: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Whole lines, about `_BLOCK` bytes of them, or the length of one that is too long.

    Yields:
        The first byte, and the bytes without the last line's end.
    """
    at, held, passed = file.tell(), b"", 0
    while raw := file.read(_BLOCK):
        first = raw.find(end)
        if first < 0 and (passed or len(held) + len(raw) > MOST_BYTES):
            passed, held = passed + len(held) + len(raw), b""
            continue
        if first < 0:
            held += raw
            continue
        if passed or len(held) + first > MOST_BYTES:
            length = passed + len(held) + first
            yield at, length
            at, held, passed, raw = at + length + 1, b"", 0, raw[first + 1 :]
        cut = raw.rfind(end)
        if cut >= 0:
            yield at, held + raw[:cut]
            at, held = at + len(held) + cut + 1, b""
        held += raw[cut + 1 :]
    if passed:
        yield at, passed + len(held)
    elif held:
        yield at, held


def _decoded(
    block: bytes, byte: int, end: bytes, encoding: str, *, strip: bool
) -> Sequence[str | Flaw]:
    """The lines of a block; only where one of them cannot be read is each looked at alone."""
    try:
        text = block.decode(encoding)
        if "\0" not in text:
            if strip and "\r" in text:
                text = text.replace("\r\n", "\n").removesuffix("\r")
            return text.split(end.decode())
    except UnicodeDecodeError:
        pass
    lines: list[str | Flaw] = []
    for raw in block.split(end):
        lines.append(_line(raw.removesuffix(b"\r") if strip else raw, byte, encoding))
        byte += len(raw) + 1
    return lines


def _line(raw: bytes, byte: int, encoding: str) -> str | Flaw:
    nul, rest = raw.find(b"\0"), raw.decode(encoding, "replace")
    if nul >= 0:
        do = "check --encoding and --format"
        return Flaw("text", "a NUL byte", do, byte=byte + nul, rest=rest)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        found = f"the byte 0x{raw[error.start]:02x}"
        do = "say --encoding latin-1 or cp1252 if it is one of them"
        do = do if encoding == "utf-8" else "correct --encoding"
        at = byte + error.start
        return Flaw(f"text in {encoding}", found, do, byte=at, rest=rest)
