"""The tables of a manifest of books, checked.

    [corpus]
    kind = "books"
    name = "gutenberg-en"                 # letters, digits, - and _
    title = "Project Gutenberg, en"
    language = "en"                       # BCP 47; mul for several
    licence = "Public domain in the USA"  # in words, of the whole; each book states its own
    note = "…"                            # optional, for people

    [retrieval]                           # optional: how the publisher wants to be asked
    mirror = "https://mirror.example"     # what a relative url below is relative to
    pause = 2.0                           # seconds between two requests, 0 to 3600
    terms = "https://…"                   # where the publisher says so

    [[book]]                              # one or more
    url = "cache/epub/1342/pg1342.txt"    # relative to the mirror, or a whole address
    alternatives = ["files/1342/1342-0.txt"]  # asked when there is nothing at url
    licence = "Public domain in the USA"  # this or rights is needed
    rights = "Public domain in the USA."  # as the source states it
    id = 1342                             # the catalogue's number; becomes the doc_id
    title = "…"                           # as are author, language, subjects
    issued = "1998-06-01"
    size = 772420                         # bytes, if they are known for certain
    sha256 = "…"                          # needed with http

The same as a table: a `.csv` with a header (`manifest_csv`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.sources.books.entries import MOST_BOOKS, PAUSE, BookEntry, BookManifest, is_day
from transferset.sources.slots import check_digest
from transferset.sources.tables import (
    Check,
    anything,
    integer,
    matching,
    number,
    read_table,
    text,
    then,
)
from transferset.sources.wikimedia import check_mirror


def manifest_of(tables: Mapping[str, Any], at: str) -> BookManifest:
    """Check the tables of a manifest.

    Args:
        tables: `corpus`, `retrieval` and `book`, as in the TOML file.
        at: The file, for messages.

    Returns:
        The manifest.

    Raises:
        UsageError: As `load_books`.
    """
    read_table(tables, _TOP, at)
    corpus = read_table(tables["corpus"], _CORPUS, f"{at}, [corpus]")
    del corpus["kind"]
    asked = read_table(tables.get("retrieval", {}), _RETRIEVAL, f"{at}, [retrieval]")
    mirror = asked.get("mirror")
    return BookManifest(
        **corpus,
        mirror=mirror,
        pause=asked.get("pause", PAUSE),
        terms=asked.get("terms"),
        entries=entries_of(tables["book"], mirror, lambda n: f"{at}, [[book]] {n}"),
    )


def entries_of(
    tables: Iterable[object], mirror: str | None, place: Callable[[int], str]
) -> tuple[BookEntry, ...]:
    """Check books, and that none stands twice.

    Args:
        tables: What each `[[book]]` has.
        mirror: What relative addresses are relative to, if they may be.
        place: Names the n-th of them, from 1, for messages.

    Returns:
        Them in the same order.

    Raises:
        UsageError: As `load_books`.
    """
    seen: set[int | str] = set()
    entries = []
    for ordinal, table in enumerate(tables, start=1):
        if ordinal > MOST_BOOKS:
            raise UsageError(sentence(f"at most {MOST_BOOKS:,} books", "more", place(ordinal)))
        entry = _entry(table, mirror, place(ordinal))
        for key in (entry.url, entry.id):
            if key in seen:
                found = f"{key} again"
                raise UsageError(sentence("every book once", found, place(ordinal), "remove it"))
            if key is not None:
                seen.add(key)
        entries.append(entry)
    return tuple(entries)


def _entry(table: object, mirror: str | None, at: str) -> BookEntry:
    values = read_table(table, BOOK, at)
    if not ("licence" in values or "rights" in values):
        do = "write what its source states"
        raise UsageError(sentence("a licence or rights for every book", "none", at, do))
    values["url"] = _whole(values["url"], mirror, at)
    values["alternatives"] = tuple(_whole(u, mirror, at) for u in values.get("alternatives", ()))
    if "sha256" not in values and _has_plain_http(values):
        do = "write its sha256, or https"
        raise UsageError(sentence("a digest with a plain http address", "none", at, do))
    values.setdefault("licence", values.get("rights", ""))
    return BookEntry(**{"id": None, **values})


def _has_plain_http(values: Mapping[str, Any]) -> bool:
    return any(url.startswith("http:") for url in (values["url"], *values["alternatives"]))


def _whole(url: str, mirror: str | None, at: str) -> str:
    if is_whole(url):
        return url
    if mirror is None:
        do = "write the whole address, or a mirror under [retrieval]"
        raise UsageError(sentence("an http or https address", url, at, do))
    return f"{mirror}/{url}"


def is_whole(url: str) -> bool:
    """Whether an address of a manifest stands by itself, without the mirror."""
    return url.startswith(("http://", "https://"))


def _some(value: object) -> object:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_BOOKS:
        raise ValueError(f"1 to {MOST_BOOKS:,} [[book]] tables")
    return value


def _books(value: Any) -> str:
    if value != "books":
        raise ValueError('kind = "books"')
    return "books"


def _url(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 2048 or not value.isprintable():
        raise ValueError("an http or https address of at most 2,048 characters")
    if not _ADDRESS.fullmatch(value):
        raise ValueError("an http or https address, or a path on the mirror")
    return value


def _urls(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 100:
        raise ValueError("a list of at most 100 addresses")
    return [_url(one) for one in value]


def _day(value: Any) -> str:
    if not is_day(value):
        raise ValueError('a date in quotation marks, such as "1998-06-01"')
    return str(value)


def _words(most: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise ValueError(f"a text of 1 to {most:,} characters")
        return value

    return check


# A whole address; or a path, which begins neither like `//host` nor like `scheme:`, so that below
# the mirror it stays on the mirror.
_ADDRESS = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/@\\\[\]:?#]+)(?::[0-9]{1,5})?(?:/\S*)?"
    r"|[^\s/\\:?#.][^\s\\:?#]*"
)
_HTTP = matching(r"https?://[^\s/@]+(/\S*)?", "an http or https address")
_TOP = {"corpus": (True, anything), "retrieval": (False, anything), "book": (True, _some)}
_CORPUS = {
    "kind": (True, _books),
    "name": (True, matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, - and _")),
    "title": (True, text),
    "language": (
        True,
        matching(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", "a language such as en or pt-BR"),
    ),
    "licence": (True, text),
    "note": (False, text),
}
_RETRIEVAL = {
    "mirror": (False, then(check_mirror)),
    "pause": (False, number(0, 3600)),
    "terms": (False, _HTTP),
}
#: Keys of a `[[book]]`, in the order in which they are written.
BOOK: Final[Mapping[str, tuple[bool, Check]]] = {
    "id": (False, integer(0, (1 << 63) - 1)),
    "url": (True, _url),
    "alternatives": (False, _urls),
    "title": (False, _words(16_384)),
    "author": (False, _words(16_384)),
    "language": (False, _words(256)),
    "licence": (False, text),
    "rights": (False, text),
    "subjects": (False, _words(65_536)),
    "issued": (False, _day),
    "size": (False, integer(0, 1 << 40)),
    "sha256": (False, then(lambda digest: check_digest("sha256", digest))),
}
