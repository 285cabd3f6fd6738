"""Making the student that a user named, for training as a masked language model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from transferset.distillation.choice.config import designed, is_ours, read_config
from transferset.distillation.choice.given_models import drawn, identity, layers_of, new_model
from transferset.distillation.choice.making import (
    freeze_positions,
    parameters,
    tokenizer_vocabulary,
)
from transferset.distillation.choice.params import StudentParams, check_student
from transferset.errors import InputError, UsageError, sentence
from transferset.language_models.model_files import TOKENIZER
from transferset.manifest import Json
from transferset.students.config import Vocabulary
from transferset.students.initialising import smaller
from transferset.students.layers import SPREAD, pick_layers
from transferset.students.opening import is_student
from transferset.teachers.masked import has_masked_head, new_masked_head, open_masked

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class MaskedMade(NamedTuple):
    """A masked language model, ready for training.

    Attributes:
        model: Of transformers.
        about: What a record says of it.
    """

    model: PreTrainedModel
    about: Json


def make_masked_student(
    params: StudentParams,
    *,
    teacher: Path | None,
    tokenizer: Json,
    tokenizer_file: Path,
    seed: int,
) -> MaskedMade:
    """Make a masked language model.

    A `transformer` is made of the teacher's layers, half of them unless it is said otherwise; of
    sizes of its own, where any is stated or there is no teacher. A directory is gone on with, or
    picked from.

    Args:
        params: What the user says of it.
        teacher: A directory with a masked language model or an encoder; None for none.
        tokenizer: As the manifest of the sets has it.
        tokenizer_file: Their `tokenizer.json`, which the student is saved with.
        seed: Of random weights, 0 ≤ seed < 2**64; it moves no other generator.

    Returns:
        A student in float32 on the processor, ready for training.

    Raises:
        InputError: A file or directory is not what it is named for, or reads other ids.
        UsageError: The student cannot be one, or wants more layers than there are.
    """
    check_student(params, mlm=True, teacher=teacher is not None)
    vocabulary = tokenizer_vocabulary(tokenizer, tokenizer_file)
    own = any(one is not None for one in (params.hidden, params.heads, params.feed))
    if params.form == "file":
        made = _from_file(Path(params.kind), vocabulary, seed)
    elif params.form == "folder":
        made = _from_folder(Path(params.kind), params, tokenizer, seed, pick=params.picks)
    elif teacher is None or own:
        made = _new(params, vocabulary, seed)
    else:
        made = _from_folder(teacher, params, tokenizer, seed, pick=True)
    if params.freeze_positions:
        freeze_positions(made.model)
    return made._replace(about={**made.about, "parameters": parameters(made.model)})


def _from_file(path: Path, vocabulary: Vocabulary, seed: int) -> MaskedMade:
    if is_ours(read_config(path)):
        do = 'write one of transformers, as {"model_type": "bert"}'
        expected = "a configuration of a masked language model for --mlm"
        raise UsageError(sentence(expected, "one of a classifier", str(path), do))
    model = new_model(path, "AutoModelForMaskedLM", vocabulary, seed)
    return MaskedMade(model, {"student": {"model_type": model.config.model_type}})


def _new(params: StudentParams, vocabulary: Vocabulary, seed: int) -> MaskedMade:
    from transformers import BertConfig

    sizes: Any = designed(params).encoder
    config = BertConfig(
        vocab_size=vocabulary.size,
        pad_token_id=vocabulary.padding,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.positions,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
    )
    model = drawn("AutoModelForMaskedLM", config, seed)
    return MaskedMade(model, {"student": {"model_type": config.model_type}})


def _from_folder(
    path: Path, params: StudentParams, tokenizer: Json, seed: int, *, pick: bool
) -> MaskedMade:
    if is_student(path):
        expected = "a directory of transformers for --mlm"
        raise InputError(sentence(expected, "a student of another kind", str(path)))
    if identity(path / TOKENIZER) != tokenizer["sha256"]:
        do = "take a model of the sets' tokenizer"
        expected = "a model that reads the sets' ids"
        raise InputError(sentence(expected, "one with another tokenizer", str(path), do))
    headed = has_masked_head(path)
    model = open_masked(path, train=True) if headed else new_masked_head(path, seed)
    about: Json = {"student": {"model_type": model.config.model_type}, "new_head": not headed}
    if not pick:
        return MaskedMade(model, about)
    count = params.picked or max(1, layers_of(model) // 2)
    layers = pick_layers(params.init_layers or SPREAD, layers_of(model), count)
    return MaskedMade(smaller(model, layers), {**about, "layers": layers})
