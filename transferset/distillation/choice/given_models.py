"""Models of transformers that a student begins with: those of directories, and those of a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, sentence
from transferset.language_models.checkpoint import (
    Kind,
    count_numbers,
    load_model,
    quiet,
    refusing,
    require_finite,
)
from transferset.language_models.configuration import require_no_decoder, settled
from transferset.language_models.model_files import TOKENIZER, check_config
from transferset.language_models.saving import require_savable
from transferset.manifest import Json
from transferset.students.config import TransformerSizes, Vocabulary
from transferset.students.word_vocabulary import WORDS
from transferset.teachers.opening import addressed
from transferset.teachers.statement import ENCODER
from transferset.tokens.load import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Numbers of a new model, 4 GiB in float32.
_MOST_NUMBERS: Final = 1 << 30

#: How near a member must be to a known one to be its misspelling.
_NEAR: Final = 0.85

#: A bare encoder has a pooler that other models were saved without.
_POOLER: Final = ("pooler.",)

_CONFIGURATION: Final = Kind(
    "AutoModel",
    "a configuration of an encoder",
    "every part",
    'write the configuration of an encoder of transformers, as {"model_type": "bert"}',
)


def identity(path: Path) -> str:
    """Which tokenizer a `tokenizer.json` is, as manifests have it: of its canonical form."""
    return load_tokenizer(str(path)).info.sha256


def open_encoder(path: Path, seed: int) -> PreTrainedModel:
    """Open an encoder for its weights, without the head that it may have.

    Args:
        path: A directory with a BERT-like encoder, whatever it was trained for.
        seed: Of a pooler, if it has none.

    Returns:
        The encoder, frozen.

    Raises:
        InputError: It is none, or not all of it.
        UsageError: The seed is out of range, or torch or transformers is not installed.
    """
    file = WORDS if (path / WORDS).is_file() else TOKENIZER
    with addressed(seed):
        model = load_model(path, kind=ENCODER._replace(optional=_POOLER, vocabulary=file))
    require_finite(model, str(path))
    return model


def layers_of(model: PreTrainedModel) -> int:
    """How many layers an encoder has."""
    return int(model.config.num_hidden_layers)


def sizes_of(model: PreTrainedModel) -> TransformerSizes:
    """A BERT's sizes.

    Raises:
        InputError: It is no BERT, so that its layers are no student's of ours.
    """
    config = model.config
    if config.model_type != "bert":
        do = "leave --init-layers out, or name the teacher's directory as --student"
        raise InputError(sentence("a BERT for --init-layers", str(config.model_type), do=do))
    return TransformerSizes(
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        heads=config.num_attention_heads,
        positions=config.max_position_embeddings,
        dropout=config.hidden_dropout_prob,
    )


def new_model(path: Path, loader: str, vocabulary: Vocabulary, seed: int) -> PreTrainedModel:
    """A model with random weights, from a configuration of transformers.

    Args:
        path: A file with `model_type` and what differs from that type's defaults. A `vocab_size`
            may be larger than the tokenizer.
        loader: Class of transformers that makes it, as `AutoModelForMaskedLM`.
        vocabulary: Ids that it reads.
        seed: 0 ≤ seed < 2**64; the same one gives the same weights, and moves no other generator.

    Returns:
        The model in float32 on the processor, ready for training.

    Raises:
        InputError: The file is no such configuration, asks for too much, misspells a member, or
            states a smaller vocabulary than the tokenizer's.
    """
    at = str(path)
    members = check_config(path, _CONFIGURATION.remedy)
    members["vocab_size"] = _vocabulary(members, vocabulary.size, at)
    members["pad_token_id"] = vocabulary.padding
    import transformers

    with quiet(), refusing(_CONFIGURATION, at):
        made = settled(transformers.AutoConfig.for_model(**members))
        require_no_decoder(made, _CONFIGURATION.name, at)
        _check_spelling(members, transformers.AutoConfig.for_model(members["model_type"]), at)
        numbers = count_numbers(getattr(transformers, loader), made)
        if numbers > _MOST_NUMBERS:
            expected = f"a model of up to {_MOST_NUMBERS:,} numbers"
            raise InputError(sentence(expected, f"{numbers:,}", at))
        model = drawn(loader, made, seed)
    require_savable(model, at)
    return model


def drawn(loader: str, config: Any, seed: int) -> PreTrainedModel:
    """A model with random weights of its own.

    Args:
        loader: Class of transformers.
        config: Of transformers.
        seed: See `new_model`.

    Raises:
        UsageError: The seed is out of range.
    """
    import torch
    import transformers

    with addressed(seed):
        model = getattr(transformers, loader).from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )
    return model.train()


def _vocabulary(members: Json, size: int, at: str) -> int:
    stated: int = members.get("vocab_size", size)
    if stated < size:
        do = "raise vocab_size or leave it out"
        expected = f"a vocab_size of at least the tokenizer's {size:,} ids"
        raise InputError(sentence(expected, f"{stated:,}", at, do))
    return stated


def _check_spelling(members: Iterable[str], default: Any, at: str) -> None:
    """Refuse what is nearly a member: transformers takes any, and would use its default."""
    known = {*default.to_dict(), *default.attribute_map}
    for name in members:
        near = difflib.get_close_matches(name, known, 1, _NEAR)
        if name not in known and near and not hasattr(default, name):
            do = f"did you mean {near[0]}?"
            raise InputError(sentence("a member of the configuration", name, at, do))
