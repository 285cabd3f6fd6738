"""Saving a student: a plain model of transformers where it is one, else a few tensors of torch.

config.json          see `config.Config`, or transformers'
model.safetensors
words.json           or tokenizer.json: what its ids mean
README.md            with the lines that open it
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic
from transferset.manifest import pretty
from transferset.students.reading_lines import ReadAs, plain_lines, torch_lines
from transferset.students.word_vocabulary import WORDS, WordVocabulary
from transferset.training.tensors import weights, write_tensors

if TYPE_CHECKING:
    from transferset.students.config import Config
    from transferset.students.student import Student

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"
README: Final = "README.md"


def save_student(
    student: Student,
    out: Path,
    vocabulary: WordVocabulary | Path,
    about: Sequence[str] = (),
    read: ReadAs | None = None,
) -> list[Path]:
    """Write a student, durably.

    Args:
        student: Any; transformers' kinds are written as transformers writes them.
        out: The directory, made if missing; a student in it is replaced.
        vocabulary: Its words, or the path of its `tokenizer.json`.
        about: Lines for the README: where it came from.
        read: For the README too: how the rows were read that it was trained on.

    Returns:
        Its files, by name.

    Raises:
        UsageError: The vocabulary is not the student's.
        OSError: The system refuses to write.
    """
    from transferset.students.plain import folded, is_plain, save_plain

    given = vocabulary.raw if isinstance(vocabulary, WordVocabulary) else vocabulary.read_bytes()
    if hashlib.sha256(given).hexdigest() != student.config.vocabulary.sha256:
        raise UsageError(sentence("the vocabulary that the student was made for", "another"))
    out.mkdir(parents=True, exist_ok=True)
    words = vocabulary if isinstance(vocabulary, WordVocabulary) else None
    for old in (WORDS, TOKENIZER):  # of a student that was here before
        (out / old).unlink(missing_ok=True)
    plain, saved = is_plain(student), folded(student)
    if plain:
        save_plain(saved, out)
        (out / WEIGHTS).chmod((out / CONFIG).stat().st_mode)  # its owner's alone, else
    else:
        write_atomic(out / CONFIG, pretty(saved.config.to_json()))
        write_tensors(out / WEIGHTS, weights(saved))
    name = TOKENIZER if words is None else WORDS
    write_atomic(out / name, given)
    write_atomic(out / README, _readme(saved.config, plain, words, about, read).encode())
    return sorted(out / file for file in (CONFIG, WEIGHTS, name, README))


def _readme(
    config: Config,
    plain: bool,
    words: WordVocabulary | None,
    about: Sequence[str],
    read: ReadAs | None,
) -> str:
    read = read or ReadAs()
    if plain:
        lines = plain_lines(config.tasks, config.vocabulary, words, read)
    else:
        lines = torch_lines(config, words, read)
    told = "; ".join(read.says(i, task) for i, task in enumerate(config.tasks))
    return "\n".join(
        [
            f"# Student: {config.kind}",
            "",
            *about,
            *([""] if about else []),
            f"Its logits stand for {told}.",
            "",
            *(read.words_told() if words is not None else []),
            f"Opened with {'transformers' if plain else 'plain torch'} (run where this file is):",
            "",
            "```python",
            *lines,
            "```",
            "",
        ]
    )
