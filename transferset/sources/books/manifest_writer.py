"""Manifests of books, written so that `load_books` reads back the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.sources.books.entries import BookEntry, BookManifest
from transferset.sources.books.manifest_tables import BOOK, is_whole, manifest_of
from transferset.toml import LONGEST_LINE

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}
#: Characters of an escaped text in one line, whatever stands before and after it.
_ROOM: Final = LONGEST_LINE - 100


def write_books(manifest: BookManifest) -> bytes:
    """Write a manifest in TOML.

    Args:
        manifest: A manifest that `load_books` could have read.

    Returns:
        UTF-8, with lines that `transferset.toml` accepts. Addresses on the mirror are written
        without it, so that another mirror is one line to change. Equal manifests give equal bytes.

    Raises:
        UsageError: No such manifest can be read back: a text is too long, a book lacks licence
            and rights, there is none.
    """
    tables = _tables(manifest)
    if manifest_of(tables, "the manifest") != manifest:
        raise UsageError(sentence("a manifest that reads back the same", "another", manifest.name))
    lines = [*_table("[corpus]", tables["corpus"])]
    if tables["retrieval"]:
        lines += ["", *_table("[retrieval]", tables["retrieval"])]
    for book in tables["book"]:
        lines += ["", *_table("[[book]]", book)]
    try:
        return ("\n".join(lines) + "\n").encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"U+{ord(error.object[error.start]):04X}"
        raise UsageError(sentence("text in UTF-8", found, "the manifest")) from None


def _tables(manifest: BookManifest) -> dict[str, Any]:
    corpus: dict[str, Any] = {"kind": "books"}
    for key in ("name", "title", "language", "licence", "note"):
        if getattr(manifest, key) or key != "note":
            corpus[key] = getattr(manifest, key)
    asked = {"mirror": manifest.mirror, "pause": manifest.pause, "terms": manifest.terms}
    retrieval = {key: value for key, value in asked.items() if value is not None}
    books = [_book(entry, manifest.mirror) for entry in manifest.entries]
    return {"corpus": corpus, "retrieval": retrieval, "book": books}


def _book(entry: BookEntry, mirror: str | None) -> dict[str, Any]:
    stated = {f.name: getattr(entry, f.name) for f in fields(entry)}
    kept = {key: stated[key] for key in BOOK if stated[key] not in (None, "", ())}
    kept["url"] = _short(entry.url, mirror)
    if entry.alternatives:
        kept["alternatives"] = [_short(url, mirror) for url in entry.alternatives]
    return kept


def _short(url: str, mirror: str | None) -> str:
    if mirror is None or not url.startswith(f"{mirror}/"):
        return url
    path = url[len(mirror) + 1 :]
    odd = is_whole(path) or not path or path[0] in "/." or any(c in path for c in ":?#\\")
    return url if odd else path


def _table(head: str, values: dict[str, Any]) -> Iterator[str]:
    yield head
    for key, value in values.items():
        if isinstance(value, list):
            yield from _array(key, [_text(one) for one in value])
        else:
            yield f"{key} = {_text(value) if isinstance(value, str) else repr(value)}"


def _array(key: str, texts: list[str]) -> Iterator[str]:
    line = f"{key} = [{', '.join(texts)}]"
    if len(line) <= _ROOM and "\n" not in line:
        yield line
    else:
        yield f"{key} = ["
        yield from (f"  {text}," for text in texts)
        yield "]"


def _text(text: str) -> str:
    if text.isprintable() and len(text) <= _ROOM and '"' not in text and "\\" not in text:
        return f'"{text}"'
    pieces = [_escaped(c) for c in text]
    if sum(map(len, pieces)) <= _ROOM:
        return f'"{"".join(pieces)}"'
    return '"""\\\n' + "\\\n".join(_lines(pieces)) + '"""'


def _escaped(c: str) -> str:
    # Whatever could not be seen, or would turn the text around it, stands as a number.
    if c in _ESCAPES:
        return _ESCAPES[c]
    if c.isprintable() or "\ud800" <= c <= "\udfff":
        return c
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"


def _lines(pieces: list[str]) -> Iterator[str]:
    line: list[str] = []
    length = 0
    for piece in pieces:
        if length + len(piece) > _ROOM:
            yield "".join(line)
            line, length = [], 0
        # a reader drops white space that a line begins with
        line.append("\\u0020" if piece == " " and not line else piece)
        length += len(line[-1])
    yield "".join(line)
