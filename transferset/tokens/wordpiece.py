"""A loaded tokenizer: texts to ids, rows that are too long to rows that fit, ids to text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.tokens import engines, roles, rows
from transferset.tokens.definition import Definition, TokenizerInfo
from transferset.tokens.engines import Ids, Offsets, Oracle
from transferset.tokens.rows import Rows

#: One row in so many, picked by its ids, is compared with the oracle while running.
CHECKED_SHARE = 512


class WordPiece:
    """A tokenizer with the engine that runs it; `load_tokenizer` makes one.

    Attributes:
        info: What the manifest records.
        json: The canonical `tokenizer.json`; `info.sha256` is its digest.
        origin: Where it was found, for the log.
        vocabulary: The piece of each id; empty for an id that has none.
        checked: Rows compared with the oracle so far.
        mismatches: Rows in which the engines differed; 0, or an error was raised.
    """

    def __init__(self, definition: Definition, *, engine: str = "auto", origin: str = "") -> None:
        """Load a definition; the engine is chosen when the first text is encoded.

        Args:
            definition: The tokenizer.
            engine: One of `engines.ENGINES`.
            origin: Where it was found, for the log.

        Raises:
            InputError: The definition cannot be run.
            UsageError: It lacks a special piece that rows need; the engine is unknown.
        """
        if engine not in engines.ENGINES:
            raise UsageError(sentence(f"one of {', '.join(engines.ENGINES)}", engine, "--engine"))
        self._definition, self._wish, self.origin = definition, engine, origin
        self._oracle = Oracle(definition)
        self.json = definition.text
        self.vocabulary = self._oracle.vocabulary()
        self.info = _described(definition, self._oracle, len(self.vocabulary))
        self.checked = 0
        self.mismatches = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self._definition, self._wish, self.origin)

    @cached_property
    def _engine(self) -> tuple[engines.Engine, str]:
        return engines.choose(self._wish, self._definition, self._oracle)

    @property
    def definition(self) -> Definition:
        """What was loaded."""
        return self._definition

    @property
    def engine(self) -> str:
        """Name of the engine that runs: `nanotoken` or `tokenizers`."""
        return self._engine[0].name

    @property
    def why_engine(self) -> str:
        """Why it is not the fast one; empty when it is."""
        return self._engine[1]

    def encode(self, texts: list[str]) -> tuple[Ids, Offsets]:
        """Encode texts as whole rows; nothing is cut or padded.

        Special pieces that a text spells out ("[MASK]") are text like any other.

        Args:
            texts: Any Unicode but lone surrogates.

        Returns:
            uint32 ids of all rows, [CLS] … [SEP] each, and int64[len(texts) + 1] offsets.

        Raises:
            InputError: A text holds a lone surrogate.
            TransfersetError: The fast engine was found to differ from the oracle.
        """
        engine = self._engine[0]
        try:
            ids, offsets = engine.encode(texts)
        except (UnicodeEncodeError, TypeError):
            _refuse_surrogates(texts)
            raise
        if engine is not self._oracle and texts:
            self._compare(engine, texts, ids, offsets)
        return (ids if self._definition.bert else self._unspell(ids, offsets)), offsets

    def _compare(
        self, engine: engines.Engine, texts: list[str], ids: Ids, offsets: Offsets
    ) -> None:
        # Picked by content, so that the same rows are checked at any number of workers and any
        # batch size. Rows that left earlier cannot be called back, here or in another worker, so
        # a difference ends the job instead of switching engines in the middle of it.
        sums = np.add.reduceat(ids, offsets[:-1], dtype=np.uint64)
        picked = [texts[i] for i in np.flatnonzero(sums % CHECKED_SHARE == 0)]
        self.checked += len(picked)
        if picked and (wrong := engines.differing(engine, self._oracle, picked)) is not None:
            raise self._mismatch(wrong)

    def _mismatch(self, text: str) -> TransfersetError:
        self.mismatches += 1
        return TransfersetError(
            sentence(
                "equal ids from nanotoken and tokenizers",
                f"a difference for {text!r}",
                do="remove the unfinished output and run again with --engine tokenizers",
            )
        )

    def _unspell(self, ids: Ids, offsets: Offsets) -> Ids:
        """Prose that spells a special piece becomes unknown where the model would match it."""
        special = np.zeros(self.info.vocab_size, np.bool_)
        special[[self.info.cls_id, self.info.sep_id, self.info.pad_id, self.info.mask_id]] = True
        spelled = special[ids]
        spelled[offsets[:-1]] = spelled[offsets[1:] - 1] = False
        return np.where(spelled, np.uint32(self.info.unk_id), ids) if spelled.any() else ids

    def encode_rows(self, texts: list[str], max_len: int) -> Rows:
        """Encode texts as rows of at most `max_len` ids; longer ones become several rows.

        Joined, the content ids of a text's rows are exactly the content ids of the text; `cuts`
        says where it is cut.

        Args:
            texts: Any Unicode but lone surrogates.
            max_len: Longest row in ids, [CLS] and [SEP] included; ≥ 3.

        Raises:
            UsageError: `max_len` is below 3.
            InputError: As in `encode`.
            TransfersetError: As in `encode`.
        """
        if max_len < 3:
            raise UsageError(sentence("a --max-len of at least 3", str(max_len)))
        ids, offsets = self.encode(texts)
        return rows.parted(texts, ids, offsets, max_len, self._analyse)

    def _analyse(self, text: str, content: Ids) -> Encoding:
        encoding = self._oracle.tokenizer.encode(text, add_special_tokens=False)
        if self._engine[0] is not self._oracle and encoding.ids != content.tolist():
            raise self._mismatch(text)
        return encoding

    def split(self, text: str, max_len: int) -> list[str]:
        """Return the spans of a text that `encode_rows` makes rows of.

        Encoded one by one they give the text's content ids again, unless a single word was longer
        than a row and had to be cut.

        Args:
            text: One sentence.
            max_len: Longest row in ids, [CLS] and [SEP] included; ≥ 3.
        """
        return self.encode_rows([text], max_len).texts

    @cached_property
    def word_start(self) -> npt.NDArray[np.bool_]:
        """bool[vocab_size], whether a piece starts a word; special pieces do.

        The first content token of a row always starts a word, whatever stands here: models that
        mark spaces need not mark the beginning of a text.
        """
        return roles.word_starts(
            self._definition, self._oracle.tokenizer, self.vocabulary, self.info
        )

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the pieces of ids.

        Raises:
            InputError: An id lies outside the vocabulary.
        """
        numbers = self._within(ids)
        return [self.vocabulary[i] for i in numbers]

    def decode(self, ids: Sequence[int] | npt.NDArray[Any]) -> str:
        """Return the text of ids without special pieces; what normalising dropped stays lost.

        Raises:
            InputError: An id lies outside the vocabulary.
        """
        return str(self._oracle.tokenizer.decode(self._within(ids), skip_special_tokens=True))

    def decode_rows(
        self, ids: npt.NDArray[Any], offsets: npt.NDArray[np.integer[Any]]
    ) -> list[str]:
        """Return the text of each row, as `decode` does.

        Args:
            ids: Of all rows, one after the other.
            offsets: Shape [rows + 1]; row i is `ids[offsets[i]:offsets[i + 1]]`.

        Raises:
            InputError: An id lies outside the vocabulary.
        """
        if len(ids):
            self._within([int(ids.max())])
        rows = [row.tolist() for row in np.split(ids, offsets[1:-1])] if len(offsets) > 1 else []
        return list(self._oracle.tokenizer.decode_batch(rows, skip_special_tokens=True))

    def _within(self, ids: Iterable[int]) -> list[int]:
        numbers = [int(i) for i in ids]
        if wrong := [i for i in numbers if not 0 <= i < self.info.vocab_size]:
            expected = f"ids below {self.info.vocab_size} ({self.info.name})"
            raise InputError(
                sentence(expected, str(wrong[0]), do="pass the tokenizer that made them")
            )
        return numbers


def _described(definition: Definition, oracle: Oracle, size: int) -> TokenizerInfo:
    """Describe a tokenizer and try it: some files load and then cannot encode a word."""
    try:
        info = roles.describe(definition, oracle.tokenizer, size)
        oracle.encode(["A trial: does it run, and spell what is unknown? 漢 \U0001f9ff \u0e01"])
    except (TransfersetError, KeyboardInterrupt, MemoryError, SystemExit):
        raise
    except BaseException as error:  # a panic in Rust is not an Exception
        expected = "a tokenizer that `tokenizers` can run"
        raise InputError(sentence(expected, f"{error}", definition.name)) from error
    return info


def _load(definition: Definition, engine: str, origin: str) -> WordPiece:
    return WordPiece(definition, engine=engine, origin=origin)


def _refuse_surrogates(texts: list[str]) -> None:
    for number, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                sentence(
                    "text that UTF-8 can hold",
                    f"the lone surrogate U+{ord(text[error.start]):04X}",
                    f"text {number} of the batch, character {error.start}",
                    "decode the source with the right encoding",
                )
            ) from error
