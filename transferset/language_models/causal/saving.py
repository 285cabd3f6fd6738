"""Saving a causal language model so that plain transformers opens it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transferset.language_models.causal.pieces import CausalPieces
from transferset.language_models.saving import save_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def save_causal(model: PreTrainedModel, pieces: CausalPieces, out: Path) -> list[Path]:
    """Write a model and its tokenizer, durably.

    Args:
        model: A causal language model.
        pieces: Its tokenizer.
        out: The directory, made if missing; a model in it is replaced.

    Returns:
        All files of the model, by name: `config.json`, `generation_config.json`, the weights in
        safetensors (and their index if they are several files) and the tokenizer's.

    Raises:
        OSError: The system refuses to write.
    """
    return sorted([*save_model(model, out), *pieces.save(out)])
