"""What a step's implementation looks like, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import rng
from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.steps import Custom, Step, step_name


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a recipe a transform stands: the only source of its randomness.

    Attributes:
        seed: The user's seed, 0 ≤ seed < 2**64.
        step: Ordinal of the step: its place in the recipe, and above it the generation of the
            parent, so that no two derivations of a row meet the same numbers.
    """

    seed: int
    step: int

    @property
    def key(self) -> tuple[int, int]:
        """The Philox key of this step."""
        return rng.step_key(self.seed, self.step)

    def uniform(self, batch: pa.RecordBatch, draws: int) -> npt.NDArray[np.float64]:
        """Random numbers for each row, the same for a row wherever it stands.

        Args:
            batch: Rows with their addresses.
            draws: How many numbers a row gets.

        Returns:
            Numbers in [0, 1) with 32 random bits, shape [rows, draws].
        """
        row = batch.column("parent_row").to_numpy()[:, None]
        copy = batch.column("copy").to_numpy()[:, None].astype(np.uint32)
        blocks = np.arange((draws + 3) // 4, dtype=np.uint32)[None, :]
        low, high = (
            (row & np.uint64(0xFFFFFFFF)).astype(np.uint32),
            (row >> np.uint64(32)).astype(np.uint32),
        )
        words = rng.philox(tuple(np.broadcast_arrays(low, high, copy, blocks)), self.key)  # type: ignore[arg-type]
        flat = np.stack(words, axis=-1).reshape(len(row), 4 * blocks.size)
        return flat[:, :draws] / 2.0**32


class Spelling(Protocol):
    """How words and texts are spelled in the pieces of the set's tokenizer."""

    @property
    def mask(self) -> str:
        """The mask piece as text, `[MASK]`."""
        ...

    @property
    def joins(self) -> bool:
        """Whether a text's pieces are those of its words side by side, but where words touch."""
        ...

    def spell(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """The content ids of each text, without special pieces.

        A mask piece that a text spells out is text like any other.

        Returns:
            Ids of all texts, and offsets, shape [texts + 1].
        """
        ...

    def spell_masked(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """As `spell`, but a mask piece that is spelled out is the mask."""
        ...

    def edges(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Whether what stands right before (after) a word, without a space, can change its pieces.

        Of two words that touch, pieces must be found together if the first is open after and the
        second is open before.
        """
        ...


class Proposed(Protocol):
    """What a language model proposed."""

    @property
    def candidates(self) -> Sequence[Sequence[str]]:
        """Of each eligible word, in order of texts and words; none where it knows none."""
        ...


class LanguageModel(Protocol):
    """A masked language model that proposes words in the place of words."""

    def propose(
        self,
        texts: Sequence[Sequence[str]],
        spaces: Sequence[Sequence[bool]],
        eligible: Sequence[Sequence[bool]],
        count: int,
        pattern: str,
    ) -> Proposed:
        """Candidates for words.

        Args:
            texts: The words of each text.
            spaces: Whether a space follows each word.
            eligible: Whether candidates for it are wanted.
            count: Most candidates of a word.
            pattern: What a lower-cased candidate must match.
        """
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of the set whose rows are transformed.

    Attributes:
        vocab_size: Ids are below it.
        cls, sep, pad, unk, mask: Ids of the special pieces.
        word_start: For each id whether a word begins there, shape [vocab_size]; None unless a step
            asked for words.
        sources: Names and languages by code, as the manifest's `sources` have them.
        parts: Names of the parts of a mix, by code.
        documents: Opens the documents table; None if the set has none.
        max_len: Most ids of a row; None is any number.
        tags: Names of the codes in `pos`.
        keep_label: Rows that are changed keep their label.
        spelling: How words are spelled; None unless a step makes texts.
        language_model: Loads the model of a `replace-lm`; None unless there is such a step.
        stop_words: Words that a model does not replace, lower-cased.
        word_pattern: What a lower-cased word must match to be replaced; empty is letters only.
        leaks: Digests of evaluation rows, uint64[n, 2], see `variation`; None if there are none.
    """

    vocab_size: int
    cls: int
    sep: int
    pad: int
    unk: int
    mask: int
    word_start: npt.NDArray[np.bool_] | None = None
    sources: Sequence[Json] = ()
    parts: Sequence[str] = ()
    documents: Callable[[], Iterator[pa.RecordBatch]] | None = None
    max_len: int | None = None
    tags: Sequence[str] = ()
    keep_label: bool = False
    spelling: Spelling | None = None
    language_model: Callable[[], LanguageModel] | None = None
    stop_words: frozenset[str] = frozenset()
    word_pattern: str = ""
    leaks: npt.NDArray[np.uint64] | None = None

    def is_content(self) -> npt.NDArray[np.bool_]:
        """For each id whether it is a content token, shape [vocab_size]; [UNK] is one."""
        table = np.ones(self.vocab_size, np.bool_)
        table[[self.cls, self.sep, self.pad, self.mask]] = False
        return table


class Transformer(Protocol):
    """Changes batches; may drop rows, which it counts."""

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Transform one batch.

        Args:
            batch: Rows with `parent_row` and `copy`; it is not changed.
            at: Seed and step.
            ledger: Where dropped rows are counted.

        Returns:
            The new rows, in ascending order of their addresses.
        """
        ...


class Origin(Protocol):
    """Makes rows instead of changing them."""

    def make(self, start: int, stop: int, at: Position) -> pa.RecordBatch:
        """Rows `start` to `stop` with `input_ids`, `parent_row` (their ordinal) and `copy` (0)."""
        ...


class Survey(Protocol):
    """Sees the rows of one range, batch by batch, and writes down what matters."""

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Look at rows; what is returned is kept in a file."""
        ...

    def finish(self) -> pa.RecordBatch | None:
        """The end of the range; what is returned is kept as the last batch."""
        ...


class Surveyed(Protocol):
    """What the surveys of all ranges found, in order of the rows."""

    @property
    def rows(self) -> int:
        """Number of rows that come into the step."""
        ...

    @property
    def tokens(self) -> int:
        """Number of their ids, specials included."""
        ...

    @property
    def bounds(self) -> Sequence[int]:
        """Addresses (`parent_row`) at which the ranges of tasks begin and end, `[0, …, N]`."""
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Everything that was written down; may be read several times."""
        ...


class Fitter(Protocol):
    """A two-phase step: surveys all rows, concludes a model, then transforms."""

    def survey(self, at: Position) -> Survey | None:
        """A new survey of one range; None when the rows need not be looked at: see `intact`."""
        ...

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Make the model, in the driver.

        Args:
            found: The surveys; without batches if `intact` made them needless.
            at: Seed and step.
            folder: Where files of the model may be written; `fitted` finds them there.
            intact: The rows are exactly those of SRC: row i has the address (i, 0).

        Returns:
            A small JSON object: `rows` and `tokens` are the expected size of the step's output;
            `bounds` if ranges must be cut elsewhere from here on.
        """
        ...

    def needs_survey(self, *, intact: bool) -> bool:
        """Whether `conclude` needs the surveys, given that the rows are intact."""
        ...

    def fitted(self, model: Json, folder: Path) -> Transformer | Origin:
        """The step, ready to transform."""
        ...


class Rounds(Fitter, Protocol):
    """A fitter that surveys the rows several times.

    As long as the model has a member `round`, the rows are surveyed again and the model is
    concluded anew; `conclude` is the first to make one.
    """

    def survey_round(self, model: Json, at: Position, folder: Path) -> Survey:
        """A new survey of one range, in a worker; `folder` holds what was written so far."""
        ...

    def conclude_round(self, found: Surveyed, model: Json, at: Position, folder: Path) -> Json:
        """The next model, in the driver."""
        ...


#: Step name → `module:class`; the class takes (step, setting).
_IMPLEMENTATIONS: Final[Mapping[str, str]] = {
    "sample": "sample:SampleRows",
    "shuffle": "shuffle:ShuffleTokens",
    "generate": "generate:GenerateRows",
    "mask": "mask:MaskTokens",
    "delete": "delete:DeleteTokens",
    "replace": "replace:ReplaceTokens",
    "augment": "augment:AugmentRows",
    "replace-lm": "replace_lm:ReplaceByModel",
    "lengths": "lengths:KeepLengths",
    "filter": "filters:FilterRows",
    "dedupe": "dedupe:deduplicate",
    "pack": "pack:PackRows",
    "split": "split:TakeSplit",
    "custom": "custom:CallFunction",
}


def implement(step: Step, setting: Setting) -> Any:
    """The implementation of a step: a `Fitter` if `step.two_phase`, else a `Transformer`."""
    module, _, name = _IMPLEMENTATIONS[
        "custom" if isinstance(step, Custom) else step_name(step)
    ].partition(":")
    kind: Callable[[Step, Setting], Any] = getattr(
        import_module(f"transferset.transforms.{module}"), name
    )
    return kind(step, setting)
