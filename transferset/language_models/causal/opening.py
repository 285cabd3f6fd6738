"""Opening a causal language model, and what a recipe records of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, UsageError, sentence
from transferset.files import digest_file
from transferset.language_models.checkpoint import (
    CAUSAL,
    check_folder,
    load_model,
    not_installed,
    refusing,
    require_finite,
)
from transferset.language_models.describing import describe_files
from transferset.language_models.model_files import (
    CONFIG,
    GENERATION,
    STATEMENTS,
    TOKENIZER,
    check_config,
    open_tokenizer,
    tokenizer_size,
)
from transferset.language_models.saving import require_savable
from transferset.manifest import Json

if TYPE_CHECKING:
    from transformers import PreTrainedModel

DTYPES: Final = ("float32", "bfloat16")

#: How far rounding may move a logit of a piece before one that is changed: steps of the dtype, and
#: the share of all logits' spread.
_STEPS: Final = 1000
_MOST_ROUNDING: Final = 0.05


def load_causal(
    path: str | Path, device: str | None = None, dtype: str = "float32", *, train: bool = False
) -> PreTrainedModel:
    """Load a causal language model.

    Args:
        path: A directory with `config.json`, `model.safetensors` (or the files that
            `model.safetensors.index.json` names) and `tokenizer.json`.
        device: As torch names it; None is the processor.
        dtype: Of its numbers, `float32` or `bfloat16`.
        train: Whether it is to be trained: in float32, with gradients and dropout.

    Returns:
        The model; without `train` for inference only.

    Raises:
        InputError: The directory does not hold such a model, or not all of its weights, or a
            tokenizer with ids that the model does not know.
        UsageError: torch or transformers is not installed; there is no such device or dtype.
    """
    if dtype not in DTYPES or (train and dtype != "float32"):
        expected = "float32 for training" if train else " or ".join(DTYPES)
        raise UsageError(sentence(expected, dtype))
    folder = check_folder(path, CAUSAL)
    check_kind(check_config(folder / CONFIG, CAUSAL.remedy), str(folder))
    size = tokenizer_size(open_tokenizer(folder / TOKENIZER))
    model = load_model(folder, device, CAUSAL, dtype)
    check_vocabulary(model, size, str(path))
    check_causal(model, str(path))
    if not train:
        return model
    require_finite(model, str(path))
    require_savable(model, str(path))
    return model.requires_grad_(True).train()


def check_kind(config: dict[str, Any], at: str) -> str:
    """The type of a model, if it can be a causal one.

    Args:
        config: The members of its configuration.
        at: For the message.

    Raises:
        InputError: It is of another kind.
        UsageError: torch or transformers is not installed.
    """
    try:
        from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    except ImportError as error:
        raise not_installed() from error
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        found = f"model_type {kind}" if kind else "no model_type"
        raise InputError(sentence(CAUSAL.name, found, at, CAUSAL.remedy))
    if config.get("is_encoder_decoder"):
        raise InputError(sentence(CAUSAL.name, f"an encoder with a decoder ({kind})", at))
    return kind


def check_vocabulary(model: PreTrainedModel, size: int, at: str) -> None:
    """Refuse a tokenizer of another model.

    Args:
        model: Any.
        size: Ids of the tokenizer are below it.
        at: For the message.

    Raises:
        InputError: The tokenizer has ids that the model does not know.
    """
    known = model.get_input_embeddings().weight.shape[0]
    if size > known:
        do = "take the tokenizer that the model was trained with"
        raise InputError(sentence(f"a tokenizer of up to {known:,} ids", f"{size:,}", at, do))


def check_causal(model: PreTrainedModel, at: str) -> None:
    """Refuse a model whose logits depend on later pieces, as an encoder's.

    Args:
        model: Ready for inference.
        at: For the message.

    Raises:
        InputError: They do.
    """
    import torch

    vocabulary = model.get_input_embeddings().weight.shape[0]
    texts = torch.tensor([[0, 1], [0, 2]], device=model.device) % vocabulary
    here = torch.ones_like(texts)  # without it, transformers warns where 0 is the padding's id
    with refusing(CAUSAL, at), torch.inference_mode():
        logits = model(input_ids=texts, attention_mask=here).logits[:, 0]
    first, second = logits.float()
    rounding = min(_STEPS * torch.finfo(logits.dtype).eps, _MOST_ROUNDING)
    # numbers that are not finite are told where they matter
    if bool((first - second).abs().amax() > rounding * (first.amax() - first.amin())):
        found = "one that sees later pieces"
        raise InputError(sentence(CAUSAL.name, found, at, CAUSAL.remedy))


def describe_causal(path: str | Path) -> Json:
    """What a recipe records of a causal language model, so that another one makes another recipe.

    Args:
        path: Its directory.

    Returns:
        See `describing.describe_files`; and as `statements` the BLAKE3 digests of the files, where
        they are, that say which pieces are special.

    Raises:
        InputError: There is no such directory or file.
        UsageError: torch or transformers is not installed.
    """
    found, folder = describe_files(path, CAUSAL), Path(path)
    files = [folder / name for name in (GENERATION, *STATEMENTS)]
    return found | {"statements": {f.name: digest_file(f) for f in files if f.is_file()}}
