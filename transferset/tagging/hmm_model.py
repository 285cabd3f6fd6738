"""The lexicon tagger's model as files: counts that can be read, compared and checked.

    model.json     tags, what was counted, by whom it was tagged, digests of the others
    words.tsv      word, tab, `TAG count TAG count …`; every digit of a word is written 0
    trigrams.tsv   two states, tab, `STATE count STATE count …` of those that followed; a state is
                   a tag, with `^` behind it for a word with a capital first, or `<>` for the
                   boundary of a text

Counts only: probabilities are made from them when they are loaded.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3
from numpy.typing import NDArray
from pyarrow import csv

from transferset.errors import InputError, sentence

FORMAT: Final = 1
BOUNDARY: Final = "<>"
CAPITAL: Final = "^"

_ABOUT, _WORDS, _TRIGRAMS = "model.json", "words.tsv", "trigrams.tsv"
_KEY_AND_PAIRS: Final = ["key", "pairs"]
_MOST_TAGS: Final = 127  # a state is a byte, and a tag has two
Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a teacher's tags were counted into.

    Attributes:
        tags: Their names; a tag's number is its place.
        words: UTF-8 strings, all different, fewer than `hmm_words.LONGEST` bytes each.
        starts: int32 [words + 1]: where each word's tags begin in the next two.
        word_tags: Tag numbers, ascending for each word.
        word_counts: How often the word has the tag.
        trigrams: [S, S, S]: how often a state followed two others; states are the tags of small
            words, those of capitalised words, and the boundary: S = 2 · tags + 1.
        version: Digest of the tags and the files.
        about: The rest of `model.json`.
    """

    tags: tuple[str, ...]
    words: pa.Array
    starts: NDArray[np.int32]
    word_tags: NDArray[np.uint8]
    word_counts: NDArray[np.int32]
    trigrams: NDArray[np.int64]
    version: str
    about: Mapping[str, Any]


def read(folder: Path) -> Counts:
    """Read a model.

    Args:
        folder: Holds the three files.

    Raises:
        InputError: A file is damaged or of another format.
    """
    about = json.loads((folder / _ABOUT).read_bytes())
    if about.get("format") != FORMAT:
        raise InputError(sentence(f"format {FORMAT}", str(about.get("format")), str(folder)))
    content = {name: (folder / name).read_bytes() for name in (_WORDS, _TRIGRAMS)}
    for name, data in content.items():
        if blake3(data).hexdigest() != about["blake3"][name]:
            expected, do = f"the digest in {_ABOUT}", "install the package again"
            raise InputError(sentence(expected, "another", str(folder / name), do))
    tags = tuple(about["tags"])
    words, starts, word_tags, counts = _lists(content[_WORDS], tags)
    trigrams = _trigrams(content[_TRIGRAMS], states(tags))
    version = _version(tags, about["blake3"])
    return Counts(tags, words, starts, word_tags, counts, trigrams, version, about)


def _version(tags: Sequence[str], digests: Mapping[str, str]) -> str:
    parts = [str(FORMAT), *tags, *(digests[name] for name in sorted(digests))]
    return blake3(" ".join(parts).encode()).hexdigest()[:16]


def _lists(data: bytes, names: Sequence[str]) -> tuple[pa.Array, Numbers, Numbers, Numbers]:
    """Parse lines of a key, a tab and pairs: keys, where pairs begin, places in names, counts."""
    table = csv.read_csv(
        io.BytesIO(data),
        csv.ReadOptions(column_names=_KEY_AND_PAIRS, use_threads=False, block_size=len(data) + 1),
        csv.ParseOptions(delimiter="\t", quote_char=False),
        csv.ConvertOptions(column_types=dict.fromkeys(_KEY_AND_PAIRS, pa.string())),
    )
    keys, lists = (column.combine_chunks() for column in table.columns)
    pairs = pc.split_pattern(lists, " ")
    fields = pairs.flatten()
    even = np.arange(0, len(fields), 2)
    places = pc.index_in(fields.take(even), value_set=pa.array(names)).cast(pa.uint8())
    counts = fields.take(even + 1).cast(pa.int32())
    return keys, pairs.offsets.to_numpy() // 2, places.to_numpy(), counts.to_numpy()


def _trigrams(data: bytes, names: Sequence[str]) -> NDArray[np.int64]:
    keys, starts, after, counts = _lists(data, names)
    pairs = pc.split_pattern(keys, " ").flatten()
    places = pc.index_in(pairs, value_set=pa.array(names)).to_numpy()
    before, last = (np.repeat(places[side::2], np.diff(starts)) for side in (0, 1))
    trigrams = np.zeros((len(names),) * 3, np.int64)
    trigrams[before, last, after] = counts
    return trigrams


def states(tags: tuple[str, ...]) -> list[str]:
    """Name the states in their order."""
    return [*tags, *(tag + CAPITAL for tag in tags), BOUNDARY]


def write(
    folder: Path,
    tags: tuple[str, ...],
    words: Mapping[str, Mapping[str, int]],
    trigrams: Iterable[tuple[tuple[str, str, str], int]],
    about: Mapping[str, Any],
) -> None:
    """Write a model; the same counts give the same bytes.

    Args:
        folder: Made if it is not there.
        tags: Names, at most 127.
        words: Counts of tags by word.
        trigrams: Counts of three states.
        about: What else `model.json` says.

    Raises:
        InputError: Too many tags.
    """
    if len(tags) > _MOST_TAGS:
        raise InputError(sentence(f"at most {_MOST_TAGS} tags", str(len(tags))))
    follow: dict[str, dict[str, int]] = defaultdict(dict)
    for (before, last, after), count in trigrams:
        follow[f"{before} {last}"][after] = count
    content = {_WORDS: _lines(words, tags), _TRIGRAMS: _lines(follow, states(tags))}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    digests = {name: blake3(data).hexdigest() for name, data in content.items()}
    head = {"format": FORMAT, **about, "tags": list(tags), "blake3": digests}
    text = json.dumps(head, ensure_ascii=False, indent=1)
    (folder / _ABOUT).write_text(text + "\n", encoding="utf-8")


def _lines(counts: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> bytes:
    place = {name: number for number, name in enumerate(names)}
    lines = []
    for key in sorted(counts):
        pairs = sorted(counts[key].items(), key=lambda pair: place[pair[0]])
        lines.append(f"{key}\t{' '.join(f'{name} {count}' for name, count in pairs)}\n")
    return "".join(lines).encode()
