"""A masked language model's directory: what it is, and opening it without running foreign code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, UsageError, sentence

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"

#: Largest file of JSON that is read.
_MOST_JSON: Final = 1 << 28

#: Members that would fetch or run what is not in the three files.
_FOREIGN: Final = ("auto_map", "quantization_config", "adapter_config", "custom_pipelines")

#: What may compute attention; any other name is a kernel that transformers fetches from the hub.
_ATTENTION: Final = ("attn_implementation", "_attn_implementation")
_KNOWN: Final = (None, "eager", "sdpa")

#: Bounds of what a few bytes of JSON can ask for.
_BOUNDS: Final[Mapping[str, int]] = {
    "vocab_size": 1 << 21,
    "hidden_size": 1 << 16,
    "intermediate_size": 1 << 18,
    "num_hidden_layers": 1 << 10,
    "max_position_embeddings": 1 << 20,
}

_REMEDY: Final = "save a BERT-like model with its masked-LM head by save_pretrained"


def releases() -> dict[str, str]:
    """The releases of torch and transformers.

    Raises:
        UsageError: One is not installed.
    """
    try:
        return {name: version(name) for name in ("torch", "transformers")}
    except PackageNotFoundError as error:
        raise _not_installed() from error


def _not_installed() -> UsageError:
    do = "pip install 'transferset[distill]'"
    return UsageError(sentence("torch and transformers for a language model", "none", do=do))


def check_folder(path: str | Path) -> Path:
    """The directory, if it has the three files of a model.

    Raises:
        InputError: It is none, a file is missing, or it belongs to another model's weights.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(sentence("the directory of a model", "none", str(path), _REMEDY))
    for file in (CONFIG, WEIGHTS, TOKENIZER):
        if not (folder / file).is_file():
            raise InputError(sentence(f"a file {file}", "none", str(path), _REMEDY))
    if (folder / "adapter_config.json").exists():
        # transformers would load whatever model it names
        do = "merge the adapter into its model and save that"
        raise InputError(sentence("a whole model", "an adapter", str(path), do))
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """An object of JSON from a file that is not trusted.

    Raises:
        InputError: It is something else.
    """
    try:
        if path.stat().st_size > _MOST_JSON:
            raise ValueError(f"more than {_MOST_JSON:,} bytes")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(sentence("JSON", str(error), str(path))) from error
    if not isinstance(found, dict):
        raise InputError(sentence("an object of JSON", type(found).__name__, str(path)))
    return found


def load_model(path: str | Path, device: str | None = None) -> PreTrainedModel:
    """Load a masked language model, in float32, ready for inference.

    Args:
        path: A directory with `config.json`, `model.safetensors` and `tokenizer.json`.
        device: As torch names it; None is the processor, whose sums are the same everywhere.

    Raises:
        InputError: The directory does not hold such a model, or not all of its weights.
        UsageError: torch or transformers is not installed; there is no such device.
    """
    folder = check_folder(path)
    _check_config(folder)
    try:
        import torch
        from transformers import AutoModelForMaskedLM
    except ImportError as error:
        raise _not_installed() from error
    with _quiet():
        try:
            model, report = AutoModelForMaskedLM.from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                attn_implementation="eager",
                output_loading_info=True,
                dtype=torch.float32,
            )
        except Exception as error:  # of transformers and safetensors, which raise all kinds
            found = str(error).strip().split("\n")[0]
            raise InputError(
                sentence("a masked language model", found, str(path), _REMEDY)
            ) from error
    _require_all_weights(report, folder)
    try:
        return model.eval().requires_grad_(False).to(device or "cpu")
    except (RuntimeError, AssertionError) as error:  # what torch raises without CUDA
        raise UsageError(sentence("a device of torch's", str(device))) from error


def _check_config(folder: Path) -> None:
    config, at = read_json(folder / CONFIG), str(folder / CONFIG)
    for name, value in _members(config):
        foreign = name in _FOREIGN and value is not None
        if foreign or (name in _ATTENTION and value not in _KNOWN):
            raise InputError(sentence("a plain model in float", f"a member {name}", at, _REMEDY))
    for name, most in _BOUNDS.items():
        value = config.get(name, 1)
        if not isinstance(value, int) or not 0 < value <= most:
            raise InputError(sentence(f"{name} from 1 to {most:,}", repr(value), at))


def _require_all_weights(report: Mapping[str, Any], folder: Path) -> None:
    # what a checkpoint lacks, transformers fills with random numbers, and only logs it
    missing = sorted({str(name) for name in report["missing_keys"]})
    wrong = sorted({str(name) for name in report.get("mismatched_keys") or ()})
    if missing or wrong:
        first, more = (missing + wrong)[0], len(missing + wrong) - 1
        found = f"none for {first}" + (f" and {more} others" if more else "")
        at = str(folder / WEIGHTS)
        raise InputError(sentence("weights for every part, the masked-LM head", found, at, _REMEDY))


def _members(value: object) -> Iterator[tuple[str, Any]]:
    """All members, also of objects inside."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name, inner
        yield from _members(inner)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars and notes of transformers; the caller's settings come back."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
