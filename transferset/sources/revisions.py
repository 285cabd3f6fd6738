"""One `<page>` element: what it is, whether it is wanted, and its newest text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from transferset.ledger import Ledger, Reason

#: Content models whose text is wikitext.
WIKITEXT = (b"", b"wikitext")

_REFERENCE = re.compile(rb"&(?:(\w{1,8})|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));|&")
_NAMED = {b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'", b"amp": b"&"}
#: The characters of XML 1.0, § 2.2.
_CHARACTERS = ((9, 10, 13), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(1 << 16, 0x110000))
_REDIRECT = re.compile(r"\s*#redirect\b", re.IGNORECASE)


class Malformed(ValueError):
    """XML that no export would contain; carries what was expected and what was found."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected, self.found = expected, found


@dataclass(frozen=True, slots=True)
class Page:
    """An article.

    Attributes:
        title: With its namespace prefix, if any.
        doc_id: The page's number in its wiki.
        rev_id: The number of the revision that `text` is; 0 when the dump does not say.
        text: Wikitext, never blank.
    """

    title: str
    doc_id: int
    rev_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pages are wanted, and what old exports need to tell.

    Attributes:
        namespaces: Keys of the namespaces that are read.
        prefixes: Key by local name, for exports whose pages have no `<ns>` (before 0.6).
        version: Minor version of the export format.
    """

    namespaces: frozenset[int]
    prefixes: Mapping[str, int]
    version: int


@dataclass(frozen=True, slots=True)
class _Revision:
    timestamp: bytes
    number: int
    model: bytes
    text: bytes


def read_page(xml: bytes, wanted: Wanted, ledger: Ledger) -> Page | Reason:
    """Read a page's newest revision, or tell why it is not wanted.

    The newest is the one with the latest timestamp, then the highest number; of a page that is not
    left out by its title or redirect, each other one counts as older.

    Args:
        xml: From `<page>` to `</page>`.
        wanted: Which pages are wanted.
        ledger: Takes the count of older revisions.

    Returns:
        The page, or the reason for which it is left out.

    Raises:
        Malformed: The element is not what an export contains; nothing was counted.
    """
    if b"\0" in xml:
        raise Malformed("text", "bytes that are zero")
    stop = xml.find(b"<revision>")
    head = xml if stop < 0 else xml[:stop]
    title = decode_text(_element(head, b"title"))
    if _namespace(head, title, wanted) not in wanted.namespaces:
        return Reason.OTHER_NAMESPACE
    if b"<redirect" in head:
        return Reason.REDIRECT
    doc_id = _number(_element(head, b"id"))
    revisions = list(_revisions(xml, stop))
    newest = max(revisions, key=lambda r: (r.timestamp, r.number), default=None)
    text = "" if newest is None else decode_text(newest.text)
    if len(revisions) > 1:
        ledger[Reason.OLDER_REVISION] += len(revisions) - 1
    if newest is not None and newest.model not in WIKITEXT:
        return Reason.OTHER_MODEL
    if newest is None or not text or text.isspace():
        return Reason.NO_TEXT
    # Before 0.4 only the text tells a redirect; the English word works on every wiki.
    if wanted.version < 4 and _REDIRECT.match(text):
        return Reason.REDIRECT
    return Page(title, doc_id, newest.number, text)


def unescape(raw: bytes) -> bytes:
    """Resolve XML's five entities and character references, once.

    Raises:
        Malformed: Another entity, a bare `&`, or a reference to no character of XML.
    """
    if b"&" not in raw:
        return raw
    text = raw.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&quot;", b'"')
    if text.count(b"&") != text.count(b"&amp;"):
        return _REFERENCE.sub(_resolve, raw)
    return text.replace(b"&amp;", b"&")


def decode_text(raw: bytes) -> str:
    """Resolve references, decode UTF-8, and make each line end a line feed.

    Raises:
        Malformed: The bytes are not UTF-8, or hold a reference that XML does not have.
    """
    try:
        text = unescape(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("UTF-8", f"byte 0x{error.object[error.start]:02x}") from error
    return text.replace("\r\n", "\n") if "\r" in text else text


def _resolve(match: re.Match[bytes]) -> bytes:
    name, decimal, hexadecimal = match.groups()
    if name in _NAMED:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal or b"0", 16)
    if any(code in span for span in _CHARACTERS):
        return chr(code).encode()
    raise Malformed("one of XML's five entities", match.group().decode())


def _element(xml: bytes, name: bytes) -> bytes:
    """Return what stands between `<name>` and `</name>`, empty where it is missing."""
    start = xml.find(b"<%b>" % name)
    if start < 0:
        return b""
    start += len(name) + 2
    stop = xml.find(b"<", start)
    if not xml.startswith(b"</%b>" % name, stop):
        raise Malformed(f"</{name.decode()}>", xml[stop : stop + 20].decode("utf-8", "replace"))
    return xml[start:stop]


def _number(raw: bytes) -> int:
    if not raw.isdigit() or len(raw) > 19:
        raise Malformed("a number", raw[:30].decode("utf-8", "replace") or "nothing")
    return int(raw)


def _namespace(head: bytes, title: str, wanted: Wanted) -> int:
    key = _element(head, b"ns")
    if key:
        sign = -1 if key.startswith(b"-") else 1
        return sign * _number(key.removeprefix(b"-"))
    prefix, colon, _ = title.partition(":")
    return wanted.prefixes.get(prefix.strip(), 0) if colon else 0


def _revisions(xml: bytes, at: int) -> Iterator[_Revision]:
    while at >= 0:
        stop = xml.find(b"</revision>", at)
        if stop < 0:
            raise Malformed("</revision>", "</page>")
        start = xml.find(b"<text", at, stop)
        text, after = _text_element(xml, start) if start >= 0 else (b"", stop)
        yield _revision(xml[at:start] if start >= 0 else xml[at:stop], text, xml[after:stop])
        at = xml.find(b"<revision>", stop)


def _revision(before: bytes, text: bytes, after: bytes) -> _Revision:
    # The number is the revision's first element; a later <id> is its author's.
    own = before.partition(b"<timestamp>")[0].partition(b"<contributor")[0]
    number = _element(own, b"id")
    # Export 0.8 has the model after the text; in 0.11 further slots follow in <content>.
    model = _element(before, b"model") or _element(after.partition(b"<content>")[0], b"model")
    return _Revision(_element(before, b"timestamp"), _number(number) if number else 0, model, text)


def _text_element(xml: bytes, start: int) -> tuple[bytes, int]:
    """Return the raw text of the element at `start` and the offset of its end."""
    shut = xml.find(b">", start)
    if shut < 0 or xml[start + 5 : start + 6] not in (b" ", b">", b"/", b"\n", b"\t"):
        raise Malformed("<text …>", xml[start : start + 20].decode("utf-8", "replace"))
    if xml[shut - 1] == 0x2F:
        return b"", shut + 1
    stop = xml.find(b"<", shut + 1)
    if not xml.startswith(b"</text>", stop):
        raise Malformed("</text>", xml[stop : stop + 20].decode("utf-8", "backslashreplace"))
    return xml[shut + 1 : stop], stop + 7
