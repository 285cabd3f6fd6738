"""What a set says of its rows that a language model wrote, and what is refused."""

from __future__ import annotations

import json

import pytest
from generated_sets import LEDGER, PREFIXES, SAMPLING, SOURCES, make_generated

from transferset import shards
from transferset.errors import SetError
from transferset.report.generated import LOST, generated_of
from transferset.report.generated_grids import OUTCOMES, attempts_in_short, in_short
from transferset.report.inspect import row_facts
from transferset.verification import verify

NATURAL, GENERATED = [[5, 6], [5, 7]], [[5, 8], [5, 9], [5, 10], [5, 11]]


def made(tmp_path, **given):
    return make_generated(tmp_path / "set", NATURAL, GENERATED, **given)


def test_rows_and_attempts_by_what_came_of_them(tmp_path):
    found = made(tmp_path, columns={"finished": [True, False, True, True, False, True]})
    facts = generated_of(found)
    assert facts["models"] == ["gpt2-toy"]
    assert (facts["rows"], facts["natural"], facts["finished"]) == (4, 2, 3)
    assert facts["sampling"] == {
        "wanted": 4, "attempts": 10, "kept": 4, "finished": 9, "originals": 2, "pieces": 70,
        "multiple": 3.0, "outcomes": {
            "kept": 4, "unfinished": 1, "undecodable": 0, "blank": 0, "not_a_pair": 0,
            "repeated": 3, "copied": 2, "copied_evaluation": 0, "surplus": 0,
        },
    }  # fmt: skip
    assert facts["base"] == SAMPLING["base"]
    assert json.dumps(facts, allow_nan=False)


def test_prefixes_by_frequency(tmp_path):
    known = generated_of(made(tmp_path))["prefixes"]
    assert known == {
        "rows": 4, "different": 2, "js": None, "first": [
            {"piece": "Ġa", "rows": 3, "share": 0.75}, {"piece": "Ġthe", "rows": 1, "share": 0.25},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("drawn", "js"),
    [([2, 6, 0], 0.0), ([0, 0, 4], 1.0), ([1, 2], None), ([0, 0, 0], None), ([-1, 2, 3], None)],
)
def test_prefixes_that_were_drawn_are_compared_with_those_wanted(tmp_path, drawn, js):
    found = made(tmp_path, sampling={**SAMPLING, "drawn": drawn})
    assert generated_of(found)["prefixes"]["js"] == (None if js is None else pytest.approx(js))


def test_a_set_derived_from_a_sampled_one_still_knows_which_rows_were_written(tmp_path):
    found = made(tmp_path, sampling=None, prefixes=None, columns={"finished": None})
    facts = generated_of(found)
    assert (facts["rows"], facts["natural"], facts["finished"]) == (4, 2, None)
    assert [facts[name] for name in ("sampling", "prefixes", "base")] == [None] * 3


def test_two_models_are_told_apart_from_two_corpora(tmp_path):
    sources = [*SOURCES, {**SOURCES[1], "code": 2, "file": "other"}, {**SOURCES[0], "code": 1}]
    columns = {"source": [0, 1, 2, 2, 3, 3]}
    facts = generated_of(made(tmp_path, sources=sources, columns=columns))
    assert (facts["models"], facts["rows"], facts["natural"]) == (["gpt2-toy", "other"], 4, 2)


@pytest.mark.parametrize(
    "given",
    [
        {"sources": SOURCES[:1]},
        {"sources": [{**SOURCES[1], "code": 3, "kind": "corpus"}]},
        {"columns": {"source": None}},
        {"columns": {"source": [0] * 6}},
    ],
)
def test_a_set_without_such_rows_has_none(tmp_path, given):
    assert row_facts(made(tmp_path, **given))["generated"] is None


HUGE = {"perplexity": 1e300, "rows": 1, "pieces": 1}

WRONG = [
    ({**SAMPLING, "attempts": -1}, "member attempts"),
    ({**SAMPLING, "kept": "4"}, "member kept"),
    ({**SAMPLING, "multiple": True}, "member multiple"),
    ({**SAMPLING, "base": {"model": "x"}}, "a member natural"),
    ({**SAMPLING, "base": {**SAMPLING["base"], "written": 20.5}}, "member base.written"),
    ({**SAMPLING, "base": {**SAMPLING["base"], "natural": HUGE}}, "base.natural.perplexity"),
    ({k: v for k, v in SAMPLING.items() if k != "finished"}, "a member finished"),
    ([], "an object"),
    (b"{", "an account of sampling as JSON"),
    (b'{"attempts": NaN}', "a member wanted"),
]


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_an_account_of_another_shape_is_refused(tmp_path, body, message):
    with pytest.raises(SetError, match=message) as caught:
        generated_of(made(tmp_path, sampling=body))
    assert "sampling.json" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {**PREFIXES, "counts": [1, 2]}, {**PREFIXES, "counts": [1, 2, -3]}, {"ids": []},
        {**PREFIXES, "pieces": [1, 2, 3]}, {**PREFIXES, "counts": [(1 << 62), (1 << 62), 1]},
    ],
)  # fmt: skip
def test_prefixes_of_another_shape_are_refused(tmp_path, body):
    with pytest.raises(SetError, match=r"prefixes\.json"):
        generated_of(made(tmp_path, prefixes=body))


def test_damaged_accounts_are_refused(tmp_path):
    found = made(tmp_path)
    path = found.root / "_tables" / "sampling.json"
    path.write_bytes(path.read_bytes().replace(b'"kept": 4', b'"kept": 5'))
    with pytest.raises(SetError, match="other bytes than its manifest says"):
        generated_of(found)


def test_a_null_in_finished_is_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_compact", lambda column: column)  # which refuses to write one
    found = made(tmp_path, columns={"finished": [True, True, None, True, True, True]})
    with pytest.raises(SetError, match="a finished in every row"):
        generated_of(found)
    with pytest.raises(SetError, match=r"finished in every row, found a row without.*row 2;"):
        verify(found.root)


def test_whether_rows_are_finished_is_verified(tmp_path):
    assert len(verify(made(tmp_path, columns={"finished": [True, False] * 3}).root)) == 6


def test_every_outcome_has_words():
    assert set(OUTCOMES) == {"kept", *map(str, LOST)}


def test_sentences(tmp_path):
    facts = generated_of(made(tmp_path, columns={"finished": [True] * 5 + [False]}))
    assert in_short(facts) == "4 of 6 rows by gpt2-toy, 1 of them not finished"
    assert attempts_in_short(facts["sampling"]) == (
        "4 of 10 attempts kept; 1 not finished, 3 repeated and 2 copies of given rows"
    )
    assert attempts_in_short({**SAMPLING, "outcomes": {"kept": 4}}) == "4 of 10 attempts kept"


def test_the_ledger_of_the_toy_set_accounts_for_all_attempts():
    assert SAMPLING["kept"] + sum(entry["count"] for entry in LEDGER) == SAMPLING["attempts"]
