"""XHTML as a stream of tags and texts, in one pass whatever stands in it.

Not `html.parser`: with Python 3.11 its time grows with the square of the input on unclosed tags
and comments (60 kB of `<a ` take a minute). Here a tag ends before the next `<` or is none, and
what was searched for in vain is not searched for again.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import Final, NamedTuple

from transferset.errors import InputError, sentence

#: Encodings that a content file may declare; others of Python's are not for text, or not linear.
_ENCODINGS: Final = frozenset(
    codecs.lookup(name).name
    for name in (
        *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "koi8-u", "mac-roman"),
        *(f"iso8859-{part}" for part in range(1, 17) if part != 12),
        *(f"cp{page}" for page in (874, 932, 936, 949, 950, *range(1250, 1259))),
        *("shift_jis", "euc_jp", "euc_kr", "gb2312", "gbk", "gb18030", "big5"),
    )
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
_DECLARED: Final = re.compile(
    rb"\s{0,99}<\?xml\s[^>]{0,200}?\bencoding\s{0,9}=\s{0,9}[\"']([\w.:-]{1,40})"
)
_NAME: Final = r"<(/?)([A-Za-z][^\s/<>]*+)"
_TAG: Final = re.compile(_NAME + r"((?:[^<>\"']++|\"[^<\"]*+\"|'[^<']*+')*+)>")
_LOOSE_TAG: Final = re.compile(_NAME + r"([^<>]*+)>")
_ATTRIBUTE: Final = re.compile(
    r"([^\s=<>\"'/]++)\s*+(?:=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++)))?"
)
#: Longest name and attributes of a tag that is remembered; a book has few tags, often.
_REMEMBERED: Final = 200
_RAW: Final = frozenset(["script", "style"])


class Tag(NamedTuple):
    """A tag: its name in small letters without a prefix, and its attributes as written."""

    name: str
    attributes: str
    opens: bool
    closes: bool


class Comment(NamedTuple):
    """What a reader never sees: a comment, the text of a script or a style sheet."""

    text: str


#: What a content file is a stream of; texts come with their entities resolved.
Token = Tag | Comment | str


def decoded(raw: bytes, at: str) -> str:
    """Decode a content file by its byte order mark, else its XML declaration, else as UTF-8.

    Args:
        raw: The file.
        at: What messages call it.

    Returns:
        Its text.

    Raises:
        InputError: The encoding is unknown, or is not that of the bytes.
    """
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "")
    declared = _DECLARED.match(raw)
    if not encoding:
        encoding = declared.group(1).decode("ascii", "replace") if declared else "utf-8"
    try:
        if codecs.lookup(encoding).name not in _ENCODINGS:
            raise LookupError
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise InputError(sentence("a known encoding of text", repr(encoding), at)) from None
    except UnicodeDecodeError as error:
        found = f"byte 0x{raw[error.start]:02x}" if error.start < len(raw) else "a cut character"
        where = f"{at}, byte {error.start}"
        raise InputError(sentence(f"text in {encoding}", found, where)) from None


def tokens(text: str, at: str) -> Iterator[Token]:
    """Cut a content file into tags and texts.

    Args:
        text: The file.
        at: What messages call it.

    Yields:
        What it holds, in order. A `<` that begins nothing is text.

    Raises:
        InputError: It declares entities.
    """
    search = _Search(text)
    place = 0
    while place < len(text):
        start = text.find("<", place)
        if start < 0:
            start = len(text)
        if start > place:
            yield _plain(text[place:start])
        if start == len(text):
            return
        tag = _TAG.match(text, start) or _LOOSE_TAG.match(text, start)
        if tag is None:
            token, place = _other(text, start, search, at)
            yield token
            continue
        token = _tag(tag)
        yield token
        place = tag.end()
        if token.name in _RAW and token.opens and not token.closes:
            end, _ = search.find(f"</{token.name}", place)
            yield Comment(text[place:end])
            place = end


class _Search:
    """Finds what ends a thing; no part of a text is searched for the same end twice."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last: dict[str, tuple[int, int, int]] = {}

    def find(self, pattern: str, start: int) -> tuple[int, int]:
        """Where it begins and ends from `start` on; if nowhere, the text's end for both."""
        since, begin, end = self._last.get(pattern, (len(self._text) + 1, 0, 0))
        if not since <= start <= begin:
            found = re.compile(pattern, re.IGNORECASE).search(self._text, start)
            begin, end = found.span() if found else (len(self._text), len(self._text))
            self._last[pattern] = (start, begin, end)
        return begin, end


def _plain(text: str) -> str:
    return unescape(text) if "&" in text else text


def _tag(found: re.Match[str]) -> Tag:
    slash, name, attributes = found.groups()
    if len(attributes) > _REMEMBERED or len(name) > _REMEMBERED:
        return _made_tag(slash, name, attributes)
    return _remembered_tag(slash, name, attributes)


def _made_tag(slash: str, name: str, attributes: str) -> Tag:
    closes = bool(slash) or attributes.endswith("/")
    return Tag(name.rpartition(":")[2].lower(), attributes, not slash, closes)


_remembered_tag = lru_cache(maxsize=4096)(_made_tag)


#: What begins a thing, what ends it, whether its inside is text.
_OTHERS: Final = (
    ("<!--", "-->", False),
    ("<![CDATA[", r"\]\]>", True),
    ("<?", ">", False),
    ("<!", ">", False),
)


def _other(text: str, start: int, search: _Search, at: str) -> tuple[Token, int]:
    for opening, closing, is_text in _OTHERS:
        if not text.startswith(opening, start):
            continue
        inside = start + len(opening)
        begin, end = search.find(closing, inside)
        if begin == len(text):  # it never ends: what follows is not lost with it
            return Comment(opening), inside
        if opening == "<!":
            begin, end = _end_of_doctype(text, start, (begin, end), search, at)
        between = text[inside:begin]
        return between if is_text else Comment(between), end
    return "<", start + 1


def _end_of_doctype(
    text: str, start: int, end: tuple[int, int], search: _Search, at: str
) -> tuple[int, int]:
    """A document type ends at its first `>`, or if it holds declarations behind their `]`."""
    if "[" in text[start : end[0]]:
        behind = search.find(r"\]\s*+>", start)
        end = end if behind[0] == len(text) else behind
    if "<!ENTITY" in text[start : end[0]]:
        found, do = "a declaration of entities", "such files can be attacks"
        raise InputError(sentence("plain XHTML", found, at, do))
    return end


def attributes_of(written: str) -> dict[str, str]:
    """The attributes of a tag by their names in small letters; the first of a name counts."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(written):
        found.setdefault(name.lower(), _plain(double or single or bare))
    return found
