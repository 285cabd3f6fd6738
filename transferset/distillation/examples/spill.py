"""Ids that are made anew from the texts of a set, in files that are mapped.

Files are named by all that determines them, and count when their receipt is there: a run that was
killed finds those that were finished, and makes the others again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.distillation.examples.mapped import FlatIds
from transferset.distillation.examples.reading import Reading, how_read
from transferset.errors import InputError, sentence
from transferset.files import HashingFile, digest_file, write_atomic, writing
from transferset.manifest import Json, canonical, digest_json
from transferset.reading import read_rows
from transferset.schema import ids_type
from transferset.shards import ShardSet
from transferset.students.word_vocabulary import WordVocabulary
from transferset.tokens import WordPiece, load_tokenizer
from transferset.tokens.spelling import WordSpelling
from transferset.transforms.framing import Side, frame_rows
from transferset.version import __version__

Ids = tuple[npt.NDArray[Any], npt.NDArray[Any]]
Encode = Callable[[pa.RecordBatch], Ids]

_PARTS: Final = ("ids", "lengths")


def spilled(found: ShardSet, reading: Reading, folder: Path) -> FlatIds:
    """Ids of all rows of a set, uncut.

    Args:
        found: An open set with texts; its digests are checked while it is read.
        reading: By which they are made.
        folder: Where files are kept; made if needed.

    Raises:
        InputError: The tokenizer is not the model's.
        SetError: The set is damaged.
    """
    recipe = _recipe(found, reading)
    paths = {part: folder / f"{digest_json(recipe)[:32]}.{part}" for part in _PARTS}
    if not _is_there(paths, recipe):
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _write(found, reading, paths, recipe)
    bounds = np.append(0, np.cumsum(np.fromfile(paths["lengths"], np.int32), dtype=np.int64))
    kind = _type(reading)
    ids = np.memmap(paths["ids"], kind, "r") if bounds[-1] else np.empty(0, kind)
    return FlatIds(ids, bounds)


def _recipe(found: ShardSet, reading: Reading) -> Json:
    return {
        "set": found.manifest.digest,
        "how": how_read(found, reading),
        "column": reading.column,
        "vocabulary": reading.vocabulary.sha256,
        "version": __version__,
    }


def _receipt(paths: dict[str, Path]) -> Path:
    return paths["ids"].with_suffix(".json")


def _is_there(paths: dict[str, Path], recipe: Json) -> bool:
    try:
        kept = json.loads(_receipt(paths).read_bytes())
        return bool(kept["recipe"] == recipe) and all(
            digest_file(path) == kept["blake3"][part] for part, path in paths.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(found: ShardSet, reading: Reading, paths: dict[str, Path], recipe: Json) -> None:
    kind, encode = _type(reading), encoder(found, reading)
    with HashingFile(paths["ids"]) as ids, HashingFile(paths["lengths"]) as lengths:
        for _, batch in read_rows(found, 0, len(found)):
            values, offsets = encode(batch)
            ids.write(np.ascontiguousarray(values, kind).data)
            lengths.write(np.diff(offsets).astype(np.int32).data)
        digests = {"ids": ids.commit(), "lengths": lengths.commit()}
    write_atomic(_receipt(paths), canonical({"recipe": recipe, "blake3": digests}))


def encoder(found: ShardSet, reading: Reading) -> Encode:
    """What makes ids anew of the batches of a set.

    Args:
        found: The set; `how_read` says that its own ids are not read.
        reading: How the model reads.

    Returns:
        From a batch with all columns to ids [n] and offsets [rows + 1] of its rows, uncut.

    Raises:
        InputError: The tokenizer is not the model's.
    """
    if reading.words is not None:
        return _of_words(reading.words, reading.column)
    return _of_pieces(found, reading)


def _type(reading: Reading) -> Any:
    return ids_type(reading.vocabulary.size).to_pandas_dtype()


def _of_words(words: WordVocabulary, column: str) -> Encode:
    def encode(batch: pa.RecordBatch) -> Ids:
        texts, *pairs = _sides(batch, column)
        return words.encode(texts, *pairs)

    return encode


def _of_pieces(found: ShardSet, reading: Reading) -> Encode:
    tokenizer = load_tokenizer(str(reading.tokenizer))
    if tokenizer.info.sha256 != reading.vocabulary.sha256:
        expected = f"the tokenizer {reading.vocabulary.sha256[:12]}… of the model"
        told = f"{tokenizer.info.sha256[:12]}…"
        raise InputError(sentence(expected, told, str(reading.tokenizer)))
    return _Spelled(found, tokenizer, reading.column)


def _sides(batch: pa.RecordBatch, column: str) -> list[pa.Array]:
    """The texts of a batch, and the second ones of pairs."""
    second = f"{column}_pair"
    found = [batch.column(column)]  # a batch without is a mistake of whoever chose its columns
    return [*found, batch.column(second)] if second in batch.schema.names else found


class _Spelled:
    """Texts as rows of a tokenizer's pieces.

    Rows that a step masked have the mask in their ids and its piece in their texts; there it is the
    model's mask again, and in all others text like any other.
    """

    def __init__(self, found: ShardSet, tokenizer: WordPiece, column: str) -> None:
        self._info, self._spelling = tokenizer.info, WordSpelling(tokenizer)
        self._found, self._column = found, column
        self._own: WordPiece | None = None

    def __call__(self, batch: pa.RecordBatch) -> Ids:
        masked = self._masked(batch)
        info = self._info
        sides = [self._side(texts, masked) for texts in _sides(batch, self._column)]
        ids, offsets, _ = frame_rows(sides, info.cls_id, info.sep_id, None, np.uint32)
        return ids, offsets

    def _masked(self, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        own = self._found.manifest.tokenizer
        if own is None or "input_ids" not in batch.schema.names:
            return np.zeros(batch.num_rows, np.bool_)
        column = batch.column("input_ids")
        is_mask = pc.equal(column.values, own["special_ids"]["mask"]).to_numpy(zero_copy_only=False)
        before = np.append(0, np.cumsum(is_mask))[column.offsets.to_numpy()]
        masked: npt.NDArray[np.bool_] = np.diff(before) > 0
        return masked

    def _side(self, texts: pa.StringArray, masked: npt.NDArray[np.bool_]) -> Side:
        if not masked.any():
            return self._spelling.spell(texts.to_pylist())
        piece, own = self._spelling.mask, self._mask_of_set()
        wanted = pc.replace_substring(texts, pattern=own, replacement=piece)
        parts = (
            self._spelling.spell(texts.filter(pa.array(~masked)).to_pylist()),
            self._spelling.spell_masked(wanted.filter(pa.array(masked)).to_pylist()),
        )
        return _merged(parts, masked)

    def _mask_of_set(self) -> str:
        if self._own is None:
            self._own = load_tokenizer(str(self._found.root))
        return str(self._own.vocabulary[self._own.info.mask_id])


def _merged(parts: tuple[Side, Side], second: npt.NDArray[np.bool_]) -> Side:
    """Rows of two lots in one order; `second` says which lot each is from."""
    ids = np.concatenate([part[0] for part in parts])
    starts, lengths = np.empty(len(second), np.int64), np.empty(len(second), np.int64)
    shift = 0
    for (values, offsets), here in zip(parts, (~second, second), strict=True):
        starts[here], lengths[here] = offsets[:-1] + shift, np.diff(offsets)
        shift += len(values)
    bounds = np.append(0, np.cumsum(lengths))
    place = np.repeat(starts - bounds[:-1], lengths) + np.arange(bounds[-1])
    return ids[place], bounds


def batches_of(found: ShardSet, column: str) -> Iterator[pa.Array]:
    """A column and that of second texts, batch by batch, digests checked."""
    names = [name for name in (column, f"{column}_pair") if name in found.manifest.schema]
    for _, batch in read_rows(found, 0, len(found), names):
        yield from batch.columns
