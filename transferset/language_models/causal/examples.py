"""Examples for a causal language model: the texts of a set as pieces, in files that are mapped.

What is stored of an example is what the model is to predict: the pieces of the text and the end
piece. A text that is cut has no end to predict, else the model would learn to stop there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.manifest import Json
from transferset.reading import read_rows
from transferset.schema import UINT16_VOCABULARY
from transferset.shards import ShardSet
from transferset.stage import Done, Output

if TYPE_CHECKING:
    from transferset.language_models.causal.pieces import CausalPieces

#: The stage that writes examples, a folder under `_run/`.
STAGE: Final = "pieces"

#: By which `tokenizers` is told whether to use threads.
_PARALLEL: Final = "TOKENIZERS_PARALLELISM"

#: What is not predicted.
IGNORED: Final = -100

#: White space, also what only Unicode calls so.
_WHITE: Final = r"[\s\v\x{1c}-\x{1f}\x{85}\p{Z}]+"

_Ids = npt.NDArray[Any]
_Batch = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class Examples:
    """Examples by number.

    Attributes:
        lengths: int32[rows], predicted pieces of each.
        words: int32[rows], words and ends of each text; 0 of a text that was cut.
        total: Predicted pieces of all.
    """

    def __init__(
        self, ids: _Ids, offsets: npt.NDArray[np.int64], words: npt.NDArray[np.int32], start: int
    ) -> None:
        """Take arrays, which may be mapped.

        Args:
            ids: What is predicted, one example after the other.
            offsets: int64[rows + 1].
            words: See above.
            start: The piece before each example.
        """
        self._ids, self._offsets, self._start = ids, offsets, start
        self.words = words
        self.lengths = np.diff(offsets).astype(np.int32)
        self.total = int(offsets[-1])

    def __len__(self) -> int:
        """Examples."""
        return len(self.lengths)

    def batch(self, rows: npt.NDArray[np.int64]) -> _Batch:
        """What the model is given, and what it is to predict.

        Args:
            rows: Numbers of examples, at least one.

        Returns:
            int64[rows, longest] twice: the pieces from start on, and those that follow each; after
            the last the start piece, and `IGNORED`.
        """
        lengths = self.lengths[rows].astype(np.int64)
        column = np.arange(int(lengths.max()))
        here = column < lengths[:, None]
        targets = np.full(here.shape, IGNORED, np.int64)
        targets[here] = self._ids[(self._offsets[rows][:, None] + column)[here]]
        inputs = np.full(here.shape, self._start, np.int64)
        inputs[:, 1:] = np.where(here[:, 1:], targets[:, :-1], self._start)
        return inputs, targets


@dataclass(frozen=True, slots=True)
class EncodeContext:
    """What the stage needs beside a task.

    Attributes:
        pieces: Directory of the tokenizer.
        sets: Directories of sets by the name of their task.
    """

    pieces: Path
    sets: dict[str, Path]


def encode_set(root: Path, context: EncodeContext, task: Json) -> Done:
    """Write the examples of a set.

    Args:
        root: The model's directory.
        context: See there.
        task: `name`, digest of the `set`, digest of the `tokenizer`, `length`, `rows`.

    Returns:
        Files, and counts: `examples`, predicted `pieces`, `truncated` and `cut_pieces`, `empty`.
    """
    from transferset.language_models.causal.pieces import CausalPieces

    pieces = CausalPieces(context.pieces)
    (root / RUN / STAGE).mkdir(exist_ok=True)
    with all_cores(), _Writer(root, task["name"], pieces.size) as writer:
        for texts, pairs in read_texts(ShardSet.open(context.sets[task["name"]])):
            writer.add(encode(pieces, texts, pairs, task["length"]))
        outputs = writer.commit()
    return Done(outputs, writer.counts)


@contextmanager
def all_cores() -> Iterator[None]:
    """Let `tokenizers` use all cores: there is one process."""
    before = os.environ.get(_PARALLEL)
    os.environ[_PARALLEL] = "true"
    try:
        yield
    finally:
        os.environ.pop(_PARALLEL)
        if before is not None:
            os.environ[_PARALLEL] = before


def read_texts(found: ShardSet) -> Iterator[tuple[pa.StringArray, pa.StringArray | None]]:
    """Texts of a set, and the second texts of pairs or None, batch by batch; digests are checked.

    Runs of white space become a space, and none is left around.
    """
    names = [name for name in ("text", "text_pair") if name in found.manifest.schema]
    for _, batch in read_rows(found, 0, len(found), names):
        texts = [
            pc.utf8_trim_whitespace(pc.replace_substring_regex(column, _WHITE, " "))
            for column in batch.columns
        ]
        yield texts[0], texts[1] if len(texts) > 1 else None


@dataclass(frozen=True, slots=True)
class Encoded:
    """Examples of a batch of texts, and what became of the others."""

    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]
    words: npt.NDArray[np.int32]
    truncated: int
    cut_pieces: int
    empty: int


def encode(
    pieces: CausalPieces, texts: pa.StringArray, pairs: pa.StringArray | None, length: int
) -> Encoded:
    """Examples of texts.

    Args:
        pieces: The tokenizer.
        texts: White space made one; a row without text, or without one of a pair, is left out.
        pairs: Second texts.
        length: Most pieces of a text, without start and end.
    """
    here = pc.not_equal(texts, "")
    if pairs is not None:
        here = pc.and_(here, pc.not_equal(pairs, ""))
        pairs = pairs.filter(here)
    rows = len(texts)
    texts = texts.filter(here)
    words = _words(texts) if pairs is None else _words(texts) + _words(pairs)
    second = None if pairs is None else pairs.to_pylist()
    ids, offsets = pieces.encode(texts.to_pylist(), second)
    found = np.diff(offsets)
    whole = found <= length
    kept = np.minimum(found, length) + whole
    bounds = np.append(0, np.cumsum(kept))
    place = np.arange(bounds[-1]) + np.repeat(offsets[:-1] - bounds[:-1], kept)
    # past the text is the first piece of the next one, or nothing: there stands the end
    taken = np.append(ids, np.int32(0))[place]
    taken[bounds[1:][whole] - 1] = pieces.end
    return Encoded(
        taken,
        kept,
        np.where(whole, words, 0).astype(np.int32),
        int((~whole).sum()),
        int((found - kept)[~whole].sum()),
        rows - len(texts),
    )


def _words(texts: pa.StringArray) -> npt.NDArray[np.int32]:
    """Words of texts and their ends, which are predicted too."""
    spaces = pc.count_substring(texts, " ").to_numpy(zero_copy_only=False)
    return np.asarray(spaces, np.int32) + np.int32(2)


def gather(found: list[Encoded], start: int) -> Examples:
    """Examples in memory."""
    ids = np.concatenate([one.ids for one in found])
    lengths = np.concatenate([one.lengths for one in found])
    words = np.concatenate([one.words for one in found])
    return Examples(ids, np.append(0, np.cumsum(lengths)), words, start)


def open_examples(root: Path, name: str, pieces: CausalPieces) -> Examples:
    """The examples that `encode_set` wrote."""
    ids, lengths, words = (root / file for file in _files(name))
    sizes = np.fromfile(lengths, np.int32)
    kind = ids_type(pieces.size)
    mapped: _Ids = np.memmap(ids, kind, "r") if len(sizes) else np.zeros(0, kind)
    bounds = np.append(0, np.cumsum(sizes, dtype=np.int64))
    return Examples(mapped, bounds, np.fromfile(words, np.int32), pieces.start)


def ids_type(size: int) -> type[np.uint16] | type[np.int32]:
    """How a piece of a vocabulary of that size is stored."""
    return np.uint16 if size <= UINT16_VOCABULARY else np.int32


def _files(name: str) -> list[str]:
    return [f"{RUN}/{STAGE}/{name}.{part}" for part in ("ids", "lengths", "words")]


class _Writer:
    """Writes examples, batch by batch."""

    def __init__(self, root: Path, name: str, size: int) -> None:
        self._kind = ids_type(size)
        self._names = _files(name)
        self._sinks = [HashingFile(root / file) for file in self._names]
        self.counts = dict.fromkeys(("examples", "pieces", "truncated", "cut_pieces", "empty"), 0)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: Any) -> None:
        for sink in self._sinks:
            sink.__exit__(*error)

    def add(self, found: Encoded) -> None:
        """Append the examples of a batch."""
        arrays = (found.ids.astype(self._kind), found.lengths.astype(np.int32), found.words)
        for sink, array in zip(self._sinks, arrays, strict=True):
            if array.size:
                sink.write(np.ascontiguousarray(array).data)
        self.counts["examples"] += len(found.lengths)
        self.counts["pieces"] += len(found.ids)
        for name in ("truncated", "cut_pieces", "empty"):
            self.counts[name] += getattr(found, name)

    def commit(self) -> list[Output]:
        """Give the files their names."""
        sized = zip(self._names, self._sinks, strict=True)
        return [Output(name, sink.size, sink.commit()) for name, sink in sized]
