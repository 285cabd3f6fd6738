"""The tokenizer of a causal language model, which need not be that of the set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, sentence
from transferset.files import write_atomic
from transferset.language_models.causal.piece_kinds import (
    BROKEN,
    find_kinds,
    find_newline,
    is_word_pieces,
    with_decoder,
)
from transferset.language_models.causal.roles import (
    find_roles,
    special_ids,
    tokenizer_statement,
    unknown_ids,
)
from transferset.language_models.model_files import (
    STATEMENTS,
    TOKENIZER,
    check_tokenizer_file,
    open_tokenizer,
    tokenizer_size,
)

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

#: Texts that `tokenizers` is given at once: its answers take a kilobyte each.
_AT_ONCE: Final = 8192


class CausalPieces:
    """The tokenizer in a causal language model's directory.

    A model reads `start`, the pieces of a text, `end`; of a pair, `start`, the pieces of the first
    text, `separator`, those of the second, `end`. White space is made one space, and none is left
    around a text; else a text is spelled as it is, with no space before it but what the tokenizer
    itself adds.

    Attributes:
        start: Id of the piece before a text.
        end: Id of the piece after a text.
        ends: Ids at which a text that the model writes ends; `end` is the first.
        padding: Id of the piece that fills batches.
        size: Ids are below it.
    """

    def __init__(self, path: str | Path) -> None:
        """Open `tokenizer.json`.

        Args:
            path: A model's directory, or a `tokenizer.json`; what stands beside it says which
                pieces are special.

        Raises:
            InputError: It is none, names no piece that ends a text, or cannot decode.
        """
        given = Path(path)
        self._file = given if given.is_file() else check_tokenizer_file(given)
        self._at, folder = str(self._file), self._file.parent
        self._tokenizer = with_decoder(open_tokenizer(self._file), self._at)
        self.size = tokenizer_size(self._tokenizer)
        self.start, self.end, self.ends, self.padding = find_roles(
            self._tokenizer, folder, self._at
        )
        roles = {self.start, *self.ends, self.padding}
        # so that a text that spells one out is not taken for it
        self._tokenizer.add_special_tokens([self._name(number) for number in sorted(roles)])
        special, unknown = special_ids(self._tokenizer), unknown_ids(self._tokenizer, folder)
        # a word that cannot be spelled is still a word of a text, but none that can be read
        self._controls = frozenset(roles | (special - unknown))
        self._kinds = find_kinds(self._tokenizer, self.size, roles | special | unknown)
        # a text begins there, as after the start
        bert = is_word_pieces(self._tokenizer)
        self._separator = self.start if bert else find_newline(self._tokenizer)

    @property
    def separator(self) -> int:
        """Id of the piece between the texts of a pair.

        Raises:
            InputError: The tokenizer has none.
        """
        if self._separator is None:
            expected = "a piece for a newline, which parts the texts of a pair"
            do = "take a model with byte-level pieces, as GPT-2, or with BERT's word pieces"
            raise InputError(sentence(expected, "none", self._at, do))
        return self._separator

    def encode(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None
    ) -> tuple[Ids, Offsets]:
        """Pieces of texts, without start and end; a special piece that is spelled out is text.

        Args:
            texts: The texts, or the first ones of pairs.
            pairs: The second ones, as many.

        Returns:
            ids: int32[pieces].
            offsets: int64[texts + 1]; the pieces of a text are `ids[offsets[i]:offsets[i + 1]]`.

        Raises:
            InputError: There are pairs, and the tokenizer has no separator.
        """
        rows: Iterable[list[int]] = self._spell(texts)
        if pairs is not None:
            between, both = self.separator, zip(rows, self._spell(pairs), strict=True)
            rows = ([*first, between, *second] for first, second in both)
        ids, lengths = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
        left = iter(rows)
        while some := list(islice(left, _AT_ONCE)):
            lengths.append(np.fromiter(map(len, some), np.int64, len(some)))
            ids.append(np.fromiter(chain.from_iterable(some), np.int32, lengths[-1].sum()))
        return np.concatenate(ids), np.cumsum(np.concatenate(lengths))

    def _spell(self, texts: Sequence[str]) -> Iterator[list[int]]:
        for first in range(0, len(texts), _AT_ONCE):
            some = [normal(text) for text in texts[first : first + _AT_ONCE]]
            found = self._tokenizer.encode_batch_fast(some, add_special_tokens=False)
            for text, encoding in zip(some, found, strict=True):
                ids = encoding.ids
                yield ids if self._controls.isdisjoint(ids) else self._spell_out(text)

    def _spell_out(self, text: str) -> list[int]:
        """Ids of a text in which the tokenizer reads a special piece, as Unigram models do."""
        for number in sorted(self._controls):
            name = self._name(number)
            text = text.replace(name, f"{name[:1]} {name[1:]}")
        found = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [number for number in found if number not in self._controls]

    def decode(self, ids: Ids, offsets: Offsets) -> list[tuple[str, ...] | None]:
        """Texts of pieces.

        Args:
            ids: int32[pieces], without start and end.
            offsets: int64[rows + 1], where in `ids` rows begin, and the end of the last.

        Returns:
            Of each row the texts between separators, white space made one space; or None, where
            the pieces are no text: bytes that are no UTF-8, a special or unknown piece, an id that
            the tokenizer does not have, or the rest of a word (`##s`) with nothing before it.
        """
        ids, offsets = ids[offsets[0] : offsets[-1]], offsets - offsets[0]
        ids = np.where((ids >= 0) & (ids < self.size), ids, self.end)  # which is no text
        parting = ids == (-1 if self._separator is None else self._separator)
        parts = np.flatnonzero(parting)
        starts = np.sort(np.append(offsets[:-1], parts + 1))
        stops = np.sort(np.append(offsets[1:], parts))
        wrong = ~(self._kinds.is_text[ids] | parting)
        begun = starts[starts < stops]
        wrong[begun] |= self._kinds.continues[ids[begun]]
        texts = self._decode_parts(ids, starts, stops)
        rows = zip(_counts(wrong, offsets), _counts(parting, offsets), strict=True)
        return [_row(texts, parted + 1, faults) for faults, parted in rows]

    def _decode_parts(self, ids: Ids, starts: Offsets, stops: Offsets) -> Iterator[str]:
        for first in range(0, len(starts), _AT_ONCE):
            here = slice(first, first + _AT_ONCE)
            numbers, low = ids[starts[first] : stops[here][-1]].tolist(), starts[first]
            bounds = zip((starts[here] - low).tolist(), (stops[here] - low).tolist(), strict=True)
            rows = [numbers[begin:end] for begin, end in bounds]
            yield from self._tokenizer.decode_batch(rows, skip_special_tokens=False)

    def spelled(self, ids: Sequence[int] | Ids) -> list[str]:
        """What single pieces look like, for people; bytes that are no text by their names."""
        found = []
        for number in map(int, ids):
            name = self._name(number)
            # decoders take the space before a first word away
            text = name if "▁" in name else self._tokenizer.decode([number], False)
            found.append(name if not text or BROKEN in text else text.replace("▁", " "))
        return found

    def save(self, folder: Path) -> list[Path]:
        """Write the tokenizer so that it opens alike here and in transformers.

        Args:
            folder: An existing directory; files of these names are replaced.

        Returns:
            The files: `tokenizer.json` and what stands beside it, as they are.
        """
        beside = [self._file.with_name(name) for name in STATEMENTS]
        contents = {path.name: path.read_bytes() for path in beside if path.is_file()}
        contents[TOKENIZER] = self._file.read_bytes()
        # without it transformers takes the kind of tokenizer that such models usually have
        contents.setdefault("tokenizer_config.json", self._statement())
        for name, content in contents.items():
            write_atomic(folder / name, content)
        return sorted(folder / name for name in contents)

    def _statement(self) -> bytes:
        roles = {"bos": self.start, "eos": self.end, "pad": self.padding}
        return tokenizer_statement({role: self._name(number) for role, number in roles.items()})

    def _name(self, number: int) -> str:
        return self._tokenizer.id_to_token(number) or f"<{number}>"


def normal(text: str) -> str:
    """The text with white space made one space, and none around."""
    return " ".join(text.split())


def _row(texts: Iterator[str], parts: int, faults: int) -> tuple[str, ...] | None:
    found = tuple([normal(next(texts)) for _ in range(parts)])
    return None if faults or any(BROKEN in text for text in found) else found


def _counts(marks: npt.NDArray[np.bool_], offsets: Offsets) -> list[int]:
    """How many are marked in each row."""
    sums = np.append(0, np.cumsum(marks))
    counts: list[int] = np.diff(sums[offsets]).tolist()
    return counts
