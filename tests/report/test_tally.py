from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transferset.report.tally import LONGEST, Tally

pairs = st.lists(st.tuples(st.sampled_from("abcdefgh "), st.integers(0, 9)), max_size=80)


def tallied(documents, capacity: int, every: int = 7) -> Tally:
    tally = Tally(capacity)
    for start in range(0, len(documents), every):
        some = documents[start : start + every]
        texts, rows = [a for a, _ in some], [n for _, n in some]
        tally.add(pa.array(texts, pa.string()), pa.array(rows, pa.uint32()))
    return tally


def summed(documents) -> tuple[Counter[str], Counter[str]]:
    count, rows = Counter(), Counter()
    for text, n in documents:
        count[text] += 1
        rows[text] += n
    return count, rows


@given(pairs, st.integers(1, 30))
def test_with_room_for_all_everything_is_exact(documents, every):
    tally = tallied(documents, 100, every)
    count, rows = summed(documents)
    expected = sorted(set(count) - {" "}, key=lambda t: (-rows[t], -count[t], t))
    assert [(c.text, c.documents, c.rows) for c in tally.top(99)] == [
        (text, count[text], rows[text]) for text in expected
    ]
    assert tally.exact
    assert tally.lost == 0
    assert (tally.unstated.documents, tally.unstated.rows) == (count[" "], rows[" "])


@given(pairs, st.integers(1, 5), st.integers(1, 30))
def test_without_room_counts_are_too_low_by_a_known_amount(documents, capacity, every):
    tally = tallied(documents, capacity, every)
    _, rows = summed([one for one in documents if one[0] != " "])
    top = {c.text: c.rows for c in tally.top(99)}
    assert len(top) <= capacity
    assert tally.lost * (capacity + 1) <= sum(rows.values())
    for text, n in rows.items():
        assert n - tally.lost <= top.get(text, 0) <= n
    if tally.exact:
        assert set(top) == set(rows)


def test_a_frequent_text_is_found_among_very_many():
    documents = [(f"author {i}", 1) for i in range(5000)]
    documents[::10] = [("Austen, Jane", 5)] * 500
    tally = tallied(documents, 64, 100)
    first, *_ = tally.top(1)
    assert first.text == "Austen, Jane"
    assert 2500 - tally.lost <= first.rows <= 2500
    assert not tally.exact
    assert tally.distinct <= 64  # memory does not grow with what there is


def test_texts_are_trimmed_and_bounded():
    tally = Tally()
    long = "x" * 100_000
    tally.add(pa.array([" a ", "a", None, long]), pa.array([1, 2, 4, 8], pa.uint32()))
    assert [(c.text, c.rows) for c in tally.top(9)] == [("x" * LONGEST, 8), ("a", 3)]
    assert tally.unstated.rows == 4
