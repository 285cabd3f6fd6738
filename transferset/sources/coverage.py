"""Whether parts that were read independently of each other make one whole, sound file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from transferset.errors import UsageError, sentence
from transferset.sources.bzip2 import fold

#: Expected, found, at which byte of the file.
Problem = tuple[str, str, int]
Summary = dict[str, Any]


def check_coverage(
    summaries: Sequence[Summary], head: int, size: int, *, bzip2: bool
) -> Iterator[Problem]:
    """Find what no part can see by itself.

    Args:
        summaries: `PartReader.summary` of the parts from the first on, in order; the last may be
            incomplete, because enough pages were read.
        head: Bytes of XML before the first page.
        size: Bytes of the file.
        bzip2: Whether the file is compressed.

    Yields:
        Problems in no particular order.

    Raises:
        UsageError: The summaries are not those of consecutive parts.
    """
    _check_order(summaries)
    whole = bool(summaries) and summaries[-1]["complete"] and summaries[-1]["stop"] == size
    complete = [s for s in summaries if s["complete"]]
    yield from _text_problems(complete, head)
    if bzip2:
        yield from _border_problems(complete, size, whole=whole)
        yield from _stream_problems(complete)
    if whole and not any(s["closed"] for s in complete):
        yield "</mediawiki>", "the end of the file", size


def _check_order(summaries: Sequence[Summary]) -> None:
    at = 0
    for place, summary in enumerate(summaries):
        early = not summary["complete"] and place + 1 < len(summaries)
        if summary["part"] != place or summary["start"] != at or early:
            raise UsageError(sentence("summaries of consecutive parts", f"part {summary['part']}"))
        at = summary["stop"]


def _text_problems(summaries: Sequence[Summary], head: int) -> Iterator[Problem]:
    """Check that each part begins where the last element of those before it ends."""
    carry: int | None = head  # bytes that belong to what began in a part before
    closed = False
    for part in summaries:
        if closed and part["begun"]:
            yield "nothing after </mediawiki>", "<page>", part["start"]
        closed = closed or part["closed"]
        if carry is not None and carry > part["xml_bytes"] and part["lead"] is not None:
            carry -= part["xml_bytes"]
            continue
        if carry is not None and part["lead"] not in (None, carry):
            yield "<page>", "text that belongs to no page", part["start"]
        if carry is not None or part["begun"] or part["closed"]:
            carry = part["overrun"]


def _border_problems(summaries: Sequence[Summary], size: int, *, whole: bool) -> Iterator[Problem]:
    """Check that each part's first block is the one after the last of the parts before."""
    at: int | None = None
    for part in summaries:
        blocks = part["blocks"]
        if blocks["first"] is not None and at is not None and blocks["first"] != at:
            yield "adjoining bzip2 blocks", "bytes between them", min(at, blocks["first"]) // 8
        at = at if blocks["next"] is None else blocks["next"]
    if whole and at is not None and at != size * 8:
        yield "a bzip2 block", "other bytes", at // 8


def _stream_problems(summaries: Sequence[Summary]) -> Iterator[Problem]:
    """Check the CRC of each stream that reaches over a border."""
    total: int | None = 0
    for part in summaries:
        blocks = part["blocks"]
        end, tail = blocks["end"], blocks["tail"]
        if end is None:
            total = None if total is None or tail is None else fold(total, *tail)
            continue
        head = blocks["head"]
        if total is not None and head is not None and fold(total, *head) != end:
            yield "blocks that match their stream's CRC", "damage", blocks["end_at"]
        total = None if tail is None else tail[1]
