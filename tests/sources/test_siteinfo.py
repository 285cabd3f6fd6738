"""The header of an export."""

from __future__ import annotations

import pytest
from making_dumps import export

from transferset.sources.revisions import Malformed
from transferset.sources.siteinfo import SiteInfo, parse_siteinfo


def test_the_header_of_a_dump() -> None:
    assert parse_siteinfo(export()) == SiteInfo(
        language="en",
        dbname="enwiki",
        base="https://en.wikipedia.org/wiki/Main_Page",
        namespaces={"Special": -1, "": 0, "Talk": 1, "Template": 10},
        sitename="Wikipedia",
        generator="MediaWiki 1.45",
        case="first-letter",
        version=11,
    )


def test_an_old_header_without_site() -> None:
    site = parse_siteinfo(b'<mediawiki version="0.3" xml:lang="de"><page>')
    assert (site.language, site.version, site.namespaces) == ("de", 3, {})


def test_names_are_unescaped() -> None:
    info = export(siteinfo="<siteinfo><sitename>A &amp; &lt;B&gt;</sitename></siteinfo>")
    assert parse_siteinfo(info).sitename == "A & <B>"


@pytest.mark.parametrize(
    "version", ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.10", "0.11"]
)
def test_versions(version: str) -> None:
    assert parse_siteinfo(export(version=version)).version == int(version[2:])


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (export(version="0.2"), "0.2"),
        (export(version="1.0"), "1.0"),
        (b"<mediawiki>", "version"),
        (b"<rss/>", "<rss/>"),
        (b"<?xml version='1.0' encoding='latin1'?><mediawiki version='0.11'>", "latin1"),
        (export(siteinfo='<namespace key="x">A</namespace>'), "x"),
        (export(siteinfo="<sitename>é</sitename>").replace(b"\xc3", b"\xff"), "0xff"),
        (export(siteinfo="<sitename>&nbsp;</sitename>"), "&nbsp;"),
    ],
)
def test_what_is_no_header(head: bytes, found: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_siteinfo(head)
    assert found in caught.value.found
