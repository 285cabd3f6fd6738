from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import make_rows, row

from transferset.errors import SetError, TransfersetError
from transferset.report.shared_rows import Shared, shared_rows

ROWS = st.lists(
    st.lists(st.sampled_from([5, 6]), max_size=3).map(lambda c: row(*c)), min_size=1, max_size=15
)


def expected(a, b) -> Shared:
    """By counting."""
    of_a, of_b = Counter(a), Counter(b)
    return Shared(
        shared=(of_a & of_b).total(),
        a_in_b=sum(n for key, n in of_a.items() if key in of_b),
        b_in_a=sum(n for key, n in of_b.items() if key in of_a),
        different_a=len(of_a),
        different_b=len(of_b),
        different_shared=len(of_a.keys() & of_b.keys()),
    )


def test_rows_shared_worked_out_by_hand(tmp_path):
    a = make_rows(tmp_path / "a", [row(5, 6)] * 3 + [row(6, 5), row(7)])
    b = make_rows(tmp_path / "b", [row(5, 6), row(8), row(5, 6), row(6, 6)])
    rows, bags = shared_rows(a, b)
    # 5 6 stands three times in A and twice in B
    assert rows == Shared(2, 3, 2, 3, 3, 1)
    # in any order, 5 6 stands four times in A
    assert bags == Shared(2, 4, 2, 2, 3, 1)


@settings(deadline=None, max_examples=40)
@given(a=ROWS, b=ROWS, part_rows=st.sampled_from([1, 4, 1 << 19]))
def test_what_is_shared_is_that_of_multisets_in_parts_of_any_size(a, b, part_rows):
    with TemporaryDirectory() as folder:
        sets = [make_rows(Path(folder) / name, rows) for name, rows in (("a", a), ("b", b))]
        rows, bags = shared_rows(*sets, part_rows=part_rows)
    assert rows == expected(map(tuple, a), map(tuple, b))
    assert bags == expected((tuple(sorted(r)) for r in a), (tuple(sorted(r)) for r in b))


def test_many_rows_in_many_parts(tmp_path):
    a, b = (np.random.default_rng(seed).integers(5, 60, (20_000, 2)).tolist() for seed in (1, 2))
    sets = [make_rows(tmp_path / n, [row(*r) for r in x]) for n, x in (("a", a), ("b", b))]
    told: list[int] = []
    rows, bags = shared_rows(*sets, told.append, part_rows=1000)
    assert rows == expected(map(tuple, a), map(tuple, b))
    assert bags == expected((tuple(sorted(r)) for r in a), (tuple(sorted(r)) for r in b))
    assert sum(told) == 40_000


def test_temporary_files_go(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    found = make_rows(tmp_path / "set", [row(5)] * 3)
    shared_rows(found, found)
    next(found.root.glob("*.arrow")).write_bytes(b"")
    with pytest.raises(SetError):
        shared_rows(found, found)
    assert not list((tmp_path / "scratch").iterdir())


def test_no_room_for_temporary_files_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    found = make_rows(tmp_path / "set", [row(5)])
    with pytest.raises(TransfersetError, match=r"room for temporary files, .*set TMPDIR"):
        shared_rows(found, found)
