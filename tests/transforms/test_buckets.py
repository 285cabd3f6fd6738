"""Records by bucket, through files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.transforms import buckets
from transferset.transforms.buckets import Buckets

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=30, deadline=None)


@pytest.mark.parametrize("held_bytes", [1, 100, 8 << 20])
@EXAMPLES
@given(
    added=st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1 << 31)), max_size=20)),
    read_bytes=st.sampled_from([8, 24, 1 << 20]),
)
def test_a_bucket_gives_its_records_in_the_order_in_which_they_came(
    tmp_path_factory, held_bytes, added, read_bytes
):
    folder = tmp_path_factory.mktemp("buckets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_HELD_BYTES", held_bytes)
        patch.setattr(buckets, "_READ_BYTES", read_bytes)
        made = Buckets(folder, "some", 7, np.uint64)
        for pairs in added:
            made.add(np.array([b for b, _ in pairs], np.uint64), np.array([r for _, r in pairs]))
        found = {b: [int(r) for piece in pieces for r in piece] for b, pieces in made.read()}
    assert found == {b: [r for pairs in added for c, r in pairs if c == b] for b in range(7)}
    assert list(folder.iterdir()) == [], "the files are gone"


def test_more_buckets_than_16_bits_can_tell(tmp_path):
    made = Buckets(tmp_path, "some", 70_000, np.uint32)
    made.add(np.array([69_999, 5, 69_999, 65_541]), np.array([1, 2, 3, 4]))
    found = {b: np.concatenate([*pieces, []]).tolist() for b, pieces in made.read()}
    assert {b: r for b, r in found.items() if r} == {5: [2], 65_541: [4], 69_999: [1, 3]}
