"""Saving an encoder so that plain transformers opens it.

config.json          with one member more, `transferset`: whether its task is of pairs, and so on
model.safetensors    of one task with its classifier, of several the encoder alone
heads.safetensors    of several tasks: a linear map each
heads.json           of several tasks: what they are
tokenizer.json       or words.json
tokenizer_config.json
README.md
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic
from transferset.language_models.causal.roles import tokenizer_statement
from transferset.language_models.model_files import STATEMENTS, TOKENIZER, open_tokenizer
from transferset.language_models.saving import save_model
from transferset.manifest import pretty
from transferset.students.reading_lines import ReadAs, plain_lines
from transferset.students.word_vocabulary import WORDS, WordVocabulary
from transferset.teachers.statement import HEAD_WEIGHTS, HEADS, MEMBER
from transferset.teachers.vocabulary import file_digest, find_piece
from transferset.training.tensors import weights, write_tensors

if TYPE_CHECKING:
    from transferset.students.config import Task
    from transferset.teachers.encoder import Encoder

README: Final = "README.md"

#: Roles that a tokenizer's configuration names.
_ROLES: Final = ("cls", "sep", "pad", "unk", "mask")


def save_encoder(
    encoder: Encoder,
    out: Path,
    tokenizer_json: Path,
    about: Sequence[str] = (),
    read: ReadAs | None = None,
) -> list[Path]:
    """Write an encoder and its heads, durably.

    Args:
        encoder: Any.
        out: The directory, made if missing; a model in it is replaced.
        tokenizer_json: What its ids mean: its `tokenizer.json`, or `words.json`.
        about: Lines for the README: where it came from.
        read: For the README too: how the rows were read that it was trained on.

    Returns:
        Its files, by name.

    Raises:
        UsageError: That is not the vocabulary that the encoder was made for.
        OSError: The system refuses to write.
    """
    digest = file_digest(tokenizer_json)
    if digest != encoder.vocabulary.sha256:
        expected = "the vocabulary that the encoder was made for"
        raise UsageError(sentence(expected, "another", str(tokenizer_json)))
    given = tokenizer_json.read_bytes()  # which may stand in the directory itself
    for name in (WORDS, TOKENIZER, HEADS, HEAD_WEIGHTS):  # of a model that was here before
        (out / name).unlink(missing_ok=True)
    several = len(encoder.tasks) > 1
    tasks = [
        {"name": t.name, "classes": t.classes and list(t.classes), "pair": t.pair}
        for t in encoder.tasks
    ]
    config: Any = encoder.base.config
    one = {"name": tasks[0]["name"], "pair": tasks[0]["pair"], "tokenizer": digest}
    setattr(config, MEMBER, None if several else one)
    files = save_model(encoder.base, out)
    if several:
        write_atomic(out / HEADS, pretty({"tasks": tasks, "tokenizer": digest}))
        write_tensors(out / HEAD_WEIGHTS, weights(encoder.heads))
        files += [out / HEADS, out / HEAD_WEIGHTS]
    name = WORDS if tokenizer_json.name == WORDS else TOKENIZER
    files += save_vocabulary(given, name, out)
    words = WordVocabulary.open(out / name) if name == WORDS else None
    write_atomic(out / README, _readme(encoder, words, about, read or ReadAs()).encode())
    return sorted([*files, out / README])


def save_vocabulary(given: bytes, name: str, out: Path) -> list[Path]:
    """Write what ids mean, and for a tokenizer how its special pieces are written.

    Args:
        given: The content of `tokenizer.json` or `words.json`.
        name: Which of them.
        out: An existing directory.

    Returns:
        The files.
    """
    write_atomic(out / name, given)
    for old in STATEMENTS:
        (out / old).unlink(missing_ok=True)
    if name == WORDS:
        return [out / name]
    tokenizer = open_tokenizer(out / name)
    found = {role: find_piece(tokenizer, out, role) for role in _ROLES}
    roles = {r: str(tokenizer.id_to_token(i)) for r, i in found.items() if i is not None}
    write_atomic(out / STATEMENTS[1], tokenizer_statement(roles))
    return [out / name, out / STATEMENTS[1]]


def _readme(
    encoder: Encoder, words: WordVocabulary | None, about: Sequence[str], read: ReadAs
) -> str:
    tasks = encoder.tasks
    if len(tasks) > 1:
        lines = _several_lines(tasks, read)
    elif words is not None:
        lines = plain_lines(tasks, encoder.vocabulary, words, read)
    else:
        lines = _one_lines(_texts(tasks[0]))
    told = "; ".join(read.says(i, task) for i, task in enumerate(tasks))
    return "\n".join(
        [
            "# Teacher",
            "",
            *about,
            *([""] if about else []),
            f"Its logits stand for {told}.",
            "",
            *(read.words_told() if words is not None else []),
            "Opened with transformers (run where this file is):",
            "",
            "```python",
            *lines,
            "```",
            "",
        ]
    )


def _texts(task: Task) -> str:
    return '"a text", "another"' if task.pair else '"a text"'


def _one_lines(texts: str) -> list[str]:
    return [
        "from transformers import AutoModelForSequenceClassification, AutoTokenizer",
        'model = AutoModelForSequenceClassification.from_pretrained(".")',
        'tokenizer = AutoTokenizer.from_pretrained(".")',
        f'print(model(**tokenizer({texts}, return_tensors="pt")).logits[0])',
    ]


def _several_lines(tasks: Sequence[Task], read: ReadAs) -> list[str]:
    lines = [
        "from safetensors.torch import load_file",
        "from transformers import AutoModel, AutoTokenizer",
        'model, w = AutoModel.from_pretrained("."), load_file("heads.safetensors")',
        'tokenizer = AutoTokenizer.from_pretrained(".")',
        "def logits(head, *texts):",
        '    said = model(**tokenizer(*texts, return_tensors="pt"))',
        '    pooled = getattr(said, "pooler_output", None)',
        "    f = said.last_hidden_state[:, 0] if pooled is None else pooled",
        '    return f @ w[f"{head}.1.weight"].T + w[f"{head}.1.bias"]',
    ]
    for i, task in enumerate(tasks):
        lines += [f"# {read.says(i, task)}", f"print(logits({i}, {_texts(task)}))"]
    return lines
