"""Students that begin with some of a teacher's layers."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import torch

from transferset.errors import InputError, sentence

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from transferset.students.student import Student

#: A weight of a layer, as BERT, RoBERTa, ELECTRA and DistilBERT name them.
_LAYER: Final = re.compile(r"((?:.*\.)?(?:encoder|transformer)\.layer\.)(\d+)(\..*)")

#: Not every teacher has one.
_POOLER: Final = "pooler."


def picked(state: Mapping[str, Tensor], layers: Sequence[int]) -> dict[str, Tensor]:
    """The weights of a model with some of its layers.

    Args:
        state: Of the whole model.
        layers: Which of its layers, in order.

    Raises:
        InputError: It has no such layers.
    """
    found: dict[str, Tensor] = {}
    places: dict[int, list[int]] = {}
    for new, old in enumerate(layers):
        places.setdefault(old, []).append(new)
    met = set()
    for name, tensor in state.items():
        match = _LAYER.fullmatch(name)
        if match is None:
            found[name] = tensor
            continue
        met.add(int(match[2]))
        for new in places.get(int(match[2]), []):
            found[f"{match[1]}{new}{match[3]}"] = tensor
    if not met.issuperset(layers):
        raise InputError(sentence(f"a teacher with layers {list(layers)}", f"{sorted(met)}"))
    return found


def smaller(teacher: PreTrainedModel, layers: Sequence[int]) -> PreTrainedModel:
    """A student like its teacher, with some of its layers, and all else as there.

    Args:
        teacher: Any encoder of transformers whose layers are named as BERT's; with its head.
        layers: Which of its layers, see `layers.pick_layers`.

    Returns:
        A model of the same class with weights of its own, ready for training.

    Raises:
        InputError: The teacher has no such layers.
    """
    state = picked(teacher.state_dict(), layers)
    config = copy.deepcopy(teacher.config)
    config.num_hidden_layers = len(layers)
    with torch.random.fork_rng(devices=[]):  # its random weights are overwritten
        student = type(teacher)(config)
    student.load_state_dict(state)
    return student.float().train().requires_grad_(True)


def copy_layers(student: Student, teacher: PreTrainedModel, layers: Sequence[int]) -> None:
    """Give a transformer of ours a teacher's embeddings and layers; heads stay as they are.

    Args:
        student: Of kind `transformer`, with embeddings of one trained table.
        teacher: A BERT, with or without a head.
        layers: One of the teacher's for each of the student's.

    Raises:
        InputError: The teacher is of other sizes.
    """
    bert: Any = getattr(student.encoder, "bert", None)
    if bert is None:
        raise InputError(sentence("a transformer for a teacher's layers", student.config.kind))
    given, own = picked(teacher.base_model.state_dict(), layers), bert.state_dict()
    for name, tensor in own.items():
        if name not in given and name.startswith(_POOLER):
            continue
        found = tuple(given[name].shape) if name in given else "none"
        if found != tuple(tensor.shape):
            expected = f"a teacher with {name} of shape {tuple(tensor.shape)}"
            raise InputError(sentence(expected, str(found)))
    bert.load_state_dict({name: given.get(name, tensor) for name, tensor in own.items()})
