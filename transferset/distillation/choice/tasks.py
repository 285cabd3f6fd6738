"""What the heads of a student stand for: one task for each set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from transferset.distillation.examples.tasks import name_of, task_of
from transferset.errors import UsageError, sentence
from transferset.shards import ShardSet
from transferset.students.config import Task

#: Longest name of a task; a student's configuration takes a little more.
_LONGEST: Final = 900

#: A name that a user gives: it stands in tables, in `TASK=SET` and in the names of scores.
_SHORT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def tasks_of(
    sets: Sequence[ShardSet], teacher: Sequence[Task] = (), names: Sequence[str] = ()
) -> tuple[Task, ...]:
    """The tasks of sets, one of each.

    Args:
        sets: In order.
        teacher: Tasks of a teacher that is asked while the student learns: what sets stand for
            that have neither labels nor logits; one for all of them, or one each.
        names: One each; none are those of `task_names`.

    Returns:
        Their tasks.

    Raises:
        UsageError: A set has neither labels nor logits, and there is no such teacher.
    """
    asked = list(teacher) if len(teacher) == len(sets) else list(teacher[:1]) * len(sets)
    found = []
    for i, (one, name) in enumerate(zip(sets, names or task_names(sets), strict=True)):
        schema = one.manifest.schema
        if asked and "label" not in schema and "logits" not in schema:
            found.append(replace(asked[i], pair="text_pair" in schema, name=name))
        else:
            found.append(task_of(one, name))
    return tuple(found)


def task_names(sets: Sequence[ShardSet]) -> list[str]:
    """What the tasks of sets are called if the user does not say it.

    Args:
        sets: In order.

    Returns:
        See `examples.tasks.name_of`. Sets that were built as one, or under one name, are called by
        names of their own; a name that is there already gets `-2`, and so on.
    """
    built = [name_of(one.manifest) for one in sets]
    own = [one.manifest.name for one in sets]
    names = [b if built.count(b) == 1 else o for b, o in zip(built, own, strict=True)]
    return different([name[:_LONGEST] or "task" for name in names])


def checked_names(names: Sequence[str], sets: Sequence[ShardSet]) -> tuple[str, ...]:
    """The names that a user gives to tasks; none where they are the usual ones.

    So that it is no other recipe to state what is usual.

    Args:
        names: One for each set, or none.
        sets: In order.

    Raises:
        UsageError: A name is no short one, two are equal, or there are not as many.
    """
    if not names:
        return ()
    for name in names:
        if not _SHORT.fullmatch(name):
            expected = "a --task of up to 40 letters, digits, dots, dashes and underscores"
            raise UsageError(sentence(expected, name))
    if len(names) != len(sets):
        expected = f"one --task for each set, in their order: {len(sets)}"
        raise UsageError(sentence(expected, f"{len(names)}"))
    if len(set(names)) < len(names):
        raise UsageError(sentence("tasks of different names", ", ".join(names)))
    return () if list(names) == task_names(sets) else tuple(names)


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
