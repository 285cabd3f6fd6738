"""What a directory says of the classifier in it, read without torch; nothing there is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from transferset.errors import InputError, printable, sentence
from transferset.language_models.checkpoint import Kind
from transferset.language_models.model_files import CONFIG, TOKENIZER, check_config, read_json
from transferset.shapes import Misshapen, Nullable, check, text
from transferset.students.config import Config, Task
from transferset.students.modes import PREFIX
from transferset.students.word_vocabulary import WORDS

#: Kinds of directories.
STUDENT: Final = "student"
CLASSIFIER: Final = "classifier"
SEVERAL: Final = "heads"

#: Of an encoder with several heads.
HEADS: Final = "heads.json"
HEAD_WEIGHTS: Final = "heads.safetensors"

#: Member of a classifier's `config.json` that says what transformers has no word for.
MEMBER: Final = "transferset"

FIT: Final = "`transferset teacher fit` makes one of an encoder and a task set"

SEQUENCE: Final = Kind(
    "AutoModelForSequenceClassification",
    "a classifier of texts",
    "every part, the classifier",
    FIT,
)
ENCODER: Final = Kind(
    "AutoModel",
    "an encoder",
    "every part",
    "save a BERT-like encoder by save_pretrained",
)

#: Bounds of what a few bytes of JSON can ask for.
_MOST_CLASSES: Final = 1 << 16
_MOST_TASKS: Final = 1 << 10


def _flag(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


_ONE: Final = {"name": text, "pair": _flag, "tokenizer": text}
_ALL: Final = {
    "tokenizer": text,
    "tasks": [{"name": text, "classes": Nullable([text]), "pair": _flag}],
}


class Stated(NamedTuple):
    """What a directory says.

    Attributes:
        kind: `STUDENT`, `CLASSIFIER` or `SEVERAL`.
        tasks: In the order of the heads.
        layout: Whether it says which of them have pairs; a foreign model does not.
        sha256: Of the file of its vocabulary, where it says that.
        vocabulary: Name of that file.
    """

    kind: str
    tasks: tuple[Task, ...]
    layout: bool
    sha256: str | None
    vocabulary: str


def read_statement(path: str | Path, *, headless: bool = False) -> Stated:
    """Read what a directory says of its classifier.

    Args:
        path: Of a student, of an encoder that `teacher fit` wrote, or of any sequence classifier of
            transformers.
        headless: Whether the head of a foreign model does not matter, so that it may be any, and
            its task is left out.

    Raises:
        InputError: It holds none, or says what cannot be.
    """
    folder = Path(path)
    if not (folder / CONFIG).is_file():
        do = f"name a directory of a model: {FIT}"
        raise InputError(sentence(f"a file {CONFIG}", "none", str(path), do))
    config = check_config(folder / CONFIG, SEQUENCE.remedy)
    file = WORDS if (folder / WORDS).is_file() else TOKENIZER
    kind = config.get("model_type")
    if isinstance(kind, str) and kind.startswith(PREFIX):
        student = Config.from_json(config, str(folder / CONFIG))
        return Stated(STUDENT, student.tasks, True, student.vocabulary.sha256, file)
    if (folder / HEADS).is_file():
        return _several(folder / HEADS, file)
    if headless and config.get(MEMBER) is None:
        return Stated(CLASSIFIER, (), False, None, file)
    return _one(config, str(folder / CONFIG), file)


def _several(path: Path, file: str) -> Stated:
    found = _checked(read_json(path), _ALL, str(path))
    if not 1 < len(found["tasks"]) <= _MOST_TASKS:
        expected = f"2 to {_MOST_TASKS:,} tasks"
        raise InputError(sentence(expected, f"{len(found['tasks']):,}", str(path)))
    tasks = tuple(
        Task(classes=_classes(task["classes"], str(path)), pair=task["pair"], name=task["name"])
        for task in found["tasks"]
    )
    if len({task.name for task in tasks}) < len(tasks):
        raise InputError(sentence("tasks of different names", "equal ones", str(path)))
    return Stated(SEVERAL, tasks, True, found["tokenizer"], file)


def _one(config: Mapping[str, Any], at: str, file: str) -> Stated:
    if config.get("problem_type") == "multi_label_classification":
        expected, found = "one class for a text", "problem_type multi_label_classification"
        raise InputError(sentence(expected, found, at, FIT))
    classes = _classes(_labels(config, at), at)
    own = config.get(MEMBER)
    if own is None:
        return Stated(CLASSIFIER, (Task(classes=classes),), False, None, file)
    about = _checked(own, _ONE, f"{at}:{MEMBER}")
    task = Task(classes=classes, pair=about["pair"], name=about["name"])
    return Stated(CLASSIFIER, (task,), True, about["tokenizer"], file)


def _labels(config: Mapping[str, Any], at: str) -> list[str] | None:
    """Names of the outputs as transformers reads them; None for a score, which is one number."""
    named, count = config.get("id2label"), config.get("num_labels")
    if named is None:
        count = 2 if count is None else count
        if not isinstance(count, int) or not 1 <= count <= _MOST_CLASSES:
            expected = f"num_labels from 1 to {_MOST_CLASSES:,}"
            raise InputError(sentence(expected, printable(repr(count)), at))
        return None if count == 1 else [f"LABEL_{i}" for i in range(count)]
    right = isinstance(named, dict) and 1 <= len(named) <= _MOST_CLASSES
    labels = [named.get(str(i)) for i in range(len(named))] if right else []
    if not labels or not all(isinstance(label, str) for label in labels):
        expected = f"id2label with a name for each of 1 to {_MOST_CLASSES:,} classes"
        raise InputError(sentence(expected, printable(repr(named)), at))
    if count not in (None, len(labels)):
        raise InputError(sentence(f"num_labels {len(labels)}", printable(repr(count)), at))
    return None if len(labels) == 1 else labels


def _classes(labels: list[str] | None, at: str) -> tuple[str, ...] | None:
    if labels is None:
        return None
    if not 1 < len(labels) <= _MOST_CLASSES or len(set(labels)) < len(labels):
        expected = f"2 to {_MOST_CLASSES:,} different classes"
        raise InputError(sentence(expected, f"{len(set(labels)):,} of {len(labels):,}", at))
    return tuple(labels)


def _checked(value: Any, shape: Any, at: str) -> Any:
    try:
        check(value, shape)
    except Misshapen as error:
        where = f"{at}, {error.member}"
        raise InputError(sentence(error.expected, error.found, where)) from None
    return value
