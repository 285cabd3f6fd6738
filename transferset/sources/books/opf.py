"""The package of an EPUB: which file says what is in it, what it is, what is read in which order.

EPUB 2 and 3 (EPUB 3.3, W3C, §§ 4 and 5). Names are compared without their namespaces, since old
files write none, or others.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from transferset.errors import InputError, sentence
from transferset.sources.books.archives import Archive, leads_out

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: Most bytes of a file in XML that describes an EPUB.
MOST_XML: Final = 8 << 20
#: Most characters of a title, an author, …
MOST_FIELD: Final = 1_000

_FONTS_ONLY: Final = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_GUTENBERG: Final = re.compile(
    r"gutenberg\.(?:org|net)/(?:ebooks/|files/|etext/|cache/epub/)?([1-9]\d{0,6})(?![\w])", re.I
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,8}")
_REPAIR: Final = "the EPUB is damaged; fetch or export it again"


@dataclass(frozen=True, slots=True)
class SpineItem:
    """One file of the reading order.

    Args:
        name: Of the member of the archive.
        kind: Its media type.
        linear: Whether it belongs to the reading order proper.
    """

    name: str
    kind: str
    linear: bool


@dataclass(frozen=True, slots=True)
class Package:
    """What the package says of the book; texts are empty where it says nothing.

    Args:
        title: The main title.
        author: Authors, joined by `; `.
        language: BCP 47 code of the first language.
        rights: What it says of rights.
        identifier: Its number at Project Gutenberg.
        spine: The reading order.
        contents: Members that its guide calls a table of contents.
    """

    title: str
    author: str
    language: str
    rights: str
    identifier: str
    spine: tuple[SpineItem, ...]
    contents: frozenset[str]


def read_package(archive: Archive) -> Package:
    """Read the package of an EPUB.

    Args:
        archive: The EPUB.

    Returns:
        What it says.

    Raises:
        InputError: It has none, or one that is damaged, hostile or leads out of the archive; its
            text is encrypted.
    """
    _check_not_encrypted(archive)
    name = _package_name(archive)
    root = _xml(archive, name)
    metadata, at = _first(root, "metadata"), f"{archive.at}, {name}"
    manifest = {
        item.get("id", ""): item for item in _below(root, "manifest", "item") if item.get("href")
    }
    spine: dict[str, SpineItem] = {}  # a file that is named twice is read once
    for reference in _below(root, "spine", "itemref"):
        item = manifest.get(reference.get("idref", ""))
        if item is None:
            found = f"idref {reference.get('idref', '')!r} without one"
            raise InputError(sentence("an item for every place of the spine", found, at, _REPAIR))
        member = _resolved(item.get("href", ""), name, at)
        linear = reference.get("linear", "yes").strip().lower() != "no"
        spine.setdefault(member, SpineItem(member, item.get("media-type", "").lower(), linear))
    if not spine:
        raise InputError(sentence("a reading order", "none", at, _REPAIR))
    contents = _contents(root, name, at)
    if metadata is None:
        return Package("", "", "", "", "", tuple(spine.values()), contents)
    return Package(
        title=_title(metadata),
        author=_authors(metadata),
        language=_language(metadata),
        rights=next(_fields(metadata, "rights"), ""),
        identifier=_number(metadata),
        spine=tuple(spine.values()),
        contents=contents,
    )


def _package_name(archive: Archive) -> str:
    container = _xml(archive, "META-INF/container.xml")
    for rootfile in _all(container, "rootfile"):
        if rootfile.get("media-type", "") in ("application/oebps-package+xml", ""):
            path = rootfile.get("full-path", "")
            return path if path in archive.members else _resolved(path, "", archive.at)
    raise InputError(
        sentence("a package", "none", f"{archive.at}, META-INF/container.xml", _REPAIR)
    )


def _check_not_encrypted(archive: Archive) -> None:
    if "META-INF/encryption.xml" not in archive.members:
        return
    for data in _all(_xml(archive, "META-INF/encryption.xml"), "EncryptedData"):
        method = _first(data, "EncryptionMethod")
        if method is None or method.get("Algorithm") not in _FONTS_ONLY:
            found = "an encrypted one (DRM)"
            do = "use a copy without protection"
            raise InputError(sentence("a book that can be read", found, archive.at, do))


def _xml(archive: Archive, name: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    data = archive.read(name, MOST_XML)
    try:
        root: Element = fromstring(data, forbid_dtd=False, forbid_entities=True)
    except DefusedXmlException:
        found, do = "a declaration of entities", "such files can be attacks"
        raise InputError(sentence("plain XML", found, f"{archive.at}, {name}", do)) from None
    except (ParseError, ValueError, LookupError) as error:
        at = f"{archive.at}, {name}"
        raise InputError(sentence("XML", str(error), at, _REPAIR)) from None
    return root


def _resolved(href: str, base: str, at: str) -> str:
    """Name of the member that a reference means, seen from the file that holds it."""
    path = unquote(href.strip().partition("#")[0], errors="strict" if href.isascii() else "replace")
    name = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    if not path or "://" in path or leads_out(name):
        raise InputError(sentence("a file of the archive", repr(href), at, _REPAIR))
    return name


def _contents(root: Element, name: str, at: str) -> frozenset[str]:
    """Files that the guide calls contents; a place *in* a file does not make the file contents."""
    return frozenset(
        _resolved(reference.get("href", ""), name, at)
        for reference in _below(root, "guide", "reference")
        if reference.get("type", "").lower() == "toc" and "#" not in reference.get("href", "#")
    )


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _all(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if _local(element.tag) == name.lower())


def _first(root: Element, name: str) -> Element | None:
    return next(_all(root, name), None)


def _below(root: Element, parent: str, name: str) -> Iterator[Element]:
    element = _first(root, parent)
    return iter(()) if element is None else _all(element, name)


def cleaned(text: str) -> str:
    """A field on one line, without control characters, cut to `MOST_FIELD`."""
    words = " ".join(text[: 4 * MOST_FIELD].split())
    return "".join(c for c in words if c.isprintable() or c == "\u200d")[:MOST_FIELD].strip()


def _text(element: Element) -> str:
    return cleaned("".join(element.itertext()))


def _fields(metadata: Element, name: str) -> Iterator[str]:
    return (text for element in _all(metadata, name) if (text := _text(element)))


def _refined(metadata: Element, what: str) -> dict[str, str]:
    """A property of other fields, by their ids: `<meta refines="#id" property="role">aut`."""
    return {
        meta.get("refines", "").removeprefix("#"): _text(meta).lower()
        for meta in _all(metadata, "meta")
        if meta.get("property") == what and meta.get("refines")
    }


def _title(metadata: Element) -> str:
    kinds = _refined(metadata, "title-type")
    titles = [element for element in _all(metadata, "title") if _text(element)]
    main = [title for title in titles if kinds.get(title.get("id", "")) == "main"]
    return _text((main or titles)[0]) if titles else ""


def _authors(metadata: Element) -> str:
    roles = _refined(metadata, "role")
    creators: dict[str, list[str]] = {"author": [], "other": []}
    for creator in _all(metadata, "creator"):
        own = next((value for key, value in creator.items() if _local(key) == "role"), "")
        role = own.lower() or roles.get(creator.get("id", ""), "aut")
        creators["author" if role == "aut" else "other"].append(_text(creator))
    names = list(filter(None, creators["author"])) or list(filter(None, creators["other"]))
    return "; ".join(dict.fromkeys(names))[:MOST_FIELD]


def _language(metadata: Element) -> str:
    code = next(_fields(metadata, "language"), "").replace("_", "-")
    return code if _LANGUAGE.fullmatch(code) and code.lower() != "und" else ""


def _number(metadata: Element) -> str:
    """The number of the book at Project Gutenberg: of its own file, else of its only source."""
    for field in ("identifier", "source"):
        texts = _fields(metadata, field)
        numbers = {found.group(1) for text in texts for found in _GUTENBERG.finditer(text)}
        if len(numbers) == 1:
            return numbers.pop()
    return ""
