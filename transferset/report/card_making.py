"""How a set was made: ledgers, recipe, seed, versions, ancestors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from transferset.documents import DOCUMENTS
from transferset.ledger import WHY, Reason
from transferset.manifest import Manifest
from transferset.report.card_sections import section
from transferset.report.card_words import made_in_words
from transferset.report.lineage import Lineage, Node, lineage
from transferset.report.markdown import code, items, md, table
from transferset.report.wording import counted, share
from transferset.shards import ShardSet

#: Most ancestors and parameters that are listed.
MOST_ANCESTORS: Final = 20
MOST_PARAMS: Final = 40

#: Accounts of a build beside its rows, and what they hold.
_ACCOUNTS: Final = {
    DOCUMENTS: "each document with its title, author, licence and address",
    "_tables/books.json": "what became of each book, and what was joined with what",
    "_tables/duplicates.json": "what was joined with what",
    "_tables/augment.json": "what came of each attempt to make a variant",
    "_tables/replace-lm.json": "what came of each attempt to make a variant",
    "_tables/sampling.json": "what came of the attempts of a language model to write rows",
    "_fit/prefixes.json": "first pieces of rows, from which those of new rows were drawn",
    "_tables/answers.json": "what the teachers said, in numbers",
    "_tables/words.json": "how texts were cut into words and tagged",
    "_tables/eval.arrow": "digests of the rows of evaluation files",
    "_tables/examples.json": "rows before and after each step",
}

#: Parameters that are told elsewhere.
_TOLD: Final = frozenset({"steps", "parts", "counts", "preset"})


def graph_of(manifest: Manifest) -> Lineage:
    """A set and its ancestors, ancestors first."""
    # only the manifest is looked at: a card is written before its set can be opened
    return lineage([ShardSet(Path("/"), manifest)])


def left_out(manifest: Manifest, graph: Lineage) -> str:
    """The ledger of the set and of its ancestors."""
    *ancestors, own = graph.nodes.values()
    told = [one for one in ancestors if one.ledger][-MOST_ANCESTORS:]
    rows = [_entry("this set" if told else "", own, i) for i in _places(own)]
    for node in reversed(told):
        rows += [_entry(md(node.name, 80), node, i) for i in _places(node)]
    if not rows:
        return section("What was left out", "Nothing.")
    heads = ("why", "how many", "of what was read")
    if told:
        return section("What was left out", table(("from", *heads), rows, left=2))
    return section("What was left out", table(heads, [row[1:] for row in rows]))


def _places(node: Node) -> range:
    return range(min(len(node.ledger), len(WHY)))  # an honest ledger has each reason once


def _entry(name: str, node: Node, number_: int) -> tuple[str, ...]:
    entry = node.ledger[number_]
    why = WHY[Reason(entry.reason)] if entry.reason in set(Reason) else ""
    reason = md(entry.reason.replace("_", " "), 60)
    return (
        name, f"{reason}: {md(why)}" if why else reason,
        counted(entry.count, md(entry.unit, 20)), share(entry.count, node.read(entry.unit)),
    )  # fmt: skip


def how_made(manifest: Manifest, graph: Lineage) -> str:
    """Recipe, seed, versions, parameters, ancestors, tables."""
    made = ", ".join(f"{md(k, 80)} {code(v)}" for k, v in sorted(manifest.code.items())[:10])
    facts = [
        f"Command: {md(manifest.op, 60)}; seed {manifest.seed}, {code(manifest.generator)}",
        f"Recipe (BLAKE3 of all that determines the bytes): {code(manifest.recipe)}",
        f"Code: {made or 'not stated'}",
    ]
    if manifest.tokenizer is not None:
        digest = code(manifest.tokenizer["sha256"])
        facts.append(f"Tokenizer: {md(manifest.tokenizer['name'], 80)}, SHA-256 {digest}")
    if given := _parameters(manifest.params):
        facts.append(f"Parameters: {given}")
    *ancestors, _ = graph.nodes.values()
    nearest = ancestors[-MOST_ANCESTORS:]
    facts += [_ancestor(node) for node in reversed(nearest)]
    if farther := len(ancestors) - len(nearest):
        facts.append(f"{farther:,} farther ancestors stand in `manifest.json`")
    there = {entry.file for entry in manifest.files}
    facts += [f"`{name}`: {what}" for name, what in _ACCOUNTS.items() if name in there]
    same = "The same recipe gives the same bytes."
    return section("How it was made", items(facts), same)


def _ancestor(node: Node) -> str:
    rows = f", {counted(node.totals['rows'], 'rows')}" if "rows" in node.totals else ""
    digest = "" if node.key.startswith("unnamed ") else f", manifest {code(node.key)}"
    return f"From {md(node.name, 80)}: {md(made_in_words(node.op, node.params), 300)}{rows}{digest}"


def _parameters(params: Mapping[str, Any]) -> str:
    """Those with a plain value; the others are told elsewhere, or only in the manifest."""
    plain = [
        f"{md(name, 40)} = {md(value, 80) if not isinstance(value, bool) else str(value).lower()}"
        for name, value in sorted(params.items())
        if name not in _TOLD and isinstance(value, str | int | float) and value != ""
    ]
    return ", ".join(plain[:MOST_PARAMS])
