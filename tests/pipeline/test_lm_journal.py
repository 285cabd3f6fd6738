"""The journal of a sampling task: whatever a kill leaves of it, what is read back is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transferset.pipeline.lm_sample.journal import Journal, Sampled, joined, tally

ROWS = st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 70_000), max_size=5)), max_size=4)


def sampled(first: int, rows: list[tuple[bool, list[int]]]) -> Sampled:
    return Sampled(
        np.arange(first, first + len(rows), dtype=np.uint64),
        np.array([finished for finished, _ in rows], np.bool_),
        np.array([len(pieces) for _, pieces in rows], np.int32),
        np.array([piece for _, pieces in rows for piece in pieces], np.int32),
    )


def same(a: Sampled, b: Sampled) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@given(st.lists(ROWS, max_size=4), st.data())
def test_a_cut_file_gives_the_whole_blocks_before_the_cut(tmp_path_factory, blocks, data) -> None:
    path: Path = tmp_path_factory.mktemp("j") / "0.journal"
    written, ends = [], []
    with Journal(path, "work") as journal:
        for number, block in enumerate(blocks):
            written.append(sampled(100 * number, block))
            journal.append(written[-1])
            ends.append(path.stat().st_size)
    cut = data.draw(st.integers(0, path.stat().st_size))
    with path.open("r+b") as file:
        file.truncate(cut)
    whole = [block for block, end in zip(written, ends, strict=True) if end <= cut]
    with Journal(path, "work") as journal:
        assert same(journal.known, joined(whole))
        journal.append(sampled(7, [(True, [1])]))  # and it goes on behind them
    with Journal(path, "work") as journal:
        assert same(journal.known, joined([*whole, sampled(7, [(True, [1])])]))


def test_the_rows_of_another_work_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"
    with Journal(path, "seed 1") as journal:
        journal.append(sampled(0, [(True, [1, 2])]))
    with Journal(path, "seed 2") as journal:
        assert len(journal.known.rows) == 0


def test_a_flipped_byte_ends_the_journal_there(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"
    with Journal(path, "work") as journal:
        journal.append(sampled(0, [(True, [1, 2])]))
        middle = path.stat().st_size
        journal.append(sampled(1, [(False, [3])]))
    raw = bytearray(path.read_bytes())
    raw[middle + 9] ^= 1
    path.write_bytes(raw)
    with Journal(path, "work") as journal:
        assert journal.known.rows.tolist() == [0]


def test_the_tally_counts_rows_and_pieces_by_heads(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"
    assert tally(path) == (0, 0)
    with Journal(path, "work") as journal:
        journal.append(sampled(0, [(True, [1, 2]), (False, [])]))
        journal.append(sampled(2, [(True, [5])]))
    assert tally(path) == (3, 3)


@given(ROWS, st.randoms(use_true_random=False))
def test_rows_in_order_keep_their_pieces(rows, random) -> None:
    whole = sampled(0, rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    mixed = joined([sampled(number, [rows[number]]) for number in order])
    assert same(mixed.in_order(), whole)


def test_a_wild_head_is_the_end(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"
    with Journal(path, "work") as journal:
        journal.append(sampled(0, [(True, [1, 2])]))
    with path.open("ab") as file:
        file.write(b"\xff" * 500)  # rows and pieces by the thousand millions
    with Journal(path, "work") as journal:
        assert journal.known.rows.tolist() == [0]
