"""Make the embedded sample dump from its plain sources.

    python tools/sample/build.py [DIRECTORY]

Reads `pages.tsv` and the texts that it names, and writes the multistream dump and its index, in
the layout of dumps.wikimedia.org: one bzip2 stream with the header, one for each ten pages, one
with the closing tag. Nothing depends on time, place or the order of a directory: same sources,
same bytes.
"""

from __future__ import annotations

import bz2
import csv
import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "transferset" / "demo"
NAME = "demowiki-20261101-pages-articles-multistream"
PAGES_A_STREAM = 10

NAMESPACES = {
    -2: "Media",
    -1: "Special",
    0: "",
    1: "Talk",
    2: "User",
    3: "User talk",
    4: "Project",
    5: "Project talk",
    6: "File",
    7: "File talk",
    8: "MediaWiki",
    9: "MediaWiki talk",
    10: "Template",
    11: "Template talk",
    12: "Help",
    13: "Help talk",
    14: "Category",
    15: "Category talk",
    828: "Module",
    829: "Module talk",
}
FORMATS = {"wikitext": "text/x-wiki", "Scribunto": "text/plain", "json": "application/json"}
_REDIRECT = re.compile(r"#REDIRECT \[\[([^]#|]+)")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Revision:
    """One line of `pages.tsv`."""

    page: str
    title: str
    id: str
    parent: str
    timestamp: str
    contributor: str
    minor: str
    comment: str
    model: str
    source: str

    @property
    def text(self) -> str:
        """The wikitext; empty where it was deleted."""
        if not self.source or self.source.startswith("#"):
            return self.source
        return (HERE / self.source).read_text(encoding="utf-8").rstrip("\n")


def revisions() -> list[Revision]:
    """Read `pages.tsv`."""
    lines = (HERE / "pages.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.reader(
        (line for line in lines if not line.startswith("#")),
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
    )
    return [Revision(*row) for row in rows]


def sha1(text: str) -> str:
    """MediaWiki's form of a SHA-1: 31 digits to the base 36."""
    number = int(hashlib.sha1(text.encode()).hexdigest(), 16)
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(31, "0")


def escaped(text: str) -> str:
    """Escape as MediaWiki's export does."""
    return escape(text, {'"': "&quot;"})


def header() -> str:
    """The opening tag and `<siteinfo>`."""
    tags = {key: f">{name}</namespace>" if name else " />" for key, name in NAMESPACES.items()}
    namespaces = "\n".join(
        f'      <namespace key="{key}" case="first-letter"{tag}' for key, tag in tags.items()
    )
    export = "http://www.mediawiki.org/xml/export-0.11"
    return f"""\
<mediawiki xmlns="{export}/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{export}/ {export}.xsd" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Transferset sample</sitename>
    <dbname>demowiki</dbname>
    <base>https://demo.invalid/wiki/Main_Page</base>
    <generator>MediaWiki 1.45.0-wmf.4</generator>
    <case>first-letter</case>
    <namespaces>
{namespaces}
    </namespaces>
  </siteinfo>
"""


def contributor(who: str) -> str:
    """A name with its number, an address, or nothing where it is hidden."""
    name, slash, number = who.rpartition("/")
    if slash:
        inner = f"        <username>{escaped(name)}</username>\n        <id>{number}</id>\n"
    elif who:
        inner = f"        <ip>{who}</ip>\n"
    else:
        return '      <contributor deleted="deleted" />\n'
    return f"      <contributor>\n{inner}      </contributor>\n"


def revision(row: Revision) -> str:
    """One `<revision>`."""
    text = row.text
    attributes = f'bytes="{len(text.encode())}" sha1="{sha1(text)}"'
    body = f' xml:space="preserve">{escaped(text)}</text>' if text else " />"
    lines = [f"      <id>{row.id}</id>"]
    if row.parent:
        lines.append(f"      <parentid>{row.parent}</parentid>")
    lines.append(f"      <timestamp>{row.timestamp}</timestamp>")
    lines.append(contributor(row.contributor).rstrip("\n"))
    if row.minor:
        lines.append("      <minor />")
    if row.comment:
        lines.append(f"      <comment>{escaped(row.comment)}</comment>")
    lines += [
        f"      <origin>{row.id}</origin>",
        f"      <model>{row.model}</model>",
        f"      <format>{FORMATS[row.model]}</format>",
        f"      <text {attributes}{body}",
        f"      <sha1>{sha1(text)}</sha1>",
    ]
    return "    <revision>\n" + "\n".join(lines) + "\n    </revision>\n"


def page(rows: list[Revision]) -> str:
    """One `<page>` with its revisions, oldest first."""
    first = rows[0]
    prefix = first.title.partition(":")[0] if ":" in first.title else ""
    key = next(key for key, name in NAMESPACES.items() if name == prefix)
    redirect = _REDIRECT.match(rows[-1].text)
    target = f'    <redirect title="{escaped(redirect[1])}" />\n' if redirect else ""
    head = f"    <title>{escaped(first.title)}</title>\n    <ns>{key}</ns>\n"
    body = "".join(map(revision, rows))
    return f"  <page>\n{head}    <id>{first.page}</id>\n{target}{body}  </page>\n"


def pages() -> Iterator[tuple[str, str]]:
    """Each page's entry in the index, `id:title`, and its XML."""
    for number, group in groupby(revisions(), key=lambda row: row.page):
        rows = list(group)
        yield f"{number}:{escaped(rows[0].title)}", page(rows)


def build(out: Path) -> tuple[Path, Path]:
    """Write dump and index.

    Args:
        out: Directory for both files; it exists.

    Returns:
        Their paths.
    """
    streams = [bz2.compress(header().encode(), 9)]
    index: list[str] = []
    every = list(pages())
    for first in range(0, len(every), PAGES_A_STREAM):
        batch = every[first : first + PAGES_A_STREAM]
        offset = sum(map(len, streams))
        index += [f"{offset}:{entry}\n" for entry, _ in batch]
        streams.append(bz2.compress("".join(xml for _, xml in batch).encode(), 9))
    streams.append(bz2.compress(b"</mediawiki>", 9))
    dump, listing = out / f"{NAME}.xml.bz2", out / f"{NAME}-index.txt.bz2"
    dump.write_bytes(b"".join(streams))
    listing.write_bytes(bz2.compress("".join(index).encode(), 9))
    return dump, listing


if __name__ == "__main__":
    for path in build(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE):
        sys.stdout.write(f"{path} {path.stat().st_size} bytes\n")
