"""What a set asks of a model: classes or a score, of texts or pairs, and how it is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from transferset.distillation.examples.classes import Places, places
from transferset.errors import UsageError, sentence
from transferset.manifest import Manifest
from transferset.metrics.tasks import Metric, metrics_of
from transferset.shards import ShardSet
from transferset.students.config import Task

_BUILT: Final = "build task"

#: What commands begin with that make sets of what is none.
_BUILDS: Final = "build "


def task_of(found: ShardSet, name: str = "task") -> Task:
    """The task of a set, by its manifest.

    Args:
        found: An open set.
        name: Of the task.

    Returns:
        Its classes are those of the column `label`; of a set without labels those of its teacher.

    Raises:
        UsageError: It has neither labels with names nor logits.
    """
    label, teacher = found.manifest.schema.get("label"), found.manifest.teacher
    names = found.manifest.names.get("label")
    if label is not None and label.startswith("float"):
        return Task(classes=None, pair=is_pair(found), name=name)
    if label is not None and names:
        return Task(classes=tuple(names), pair=is_pair(found), name=name)
    if teacher is not None and teacher["kind"] == "classifier":
        known = teacher["classes"]
        classes = None if known is None else tuple(known)
        return Task(classes=classes, pair=is_pair(found), name=name)
    do = "build the set with `transferset build task`, or add logits with `transferset label`"
    expected, had = "a set with labels or logits", ", ".join(found.manifest.schema)
    raise UsageError(sentence(expected, had, str(found.root), do))


def is_pair(found: ShardSet) -> bool:
    """Whether a set's rows are pairs.

    Steps that change ids drop the texts; then the separators of its first rows tell.
    """
    schema, tokenizer = found.manifest.schema, found.manifest.tokenizer
    if "text" in schema or "words" in schema or tokenizer is None:
        return "text_pair" in schema or "words_pair" in schema
    batch = next(found.batches(), None)
    if batch is None or not batch.num_rows:
        return False
    column = batch.column("input_ids")
    ids, offsets = column.values.to_numpy(), column.offsets.to_numpy()
    before = np.append(0, np.cumsum(ids == tokenizer["special_ids"]["sep"]))
    return bool((before[offsets[1:]] - before[offsets[:-1]] == 2).all())


def order_of(found: ShardSet, task: Task) -> Places:
    """A task's classes in the order of a set's, if the set has all of them; else as they are.

    Scores like F1 are those of one class, by its number in the set.

    Args:
        found: An open set.
        task: Of the model that is judged on it.

    Returns:
        int64[C], places in `task.classes`.
    """
    names = found.manifest.names.get("label")
    if task.classes is None or not names or len(names) != len(task.classes):
        return np.arange(task.outputs)
    return places(names, task.classes, str(found.root))


def metrics_for(found: ShardSet, task: Task) -> tuple[Metric, ...]:
    """The scores by which a task is judged on a set; see `metrics.tasks.metrics_of`."""
    if task.classes is None:
        return metrics_of("regression")
    return metrics_of("class", len(task.classes), layout_of(found.manifest))


def layout_of(manifest: Manifest) -> str | None:
    """The layout of the task files that a set's rows were read from; None if they had several."""
    own = {"op": manifest.op, "params": manifest.params, "parents": manifest.parents}
    found = {str(entry["params"].get("layout") or "") for entry in _built(own)}
    return found.pop() or None if len(found) == 1 else None


def name_of(manifest: Manifest) -> str:
    """What a set's task is called: as the set that its rows were built as, if it was one.

    The names of derived sets say how they were made, not what they are about.
    """
    own = {"op": manifest.op, "name": manifest.name, "params": manifest.params}
    found = _entries({**own, "parents": manifest.parents})
    names = {(one.get("digest"), one.get("name")) for one in found if _is_built(one)}
    name = names.pop()[1] if len(names) == 1 else None
    return name if isinstance(name, str) and name else manifest.name


def _is_built(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("op")).startswith(_BUILDS)


def _built(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The sets that were built from files, in however deep a lineage."""
    for one in _entries(entry):
        if one.get("op") == _BUILT and isinstance(one.get("params"), dict):
            yield one


def _entries(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A set and its ancestors."""
    waiting: list[Mapping[str, Any]] = [entry]
    while waiting:
        one = waiting.pop()
        yield one
        parents = one.get("parents")
        if isinstance(parents, list | tuple):
            waiting += [parent for parent in parents if isinstance(parent, dict)]
