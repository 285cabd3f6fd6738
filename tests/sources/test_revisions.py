"""What a `<page>` says, in the export formats from 0.3 to 0.11."""

from __future__ import annotations

from collections import Counter
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making_dumps import page

from transferset.ledger import Ledger, Reason
from transferset.sources.revisions import Malformed, Page, Wanted, read_page, unescape

ARTICLES = Wanted(frozenset({0}), {"": 0, "Talk": 1, "Diskussion": 1}, 11)
OLD = Wanted(frozenset({0}), {"": 0, "Talk": 1, "Diskussion": 1}, 3)


def read(xml: str, wanted: Wanted = ARTICLES) -> Page | Reason:
    return read_page(xml.strip().encode(), wanted, Counter())


def revision(number: int, time: str, text: str) -> str:
    return (
        f"<revision><id>{number}</id><timestamp>{time}</timestamp>"
        f"<contributor><ip>::1</ip></contributor>{text}</revision>"
    )


def with_text(text: str) -> str:
    return (
        "<page><title>T</title><ns>0</ns><id>1</id>"
        + revision(5, "2026-01-01T00:00:00Z", text)
        + "</page>"
    )


def test_an_article() -> None:
    assert read(page("A & B", "x < y & “z”", 7)) == Page("A & B", 7, 1007, "x < y & “z”")


def test_the_ids_of_author_and_comment_are_not_the_page_s() -> None:
    xml = with_text("<text>x</text>").replace("<id>5</id>", "")
    xml = xml.replace("<ip>::1</ip>", "<username>U</username><id>77</id>")
    assert read(xml) == Page("T", 1, 0, "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<text>x</text>", "x"),
        ('<text xml:space="preserve">x</text>', "x"),
        ('<text bytes="1" sha1="abc" xml:space="preserve">x</text>', "x"),
        ("<text\nbytes='1'>x</text>", "x"),
        ("<text>a\r\nb</text>", "a\nb"),
        ("<text>&lt;ref&gt;&amp;lt;&quot;</text>", '<ref>&lt;"'),
        ("<text>&apos;&#233;&#xE9;&#x1F600;&amp;#233;</text>", "'éé😀&#233;"),
        ("<text/>", Reason.NO_TEXT),
        ("<text />", Reason.NO_TEXT),
        ("<text></text>", Reason.NO_TEXT),
        ("<text> \n</text>", Reason.NO_TEXT),
        ('<text bytes="10" sha1="abc" />', Reason.NO_TEXT),
        ('<text bytes="0" deleted="deleted" />', Reason.NO_TEXT),
        ("", Reason.NO_TEXT),
        ("<model>wikitext</model><text>x</text>", "x"),
        ("<text>x</text><model>wikitext</model>", "x"),
        ("<model>Scribunto</model><text>x</text>", Reason.OTHER_MODEL),
        ("<text>x</text><model>json</model>", Reason.OTHER_MODEL),
        (
            "<text>x</text><content><role>mediainfo</role><model>json</model>"
            "<text>{}</text></content>",
            "x",
        ),
    ],
)
def test_forms_of_the_text(text: str, expected: str | Reason) -> None:
    found = read(with_text(text))
    assert (found.text if isinstance(found, Page) else found) == expected


def test_redirects_and_other_namespaces_are_left_out() -> None:
    assert read(page("A", "x", extra='<redirect title="B" />')) is Reason.REDIRECT
    assert read(page("A", "x", extra="<redirect />")) is Reason.REDIRECT
    assert read(page("Talk:A", "x", ns=1)) is Reason.OTHER_NAMESPACE
    assert read(page("Special:A", "x", ns=-1)) is Reason.OTHER_NAMESPACE
    talk = Wanted(frozenset({1}), {}, 11)
    assert isinstance(read(page("Talk:A", "x", ns=1), talk), Page)


def test_old_exports_tell_namespace_and_redirect_by_title_and_text() -> None:
    assert read(page("Diskussion:A", "x", ns=None), OLD) is Reason.OTHER_NAMESPACE
    assert isinstance(read(page("Alien: Covenant", "x", ns=None), OLD), Page)
    assert isinstance(read(page("Alien", "x", ns=None), OLD), Page)
    assert read(page("A", "#redirect [[B]]", ns=None), OLD) is Reason.REDIRECT
    assert isinstance(read(page("A", "#redirect [[B]]")), Page)


def test_the_newest_of_several_revisions() -> None:
    ledger: Ledger = Counter()
    xml = (
        "<page><title>T</title><ns>0</ns><id>1</id>"
        + revision(9, "2020-01-01T00:00:00Z", "<text>b</text>")
        + revision(7, "2021-01-01T00:00:00Z", "<text>c</text>")
        + revision(8, "2021-01-01T00:00:00Z", "<text>d</text>")
        + revision(4, "2019-01-01T00:00:00Z", "<text/>")
        + "</page>"
    )
    assert read_page(xml.encode(), ARTICLES, ledger) == Page("T", 1, 8, "d")
    assert ledger == {Reason.OLDER_REVISION: 3}


def test_a_deleted_newest_revision_is_not_replaced_by_an_older_one() -> None:
    xml = (
        "<page><title>T</title><ns>0</ns><id>1</id>"
        + revision(1, "2020-01-01T00:00:00Z", "<text>b</text>")
        + revision(2, "2021-01-01T00:00:00Z", '<text deleted="deleted" />')
        + "</page>"
    )
    assert read(xml) is Reason.NO_TEXT


def test_a_page_without_revision_has_no_text() -> None:
    assert read("<page><title>T</title><ns>0</ns><id>1</id></page>") is Reason.NO_TEXT


def test_many_revisions_take_linear_time() -> None:
    """Neither texts nor ends are searched for beyond their revision."""
    shut = "<page><title>T</title><id>1</id>" + "<revision></revision>" * 100_000 + "</page>"
    assert read(shut) is Reason.NO_TEXT
    with pytest.raises(Malformed):
        read("<page><title>T</title><id>1</id>" + "<revision>" * 100_000 + "</page>")


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        (with_text("<text>&nbsp;</text>"), "&nbsp;"),
        (with_text("<text>a & b</text>"), "&"),
        (with_text("<text>&#0;</text>"), "&#0;"),
        (with_text("<text>&#xD83D;&#xDE00;</text>"), "&#xD83D;"),
        (with_text("<text>&#x110000;</text>"), "&#x110000;"),
        (with_text("<text>\0</text>"), "zero"),
        (with_text("<text>a<b>c</b></text>"), "<b>"),
        (with_text("<text>a"), "</revision>"),
        (with_text("<textual>a</textual>"), "<textual"),
        ("<page><title>T</title><ns>x</ns><id>1</id></page>", "x"),
        ("<page><title>T</title><ns>0</ns></page>", "nothing"),
        ("<page><title>T<b/></title><ns>0</ns><id>1</id></page>", "<b/>"),
        ("<page><title>T</title><ns>0</ns><id>1</id><revision></page>", "</page>"),
    ],
)
def test_what_no_export_contains(xml: str, found: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(xml)
    assert found in caught.value.found


def test_text_must_be_utf_8() -> None:
    for bad in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
        xml = with_text("<text>x</text>").encode().replace(b">x<", b">" + bad + b"<")
        with pytest.raises(Malformed, match="UTF-8"):
            read_page(xml, ARTICLES, Counter())


@given(st.text())
def test_unescaping_undoes_escaping_once(text: str) -> None:
    assert unescape(escape(text, quote=True).encode("utf-8", "replace")) == text.encode(
        "utf-8", "replace"
    )
    once = escape(text, quote=False).encode("utf-8", "replace")
    assert unescape(once.replace(b"&", b"&amp;")) == once
