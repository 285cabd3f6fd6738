from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from row_sets import MASK, UNK, child_of, commit, make_rows, row, without_ids

from transferset.errors import SetError
from transferset.report.measures import measure
from transferset.report.stats import rows_to_read, stats, type_token_curve


def test_stats_worked_out_by_hand(tmp_path):
    rows = [row(5, 6, 5), row(UNK), row(5, 7)]
    starts = np.ones(1000, np.bool_)
    starts[6] = False
    found = stats(make_rows(tmp_path / "set", rows), None, starts)
    assert (found["name"], found["root"], found["op"]) == ("set", str(tmp_path / "set"), "test")
    assert (found["rows"], found["tokens"], found["content_tokens"]) == (3, 12, 6)
    assert (found["types"], found["type_token_ratio"]) == (4, 4 / 6)
    assert (found["unknown"], found["unknown_share"]) == (1, 1 / 6)
    # lengths 5, 3, 4; the median is the second of three, and so are the quartiles' neighbours
    assert found["length"] == {
        "mean": 4.0,
        "min": 3,
        "max": 5,
        "quantiles": {"1": 3, "5": 3, "25": 3, "50": 4, "75": 5, "95": 5, "99": 5},
    }
    assert found["content_length"]["mean"] == 2.0
    # words: 5+6 and 5; [UNK]; 5 and 7
    assert found["words_per_row"] == {
        "mean": 5 / 3,
        "median": 2,
        "counted": "pieces that begin a word",
    }
    # 10^0, 10^¼ ≈ 2, 10^½ ≈ 3, and all; 10^¾ ≈ 6 is all, too
    assert found["type_token"] == [[1, 1], [2, 2], [3, 2], [6, 4]]
    assert found["statistics"] == []


def test_the_result_is_plain_json(tmp_path):
    parent = make_rows(tmp_path / "parent", [row(5, 6, 7)] * 3)
    child = make_rows(tmp_path / "child", [row(6, 5)], parents=[child_of(parent)])
    found = stats(child, parent, np.ones(1000, np.bool_))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_type_token_curve_is_that_of_a_plain_loop(tmp_path):
    drawn = (np.random.default_rng(3).random((200, 9)) ** 3 * 400).astype(int) + 5
    found = measure(make_rows(tmp_path / "set", [row(*r) for r in drawn.tolist()]), None)
    flat = drawn.ravel().tolist()
    # round(10^(k/4)) by hand, up to 1,800 tokens
    places = [1, 2, 3, 6, 10, 18, 32, 56, 100, 178, 316, 562, 1000, 1778, 1800]
    assert type_token_curve(found) == [[n, len(set(flat[:n]))] for n in places]


def test_the_curve_of_a_set_without_content_is_a_point(tmp_path):
    found = measure(make_rows(tmp_path / "set", [row(), row(MASK)]), None)
    assert type_token_curve(found) == [[0, 0]]


def test_a_child_is_compared_with_its_parent(tmp_path):
    parent = make_rows(tmp_path / "parent", [row(5, 6, 7), row(5, 6)])
    child = make_rows(tmp_path / "child", [row(7, 5, 6), row(5, 6)], parents=[child_of(parent)])
    away = stats(child, parent, None)["divergence"]
    assert (away["parent"], away["parent_root"]) == ("parent", str(parent.root))
    # the same tokens, so nothing at all between the unigrams
    assert away["unigram"] == {
        "kl": 0.0, "kl_reverse": 0.0, "js": 0.0, "outside": 0.0, "sampled_share": 1.0,
    }  # fmt: skip
    # bigrams: 7 5, 5 6 twice; the parent has 5 6 twice, 6 7. So ⅓ of tokens and ½ of types are new
    assert away["bigram"]["outside"] == pytest.approx(1 / 3)
    # JS: (⅔, ⅓, 0) and (⅔, 0, ⅓) with (⅔, ⅙, ⅙) in the middle: ⅓ log2(2) on either side
    assert away["bigram"]["js"] == pytest.approx(1 / 3)
    assert away["overlap"]["1"] == {"tokens": 1.0, "types": 1.0, "sampled_share": 1.0}
    assert away["overlap"]["2"]["tokens"] == pytest.approx(2 / 3)
    assert away["overlap"]["2"]["types"] == 0.5
    # trigrams: 7 5 6 against 5 6 7
    assert away["overlap"]["3"] == {"tokens": 0.0, "types": 0.0, "sampled_share": 1.0}


def test_sets_of_single_tokens_have_no_bigrams_to_compare(tmp_path):
    parent = make_rows(tmp_path / "parent", [row(5), row(6)])
    away = stats(make_rows(tmp_path / "child", [row(5)]), parent, None)["divergence"]
    assert away["unigram"]["outside"] == 0.0
    assert away["bigram"] is None
    assert away["overlap"]["2"] is None


def reason(found, parent=None) -> str:
    result = stats(found, parent, None)
    assert result["divergence"] is None
    return result["divergence_reason"]


def test_why_there_is_no_divergence(tmp_path):
    built = make_rows(tmp_path / "built", [row(5)])
    child = make_rows(tmp_path / "child", [row(5)], parents=[child_of(built)])
    parts = [{**child_of(built), "role": "part"}] * 2
    mixed = commit(
        make_rows(tmp_path / "mixed", [row(5)]).root, replace(child.manifest, parents=parts)
    )
    other = make_rows(tmp_path / "other", [row(5)], sha256="1" * 64)
    assert reason(built) == "it was not derived from another set"
    assert reason(child) == "its parent built is not beside it; name it with --parent"
    assert reason(mixed) == "it has 2 parents; name one with --parent"
    assert reason(child, other) == "other was made with another tokenizer"
    empty = make_rows(tmp_path / "empty", [row()])
    assert reason(empty, built) == "one of the two sets has no content tokens"


def test_a_set_without_content_has_no_shares(tmp_path):
    found = stats(make_rows(tmp_path / "set", [row()]), None, None)
    assert found["type_token_ratio"] is None
    assert found["unknown_share"] is None
    assert found["content_length"]["mean"] == 0.0
    assert found["words_per_row"] is None


def test_the_statistics_of_the_source_are_passed_on(tmp_path):
    one = {
        "source": 0, "pages": 1, "documents": 1, "sentences": 4, "words": 10, "text_bytes": 60,
        "words_per_sentence": [[1, 2], [4, 2]],
    }  # fmt: skip
    found = make_rows(tmp_path / "set", [row(5)])
    found = commit(found.root, replace(found.manifest, statistics=[one]))
    (given,) = stats(found, None, None)["statistics"]
    assert (given["sentences"], given["words_per_sentence_mean"]) == (4, 2.5)
    assert given["words_per_sentence_median"] == 2.5


@pytest.mark.parametrize("sha256", ["0" * 64, "1" * 64])
def test_progress_ends_at_the_rows_to_read(tmp_path, sha256):
    parent = make_rows(tmp_path / "parent", [row(5, 6)] * 7)
    child = make_rows(tmp_path / "child", [row(5, 6)] * 3, sha256=sha256)
    for given in (None, parent):
        told: list[int] = []
        stats(child, given, None, told.append)
        assert sum(told) == rows_to_read(child, given)


def test_a_set_whose_ids_the_manifest_does_not_name_is_damaged(tmp_path):
    with pytest.raises(SetError, match="the manifest's columns, found input_ids"):
        stats(without_ids(make_rows(tmp_path / "set", [row(10)])), None, None)
