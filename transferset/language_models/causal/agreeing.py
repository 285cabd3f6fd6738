"""How a model can be shown pieces one by one: tried when it is opened.

What is said of random pieces one by one must be what the model says when it reads them whole, at
all lengths; and on the processor in float32 the same bits in any place, beside any other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from transferset import rng
from transferset.errors import InputError, sentence
from transferset.language_models.causal import attention
from transferset.language_models.causal.forward import Forward
from transferset.language_models.causal.gpt2 import Gpt2, is_gpt2
from transferset.language_models.causal.packing import Packed
from transferset.language_models.scoring import one_thread
from transferset.training.room import is_out_of_memory

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Ways that transformers knows; the places' own positions are then told by a mask.
_MASKED: Final = ("sdpa", "eager")

#: Scores may differ by so much of the highest: by rounding alone.
_TOLERANCE: Final = {"torch.float32": 1e-4, "torch.float64": 1e-4}
_ROUGH: Final = 5e-2  # 16 bits

#: What a model may raise that cannot be shown pieces in this way.
_UNFIT: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)


class _Whole(NamedTuple):
    """What a model says of a row that it reads whole.

    Attributes:
        ids: int64[positions].
        scores: float32[positions, vocabulary].
        layers: float[heads, positions, size], keys and values of each layer.
    """

    ids: Tensor
    scores: Tensor
    layers: list[tuple[Tensor, Tensor]]


def open_forward(model: PreTrainedModel, start: int, places: int, longest: int) -> Forward:
    """Find out how a model can be shown pieces one by one.

    Args:
        model: A causal language model of transformers.
        start: Id of the piece at position 0 of all rows.
        places: Most rows in flight. On the processor in float32 it is fewer where the numbers of a
            row would otherwise depend on its place.
        longest: Positions of the longest row, from 2.

    Returns:
        It, with the start in all places.

    Raises:
        InputError: The model says something else of pieces that are shown one by one.
    """
    model.eval()
    exact = model.device.type == "cpu" and model.dtype == torch.float32
    whole = _read(model, start, longest)
    for made in _exact_ways(model, places, longest) if exact else _ways(model, places, longest):
        if _agrees(made, whole):
            while exact and not _is_steady(made, whole):
                made = made.of(made.places // 2)
            return made
    do = "use one that attends to nothing but the pieces before"
    raise InputError(sentence("a model that can be shown pieces one by one", "another", do=do))


def _exact_ways(model: PreTrainedModel, places: int, longest: int) -> Iterator[Forward]:
    """On the processor, the quickest first."""
    attention.register()
    packed = Packed(model, places)
    if is_gpt2(model):
        yield Gpt2(model, places, longest, attention.NAME, packed)
    for way in (attention.NAME, *_MASKED):
        yield Forward(model, places, longest, way, packed)


def _ways(model: PreTrainedModel, places: int, longest: int) -> Iterator[Forward]:
    for way in _MASKED:
        yield Forward(model, places, longest, way)


def _read(model: PreTrainedModel, start: int, longest: int) -> _Whole:
    """Show a model a row of random pieces, whole."""
    size = model.get_input_embeddings().weight.shape[0]
    zeros = np.zeros(longest, np.uint32)
    words, *_ = rng.philox((np.arange(longest, dtype=np.uint32), zeros, zeros, zeros), (0, 0))
    ids = torch.from_numpy(words.astype(np.int64) % size)
    ids[0] = start
    ids, cache = ids.to(model.device), DynamicCache()
    with torch.inference_mode(), one_thread():
        try:
            shown = {"input_ids": ids[None], "attention_mask": torch.ones_like(ids[None])}
            scores = model(**shown, use_cache=False).logits[0].float()
            model(**shown, past_key_values=cache, use_cache=True)
            layers = [(layer.keys[0], layer.values[0]) for layer in cache.layers]
        except _UNFIT as error:
            if is_out_of_memory(error):
                raise
            raise InputError(sentence("a causal language model", str(error))) from error
    if not torch.isfinite(scores).all():
        raise InputError(sentence("finite scores of the model", "others"))
    return _Whole(ids, scores, layers)


def _agrees(made: Forward, whole: _Whole) -> bool:
    """Whether rows of all lengths have the scores that they have when they are read whole."""
    at = torch.linspace(1, made.longest - 1, made.places).long().to(whole.ids.device)
    try:
        with one_thread():
            first = made.begin(int(whole.ids[0]))
            made.fill(whole.layers)
            found = made.show(whole.ids[at], at)
    except _UNFIT as error:
        if is_out_of_memory(error):
            raise
        return False
    found, wanted = torch.cat([first, found]), torch.cat([whole.scores[:1], whole.scores[at]])
    tolerance = _TOLERANCE.get(str(made.dtype), _ROUGH)
    return float((found - wanted).abs().max()) <= tolerance * float(wanted.abs().max())


def _is_steady(made: Forward, whole: _Whole) -> bool:
    """Whether a row's scores are the same bits in any place, and beside any other rows."""
    if made.places == 1:
        return True
    middle = torch.full((made.places,), made.longest // 2)
    spread = torch.linspace(1, made.longest - 1, made.places).long()
    place = made.places // 3
    spread[place] = middle[0]
    with one_thread():
        made.begin(int(whole.ids[0]))
        made.fill(whole.layers)
        alike = made.show(whole.ids[middle], middle).clone()
        among = made.show(whole.ids[spread], spread)
    one = alike[0]
    return bool((alike == one).all()) and bool((among[place] == one).all())
