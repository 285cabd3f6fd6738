"""Causal language models with random weights."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset import rng
from transferset.errors import InputError, UsageError, sentence
from transferset.language_models.causal.opening import check_causal, check_kind
from transferset.language_models.causal.pieces import CausalPieces
from transferset.language_models.checkpoint import (
    CAUSAL,
    count_numbers,
    not_installed,
    quiet,
    refusing,
)
from transferset.language_models.configuration import settled
from transferset.language_models.model_files import check_config
from transferset.language_models.saving import require_savable

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Ordinal of the key that weights are drawn under; those of steps start at 0.
_WEIGHTS: Final = 0xFFFF_FFFF

#: Numbers of a new model, 16 GiB in float32.
_MOST_NUMBERS: Final = 1 << 32

#: How near a member must be to a known one to be its misspelling.
_NEAR: Final = 0.85

_REMEDY: Final = 'write the config of a causal model of transformers, as {"model_type": "gpt2"}'


def new_causal(config: str | Path, pieces: CausalPieces, seed: int) -> PreTrainedModel:
    """Make a causal language model with the random weights that transformers gives it.

    Args:
        config: A file with a configuration of transformers as JSON: `model_type` and what differs
            from that type's defaults. `vocab_size` may be larger than the tokenizer; special ids
            are the tokenizer's.
        pieces: The tokenizer.
        seed: 0 ≤ seed < 2**64; the same one gives the same weights, and moves no other generator.

    Returns:
        The model in float32 on the processor, ready for training.

    Raises:
        InputError: The file is none of a causal model, asks for too much, misspells a member, or
            states a smaller vocabulary than the tokenizer's.
        UsageError: torch or transformers is not installed, or the seed is out of range.
    """
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a seed from 0 to 2**64 − 1", str(seed)))
    path, at = Path(config), str(config)
    members = check_config(path, _REMEDY)
    kind = check_kind(members, at)
    members["vocab_size"] = _vocabulary(members, pieces, at)
    members |= {"bos_token_id": pieces.start, "pad_token_id": pieces.padding}
    members["eos_token_id"] = pieces.end
    try:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM
    except ImportError as error:
        raise not_installed() from error
    with quiet(), refusing(CAUSAL._replace(remedy=_REMEDY), at):
        made = settled(AutoConfig.for_model(**members))
        _check_spelling(members, AutoConfig.for_model(kind), at)
        _check_size(count_numbers(AutoModelForCausalLM, made), at)
        high, low = rng.step_key(seed, _WEIGHTS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(high << 32 | low)
            model = AutoModelForCausalLM.from_config(
                made, dtype=torch.float32, trust_remote_code=False
            )
        check_causal(model.eval(), at)
    require_savable(model, at)
    return model.train()


def stated_vocabulary(config: str | Path) -> int | None:
    """The `vocab_size` of a configuration file, or None where it states none.

    Raises:
        InputError: The file is no configuration.
    """
    stated: int | None = check_config(Path(config), _REMEDY).get("vocab_size")
    return stated


def _vocabulary(members: dict[str, Any], pieces: CausalPieces, at: str) -> int:
    stated: int = members.get("vocab_size", pieces.size)
    if stated < pieces.size:
        do = "raise vocab_size or leave it out"
        expected = f"a vocab_size of at least the tokenizer's {pieces.size:,} ids"
        raise InputError(sentence(expected, f"{stated:,}", at, do))
    return stated


def _check_size(numbers: int, at: str) -> None:
    if numbers > _MOST_NUMBERS:
        found = f"{numbers:,}"
        raise InputError(sentence(f"a model of up to {_MOST_NUMBERS:,} numbers", found, at))


def _check_spelling(members: Iterable[str], default: Any, at: str) -> None:
    """Refuse what is nearly a member: transformers takes any, and would use its default."""
    known = {*default.to_dict(), *default.attribute_map}
    for name in members:
        near = get_close_matches(name, known, 1, _NEAR)
        if name not in known and near and not hasattr(default, name):
            do = f"did you mean {near[0]}?"
            raise InputError(sentence("a member of the configuration", name, at, do))
