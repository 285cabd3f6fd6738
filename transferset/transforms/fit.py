"""The model that `generate` draws from: how often each length and each token occurs.

It is published in the set as `_fit/generate.json`, so it is read like anything from outside:
nothing in it is used before it is checked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.files import write_atomic
from transferset.manifest import canonical
from transferset.shapes import Misshapen, check, count
from transferset.transforms.protocol import Setting
from transferset.transforms.unigram import LENGTHS, MOST_COUNTED, merge_counts, tally_of

#: How often each of some values occurs: int64[values, 2] of value and count, ascending.
Tally = npt.NDArray[np.int64]

#: Its name among the files of a step's model.
FIT_FILE: Final = "fit-generate.json"

#: No fit is larger: that is four million tokens.
MOST_BYTES: Final = 1 << 26

#: Most lengths that differ.
MOST_LENGTHS: Final = 1_000_000

#: Commas and brackets of a pair, and of what is around all pairs.
_MARKS: Final = 3
_FRAME: Final = 16

#: Longest content of a row whose list has offsets of 32 bits.
_LONGEST: Final = (1 << 31) - 3


@dataclass(frozen=True, slots=True)
class Fit:
    """Length and unigram distribution of a set (van de Graaf 2021, § 5.2.2, f_l and f_t).

    Attributes:
        vocab_size: Ids are below it.
        lengths: Numbers of content tokens, and of the rows that have so many.
        tokens: Ids of content tokens, and how often they occur.
    """

    vocab_size: int
    lengths: Tally
    tokens: Tally

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        body = {
            "vocab_size": self.vocab_size,
            "lengths": self.lengths.tolist(),
            "tokens": self.tokens.tolist(),
        }
        return canonical(body) + b"\n"

    def write(self, folder: Path) -> None:
        """Write it into the folder of a step's model."""
        write_atomic(folder / FIT_FILE, self.to_bytes())

    def counts(self) -> npt.NDArray[np.int64]:
        """The tokens' counts by id, int64[vocab_size]."""
        counts = np.zeros(self.vocab_size, np.int64)
        counts[self.tokens[:, 0]] = self.tokens[:, 1]
        return counts

    @property
    def mean_length(self) -> Fraction:
        """Mean number of content tokens, exact; of at least one row."""
        sizes, rows = (list(map(int, column)) for column in self.lengths.T)
        return Fraction(sum(a * b for a, b in zip(sizes, rows, strict=True)), sum(rows))


def fit_surveyed(batches: Iterable[pa.RecordBatch], vocab_size: int) -> Fit:
    """The fit of a set whose ranges were surveyed.

    Args:
        batches: From `unigram.tallied`, of lengths and tokens.
        vocab_size: Ids are below it.

    Returns:
        The fit, whatever the ranges were.
    """
    lengths: Counter[int] = Counter()
    counts = np.zeros(vocab_size, np.int64)
    for batch in batches:
        counts += merge_counts([batch], vocab_size)
        sizes, rows = tally_of(batch, LENGTHS)
        lengths.update(dict(zip(sizes.tolist(), rows.tolist(), strict=True)))
    ids = np.flatnonzero(counts)
    tally = np.array(sorted(lengths.items()), np.int64).reshape(-1, 2)
    return Fit(vocab_size, tally, np.column_stack([ids, counts[ids]]))


def read_fit(path: Path, setting: Setting, longest: int = _LONGEST) -> Fit:
    """Read a fit and check it.

    Args:
        path: Its file.
        setting: The set that rows are made for.
        longest: Most content tokens that a row may have.

    Returns:
        The fit: at least one row, content tokens of that set's vocabulary alone.

    Raises:
        SetError: Not a fit, or not one for this vocabulary.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Misshapen(f"at most {MOST_BYTES:,} bytes", f"{path.stat().st_size:,}", "the end")
        raw = path.read_bytes()
        _check_marks(raw, setting.vocab_size)
        return _checked(_parse(raw), setting, longest)
    except OSError as error:
        found = error.strerror or "an error"
        raise SetError(sentence("a fitted model", found, str(path))) from None
    except Misshapen as error:
        where = f"{path}, {error.member}"
        raise SetError(sentence(error.expected, error.found, where)) from None


def _check_marks(raw: bytes, vocab_size: int) -> None:
    """Refuse what has more values than any fit, before they take memory."""
    most = _MARKS * (vocab_size + MOST_LENGTHS) + _FRAME
    if (found := sum(map(raw.count, (b",", b"[", b"{")))) > most:
        expected = f"at most {vocab_size:,} tokens and {MOST_LENGTHS:,} lengths"
        raise Misshapen(expected, f"{found:,} commas and brackets", "the end")


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except RecursionError:
        raise Misshapen("JSON", "endless nesting", "byte 0") from None
    except ValueError as error:  # also of text that is not UTF-8, and of endless numbers
        raise Misshapen("JSON", str(error), "byte 0") from None


def _checked(body: Any, setting: Setting, longest: int) -> Fit:
    check(body, {"vocab_size": count, "lengths": _list, "tokens": _list})
    size = setting.vocab_size
    if body["vocab_size"] != size:
        raise Misshapen(f"the vocabulary size {size}", str(body["vocab_size"]), "vocab_size")
    if len(body["lengths"]) > MOST_LENGTHS:
        raise Misshapen(f"at most {MOST_LENGTHS:,}", f"{len(body['lengths']):,}", "lengths")
    lengths = _tally(body["lengths"], min(longest, _LONGEST), "lengths")
    tokens = _tally(body["tokens"], size - 1, "tokens")
    special = tokens[~setting.is_content()[tokens[:, 0]], 0]
    if len(special):
        raise Misshapen("content tokens", f"the special id {special[0]}", "tokens")
    if not len(lengths):
        raise Misshapen("at least one row", "none", "lengths")
    if lengths[-1, 0] > 0 and not len(tokens):
        raise Misshapen("tokens for rows that are not empty", "none", "tokens")
    return Fit(size, lengths, tokens)


def _list(value: object) -> bool:
    """A list."""
    return isinstance(value, list)


def _tally(pairs: list[Any], highest: int, member: str) -> Tally:
    """Pairs of a value and its count; by their types at once, for there are many."""
    if set(map(type, pairs)) - {list} or set(map(len, pairs)) - {2}:
        raise Misshapen("pairs of a value and its count", "something else", member)
    numbers = list(chain.from_iterable(pairs))
    of_integers = not set(map(type, numbers)) - {int}
    if not of_integers or min(numbers, default=0) < 0 or max(numbers, default=0) >= MOST_COUNTED:
        raise Misshapen("whole numbers from 0 to 2**62-1", "something else", member)
    tally = np.array(numbers, np.int64).reshape(-1, 2)
    if sum(numbers[1::2]) >= MOST_COUNTED or not tally[:, 1].all():
        raise Misshapen("counts from 1, below 2**62 together", "others", member)
    if len(tally) and not ((np.diff(tally[:, 0]) > 0).all() and tally[-1, 0] <= highest):
        raise Misshapen(f"ascending values up to {highest}", "others", member)
    return tally
