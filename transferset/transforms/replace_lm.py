"""Variants by a masked language model's candidates (Jiao et al. 2019, § 4, algorithm 1).

The model is asked once for each row: its candidates are written down, and however many variants are
drawn from them, in a time that has nothing to do with the model's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic
from transferset.manifest import canonical
from transferset.philox import as_words
from transferset.steps import ReplaceLm
from transferset.transforms.augment_words import Alnum, alnum_of
from transferset.transforms.candidate_files import CandidateFiles, CandidateWriter
from transferset.transforms.choice import threshold
from transferset.transforms.protocol import LanguageModel, Position, Setting, Survey, Surveyed
from transferset.transforms.replace_lm_kernels import replace_side
from transferset.transforms.variants import Varier
from transferset.transforms.variation import Variation, pairs_code
from transferset.transforms.word_table import WordTable
from transferset.transforms.wording import Rows, Words

#: Its name among the files of a step's model.
TABLE_FILE: Final = "table-candidates.json"

#: A word, where nobody says what one is: letters of any script.
LETTERS: Final = r"[^\W\d_]+"

#: Candidates that may be asked for at once, so that they fit memory.
_ASKED: Final = 1 << 22

#: What both sides are called.
_SIDES: Final = (("words", "space"), ("words_pair", "space_pair"))


class ReplaceByModel(Variation):
    """Replaces words by what a language model would put in their place; see `steps.ReplaceLm`.

    Attributes:
        task_rows: Rows of one survey, that is of what is lost if it is interrupted.
    """

    task_rows: Final = 2_000

    def __init__(self, step: ReplaceLm, setting: Setting) -> None:
        super().__init__(step, setting, Candidates(step, setting))


class Candidates:
    """The strategy of `replace-lm`: a `variation.Strategy`."""

    def __init__(self, step: ReplaceLm, setting: Setting) -> None:
        """Keep what the phases need.

        Args:
            step: Parameters.
            setting: The set.

        Raises:
            UsageError: Its pattern of words is none.
        """
        self._step, self._setting = step, setting
        self._eligible = Eligible(setting.word_pattern or LETTERS, setting.stop_words)

    def survey(self, at: Position) -> Survey:
        """Asks the model about the words of a range.

        Raises:
            UsageError: There is no model.
            InputError: The model's directory holds none.
        """
        if self._setting.language_model is None:
            raise UsageError(sentence("a language model for --replace-lm", "none"))
        return CandidateSurvey(
            self._setting.language_model(), self._eligible, self._step.candidates
        )

    def words(self, found: Surveyed) -> Iterator[pa.StringArray]:
        """All words of rows, and all candidates."""
        for batch in found.batches():
            for side in range(_sides(batch)):
                words, candidates = _side(batch, side)
                yield words.flatten()
                yield candidates.flatten().flatten()

    def conclude(self, found: Surveyed, table: WordTable, folder: Path) -> None:
        """Write the candidates as codes, and how many there are."""
        batches = found.batches()
        first = next(batches, None)
        sides = 1 if first is None else _sides(first)
        counts = np.zeros(4, np.int64)
        with CandidateWriter(folder, sides) as writer:
            for batch in chain([first] if first is not None else [], batches):
                writer.add(batch.column("row").to_numpy(), batch.column("copy").to_numpy())
                for side in range(sides):
                    counts += _write_side(writer, side, *_side(batch, side), table)
        names = ("words", "eligible", "with_candidates", "candidates")
        body = dict(zip(names, counts.tolist(), strict=True))
        write_atomic(folder / TABLE_FILE, canonical(body) + b"\n")

    def open(self, table: WordTable, folder: Path) -> Varier:
        """The step, ready to vary rows."""
        return CandidateVarier(self._step, CandidateFiles(folder), alnum_of(table.words))


def _sides(batch: pa.RecordBatch) -> int:
    return sum(name in batch.schema.names for name, _ in _SIDES)


def _side(batch: pa.RecordBatch, side: int) -> tuple[pa.ListArray, pa.ListArray]:
    return batch.column(_SIDES[side][0]), batch.column(f"candidates-{side}")


def _write_side(
    writer: CandidateWriter,
    side: int,
    words: pa.ListArray,
    candidates: pa.ListArray,
    table: WordTable,
) -> npt.NDArray[np.int64]:
    """Write a side of rows; gives how many words, eligible ones, … there were."""
    by_word = candidates.flatten()
    counts = pc.fill_null(pc.list_value_length(by_word), 0).to_numpy()
    codes = table.codes(by_word.flatten())
    writer.add_side(side, pc.list_value_length(words).to_numpy(), counts, codes)
    eligible = len(by_word) - by_word.null_count
    return np.array([len(by_word), eligible, np.count_nonzero(counts), len(codes)], np.int64)


class Eligible:
    """Words that may be replaced: those that match a pattern and are no stop words."""

    def __init__(self, pattern: str, stop_words: frozenset[str]) -> None:
        """Compile the pattern.

        Raises:
            UsageError: It is none.
        """
        try:
            self._match = re.compile(pattern).fullmatch
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(sentence("a pattern of words", str(error), pattern)) from error
        self.pattern, self._stop_words = pattern, stop_words

    def of(self, words: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Tell for each word."""
        encoded = words.dictionary_encode()
        lower = [word.lower() for word in encoded.dictionary.to_pylist()]
        known = [bool(self._match(word)) and word not in self._stop_words for word in lower]
        eligible: npt.NDArray[np.bool_] = np.array(known, bool)[encoded.indices.to_numpy()]
        return eligible


class CandidateSurvey:
    """Asks a model about the rows of a range, together, for so it has the fullest batches."""

    def __init__(self, model: LanguageModel, eligible: Eligible, count: int) -> None:
        """Begin a range.

        Args:
            model: What proposes.
            eligible: Which words are to be replaced.
            count: Most candidates of a word.
        """
        self._model, self._eligible, self._count = model, eligible, count
        self._held: list[pa.RecordBatch] = []
        self._size = 0

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Keep rows; ask when there are many."""
        sides = [side for side in _SIDES if side[0] in batch.schema.names]
        wanted = ["parent_row", "copy", *chain.from_iterable(sides)]
        self._held.append(batch.select(wanted))
        self._size += sum(len(batch.column(words).flatten()) for words, _ in sides) * self._count
        return self._ask() if self._size >= _ASKED else None

    def finish(self) -> pa.RecordBatch | None:
        """Ask about the rest."""
        return self._ask() if self._held else None

    def _ask(self) -> pa.RecordBatch:
        rows = pa.Table.from_batches(self._held).combine_chunks().to_batches()[0]
        self._held, self._size = [], 0
        sides = [side for side in _SIDES if side[0] in rows.schema.names]
        given = [(rows.column(words), rows.column(space)) for words, space in sides]
        columns = {"row": rows.column("parent_row"), "copy": rows.column("copy")}
        for side, candidates in enumerate(self._propose(given)):
            columns[sides[side][0]] = given[side][0]
            columns[f"candidates-{side}"] = candidates
        return pa.RecordBatch.from_pydict(columns)

    def _propose(self, sides: list[tuple[pa.ListArray, pa.ListArray]]) -> Iterator[pa.ListArray]:
        """The candidates of each side; a side is a text of its own."""
        eligible = [
            _like(words, pa.array(self._eligible.of(words.flatten()))) for words, _ in sides
        ]
        texts, spaces, asked = (
            list(chain.from_iterable(column.to_pylist() for column in columns))
            for columns in ([w for w, _ in sides], [s for _, s in sides], eligible)
        )
        found = self._model.propose(texts, spaces, asked, self._count, self._eligible.pattern)
        answers = iter(found.candidates)
        for side in eligible:
            yield _like(side, _by_word(side.flatten().to_numpy(zero_copy_only=False), answers))


def _like(lists: pa.ListArray, values: pa.Array) -> pa.ListArray:
    """Other values in lists of the same lengths."""
    return pa.ListArray.from_arrays(_offsets(pc.list_value_length(lists).to_numpy()), values)


def _offsets(lengths: npt.NDArray[Any]) -> pa.Array:
    return pa.array(np.append(0, np.cumsum(lengths)).astype(np.int32))


def _by_word(eligible: npt.NDArray[np.bool_], answers: Iterable[Any]) -> pa.ListArray:
    """The answers to the words that were asked about, null of the others."""
    places = np.flatnonzero(eligible)
    mine = [answer for _, answer in zip(places, answers, strict=False)]
    lengths = np.zeros(len(eligible), np.int64)
    lengths[places] = [len(answer) for answer in mine]
    values = pa.array(list(chain.from_iterable(mine)), pa.string())
    return pa.ListArray.from_arrays(_offsets(lengths), values, mask=pa.array(~eligible))


class CandidateVarier:
    """Draws variants from candidates: a `variation.Varier`."""

    def __init__(self, step: ReplaceLm, files: CandidateFiles, alnum: Alnum) -> None:
        """Keep what is needed.

        Args:
            step: Parameters.
            files: The candidates of all rows.
            alnum: Which words would read as one.
        """
        self._step, self._files, self._alnum = step, files, alnum
        self._below = threshold(step.p)

    def variants(
        self, rows: Rows, first: int, stop: int, stride: int, at: Position
    ) -> tuple[Words, ...]:
        """Attempts `first` ≤ k < `stop` of every row, see `variation.Varier`.

        Raises:
            SetError: These are not the rows that the model was asked about.
        """
        counts = [np.diff(side.offsets) for side in rows.sides]
        candidates = self._files.of(rows.row, rows.copy, counts)
        times = stop - first
        key = as_words(at.key)
        pairs = pairs_code(self._step, rows)
        found = []
        for side, words in enumerate(rows.sides):
            size = len(words.codes) * times
            made = Words(
                np.empty(size, np.int32),
                np.empty(size, np.uint8),
                np.empty(len(rows) * times + 1, np.int64),
            )
            replace_side(
                words,
                candidates[side],
                rows.row,
                rows.copy,
                (first, stop, stride),
                side,
                pairs,
                key,
                self._below,
                self._alnum,
                *made,
            )
            found.append(made)
        return tuple(found)
