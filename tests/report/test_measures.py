from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import CLS, MASK, PAD, SEP, UNK, commit, make_rows, row, without_ids
from sets import make_set

from transferset.errors import SetError, UsageError
from transferset.report.measures import mean, measure, quantiles

CONTENT = st.sampled_from([UNK, MASK, *range(5, 15)])
ROWS = st.lists(st.lists(CONTENT, max_size=6).map(lambda c: row(*c)), min_size=1, max_size=12)


def table(*starts: int) -> np.ndarray:
    """A table of pieces that start a word: these, and specials."""
    marked = np.zeros(1000, np.bool_)
    marked[[PAD, UNK, CLS, SEP, MASK, *starts]] = True
    return marked


def test_a_set_worked_out_by_hand(tmp_path):
    rows = [
        row(10, 11, 10),  # 3 content tokens: positions 0 1 2
        row(UNK, 12),  # 2: positions 3 4
        row(),
        [CLS, 10, 13, SEP, 14, 10, SEP],  # a pair, 4: positions 5 6 7 8
        [CLS, MASK, 11, SEP, PAD, PAD],  # 1: position 9
    ]
    # 10, 12 and 14 begin words, 11 and 13 continue one
    found = measure(make_rows(tmp_path / "set", rows, shards=[2]), table(10, 12, 14))
    assert (found.rows, found.tokens, found.content_tokens, found.unknown) == (5, 24, 10, 1)
    assert found.lengths.tolist() == [1, 1, 1, 1, 1]
    assert found.total_lengths.tolist() == [0, 0, 1, 0, 1, 1, 1, 1]
    counts = {UNK: 1, 10: 4, 11: 2, 12: 1, 13: 1, 14: 1}
    assert {i: int(n) for i, n in enumerate(found.token_counts) if n} == counts
    seen = {UNK: 3, 10: 0, 11: 1, 12: 4, 13: 6, 14: 7}
    assert {i: int(n) for i, n in enumerate(found.first_seen) if n >= 0} == seen
    # words: 10+11, 10 | [UNK], 12 | none | 10+13, 14, 10 | 11, which begins one, being first
    assert found.words is not None
    assert found.words.tolist() == [1, 1, 2, 1]
    assert found.columns == ("input_ids",)
    assert found.text_bytes is None
    assert found.bytes == sum(p.stat().st_size for p in (tmp_path / "set").glob("*.arrow"))


def test_the_first_piece_of_a_segment_begins_a_word_whatever_the_table_says(tmp_path):
    pair = [CLS, 10, 10, SEP, 10, SEP]
    found = measure(make_rows(tmp_path / "set", [pair]), table())
    assert found.words is not None
    assert found.words.tolist() == [0, 0, 1]


def test_words_are_unknown_without_a_table(tmp_path):
    assert measure(make_rows(tmp_path / "set", [row(10)]), None).words is None


@pytest.mark.parametrize("size", [5, 2000])
def test_a_table_of_another_length_is_taken_as_far_as_it_goes(tmp_path, size):
    found = measure(make_rows(tmp_path / "set", [row(10, 11)]), np.ones(size, np.bool_))
    assert found.words is not None
    assert found.words.tolist() == [0, *([1] if size == 5 else [0, 1])]


def test_text_is_counted_in_utf8_bytes(tmp_path):
    texts = {"text": ["é", "", "abc"], "text_pair": ["漢", "x", ""]}
    found = make_rows(tmp_path / "set", [row(10)] * 3, columns=texts, shards=[1])
    assert measure(found, None).text_bytes == 2 + 3 + 3 + 1  # é, abc, 漢, x


def test_ids_of_four_bytes_count_alike(tmp_path):
    rows = [row(10, 11, 999), row(999)]
    narrow = measure(make_rows(tmp_path / "a", rows), None)
    wide = measure(make_rows(tmp_path / "b", rows, ids=pa.int32()), None)
    assert narrow.token_counts.tolist() == wide.token_counts.tolist()
    assert narrow.first_seen.tolist() == wide.first_seen.tolist()


@settings(deadline=None, max_examples=40)
@given(ROWS, st.data())
def test_counts_are_those_of_a_plain_loop_however_the_set_is_sharded(rows, data):
    cut = data.draw(st.integers(0, len(rows)))
    with TemporaryDirectory() as folder:
        found = measure(make_rows(Path(folder) / "set", rows, shards=[cut]), None)
    content = [[i for i in r if i not in (PAD, CLS, SEP, MASK)] for r in rows]
    flat = [i for r in content for i in r]
    assert {i: int(n) for i, n in enumerate(found.token_counts) if n} == Counter(flat)
    assert {i: int(n) for i, n in enumerate(found.first_seen) if n >= 0} == {
        i: flat.index(i) for i in flat
    }
    assert {i: int(n) for i, n in enumerate(found.lengths) if n} == Counter(map(len, content))
    assert {i: int(n) for i, n in enumerate(found.total_lengths) if n} == Counter(map(len, rows))


def test_progress_is_told_of_every_row(tmp_path):
    told: list[int] = []
    measure(make_set(tmp_path / "set", rows=[12_000, 100]), None, told.append)
    assert told == [10_000, 2_000, 100]


def test_a_set_whose_ids_the_manifest_does_not_name_is_damaged(tmp_path):
    found = without_ids(make_rows(tmp_path / "set", [row(10)]))
    with pytest.raises(SetError, match="the manifest's columns, found input_ids"):
        measure(found, None)


def test_a_set_without_a_tokenizer_is_refused(tmp_path):
    found = make_rows(tmp_path / "set", [row(10)])
    with pytest.raises(UsageError, match="names its tokenizer"):
        measure(commit(found.root, replace(found.manifest, tokenizer=None)), None)


def test_a_vocabulary_that_would_fill_memory_is_refused(tmp_path):
    with pytest.raises(UsageError, match="at most 2,097,152 pieces"):
        measure(make_rows(tmp_path / "set", [row(10)], vocab_size=1 << 40), None)


@pytest.mark.parametrize(("ids", "wrong"), [(pa.uint16(), 1000), (pa.int32(), -1)])
def test_an_id_outside_the_vocabulary_is_damage_and_its_row_is_named(tmp_path, ids, wrong):
    found = make_rows(tmp_path / "set", [row(10), row(10), row(11, wrong)], ids=ids)
    with pytest.raises(SetError, match=f"expected ids below 1000, found {wrong} at .*, row 2"):
        measure(found, None)


def test_special_ids_outside_the_vocabulary_are_damage(tmp_path):
    with pytest.raises(SetError, match=r"special ids below 4, found \[MASK\]"):
        measure(make_rows(tmp_path / "set", [row()], vocab_size=4), None)


def test_rows_that_the_manifest_does_not_know_are_damage(tmp_path):
    found = make_rows(tmp_path / "set", [row(10)] * 3)
    entry = replace(found.manifest.shards[0], rows=2)
    with pytest.raises(SetError, match=r"2 rows, .* found 3 rows"):
        measure(commit(found.root, replace(found.manifest, shards=(entry,))), None)


def test_bytes_that_are_no_stream_are_damage(tmp_path):
    found = make_rows(tmp_path / "set", [row(10)] * 3)
    path = next(found.root.glob("*.arrow"))
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(SetError, match="a readable shard"):
        measure(found, None)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=50),
    st.lists(st.integers(0, 100), min_size=1, max_size=5),
)
def test_a_quantile_is_the_value_at_its_rank(values, percents):
    # by definition: the smallest value with at least q of all values at or below it
    ranks = [max(1, math.ceil(percent * len(values) / 100 - 1e-9)) for percent in percents]
    expected = [sorted(values)[rank - 1] for rank in ranks]
    assert quantiles(np.bincount(values), [p / 100 for p in percents]) == expected


def test_a_quantile_is_exact_where_binary_fractions_are_not():
    # 0.07 × 100 = 7.000000000000001 in floating point, whose ceiling is 8
    assert quantiles(np.bincount(range(1, 101)), [0.07, 0.5, 0, 1]) == [7, 50, 1, 100]


def test_the_mean_of_a_histogram_is_that_of_its_values():
    assert mean(np.bincount([1, 2, 6])) == 3
    assert mean(np.zeros(3, np.int64)) == 0


def test_a_shard_of_other_columns_is_damage(tmp_path):
    found = make_rows(tmp_path / "set", [row(10)], columns={"doc_id": [1]})
    for schema in ({"input_ids": "list<uint16>", "text": "string"}, {"input_ids": "list<int32>"}):
        wrong = commit(found.root, replace(found.manifest, schema=schema))
        with pytest.raises(SetError, match="the manifest's columns, found input_ids, doc_id"):
            measure(wrong, None)


def test_columns_that_the_format_does_not_know_are_damage(tmp_path):
    found = make_rows(tmp_path / "set", [row(10)])
    schema = {"input_ids": "list<uint16>", "poison": "string"}
    with pytest.raises(SetError, match="poison"):
        measure(commit(found.root, replace(found.manifest, schema=schema)), None)
