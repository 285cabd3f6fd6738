"""Steps that make variants of rows: two phases, common to all ways of varying.

First the words of all rows are surveyed, and all words that rows or variants can have are put in
a table. Then attempts are made, in rounds, to find out which give rows that are there already;
what is left out is written down by its address. At last the rows are made again, without those.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic
from transferset.manifest import Json, pretty
from transferset.steps.augmenting import Vary
from transferset.transforms import attempts as tally
from transferset.transforms.attempt_kernels import COUNTED
from transferset.transforms.attempts import Round
from transferset.transforms.augment_kernels import BOTH, CYCLE, RANDOM, SINGLE
from transferset.transforms.buffers import addresses, flat
from transferset.transforms.left_out import Surplus, write_left_out
from transferset.transforms.protocol import Position, Setting, Spelling, Survey, Surveyed
from transferset.transforms.siphash import hash_rows
from transferset.transforms.variants import Maker, Varier, check_words, cut_batch
from transferset.transforms.varied import VariedRows
from transferset.transforms.wanted import Wanted
from transferset.transforms.word_counts import sorted_words
from transferset.transforms.word_table import WordTable, build_table, open_table
from transferset.transforms.wording import Rows

#: The fixed SipHash key under which rows are compared, also with evaluation rows.
KEY: Final = (0x7472616E73666572, 0x7365742D65786163)

#: Attempts of a round, so that what a survey holds of a batch stays small.
_MOST_AT_ONCE: Final = 100

_PAIRS: Final = {"cycle": CYCLE, "random": RANDOM, "both": BOTH}


class Strategy(Protocol):
    """A way of varying."""

    def survey(self, at: Position) -> Survey:
        """Looks at the rows of one range, in round 0."""
        ...

    def words(self, found: Surveyed) -> Iterable[pa.StringArray]:
        """All words that rows or variants can have, in any order, some of them repeatedly.

        Args:
            found: What `survey` wrote down.
        """
        ...

    def conclude(self, found: Surveyed, table: WordTable, folder: Path) -> None:
        """Write down what `open` needs.

        Args:
            found: What `survey` wrote down.
            table: All words.
            folder: Where files go.
        """
        ...

    def open(self, table: WordTable, folder: Path) -> Varier:
        """What makes the attempts, in a worker."""
        ...


def pairs_code(step: Vary, rows: Rows) -> int:
    """What kernels are told of the sides that an attempt changes, see `side_changes`."""
    return _PAIRS[step.pairs] if len(rows.sides) > 1 else SINGLE


def digest(ids: npt.NDArray[Any], offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """Digests of rows under `KEY`, uint64[2, rows]."""
    digests: npt.NDArray[np.uint64] = hash_rows(ids, offsets, *map(np.uint64, KEY))
    return digests


class Variation:
    """Variants without repeats, as many as are wanted; see `protocol.Rounds`."""

    def __init__(self, step: Vary, setting: Setting, strategy: Strategy) -> None:
        """Prepare.

        Args:
            step: How many are wanted.
            setting: The set's tokenizer, spelling, tags and evaluation rows.
            strategy: How rows are varied.

        Raises:
            UsageError: The target is less than the originals.
        """
        self._step, self._setting, self._strategy = step, setting, strategy
        if step.multiple is not None and step.multiple < 1 and step.originals == "first":
            expected = f"--{step.name} target of at least 1x, for originals are kept"
            do = "use --originals none for fewer"
            raise UsageError(sentence(expected, str(step.target), do=do))

    def needs_survey(self, *, intact: bool) -> bool:
        """Always."""
        return True

    def survey(self, at: Position) -> Survey:
        """Round 0: words."""
        return _Checked(self._strategy.survey(at), len(self._setting.tags))

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Build the table of words.

        Args:
            found: What round 0 found.
            at: Seed and step.
            folder: Where the table goes, and what the strategy writes.
            intact: Makes no difference.

        Returns:
            The model with which round 1 is surveyed.
        """
        words = sorted_words(self._strategy.words(found))
        build_table(folder, words, self._spelling())
        self._strategy.conclude(found, open_table(folder), folder)
        return self._going_on({"rows_before": found.rows, "counts": [], "round": 0})

    def survey_round(self, model: Json, at: Position, folder: Path) -> Survey:
        """A round: digests of attempts, and of the originals in the first."""
        return _AttemptSurvey(self._maker(folder), _round(model, self._step), at)

    def conclude_round(self, found: Surveyed, model: Json, at: Position, folder: Path) -> Json:
        """Find repeats; see whether there are enough rows.

        Args:
            found: What the round found.
            model: From the round before.
            at: Seed and step.
            folder: Where files of all rounds are.

        Returns:
            The model of the next round; or the last one, also in `table-….json`: `rows`, `tokens`,
            `attempts` made on each row, the `multiple` achieved, whether the target is `reached`,
            and `table`, with a list for each number of attempts; see `wanted.TABLE`.
        """
        of = _round(model, self._step)
        new = tally.judge(found, of, self._setting.leaks, folder)
        before = np.array(model["counts"], np.int64).reshape(-1, COUNTED)
        counts = np.concatenate([before, new[len(before) :]])
        wanted = Wanted(self._step, model["rows_before"])
        enough = wanted.enough(counts)
        if enough is None and of.stop <= self._step.attempts:
            return self._going_on({**model, "counts": counts.tolist()})
        last = of.stop - 1 if enough is None else enough
        surplus = None
        if enough:
            surplus = Surplus(folder, of, last, wanted.of_last(counts[: last + 1]), at)
        write_left_out(folder, of, last, int(found.bounds[-1]), surplus)
        done = wanted.told(counts[: last + 1], surplus, reached=enough is not None)
        write_atomic(folder / f"table-{self._step.name}.json", pretty(done))
        return done

    def _going_on(self, model: Json) -> Json:
        """The model of the next round."""
        counts = np.array(model["counts"], np.int64).reshape(-1, COUNTED)
        wanted, first = Wanted(self._step, model["rows_before"]), max(1, len(counts))
        size = min(wanted.guess(counts), _MOST_AT_ONCE, self._step.attempts + 1 - first)
        return {
            **model,
            "round": model["round"] + 1,
            "first": first,
            "stop": first + max(1, size),
            "files": tally.count_files(wanted.most),
        }

    def fitted(self, model: Json, folder: Path) -> VariedRows:
        """The step, ready to make rows."""
        maker, keep = self._maker(folder), self._setting.keep_label
        return VariedRows(self._step, maker, model["attempts"], folder, keep_label=keep)

    def _maker(self, folder: Path) -> Maker:
        table = open_table(folder)
        varier = self._strategy.open(table, folder)
        return Maker(self._setting, table, varier, self._step.attempts + 1)

    def _spelling(self) -> Spelling:
        if self._setting.spelling is None:
            raise UsageError(sentence(f"a set with its tokenizer for --{self._step.name}", "none"))
        return self._setting.spelling


def _round(model: Json, step: Vary) -> Round:
    """The round that a model is about to make."""
    return Round(
        model["round"],
        model["first"],
        model["stop"],
        step.attempts + 1,
        model["files"],
        last=model["stop"] > step.attempts,
        choose=step.target is not None,
    )


class _Checked:
    """A survey of rows that must have words."""

    def __init__(self, survey: Survey, tags: int) -> None:
        self._survey, self._tags = survey, tags
        self.finish = survey.finish

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """See `Survey.add`."""
        check_words(batch, self._tags)
        return self._survey.add(batch)


class _AttemptSurvey:
    """Makes the attempts of a round and writes their digests down."""

    def __init__(self, maker: Maker, of: Round, at: Position) -> None:
        self._maker, self._of, self._at = maker, of, at

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`."""
        parts = [self._attempts(part) for part in cut_batch(batch, self._of.stop - self._of.first)]
        if self._of.number == 1:
            copies = addresses(batch)[1] * np.uint32(self._of.stride)
            parts.append(_recorded(addresses(batch)[0], copies, *flat(batch)))
        return pa.concat_batches(parts) if parts else tally.SURVEYED.empty_table().to_batches()[0]

    def _attempts(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows, copies = addresses(batch)
        each = self._of.stop - self._of.first
        made = self._maker.make(batch, self._of.first, self._of.stop, self._at)
        parent, number = made.which // each, made.which % each + self._of.first
        copy = copies[parent] * np.uint32(self._of.stride) + number.astype(np.uint32)
        return _recorded(rows[parent], copy, made.ids, made.offsets)

    def finish(self) -> None:
        """See `Survey.finish`."""


def _recorded(
    rows: npt.NDArray[np.uint64],
    copies: npt.NDArray[np.uint32],
    ids: npt.NDArray[Any],
    offsets: npt.NDArray[np.int32],
) -> pa.RecordBatch:
    columns = [*digest(ids, offsets), rows, copies, np.diff(offsets).astype(np.uint32)]
    return pa.RecordBatch.from_arrays([pa.array(c) for c in columns], schema=tally.SURVEYED)
