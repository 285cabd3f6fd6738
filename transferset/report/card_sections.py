"""Sections of a data card that are tables of the manifest: numbers, parts, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from transferset.manifest import Manifest
from transferset.report.corpus_table import HEADS, cells, corpus_rows
from transferset.report.lineage import Origin
from transferset.report.markdown import code, link, md, table
from transferset.report.wording import number, share, size

#: Most sources and parts that are listed.
MOST_SOURCES: Final = 100
MOST_PARTS: Final = 200


def section(title: str, *parts: str) -> str:
    """A section under its heading; nothing if it has no parts."""
    return "\n\n".join([f"## {title}", *parts]) if parts else ""


def numbers(manifest: Manifest) -> str:
    """Rows, tokens, bytes; the text that they were made from."""
    totals = manifest.totals
    rows = [
        ("rows", number(totals["rows"])),
        ("tokens", number(totals["tokens"])),
        ("tokens without [CLS], [SEP], [PAD], [MASK]", number(totals["content_tokens"])),
        ("bytes of rows (Arrow)", f"{totals['bytes']:,}"),
        ("shards", number(len(manifest.shards))),
    ]
    if "documents" in totals:
        rows.insert(0, ("documents", number(totals["documents"])))
    parts = [table(("", "number"), rows), *_corpus(manifest)]
    return section("Numbers", *parts)


def _corpus(manifest: Manifest) -> Iterator[str]:
    rows = corpus_rows(manifest)
    if rows:
        yield "### The text it was built from"
        bold = len(rows) - 1 or None  # a lone source needs no stress
        named = [f"**{md(one.name)}**" if i == bold else md(one.name) for i, one in enumerate(rows)]
        shown = [(name, *cells(one)) for name, one in zip(named, rows, strict=True)]
        yield table(("", *HEADS), shown)
        yield (
            "Text is UTF-8, words stand between white space; mean and median are words per "
            "sentence, the median exact."
        )


def parts_of(manifest: Manifest) -> str:
    """Parts of a mix by code, with their rows where the mix says so."""
    names, counts = manifest.params.get("parts"), manifest.params.get("counts")
    if not isinstance(names, list) or not names:
        return ""
    # counts are of the sets that were mixed; parts of a mix of mixes are finer
    known = counts if isinstance(counts, list) and len(counts) == len(names) else []
    heads = ("code", "part", *(("rows", "share") if known else ()))
    total = manifest.totals["rows"]
    rows = [
        (str(code), md(name), *((_count(known[code]), _share(known[code], total)) if known else ()))
        for code, name in enumerate(names[:MOST_PARTS])
    ]
    more = _more(len(names) - MOST_PARTS, "parts")
    return section("Parts", table(heads, rows, left=2), *more)


def _count(value: object) -> str:
    return number(value) if isinstance(value, int) else "–"


def _share(value: object, whole: int) -> str:
    return share(value, whole) if isinstance(value, int) else "–"


def sources(manifest: Manifest, retrieved: tuple[str, str]) -> str:
    """Files or pages that the rows come from."""
    if not manifest.sources:
        return ""
    heads = ("code", "file", "from", "language", "licence", "date", "size", "checksum")
    rows = [_source(one) for one in manifest.sources[:MOST_SOURCES]]
    first, last = retrieved
    when = f"from {first} to {last}" if first != last else f"on {first}"
    fetched = [f"Documents were retrieved {when}."] if first else []
    more = _more(len(manifest.sources) - MOST_SOURCES, "sources")
    return section("Sources", table(heads, rows, left=len(heads)), *more, *fetched)


def _source(entry: Mapping[str, Any]) -> tuple[str, ...]:
    origin = Origin.of(entry)
    return (
        str(entry["code"]), md(origin.file), link(origin.url) if origin.url else "–",
        md(origin.language, 20) or "–", md(origin.licence, 200) or "not stated",
        md(origin.date, 20) or "–", size(origin.bytes), _digest(origin) or "–",
    )  # fmt: skip


def _digest(origin: Origin) -> str:
    kind, _, digest = origin.digest.partition(" ")
    return f"{md(kind)} {code(digest)}" if digest else ""


def _more(count: int, what: str) -> list[str]:
    return [f"{count:,} more {what} stand in `manifest.json`."] if count > 0 else []
