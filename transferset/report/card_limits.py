"""Known limits of a set, as far as its manifest proves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from transferset.ledger import Reason
from transferset.manifest import Manifest
from transferset.report.card_generated import written_limits
from transferset.report.document_counts import DocumentCounts
from transferset.report.lineage import Lineage, Node
from transferset.report.markdown import md
from transferset.report.wording import counted, number, share

#: Steps after which rows are no longer what somebody wrote, and what they are then.
_UNNATURAL: Final = {
    "shuffle": "Words or tokens of the rows were shuffled",
    "generate": "Rows were drawn from token frequencies",
    "mask": "Tokens were masked",
    "delete": "Tokens were deleted",
    "replace": "Tokens were replaced at random",
    "augment": "Variants of rows were made by changing words at random",
    "replace-lm": "Variants of rows were made with words that a language model proposed",
}

_LOOKED_FOR: Final = frozenset({Reason.DUPLICATE_DOCUMENT, Reason.NEAR_DUPLICATE, Reason.DUPLICATE})


def limits(manifest: Manifest, graph: Lineage, counts: DocumentCounts | None) -> list[str]:
    """What a reader must know before using the set, one sentence each."""
    return [
        *_form(manifest),
        *_steps(graph),
        *written_limits(manifest),
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


def _rows_of(graph: Lineage, stop: Callable[[Node], bool] = lambda node: False) -> list[str]:
    """The set and those ancestors whose rows it has: not those that a model was fitted on.

    Args:
        graph: The set last.
        stop: Whether what is behind an ancestor does not matter.
    """
    *_, last = graph.nodes
    keys, seen = [last], {last}
    for key in keys:  # grows while it is walked
        if stop(graph.nodes[key]):
            continue
        for parent, role in graph.nodes[key].parents.items():
            if role != "fit" and parent in graph.nodes and parent not in seen:
                seen.add(parent)
                keys.append(parent)
    return keys


def _duplicates(graph: Lineage) -> Iterator[str]:
    """Corpora from which rows come without any search on the way."""
    *_, own = graph.nodes
    keys = _rows_of(graph, _deduplicates)
    ends = [graph.nodes[key] for key in keys if not graph.nodes[key].parents]
    names = [md(node.name, 80) for node in ends if not _deduplicates(node)]
    if names:
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        where = f" for rows from {', '.join(names[:5])}{more}" if keys != [own] else ""
        yield f"No search for duplicates is recorded{where}, neither of documents nor of rows."


def _deduplicates(node: Node) -> bool:
    if any(entry.reason in _LOOKED_FOR for entry in node.ledger):
        return True
    params, steps = node.params, node.params.get("steps")
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
