"""What a teacher said of a row, in few words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from transferset.manifest import Json

#: Logits that are shown of a row.
MOST_LOGITS: Final = 4


def logits_text(logits: Sequence[float], teacher: Json | None) -> str:
    """Logits with the names of their classes; of many the largest: `joy 3.1, anger −0.72`.

    Args:
        logits: Of a row.
        teacher: The manifest's member; None, or one of other classes, leaves the numbers.
    """
    known = (teacher or {}).get("classes") or ()
    many = len(logits) > MOST_LOGITS
    numbers = [str(i) if many else "" for i in range(len(logits))]
    names = known if len(known) == len(logits) else numbers
    shown = list(zip(names, logits, strict=True))
    if many:  # what is no number last
        shown.sort(key=lambda one: (math.isnan(one[1]), -one[1]))
    told = [f"{name} {_number(value)}".strip() for name, value in shown[:MOST_LOGITS]]
    return ", ".join(told) + (f" … ({len(logits):,} in all)" if many else "")


def top_text(row: Json) -> str:
    """How much a masked-language teacher said of a row that `inspect.head` gave."""
    positions, ids = len(row["tail"]), len(row["top_ids"])
    return f"{ids // max(1, positions):,} ids at each of {positions:,} labels" if positions else ""


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
