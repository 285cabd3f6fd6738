"""How rows are read that are to be masked."""

from __future__ import annotations

from typing import Final

from transferset.distillation.examples.reading import Reading
from transferset.distillation.examples.tasks import is_pair
from transferset.errors import UsageError, sentence
from transferset.shards import ShardSet
from transferset.students.config import Task

_ROLES: Final = ("cls", "sep", "pad", "unk", "mask")


def rows_task(found: ShardSet) -> Task:
    """What a set's rows look like; their labels are not read."""
    is_class = found.manifest.schema.get("label", "").startswith("int")
    names = tuple(found.manifest.names.get("label", ())) if is_class else ()
    return Task(classes=names or None, pair=is_pair(found))


def special_ids(reading: Reading) -> dict[str, int]:
    """Ids of special pieces by role, of which none is masked.

    Raises:
        UsageError: There is no piece for masks.
    """
    from transferset.language_models.model_files import open_tokenizer
    from transferset.teachers.vocabulary import find_piece

    path = reading.tokenizer
    assert path is not None  # masked language models read no whole words
    tokenizer = open_tokenizer(path)
    found = {role: find_piece(tokenizer, path.parent, role) for role in _ROLES}
    if found["mask"] is None:
        raise UsageError(sentence("a tokenizer with a piece for masks", "none", str(path)))
    return {role: number for role, number in found.items() if number is not None}
