"""Whether the lines of a plain text are paragraphs, or parts of paragraphs."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Final

WIDEST: Final = 130
"""Characters of the longest lines that a text is wrapped to."""

_LOOKED_AT: Final = 5_000


def is_wrapped(text: str) -> bool:
    """Whether a text is wrapped to a width, rather than one paragraph a line.

    It is when nine lines of ten have at most `WIDEST` characters, and most lines that follow
    another without a blank line between them go on with it: they begin with a small letter; or
    with no letter or one of a script without capitals, and the first word did not fit on the line
    before, which ends no sentence. The first 5,000 lines are looked at. A text without such lines
    is not wrapped.

    Args:
        text: With plain line ends.
    """
    lines = [line.strip() for line in islice(text.split("\n"), _LOOKED_AT)]
    lengths = sorted(filter(None, map(len, lines)))
    if not lengths:
        return False
    width = lengths[min(9 * len(lengths) // 10, len(lengths) - 1)]
    pairs = [(left, right) for left, right in pairwise(lines) if left and right]
    if not pairs or width > WIDEST:
        return False
    return 2 * sum(_goes_on(left, right, width) for left, right in pairs) > len(pairs)


def _goes_on(left: str, right: str, width: int) -> bool:
    if right[0].islower() or right[0].isupper():
        return right[0].islower()
    return len(left) + 1 + len(right.split(None, 1)[0]) > width and not left.endswith(
        (".", "!", "?")
    )
