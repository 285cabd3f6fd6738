"""The section of a data card on rows that a language model wrote, and their limits."""

from __future__ import annotations

from collections.abc import Iterator

from transferset.manifest import Json, Manifest
from transferset.report.card_sections import section
from transferset.report.generated import KIND
from transferset.report.generated_grids import in_short, outcomes_grid
from transferset.report.markdown import md, table


def written(facts: Json | None) -> str:
    """How many rows which model wrote, and what came of its attempts.

    Args:
        facts: From `inspect.row_facts`; None gives nothing.
    """
    known = None if facts is None else facts["generated"]
    if known is None:
        return ""
    parts = [f"{md(in_short(known), 300)}."]
    grid = outcomes_grid(known)
    if grid is not None:
        rows = [(md(row[0], 80), *row[1:]) for row in grid.rows]
        parts += [table(grid.heads, rows), md(grid.note, 300)]
    return section("Written by a language model", *parts)


def written_by_models(manifest: Manifest) -> list[Json]:
    """Those sources that are language models."""
    return [source for source in manifest.sources if source.get("kind") == KIND]


def written_limits(manifest: Manifest) -> Iterator[str]:
    """What a reader must know of text that no human being wrote."""
    entries = written_by_models(manifest)
    if not entries:
        return
    dropped = manifest.params.get("copies") == "drop"
    yield (
        "Text that a language model wrote may be false, offensive or without sense, may name real "
        "people, and may repeat what the model was trained on word for word"
        f"{': only rows equal to one that it was given were looked for' if dropped else ''}."
    )
    if any(s.get("licence") in (None, "", "unknown") for s in entries):
        yield (
            "Under which licence such text may be used is not stated: those of the model and of "
            "what it was trained on may matter."
        )
