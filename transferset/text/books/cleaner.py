"""A text to passages: the stages, in their order, for each layout.

line ends → licence → brackets → rules, page numbers → words cut at line ends → paragraphs, verse,
headings → marks of italics → spaces. Every stage is one or a few linear scans.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.text.books.brackets import without_brackets
from transferset.text.books.characters import (
    PAGE,
    Removed,
    has_tight_dashes,
    joined,
    passages,
    visible,
    with_plain_lines,
)
from transferset.text.books.emphasis import without_emphasis
from transferset.text.books.hyphens import without_wrapped_hyphens
from transferset.text.books.layouts import is_wrapped
from transferset.text.books.licence import without_licence
from transferset.text.books.pages import without_numbers, without_pages, without_rules
from transferset.text.books.paragraphs import paragraphs

LAYOUTS: Final = ("book", "lines", "wrapped", "auto")

MOST_REMOVED: Final = 0.10
"""Share of a text above which what is taken out of it is worth a warning."""

_AROUND: Final = ("licence", "credits")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text as passages, and what became of the rest.

    Args:
        passages: One paragraph, heading or line of verse each; no line breaks, single spaces.
        removed: Characters that are in no passage, white space aside, by what they were: together
            with those of the passages exactly the characters of the text.
        warnings: One sentence each.
        licence_share: Share of the text that was licence and credits, 0 to 1.
        layout: `book`, `lines` or `wrapped`: what was used.
    """

    passages: list[str]
    removed: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    licence_share: float = 0.0
    layout: str = "book"


@dataclass(frozen=True, slots=True)
class TextCleaner:
    """Turns plain texts into passages.

    Args:
        layout: `book`: hard wraps are joined, verse and headings kept apart, and what publishers
            put around and between the text goes. `lines`: every line is a paragraph. `wrapped`:
            a blank line ends a paragraph. `auto`: `wrapped` or `lines`, see `layouts.is_wrapped`.
        most_removed: Share of a text, 0 to 1, above which removals bring a warning, and the
            credits behind Project Gutenberg's licence stay.

    Raises:
        UsageError: When there is no such layout, or no such share.
    """

    layout: str = "book"
    most_removed: float = MOST_REMOVED

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise UsageError(sentence(f"one of {', '.join(LAYOUTS)}", self.layout, "layout"))
        if not 0 <= self.most_removed <= 1:
            raise UsageError(
                sentence("a share from 0 to 1", str(self.most_removed), "most_removed")
            )

    def clean(self, text: str) -> Cleaned:
        """Clean one text.

        Args:
            text: The whole document, as `decode` gives it or from a record.

        Returns:
            Its passages in order. Only what `removed` counts is in none of them.
        """
        removed: Removed = Counter()
        text = with_plain_lines(text, removed)
        layout = self.layout
        if layout == "auto":
            layout = "wrapped" if is_wrapped(text) else "lines"
        if layout == "book":
            return self._book(text, removed)
        if layout == "wrapped":
            text = without_wrapped_hyphens(without_pages(text), removed)
            tight = has_tight_dashes(text)
            text = "\n".join([joined(block.strip("\n"), tight) for block in text.split("\n\n")])
        else:
            text = text.replace(PAGE, "\n")
        return Cleaned(passages(text, removed), dict(+removed), layout=layout)

    def _book(self, text: str, removed: Removed) -> Cleaned:
        stripped = without_licence(text, removed, self.most_removed)
        rest = without_brackets(stripped.text, removed)
        rest = without_pages(without_numbers(without_rules(rest, removed), removed))
        rest = without_wrapped_hyphens(rest, removed)
        rest = without_emphasis("\n\n".join(paragraphs(rest)), removed)
        found = passages(rest, removed)
        warnings = [*stripped.warnings, *self._warnings(removed, found)]
        return Cleaned(found, dict(+removed), warnings, stripped.share)

    def _warnings(self, removed: Removed, found: list[str]) -> list[str]:
        """Say which removals are large; nearly always the least that the text can have tells."""
        counts = {what: count for what, count in removed.items() if what not in _AROUND}
        least = removed.total() + sum(map(len, found)) // 2  # no two of its spaces are neighbours
        if max(counts.values(), default=0) <= self.most_removed * least:
            return []
        total = removed.total() + sum(map(visible, found))
        return [
            f"{count / total:.1%} of the text was taken out as {what}"
            for what, count in counts.items()
            if count > self.most_removed * total
        ]
