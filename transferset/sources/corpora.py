"""Corpora manifests: a TOML file that says what a corpus is made of.

    [corpus]
    name = "simplewiki"                   # letters, digits, - and _
    title = "Simple English Wikipedia"
    language = "en"                       # BCP 47
    licence = "CC BY-SA 4.0 and GFDL"     # in words, for every part that has no own one
    homepage = "https://…"                # optional, as are attribution and note
    attribution = "…"

    [retrieval]                           # optional: how the publisher wants to be asked
    mirror = "https://dumps.wikimedia.org"
    connections = 2                       # 1 or 2
    pause = 0.0                           # seconds between two requests, 0 to 3600
    terms = "https://…"                   # where the publisher says so

    [[part]]                              # one or more; each has one of wiki, url, path
    wiki = "simplewiki"
    date = "latest"                       # or YYYYMMDD

    [[part]]
    url = "https://…/file.xml.bz2"
    name = "file.xml.bz2"                 # optional: its name in the cache
    size = 123456                         # bytes; optional
    sha256 = "…"                          # and sha1, blake3; optional, needed with http
    licence = "…"

    [[part]]
    path = "mine.xml"                     # relative to the manifest

What a part pins (`CorpusPart.pins`): a digest pins the *bytes*; a wiki with a date pins
the *date*, that is whatever the publisher lists for it; `latest` or a bare address pins
*nothing*, and only the built set's own manifest says what it was made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from transferset.errors import UsageError, sentence
from transferset.sources.cache import DIGEST_LENGTHS
from transferset.sources.slots import check_digest, check_name
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
from transferset.sources.wikimedia import check_date, check_mirror, check_wiki
from transferset.toml import read_toml

_MOST_BYTES = 1 << 20
_MOST_PARTS = 100_000
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"


@dataclass(frozen=True, slots=True)
class CorpusPart:
    """One part: files of a wiki's dump, an address, or a local file.

    Args:
        wiki: Code of a wiki; with `date`, `YYYYMMDD` or `latest`.
        url: An address.
        path: A local file.
        name: File name in the cache (of an address).
        size: Bytes, if stated.
        digests: Stated digests by algorithm.
        licence: Licence in words; of the corpus unless stated.
        date: Date of the content; for a wiki also which dump.
    """

    licence: str
    wiki: str | None = None
    url: str | None = None
    path: Path | None = None
    name: str | None = None
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    date: str | None = None

    @property
    def pins(self) -> str:
        """What a second reader will get: the same `bytes`, the same `date`, or `nothing`."""
        if self.digests:
            return "bytes"
        return "date" if self.wiki is not None and self.date != "latest" else "nothing"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How the publisher wants to be asked; see the module's text."""

    mirror: str | None = None
    connections: int = 2
    pause: float = 0.0
    terms: str | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpora manifest as read; see the module's text for the fields."""

    name: str
    title: str
    language: str
    licence: str
    parts: tuple[CorpusPart, ...]
    retrieval: Retrieval
    homepage: str | None = None
    attribution: str | None = None
    note: str | None = None


def load_corpus(path: Path) -> Corpus:
    """Read a corpora manifest.

    Args:
        path: A TOML file of at most 16 MiB.

    Returns:
        The corpus; local paths are joined with the manifest's folder.

    Raises:
        InputError: Not a readable TOML file.
        UsageError: A key is unknown, missing, or its value is not one it can have.
    """
    tables = read_table(_toml(path), _TOP, str(path))
    corpus = read_table(tables["corpus"], _CORPUS, f"{path}, [corpus]")
    retrieval = read_table(tables.get("retrieval", {}), _RETRIEVAL, f"{path}, [retrieval]")
    parts = tuple(
        _part(table, corpus["licence"], path, f"{path}, [[part]] {ordinal}")
        for ordinal, table in enumerate(tables["part"], start=1)
    )
    _check_names(parts, path)
    return Corpus(parts=parts, retrieval=Retrieval(**retrieval), **corpus)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, _MOST_BYTES)
    except OSError as error:
        found = error.strerror or str(error)
        raise UsageError(sentence("a corpora manifest", found, str(path))) from None


def _part(table: object, licence: str, manifest: Path, at: str) -> CorpusPart:
    values = read_table(table, _PART, at)
    kinds = [kind for kind in ("wiki", "url", "path") if kind in values]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none of them"
        raise UsageError(sentence("one of wiki, url, path", found, at))
    kind = kinds[0]
    strays = [key for key in values if kind not in _BELONGS.get(key, (kind,))]
    if strays:
        raise UsageError(sentence(f"keys that go with {kind}", strays[0], at, "remove it"))
    digests = {name: values.pop(name) for name in DIGEST_LENGTHS if name in values}
    part = CorpusPart(**{"licence": licence, **values, "digests": digests})
    return _completed(part, manifest, at)


def _completed(part: CorpusPart, manifest: Path, at: str) -> CorpusPart:
    changes: dict[str, Any] = {}
    if part.wiki is not None and part.date is None:
        raise UsageError(sentence("a date beside wiki", "none", at, 'write date = "latest"'))
    if part.wiki is None and part.date == "latest":
        raise UsageError(sentence("a date YYYYMMDD", "latest without a wiki", at))
    if part.path is not None:
        changes["path"] = manifest.parent / part.path
    if part.url is not None:
        if part.url.startswith("http:") and not part.digests:
            do = "write its sha256, or https"
            raise UsageError(sentence("a digest with a plain http address", "none", at, do))
        changes["name"] = part.name or _name_of(part.url, at)
    return replace(part, **changes)


def _name_of(url: str, at: str) -> str:
    try:
        return check_name(urlsplit(url).path.rpartition("/")[2])
    except ValueError as error:
        raise UsageError(sentence("a url", f"{url!r} ({error})", at)) from None
    except UsageError as error:
        raise UsageError(sentence("a name beside the url", str(error), at)) from None


def _check_names(parts: tuple[CorpusPart, ...], path: Path) -> None:
    seen: set[str] = set()
    for ordinal, part in enumerate(parts, start=1):
        key = part.name or str(part.path or f"{part.wiki}@{part.date}")
        if key in seen:
            at = f"{path}, [[part]] {ordinal}"
            raise UsageError(
                sentence("every part once", f"{key} again", at, "remove it or name it")
            )
        seen.add(key)


def _tables(value: object) -> list[object]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_PARTS:
        raise ValueError(f"1 to {_MOST_PARTS} [[part]] tables")
    return value


def _local(value: object) -> Path:
    return Path(text(value))


def _digest(algorithm: str) -> Check:
    return lambda value: check_digest(algorithm, text(value))


_HTTP = matching(r"https?://[^\s/@]+(/\S*)?", "an http or https address")
_TOP = {"corpus": (True, anything), "retrieval": (False, anything), "part": (True, _tables)}
_CORPUS = {
    "name": (True, matching(_NAME, "1 to 64 letters, digits, - and _")),
    "title": (True, text),
    "language": (True, matching(_LANGUAGE, "a language such as en or pt-BR")),
    "licence": (True, text),
    "homepage": (False, _HTTP),
    "attribution": (False, text),
    "note": (False, text),
}
_RETRIEVAL = {
    "mirror": (False, then(check_mirror)),
    "connections": (False, integer(1, 2)),
    "pause": (False, number(0, 3600)),
    "terms": (False, _HTTP),
}
_PART = {
    "wiki": (False, then(check_wiki)),
    "url": (False, _HTTP),
    "path": (False, _local),
    "date": (False, then(check_date)),
    "name": (False, then(check_name)),
    "size": (False, integer(0, 1 << 40)),
    **{algorithm: (False, _digest(algorithm)) for algorithm in DIGEST_LENGTHS},
    "licence": (False, text),
}
_STORED = ("url", "path")
#: Keys that go with some kinds of part only.
_BELONGS = {"name": ("url",), "size": _STORED, **dict.fromkeys(DIGEST_LENGTHS, _STORED)}
