"""A model shown one piece of each row in flight, with the pieces before it in a cache.

How attention is computed is found out when it is opened: what is said of random pieces one by one
must be what the model says of them when it reads them whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from transferset import rng
from transferset.errors import InputError, sentence
from transferset.language_models.causal import attention
from transferset.language_models.causal.cache import RowCache
from transferset.language_models.causal.packing import Packed
from transferset.language_models.scoring import one_thread

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


class Forward:
    """Runs a model on one piece in each place.

    Attributes:
        places: How many rows are in flight.
        longest: Positions of the longest row.
        way: How attention is computed: `attention.NAME`, "sdpa" or "eager".
        positions: int64[places], where the pieces stand that are shown next; to be moved on.
        dtype: Of the weights.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        places: int,
        longest: int,
        way: str,
        packed: Packed | None = None,
    ) -> None:
        """Make buffers for so many rows of so many positions; `packed` has the model's weights."""
        self._model = model
        config = model.config.get_text_config()
        self._window = getattr(config, "sliding_window", None)
        self._mixed = "sliding_attention" in (getattr(config, "layer_types", None) or ())
        self.places, self.longest, self.way, self._packed = places, longest, way, packed
        self.dtype = model.dtype
        compiled = way == attention.NAME
        self._cache = RowCache(places, longest, model.device, compiled=compiled)
        self.positions = self._cache.positions
        self._columns = torch.arange(self._cache.room, device=model.device)
        accepted = inspect.signature(model.forward).parameters.values()
        self._told = any(
            one.name == "position_ids" or one.kind is one.VAR_KEYWORD for one in accepted
        )

    def __call__(self, ids: Tensor) -> Tensor:
        """Show each place a piece at its position.

        Args:
            ids: int64[places].

        Returns:
            float32[places, vocabulary], scores of the piece that comes next.
        """
        told = {"position_ids": self.positions[:, None]} if self._told else {}
        packed = self._packed.used() if self._packed else nullcontext()
        with torch.inference_mode(), attending(self._model, self.way), packed:
            found = self._model(
                input_ids=ids[:, None],
                attention_mask=self._mask(),
                past_key_values=self._cache,
                use_cache=True,
                return_dict=True,
                **told,
            )
        logits: Tensor = found.logits[:, -1]
        return logits.float()

    def another(self) -> Forward:
        """As many places more, which share what they can."""
        return Forward(self._model, self.places, self.longest, self.way, self._packed)

    def show(self, ids: Tensor, positions: Tensor) -> Tensor:
        """The same at positions that are given."""
        self.positions[:] = positions
        return self(ids)

    def begin(self, start: int) -> Tensor:
        """Write the start in all places.

        Returns:
            float32[1, vocabulary], scores of the first piece of a row.
        """
        ids = torch.full_like(self.positions, start)
        return self.show(ids, torch.zeros_like(ids))[:1]

    def fill(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """See `RowCache.fill`."""
        with torch.inference_mode():
            self._cache.fill(layers)

    def _mask(self) -> Tensor | dict[str, Tensor]:
        if self.way == attention.NAME:
            return (self.positions + 1).view(-1, 1, 1, 1)
        back = self.positions[:, None] - self._columns  # how far behind each position lies
        if self._window is None:
            return self._as_mask(back >= 0)
        near = self._as_mask((back >= 0) & (back < self._window))
        if not self._mixed:
            return near
        return {"full_attention": self._as_mask(back >= 0), "sliding_attention": near}

    def _as_mask(self, seen: Tensor) -> Tensor:
        mask = torch.zeros(seen.shape, dtype=self._model.dtype, device=seen.device)
        return mask.masked_fill_(~seen, torch.finfo(mask.dtype).min)[:, None, None]


@contextmanager
def attending(model: PreTrainedModel, way: str) -> Iterator[None]:
    """With attention computed in a way; what the model had before comes back."""
    before = model.config._attn_implementation
    model.config._attn_implementation = way
    try:
        yield
    finally:
        model.config._attn_implementation = before


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
    if exact:
        attention.register()
    whole = _read(model, start, longest)
    for way in (attention.NAME, *_MASKED) if exact else _MASKED:
        made = _make(model, places, longest, way, exact)
        if _agrees(made, whole):
            while exact and not _is_steady(made, whole):
                made = _make(model, made.places // 2, longest, way, exact)
            return made
    do = "use one that attends to nothing but the pieces before"
    raise InputError(sentence("a model that can be shown pieces one by one", "another", do=do))


def _make(model: PreTrainedModel, places: int, longest: int, way: str, exact: bool) -> Forward:
    return Forward(model, places, longest, way, Packed(model, places) if exact else None)


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
            scores = model(input_ids=ids[None], use_cache=False).logits[0].float()
            model(input_ids=ids[None], past_key_values=cache, use_cache=True)
            layers = [(layer.keys[0], layer.values[0]) for layer in cache.layers]
        except _UNFIT as error:
            raise InputError(sentence("a causal language model", str(error))) from error
    return _Whole(ids, scores, layers)


def _agrees(made: Forward, whole: _Whole) -> bool:
    """Whether rows of all lengths have the scores that they have when they are read whole."""
    at = torch.linspace(1, made.longest - 1, made.places).long().to(whole.ids.device)
    try:
        with one_thread():
            first = made.begin(int(whole.ids[0]))
            made.fill(whole.layers)
            found = made.show(whole.ids[at], at)
    except _UNFIT:
        return False
    found, wanted = torch.cat([first, found]), torch.cat([whole.scores[:1], whole.scores[at]])
    tolerance = _TOLERANCE.get(str(made.dtype), _ROUGH)
    return bool((found - wanted).abs().max() <= tolerance * wanted.abs().max())


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
    return torch.equal(alike, alike[:1].expand_as(alike)) and torch.equal(among[place], alike[0])
