"""Rows that fit: what is longer than asked becomes several rows, and no content id is lost."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from transferset.tokens.cuts import Bools, cuts
from transferset.tokens.engines import Ids, Offsets

Ints = npt.NDArray[np.int64]
#: A row's parts: ids of each, and the span of text of each.
Parts = tuple[list[Ids], list[str]]


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
    source: Ints


def parted(
    texts: list[str],
    ids: Ids,
    offsets: Offsets,
    max_len: int,
    analyse: Callable[[str, Ids], Encoding],
) -> Rows:
    """Put the parts of rows that are too long in the place of these rows.

    Args:
        texts: The rows' texts.
        ids: Their flat ids.
        offsets: Their len(texts) + 1 offsets.
        max_len: Longest row in ids, [CLS] and [SEP] included; ≥ 3.
        analyse: Gives the offsets and words of the content tokens, from a text and their ids.
    """
    lengths = np.diff(offsets)
    if not texts or lengths.max() <= max_len:
        return Rows(ids, offsets, texts, np.arange(len(texts)))
    rows: list[Ids] = []
    spans: list[str] = []
    counts = np.ones(len(texts), np.int64)
    done = 0
    out_lengths: list[Ints] = []
    for i in np.flatnonzero(lengths > max_len).tolist():
        row = ids[offsets[i] : offsets[i + 1]]
        cut = parts(texts[i], row, max_len, analyse(texts[i], row[1:-1]))
        counts[i] = len(cut[0])
        rows += [ids[offsets[done] : offsets[i]], *cut[0]]
        spans += [*texts[done:i], *cut[1]]
        out_lengths += [lengths[done:i], np.array([len(row) for row in cut[0]], np.int64)]
        done = i + 1
    rows.append(ids[offsets[done] :])
    ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *out_lengths, lengths[done:]]))
    source = np.repeat(np.arange(len(texts)), counts)
    return Rows(np.concatenate(rows), ends, [*spans, *texts[done:]], source)


def parts(text: str, row: Ids, max_len: int, encoding: Encoding) -> Parts:
    """Cut one row that is too long.

    Args:
        text: Its text.
        row: Its ids, [CLS] and [SEP] included.
        max_len: Longest part in ids, [CLS] and [SEP] included; ≥ 3.
        encoding: Offsets and words of its content tokens.

    Returns:
        The ids of the parts, each between [CLS] and [SEP], and the span of text of each.
    """
    content = row[1:-1]
    begins, spaced, starts = layout(text, encoding)
    points = cuts(spaced, starts, np.diff(begins, prepend=-1) > 0, max_len - 2)
    edges = [0, *begins[points[1:-1]].tolist(), len(text)]
    return (
        [np.concatenate([row[:1], content[a:b], row[-1:]]) for a, b in itertools.pairwise(points)],
        [text[a:b].strip() for a, b in itertools.pairwise(edges)],
    )


def layout(text: str, encoding: Encoding) -> tuple[Ints, Bools, Bools]:
    """Lay the content tokens of a text out on it.

    Args:
        text: The text.
        encoding: Its content tokens.

    Returns:
        For each token: the character where it begins, whether a space stands before it, and
        whether it starts a word.
    """
    edges = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    begins = np.maximum.accumulate(edges[:, 0])
    before = np.concatenate([np.zeros(1, np.int64), edges[:-1, 1]])
    spaces = np.array([match.start() for match in re.finditer(r"\s", text)], np.int64)
    # Models that mark spaces count the space to the token after it, hence + 1.
    spaced = np.searchsorted(spaces, begins + 1) > np.searchsorted(spaces, before)
    words = np.array([-1 if word is None else word for word in encoding.word_ids], np.int64)
    return begins, spaced, np.diff(words, prepend=-2) != 0
