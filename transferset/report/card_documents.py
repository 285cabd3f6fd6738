"""Sections of a data card that its documents tell: licences, authors, languages, attribution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from transferset.documents import DOCUMENTS
from transferset.manifest import Manifest
from transferset.report.card_header import licences
from transferset.report.document_counts import DocumentCounts
from transferset.report.licences import spdx, spdx_names
from transferset.report.markdown import code, items, md, table
from transferset.report.tally import Tally
from transferset.report.wording import number, share

#: Most licences, authors and languages that are listed.
MOST_LICENCES, MOST_AUTHORS, MOST_LANGUAGES = 20, 10, 20

#: Sites whose pages stand at `/w/index.php?oldid=`, by the end of their host.
_WIKIMEDIA: Final = tuple(
    f".{name}.org"
    for name in (
        "wikipedia", "wiktionary", "wikibooks", "wikinews", "wikiquote", "wikisource",
        "wikiversity", "wikivoyage",
    )
)  # fmt: skip

_ABOUT: Final = (
    f"`{DOCUMENTS}` has title, author, licence, address and date of each document; that of a row "
    "is the one with its"
)


def licence_section(manifest: Manifest, counts: DocumentCounts | None) -> list[str]:
    """Licences of the set and by documents, and what they ask for."""
    stated = md(manifest.licence.rstrip(". "), 300) or "not stated"
    name = spdx(manifest.licence)
    parts = [f"Licence, as the sources state it: {stated}{f' (SPDX: {name})' if name else ''}."]
    if counts is not None and counts.documents:
        parts += _tally("licence", counts.licences, counts, manifest, MOST_LICENCES)
    asked = _asked(licences(manifest, counts))
    return [*parts, *([items(asked)] if asked else [])]


def _asked(stated: Sequence[str]) -> list[str]:
    """What the licences ask for, as far as their names say it."""
    names = {name for licence in stated for name in spdx_names(licence)}
    creative = {frozenset(name.split("-")) for name in names if name.startswith("CC-BY")}
    gfdl = any(name.startswith("GFDL") for name in names)
    asks = [
        ("Attribution: name the authors and the licence wherever the text is passed on",
         bool(creative) or gfdl),
        ("Share-alike: what is made from the text may be passed on under the same licence only",
         any("SA" in parts for parts in creative) or gfdl),
        ("Non-commercial: some of the text must not be used for commercial purposes",
         any("NC" in parts for parts in creative)),
        ("No derivatives: some of the text must not be passed on in changed form",
         any("ND" in parts for parts in creative)),
    ]  # fmt: skip
    return [text for text, holds in asks if holds]


def attribution_section(manifest: Manifest) -> list[str]:
    """How rows lead to authors, and how to name the set."""
    ways = list(_ways(manifest))
    parts = ["Rows lead to their authors:", items(ways)] if ways else [_NO_WAY]
    cite = f"Name this set as {md(manifest.name, 100)}, recipe {code(manifest.recipe)}, "
    return [*parts, f"{cite}and its sources as listed above."]


_NO_WAY: Final = "Rows of this set do not say which document they come from."


def _ways(manifest: Manifest) -> Iterator[str]:
    if not {"doc_id", "source"} <= manifest.schema.keys():
        return
    if any(entry.file == DOCUMENTS for entry in manifest.files):
        part = "`part`, " if "part" in manifest.schema else ""
        yield f"{_ABOUT} {part}`source` and `doc_id`."
    hosts = {(s["code"], _host(s.get("base"))) for s in manifest.sources}
    for number_, host in sorted((n, host) for n, host in hosts if host)[:MOST_LICENCES]:
        old = f"`https://{host}/w/index.php?oldid=REV_ID`" if "rev_id" in manifest.schema else ""
        page = f"`https://{host}/?curid=DOC_ID`"
        shows = (
            f"{old} shows the page as it was read, its history names the authors; " if old else ""
        )
        yield f"Source {number_}: {shows}{page} shows the page of today."


def _host(base: object) -> str:
    """The host of a Wikimedia project; empty for others, whose addresses we do not know."""
    try:
        host = urlsplit(base).hostname if isinstance(base, str) else None
    except ValueError:
        return ""
    plain = host is not None and host.isascii() and host.replace(".", "").replace("-", "").isalnum()
    return host if host and plain and host.endswith(_WIKIMEDIA) else ""


def authors_section(manifest: Manifest, counts: DocumentCounts | None) -> list[str]:
    """The authors with most rows: whether few of them dominate."""
    if counts is None or counts.authors.unstated.documents == counts.documents:
        return []
    return list(_tally("author", counts.authors, counts, manifest, MOST_AUTHORS))


def languages_section(manifest: Manifest, counts: DocumentCounts | None) -> list[str]:
    """Languages of the documents; of the sources where no document says one."""
    if counts is not None and counts.languages.unstated.documents < counts.documents:
        return list(_tally("language", counts.languages, counts, manifest, MOST_LANGUAGES))
    codes = sorted({str(source["language"]) for source in manifest.sources} - {""})
    shown = [md(code, 20) for code in codes[:MOST_LANGUAGES]]
    return [f"As the sources state it: {', '.join(shown)}."] if shown else []


def _tally(
    what: str, tally: Tally, counts: DocumentCounts, manifest: Manifest, most: int
) -> Iterator[str]:
    """A table of the most frequent, and what it leaves out."""
    top, total = tally.top(most), manifest.totals["rows"]
    rows = [
        (md(one.text), number(one.documents), number(one.rows), share(one.rows, total))
        for one in top
    ]
    others = counts.documents - tally.unstated.documents - sum(one.documents for one in top)
    other_rows = counts.rows - tally.unstated.rows - sum(one.rows for one in top)
    if others:
        left = tally.distinct - len(top)
        name = f"*{left:,} other{'s' if left > 1 else ''}*" if tally.exact else "*others*"
        rows.append((name, number(others), number(other_rows), share(other_rows, total)))
    if (none := tally.unstated).documents:
        row = ("*not stated*", number(none.documents), number(none.rows), share(none.rows, total))
        rows.append(row)
    yield table((what, "documents", "rows", "of all rows"), rows)
    if not tally.exact:
        yield (
            "There are too many to count each: rows beside a name are at least so many, and at "
            f"most {tally.lost:,} more."
        )
    if (unknown := total - counts.rows) > 0:
        yield f"{number(unknown)} rows are of no document in the table ({share(unknown, total)})."
