"""How often each word occurs with each tag: what `augment` draws replacements from.

It is published in the set as `_fit/augment.json` and read for other sets, so nothing in it is used
before it is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import SetError, UsageError, sentence
from transferset.files import write_atomic
from transferset.manifest import canonical
from transferset.shapes import Misshapen, check, text
from transferset.transforms.unigram import MOST_COUNTED

#: Its name among the files of a step's model.
FIT_FILE: Final = "fit-augment.json"

#: No fit is larger: that is about four million words.
MOST_BYTES: Final = 1 << 27

#: Counts of a survey: the tag's code, the word, how often it has the tag.
SURVEYED: Final = pa.schema([("tag", pa.uint8()), ("word", pa.string()), ("count", pa.int64())])

#: Counts of surveys are added up when there are so many.
_HELD: Final = 1 << 20

_CODES: Final = 256


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Counts by tag and word.

    Attributes:
        tags: Names of the tags by their codes.
        words: The different words, ascending by their UTF-8 bytes.
        tag: uint8[n], ascending: the tag of each count,
        word: int64[n], ascending for each tag: the place of its word in `words`,
        count: int64[n], and how often the word has the tag, at least 1.
    """

    tags: tuple[str, ...]
    words: pa.StringArray
    tag: npt.NDArray[np.uint8]
    word: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]

    def of(self, tag: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Places in `words`, and counts, of a tag."""
        start, stop = np.searchsorted(self.tag, [tag, tag + 1])
        return self.word[start:stop], self.count[start:stop]

    def to_bytes(self) -> bytes:
        """Canonical JSON: `counts` has for each tag the pairs of a word's place and its count."""
        pairs = (np.column_stack(self.of(tag)).tolist() for tag in range(len(self.tags)))
        body = {"tags": list(self.tags), "words": self.words.to_pylist(), "counts": list(pairs)}
        return canonical(body) + b"\n"

    def write(self, folder: Path) -> None:
        """Write it into the folder of a step's model."""
        write_atomic(folder / FIT_FILE, self.to_bytes())


def count_words(words: pa.StringArray, tags: npt.NDArray[np.uint8]) -> pa.RecordBatch:
    """The counts of some words with their tags, as rows of a spill; see `SURVEYED`."""
    coded = words.dictionary_encode()
    pairs = coded.indices.to_numpy().astype(np.int64) * _CODES + tags
    found, counts = np.unique(pairs, return_counts=True)
    columns = [
        pa.array((found % _CODES).astype(np.uint8)),
        coded.dictionary.take(pa.array(found // _CODES)),
        pa.array(counts.astype(np.int64)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SURVEYED)


def merge_word_counts(batches: Iterable[pa.RecordBatch], tags: Sequence[str]) -> WordCounts:
    """The sum of what the surveys counted, whatever their ranges were.

    Args:
        batches: From `count_words`.
        tags: Names of the codes.
    """
    total, held, rows = SURVEYED.empty_table(), list[pa.RecordBatch](), 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= max(_HELD, total.num_rows):
            total, held, rows = _added(total, held), [], 0
    return _arranged(_added(total, held), tuple(tags))


def _added(total: pa.Table, more: Sequence[pa.RecordBatch]) -> pa.Table:
    table = pa.concat_tables([total, pa.Table.from_batches(more, SURVEYED)])
    summed = table.group_by(["tag", "word"]).aggregate([("count", "sum")])
    return summed.select(["tag", "word", "count_sum"]).rename_columns(SURVEYED.names)


def _arranged(table: pa.Table, tags: tuple[str, ...]) -> WordCounts:
    words = sorted_words([table["word"].combine_chunks()])
    place = pc.index_in(table["word"].combine_chunks(), words).to_numpy().astype(np.int64)
    tag, count = table["tag"].to_numpy(), table["count"].to_numpy()
    order = np.lexsort((place, tag))
    return WordCounts(tags, words, tag[order], place[order], count[order])


def sorted_words(arrays: Iterable[pa.StringArray]) -> pa.StringArray:
    """The different words of some arrays, ascending by their UTF-8 bytes."""
    found, held, size = pa.array([], pa.string()), list[pa.StringArray](), 0
    for array in arrays:
        held.append(array)
        size += len(array)
        if size >= max(_HELD, len(found)):
            found, held, size = pc.unique(pa.concat_arrays([found, *held])), [], 0
    found = pc.unique(pa.concat_arrays([found, *held]))
    return found.take(pc.sort_indices(found))


def read_word_counts(path: Path, tags: Sequence[str]) -> WordCounts:
    """Read counts, of this set or of another one, and check them.

    Args:
        path: Their file.
        tags: Names of the codes of the set that is varied.

    Returns:
        The counts; there may be none of a tag.

    Raises:
        SetError: They are no such counts.
        UsageError: Their tags are others.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Misshapen(f"at most {MOST_BYTES:,} bytes", f"{path.stat().st_size:,}", "the end")
        found = _checked(_parse(path.read_bytes()))
    except OSError as error:
        told = error.strerror or "an error"
        raise SetError(sentence("counts of words", told, str(path))) from None
    except Misshapen as error:
        where = f"{path}, {error.member}"
        raise SetError(sentence(error.expected, error.found, where)) from None
    if found.tags != tuple(tags):
        shown = [", ".join(names[:8]) for names in (tuple(tags), found.tags)]
        do = "fit on a set that the same tagger tagged"
        raise UsageError(sentence(f"counts by the tags {shown[0]}", shown[1], str(path), do))
    return found


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except RecursionError:
        raise Misshapen("JSON", "endless nesting", "byte 0") from None
    except ValueError as error:  # also of text that is not UTF-8, and of endless numbers
        raise Misshapen("JSON", str(error), "byte 0") from None


def _list(value: object) -> bool:
    """A list."""
    return isinstance(value, list)


def _checked(body: Any) -> WordCounts:
    check(body, {"tags": [text], "words": _list, "counts": [_list]})
    tags, words = tuple(body["tags"]), _words(body["words"])
    if len(tags) != len(body["counts"]) or len(tags) > _CODES:
        raise Misshapen("counts for each of up to 256 tags", f"{len(body['counts'])}", "counts")
    parts = [_pairs(part, len(words), f"counts[{i}]") for i, part in enumerate(body["counts"])]
    tag = np.repeat(np.arange(len(tags), dtype=np.uint8), [len(part) for part in parts])
    pairs = np.concatenate([np.empty((0, 2), np.int64), *parts])
    word, count = (np.ascontiguousarray(column) for column in pairs.T)
    return WordCounts(tags, words, tag, word, count)


def _words(words: list[Any]) -> pa.StringArray:
    if set(map(type, words)) - {str}:
        raise Misshapen("words", "something else", "words")
    try:
        found = pa.array(words, pa.string())
    except UnicodeEncodeError:  # lone surrogates are JSON, but no text
        raise Misshapen("words in UTF-8", "something else", "words") from None
    if pc.any(pc.match_substring_regex(found, r"^$|[\s[:cntrl:]]")).as_py():
        raise Misshapen("words without white space", "others", "words")
    if len(found) > 1 and not pc.all(pc.less(found[:-1], found[1:])).as_py():
        raise Misshapen("ascending words", "others", "words")
    return found


def _pairs(pairs: list[Any], words: int, member: str) -> npt.NDArray[np.int64]:
    """Pairs of a word's place and its count; by their types at once, for there are many."""
    if set(map(type, pairs)) - {list} or set(map(len, pairs)) - {2}:
        raise Misshapen("pairs of a word and its count", "something else", member)
    numbers = list(chain.from_iterable(pairs))
    whole = not set(map(type, numbers)) - {int}
    if not whole or min(numbers, default=0) < 0 or max(numbers, default=0) >= MOST_COUNTED:
        raise Misshapen("whole numbers from 0 to 2**62-1", "something else", member)
    found = np.array(numbers, np.int64).reshape(-1, 2)
    if sum(numbers[1::2]) >= MOST_COUNTED or not found[:, 1].all():
        raise Misshapen("counts from 1, below 2**62 together", "others", member)
    if len(found) and not ((np.diff(found[:, 0]) > 0).all() and found[-1, 0] < words):
        raise Misshapen(f"ascending places of {words:,} words", "others", member)
    return found
