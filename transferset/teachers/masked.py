"""Masked language models as teachers: opened, given a head where they have none, and saved."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transferset.errors import InputError, sentence
from transferset.files import write_atomic
from transferset.language_models.causal.opening import check_vocabulary
from transferset.language_models.checkpoint import (
    MASKED,
    load_model,
    not_installed,
    quiet,
    refusing,
    require_finite,
    to_device,
)
from transferset.language_models.configuration import read_configuration
from transferset.language_models.model_files import (
    CONFIG,
    TOKENIZER,
    check_config,
    open_tokenizer,
    tokenizer_size,
    weight_files,
)
from transferset.language_models.saving import require_savable, save_model
from transferset.students.opening import is_student
from transferset.teachers.opening import addressed
from transferset.teachers.saving import README, save_vocabulary
from transferset.teachers.statement import ENCODER, MEMBER

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Attention as the model computes it fastest; others here want it reproducible.
_MASKED = MASKED._replace(
    attention=None, remedy="`transferset teacher fit --mlm` makes one of an encoder and any set"
)


def open_masked(
    path: str | Path, device: str | None = None, *, train: bool = False
) -> PreTrainedModel:
    """Open a masked language model.

    Args:
        path: Its directory.
        device: As torch names it; None is the processor.
        train: Whether it is to be trained.

    Returns:
        The model in float32; without `train` for inference only.

    Raises:
        InputError: The directory holds none, or not all of it, or what is not to be trusted.
        UsageError: torch or transformers is not installed; there is no such device.
    """
    require_no_student(path)
    model = load_model(path, device, _MASKED)
    _check(model, Path(path))
    if train:
        require_savable(model, str(path))
    return model.requires_grad_(train).train(train)


def require_no_student(path: str | Path) -> None:
    """Refuse a student of texts by its name, not by what transformers makes of it.

    Raises:
        InputError: The directory holds one.
    """
    if (Path(path) / CONFIG).is_file() and is_student(path):
        expected, found = "a masked language model", "a student that says something of whole texts"
        raise InputError(sentence(expected, found, str(path), _MASKED.remedy))


def has_masked_head(path: str | Path) -> bool:
    """Whether a directory of an encoder has weights of a masked-LM head.

    Raises:
        InputError: It holds no encoder that can have one.
        UsageError: torch or transformers is not installed.
    """
    folder = Path(path)
    check_config(folder / CONFIG, ENCODER.remedy)
    try:
        import torch
        from safetensors import safe_open
        from transformers import AutoModelForMaskedLM
    except ImportError as error:
        raise not_installed() from error
    with quiet(), refusing(MASKED, str(path)):
        config = read_configuration(folder)
        with torch.device("meta"):
            model = AutoModelForMaskedLM.from_config(config, trust_remote_code=False)
        prefix = f"{model.base_model_prefix}."
        wanted = {name for name in model.state_dict() if not name.startswith(prefix)}
        for path_of in weight_files(folder, ENCODER.remedy):
            with safe_open(path_of, "pt") as file:
                if wanted & set(file.keys()):
                    return True
    return False


def new_masked_head(path: str | Path, seed: int, device: str | None = None) -> PreTrainedModel:
    """An encoder of a directory with a new masked-LM head, tied to its embeddings.

    Args:
        path: Of any encoder that transformers knows with such a head, as BERT; one that it has is
            left.
        seed: 0 ≤ seed < 2**64; the same one gives the same head, and moves no other generator.
        device: As torch names it; None is the processor.

    Returns:
        The model in float32, ready for training.

    Raises:
        InputError: The directory holds no such encoder.
        UsageError: The seed is out of range, torch or transformers is not installed, or there is no
            such device.
    """
    folder = Path(path)
    with addressed(seed):
        base = load_model(folder, kind=ENCODER._replace(optional=("pooler.",)))
        model = _with_head(base, str(path))
    _check(model, folder)
    require_savable(model, str(path))
    return to_device(model.requires_grad_(True).train(), device)


def save_masked(
    model: PreTrainedModel, out: Path, tokenizer_json: Path, about: Sequence[str] = ()
) -> list[Path]:
    """Write a masked language model, durably, so that plain transformers opens it.

    Args:
        model: Any.
        out: The directory, made if missing; a model in it is replaced.
        tokenizer_json: Its tokenizer.
        about: Lines for the README: where it came from.

    Returns:
        Its files, by name.

    Raises:
        OSError: The system refuses to write.
    """
    given = tokenizer_json.read_bytes()
    files = [*save_model(model, out), *save_vocabulary(given, TOKENIZER, out)]
    write_atomic(out / README, "\n".join([*_README[:2], *about, *_README[2:]]).encode())
    return sorted([*files, out / README])


_README = [
    "# Masked language model",
    "",
    "",
    "Opened with transformers (run where this file is):",
    "",
    "```python",
    "from transformers import AutoModelForMaskedLM, AutoTokenizer",
    'model = AutoModelForMaskedLM.from_pretrained(".")',
    'tokenizer = AutoTokenizer.from_pretrained(".")',
    'print(model(**tokenizer(f"a {tokenizer.mask_token} text", return_tensors="pt")).logits[0])',
    "```",
    "",
]


def _with_head(base: PreTrainedModel, at: str) -> PreTrainedModel:
    import torch
    from transformers import AutoModelForMaskedLM

    config = copy.deepcopy(base.config)
    config.tie_word_embeddings = True
    setattr(config, MEMBER, None)  # it is no classifier any more
    with quiet(), refusing(MASKED, at):
        model = AutoModelForMaskedLM.from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )
        own, given = model.base_model.state_dict(), base.state_dict()
        model.base_model.load_state_dict({name: given[name] for name in own})
        model.tie_weights()
    return model


def _check(model: PreTrainedModel, folder: Path) -> None:
    path = folder / TOKENIZER
    check_vocabulary(model, tokenizer_size(open_tokenizer(path)), str(path))
    require_finite(model, str(folder))
