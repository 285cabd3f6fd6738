"""Pages are cut out of bytes, whatever the pieces in which the bytes come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making_dumps import export, some_pages

from transferset.errors import InputError
from transferset.ledger import Reason
from transferset.sources.pages import PageScanner, RawPage


def complain(expected: str, found: str, offset: int) -> None:
    raise refuse(expected, found, offset)


def refuse(expected: str, found: str, offset: int) -> InputError:
    return InputError(f"{expected} | {found} | {offset}")


def scan(
    own: list[bytes], after: Sequence[bytes] = (), **limit: int
) -> tuple[list[RawPage], PageScanner]:
    scanner = PageScanner(complain, refuse, **limit)
    pages = []
    for piece in own:
        pages += scanner.feed(piece, owned=True)
    for piece in after:
        if not scanner.hungry:
            break
        pages += scanner.feed(piece, owned=False)
    return [*pages, *scanner.finish()], scanner


def test_a_page_has_its_bytes_and_its_place() -> None:
    pages, scanner = scan([b"<m> <page>a</page>\n <page>bc</page> </mediawiki>\n"])
    assert pages == [RawPage(b"<page>a</page>", 4), RawPage(b"<page>bc</page>", 20)]
    assert (scanner.lead, scanner.size, scanner.overrun) == (3, 49, 0)
    assert (scanner.begun, scanner.closed, scanner.torn) == (2, True, False)


@given(st.lists(st.integers(0, 4000), max_size=30), st.integers(0, 4000))
def test_pieces_and_the_own_range_do_not_matter(cuts: list[int], stop: int) -> None:
    """A page is owned by the range in which its tag begins."""
    xml = export(*some_pages(4))[:-14]
    whole, _ = scan([xml])
    edges = [0, *sorted({min(c, len(xml)) for c in [*cuts, stop]}), len(xml)]
    pieces = [(a, xml[a:b]) for a, b in pairwise(edges)]
    own = [piece for at, piece in pieces if at < stop]
    after = [piece for at, piece in pieces if at >= stop]
    first, left = scan(own, after)
    second, right = scan(after)
    start = left.size
    assert first == [p for p in whole if p.offset < start]
    assert [(p.xml, p.offset + start) for p in second] == [
        (p.xml, p.offset) for p in whole if p.offset >= start
    ]
    if first and start < len(xml):
        assert right.lead == left.overrun


def test_no_more_is_asked_for_than_the_last_page_needs() -> None:
    for own, hungry in [
        (b"<page>a</page>\n", False),
        (b"<page>a</page>\n<", True),
        (b"<page>a</page>\n<page", True),
        (b"<page>a</page>\n<page>", True),
        (b"<page>a</page", True),
        (b"</page> </mediawiki", True),
        (b"text of the part before", False),
    ]:
        scanner = PageScanner(complain, refuse)
        list(scanner.feed(own, owned=True))
        assert scanner.hungry is hungry, own


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_page_above_the_limit_is_named_not_kept(size: int) -> None:
    xml = b"<page>" + b"x" * 1000 + b"</page><page>y</page>"
    pages, _ = scan([xml[at : at + size] for at in range(0, len(xml), size)], limit=1012)
    assert pages == [RawPage(b"", 0, Reason.PAGE_TOO_LARGE), RawPage(b"<page>y</page>", 1013)]
    pages, _ = scan([xml], limit=1013)
    assert [len(p.xml) for p in pages] == [1013, 14]


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        (b"<page>a<page>b</page>", r"</page> \| <page> inside a page \| 7"),
        (b"<page>a</mediawiki>", r"</page> \| </mediawiki> inside a page \| 7"),
        (b"<page>a</page> x <page>", r"<page> or </mediawiki> \| x \| 14"),
        (b"<page>a</page> </page>", r"<page> or </mediawiki> \| </page>"),
        (b"<page>a</page></mediawiki> x", r"\| x \|"),
        (b"</mediawiki><page>", r"nothing after </mediawiki> \| <page> \| 12"),
        (b"<page>a", r"</page> \| the end of the file \| 0"),
        (b"<page>a</page>x", r"<page> or </mediawiki> \| x \| 14"),
        (b"<!DOCTYPE x>", r"DTD.* 0$"),
        (b"<page><![CDATA[<page>]]></page>", r"CDATA.* 6$"),
        (b"<page>a</page><!-- -->", r"comment.* 14$"),
        (b"<page>a</page><?php ?>", r"instruction.* 14$"),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_what_is_wrong_is_told_with_its_place(xml: bytes, found: str, size: int) -> None:
    with pytest.raises(InputError, match=found):
        scan([xml[at : at + size] for at in range(0, len(xml), size)])
