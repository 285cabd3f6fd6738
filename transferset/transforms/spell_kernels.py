"""Compiled loops over rows of words: how long they are spelled out, and spelling them out."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from transferset.compiled import kernel
from transferset.transforms.framing import longest_first
from transferset.transforms.wording import MASKED

#: The code of a word that is spelled with the one before it.
SPELLED: Final = -2


@kernel
def count_pieces(words: Any, piece_at: Any, run_at: Any) -> Any:
    """How many ids each row has.

    Args:
        words: Rows; a code from the number of words on is that of a run.
        piece_at: Offsets of the words' pieces.
        run_at: Offsets of the runs' pieces.

    Returns:
        int64[rows].
    """
    known = len(piece_at) - 1
    lengths = np.empty(len(words.offsets) - 1, np.int64)
    for i in range(len(lengths)):
        length = 0
        for j in range(words.offsets[i], words.offsets[i + 1]):
            code = words.codes[j]
            if 0 <= code < known:
                length += piece_at[code + 1] - piece_at[code]
            elif code >= known:
                length += run_at[code - known + 1] - run_at[code - known]
            elif code == MASKED:
                length += 1
        lengths[i] = length
    return lengths


@kernel
def cut_lengths(first: Any, second: Any, room: Any, pairs: Any) -> Any:
    """Cut rows that are too long.

    Args:
        first: int64[rows], ids of each first text; are changed to what is kept.
        second: Of each second text; without pairs they mean nothing.
        room: Most content ids of a row.
        pairs: Whether rows are pairs.

    Returns:
        How many ids are not kept.
    """
    cut = 0
    for i in range(len(first)):
        a, b = first[i], second[i] if pairs else 0
        kept = longest_first(a, b, room) if pairs else (min(a, room), 0)
        cut += a + b - kept[0] - kept[1]
        first[i] = kept[0]
        if pairs:
            second[i] = kept[1]
    return cut


@kernel
def place_pieces(
    words: Any,
    pieces: Any,
    piece_at: Any,
    run_pieces: Any,
    run_at: Any,
    mask: Any,
    sep: Any,
    at: Any,
    kept: Any,
    ids: Any,
) -> None:
    """Write the ids of each row, and [SEP] after them.

    Args:
        words: As in `count_pieces`.
        pieces: Of all words.
        piece_at: Their offsets.
        run_pieces: Of all runs.
        run_at: Their offsets.
        mask: Id of [MASK].
        sep: Id of [SEP].
        at: int64[rows], where each row's ids begin.
        kept: int64[rows], how many are written.
        ids: What they are written to.
    """
    known = len(piece_at) - 1
    for i in range(len(at)):
        place, end = at[i], at[i] + kept[i]
        for j in range(words.offsets[i], words.offsets[i + 1]):
            code = words.codes[j]
            if 0 <= code < known:
                for k in range(
                    piece_at[code], min(piece_at[code + 1], piece_at[code] + end - place)
                ):
                    ids[place] = pieces[k]
                    place += 1
            elif code >= known:
                run = code - known
                for k in range(run_at[run], min(run_at[run + 1], run_at[run] + end - place)):
                    ids[place] = run_pieces[k]
                    place += 1
            elif code == MASKED and place < end:
                ids[place] = mask
                place += 1
        ids[end] = sep


@kernel
def text_offsets(words: Any, text_at: Any, mask_size: Any) -> Any:
    """Where the text of each row begins.

    Args:
        words: Rows.
        text_at: Offsets of the words' bytes.
        mask_size: Bytes of the mask piece.

    Returns:
        int64[rows + 1].
    """
    starts = np.zeros(len(words.offsets), np.int64)
    for i in range(len(starts) - 1):
        size = 0
        begin, end = words.offsets[i], words.offsets[i + 1]
        for j in range(begin, end):
            code = words.codes[j]
            size += mask_size if code == MASKED else text_at[code + 1] - text_at[code]
            size += words.space[j] != 0 and j + 1 < end
        starts[i + 1] = starts[i] + size
    return starts


@kernel
def write_texts(words: Any, text: Any, text_at: Any, mask: Any, target: Any) -> None:
    """Write the bytes of all rows, one after the other.

    Args:
        words: Rows.
        text: Bytes of all words.
        text_at: Their offsets.
        mask: uint8, the mask piece.
        target: What they are written to.
    """
    place = 0
    for i in range(len(words.offsets) - 1):
        begin, end = words.offsets[i], words.offsets[i + 1]
        for j in range(begin, end):
            code = words.codes[j]
            if code == MASKED:
                for k in range(len(mask)):
                    target[place] = mask[k]
                    place += 1
            else:
                for k in range(text_at[code], text_at[code + 1]):
                    target[place] = text[k]
                    place += 1
            if words.space[j] != 0 and j + 1 < end:
                target[place] = 32
                place += 1
