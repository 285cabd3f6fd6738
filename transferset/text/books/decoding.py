"""From bytes to text: which encoding, in the order in which evidence is strong.

A byte order mark; strict UTF-8; UTF-16 and UTF-32 by where their NULs stand; ISO-2022-JP by its
escapes; what was declared; cp1252, then Latin-1, where the bytes are plausible in a Western
language; detection last. Bytes above 127 are valid in any one-byte encoding, so plausibility is
what keeps Russian, Japanese and Polish files from being read as cp1252.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from transferset.errors import InputError, sentence
from transferset.text.books.characters import holds_no_control
from transferset.text.books.detection import detected
from transferset.text.books.western import high_lines, looks_western

MOST_CONTROLS: Final = 0.01
"""Share of control characters above which bytes are no text."""

_BOMS: Final = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_C1: Final = re.compile(b"\xc2[\x80-\x84\x86-\x9f]")
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd]")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}")
_STATED: Final = re.compile(rb"\n(?:Character set )?encoding: *([A-Za-z0-9_.-]{1,40})", re.I)

#: Encodings that a declaration may name; Python knows others, which are no encodings of files.
_CHARSETS: Final = re.compile(
    r"big5|big5hkscs|cp\d{3,4}|euc_(?:jp|kr|jisx0213)|gb2312|gbk|gb18030|hz|iso2022_[a-z0-9_]+"
    r"|iso8859-\d+|johab|koi8-[rut]|mac-[a-z]+|shift_jis(?:_2004|x0213)?|tis-620|utf-(?:16|32)(?:-[lb]e)?"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and how it was read.

    Args:
        text: Holds no NUL, no lone surrogate, no U+FFFD and no control character but white space.
        encoding: Python's name of the encoding.
        removed: Number of characters that were taken out to make that so.
    """

    text: str
    encoding: str
    removed: int = 0


def decode(raw: bytes, declared: str | None = None) -> Decoded:
    """Decode the bytes of a plain text.

    Args:
        raw: The whole file.
        declared: What a server or a catalogue says; None looks for a line such as `Character set
            encoding: ISO-8859-1` in the first 4 KiB. A byte order mark and valid UTF-8 beat it.

    Returns:
        The text without its byte order mark, its encoding, and what was taken out.

    Raises:
        InputError: When the bytes are binary, damaged, or text in no encoding that can be told.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark) and (text := _strict(raw[len(mark) :], name)) is not None:
            return _readable(text, name)
    if raw.startswith(codecs.BOM_UTF8):
        raise _damaged(raw)
    if 0 in raw:
        return _with_nulls(raw)
    if b"\x1b$" in raw and (text := _strict(raw, "iso2022_jp")) is not None:
        return _readable(text, "iso2022_jp")
    text = _strict(raw, "utf-8")
    if text is not None:
        return _readable(text, "utf-8", raw)
    if _mostly_utf8(raw):
        raise _damaged(raw)
    return _one_byte_or_east_asian(raw, declared)


def _strict(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _readable(text: str, encoding: str, utf8: bytes | None = None) -> Decoded:
    """Take out what no text may hold; refuse a text that is full of it."""
    # scans for one byte are far faster than one for many characters
    raw = text.encode("utf-8") if utf8 is None else utf8
    if holds_no_control(raw) and (
        text.isascii() or (b"\xef\xbf\xbd" not in raw and not _C1.search(raw))
    ):
        return Decoded(text, encoding)
    clean = _CONTROLS.sub("", text)
    removed = len(text) - len(clean)
    if removed > 8 and removed > MOST_CONTROLS * len(text):
        raise InputError(
            sentence(
                "plain text", f"{removed} control or replacement characters of {len(text)}",
                do="leave binary or damaged files out",
            )
        )  # fmt: skip
    return Decoded(clean, encoding, removed)


def _with_nulls(raw: bytes) -> Decoded:
    """UTF-32 or UTF-16 without a mark: NULs stand where the high bytes of ASCII are."""
    for name in ("utf-32-le", "utf-32-be"):  # hardly anything else is valid in these
        text = _strict(raw, name)
        if text is not None and "\0" not in text:
            return _readable(text, name)
    even, odd = raw[0::2].count(0), raw[1::2].count(0)
    name = "utf-16-be" if even > odd else "utf-16-le"
    text = _strict(raw, name)
    if text is not None and "\0" not in text and _is_utf16(raw, min(even, odd), max(even, odd)):
        return _readable(text, name)
    raise InputError(
        sentence("plain text", "NUL bytes", f"byte {raw.index(0)}", "leave binary files out")
    )


def _is_utf16(raw: bytes, few: int, many: int) -> bool:
    """Whether enough NULs stand on one side, or the rest is not ASCII with a stray NUL."""
    if few * 20 > many:
        return False
    ascii_bytes = len(raw) - len(raw.translate(None, bytes(range(128))))
    return many * 40 >= len(raw) or (few == 0 and ascii_bytes < 0.9 * len(raw))


def _mostly_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8 with some damage: most of what is above 127 is valid."""
    text = raw.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    return sum(map(len, re.findall("[\x80-\ufffc\U00010000-\U0010ffff]+", text))) > bad


def _damaged(raw: bytes) -> InputError:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"byte {error.start}"
        found = f"byte 0x{raw[error.start]:02x} among UTF-8"
        return InputError(sentence("UTF-8", found, place, "get the file again"))
    raise AssertionError("valid UTF-8 is not damaged")


def _one_byte_or_east_asian(raw: bytes, declared: str | None) -> Decoded:
    stated = declared or _stated(raw)
    if (name := _charset(stated)) and (text := _strict(raw, name)) is not None:
        return _readable(text, name)
    lines = high_lines(raw)
    for name in ("cp1252", "latin-1"):
        text = _strict(raw, name)
        if text is not None and looks_western(lines.decode(name, "replace")):
            return _readable(text, name)
    if (name := detected(lines)) and (text := _strict(raw, name)) is not None:
        return _readable(text, name)
    raise InputError(
        sentence("plain text", "bytes of no known encoding", do="convert the file to UTF-8")
    )


def _stated(raw: bytes) -> str | None:
    """What a header of Project Gutenberg says."""
    match = _STATED.search(raw, 0, 4096)
    return match[1].decode("ascii") if match else None


def _charset(name: str | None) -> str | None:
    """Python's name of a declared encoding; None where it says nothing that helps.

    What calls itself ASCII, Latin-1 or UTF-8 and is neither ASCII nor UTF-8 is nearly always
    cp1252 (the WHATWG's Encoding Standard reads it so), and that is tried anyway.
    """
    if not name or not _NAME.fullmatch(name):
        return None
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return None
    if known in ("iso8859-1", "cp1252") or not _CHARSETS.fullmatch(known):
        return None
    return known
