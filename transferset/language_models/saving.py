"""Saving a model of transformers so that plain transformers opens it."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, sentence
from transferset.files import sync_directory
from transferset.language_models.checkpoint import quiet
from transferset.language_models.model_files import (
    CONFIG,
    GENERATION,
    INDEX,
    WEIGHTS,
    weight_files,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Weights are cut into files of this size.
_SHARD: Final = "5GB"


def save_model(model: PreTrainedModel, out: Path) -> list[Path]:
    """Write a model, durably.

    Args:
        model: Any.
        out: The directory, made if missing; a model in it is replaced.

    Returns:
        Its files: `config.json`, `generation_config.json` if it has one, the weights in safetensors
        and their index if they are several files.

    Raises:
        OSError: The system refuses to write.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, INDEX):
        (out / name).unlink(missing_ok=True)  # else it would hide a model of more or fewer files
    with quiet():
        _save(model, out)
    about = [out / name for name in (CONFIG, GENERATION, INDEX) if (out / name).is_file()]
    files = [*about, *weight_files(out, "save it again")]
    mode = (out / CONFIG).stat().st_mode
    for path in files:
        path.chmod(mode)  # safetensors writes files that only their owner can read
        _sync(path)
    sync_directory(out)
    return files


def require_savable(model: PreTrainedModel, at: str) -> None:
    """Refuse before a training what could not be saved after it.

    transformers opens configurations that it does not write.

    Args:
        model: Any; as it was afterwards.
        at: Where it is from, for the message.

    Raises:
        InputError: transformers does not write it.
        OSError: The system refuses to write.
    """
    config: Any = model.config
    before = config.dtype, config.architectures
    try:
        with TemporaryDirectory() as place, quiet():
            _save(model, Path(place), state_dict={})
    except OSError:
        raise
    except Exception as error:  # of all kinds
        found = " ".join(str(error).split()) or type(error).__name__
        do = "take what it names out of config.json"
        raise InputError(sentence("a model that can be saved", found, at, do)) from error
    finally:
        config.dtype, config.architectures = before


def _save(model: PreTrainedModel, out: Path, **members: Any) -> None:
    from safetensors import SafetensorError

    try:
        try:
            model.save_pretrained(out, safe_serialization=True, max_shard_size=_SHARD, **members)
        except ValueError:  # of a published model whose settings of `generate` contradict
            _keep_ids(model)
            model.save_pretrained(out, safe_serialization=True, max_shard_size=_SHARD, **members)
    except SafetensorError as error:
        # it writes files itself, and tells what the system said in words
        said = re.search(r"\(os error (\d+)\)", str(error))
        number = int(said[1]) if said else errno.EIO
        raise OSError(number, os.strerror(number) if said else str(error), str(out)) from error


def _keep_ids(model: PreTrainedModel) -> None:
    from transformers import GenerationConfig

    before = model.generation_config
    ids = {name: getattr(before, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model.generation_config = GenerationConfig(**ids)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
