"""Opening a classifier's directory, whatever its kind; nothing in it is trusted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transferset import rng
from transferset.errors import InputError, UsageError, sentence
from transferset.language_models.checkpoint import (
    Kind,
    check_folder,
    load_model,
    not_installed,
    quiet,
    refusing,
    require_finite,
    to_device,
)
from transferset.language_models.model_files import CONFIG, TOKENIZER, check_config
from transferset.language_models.saving import require_savable
from transferset.students.config import Task, Vocabulary
from transferset.students.word_vocabulary import WORDS, WordVocabulary
from transferset.teachers.statement import (
    ENCODER,
    HEAD_WEIGHTS,
    SEQUENCE,
    SEVERAL,
    STUDENT,
    Stated,
    read_statement,
)
from transferset.teachers.vocabulary import file_digest, vocabulary_of

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

    from transferset.teachers.encoder import Encoder

#: Says which tokenizer a `tokenizer.json` is, as manifests say it.
Identity = Callable[[Path], str]

#: Ordinal of the key that weights are drawn under; those of steps start at 0.
_WEIGHTS: Final = 0xFFFF_FFFF

#: What a pre-trained encoder may lack, for not every pre-training has use for it.
_POOLER: Final = ("pooler.",)


class Opened(NamedTuple):
    """A text classifier from a directory.

    Attributes:
        module: A `Student` or an `Encoder`.
        sha256: Which tokenizer, or words, say what its ids mean.
        tokenizer: The path of `tokenizer.json`; None if its ids are those of words.
        words: Those words.
        kind: Of `statement`.
        vocabulary: Its ids.
    """

    module: nn.Module
    sha256: str
    tokenizer: Path | None
    words: WordVocabulary | None
    kind: str
    vocabulary: Vocabulary


def open_classifier(
    path: str | Path,
    device: str | None = None,
    *,
    train: bool = False,
    identity: Identity | None = None,
) -> Opened:
    """Open a student of ours, an encoder of ours with several heads, or a sequence classifier.

    Args:
        path: Its directory.
        device: As torch names it; None is the processor.
        train: Whether it is to be trained.
        identity: Says which tokenizer a `tokenizer.json` is; None for the digest of the file, which
            is right for what transferset wrote.

    Returns:
        The classifier in float32; without `train` for inference only.

    Raises:
        InputError: The directory holds none, or not all of it, or what is not to be trusted.
        UsageError: torch or transformers is not installed; there is no such device.
    """
    stated, folder = read_statement(path), Path(path)
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise not_installed() from error
    if stated.kind == STUDENT:
        found = _student(folder, device)
    else:
        words, digest = _meanings(folder, stated, identity)
        module = _encoder(folder, stated, words, digest).requires_grad_(train)
        if train:
            require_savable(module.base, str(folder))
        to_device(module, device)  # in place
        file = None if words else folder / TOKENIZER
        found = Opened(module, digest, file, words, stated.kind, module.vocabulary)
    if not train:  # else what a student keeps frozen stays so
        found.module.requires_grad_(False)
    found.module.train(train)
    return found


def new_encoder(
    path: str | Path,
    tasks: Sequence[Task],
    seed: int,
    device: str | None = None,
    *,
    identity: Identity | None = None,
) -> Encoder:
    """An encoder of a directory, with new heads.

    Args:
        path: Of any encoder of transformers; the heads that it has are left.
        tasks: One or more, of different names.
        seed: 0 ≤ seed < 2**64; the same one gives the same heads, and moves no other generator. A
            pooler that the directory lacks is drawn from it too.
        device: As torch names it; None is the processor.
        identity: See `open_classifier`.

    Returns:
        The encoder in float32, ready for training.

    Raises:
        InputError: The directory holds no encoder that can have heads.
        UsageError: The seed is out of range, tasks have one name, torch or transformers is not
            installed, or there is no such device.
    """
    names = [task.name for task in tasks]
    if not names or len(set(names)) < len(names):
        raise UsageError(sentence("tasks of different names", ", ".join(names) or "none"))
    folder = Path(path)
    file = WORDS if (folder / WORDS).is_file() else TOKENIZER
    stated = Stated(SEVERAL, tuple(tasks), True, None, file)
    kind = ENCODER._replace(optional=_POOLER, vocabulary=file)
    with addressed(seed):
        base = _load(check_folder(folder, kind), kind)
        words, digest = _meanings(folder, stated, identity)
        vocabulary = _vocabulary(folder, base, words, digest)
        if len(tasks) == 1:
            base = _with_head(base, tasks[0], str(path))
        from transferset.teachers.encoder import Encoder
        from transferset.teachers.trying import try_encoder

        with refusing(kind, str(path)):
            encoder = Encoder(base, tasks, vocabulary)
            try_encoder(encoder, str(path))
    require_savable(encoder.base, str(path))
    encoder.requires_grad_(True).train()
    to_device(encoder, device)  # in place
    return encoder


@contextmanager
def addressed(seed: int) -> Iterator[None]:
    """With torch's generator in the state that weights are drawn from; after it as it was.

    Raises:
        UsageError: The seed is out of range, or torch is not installed.
    """
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a seed from 0 to 2**64 − 1", str(seed)))
    try:
        import torch
    except ImportError as error:
        raise not_installed() from error
    high, low = rng.step_key(seed, _WEIGHTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(high << 32 | low)
        yield


def _student(folder: Path, device: str | None) -> Opened:
    from transferset.students.opening import open_student

    student, words = open_student(folder, device)
    ids = student.config.vocabulary
    file = None if words else folder / TOKENIZER
    return Opened(student, ids.sha256, file, words, STUDENT, ids)


def _encoder(folder: Path, stated: Stated, words: WordVocabulary | None, digest: str) -> Encoder:
    import torch

    from transferset.students.opening import read_exactly
    from transferset.teachers.encoder import Encoder
    from transferset.teachers.trying import try_encoder

    several = stated.kind == SEVERAL
    kind = (ENCODER if several else SEQUENCE)._replace(vocabulary=stated.vocabulary)
    base = _load(folder, kind)
    outputs = stated.tasks[0].outputs
    if not several and base.config.num_labels != outputs:
        found = f"{base.config.num_labels}"
        raise InputError(sentence(f"{outputs} outputs", found, str(folder / CONFIG)))
    vocabulary = _vocabulary(folder, base, words, digest)
    with torch.random.fork_rng(devices=[]), refusing(kind, str(folder)):
        # the random heads are overwritten
        encoder = Encoder(base, stated.tasks, vocabulary, states_layout=stated.layout)
    if several:
        wanted = {name: tuple(x.shape) for name, x in encoder.heads.state_dict().items()}
        encoder.heads.load_state_dict(read_exactly(folder / HEAD_WEIGHTS, wanted))
        require_finite(encoder.heads, str(folder / HEAD_WEIGHTS))
    with refusing(kind, str(folder)):
        try_encoder(encoder, str(folder))
    return encoder


def _load(folder: Path, kind: Kind) -> PreTrainedModel:
    """The model of a directory, if it is an encoder that can be a classifier."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as KNOWN,
    )

    config, at = check_config(folder / CONFIG, kind.remedy), str(folder / CONFIG)
    found = config.get("model_type")
    if not isinstance(found, str) or found not in KNOWN:
        told = f"model_type {found}" if found else "no model_type"
        raise InputError(sentence(kind.name, told, at, kind.remedy))
    model = load_model(folder, kind=kind)
    if model.config.is_encoder_decoder:  # which is the default of some kinds
        raise InputError(sentence(kind.name, f"an encoder with a decoder ({found})", at))
    require_finite(model, str(folder))
    return model


def _meanings(
    folder: Path, stated: Stated, identity: Identity | None
) -> tuple[WordVocabulary | None, str]:
    """The words, if ids are those of words; and which tokenizer or words they are."""
    path = folder / stated.vocabulary
    if not path.is_file():
        do = f"AutoTokenizer.from_pretrained(NAME).save_pretrained({str(folder)!r}) writes one"
        raise InputError(sentence(f"a file {path.name}", "none", str(folder), do))
    digest = file_digest(path)
    if stated.sha256 not in (None, digest):
        raise InputError(sentence("the vocabulary of this model", "another", str(path)))
    if stated.vocabulary == WORDS:
        return WordVocabulary.open(path), digest
    return None, digest if identity is None else identity(path)


def _vocabulary(
    folder: Path, model: PreTrainedModel, words: WordVocabulary | None, digest: str
) -> Vocabulary:
    if words is None:
        return vocabulary_of(folder, model, digest)
    table: Any = model.get_input_embeddings()
    if len(words) != table.weight.shape[0]:
        expected, at = f"{table.weight.shape[0]:,} words", str(folder / WORDS)
        raise InputError(sentence(expected, f"{len(words):,}", at))
    return words.vocabulary


def _with_head(base: PreTrainedModel, task: Task, at: str) -> PreTrainedModel:
    """A sequence classifier with the weights of an encoder and a random head."""
    import torch
    from transformers import AutoModelForSequenceClassification

    config = copy.deepcopy(base.config)
    names = ["LABEL_0"] if task.classes is None else list(task.classes)
    config.num_labels = len(names)
    config.id2label, config.label2id = dict(enumerate(names)), {n: i for i, n in enumerate(names)}
    config.problem_type = "regression" if task.classes is None else "single_label_classification"
    with quiet(), refusing(SEQUENCE, at):
        made = AutoModelForSequenceClassification.from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )
        own, given = made.base_model.state_dict(), base.state_dict()
        made.base_model.load_state_dict({name: given[name] for name in own})
    return made
