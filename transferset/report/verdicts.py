"""What `diff` found, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from transferset.manifest import Json

#: Rows that keep fewer of their ids in place are not called an edition of others.
_MOSTLY: Final = 0.5


def relation(facts: Json) -> str:
    """The name of the closest relation that holds between A and B; `overlap` if none does.

    Args:
        facts: The members of `comparing.diff`.
    """
    return next(name for name, (holds, _) in _RELATIONS.items() if holds(facts))


def verdict(facts: Json) -> str:
    """The closest relation that holds between A and B, in a sentence.

    Args:
        facts: The members of `comparing.diff`.
    """
    return _RELATIONS[relation(facts)][1](facts)


def _percent(share: float | None) -> str:
    """`10.0 %`; never 100.0 % of less than all, nor 0.0 % of more than nothing."""
    if share is None:
        return "none"
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return "more than 99.9 %" if 0.999 < share < 1 else f"{share:.1%}".replace("%", " %")


def _same_rows(f: Json) -> str:
    same = {"input_ids", *f["columns"]["equal"]}
    others = [name for name in f["columns"]["shared"] if name not in same]
    labels = (f["row_by_row"] or {}).get("labels")
    if labels and labels["changed"]:
        rows = labels["changed"]
        others.remove("label")
        others.append(f"label in {rows:,} {'row' if rows == 1 else 'rows'}")
    but = f", with other values of {', '.join(others)}" if others else ""
    return f"B has the {_count(f, 'b')} of A in the same order{but}."


def _count(f: Json, side: str) -> str:
    return f"{f[side]['rows']:,} {'row' if f[side]['rows'] == 1 else 'rows'}"


def _row_permutation(f: Json) -> str:
    changed = f["row_by_row"]["changed"]
    return f"B is a row-wise permutation of A: {changed:,} of {_count(f, 'a')} changed."


def _reordered(f: Json) -> str:
    return f"B has the {_count(f, 'b')} of A in another order."


def _selection(f: Json) -> str:
    return (
        f"B is a selection of A: its {_count(f, 'b')} ({_percent(f['rows']['share_of_a'])} of A) "
        "stand in A in the same order."
    )


def _selected(f: Json) -> str:
    return (
        f"A is a selection of B: its {_count(f, 'a')} ({_percent(f['rows']['share_of_b'])} of B) "
        "stand in B in the same order."
    )


def _part(f: Json) -> str:
    share = _percent(f["rows"]["share_of_a"])
    return f"B is a part of A in another order: its {_count(f, 'b')} are {share} of those of A."


def _whole(f: Json) -> str:
    share = _percent(f["rows"]["share_of_b"])
    return f"A is a part of B in another order: its {_count(f, 'a')} are {share} of those of B."


def _repeats(f: Json) -> str:
    different = f["rows"]["different_b"]
    return (
        f"B repeats rows of A: its {_count(f, 'b')} are {different:,} different ones, all of which "
        "are in A."
    )


def _deletion(f: Json) -> str:
    gone = f["a"]["tokens"] - f["b"]["tokens"]
    return (
        f"B is A with tokens deleted, row by row: {gone:,} of {f['a']['tokens']:,} ids "
        f"({_percent(gone / f['a']['tokens'])}) are gone."
    )


def _replacement(f: Json) -> str:
    row = f["row_by_row"]
    replaced = row["ids"] - row["ids_in_place"]
    return (
        f"B is A with tokens replaced, row by row: {replaced:,} of {row['ids']:,} ids "
        f"({_percent(replaced / row['ids'])}) differ."
    )


def _permuted_bags(f: Json) -> str:
    return (
        f"Each of B's {_count(f, 'b')} has the tokens of a row of A, in the same order or another."
    )


def _same_tokens(f: Json) -> str:
    return (
        f"B has the {f['b']['content_tokens']:,} tokens of A in other rows: "
        f"{f['rows']['shared']:,} of {_count(f, 'b')} are shared."
    )


def _overlap(f: Json) -> str:
    rows, tokens = f["rows"], f["tokens"]
    shared = f"{rows['shared']:,}" if rows["shared"] else "none"
    return (
        f"B shares {shared} of its {_count(f, 'b')} and {_percent(tokens['share_of_b'])} of its "
        "tokens with A."
    )


def _holds_deletion(f: Json) -> bool:
    row = f["row_by_row"]
    return row is not None and row["within"] == row["rows"]


def _holds_replacement(f: Json) -> bool:
    row = f["row_by_row"]
    same_lengths = row is not None and row["same_length"] == row["rows"]
    return same_lengths and row["ids_in_place"] > _MOSTLY * row["ids"]


#: From the closest relation to the loosest: whether it holds, and the sentence that says so.
_RELATIONS: Final[Mapping[str, tuple[Callable[[Json], bool], Callable[[Json], str]]]] = {
    "same_rows": (lambda f: f["order"]["same_rows"], _same_rows),
    "row_permutation": (lambda f: f["order"]["row_permutation"], _row_permutation),
    "reordered": (lambda f: f["order"]["reordered"], _reordered),
    "selection": (lambda f: f["order"]["b_in_a"], _selection),
    "selected": (lambda f: f["order"]["a_in_b"], _selected),
    "part": (lambda f: f["rows"]["shared"] == f["b"]["rows"], _part),
    "whole": (lambda f: f["rows"]["shared"] == f["a"]["rows"], _whole),
    "repeats": (lambda f: f["rows"]["b_in_a"] == f["b"]["rows"], _repeats),
    "deletion": (_holds_deletion, _deletion),
    "replacement": (_holds_replacement, _replacement),
    "permuted_rows": (lambda f: f["bags"]["shared"] == f["b"]["rows"], _permuted_bags),
    "same_tokens": (lambda f: f["tokens"]["same"], _same_tokens),
    "overlap": (lambda f: True, _overlap),
}
