"""A teacher: opened once a process, and asked with one thread of the processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transferset.distillation.examples.reading import Reading
from transferset.errors import InputError, UsageError, sentence
from transferset.manifest import Json, digest_json
from transferset.pipeline.label.params import CLASSIFIER, MASKED_LM

if TYPE_CHECKING:
    from transferset.students.config import Task, Vocabulary

#: Ids of a row of a teacher that reads rows of any length.
ANY: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Teacher:
    """A teacher as it was planned with.

    Attributes:
        path: Its directory.
        kind: `CLASSIFIER` or `MASKED_LM`.
        about: What the recipe says of it.
        origin: What the manifest says of it, with its lineage and licence.
        task: Which of its heads is asked.
        places: Which of its logits stands for each class of the set; empty for a masked one.
        column: What a teacher of whole words reads.
        length: Most ids of a row that it reads.
    """

    path: str
    kind: str
    about: Json
    origin: Json
    task: int
    places: tuple[int, ...]
    column: str
    length: int

    @property
    def identity(self) -> str:
        """What it is known by: another model may come to stand there."""
        return digest_json(self.about)

    def open(self, device: str | None) -> Open:
        """It, loaded; once in a process.

        Args:
            device: As torch names it, or None.

        Raises:
            InputError: It is not the one that was planned with.
        """
        return open_teacher(self.path, self.kind, self.identity, device)

    def reading(self, device: str | None) -> Reading:
        """How it reads rows."""
        return self.open(device).reading(self.column, self.length)


class Open(NamedTuple):
    """A loaded teacher.

    Attributes:
        model: A text classifier module, or a `MaskedModel`.
        vocabulary: The ids that it reads.
        tokenizer: Its `tokenizer.json`, or None.
        words: Of a student of whole words.
        tasks: Of a classifier.
        positions: Most ids of a row.
    """

    model: Any
    vocabulary: Vocabulary
    tokenizer: Path | None
    words: Any
    tasks: tuple[Task, ...]
    positions: int

    def reading(self, column: str, length: int) -> Reading:
        """How it reads rows of at most so many ids."""
        return Reading(
            vocabulary=self.vocabulary,
            tokenizer=self.tokenizer,
            words=self.words,
            column=column,
            length=length,
        )


def describe_teacher(path: str, kind: str) -> Json:
    """What a recipe says of a teacher: name and digests."""
    if kind == CLASSIFIER:
        from transferset.teachers.describing import describe_classifier

        return describe_classifier(path)
    from transferset.language_models.checkpoint import MASKED
    from transferset.language_models.describing import describe_files
    from transferset.teachers.masked import require_no_student

    require_no_student(path)
    return describe_files(path, MASKED)


@lru_cache(maxsize=1)
def open_teacher(path: str, kind: str, identity: str, device: str | None) -> Open:
    """Load a teacher.

    Args:
        path: Its directory.
        kind: `CLASSIFIER` or `MASKED_LM`.
        identity: Digest of what the recipe says of it.
        device: As torch names it, or None.

    Raises:
        InputError: The directory holds none, or not the one that is meant.
        UsageError: torch is not installed, or there is no such device.
    """
    found = _open_classifier(path, device) if kind == CLASSIFIER else _open_masked(path, device)
    if digest_json(describe_teacher(path, kind)) != identity:
        do = "run the command again"
        raise InputError(sentence("the model as it was at the start", "another one", path, do))
    return found


def _open_classifier(path: str, device: str | None) -> Open:
    from transferset.teachers.logits import positions_of
    from transferset.teachers.opening import open_classifier

    found = open_classifier(path, device, identity=_tokenizer_digest)
    module: Any = found.module
    positions = positions_of(module) or ANY
    tasks = tuple(module.tasks)
    return Open(module, found.vocabulary, found.tokenizer, found.words, tasks, positions)


def _open_masked(path: str, device: str | None) -> Open:
    from transferset.distillation.masked.model import MaskedModel
    from transferset.language_models.model_files import TOKENIZER
    from transferset.teachers.masked import open_masked
    from transferset.teachers.vocabulary import vocabulary_of

    model, file = open_masked(path, device), Path(path) / TOKENIZER
    vocabulary = vocabulary_of(Path(path), model, _tokenizer_digest(file))
    asked = MaskedModel(model, vocabulary, path)
    return Open(asked, vocabulary, file, None, (), asked.positions)


def _tokenizer_digest(path: Path) -> str:
    """Which tokenizer a file holds, as manifests say it: however the file is written."""
    from transferset.tokens import load_tokenizer

    return load_tokenizer(str(path)).info.sha256


def task_number(tasks: Sequence[Task], name: str | None, path: str) -> int:
    """Which of a teacher's heads is asked.

    Args:
        tasks: Of the teacher.
        name: As `--task` says; None is its only one.
        path: Its directory, for messages.

    Raises:
        UsageError: There are several, or none of that name.
    """
    names = [task.name for task in tasks]
    if name in names:
        return names.index(name)
    if len(names) == 1:  # of whatever name: there is nothing to choose
        return 0
    expected = f"--task {' or '.join(names)}"
    raise UsageError(sentence(expected, name or "none", path))


def kind_of(*, mlm: bool) -> str:
    """What a manifest calls the kind of teacher."""
    return MASKED_LM if mlm else CLASSIFIER
