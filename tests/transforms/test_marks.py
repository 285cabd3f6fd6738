"""Marked rows in a file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.transforms import marks
from transferset.transforms.marks import Marks, make_marks, write_marks

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=30, deadline=None)

ADDRESS = st.tuples(st.integers(0, 12) | st.integers(1 << 40, (1 << 40) + 3), st.integers(0, 4))


def columns(addresses):
    rows = np.array([row for row, _ in addresses], np.uint64)
    return rows, np.array([copy for _, copy in addresses], np.uint32)


@pytest.mark.parametrize("stride", [1, 2, 3, 1024])
@EXAMPLES
@given(
    marked=st.dictionaries(ADDRESS, st.integers(1, 9)),
    asked=st.sets(ADDRESS),
    cut=st.integers(1, 20),
)
def test_rows_are_found_as_they_were_marked(tmp_path_factory, stride, marked, asked, cut):
    folder = tmp_path_factory.mktemp("marks")
    addresses, asked = sorted(marked), sorted(asked)
    times = np.array([marked[a] for a in addresses], np.uint32)
    whole = make_marks(*columns(addresses), times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_STRIDE", stride)
        pieces = (whole[i : i + cut] for i in range(0, len(whole), cut))
        assert write_marks(folder, pieces) == len(marked)
        found, before = Marks(folder).of(*columns(asked))
    assert found.tolist() == [marked.get(a, 0) for a in asked]
    first = asked[0] if asked else (0, 0)
    assert before == sum(t for (r, c), t in marked.items() if r == first[0] and c < first[1])
