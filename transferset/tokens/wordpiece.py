"""A loaded tokenizer: texts to ids, rows that are too long to rows that fit, ids to text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.tokens import engines
from transferset.tokens.cuts import cuts
from transferset.tokens.definition import ROLES, UINT16_PIECES, Definition, TokenizerInfo
from transferset.tokens.engines import Ids, Offsets, Oracle

#: One row in so many, picked by its ids, is compared with the oracle while running.
CHECKED_SHARE = 1024
_USUAL: Mapping[str, tuple[str, ...]] = {
    "pad": ("[PAD]", "<pad>"),
    "unk": ("[UNK]", "<unk>"),
    "mask": ("[MASK]", "<mask>"),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows of which none is longer than asked.

    Attributes:
        ids: uint32, the rows' ids one after the other, [CLS] … [SEP] each.
        offsets: int64[rows + 1], where each row begins in `ids`.
        texts: The span of text of each row.
        source: int64[rows], index of the text that the row is (a part) of; ascending.
    """

    ids: Ids
    offsets: Offsets
    texts: list[str]
    source: npt.NDArray[np.int64]


class WordPiece:
    """A tokenizer with the engine that runs it; `load_tokenizer` makes one.

    Attributes:
        info: What the manifest records.
        json: The canonical `tokenizer.json`; `info.sha256` is its digest.
        origin: Where it was found, for the log.
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
        self._definition, self._wish, self.origin = definition, engine, origin
        self._oracle = Oracle(definition)
        self.json = definition.text
        self.info = _describe(definition, self._oracle)
        self.checked = 0
        self.mismatches = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self._definition, self._wish, self.origin)

    @cached_property
    def _engine(self) -> tuple[engines.Engine, str]:
        return engines.choose(self._wish, self._definition, self._oracle)

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
        if engine is not self._oracle:
            self._compare(texts, ids, offsets)
        return (ids if self._definition.bert else self._unspell(ids, offsets)), offsets

    def _compare(self, texts: list[str], ids: Ids, offsets: Offsets) -> None:
        # Picked by content, so that the same rows are checked at any number of workers and any
        # batch size. Rows that left earlier cannot be called back, here or in another worker, so
        # a difference ends the job instead of switching engines in the middle of it.
        if not texts:
            return
        picked = np.flatnonzero(np.add.reduceat(ids, offsets[:-1]) % CHECKED_SHARE == 0).tolist()
        for i in picked:
            self.checked += 1
            right, _ = self._oracle.encode([texts[i]])
            if not np.array_equal(right, ids[offsets[i] : offsets[i + 1]]):
                self.mismatches += 1
                raise TransfersetError(
                    sentence(
                        "equal ids from nanotoken and tokenizers",
                        f"a difference for {texts[i]!r}",
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

        Joined, the content ids of a text's rows are exactly the content ids of the text. See
        `cuts.cuts` for where it is cut.

        Args:
            texts: Any Unicode but lone surrogates.
            max_len: Longest row in ids, [CLS] and [SEP] included; ≥ 3.

        Raises:
            UsageError: `max_len` is below 3.
            InputError, TransfersetError: As in `encode`.
        """
        if max_len < 3:
            raise UsageError(sentence("a --max-len of at least 3", str(max_len)))
        ids, offsets = self.encode(texts)
        lengths = np.diff(offsets)
        if not len(texts) or lengths.max() <= max_len:
            return Rows(ids, offsets, texts, np.arange(len(texts)))
        parts = dict.fromkeys(np.flatnonzero(lengths > max_len).tolist(), ([], []))
        for i in parts:
            parts[i] = self._parts(texts[i], ids[offsets[i] : offsets[i + 1]], max_len)
        return _with_parts(texts, ids, offsets, parts)

    def _parts(self, text: str, row: Ids, max_len: int) -> tuple[list[Ids], list[str]]:
        content = row[1:-1]
        begins, spaced, starts = self._layout(text, len(content))
        apart = np.diff(begins, prepend=-1) > 0
        points = cuts(spaced, starts, apart, max_len - 2)
        edges = [0, *begins[points[1:-1]].tolist(), len(text)]
        pairs = zip(points, points[1:], strict=False)
        rows = [np.concatenate([row[:1], content[a:b], row[-1:]]) for a, b in pairs]
        return rows, [text[a:b].strip() for a, b in zip(edges, edges[1:], strict=False)]

    def _layout(self, text: str, tokens: int) -> tuple[npt.NDArray[np.int64], ...]:
        """Per content token: where its text begins, is a space before it, does it start a word."""
        encoding = self._oracle.tokenizer.encode(text, add_special_tokens=False)
        if len(encoding.ids) != tokens:
            self.mismatches += 1
            found = f"{tokens} and {len(encoding.ids)} ids for {text!r}"
            raise TransfersetError(
                sentence("equal ids from both engines", found, do="use --engine tokenizers")
            )
        begins = np.array([begin for begin, _ in encoding.offsets], np.int64)
        ends = np.array([end for _, end in encoding.offsets], np.int64)
        begins = np.maximum.accumulate(begins)
        before = [0, *ends[:-1].tolist()]
        spaced = [
            text[min(a, b) : b + 1].strip() != text[min(a, b) : b + 1] for a, b in zip(before, begins.tolist(), strict=True)
        ]
        words = np.array([-1 if word is None else word for word in encoding.word_ids], np.int64)
        starts = np.diff(words, prepend=-2) != 0
        return begins, np.array(spaced, np.bool_), starts

    def split(self, text: str, max_len: int) -> list[str]:
        """Return the spans of text that `encode_rows` makes rows of.

        Args:
            text: One sentence.
            max_len: Longest row in ids, [CLS] and [SEP] included; ≥ 3.
        """
        return self.encode_rows([text], max_len).texts

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The piece of each id; empty for an id that has none."""
        pieces = [""] * self.info.vocab_size
        for piece, number in self._oracle.tokenizer.get_vocab(with_added_tokens=True).items():
            pieces[number] = piece
        return tuple(pieces)

    @cached_property
    def word_start(self) -> npt.NDArray[np.bool_]:
        """bool[vocab_size], whether a piece starts a word; special pieces do.

        The first content token of a row always starts a word, whatever stands here: models that
        mark spaces need not mark the beginning of a text.
        """
        marker, starts_with_it = _marker(self._oracle)
        found = np.array([piece.startswith(marker) for piece in self.vocabulary], np.bool_)
        table = found if starts_with_it else ~found
        table[[getattr(self.info, f"{role}_id") for role in ROLES]] = True
        table.flags.writeable = False
        return table

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the pieces of ids.

        Raises:
            InputError: An id lies outside the vocabulary.
        """
        numbers = [int(i) for i in ids]
        if wrong := [i for i in numbers if not 0 <= i < self.info.vocab_size]:
            expected = f"ids below {self.info.vocab_size} ({self.info.name})"
            raise InputError(
                sentence(expected, str(wrong[0]), do="pass the tokenizer that made them")
            )
        return [self.vocabulary[i] for i in numbers]

    def decode(self, ids: Sequence[int] | npt.NDArray[Any]) -> str:
        """Return the text of ids without special pieces; what normalising dropped stays lost."""
        return str(self._oracle.tokenizer.decode([int(i) for i in ids], skip_special_tokens=True))


def _load(definition: Definition, engine: str, origin: str) -> WordPiece:
    return WordPiece(definition, engine=engine, origin=origin)


def _with_parts(
    texts: list[str],
    ids: Ids,
    offsets: Offsets,
    parts: Mapping[int, tuple[list[Ids], list[str]]],
) -> Rows:
    """Put the parts of long rows in the place of these rows."""
    counts = np.ones(len(texts), np.int64)
    out_ids: list[Ids] = []
    out_texts: list[str] = []
    lengths: list[npt.NDArray[np.int64]] = []
    done = 0
    for i, (rows, spans) in parts.items():
        out_ids += [ids[offsets[done] : offsets[i]], *rows]
        out_texts += [*texts[done:i], *spans]
        lengths += [np.diff(offsets[done : i + 1]), np.array([len(row) for row in rows])]
        counts[i] = len(rows)
        done = i + 1
    out_ids.append(ids[offsets[done] :])
    lengths.append(np.diff(offsets[done:]))
    ends = np.cumsum(np.concatenate(lengths), dtype=np.int64)
    source = np.repeat(np.arange(len(texts)), counts)
    return Rows(
        np.concatenate(out_ids), np.concatenate([[np.int64(0)], ends]), [*out_texts, *texts[done:]], source
    )


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


def _describe(definition: Definition, oracle: Oracle) -> TokenizerInfo:
    special = _specials(definition, oracle)
    vocabulary = oracle.tokenizer.get_vocab(with_added_tokens=True)
    size = max(vocabulary.values(), default=-1) + 1
    return TokenizerInfo(
        name=definition.name,
        kind=definition.kind,
        sha256=hashlib.sha256(definition.text.encode()).hexdigest(),
        vocab_size=size,
        cls_id=special["cls"],
        sep_id=special["sep"],
        pad_id=special["pad"],
        unk_id=special["unk"],
        mask_id=special["mask"],
        lowercase=definition.lowercase,
        dtype="uint16" if size <= UINT16_PIECES else "int32",
    )


def _specials(definition: Definition, oracle: Oracle) -> dict[str, int]:
    """Ids of the special pieces by role; [CLS] and [SEP] are what the template puts around."""
    around = oracle.tokenizer.encode("").ids
    row = oracle.tokenizer.encode("a").ids
    found: dict[str, int] = {}
    if len(around) == 2 and len(row) > 2 and [row[0], row[-1]] == around:
        found["cls"], found["sep"] = around
    for role, usual in _USUAL.items():
        for piece in (definition.specials.get(role), *usual):
            number = None if piece is None else oracle.tokenizer.token_to_id(piece)
            if number is not None:
                found.setdefault(role, number)
    if missing := [role for role in ROLES if role not in found]:
        expected = "a tokenizer that puts [CLS] … [SEP] around a text and has [PAD], [UNK], [MASK]"
        found_text = f"one without {', '.join(missing)}"
        do = "pass the tokenizer of a BERT-like encoder"
        raise UsageError(sentence(expected, found_text, definition.name, do))
    return found


def _marker(oracle: Oracle) -> tuple[str, bool]:
    """The prefix that tells word starts from continuations, and which of them it marks."""
    model = oracle.tokenizer.model
    if prefix := getattr(model, "continuing_subword_prefix", None):
        return str(prefix), False
    # Every piece of a byte-level model spells a space as Ġ, of a SentencePiece model as ▁.
    spaces = sum(piece.startswith("Ġ") for piece in oracle.tokenizer.get_vocab())
    return ("Ġ" if spaces > 1 else "▁"), True
