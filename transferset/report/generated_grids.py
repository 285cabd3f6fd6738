"""What is known of rows that a language model wrote, as tables and sentences.

What a model's name or a piece may hold is escaped by who shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from transferset.manifest import Json
from transferset.report.label_grids import Grid
from transferset.report.wording import counted, listed, number, percent, share, small

#: What came of an attempt, in words; the names are those of the ledger.
OUTCOMES: Final[Mapping[str, str]] = {
    "kept": "kept",
    "unfinished": "not finished",
    "undecodable": "no text",
    "blank": "blank",
    "not_a_pair": "not a pair",
    "repeated": "repeated",
    "copied": "copies of given rows",
    "copied_evaluation": "copies of evaluation rows",
    "surplus": "beyond the target",
}

#: A cell of one side: what `generated_measures` says of it.
SideCell = Callable[[Json], str]


def _bits(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _of_length(one: Json, *keys: str) -> str:
    found = one["length"]
    for key in keys:
        found = None if found is None else found[key]
    return number(found)


def _in_natural(one: Json, order: str) -> str:
    return "–" if one["in_natural"] is None else _percent(one["in_natural"][order])


#: What is said of either side, by its name.
SIDE_ROWS: Final[Mapping[str, SideCell]] = {
    "rows": lambda s: number(s["rows"]),
    "content tokens": lambda s: number(s["content_tokens"]),
    "content tokens a row": lambda s: "–" if s["length"] is None else f"{s['length']['mean']:.1f}",
    "5th percentile": lambda s: _of_length(s, "quantiles", "5"),
    "median": lambda s: _of_length(s, "quantiles", "50"),
    "95th percentile": lambda s: _of_length(s, "quantiles", "95"),
    "longest": lambda s: _of_length(s, "max"),
    "distinct-1": lambda s: _bits(s["distinct"]["1"]),
    "distinct-2": lambda s: _bits(s["distinct"]["2"]),
    "distinct-3": lambda s: _bits(s["distinct"]["3"]),
    "self-repetition": lambda s: _bits(s["self_repetition"]),
    "4-grams repeated in a row": lambda s: _percent(s["repetition"]),
    "rows equal to an earlier one": lambda s: _percent(s["repeated_rows"]),
    "4-grams of natural rows": lambda s: _in_natural(s, "4"),
    "8-grams of natural rows": lambda s: _in_natural(s, "8"),
}


def _copies(measures: Json) -> str:
    copied = measures["copied_rows"]
    return "–" if copied is None else f"{number(copied['rows'])} ({percent(copied['share'])})"


#: What is said of the written rows only.
COMPARED_ROWS: Final[Mapping[str, Callable[[Json], str]]] = {
    "copies of natural rows": _copies,
    "JS of lengths": lambda m: "–" if m["js"] is None else small(m["js"]["length"]),
    "JS of unigrams": lambda m: "–" if m["js"] is None else small(m["js"]["unigram"]),
}


def perplexities(known: Json) -> tuple[str, str]:
    """Perplexity of written and of natural rows under the base model, dashes if not known."""
    base = known["base"]
    if base is None:
        return "–", "–"
    written, natural = (base[side]["perplexity"] for side in ("written", "natural"))
    return f"{written:,.1f}", f"{natural:,.1f}"


def measures_grid(known: Json) -> Grid | None:
    """Both sides beside each other; None of a set without ids.

    Args:
        known: `generated` of what `stats.stats` gives.
    """
    measures = known["measures"]
    if measures is None:
        return None
    its = measures["natural"]
    rows = [
        (name, cell(measures["generated"]), "–" if its is None else cell(its))
        for name, cell in SIDE_ROWS.items()
    ]
    rows += [(name, cell(measures), "") for name, cell in COMPARED_ROWS.items()]
    if known["base"] is not None:
        rows.append(("perplexity of a piece", *perplexities(known)))
    return Grid("Written rows", ("", "written", "natural"), tuple(rows), note(known))


def note(known: Json) -> str:
    """On what the measures rest."""
    return _plain(*_notes(known))


def _plain(*sentences: str) -> str:
    """Sentences whose spaces are plain ones: those who escape them spell out all others."""
    return " ".join(sentences).replace("\u00a0", " ")


def _notes(known: Json) -> Iterator[str]:
    measures, base = known["measures"], known["base"]
    its = measures["natural"]
    if its is None:
        yield "There are no natural rows to compare them with."
    elif its["root"] != measures["generated"]["root"]:
        yield f"Natural rows are those of {its['set']}."
    yield (
        f"Distinct-n and self-repetition are of {counted(measures['tokens'], 'content tokens')} "
        "of either side, rows chosen at random."
    )
    for side in (one for one in (measures["generated"], its) if one and one["looked_at"] < 1):
        which = "written" if side is measures["generated"] else "natural"
        yield f"N-grams were counted in {percent(side['looked_at'])} of the {which} rows."
    if base is not None:
        written, natural = (number(base[side]["rows"]) for side in ("written", "natural"))
        yield (
            f"Perplexity is that of {base['model']}, on {written} written and {natural} natural "
            "rows."
        )


def outcomes_grid(known: Json) -> Grid | None:
    """Attempts by what came of them; None where that is not known."""
    told = known["sampling"]
    if told is None:
        return None
    outcomes, total = told["outcomes"], sum(told["outcomes"].values())
    rows = [
        (OUTCOMES[name], number(count), share(count, total))
        for name, count in outcomes.items()
        if count or name == "kept"
    ]
    rows.append(("all", number(total), share(total, total)))
    return Grid("Attempts", ("attempts", "number", "of all"), tuple(rows), achieved(told))


def achieved(told: Json) -> str:
    """What the attempts came to, in a sentence or two.

    Args:
        told: `sampling` of what `generated.generated_of` gives.
    """
    ended = share(told["finished"], told["attempts"])
    said = [f"The model ended {ended} of its rows itself."]
    if told["multiple"] is not None:
        times = f"{told['multiple']:.4g} times as many rows"
        said.append(f"The set has {times} as the one that it was sampled from.")
    if told["kept"] < told["wanted"]:
        said.append(f"{counted(told['wanted'], 'rows')} were wanted.")
    return _plain(*said)


def prefixes_grid(known: Json) -> Grid | None:
    """The most frequent first pieces; None where rows did not begin with drawn ones."""
    found = known["prefixes"]
    if found is None or not found["first"]:
        return None
    rows = [(one["piece"], number(one["rows"]), percent(one["share"])) for one in found["first"]]
    said = f"{counted(found['different'], 'different pieces')} begin the rows that it learnt from."
    if found["js"] is not None:
        said += f" Those that were drawn are {small(found['js'])} bits away (JS)."
    return Grid("First pieces", ("first piece", "rows", "of all"), tuple(rows), said)


def in_short(known: Json) -> str:
    """One sentence on how many rows which model wrote.

    Args:
        known: From `generated.generated_of`.
    """
    total = known["rows"] + known["natural"]
    said = f"{number(known['rows'])} of {counted(total, 'rows')} by {listed(known['models'][:3])}"
    unfinished = None if known["finished"] is None else known["rows"] - known["finished"]
    return f"{said}, {number(unfinished)} of them not finished" if unfinished else said


def attempts_in_short(told: Json) -> str:
    """One sentence on what came of the attempts."""
    lost = {name: count for name, count in told["outcomes"].items() if count and name != "kept"}
    parts = [f"{number(count)} {OUTCOMES[name]}" for name, count in lost.items()]
    kept = f"{number(told['kept'])} of {counted(told['attempts'], 'attempts')} kept"
    return f"{kept}; {listed(parts)}" if parts else kept
