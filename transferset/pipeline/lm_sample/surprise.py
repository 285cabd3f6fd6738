"""How likely rows are to the model before it was fitted: those of the set, and written ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import rng
from transferset.manifest import Json
from transferset.pipeline.lm_sample.attempts import arithmetic
from transferset.pipeline.lm_sample.survey import open_same, texts_of
from transferset.pipeline.lm_sample.verdicts import kept_path
from transferset.stage import Done
from transferset.storage.mounts import present

#: Rows of either kind that are read; enough for two digits.
ROWS: Final = 1_000

#: Rows that go through the model at once.
_BATCH: Final = 32

#: Nats a piece beyond which a perplexity is no number.
_MOST: Final = 700.0


@dataclass(frozen=True, slots=True)
class SurpriseContext:
    """What the task needs.

    Attributes:
        src: The set of the originals.
        digest: Of its manifest.
        base: Directory of the model before it was fitted.
        device: As torch names it, or None.
        key: Of the random choice.
        spills: Files of the attempts below the new set, in order.
        starts: The first attempt of each.
        length: Most pieces of a row that are read.
    """

    src: Path
    digest: str
    base: str
    device: str | None
    key: tuple[int, int]
    spills: tuple[str, ...]
    starts: tuple[int, ...]
    length: int


def measure(root: Path, context: SurpriseContext, task: Json) -> Done:
    """Perplexity per piece of natural and of written rows under a model.

    Args:
        root: The new set's directory.
        context: Shared configuration.
        task: What the rows are a function of.

    Returns:
        No outputs; `natural` and `written`, each with perplexity, rows and pieces, as result.
    """
    from transferset.language_models.causal import CausalPieces, load_causal

    pieces = CausalPieces(context.base)
    model = load_causal(context.base, context.device, dtype=arithmetic(context.device))
    found: Json = {"rows": 1}
    for name, (texts, pairs) in (
        ("natural", _natural(context)),
        ("written", _written(root, context)),
    ):
        found[name] = _perplexity(model, pieces, texts, pairs, context.length)
    return Done([], found)


def _perplexity(
    model: Any, pieces: Any, texts: Sequence[str], pairs: Sequence[str] | None, length: int
) -> Json:
    from transferset.language_models.causal.likelihood import perplexity
    from transferset.language_models.causal.sampler import stated_positions

    ids, offsets = pieces.encode(texts, pairs)
    length = min(length, stated_positions(model.config.get_text_config().to_dict()) - 1)
    rows = [ids[a:b][:length] for a, b in pairwise(offsets)]
    ends = np.append(0, np.cumsum([len(row) for row in rows])).astype(np.int64)
    flat = np.concatenate(rows) if rows else ids[:0]
    loss, count = perplexity(model, flat, ends, pieces.start, pieces.end, _BATCH)
    return {
        "perplexity": round(math.exp(min(loss / max(1, count), _MOST)), 2),
        "rows": len(rows),
        "pieces": int(count),
    }


def _chosen(places: npt.NDArray[np.int64], key: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Some of the places, by their own random numbers, ascending."""
    if len(places) <= ROWS:
        return places
    low, high = (places & 0xFFFFFFFF).astype(np.uint32), (places >> 32).astype(np.uint32)
    zero = np.zeros_like(low)
    words = rng.philox((low, high, zero, zero), key)
    order = np.argsort((words[0].astype(np.uint64) << np.uint64(32)) | words[1], kind="stable")
    return np.sort(places[order[:ROWS]])


def _natural(context: SurpriseContext) -> tuple[list[str], list[str] | None]:
    src = open_same(context.src, context.digest)
    table = src.rows(_chosen(np.arange(len(src)), context.key).tolist())
    return texts_of(table)


def _written(root: Path, context: SurpriseContext) -> tuple[list[str], list[str] | None]:
    with pa.memory_map(str(kept_path(root))) as source:
        kept = pa.ipc.open_file(source).get_batch(0).column(0).to_numpy(zero_copy_only=False)
    chosen = _chosen(np.flatnonzero(kept), context.key)
    tables = []
    ends = [*context.starts[1:], len(kept)]
    for spill, start, stop in zip(context.spills, context.starts, ends, strict=True):
        mine = chosen[(chosen >= start) & (chosen < stop)] - start
        if len(mine):
            with pa.memory_map(str(present(root / spill))) as source:
                tables.append(pa.ipc.open_file(source).read_all().take(pa.array(mine)))
    return texts_of(pa.concat_tables(tables))
