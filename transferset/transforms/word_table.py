"""Every word that a step's rows can have: its pieces, its bytes, and what it does to neighbours.

A word is known by its code, its place in the order of the words' UTF-8 bytes. The files are mapped,
so that all workers share them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint64

from transferset.compiled import inlined, kernel
from transferset.errors import InputError, SetError, sentence
from transferset.files import HashingFile
from transferset.transforms.protocol import Spelling

#: Flags of a word: whether what touches it there can change its pieces.
OPEN_BEFORE: Final = 1
OPEN_AFTER: Final = 2

#: Offsets have 32 bits.
MOST_BYTES: Final = (1 << 31) - 1

#: Words that are spelled at once.
_AT_ONCE: Final = 1 << 16

_1 = uint64(1)

Array = npt.NDArray[Any]


def build_table(folder: Path, words: pa.StringArray, spelling: Spelling) -> None:
    """Write the table of some words.

    Args:
        folder: Where; there is one table in a folder.
        words: Different words in the order of their UTF-8 bytes.
        spelling: How they are spelled.

    Raises:
        InputError: They have more pieces than 31 bits can count.
    """
    data, starts = utf8(words)
    pieces, lengths, edges = [], [], []
    for texts in _slices(words):
        ids, offsets = spelling.spell(texts)
        before, after = spelling.edges(texts)
        pieces.append(ids.astype(np.int32))
        lengths.append(np.diff(offsets))
        edges.append(before * np.uint8(OPEN_BEFORE) | after * np.uint8(OPEN_AFTER))
    piece_starts = np.append(0, np.cumsum(_joined(lengths, np.int64)))
    if piece_starts[-1] > MOST_BYTES:
        found = f"{piece_starts[-1]:,}"
        raise InputError(sentence("words of fewer than 2**31 pieces", found, do="vary fewer rows"))
    _write(folder, "text", data)
    _write(folder, "text_at", starts)
    _write(folder, "pieces", _joined(pieces, np.int32))
    _write(folder, "piece_at", piece_starts.astype(np.int32))
    _write(folder, "edges", _joined(edges, np.uint8))


def _slices(words: pa.StringArray) -> Iterator[list[str]]:
    for start in range(0, len(words), _AT_ONCE):
        yield words.slice(start, _AT_ONCE).to_pylist()


def _joined(arrays: list[Array], kind: npt.DTypeLike) -> Array:
    return np.concatenate([np.zeros(0, kind), *arrays])


def _path(folder: Path, name: str) -> Path:
    return folder / f"words-{name.replace('_', '-')}.npy"


def _write(folder: Path, name: str, array: Array) -> None:
    with HashingFile(_path(folder, name)) as sink:
        np.lib.format.write_array(sink, array, allow_pickle=False)
        sink.commit()


class WordTable:
    """A table that is open; kernels read its arrays.

    Attributes:
        text: uint8, bytes of all words.
        text_at: int32[words + 1]: word c is `text[text_at[c]:text_at[c + 1]]`.
        pieces: int32, ids of all words.
        piece_at: int32[words + 1], likewise.
        edges: uint8[words], `OPEN_BEFORE` and `OPEN_AFTER`.
    """

    def __init__(
        self, text: Array, text_at: Array, pieces: Array, piece_at: Array, edges: Array
    ) -> None:
        self.text, self.text_at = text, text_at
        self.pieces, self.piece_at = pieces, piece_at
        self.edges = edges

    def __len__(self) -> int:
        """Words."""
        return len(self.edges)

    @property
    def words(self) -> pa.StringArray:
        """The words by code, without a copy."""
        buffers = [pa.py_buffer(self.text_at), pa.py_buffer(self.text)]
        return pa.StringArray.from_buffers(len(self), *buffers)

    def codes(self, words: pa.StringArray | pa.ListArray) -> npt.NDArray[np.int32]:
        """The codes of words.

        Args:
            words: Words, or lists of them, which are taken one after the other.

        Returns:
            int32[words].

        Raises:
            InputError: A word is not in the table, or null.
        """
        if pa.types.is_list(words.type):
            words = words.flatten()
        if words.null_count:
            raise InputError(sentence("words", "a null", "the column words"))
        codes = np.empty(len(words), np.int32)
        _find(self.text, self.text_at, self._slots, *utf8(words), codes)
        if len(codes) and codes.min() < 0:
            word = words[int(np.argmin(codes))].as_py()
            do = "fit the step on the rows that it varies"
            raise InputError(sentence("words of the table", repr(word), "the column words", do))
        return codes

    @cached_property
    def _slots(self) -> npt.NDArray[np.int32]:
        """Codes by the hash of their words, 8 to 16 bytes a word; see `_settle`."""
        slots = np.full(1 << (2 * len(self)).bit_length(), -1, np.int32)
        _settle(self.text, self.text_at, slots)
        return slots


def open_table(folder: Path) -> WordTable:
    """Map the table in a folder.

    Args:
        folder: Where `build_table` wrote it.

    Raises:
        SetError: A file is missing or damaged.
    """
    kinds = {"text": "u1", "text_at": "i4", "pieces": "i4", "piece_at": "i4", "edges": "u1"}
    found = {name: _mapped(_path(folder, name), np.dtype(kind)) for name, kind in kinds.items()}
    for flat, at in (("text", "text_at"), ("pieces", "piece_at")):
        starts = found[at]
        whole = len(starts) == len(found["edges"]) + 1
        # kernels read wherever offsets say
        if not (whole and starts[0] == 0 and starts[-1] == len(found[flat]) and _ascends(starts)):
            raise SetError(sentence("offsets of words", "others", str(_path(folder, at))))
    table = WordTable(**found)
    try:
        table.words.validate(full=True)
    except pa.ArrowInvalid as error:
        raise SetError(sentence("UTF-8", str(error), str(_path(folder, "text")))) from None
    return table


def _ascends(starts: Array) -> bool:
    return bool((starts[1:] >= starts[:-1]).all())


def _mapped(path: Path, kind: np.dtype[Any]) -> Array:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SetError(sentence("a table of words", str(error), str(path))) from None
    if array.dtype != kind or array.ndim != 1:
        found = f"{array.dtype} of {array.ndim} dimensions"
        raise SetError(sentence(f"{kind} of one dimension", found, str(path)))
    return np.asarray(array)


def utf8(words: pa.StringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The bytes of strings, and int32[strings + 1] offsets from 0; neither may be written to."""
    _, at, data = words.buffers()
    if at is None or not len(words):
        return _read_only(np.zeros(0, np.uint8)), _read_only(np.zeros(1, np.int32))
    offsets = np.frombuffer(at, np.int32)[words.offset : words.offset + len(words) + 1]
    values = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    values = values[offsets[0] : offsets[-1]]
    return _read_only(values), _read_only(offsets - offsets[0])


def _read_only(array: Array) -> Array:
    # as mapped files are, so that kernels are compiled for one type
    view = array.view()
    view.flags.writeable = False
    return view


@inlined
def _hash(text: Any, begin: Any, end: Any) -> Any:
    """FNV-1a of 64 bits (Fowler, Noll & Vo), its upper half mixed into the lower."""
    mixed = uint64(0xCBF29CE484222325)
    for i in range(begin, end):
        mixed = (mixed ^ uint64(text[i])) * uint64(0x100000001B3)
    return mixed ^ (mixed >> uint64(32))


@kernel
def _settle(text: Any, text_at: Any, slots: Any) -> None:
    """Give each word a place in empty slots, of which half stay free."""
    last = uint64(len(slots) - 1)
    for code in range(len(text_at) - 1):
        slot = _hash(text, uint64(text_at[code]), uint64(text_at[code + 1])) & last
        while slots[slot] >= 0:
            slot = (slot + _1) & last
        slots[slot] = code


@kernel
def _find(text: Any, text_at: Any, slots: Any, sought: Any, sought_at: Any, found: Any) -> None:
    """The code of each word that is sought, or −1."""
    last = uint64(len(slots) - 1)
    for i in range(len(found)):
        begin, end = uint64(sought_at[i]), uint64(sought_at[i + 1])
        slot = _hash(sought, begin, end) & last
        while slots[slot] >= 0 and not _same(text, text_at, slots[slot], sought, begin, end):
            slot = (slot + _1) & last
        found[i] = slots[slot]


@inlined
def _same(text: Any, text_at: Any, code: Any, sought: Any, begin: Any, end: Any) -> Any:
    at = uint64(text_at[code])
    same = uint64(text_at[code + 1]) - at == end - begin
    j = uint64(0)
    while same and j < end - begin:
        same = text[at + j] == sought[begin + j]
        j += _1
    return same
