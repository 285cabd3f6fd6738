"""Mixing sets: exact proportions, one random order, where each row comes from."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from deriving import files_of, rows_of
from hypothesis import given
from hypothesis import strategies as st
from sets import make_set

import transferset
from transferset import Mask, SetError, Shuffle, UsageError
from transferset.manifest import MANIFEST, Manifest
from transferset.pipeline import ranges
from transferset.pipeline.mix_plan import apportion
from transferset.verification import verify


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    a = make_set(folder / "a", [12_000, 3_000], text=True)
    b = transferset.derive(a.root, folder / "b", steps=[Shuffle()], seed=1, workers=1)
    c = make_set(folder / "c", [2_000])
    return a, b, c


@given(st.integers(1, 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_counts_add_up_and_each_is_next_to_its_share(total, weights):
    shares = [Fraction(w, sum(weights) or 1) for w in weights]
    if not sum(weights):
        return
    counts = apportion(total, shares)
    assert sum(counts) == total
    assert all(abs(n - total * share) < 1 for n, share in zip(counts, shares, strict=True))


def test_equal_remainders_go_to_the_first():
    assert apportion(10, [Fraction(1, 4)] * 4) == (3, 3, 2, 2)


def counts_of(found):
    parts = found.manifest.params["parts"]
    return {parts[k]: n for k, n in Counter(rows_of(found)["part"].to_pylist()).items()}


def test_proportions_are_exact(sets, tmp_path):
    a, b, _ = sets
    sources = [f"{a.root}:0.7", (b.root, 0.3)]
    found = transferset.mix(sources, tmp_path / "mix", rows="10k", seed=4, workers=1)
    verify(found.root)
    first, second = found.manifest.params["parts"]
    assert counts_of(found) == {first: 7000, second: 3000}
    assert {e["reason"]: e["count"] for e in found.manifest.ledger} == {"not_sampled": 20_000}


def test_without_rows_the_weights_decide_how_much_there_can_be(sets, tmp_path):
    a, _, c = sets  # 15,000 and 2,000 rows: half and half is 2,000 of each
    found = transferset.mix([f"{a.root}:1", f"{c.root}:1"], tmp_path / "mix", workers=1)
    assert sorted(counts_of(found).values()) == [2000, 2000]


def test_without_weights_everything_is_taken(sets, tmp_path):
    found = transferset.mix([s.root for s in sets], tmp_path / "mix", workers=1)
    assert sorted(counts_of(found).values()) == [2000, 15_000, 15_000]
    assert found.manifest.ledger == []


def test_every_row_is_one_of_its_part(sets, tmp_path):
    a, b, c = sets
    found = transferset.mix([a.root, b.root, c.root], tmp_path / "mix", workers=1)
    rows = rows_of(found)
    for code, one in enumerate(sets):
        mine = rows.filter(np.asarray(rows["part"]) == code)
        both = [
            Counter(
                zip(t["doc_id"].to_pylist(), map(tuple, t["input_ids"].to_pylist()), strict=True)
            )
            for t in (mine, rows_of(one))
        ]
        assert both[0] == both[1]


def test_the_order_is_one_uniform_shuffle(sets, tmp_path):
    # 15,000 and 15,000 rows: in each of 20 stretches of 1,500 rows about 750 of each; the
    # hypergeometric standard deviation is 18.9, so a stretch beyond 95 is 5 sigma
    a, b, _ = sets
    found = transferset.mix([a.root, b.root], tmp_path / "mix", seed=2, workers=1)
    part = np.asarray(rows_of(found)["part"]).astype(int).reshape(20, 1500)
    assert np.abs(part.sum(axis=1) - 750).max() < 95
    # and rows of one part are not in the order that they had
    docs = np.asarray(rows_of(found)["doc_id"])[part.ravel() == 0].astype(np.int64)
    assert abs(np.corrcoef(docs, np.arange(len(docs)))[0, 1]) < 0.05


def test_siblings_are_chosen_independently(sets, tmp_path):
    # the same rows of a and of its shuffled sibling would be no better than one set: of 1,500 and
    # 1,500 of 15,000 rows about 150 are common, standard deviation 11
    a, b, _ = sets
    found = transferset.mix([f"{a.root}:1", f"{b.root}:1"], tmp_path / "m", rows=3000, workers=1)
    rows = rows_of(found)
    docs = [set(np.asarray(rows["doc_id"])[np.asarray(rows["part"]) == k].tolist()) for k in (0, 1)]
    assert 90 < len(docs[0] & docs[1]) < 210


@pytest.mark.slow
def test_same_bytes_at_any_number_of_workers_and_ranges(sets, tmp_path, monkeypatch):
    a, b, c = sets
    options = {"rows": 4000, "seed": 9, "shards": 3}
    sources = [f"{a.root}:2", f"{b.root}:1", f"{c.root}:1"]
    one = transferset.mix(sources, tmp_path / "one", workers=1, **options)
    two = transferset.mix(sources, tmp_path / "two", workers=2, **options)
    monkeypatch.setattr(ranges, "SURVEY_BYTES", 20_000)
    many = transferset.mix(sources, tmp_path / "many", workers=1, **options)
    assert files_of(one.root) == files_of(two.root) == files_of(many.root)


def test_a_mix_of_mixes_knows_the_first_parts(sets, tmp_path):
    a, b, c = sets
    inner = transferset.mix([a.root, b.root], tmp_path / "inner", workers=1)
    outer = transferset.mix([inner.root, c.root], tmp_path / "outer", workers=1)
    assert len(outer.manifest.params["parts"]) == 3
    assert sorted(counts_of(outer).values()) == [2000, 15_000, 15_000]
    assert [p["op"] for p in outer.manifest.parents] == ["mix", "test"]


def test_columns_that_only_some_have_are_named(sets, tmp_path):
    found = transferset.mix([s.root for s in sets], tmp_path / "mix", workers=1)
    assert found.manifest.params["left_out"] == ["text"]
    assert "text" not in found.schema.names
    assert "doc_id" in found.schema.names


def test_text_is_kept_where_all_have_it(sets, tmp_path):
    a = sets[0]
    other = make_set(tmp_path / "other", [100], text=True)
    found = transferset.mix([a.root, other.root], tmp_path / "mix", workers=1)
    rows = rows_of(found)
    assert rows["text"].to_pylist() == [f"row {i}" for i in rows["doc_id"].to_pylist()]


@pytest.mark.parametrize(
    ("sources", "rows", "message"),
    [
        (["A:1", "C:1"], 5000, "expected 2,500 rows, found 2,000 at .*with_replacement"),
        (["A:1", "C"], None, "a weight for every set"),
        (["A:0", "C:0"], None, "a weight above 0"),
        ([("A", "x"), ("C", 1)], None, "a weight like 0.7"),
        ([], None, "1 to 65535 sets"),
        (["A", "C"], "0", "--rows like"),
        (["A:70", "C:30%"], None, "all weights in %"),
    ],
)
def test_wrong_requests_get_one_sentence(sets, tmp_path, sources, rows, message):
    names = {"A": str(sets[0].root), "C": str(sets[2].root)}

    def real(source):
        if isinstance(source, tuple):
            return names[source[0]], source[1]
        return names[source[0]] + source[1:]

    with pytest.raises(UsageError, match=message):
        transferset.mix([real(s) for s in sources], tmp_path / "mix", rows=rows, workers=1)
    assert not (tmp_path / "mix").exists()


def test_sets_of_different_tokenizers_do_not_mix(sets, tmp_path):
    other = make_set(tmp_path / "other", [10])
    raw = json.loads((other.root / MANIFEST).read_bytes())
    manifest = other.manifest
    changed = {**raw["tokenizer"], "sha256": "1" * 64}
    body = Manifest(
        **{f: getattr(manifest, f) for f in Manifest.__dataclass_fields__ if f != "tokenizer"},
        tokenizer=changed,
    )
    (other.root / MANIFEST).write_bytes(body.to_bytes())
    with pytest.raises(UsageError, match="the tokenizer of toy, found another"):
        transferset.mix([sets[0].root, other.root], tmp_path / "mix", workers=1)


def test_labels_are_not_lost(sets, tmp_path):
    masked = transferset.derive(sets[0].root, tmp_path / "masked", steps=[Mask(0.2)], workers=1)
    with pytest.raises(UsageError, match="labels in all sets or in none"):
        transferset.mix([masked.root, sets[2].root], tmp_path / "mix", workers=1)
    both = transferset.mix([masked.root, masked.root], tmp_path / "both", workers=1)
    assert "labels" in both.schema.names
    verify(both.root)


def test_a_parent_is_not_written_over(sets):
    with pytest.raises((UsageError, SetError)):
        transferset.mix([sets[0].root, sets[2].root], sets[0].root, workers=1)
    verify(sets[0].root)
