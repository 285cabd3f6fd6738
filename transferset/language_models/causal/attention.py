"""Attention of one piece of each row over the row's own pieces before it, and over no others.

`transformers` lets a function be named that computes a model's attention. This one goes through
rows and heads one by one, over exactly as many positions as the row has: it costs as much as there
is to look at, and a row's numbers are the same whatever rows are beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numba import njit

from transferset.compiled import kernel
from transferset.language_models.causal.weighing import weigh

if TYPE_CHECKING:
    from torch import Tensor

#: The name by which transformers knows it.
NAME: Final = "transferset_rows"

#: What models hand over and plain attention need not know.
_HARMLESS: Final = (
    "cache_position",
    "is_causal",
    "output_attentions",
    "output_hidden_states",
    "position_embeddings",
    "position_ids",
    "return_dict",
    "use_cache",
)


def register() -> None:
    """Make it known to transformers."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention as a function of transformers (Vaswani et al. 2017, § 3.2.1).

    Several heads of the query may share one of the key (Ainslie et al. 2023, "GQA").

    Args:
        module: The model's attention; not looked at.
        query: float32[places, heads, 1, size].
        key: float32[places, key heads, positions, size], as `RowCache` gives it.
        value: float32[places, key heads, positions, value size].
        attention_mask: int64[places, 1, 1, 1], how many positions each place looks at: what models
            pass on as a mask.
        dropout: 0.
        scaling: Of the products, 1/√size if None.
        **others: What else a model hands over.

    Returns:
        float32[places, 1, heads, value size], and None for the weights.

    Raises:
        NotImplementedError: The model wants attention to be something else.
    """
    strange = [name for name in others if name not in _HARMLESS and others[name] is not None]
    if strange or dropout or attention_mask.dtype != torch.int64:
        raise NotImplementedError(", ".join(strange))
    places, count, _, size = query.shape
    found = value.new_empty((places, 1, count, value.shape[3]))
    scale = np.float32(size**-0.5 if scaling is None else scaling)
    heads, lengths = query[:, :, 0].contiguous().numpy(), attention_mask.view(-1).numpy()
    _attend(heads, key.numpy(), value.numpy(), lengths, found[:, 0].numpy(), scale)
    return found, None


# Products are summed in vector registers, in an order that the compiler chooses: it depends on
# nothing but the size of a key, so it is the same for all rows.
@njit(fastmath={"reassoc", "contract"}, nogil=True)
def _score(query: Any, keys: Any, scale: Any, scores: Any) -> None:
    """Products of a query with the keys of positions."""
    for j in range(len(scores)):
        product = np.float32(0)
        for i in range(len(query)):
            product += query[i] * keys[j, i]
        scores[j] = product * scale


@kernel
def _mix(weights: Any, values: Any, found: Any) -> None:
    """The mean of values under weights."""
    found[:] = 0
    for j in range(len(weights)):
        weight = weights[j]
        for i in range(len(found)):
            found[i] += weight * values[j, i]
    share = np.divide(np.float32(1), weights.sum())
    for i in range(len(found)):
        found[i] *= share


@kernel
def _attend(query: Any, keys: Any, values: Any, lengths: Any, found: Any, scale: Any) -> None:
    scores, weights = np.empty((2, keys.shape[2]), np.float32)
    shared = query.shape[1] // keys.shape[1]
    for place in range(len(lengths)):
        length = lengths[place]
        some, theirs = scores[:length], weights[:length]
        for head in range(query.shape[1]):
            of = head // shared
            _score(query[place, head], keys[place, of], scale, some)
            weigh(some, some.max(), theirs)
            _mix(theirs, values[place, of], found[place, head])
