"""Numbers, steps and sizes in words; a unit stays on the line of its number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from transferset.report.markup import shown

#: Most steps that one sentence tells.
MOST_STEPS: Final = 12

_UNITS: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def size(count: int | None) -> str:
    """`4.3 MB` (decimal), or a dash for what is not known."""
    if count is None:
        return "–"
    for scale, unit in _UNITS:
        if count >= scale:
            return f"{count / scale:.1f}\u00a0{unit}"
    return f"{count}\u00a0B"


def share(part: float, whole: float) -> str:
    """`9.99 %`, with three digits that tell; a dash of nothing."""
    return percent(part / whole) if whole else "–"


def percent(ratio: float) -> str:
    """A ratio as per cent in three digits that tell: `0.103 %`, `9.99 %`, `100 %`."""
    value = 100 * ratio
    if value >= 99.95 or value == 0:
        return f"{value:.0f}\u00a0%"
    if value < 0.001:
        return "< 0.001\u00a0%"
    digits = 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}\u00a0%"


def number(value: float | None) -> str:
    """`18,056`, `31.8`, or a dash for what is not known."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def counted(count: int, unit: str) -> str:
    """`1 row`, `1,806 rows`, for a unit in the plural."""
    return f"{count:,} {unit.removesuffix('s') if count == 1 else unit}"


def small(value: float | None) -> str:
    """A divergence: `0.0123`, `3.1e-05`, `0`."""
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.4f}" if value >= 0.001 else f"{value:.1e}"


Params = Mapping[str, Any]


def _sample(p: Params) -> str:
    how = " (with replacement)" if p.get("with_replacement") else ""
    of = "the tokens" if p.get("by") == "tokens" else "the rows"
    return f"random sample of {_amount(p, of)}{how}"


def _shuffle(p: Params) -> str:
    what = "words" if p.get("words") else "tokens"
    within = f" by at most {shown(p['window'])} places" if p.get("window") else ""
    return f"{what} of each row shuffled{within}"


def _generate(p: Params) -> str:
    amount = shown(p.get("size", "?"), 40)
    many = {"100%": "as many rows"}.get(amount, f"{amount} rows")
    if "%" in many:
        many = f"{amount} of the number of rows"
    return f"{many} generated from its length and token frequencies"


def _mask(p: Params) -> str:
    rule = " (80/10/10 rule)" if p.get("rule") == "bert" else ""
    return f"{_chosen(p)} masked{rule}"


def _amount(p: Params, of: str) -> str:
    amount = shown(p.get("size", "?"), 40)
    return f"{amount} of {of}" if "%" in amount else f"{amount} rows"


def _chosen(p: Params) -> str:
    value = p.get("p")
    chance = percent(value) if isinstance(value, float | int) else "some"
    return f"{chance} of the {'words' if p.get('words') else 'tokens'}"


def _split(p: Params) -> str:
    by = ", the same shares of each class" if p.get("stratify") else ""
    return f"one part of a split ({shown(p.get('shares'), 80)}{by})"


_CHANGES: Final = {
    "mask": "masked",
    "pos": "replaced by words of their tag",
    "delete": "deleted",
    "swap": "swapped",
}


def _augment(p: Params) -> str:
    told = [
        f"{percent(value)} of the words {what}"
        for name, what in _CHANGES.items()
        if isinstance(value := p.get(name), float | int) and value
    ]
    if isinstance(window := p.get("window"), float | int) and window:
        told.append(f"{percent(window)} of the texts cut to an n-gram")
    return f"{_variants(p)} with {listed(told)}"


def _replace_lm(p: Params) -> str:
    value = p.get("p")
    chance = percent(value) if isinstance(value, float | int) else "some"
    return f"{_variants(p)} with {chance} of the words replaced by those of a language model"


def _variants(p: Params) -> str:
    """Up to how many variants, and what becomes of the rows."""
    target, attempts = p.get("target"), p.get("iterations")
    many = "variants of each row"
    if target:
        many = f"variants up to {shown(target, 20)} the rows"
    elif isinstance(attempts, int):
        many = f"up to {shown(attempts)} variants of each row"
    return f"{many}, without the rows themselves," if p.get("originals") == "none" else many


def _dedupe(params: Params) -> str:
    inside = ", rows inside of longer ones dropped" if params.get("how") == "contained" else ""
    return f"equal rows kept once{inside}"


_PHRASES: Final[Mapping[str, Callable[[Params], str]]] = {
    "sample": _sample,
    "shuffle": _shuffle,
    "generate": _generate,
    "mask": _mask,
    "delete": lambda p: f"{_chosen(p)} deleted",
    "replace": lambda p: f"{_chosen(p)} replaced by draws from the set's token frequencies",
    "lengths": lambda p: f"rows of {shown(p.get('range'), 40)} ids kept",
    "filter": lambda p: f"rows kept where {shown(p.get('expression'), 120)}",
    "dedupe": _dedupe,
    "pack": lambda p: f"rows packed to {shown(p.get('length'), 40)} ids",
    "augment": _augment,
    "replace-lm": _replace_lm,
    "split": _split,
}


def step_phrase(step: object) -> str:
    """One step of a manifest's parameters in words; a step from outside by name and parameters."""
    if not isinstance(step, Mapping) or len(step) != 1:
        return "an unknown step"
    ((name, params),) = step.items()
    given = params if isinstance(params, Mapping) else {}
    if name in _PHRASES:
        return _PHRASES[name](given)
    values = ", ".join(f"{shown(k, 40)} = {shown(v, 40)}" for k, v in list(given.items())[:8])
    return f"{shown(name, 60)} ({values})" if values else shown(name, 60)


def made_by(op: str, params: Mapping[str, Any]) -> str:
    """What made a set, in words: its steps, or the operation.

    Args:
        op: `derive`, `mix`, `build wiki`, …
        params: The manifest's parameters.
    """
    steps, counts = params.get("steps"), params.get("counts")
    if op == "mix" and isinstance(counts, list) and 0 < len(counts) <= MOST_STEPS:
        return f"{listed([shown(n, 30) for n in counts])} of their rows, shuffled together"
    if not isinstance(steps, Sequence) or isinstance(steps, str) or not steps:
        return _OPERATIONS.get(op, shown(op, 60))
    phrases = [step_phrase(step) for step in steps[:MOST_STEPS]]
    if len(steps) > MOST_STEPS:
        phrases.append(f"{len(steps) - MOST_STEPS:,} more steps")
    return ", then ".join(phrases)


_OPERATIONS: Final = {
    "build wiki": "built from a Wikipedia dump",
    "build books": "built from books",
    "build text": "built from text",
    "build task": "built from task files",
    "mix": "mixed from other sets",
    "derive": "derived",
    "lm sample": "sampled from a language model",
    "label": "labelled by a teacher",
}


def sentence_case(text: str) -> str:
    """With a capital at the beginning."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def in_words(value: Any, depth: int = 4) -> str:
    """The value of an option as a person would write it: of no quotes and braces.

    Args:
        value: Of JSON.
        depth: So many values inside each other are told.
    """
    if not depth:
        return "…"
    if isinstance(value, Mapping):
        inner = {k: v for k, v in value.items() if v is not None}
        told = (f"{name} {in_words(one, depth - 1)}" for name, one in inner.items())
        return f"({', '.join(told)})"
    if isinstance(value, list | tuple):
        return " ".join(in_words(one, depth - 1) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
