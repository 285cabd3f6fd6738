"""JSON lines: one record a line (jsonlines.org), plain or compressed.

A line belongs to the part in which it begins, so parts may be cut at any byte. Lines end at a
line feed and nowhere else: U+2028 and its like are characters of a text.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from transferset.errors import InputError, sentence
from transferset.ledger import Reason
from transferset.sources.records.fields import check_field, dig, find_field
from transferset.sources.records.reading import PART_BYTES, Found, RecordPart
from transferset.sources.records.rows import MOST_BYTES, Unusable

#: How the name of a compressed file ends, and what Arrow calls it. Its reader refuses a cut file
#: and bytes after the last member, where `bz2.open` ends as if nothing were wrong.
COMPRESSIONS: Final = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}

#: Objects, and bytes, at the beginning of a file from which its fields are known.
_HEAD_OBJECTS: Final = 100
_HEAD_BYTES: Final = 8 << 20

#: Objects inside of objects whose fields are offered.
_DEEPEST: Final = 4

#: Lists and objects inside of each other.
DEEPEST: Final = 100

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(r"[\[\]{}]")
_BUFFER: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_WRITE_LINES: Final = "write one JSON object a line, as `jq -c '.[]'` does"
_COPY: Final = "copy the file again from where it comes"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its first byte, and its bytes or, when it is too long, its length."""

    byte: int
    raw: bytes | None
    length: int


def field_of(path: Path, field: str | None) -> str:
    """Check that a file holds JSON lines and find the field of the text.

    Args:
        path: The file.
        field: What the user calls it; None finds it among the first objects.

    Raises:
        InputError: The file begins with no line of JSON.
        UsageError: There is no such field, or it is not clear which.
    """
    strings, objects, problem = _head(path)
    if not objects:
        if problem is not None:
            raise InputError(sentence("JSON objects, one a line", problem[1], problem[0]))
        return field or "text"  # nothing but empty lines: there is nothing to be unclear about
    if field is None:
        return find_field(strings, str(path))
    check_field(field, strings, str(path))
    return field


def _head(path: Path) -> tuple[list[str], int, tuple[str, str] | None]:
    """Names of members that are strings, how many objects, and the first line that is none."""
    strings: dict[str, None] = {}
    objects, problem = 0, None
    for number, line in enumerate(_lines(path, 0, path.stat().st_size)):
        if line.byte == 0:
            _check_start(path, (line.raw or b"")[:40])
        if line.byte > _HEAD_BYTES or objects == _HEAD_OBJECTS:
            break
        try:
            row = _object(line)
        except Unusable as error:
            problem = problem or (f"{path}, line {number + 1}, byte {line.byte}", error.found)
            continue
        if row is not None:
            objects += 1
            strings.update(dict.fromkeys(_strings(row)))
    return list(strings), objects, problem


def _check_start(path: Path, start: bytes) -> None:
    at = f"{path}, byte 0"
    if start.startswith(_WIDE):
        raise InputError(sentence("UTF-8", "UTF-16", at, "convert it with `iconv -t UTF-8`"))
    if start.removeprefix(_BOM).lstrip().startswith(b"["):
        raise InputError(sentence("JSON objects, one a line", "a JSON array", at, _WRITE_LINES))
    if start.startswith(b"version https://git-lfs"):
        found = "a Git LFS pointer instead of the file"
        raise InputError(sentence("JSON objects, one a line", found, at, "run `git lfs pull`"))


def _strings(row: dict[str, object], depth: int = 0) -> list[str]:
    """Names of members that are strings or null; of objects inside they have dots."""
    names = []
    for name, value in row.items():
        if value is None or isinstance(value, str):
            names.append(name)
        elif isinstance(value, dict) and depth < _DEEPEST:
            names += [f"{name}.{rest}" for rest in _strings(value, depth + 1)]
    return names


def parts(path: Path, size: int, target: int = PART_BYTES) -> list[RecordPart]:
    """Cut a file into ranges of bytes; a compressed one is one part.

    Args:
        path: The file.
        size: Its bytes.
        target: Bytes of a part, at least 1.
    """
    if path.suffix.lower() in COMPRESSIONS:
        return [RecordPart(0, 0, size)]
    starts = range(0, size, target)
    return [RecordPart(i, at, min(at + target, size)) for i, at in enumerate(starts)]


def read(path: Path, field: str, part: RecordPart) -> Iterator[Found]:
    """Read the lines that begin in a part.

    Yields:
        What stands on each line.

    Raises:
        InputError: The file cannot be read, or its compressed bytes are damaged.
    """
    for line in _lines(path, part.start, part.stop):
        try:
            row = _object(line)
            if row is None:
                yield Found(byte=line.byte, blank=True)
                continue
            yield Found(_member(row, field), row, line.byte)
        except Unusable as error:
            yield Found(byte=line.byte, problem=error)


def _member(row: dict[str, object], field: str) -> object:
    try:
        return dig(row, field)
    except KeyError:
        raise Unusable(Reason.MALFORMED, f"no field {field}") from None


def too_deep(text: str) -> bool:
    """Whether lists and objects stand deeper than `DEEPEST` in each other.

    The parser's own limit depends on how deep its caller stands, and so would the set.
    """
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for mark in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if mark in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _object(line: Line) -> dict[str, object] | None:
    """The object on a line; None on a line of white space.

    Of a name that comes twice the last one counts, as in Python, jq and JavaScript. NaN and
    Infinity, which are no JSON, pass: Python and pandas write them where a value is missing.
    """
    if line.raw is None:
        raise Unusable(Reason.MALFORMED, f"a line of {line.length:,} bytes")
    raw = line.raw.removeprefix(_BOM) if line.byte == 0 else line.raw
    if not raw or raw.isspace():
        return None
    try:
        text = raw.decode()  # json.loads of bytes lets halves of surrogate pairs pass
        if too_deep(text):
            raise Unusable(Reason.MALFORMED, f"objects more than {DEEPEST} deep")
        row = json.loads(text)
    except UnicodeDecodeError as error:
        raise Unusable(Reason.MALFORMED, f"{error.reason}, no UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Unusable(Reason.MALFORMED, f"no JSON ({str(error)[:100]})") from None
    if not isinstance(row, dict):
        raise Unusable(Reason.MALFORMED, f"{type(row).__name__} instead of an object")
    return row


def _lines(path: Path, start: int, stop: int) -> Iterator[Line]:
    """Lines that begin from byte `start` up to `stop`, of a compressed file all."""
    with _opened(path) as (file, compressed):
        at = start
        if start and not compressed:
            file.seek(start - 1)
            # no further than the part: a file of one endless line would be read by each part
            at = start - 1 + _skip(file, stop - start + 1)
        while compressed or at < stop:
            raw = file.readline(MOST_BYTES + 1)
            if not raw:
                break
            length = len(raw)
            if length > MOST_BYTES and not raw.endswith(b"\n"):
                length += _skip(file)
            yield Line(at, raw if length <= MOST_BYTES else None, length)
            at += length


def _skip(file: BinaryIO, most: float = inf) -> int:
    """Pass what is left of a line, `most` bytes of it at most; how many that was."""
    passed = 0
    while passed < most:
        raw = file.readline(int(min(_BUFFER, most - passed)))
        passed += len(raw)
        if not raw or raw.endswith(b"\n"):
            break
    return passed


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    kind = COMPRESSIONS.get(path.suffix.lower())
    try:
        if kind is None:
            with path.open("rb", _BUFFER) as file:
                yield file, False
        else:
            with pa.input_stream(str(path), kind, _BUFFER) as stream:
                yield io.BufferedReader(stream, _BUFFER), True
    except (OSError, pa.ArrowException) as error:
        found = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError(sentence("a readable file", found, str(path), _COPY)) from None
