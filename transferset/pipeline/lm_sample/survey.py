"""What `lm sample` must know of the set's rows: their first pieces, and digests of their ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.files import HashingFile
from transferset.manifest import Json
from transferset.pipeline import leaks
from transferset.pipeline.lm_sample.attempts import pieces_of
from transferset.pipeline.order import spill_path
from transferset.reading import read_rows
from transferset.shards import ShardSet
from transferset.stage import Done, Output
from transferset.transforms.buffers import flat

SURVEY: Final = "survey"

_DIGESTS: Final = pa.schema([("high", pa.uint64()), ("low", pa.uint64())])


@dataclass(frozen=True, slots=True)
class SurveyContext:
    """What all tasks share.

    Attributes:
        src: The set.
        digest: Of its manifest.
        model: Directory of the language model whose first pieces are counted; None: they are not.
        identity: Of the model.
        pair: Rows are pairs.
    """

    src: Path
    digest: str
    model: str | None
    identity: str
    pair: bool


def survey_rows(root: Path, context: SurveyContext, task: Json) -> Done:
    """Look at rows `start` to `stop` of the set.

    Args:
        root: The new set's directory.
        context: Shared configuration.
        task: `ordinal`, `start`, `stop`.

    Returns:
        The rows' digests as output; `first`, pairs of a first piece and its count, as result.
    """
    src = open_same(context.src, context.digest)
    names = ["input_ids", "text", *(["text_pair"] if context.pair else [])]
    path = spill_path(root, SURVEY, task["ordinal"])
    counts: dict[int, int] = {}
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, _DIGESTS) as writer:
            for _, batch in read_rows(src, task["start"], task["stop"], names):
                found = leaks.digest(*flat(batch))
                columns = [pa.array(found[:, i].copy()) for i in range(2)]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=_DIGESTS))
                if context.model is not None:
                    for piece, count in _first(batch, context.model, context.identity):
                        counts[piece] = counts.get(piece, 0) + count
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    return Done([output], {"rows": 0, "first": sorted(counts.items())})


def _first(batch: pa.RecordBatch, model: str, identity: str) -> list[tuple[int, int]]:
    """First pieces of a batch's texts with their counts."""
    ids, offsets = pieces_of(model, identity).encode(batch.column("text").to_pylist())
    begins = offsets[:-1][np.diff(offsets) > 0]
    pieces, counts = np.unique(ids[begins], return_counts=True)
    return list(zip(pieces.tolist(), counts.tolist(), strict=True))


def open_same(root: Path, digest: str) -> ShardSet:
    """The set that was planned for.

    Raises:
        SetError: There is another one by now.
    """
    found = ShardSet.open(root)
    if found.manifest.digest != digest:
        do = "run the command again"
        raise SetError(sentence("the set as it was at the start", "another one", str(root), do))
    return found


def texts_of(batch: pa.RecordBatch) -> tuple[list[Any], list[Any] | None]:
    """The texts of a batch, and those of the second side of pairs."""
    pairs = batch.column("text_pair").to_pylist() if "text_pair" in batch.schema.names else None
    return batch.column("text").to_pylist(), pairs
