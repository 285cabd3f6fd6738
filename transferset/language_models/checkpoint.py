"""Opening a language model's directory without running foreign code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from logging import CRITICAL
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.language_models import model_files
from transferset.language_models.configuration import read_configuration, require_no_decoder
from transferset.language_models.model_files import (
    CONFIG,
    GENERATION,
    TOKENIZER,
    check_config,
    weight_files,
)
from transferset.training.room import is_out_of_memory, shortage

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

#: What an unfinished model may be larger than its weights by: tied weights are written once, and
#: what a small model lacks is told by name.
_TIMES: Final = 2
_SPARE: Final = 1 << 28

#: What may help where memory ends before a model is made.
_ROOM: Final = "take a smaller model, or run it where there is more"

#: Of a layer, in the name of a weight.
_NUMBER: Final = re.compile(r"\.\d+\.")


class Kind(NamedTuple):
    """A kind of language models.

    Attributes:
        loader: Class of transformers that opens it.
        name: With its article.
        parts: What its weights are for.
        remedy: How to make a directory of it.
        attention: What computes attention, as transformers names it; None is the model's choice.
        optional: Prefixes of weights that may be missing, and are random then.
        vocabulary: The file that says what ids mean.
        both_ways: Whether each piece has to see those after it too.
    """

    loader: str
    name: str
    parts: str
    remedy: str
    attention: str | None = None
    optional: tuple[str, ...] = ()
    vocabulary: str = TOKENIZER
    both_ways: bool = True


MASKED: Final = Kind(
    "AutoModelForMaskedLM",
    "a masked language model",
    "every part, the masked-LM head",
    "save a BERT-like model with its masked-LM head by save_pretrained",
    "eager",
)
CAUSAL: Final = Kind(
    "AutoModelForCausalLM",
    "a causal language model",
    "every part, the LM head",
    "save a GPT-like model with its LM head by save_pretrained",
    both_ways=False,
)


def releases() -> dict[str, str]:
    """The releases of torch and transformers.

    Raises:
        UsageError: One is not installed.
    """
    try:
        return {name: version(name) for name in ("torch", "transformers")}
    except PackageNotFoundError as error:
        raise not_installed() from error


def not_installed() -> UsageError:
    """What is said where torch or transformers is not installed."""
    do = "pip install 'transferset[distill]'"
    return UsageError(sentence("torch and transformers for a language model", "none", do=do))


def check_folder(path: str | Path, kind: Kind = MASKED) -> Path:
    """The directory, if it has the files of a model; see `model_files.check_folder`."""
    return model_files.check_folder(path, kind.remedy, kind.vocabulary)


def load_model(
    path: str | Path, device: str | None = None, kind: Kind = MASKED, dtype: str = "float32"
) -> PreTrainedModel:
    """Load a language model, ready for inference.

    Args:
        path: A directory with `config.json`, weights in safetensors and `tokenizer.json`.
        device: As torch names it; None is the processor, whose sums are the same everywhere.
        kind: What it has to be.
        dtype: Of its numbers, as torch names it.

    Raises:
        InputError: The directory does not hold such a model, or not all of its weights.
        UsageError: torch or transformers is not installed; there is no such device.
    """
    folder = check_folder(path, kind)
    check_config(folder / CONFIG, kind.remedy)
    if (folder / GENERATION).is_file():
        check_config(folder / GENERATION, kind.remedy)
    try:
        import torch
        import transformers
    except ImportError as error:
        raise not_installed() from error
    loader = getattr(transformers, kind.loader)
    with quiet(), refusing(kind, str(path)):
        config = read_configuration(folder)
        if kind.both_ways:
            require_no_decoder(config, kind.name, str(folder / CONFIG))
        _require_room(loader, config, folder, kind)
        model, report = loader.from_pretrained(
            str(folder),
            config=config,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation=kind.attention,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told by name below
            dtype=getattr(torch, dtype),
        )
    _require_all_weights(report, folder, kind)
    _require_all_layers(report, model, folder)
    _require_known_positions(report, folder)
    return to_device(model.eval().requires_grad_(False), device)


def to_device(model: PreTrainedModel, device: str | None) -> PreTrainedModel:
    """The model, moved.

    Args:
        model: Any.
        device: As torch names it; None is the processor.

    Raises:
        UsageError: There is no such device.
    """
    try:
        return model.to(device or "cpu")
    except (RuntimeError, AssertionError) as error:  # what torch raises without CUDA
        if is_out_of_memory(error):
            raise TransfersetError(sentence("enough memory", shortage(error), do=_ROOM)) from error
        do = "take cpu, for torch finds none of that name here"
        raise UsageError(sentence("a device of torch's", str(device), "--device", do)) from error


def require_finite(module: nn.Module, at: str) -> None:
    """Refuse weights that are no numbers.

    Args:
        module: Any.
        at: The model's directory, for the message.

    Raises:
        InputError: There are some.
    """
    for name, tensor in module.state_dict().items():
        if not bool(tensor.isfinite().all()):
            do = "the file is damaged, or the model was trained until it diverged: take another"
            raise InputError(sentence("finite weights", f"others in {name}", at, do))


def _require_room(loader: Any, config: Any, folder: Path, kind: Kind) -> None:
    """Refuse a configuration for whose model there cannot be enough weights.

    What a checkpoint lacks, transformers makes before it tells, however large it is.
    """
    size = sum(path.stat().st_size for path in weight_files(folder, kind.remedy))
    numbers = count_numbers(loader, config)
    if numbers > _TIMES * size + _SPARE:
        found = f"{size:,} bytes for {numbers:,} numbers"
        raise InputError(sentence(f"weights for {kind.parts}", found, str(folder), kind.remedy))


def count_numbers(loader: Any, config: Any) -> int:
    """How many numbers a model would have; none is made.

    Args:
        loader: Class of transformers, as `AutoModelForCausalLM`.
        config: The model's configuration.
    """
    import torch

    with torch.device("meta"):
        model = loader.from_config(config, trust_remote_code=False)
    return sum(part.numel() for part in model.parameters())


def _require_all_weights(report: Mapping[str, Any], folder: Path, kind: Kind) -> None:
    # what a checkpoint lacks, transformers fills with random numbers, and only logs it
    missing = sorted({str(name) for name in report["missing_keys"]})
    missing = [name for name in missing if not name.startswith(kind.optional)]
    wrong = sorted({str(name) for name, *_ in report.get("mismatched_keys") or ()})
    if missing or wrong:
        first, more = (missing + wrong)[0], len(missing + wrong) - 1
        what = "none" if missing else "those of another shape"
        found = f"{what} for {first}" + (f" and {more} others" if more else "")
        at = str(weight_files(folder, kind.remedy)[0])
        raise InputError(sentence(f"weights for {kind.parts}", found, at, kind.remedy))


def _require_all_layers(report: Mapping[str, Any], model: PreTrainedModel, folder: Path) -> None:
    # those beyond the configuration's number transformers leaves out, and only logs it
    prefix = f"{model.base_model_prefix}."
    known = {_unnumbered(name.removeprefix(prefix)) for name in model.state_dict()}
    left = [str(name).removeprefix(prefix) for name in report["unexpected_keys"]]
    more = sorted(name for name in left if _NUMBER.search(name) and _unnumbered(name) in known)
    if more:
        expected = "a configuration of all layers that the weights have"
        do = "raise its number of layers; distill --layers takes some of a model's"
        at = str(folder / CONFIG)
        raise InputError(sentence(expected, f"one without {more[0]}", at, do))


def _unnumbered(name: str) -> str:
    """The name of a weight in any layer."""
    return _NUMBER.sub(".#.", name)


def _require_known_positions(report: Mapping[str, Any], folder: Path) -> None:
    # a part of attention that transformers has had, and now leaves out without a word
    left = [name for name in sorted(report["unexpected_keys"]) if "distance_embedding" in name]
    if left:
        expected, found = "positions that transformers computes", f"relative ones, {left[0]}"
        do = "take a model whose position_embedding_type is absolute"
        raise InputError(sentence(expected, found, str(folder), do))


@contextmanager
def refusing(kind: Kind, at: str) -> Iterator[None]:
    """Turn whatever transformers and safetensors raise, which is of all kinds, into one sentence.

    Raises:
        TransfersetError: Memory ended.
        InputError: Something else was raised.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            found = shortage(error)
            raise TransfersetError(sentence("enough memory", found, at, _ROOM)) from error
        lines = (str(error).strip() or type(error).__name__).split("\n")
        found = " ".join(line.strip() for line in lines[: 1 + lines[0].endswith(":")])
        raise InputError(sentence(kind.name, found, at, kind.remedy)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and notes of transformers; the caller's settings come back."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)  # what it calls an error, it raises too
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
