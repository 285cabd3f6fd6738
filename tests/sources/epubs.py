"""EPUBs and other archives, made on the spot: as publishers make them, and as attackers do."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles><rootfile full-path="{path}" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""

PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="uid">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmlns:opf="http://www.idpf.org/2007/opf">{metadata}</metadata>
  <manifest>{manifest}</manifest>
  <spine>{spine}</spine>{guide}
</package>"""

#: What ebookmaker, the program of Project Gutenberg, writes.
GUTENBERG = """
  <dc:identifier id="uid">http://www.gutenberg.org/1342</dc:identifier>
  <dc:title>Pride and Prejudice</dc:title>
  <dc:creator id="author_0">Jane Austen</dc:creator>
  <meta property="role" refines="#author_0" scheme="marc:relators">aut</meta>
  <dc:language>en</dc:language>
  <dc:source>https://www.gutenberg.org/files/1342/1342-h/1342-h.htm</dc:source>
  <dc:rights>Public domain in the USA.</dc:rights>"""

#: What Standard Ebooks writes.
STANDARD = """
  <dc:identifier id="uid">https://standardebooks.org/ebooks/a-b/the-c</dc:identifier>
  <dc:rights>Free in the United States.</dc:rights>
  <dc:title id="short">The C</dc:title>
  <meta property="title-type" refines="#short">short</meta>
  <dc:title id="title">The C of D</dc:title>
  <meta property="title-type" refines="#title">main</meta>
  <dc:language>en-GB</dc:language>
  <dc:source>https://www.gutenberg.org/ebooks/345</dc:source>
  <dc:source>https://archive.org/details/thec</dc:source>
  <dc:creator id="one">A. B.</dc:creator>
  <meta property="role" refines="#one">aut</meta>
  <dc:creator id="two">E. F.</dc:creator>
  <meta property="role" refines="#two">aut</meta>
  <dc:creator id="three">G. H.</dc:creator>
  <meta property="role" refines="#three">ill</meta>"""

XHTML = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<head><title>Unseen</title><style>p {{ margin: 0 }}</style></head>
<body>{body}</body></html>"""


def page(body: str) -> bytes:
    return XHTML.format(body=body).encode()


def packed(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive with these members in this order."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def epub_members(
    chapters: Mapping[str, bytes],
    *,
    metadata: str = GUTENBERG,
    folder: str = "OEBPS",
    kinds: Mapping[str, str] | None = None,
    not_linear: tuple[str, ...] = (),
    spine: str | None = None,
    guide: str = "",
) -> dict[str, bytes | str]:
    """Members of an EPUB; `chapters` has the content files by their hrefs as written."""
    from urllib.parse import unquote

    path = f"{folder}/content.opf" if folder else "content.opf"
    items, places = [], []
    for number, href in enumerate(chapters):
        kind = (kinds or {}).get(href, "application/xhtml+xml")
        items.append(f'<item id="i{number}" href="{href}" media-type="{kind}"/>')
        linear = ' linear="no"' if href in not_linear else ""
        places.append(f'<itemref idref="i{number}"{linear}/>')
    package = PACKAGE.format(
        metadata=metadata,
        manifest="".join(items),
        spine="".join(places) if spine is None else spine,
        guide=guide,
    )
    members: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER.format(path=path),
        path: package,
    }
    for href, data in chapters.items():
        members[f"{folder}/{unquote(href)}" if folder else unquote(href)] = data
    return members


def epub(*bodies: str, **options: object) -> bytes:
    """An EPUB with a content file for each body."""
    chapters = {f"c{number}.xhtml": page(body) for number, body in enumerate(bodies)}
    return packed(epub_members(chapters, **options))  # type: ignore[arg-type]


def saved(folder: Path, data: bytes, name: str = "book.epub") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


#: Places in an entry of the directory: flags, method, packed size, size, offset of the header.
FLAGS, METHOD, PACKED, SIZE, OFFSET = 8, 10, 20, 24, 42


def entry_at(archive: bytes, name: str) -> int:
    """Where the entry of a member stands in the directory."""
    at = archive.find(b"PK\1\2")
    while (
        archive[at + 46 : at + 46 + struct.unpack_from("<H", archive, at + 28)[0]] != name.encode()
    ):
        at = archive.index(b"PK\1\2", at + 1)
    return at


def changed(
    archive: bytes, name: str, place: int, value: int, *, also_local: bool = False
) -> bytes:
    """The archive with another number in an entry (and, for flags and method, in its header)."""
    form = "<H" if place in (FLAGS, METHOD) else "<L"
    data = bytearray(archive)
    at = entry_at(archive, name)
    struct.pack_into(form, data, at + place, value)
    if also_local:
        struct.pack_into(
            form, data, struct.unpack_from("<L", data, at + OFFSET)[0] + place - 2, value
        )
    return bytes(data)


def number_in(archive: bytes, name: str, place: int) -> int:
    return int(struct.unpack_from("<L", archive, entry_at(archive, name) + place)[0])
