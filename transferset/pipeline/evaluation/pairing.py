"""Which set is for which of a model's tasks, and which of a teacher's heads is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transferset.distillation.examples.tasks import name_of
from transferset.errors import UsageError, sentence
from transferset.shards import ShardSet
from transferset.students.config import Task


def sets_of_tasks(sets: Sequence[str | Path], tasks: Sequence[Task]) -> list[tuple[int, ShardSet]]:
    """Open sets, each for a task of a model.

    Args:
        sets: Directories, or `TASK=DIRECTORY`.
        tasks: Of the model.

    Returns:
        Number of the task and its set, in the order of the sets. Where tasks are not named they
        are those that are called as the sets; else there must be as many, and their order counts.

    Raises:
        UsageError: That does not tell which is for which.
        SetError: There is no set, or it is damaged.
    """
    names = [task.name for task in tasks]
    split = [_named(str(one), names) for one in sets]
    opened = [ShardSet.open(path) for _, path in split]
    stated = [name for name, _ in split if name is not None]
    if stated and len(stated) < len(split):
        raise UsageError(sentence("TASK=SET for all sets, or for none", f"{len(stated)} of these"))
    if len(tasks) == 1 and len(opened) == 1:
        return [(0, opened[0])]
    called = stated or _called(opened, names)
    if called and len(set(called)) == len(called):
        return [(names.index(name), one) for name, one in zip(called, opened, strict=True)]
    if len(opened) == len(tasks):
        return list(enumerate(opened))
    expected = f"one set for each of the tasks {', '.join(names)}"
    raise UsageError(sentence(expected, f"{len(opened)}", do=f"name them, like {names[0]}=SET"))


def teacher_task(teacher: Sequence[Task], task: Task, path: str) -> int:
    """The head of a teacher that stands for a task: of that name, else the only one that may.

    Args:
        teacher: Its tasks.
        task: Of the model that is judged.
        path: The teacher's directory, for the message.

    Raises:
        UsageError: There is none, or there are several.
    """
    if len(teacher) == 1:  # of whatever name; its classes are compared later
        return 0
    same = [i for i, one in enumerate(teacher) if one.name == task.name]
    alike = [i for i, one in enumerate(teacher) if _classes(one) == _classes(task)]
    found = same or alike
    if len(found) != 1:
        names = ", ".join(one.name for one in teacher)
        raise UsageError(sentence(f"a teacher of the task {task.name}", f"one of {names}", path))
    return found[0]


def _classes(task: Task) -> frozenset[str] | None:
    return None if task.classes is None else frozenset(name.casefold() for name in task.classes)


def _named(given: str, names: Sequence[str]) -> tuple[str | None, str]:
    name, mark, path = given.partition("=")
    # a recipe writes sets to folders like `seed=1`
    return (name, path) if mark and name in names and not Path(given).exists() else (None, given)


def _called(sets: Sequence[ShardSet], names: Sequence[str]) -> list[str]:
    """The task that each set is called as; none if one is not."""
    found = [next((name for name in _names(one) if name in names), None) for one in sets]
    return [name for name in found if name is not None] if None not in found else []


def _names(one: ShardSet) -> tuple[str, ...]:
    return one.manifest.name, one.root.name, name_of(one.manifest)
