"""Encoders of transformers as students: to go on with, with some of their layers, or new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from transferset.distillation.choice.given_models import (
    identity,
    layers_of,
    new_model,
    open_encoder,
)
from transferset.distillation.choice.making import Given, Made, heads_json, kept_heads, task_told
from transferset.distillation.choice.params import StudentParams
from transferset.files import write_atomic
from transferset.language_models.model_files import CONFIG, STATEMENTS, TOKENIZER, read_json
from transferset.language_models.saving import save_model
from transferset.manifest import Json
from transferset.students.config import Task, Vocabulary
from transferset.students.initialising import smaller
from transferset.students.layers import SPREAD, pick_layers
from transferset.students.word_vocabulary import WORDS, WordVocabulary
from transferset.teachers.opening import Identity, new_encoder, open_classifier
from transferset.teachers.statement import SEVERAL, read_statement
from transferset.teachers.vocabulary import file_digest

if TYPE_CHECKING:
    from transferset.teachers.encoder import Encoder


def further_encoder(path: Path, params: StudentParams, given: Given) -> Made:
    """An encoder of a directory, whole or with some of its layers.

    Its head stays where it is for the same task; new heads come in the place of others.

    Args:
        path: The directory.
        params: Which layers.
        given: What the student is made for.

    Raises:
        InputError: The directory holds no encoder.
        UsageError: It has no such layers.
    """
    named = _identity(path, given)
    about: Json = {"student": {"model_type": read_json(path / CONFIG).get("model_type")}}
    labels = _labels_at_once(path)
    had = [] if labels else _heads(path, given)
    kept = {} if params.picks else _kept(had, given)
    about |= heads_json(had, given.tasks, kept)
    if labels:
        new = [task_told(task) for task in given.tasks]
        about |= {"new_heads": new, "left_heads": [f"{labels} labels, any of them at once"]}
    if params.picks:
        about["layers"] = _write_smaller(path, given.folder / "picked", params, given.seed)
        module = new_encoder(given.folder / "picked", given.tasks, given.seed, identity=named)
    elif kept:
        module = _opened(path, given, named)
    else:
        module = new_encoder(path, given.tasks, given.seed, identity=named)
    return Made(module, _source(path, module.vocabulary, given), about)


def encoder_from_file(
    path: Path, vocabulary: Vocabulary, source: WordVocabulary | Path, given: Given
) -> Made:
    """A new encoder, from a configuration of transformers.

    Args:
        path: The file.
        vocabulary: Ids that it reads.
        source: What says so.
        given: What the student is made for.

    Raises:
        InputError: The file is none, or asks for too much.
    """
    made = new_model(path, "AutoModel", vocabulary, given.seed)
    folder = given.folder / "new"
    save_model(made, folder)
    if isinstance(source, WordVocabulary):
        source.save(folder)
    else:
        write_atomic(folder / TOKENIZER, source.read_bytes())
    module = new_encoder(folder, given.tasks, given.seed)
    kind = {"model_type": made.config.model_type}
    return Made(module, source, {"student": kind, "embeddings": {"from": "random"}})


def _identity(path: Path, given: Given) -> Identity | None:
    """A directory's tokenizer may be written otherwise than the sets', and yet be the same."""
    if (path / WORDS).is_file() or given.tokenizer is None or given.tokenizer_file is None:
        return None
    if identity(path / TOKENIZER) != given.tokenizer["sha256"]:
        return None
    digest = file_digest(given.tokenizer_file)
    return lambda _: digest


def _source(path: Path, vocabulary: Vocabulary, given: Given) -> WordVocabulary | Path:
    if (path / WORDS).is_file():
        return WordVocabulary.open(path / WORDS)
    own = path / TOKENIZER
    if given.tokenizer_file is None or file_digest(own) == vocabulary.sha256:
        return own
    return given.tokenizer_file


def _write_smaller(path: Path, out: Path, params: StudentParams, seed: int) -> list[int]:
    """Write an encoder with some of another's layers, and say which."""
    whole = open_encoder(path, seed)
    count = params.picked or max(1, layers_of(whole) // 2)
    layers = pick_layers(params.init_layers or SPREAD, layers_of(whole), count)
    out.mkdir(parents=True, exist_ok=True)
    save_model(smaller(whole, layers), out)
    for name in (WORDS, TOKENIZER, *STATEMENTS):
        if (path / name).is_file():
            write_atomic(out / name, (path / name).read_bytes())
    return layers


def _labels_at_once(path: Path) -> int:
    """Of how many labels a model's head tells any of, which is no task of ours; 0 of another."""
    config = read_json(path / CONFIG)
    if config.get("problem_type") != "multi_label_classification":
        return 0
    named, count = config.get("id2label"), config.get("num_labels")
    if isinstance(named, dict) and named:
        return len(named)
    return count if isinstance(count, int) and count > 0 else 2  # as transformers has it


def _heads(path: Path, given: Given) -> Sequence[Task]:
    """The tasks that a directory has heads for; none for a model of another kind."""
    config = read_json(path / CONFIG)
    stated = read_statement(path)
    classifier = str(config.get("architectures")).find("SequenceClass") >= 0
    if stated.kind != SEVERAL and not classifier:
        return ()
    if not stated.layout and len(given.tasks) == 1:  # it does not say whether it reads pairs
        return tuple(replace(task, pair=given.tasks[0].pair) for task in stated.tasks)
    return stated.tasks


def _kept(had: Sequence[Task], given: Given) -> dict[int, int]:
    """The heads that go on: all of them, in their order, or none."""
    kept = kept_heads(had, given.tasks)
    same = len(had) == len(given.tasks) and kept == {i: i for i in range(len(had))}
    return kept if same else {}


def _opened(path: Path, given: Given, named: Identity | None) -> Encoder:
    from transferset.teachers.encoder import Encoder

    module = open_classifier(path, train=True, identity=named).module
    assert isinstance(module, Encoder)
    module.tasks, module.states_layout = tuple(given.tasks), True
    return module
