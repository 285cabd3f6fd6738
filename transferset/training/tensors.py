"""Tensors in files: safetensors, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.errors import InputError, sentence
from transferset.files import HashingFile
from transferset.manifest import FileEntry

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

#: Names of the types that safetensors has, by torch's.
_TYPES: Final[Mapping[str, str]] = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "bool": "BOOL",
}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> FileEntry:
    """Write a safetensors file, digested on the way: the library would hold it in memory twice.

    The format: length of the header as uint64, header in JSON padded to 8 bytes, then the values.

    Args:
        path: Its final name.
        tensors: By name, on any device.

    Returns:
        Name, size and digest of the file.
    """
    header: dict[str, object] = {}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.numel() * tensor.element_size()
        kind = _TYPES[str(tensor.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with HashingFile(path) as sink:
        sink.write(len(raw).to_bytes(8, "little") + raw)
        for tensor in tensors.values():
            sink.write(_bytes(tensor))
        return FileEntry(path.name, sink.size, sink.commit())


def _bytes(tensor: Tensor) -> memoryview:
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, on the processor."""
    from safetensors.torch import load_file

    found: dict[str, Tensor] = load_file(path)
    return found


def weights(model: Module) -> dict[str, Tensor]:
    """The weights of a model by name; one that has several names has the first."""
    found: dict[str, Tensor] = {}
    seen = set()
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen or not tensor.numel():
            seen.add(tensor.data_ptr())
            found[name] = tensor
    return found


def changing(model: Module) -> dict[str, Tensor]:
    """The weights of a model that a training may change: all but frozen parameters."""
    frozen = {name for name, one in model.named_parameters() if not one.requires_grad}
    return {name: one for name, one in weights(model).items() if name not in frozen}


def restore_weights(model: Module, stored: Mapping[str, Tensor]) -> None:
    """Set the weights of a model to what `weights` gave, in place.

    Raises:
        InputError: They are of another model.
    """
    _restore(weights(model), stored)


def restore_changing(model: Module, stored: Mapping[str, Tensor]) -> None:
    """Set them to what `changing` gave; see `restore_weights`."""
    _restore(changing(model), stored)


def _restore(own: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> None:
    shapes = {name: tuple(one.shape) for name, one in own.items()}
    if shapes != {name: tuple(one.shape) for name, one in stored.items()}:
        raise InputError(sentence("weights of the model in the checkpoint", "others"))
    for name, tensor in own.items():
        tensor.copy_(stored[name])
