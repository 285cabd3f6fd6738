"""The files of a model's directory, all of them hostile until checked."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from transferset.errors import InputError, sentence
from transferset.files import digest_file

CONFIG: Final = "config.json"
GENERATION: Final = "generation_config.json"
WEIGHTS: Final = "model.safetensors"
INDEX: Final = f"{WEIGHTS}.index.json"
TOKENIZER: Final = "tokenizer.json"

#: Files that say which pieces are special, and how they are written.
STATEMENTS: Final = ("special_tokens_map.json", "tokenizer_config.json")

#: Largest file of JSON that is read.
_MOST_JSON: Final = 1 << 28

#: Members that would fetch or run what is not in the files, or read weights from others.
_FOREIGN: Final = (
    "auto_map",
    "quantization_config",
    "compression_config",
    "adapter_config",
    "custom_pipelines",
    "transformers_weights",
    "fusion_config",
    "distributed_config",
)

#: What may compute attention and experts; other names are kernels that transformers fetches.
_CHOICES: Final = re.compile(r"_?(attn|experts)_implementation(_internal)?")
_KNOWN: Final = (None, "eager", "sdpa", "batched_mm", "grouped_mm")

#: Bounds of what a few bytes of JSON can ask for, under the names of several kinds of models.
_BOUNDS: Final[Mapping[str, int]] = {
    "vocab_size": 1 << 21,
    **dict.fromkeys(("hidden_size", "n_embd", "d_model"), 1 << 16),
    **dict.fromkeys(("intermediate_size", "n_inner", "ffn_dim"), 1 << 18),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), 1 << 10),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads", "n_head"), 1 << 12),
    "num_labels": 1 << 16,  # transformers makes a name for each
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), 1 << 14),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx"), 1 << 24),
}

#: May be null, which is "as the other members say".
_MAY_BE_NULL: Final = ("n_inner", "num_key_value_heads", "num_labels")

#: Written by torch.distributed; transformers reads them before any other weights.
_DISTRIBUTED: Final = "shard-[0-9]*-model-*.safetensors"


def check_folder(path: str | Path, remedy: str, vocabulary: str = TOKENIZER) -> Path:
    """The directory, if it has the files of a model.

    Args:
        path: With `config.json`, weights in safetensors and `tokenizer.json`.
        remedy: How to make such a directory.
        vocabulary: The file that says what ids mean, if it is another than `tokenizer.json`.

    Raises:
        InputError: It is none, a file is missing, or it belongs to another model's weights.
    """
    folder = Path(path)
    if not folder.is_dir():
        do = f"{remedy} and name its directory: names of the hub are not fetched"
        raise InputError(sentence("the directory of a model", "none", str(path), do))
    _require_file(folder, CONFIG, remedy)
    weight_files(folder, remedy)
    if vocabulary == TOKENIZER:
        check_tokenizer_file(folder)
    else:
        _require_file(folder, vocabulary, remedy)
    if (folder / "adapter_config.json").exists():
        # transformers would load whatever model it names
        do = "merge the adapter into its model and save that"
        raise InputError(sentence("a whole model", "an adapter", str(path), do))
    return folder


def check_tokenizer_file(folder: Path) -> Path:
    """The path of `tokenizer.json`.

    Raises:
        InputError: There is none.
    """
    do = f"AutoTokenizer.from_pretrained(NAME).save_pretrained({str(folder)!r}) writes one"
    return _require_file(folder, TOKENIZER, do)


def _require_file(folder: Path, name: str, remedy: str, found: str = "none") -> Path:
    if not (folder / name).is_file():
        raise InputError(sentence(f"a file {name}", found, str(folder), remedy))
    return folder / name


def weight_files(folder: Path, remedy: str) -> list[Path]:
    """The files that hold a model's weights, in the order of their names.

    Args:
        folder: The model's directory.
        remedy: How to save a model as it should be.

    Raises:
        InputError: There are none, or not all, or not in safetensors.
    """
    if next(folder.glob(_DISTRIBUTED), None) is not None:
        raise InputError(sentence("whole weights", "those of processes", str(folder), remedy))
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        pickled = next(iter(sorted(folder.glob("pytorch_model*"))), None)
        if pickled is None:
            _require_file(folder, WEIGHTS, remedy)
        else:
            do = "save the model as safetensors, for a pickle can run code"
            _require_file(folder, WEIGHTS, do, pickled.name)
    names = _names_of_shards(folder / INDEX)
    return [_require_file(folder, name, remedy) for name in names]


def _names_of_shards(index: Path) -> list[str]:
    found = read_json(index)
    shards, about = found.get("weight_map"), found.get("metadata", {})
    if not isinstance(shards, dict) or not shards or not isinstance(about, dict):
        raise InputError(sentence("an index of weights", "another object", str(index)))
    names = {name if isinstance(name, str) else repr(name) for name in shards.values()}
    for name in sorted(names):
        # what is no plain name could lead out of the directory
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors", name):
            raise InputError(sentence("names of safetensors files beside it", name, str(index)))
    return sorted(names)


def digest_weights(files: list[Path]) -> str:
    """One BLAKE3 digest of a model's weights.

    Args:
        files: See `weight_files`. The digest of a single file is its own; of several it is that of
            a list of their names and digests.
    """
    if len(files) == 1:
        return digest_file(files[0])
    from blake3 import blake3

    lines = "".join(f"{digest_file(path)}  {path.name}\n" for path in files)
    return blake3(lines.encode()).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """An object of JSON from a file that is not trusted.

    Raises:
        InputError: It is something else.
    """
    try:
        if path.stat().st_size > _MOST_JSON:
            raise ValueError(f"more than {_MOST_JSON:,} bytes")
        found = json.loads(path.read_bytes(), parse_constant=_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(sentence("JSON", str(error), str(path))) from error
    if not isinstance(found, dict):
        raise InputError(sentence("an object of JSON", type(found).__name__, str(path)))
    return found


def _constant(name: str) -> float:
    """Infinity is a bound of some models' configurations; what is no number is none of any."""
    if name == "NaN":
        raise ValueError("a member that is NaN")
    return float(name)


def check_config(path: Path, remedy: str) -> dict[str, Any]:
    """A model's configuration, if it asks for nothing foreign and nothing huge.

    Args:
        path: Of `config.json`, or another such file.
        remedy: How to save a model as it should be.

    Raises:
        InputError: It does, or is no object of JSON.
    """
    config, at = read_json(path), str(path)
    for name, value in _members(config):
        foreign = name in _FOREIGN and value is not None
        foreign = foreign or (name == "__float__" and value == "NaN")
        if foreign or (_CHOICES.fullmatch(name) and value not in _KNOWN):
            raise InputError(sentence("a plain model in float", f"a member {name}", at, remedy))
        _check_bound(name, value, at)
    return config


def _check_bound(name: str, value: object, at: str) -> None:
    most = _BOUNDS.get(name)
    if most is None or (value is None and name in _MAY_BE_NULL):
        return
    numbers = value if isinstance(value, list) and value else [value]  # one for each layer
    for number in numbers:
        if not isinstance(number, int) or not 0 < number <= most:
            raise InputError(sentence(f"{name} from 1 to {most:,}", repr(number), at))


def _members(config: object) -> Iterator[tuple[str, Any]]:
    """All members, also of objects inside."""
    # a stack, for JSON nests deeper than Python calls itself
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield from value.items()
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def open_tokenizer(path: Path) -> Tokenizer:
    """Open a `tokenizer.json`; what a text spells out is text to it, never a special piece.

    Raises:
        InputError: It is none.
    """
    # one process a core is how transferset is parallel
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        if path.stat().st_size > _MOST_JSON:
            raise ValueError(f"more than {_MOST_JSON:,} bytes")
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # `tokenizers` raises nothing more exact
        raise InputError(sentence("a tokenizer.json", str(error), str(path))) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def tokenizer_size(tokenizer: Tokenizer) -> int:
    """All ids of a tokenizer are below it."""
    return max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1
