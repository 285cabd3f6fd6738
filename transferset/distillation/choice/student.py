"""Making the student that a user named, for training on tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from transferset.distillation.choice.config import (
    Design,
    design_from,
    designed,
    is_ours,
    read_config,
    require_random,
)
from transferset.distillation.choice.given_encoders import encoder_from_file, further_encoder
from transferset.distillation.choice.given_models import sizes_of
from transferset.distillation.choice.making import (
    Given,
    Made,
    freeze_positions,
    heads_json,
    kept_heads,
    parameters,
)
from transferset.distillation.choice.params import StudentParams
from transferset.distillation.choice.starting_vectors import starting_vectors, with_same_ids
from transferset.errors import InputError, UsageError, sentence
from transferset.language_models.model_files import TOKENIZER
from transferset.manifest import Json
from transferset.students.config import Config, Task
from transferset.students.initialising import copy_layers
from transferset.students.layers import pick_layers
from transferset.students.opening import is_student, open_student
from transferset.students.student import Student, fill_embeddings, new_student
from transferset.students.word_vocabulary import WordVocabulary


def make_student(
    params: StudentParams,
    *,
    tasks: Sequence[Task],
    tokenizer: Json | None,
    tokenizer_file: Path | None,
    teacher: Any,
    words: WordVocabulary | None,
    seed: int,
    folder: Path,
) -> Made:
    """Make a student.

    Args:
        params: What the user says of it.
        tasks: See `Given`, as the others.
        tokenizer: As the manifest of the sets has it.
        tokenizer_file: Their `tokenizer.json`.
        teacher: A text classifier or a directory; None if nothing is taken from one.
        words: Fitted on the training text, if the student reads words.
        seed: The same one gives the same student, and moves no other generator.
        folder: An existing directory for what is written on the way.

    Returns:
        A student in float32 on the processor, ready for training.

    Raises:
        InputError: A file or directory is not what it is named for, or does not fit.
        UsageError: Something that is needed is missing, or does not fit together.
    """
    given = Given(
        tasks=tuple(tasks),
        tokenizer=tokenizer,
        tokenizer_file=tokenizer_file,
        teacher=teacher,
        words=words,
        seed=seed,
        folder=folder,
    )
    made = {"kind": _named, "file": _from_file, "folder": _from_folder}[params.form](params, given)
    if params.freeze_positions:
        freeze_positions(made.module)
    return made._replace(about={**made.about, "parameters": parameters(made.module)})


def _named(params: StudentParams, given: Given) -> Made:
    if params.init_layers is not None:
        return _with_layers(params, given)
    return _designed(params, given, lambda width: designed(params, width))


def _designed(params: StudentParams, given: Given, design: Callable[[int | None], Design]) -> Made:
    """A new student of ours; `design` makes a design for given vectors of a width, or for none."""
    vocabulary, source = given.meaning(params)
    begun = starting_vectors(params, vocabulary, source, given.teacher, given.seed)
    made = design(None if begun is None else begun.vectors.shape[1])
    config = made.config(vocabulary, given.tasks)
    student = new_student(config, given.seed)
    if begun is not None:
        fill_embeddings(student, begun.vectors)
    vectors: Any = {"from": "random"} if begun is None else begun.about
    return Made(student, source, {"student": _told(config), "embeddings": vectors})


def _with_layers(params: StudentParams, given: Given) -> Made:
    """A transformer of ours that begins with some of its teacher's layers, and its embeddings."""
    vocabulary, source = given.meaning(params)
    teacher = _bert_of(with_same_ids(given.teacher, vocabulary, given.seed))
    theirs = sizes_of(teacher)
    design = designed(params, None, theirs)
    wanted: Any = design.encoder
    layers = pick_layers(str(params.init_layers), theirs.layers, wanted.layers)
    # a teacher's table may have more rows than its tokenizer has pieces
    size = int(teacher.get_input_embeddings().weight.shape[0])
    config = design.config(replace(vocabulary, size=size), given.tasks)
    student = new_student(config, given.seed)
    copy_layers(student, teacher, layers)
    about = {"student": _told(config), "embeddings": {"from": "teacher"}, "layers": layers}
    return Made(student, source, about)


def _bert_of(teacher: Any) -> Any:
    """The model of transformers in a teacher."""
    if not isinstance(teacher, Student):
        return getattr(teacher, "base", teacher)
    bert = getattr(teacher.encoder, "bert", None)
    if bert is None:
        raise InputError(sentence("a BERT for --init-layers", teacher.config.kind))
    return bert


def _from_file(params: StudentParams, given: Given) -> Made:
    path = Path(params.kind)
    found = read_config(path)
    if is_ours(found):
        return _designed(params, given, lambda w: design_from(found, params, str(path), w))
    require_random(params, "a configuration of transformers")
    return encoder_from_file(path, *given.meaning(params), given)


def _from_folder(params: StudentParams, given: Given) -> Made:
    path = Path(params.kind)
    if not is_student(path):
        return further_encoder(path, params, given)
    if params.picks:
        do = "leave --layers and --init-layers out"
        raise UsageError(sentence("an encoder of transformers for its layers", "a student", do=do))
    return _further_student(path, given)


def _further_student(path: Path, given: Given) -> Made:
    """A student of ours, with the heads that it has for such tasks, and new ones for others."""
    opened = open_student(path)
    old = opened.student
    config = replace(old.config, tasks=tuple(given.tasks))
    student = new_student(config, given.seed)
    student.encoder.load_state_dict(old.encoder.state_dict())
    kept = kept_heads(old.config.tasks, given.tasks)
    for new, place in kept.items():
        student.heads[new].load_state_dict(old.heads[place].state_dict())
    source = path / TOKENIZER if opened.words is None else opened.words
    heads = heads_json(old.config.tasks, given.tasks, kept)
    return Made(student, source, {"student": _told(config), **heads})


def _told(config: Config) -> Json:
    told = config.to_json()
    return {name: told[name] for name in ("model_type", "encoder", "embeddings", "head")}


__all__ = ["Made", "make_student", "parameters"]
