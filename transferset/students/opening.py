"""Opening a saved student; nothing in its directory is trusted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError, safe_open

from transferset.errors import InputError, UsageError, sentence
from transferset.students.config import Config
from transferset.students.json_files import read_object
from transferset.students.modes import PREFIX
from transferset.students.saving import CONFIG, TOKENIZER, WEIGHTS
from transferset.students.student import Student
from transferset.students.word_vocabulary import WORDS, WordVocabulary

_MOST_CONFIG: Final = 1 << 24

_REMEDY: Final = "name a directory that `transferset distill` wrote"


class Opened(NamedTuple):
    """A student from a directory.

    Attributes:
        student: Ready for inference.
        words: Its words; None if its ids are those of a tokenizer.
    """

    student: Student
    words: WordVocabulary | None


def is_student(path: str | Path) -> bool:
    """Whether a directory says that it holds a student that is no plain model of transformers.

    Raises:
        InputError: There is no configuration in it.
    """
    kind = read_object(Path(path) / CONFIG, _MOST_CONFIG).get("model_type")
    return isinstance(kind, str) and kind.startswith(PREFIX)


def open_student(path: str | Path, device: str | None = None) -> Opened:
    """Open a student that `save_student` wrote; plain models of transformers are opened as such.

    Args:
        path: Its directory.
        device: As torch names it; None is the processor.

    Returns:
        It and its words; `student.train()` makes it ready for training.

    Raises:
        InputError: The directory holds none, or not all of it, or other tensors than its
            configuration asks for.
        UsageError: There is no such device.
    """
    folder = Path(path)
    if not (folder / CONFIG).is_file():
        raise InputError(sentence(f"a file {CONFIG}", "none", str(path), _REMEDY))
    config = Config.from_json(read_object(folder / CONFIG, _MOST_CONFIG), str(folder / CONFIG))
    words = _open_words(folder, config)
    with torch.device("meta"):
        wanted = Student(config).state_dict()
    stored = read_exactly(_weights_file(folder), {n: tuple(x.shape) for n, x in wanted.items()})
    with torch.random.fork_rng(devices=[]):  # its random weights are overwritten
        student = Student(config)
    student.load_state_dict(stored)
    try:
        return Opened(student.eval().to(device or "cpu"), words)
    except (RuntimeError, AssertionError) as error:  # what torch raises without CUDA
        raise UsageError(sentence("a device of torch's", str(device))) from error


def _open_words(folder: Path, config: Config) -> WordVocabulary | None:
    name = WORDS if (folder / WORDS).is_file() else TOKENIZER
    if not (folder / name).is_file():
        raise InputError(sentence(f"a file {WORDS} or {TOKENIZER}", "none", str(folder), _REMEDY))
    words = WordVocabulary.open(folder / name) if name == WORDS else None
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != config.vocabulary.sha256:
        at = str(folder / name)
        raise InputError(sentence("the vocabulary of this student", "another", at))
    if words is not None and len(words) != config.vocabulary.size:
        expected = f"{config.vocabulary.size:,} words"
        raise InputError(sentence(expected, f"{len(words):,}", str(folder / name)))
    return words


def _weights_file(folder: Path) -> Path:
    if (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    others = [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]
    found = min((path.name for path in others), default="none")
    do = "save the weights as safetensors, for a pickle can run code" if others else _REMEDY
    raise InputError(sentence(f"a file {WEIGHTS}", found, str(folder), do))


def read_exactly(path: Path, wanted: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """The tensors of a file, if they are those that are wanted, in float32 and finite.

    Args:
        path: In safetensors.
        wanted: Shapes by name.

    Raises:
        InputError: They are others, or the file is.
    """
    try:
        with safe_open(path, "pt") as file:
            shapes = {name: _shape(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118
            expected = {name: (shape, "F32") for name, shape in wanted.items()}
            for name in sorted(expected.keys() | shapes.keys()):
                if shapes.get(name) != expected.get(name):
                    said = f"{name} as {expected.get(name, 'absent')}"
                    raise InputError(sentence(said, str(shapes.get(name, "none")), str(path)))
            stored = {name: file.get_tensor(name) for name in wanted}
    except (SafetensorError, OSError) as error:
        raise InputError(sentence("a safetensors file", str(error), str(path))) from error
    for name, tensor in stored.items():
        if not bool(tensor.isfinite().all()):
            raise InputError(sentence("finite weights", f"others in {name}", str(path)))
    return stored


def _shape(found: Any) -> tuple[tuple[int, ...], str]:
    return tuple(found.get_shape()), str(found.get_dtype())
