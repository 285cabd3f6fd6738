"""Known limits of a set, as far as its manifest proves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from transferset.ledger import Reason
from transferset.manifest import Manifest
from transferset.report.document_counts import DocumentCounts
from transferset.report.lineage import Lineage
from transferset.report.markdown import md
from transferset.report.wording import counted, number, share

#: Steps after which rows are no longer what somebody wrote, and what they are then.
_UNNATURAL: Final = {
    "shuffle": "Words or tokens of the rows were shuffled",
    "generate": "Rows were drawn from token frequencies",
    "mask": "Tokens were masked",
    "delete": "Tokens were deleted",
    "replace": "Tokens were replaced at random",
}

_LOOKED_FOR: Final = frozenset({Reason.DUPLICATE_DOCUMENT, Reason.NEAR_DUPLICATE, Reason.DUPLICATE})


def limits(manifest: Manifest, graph: Lineage, counts: DocumentCounts | None) -> list[str]:
    """What a reader must know before using the set, one sentence each."""
    return [
        *_form(manifest),
        *_steps(graph),
        *_duplicates(graph),
        *_damage(manifest),
        *_unstated(manifest, counts),
        "transferset itself has no filter for personal data, for harmful text or for truth.",
    ]


def _form(manifest: Manifest) -> Iterator[str]:
    if "text" not in manifest.schema and manifest.tokenizer is not None:
        yield "Rows are ids without their text; the tokenizer gives the text back only roughly."
    if manifest.tokenizer is not None and manifest.tokenizer.get("lowercase") is True:
        yield "Capital letters are lost: the tokenizer makes all letters small."
    longest = manifest.params.get("max_len")
    if isinstance(longest, int) and longest:
        yield f"No row has more than {number(longest)} ids."


def _steps(graph: Lineage) -> Iterator[str]:
    """What was done to the rows here or before, in the order of the table above."""
    done = set(_done(graph))
    for name, what in _UNNATURAL.items():
        if name in done:
            yield f"{what}: such rows are not sentences that somebody wrote."


def _done(graph: Lineage) -> Iterator[str]:
    keys = _rows_of(graph)
    for key in keys:
        steps = graph.nodes[key].params.get("steps")
        for step in steps if isinstance(steps, list) else []:
            yield from map(str, step) if isinstance(step, Mapping) else ()


def _rows_of(graph: Lineage) -> list[str]:
    """The set and those ancestors whose rows it has: not those that a model was fitted on."""
    *_, last = graph.nodes
    keys, seen = [last], {last}
    for key in keys:  # grows while it is walked
        for parent, role in graph.nodes[key].parents.items():
            if role != "fit" and parent in graph.nodes and parent not in seen:
                seen.add(parent)
                keys.append(parent)
    return keys


def _duplicates(graph: Lineage) -> Iterator[str]:
    keys = _rows_of(graph)
    looked = any(_deduplicates(graph.nodes[key].params) for key in keys)
    found = {e.reason for key in keys for e in graph.nodes[key].ledger} & _LOOKED_FOR
    if not looked and not found:
        yield "Its recipe names no search for duplicates, neither of documents nor of rows."


def _deduplicates(params: Mapping[str, Any]) -> bool:
    steps = params.get("steps")
    named = (isinstance(s, Mapping) and "dedupe" in s for s in steps or ())
    return (isinstance(steps, list) and any(named)) or params.get("dedupe") in ("near", "exact")


def _damage(manifest: Manifest) -> Iterator[str]:
    damaged = [md(source["file"], 80) for source in manifest.sources if source.get("damage")]
    if damaged:
        more = f" and {len(damaged) - 5:,} more" if len(damaged) > 5 else ""
        yield f"Damaged parts were skipped on request in {', '.join(damaged[:5])}{more}."


def _unstated(manifest: Manifest, counts: DocumentCounts | None) -> Iterator[str]:
    if counts is None:
        yield "There is no table of documents: authors and licences of single rows are not known."
        return
    rows = manifest.totals["rows"]
    for what, tally in (("licence", counts.licences), ("author", counts.authors)):
        none = tally.unstated
        if none.documents:
            said = counted(none.documents, "documents")
            yield f"No {what} is stated for {said} ({share(none.rows, rows)} of the rows)."
