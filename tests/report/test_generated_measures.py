"""Rows that a language model wrote are measured beside natural ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from generated_sets import SOURCES, make_generated
from label_sets import make_labelled
from row_sets import CLS, MASK, SEP, row

from transferset.errors import SetError
from transferset.report import generated_measures as measuring
from transferset.report import generated_rows
from transferset.report.generated_measures import generated_measures, natural_side
from transferset.report.generated_rows import Side, addresses
from transferset.report.stats import rows_to_read, stats

NATURAL = [[5, 6, 7, 8, 9], [5, 6], [10, 11, 12, 13, 14, 15, 16, 17, 18]]
GENERATED = [
    [5, 6, 7, 8, 20],  # one of two 4-grams is natural
    [10, 11, 12, 13, 14, 15, 16, 17, 18],  # a copy
    [5, 6],  # another one
    [30, 31, 32, 33, 30, 31, 32, 33],
]


@pytest.fixture
def found(tmp_path):
    return make_generated(tmp_path / "set", NATURAL, GENERATED)


def measures(found, natural=1, parent=None, progress=None):
    return generated_measures(found, natural_side(found, natural, parent), progress)


def in_order(rows, first=0):
    """Rows by the addresses of their numbers, which begin at `first`."""
    order = np.argsort(addresses(first + np.arange(len(rows))), kind="stable")
    return [rows[i] for i in order]


def cut(rows, tokens):
    kept = []
    for one in rows:
        if sum(map(len, kept)) < tokens:
            kept.append(one[: tokens - sum(map(len, kept))])
    return kept


def distinct_of(rows, order):
    found = [tuple(one[i : i + order]) for one in rows for i in range(len(one) - order + 1)]
    return len(set(found)) / len(found)


def test_copies_are_counted_by_hand(found):
    facts = measures(found)
    assert facts["copied_rows"] == {"rows": 2, "share": 0.5}
    # different ones of each row: 2 and one natural; 6, all natural; none; 4
    assert facts["generated"]["in_natural"] == {"4": (1 + 6) / (2 + 6 + 4), "8": 2 / (2 + 1)}
    assert facts["natural"]["in_natural"] == {"4": 0.0, "8": 0.0}
    assert facts["generated"]["repetition"] == 1 / (2 + 6 + 5)
    assert facts["generated"]["repeated_rows"] == 0


def test_both_sides_are_cut_to_one_number_of_tokens(found):
    facts = measures(found)
    assert facts["tokens"] == 16  # the natural ones have fewer
    for side, rows, first in (("natural", NATURAL, 0), ("generated", GENERATED, 3)):
        same = cut(in_order(rows, first), 16)
        assert sum(map(len, same)) == 16
        expected = {str(n): distinct_of(same, n) for n in (1, 2, 3)}
        assert facts[side]["distinct"] == pytest.approx(expected)
        assert facts[side]["looked_at"] == 1.0
        assert facts[side]["rows"] == len(rows)
        assert facts[side]["content_tokens"] == sum(map(len, rows))


def test_lengths_and_divergences_by_hand(tmp_path):
    found = make_generated(tmp_path / "set", [[5], [6, 5]], [[5, 5], [7, 7]])
    facts = measures(found)
    # lengths: half 1, half 2 beside all 2; unigrams: 5 ⅔, 6 ⅓ beside 5 ½, 7 ½
    half = 0.5 * np.log2(0.5 / 0.25) + 0.5 * np.log2(0.5 / 0.75)
    assert facts["js"]["length"] == pytest.approx((half + np.log2(1 / 0.75)) / 2)
    p, q = np.array([2 / 3, 1 / 3, 0]), np.array([1 / 2, 0, 1 / 2])
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.nansum(p * np.log2(p / m)) / 2 + np.nansum(q * np.log2(q / m)) / 2
    assert facts["js"]["unigram"] == pytest.approx(bits)
    assert facts["natural"]["length"]["quantiles"]["50"] == 1
    assert facts["lengths"] == {
        "edges": [0, 1, 2, 3], "longer": False, "generated": [0, 0, 2], "natural": [0, 1, 1],
    }  # fmt: skip


def test_rows_alike_diverge_by_nothing(tmp_path):
    facts = measures(make_generated(tmp_path / "set", NATURAL, NATURAL[::-1]))
    assert facts["js"] == {"length": pytest.approx(0, abs=1e-12),
                           "unigram": pytest.approx(0, abs=1e-12)}  # fmt: skip
    assert facts["copied_rows"]["share"] == 1.0
    assert facts["generated"]["in_natural"] == {"4": 1.0, "8": 1.0}


def test_special_tokens_end_n_grams_and_are_no_tokens(tmp_path):
    pair = [5, 6, SEP, 7, 8]
    found = make_generated(tmp_path / "set", [pair], [[5, 6, 7, 8], pair, [5, 6, MASK, 7, 8, CLS]])
    facts = measures(found)
    assert facts["generated"]["content_tokens"] == 12
    assert facts["generated"]["in_natural"]["4"] == 0.0
    assert facts["copied_rows"]["rows"] == 2  # a [MASK] parts as a [SEP] does
    assert facts["natural"]["distinct"] == {"1": 1.0, "2": 1.0, "3": None}


def test_natural_rows_of_the_parent_are_taken_where_the_set_has_none(tmp_path, found):
    parent = make_labelled(tmp_path / "parent", {"input_ids": [row(*one) for one in NATURAL]})
    child = make_generated(tmp_path / "child", [], GENERATED)
    facts = measures(child, 0, parent)
    assert facts["natural"] | {"set": "", "root": ""} == measures(found)["natural"] | {
        "set": "", "root": "",
    }  # fmt: skip
    assert facts["natural"]["set"] == "parent"
    assert facts["copied_rows"] == {"rows": 2, "share": 0.5}


def test_written_rows_of_the_parent_are_not_natural(tmp_path, found):
    child = make_generated(tmp_path / "child", [], GENERATED)
    assert measures(child, 0, found)["natural"]["rows"] == len(NATURAL)
    alone = measures(child, 0, make_generated(tmp_path / "other", [], GENERATED))
    assert alone["natural"] is None


def test_without_natural_rows_nothing_is_compared(tmp_path):
    facts = measures(make_generated(tmp_path / "set", [], GENERATED), 0)
    nothing = [facts[name] for name in ("natural", "js", "copied_rows")]
    assert nothing == [None, None, None]
    assert facts["generated"]["in_natural"] is None
    assert facts["tokens"] == 24
    assert facts["generated"]["distinct"]["1"] == distinct_of(GENERATED, 1)


def test_empty_rows_do_no_harm(tmp_path):
    facts = measures(make_generated(tmp_path / "set", [[]], [[], []]))
    assert facts["tokens"] == 0
    assert facts["generated"]["distinct"] == {"1": None, "2": None, "3": None}
    assert facts["js"] == {"length": 0.0, "unigram": None}
    assert facts["copied_rows"]["rows"] == 2
    assert json.dumps(facts, allow_nan=False)


def many(count, seed):
    draw = np.random.default_rng(seed)
    return [draw.integers(5, 30, 1 + i % 7).tolist() for i in range(count)]


def test_cutting_into_shards_and_batches_makes_no_difference(tmp_path):
    natural, generated = many(300, 1), many(12_000, 2)  # more than a batch
    one = measures(make_generated(tmp_path / "one" / "set", natural, generated))
    other = make_generated(tmp_path / "two" / "set", natural, generated, shards=[150, 5000, 3])
    again = measures(other)
    for facts in (one, again):
        for side in ("natural", "generated"):
            facts[side]["root"] = ""
    assert again == one


def test_of_large_sets_the_first_rows_in_random_order_are_looked_at(tmp_path, monkeypatch):
    generated = many(4000, 3)
    found = make_generated(tmp_path / "set", [[5]], generated)
    tokens = sum(map(len, generated))
    whole, numbers = Side(found, generated=True).gather(tokens)
    assert sorted(numbers.tolist()) == list(range(1, 4001))
    monkeypatch.setattr(generated_rows, "MOST_TOKENS", tokens // 4)
    some, chosen = Side(found, generated=True).gather(tokens)
    assert chosen.tolist() == numbers[: len(chosen)].tolist()
    assert some.offsets.tolist() == whole.offsets[: len(chosen) + 1].tolist()
    # 1000 ± 27 rows are expected (binomial); five times that
    assert 860 < len(chosen) < 1140


def test_the_limit_is_stated(tmp_path, monkeypatch):
    found = make_generated(tmp_path / "set", many(10, 1), many(4000, 3))
    monkeypatch.setattr(generated_rows, "MOST_TOKENS", 4000)
    monkeypatch.setattr(measuring, "MOST_TOKENS", 4000)
    facts = measures(found)
    assert facts["most_tokens"] == 4000
    assert 0.2 < facts["generated"]["looked_at"] < 0.3
    assert facts["generated"]["rows"] == 4000
    assert facts["natural"]["looked_at"] == 1.0


def test_addresses_are_uniform_and_of_a_row_alone():
    keys = addresses(np.arange(1 << 14))
    assert (addresses(np.arange(5000, 6000)) == keys[5000:6000]).all()
    assert addresses(np.array([1 << 40])) != addresses(np.array([0]))
    counts = np.bincount((keys >> np.uint64(60)).astype(np.int64), minlength=16)
    # χ² with 15 degrees of freedom is above 44.3 once in 10,000 times
    assert ((counts - 1024) ** 2 / 1024).sum() < 44.3


def test_examples_are_twenty_rows_that_the_model_wrote(tmp_path):
    texts = [f"text {i}" for i in range(60)]
    columns = {"finished": [True, False] * 30, "text_pair": [f"pair {i}" for i in range(60)]}
    found = make_generated(tmp_path / "set", many(30, 1), many(30, 2), texts=texts, columns=columns)
    shown = measures(found)["examples"]
    assert [one["row"] for one in shown] == in_order(list(range(30, 60)), 30)[:20]
    for one in shown:
        assert one["text"] == f"text {one['row']}"
        assert one["text_pair"] == f"pair {one['row']}"
        assert one["finished"] is (one["row"] % 2 == 0)
        assert one["input_ids"] is None


def test_of_a_set_without_text_ids_are_given_and_long_texts_are_cut(tmp_path):
    plain = make_generated(tmp_path / "plain", [], [[5, 6]], columns={"text": None})
    assert measures(plain, 0)["examples"] == [
        {"row": 0, "text": None, "text_pair": None, "finished": True, "input_ids": [2, 5, 6, 3]}
    ]
    long = make_generated(tmp_path / "long", [], [[5]], texts=["x" * 5000])
    assert measures(long, 0)["examples"][0]["text"] == "x" * 1999 + "…"


def test_progress_ends_at_the_rows_to_read(tmp_path, found):
    parent = make_labelled(tmp_path / "parent", {"input_ids": [row(*one) for one in NATURAL]})
    child = make_generated(tmp_path / "child", [], GENERATED)
    for one, of in ((found, None), (found, parent), (child, parent), (child, None)):
        told: list[int] = []
        stats(one, of, None, told.append)
        assert sum(told) == rows_to_read(one, of)


def test_damage_is_named(tmp_path):
    found = make_generated(tmp_path / "set", NATURAL, [[5, 1], [6]])
    shard = found.root / found.manifest.shards[0].file
    raw = bytearray(shard.read_bytes())
    place = raw.index(np.array([CLS, 5, 1, SEP], np.uint16).tobytes())
    raw[place + 2 : place + 4] = b"\xff\xff"
    shard.write_bytes(raw)
    with pytest.raises(SetError, match=r"ids below 1000.*row 3"):
        measures(found)


def test_sources_without_a_model_make_no_difference(tmp_path):
    found = make_generated(tmp_path / "set", NATURAL, GENERATED, sources=SOURCES[:1])
    assert stats(found, None, None)["generated"] is None
