"""What a student is made for, what comes of it, and what is done to any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch

from transferset.distillation.choice.params import StudentParams
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.students.config import Task, Vocabulary
from transferset.students.plain import folded_config
from transferset.students.student import Student, count_parameters
from transferset.students.word_vocabulary import WordVocabulary
from transferset.teachers.vocabulary import file_digest

if TYPE_CHECKING:
    from torch import nn


#: Most classes that a message names.
_SHOWN: Final = 4


class Made(NamedTuple):
    """A student, ready for training.

    Attributes:
        module: A text classifier: a `Student`, or an `Encoder` of transformers.
        vocabulary: Its words, or the `tokenizer.json` that its ids are of; what it is saved with.
        about: What a record says of it.
    """

    module: nn.Module
    vocabulary: WordVocabulary | Path
    about: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a student is made for.

    Attributes:
        tasks: Its heads.
        tokenizer: As the manifest of its sets has it; None where they have none.
        tokenizer_file: That tokenizer's `tokenizer.json`, as the set has it.
        teacher: A module, a directory, or None.
        words: Of a student of words.
        seed: Of random weights, 0 ≤ seed < 2**64.
        folder: An existing directory for what is written on the way.
    """

    tasks: Sequence[Task]
    tokenizer: Json | None
    tokenizer_file: Path | None
    teacher: Any
    words: WordVocabulary | None
    seed: int
    folder: Path

    def meaning(self, params: StudentParams) -> tuple[Vocabulary, WordVocabulary | Path]:
        """The ids that a new student reads, and what says so.

        Raises:
            UsageError: There is no such thing.
        """
        if params.words:
            if self.words is None:
                raise UsageError(sentence("words for --words", "none"))
            return self.words.vocabulary, self.words
        if self.tokenizer is None or self.tokenizer_file is None:
            do = "add --words, or build the sets with a tokenizer"
            raise UsageError(sentence("sets with a tokenizer", "none", do=do))
        return tokenizer_vocabulary(self.tokenizer, self.tokenizer_file), self.tokenizer_file


def tokenizer_vocabulary(tokenizer: Json, file: Path) -> Vocabulary:
    """The ids of a set.

    Args:
        tokenizer: As its manifest has it.
        file: Its `tokenizer.json`.
    """
    special = tokenizer["special_ids"]
    return Vocabulary(
        size=tokenizer["vocab_size"],
        sha256=file_digest(file),
        padding=special["pad"],
        separator=special["sep"],
        start=special["cls"],
    )


def kept_heads(had: Sequence[Task], wanted: Sequence[Task]) -> dict[int, int]:
    """Which heads stay: of one task each those two, of more by name; where they say the same.

    Args:
        had: Tasks of a model.
        wanted: Those that it is trained for.

    Returns:
        The old head's place by the new one's.
    """
    names = {task.name: i for i, task in enumerate(had)}
    found = {}
    for new, task in enumerate(wanted):
        place = 0 if len(had) == len(wanted) == 1 else names.get(task.name)
        if place is not None and replace(had[place], name=task.name) == task:
            found[new] = place
    return found


def heads_json(had: Sequence[Task], wanted: Sequence[Task], kept: Mapping[int, int]) -> Json:
    """What a record says of heads.

    Args:
        had: Tasks of a model; none if it had no heads.
        wanted: Those that it is trained for.
        kept: See `kept_heads`.

    Returns:
        `kept_heads`, their number; where a model had others, `new_heads` and `left_heads`, in
        words.
    """
    new = [task_told(task) for i, task in enumerate(wanted) if i not in kept]
    if not (had and new):
        return {"kept_heads": len(kept)}
    left = [task_told(task) for i, task in enumerate(had) if i not in kept.values()]
    return {"kept_heads": len(kept), "new_heads": new, "left_heads": left}


def task_told(task: Task) -> str:
    """A task in words, as `sst2: 2 classes (bad, good)`."""
    pairs = " of pairs" if task.pair else ""
    if task.classes is None:
        return f"{task.name}: a score{pairs}"
    shown = ", ".join(task.classes[:_SHOWN]) + (", …" if len(task.classes) > _SHOWN else "")
    return f"{task.name}: {len(task.classes)} classes{pairs} ({shown})"


def freeze_positions(module: nn.Module) -> None:
    """Leave position embeddings as they are.

    Args:
        module: With a transformer in it.

    Raises:
        UsageError: It has none.
    """
    found = [p for name, p in module.named_parameters() if ".position_embeddings." in f".{name}"]
    if not found:
        raise UsageError(sentence("position embeddings for --freeze-positions", "none"))
    for weight in found:
        weight.requires_grad_(False)


def parameters(module: nn.Module) -> dict[str, int]:
    """How large a model is.

    Args:
        module: A student, an encoder or a masked language model; what is shared counts once.

    Returns:
        See `students.student.count_parameters`.
    """
    if isinstance(module, Student):
        return count_parameters(module)
    sizes = {f".{name}": p.numel() for name, p in module.named_parameters()}
    embedding = sum(n for name, n in sizes.items() if ".embeddings." in name)
    whole = sum(sizes.values())
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    return {"all": whole, "embedding": embedding, "other": whole - embedding, "trained": trained}


def saved_parameters(module: nn.Module) -> dict[str, int]:
    """How large a model is once it is saved, when a student's tables and map have become one table.

    Args:
        module: See `parameters`.

    Returns:
        As there; `trained` are those that have a gradient before.
    """
    found = parameters(module)
    if isinstance(module, Student) and (config := folded_config(module)) is not module.config:
        with torch.device("meta"):
            found = {**count_parameters(Student(config)), "trained": found["trained"]}
    return found
