"""What the heads of a student stand for: one task for each set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from transferset.distillation.examples.tasks import task_of
from transferset.shards import ShardSet
from transferset.students.config import Task

#: Longest name of a task; a student's configuration takes a little more.
_LONGEST: Final = 900


def tasks_of(sets: Sequence[ShardSet], teacher: Sequence[Task] = ()) -> tuple[Task, ...]:
    """The tasks of sets, one of each.

    Args:
        sets: In order.
        teacher: Tasks of a teacher that is asked while the student learns: what sets stand for
            that have neither labels nor logits; one for all of them, or one each.

    Returns:
        Tasks named as their sets; a name that is there already gets `-2`, and so on.

    Raises:
        UsageError: A set has neither labels nor logits, and there is no such teacher.
    """
    asked = list(teacher) if len(teacher) == len(sets) else list(teacher[:1]) * len(sets)
    names = different([one.manifest.name[:_LONGEST] or "task" for one in sets])
    found = []
    for i, (one, name) in enumerate(zip(sets, names, strict=True)):
        schema = one.manifest.schema
        if asked and "label" not in schema and "logits" not in schema:
            found.append(replace(asked[i], pair="text_pair" in schema, name=name))
        else:
            found.append(task_of(one, name))
    return tuple(found)


def different(names: Sequence[str]) -> list[str]:
    """The same names, numbered from the second of each, so that none is there twice."""
    taken = set(names)
    made: list[str] = []
    for name in names:
        number, given = 1, name
        while given in made or (number > 1 and given in taken):
            number += 1
            given = f"{name}-{number}"
        made.append(given)
    return made
