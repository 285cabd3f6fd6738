"""Small dumps for tests, and an independent way to read them."""

from __future__ import annotations

import bz2
import xml.etree.ElementTree as ET
from collections import Counter
from html import escape
from pathlib import Path

from transferset.ledger import Ledger
from transferset.sources.dump import Dump, Page

BLOCK, END = 0x314159265359, 0x177245385090

SITEINFO = """
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>enwiki</dbname>
    <base>https://en.wikipedia.org/wiki/Main_Page</base>
    <generator>MediaWiki 1.45</generator>
    <case>first-letter</case>
    <namespaces>
      <namespace key="-1" case="first-letter">Special</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">Talk</namespace>
      <namespace key="10" case="first-letter">Template</namespace>
    </namespaces>
  </siteinfo>"""


def page(title: str, text: str, number: int = 1, ns: int | None = 0, extra: str = "") -> str:
    key = "" if ns is None else f"\n    <ns>{ns}</ns>"
    return f"""
  <page>
    <title>{escape(title)}</title>{key}
    <id>{number}</id>{extra}
    <revision>
      <id>{number + 1000}</id>
      <timestamp>2026-01-01T00:00:00Z</timestamp>
      <contributor><username>A &lt;page&gt;</username><id>7</id></contributor>
      <comment>&lt;id&gt;5&lt;/id&gt;</comment>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text)}" xml:space="preserve">{escape(text)}</text>
      <sha1>x</sha1>
    </revision>
  </page>"""


def export(*pages: str, version: str = "0.11", siteinfo: str = SITEINFO) -> bytes:
    root = (
        f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-{version}/" '
        f'version="{version}" xml:lang="en">'
    )
    return f"{root}{siteinfo}{''.join(pages)}\n</mediawiki>\n".encode()


def some_pages(count: int = 12) -> list[str]:
    """Articles of different lengths, between redirects and talk pages."""
    pages = []
    for n in range(1, count + 1):
        words = " ".join(f"w{n * k % 977:x}é&<{k}>" for k in range(n * 5 % 83 + 1))
        pages.append(page(f"Page “{n}” & co", words, n))
        if n % 3 == 0:
            pages.append(page(f"R{n}", "#REDIRECT [[A]]", 100 + n, extra='<redirect title="A" />'))
        if n % 4 == 0:
            pages.append(page(f"Talk:{n}", "hello", 200 + n, ns=1))
    return pages


def block_bits(data: bytes, level: int = 1) -> tuple[str, int]:
    """Compress one block; give its bits, magic and CRC included, and its CRC."""
    stream = bz2.compress(data, level)
    bits = f"{int.from_bytes(stream, 'big'):0{len(stream) * 8}b}"
    stop = bits.rindex(f"{END:048b}")
    return bits[32:stop], int(bits[stop + 48 : stop + 80], 2)


def one_stream(pieces: list[bytes], level: int = 9) -> bytes:
    """One bzip2 stream with a block for each piece, however short."""
    bits, crc = f"{int.from_bytes(b'BZh%d' % level, 'big'):032b}", 0
    for piece in pieces:
        block, own = block_bits(piece)
        bits += block
        crc = ((crc << 1 | crc >> 31) & 0xFFFFFFFF) ^ own
    bits += f"{END:048b}{crc:032b}"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def parsed(xml: bytes) -> list[Page]:
    """The articles of an export, by an XML parser."""
    pages = []
    for element in ET.fromstring(xml).iter():
        if not element.tag.endswith("}page"):
            continue
        ns = element.tag.removesuffix("page")
        if element.find(f"{ns}redirect") is None and element.findtext(f"{ns}ns") == "0":
            revision = element.find(f"{ns}revision")
            assert revision is not None
            pages.append(
                Page(
                    element.findtext(f"{ns}title") or "",
                    int(element.findtext(f"{ns}id") or 0),
                    int(revision.findtext(f"{ns}id") or 0),
                    revision.findtext(f"{ns}text") or "",
                )
            )
    return pages


def read_all(
    path: Path, part_bytes: int | None = None, *, skip_damaged: bool = False
) -> tuple[list[Page], Ledger, list[tuple[int, int]]]:
    """Read a dump part by part, last part first, and check it as a whole."""
    dump = Dump.open(path, skip_damaged=skip_damaged)
    ledger: Ledger = Counter()
    found, summaries = [], []
    for part in reversed(dump.parts(part_bytes)):
        reader = dump.read(part, ledger, skip_damaged=skip_damaged)
        found.append(list(reader))
        summaries.append(reader.summary)
    damage = dump.check(summaries[::-1], skip_damaged=skip_damaged)
    return [page for pages in reversed(found) for page in pages], ledger, damage
