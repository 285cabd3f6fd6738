"""What the header of a MediaWiki export says about the wiki."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from transferset.sources.revisions import Malformed, decode_text

_ROOT = re.compile(rb"<mediawiki(\s[^>]*)?>")
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_DECLARATION = re.compile(rb"\s*<\?xml\s([^>]*)\?>")
_NAMESPACE = re.compile(rb"<namespace\s([^>]*?)(?:/>|>([^<]*)</namespace>)")
_VERSIONS = range(3, 12)


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """The `<siteinfo>` of a dump.

    Attributes:
        language: `xml:lang` of the dump, such as `en`; empty when it does not say.
        dbname: Such as `enwiki`.
        base: URL of the main page.
        namespaces: Local name of each namespace and its key; the article namespace is "".
        sitename: Such as `Wikipedia`.
        generator: Version of MediaWiki.
        case: `first-letter` or `case-sensitive`.
        version: Minor version of the export format: 10 for 0.10.
    """

    language: str
    dbname: str
    base: str
    namespaces: Mapping[str, int]
    sitename: str = ""
    generator: str = ""
    case: str = ""
    version: int = 0


def parse_siteinfo(head: bytes) -> SiteInfo:
    """Read the header of an export, up to its first page.

    Args:
        head: The first bytes of the XML, up to `</siteinfo>` or the first `<page>`.

    Returns:
        What the header says; missing fields are empty.

    Raises:
        Malformed: It is not the header of a UTF-8 MediaWiki export, format 0.3 to 0.11.
    """
    _check_declaration(head)
    root = _ROOT.search(head)
    if root is None:
        raise Malformed("<mediawiki …>", head.lstrip()[:60].decode("utf-8", "backslashreplace"))
    attributes = _attributes(root.group(1) or b"")
    info = head[root.end() :]
    return SiteInfo(
        language=attributes.get("xml:lang", ""),
        dbname=_field(info, b"dbname"),
        base=_field(info, b"base"),
        namespaces=_namespaces(info),
        sitename=_field(info, b"sitename"),
        generator=_field(info, b"generator"),
        case=_field(info, b"case"),
        version=_version(attributes.get("version", "")),
    )


def _check_declaration(head: bytes) -> None:
    declaration = _DECLARATION.match(head)
    if declaration is None:
        return
    encoding = _attributes(declaration.group(1)).get("encoding", "utf-8")
    if encoding.lower().replace("-", "") not in ("utf8", "usascii"):
        raise Malformed("UTF-8", f'encoding="{encoding}"')


def _attributes(raw: bytes) -> dict[str, str]:
    return {
        name.decode("ascii"): decode_text(double or single)
        for name, double, single in _ATTRIBUTE.findall(raw)
    }


def _field(info: bytes, name: bytes) -> str:
    found = re.search(rb"<%b>([^<]*)</%b>" % (name, name), info)
    return decode_text(found.group(1)).strip() if found else ""


def _namespaces(info: bytes) -> dict[str, int]:
    names: dict[str, int] = {}
    for attributes, name in _NAMESPACE.findall(info):
        key = _attributes(attributes).get("key", "")
        if not re.fullmatch(r"-?\d{1,9}", key):
            raise Malformed("a namespace with a key", f'key="{key}"')
        names[decode_text(name).strip()] = int(key)
    return names


def _version(version: str) -> int:
    major, _, minor = version.partition(".")
    if major != "0" or not minor.isdecimal() or int(minor) not in _VERSIONS:
        raise Malformed("export format 0.3 to 0.11", f'version="{version}"')
    return int(minor)
