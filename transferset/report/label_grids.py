"""Labels, teachers, tags and attempts as tables; who shows them escapes what a name may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from transferset.manifest import Json
from transferset.report.attempts import OUTCOMES
from transferset.report.labels import NO_LABEL
from transferset.report.wording import number, percent, share

#: Most classes, tags and numbers of attempts that have a row of their own.
MOST_CLASSES, MOST_TAGS, MOST_ATTEMPTS = 100, 10, 12

#: Characters of the longest bar of a histogram.
_BAR: Final = 20


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; its first column names the rows and may hold anything, the others are numbers.

    Attributes:
        title: What it shows.
        heads: Names of the columns.
        rows: Cells, as many as heads.
        note: What else there is to say, may be empty.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def label_grids(facts: Json) -> list[Grid]:
    """The tables of a set.

    Args:
        facts: With what `inspect.row_facts` gives.
    """
    attempts = map(_attempts, facts["attempts"])
    return [*_labels(facts["labels"]), *_teacher(facts.get("teacher")), *_tags(facts), *attempts]


def _labels(labels: Json | None) -> Iterator[Grid]:
    if labels is None:
        return
    score = labels["kind"] == "score"
    rows = list(_bars(labels) if score else _classes(labels))
    for name, count in ((NO_LABEL, labels["missing"]), ("no valid label", labels["others"])):
        if count:
            filled = ("",) if score else ()
            rows.append((name, number(count), share(count, labels["rows"]), *filled))
    heads = ("label", "rows", "of all rows")
    yield Grid("Labels", (*heads, "") if score else heads, tuple(rows), _summary(labels))


def _classes(labels: Json) -> Iterator[tuple[str, ...]]:
    classes = labels["classes"]
    for one in classes[:MOST_CLASSES]:
        name = f"class {one['code']}" if one["name"] is None else one["name"]
        yield name, number(one["rows"]), share(one["rows"], labels["rows"])
    if more := classes[MOST_CLASSES:]:
        rows = sum(one["rows"] for one in more)
        yield f"{len(more):,} more classes", number(rows), share(rows, labels["rows"])


def _bars(labels: Json) -> Iterator[tuple[str, ...]]:
    found = labels["histogram"]
    if found is None:
        return
    edges, most = found["edges"], max(found["rows"])
    for low, high, rows in zip(edges, edges[1:], found["rows"], strict=False):
        name = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        bar = "▇" * -(-_BAR * rows // most)
        yield name, number(rows), share(rows, labels["rows"]), bar


def _summary(labels: Json) -> str:
    if labels["kind"] == "class" or labels["mean"] is None:
        return ""
    return f"From {labels['min']:.4g} to {labels['max']:.4g}, mean {labels['mean']:.4g}."


def _teacher(teacher: Json | None) -> Iterator[Grid]:
    if teacher is None:
        return
    names = [model["name"] for model in teacher["models"][:MOST_CLASSES]]
    if teacher["kind"] == "classifier":
        classes = teacher["classes"]
        width = 1 if classes is None else len(classes)
        rows = [(name, number(width)) for name in names]
        yield Grid("Teacher", ("model", "logits a row"), tuple(rows), _listed(classes or ()))
        return
    facts = (number(teacher["top_k"]), f"{teacher['temperature'] or 0:.4g}")
    heads = ("model", "ids at each label", "temperature of the rest")
    yield Grid("Teacher", heads, tuple((name, *facts) for name in names))


def _listed(classes: Sequence[str]) -> str:
    more = [f"{len(classes) - MOST_CLASSES:,} more"] if len(classes) > MOST_CLASSES else []
    told = ", ".join([*classes[:MOST_CLASSES], *more])
    return f"Classes: {told}." if told else ""


def _tags(facts: Json) -> Iterator[Grid]:
    words, found = facts["words"], facts["tags"]
    if found is None or not found["tags"]:
        return
    tags = found["tags"]
    rows = [(one["name"], number(one["words"]), percent(one["share"])) for one in tags[:MOST_TAGS]]
    if more := tags[MOST_TAGS:]:
        count = sum(one["words"] for one in more)
        rows.append((f"{len(more):,} more tags", number(count), share(count, found["words"])))
    note = ""
    if words is not None and words["mean"] is not None:
        note = f"{words['mean']:.1f} words a row on average, {words['max']:,} at most."
    yield Grid("Words by tag", ("tag", "words", "of all words"), tuple(rows), note)


def _attempts(one: Json) -> Grid:
    table = one["table"]
    rows = [(str(k), *map(number, row)) for k, row in enumerate(table[:MOST_ATTEMPTS], 1)]
    if more := table[MOST_ATTEMPTS:]:
        sums = (number(sum(row[i] for row in more)) for i in range(len(OUTCOMES)))
        rows.append((f"{len(more):,} more", *sums))
    rows.append(("all", *(number(one["totals"][name]) for name in OUTCOMES)))
    return Grid(f"Attempts of {one['step']}", ("attempt", *OUTCOMES), tuple(rows), _achieved(one))


def _achieved(one: Json) -> str:
    said = f"{number(one['rows_before'])} rows became {one['multiple']:.4g} times as many."
    if one["target"] is not None and not one["reached"]:
        said += f" The target of {one['target']} was not reached in {one['attempts']:,} attempts."
    return said
