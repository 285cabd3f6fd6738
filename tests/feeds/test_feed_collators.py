"""Collators: what models are given, by hand and against the rules stated elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from label_sets import ids, make_labelled
from sets import make_set
from teacher_sets import make_logits, make_top

from transferset.errors import InputError, SetError, UsageError
from transferset.feeds import Batch, MappedRows, MaskedLm, Padding
from transferset.feeds.batching import Place
from transferset.masking import Masking, rates_of

SPECIAL = [0, 1, 2, 3, 4]


def batch(found, rows, epoch=0, columns=None):
    numbers = np.array(rows, np.int64)
    got = MappedRows(found, columns).gather(numbers)
    return Batch(numbers, got, Place(epoch, 0, 0, 0))


def plain(rows, fill, multiple=1):
    width = -(-max(map(len, rows)) // multiple) * multiple
    return [[*row, *[fill] * (width - len(row))] for row in rows]


def test_rows_are_padded_with_the_sets_own_piece(tmp_path):
    found = make_labelled(tmp_path / "set", {"input_ids": ids(9)})
    made = Padding(found, multiple=4).arrays(batch(found, [4, 0, 4]))
    rows = [ids(9)[i] for i in (4, 0, 4)]
    assert made["input_ids"].tolist() == plain(rows, 0, 4)
    assert made["attention_mask"].tolist() == plain([[1] * len(row) for row in rows], 0, 4)
    assert list(made) == ["input_ids", "attention_mask"]


def test_labels_of_classes_and_none(tmp_path):
    found = make_labelled(
        tmp_path / "set",
        {"input_ids": ids(3), "label": [1, None, 0]},
        names={"label": ["no", "yes"]},
    )
    made = Padding(found).arrays(batch(found, [0, 1, 2]))
    assert made["labels"].tolist() == [1, -100, 0]
    assert made["labels"].dtype == np.int64


def test_scores_and_none(tmp_path):
    found = make_labelled(
        tmp_path / "set", {"input_ids": ids(3), "label": [0.5, None, 2.0]}, score=True
    )
    labels = Padding(found).arrays(batch(found, [2, 1, 0]))["labels"]
    assert labels.dtype == np.float32
    assert np.array_equal(labels, np.array([2, np.nan, 0.5], np.float32), equal_nan=True)


@pytest.mark.parametrize("texts", [True, False])
def test_pairs_have_token_types_whether_texts_are_there_or_not(tmp_path, texts):
    rows = [[2, 5, 3, 6, 7, 3], [2, 8, 9, 3, 6, 3]]
    columns = {"text": ["a", "b"], "text_pair": ["c", "d"]} if texts else {}
    found = make_labelled(tmp_path / "set", {"input_ids": rows, **columns})
    made = Padding(found).arrays(batch(found, [0, 1]))
    assert made["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]]
    assert "token_type_ids" not in Padding(found, pair=False).arrays(batch(found, [0]))


def test_single_texts_have_none_unless_asked_for(tmp_path):
    found = make_labelled(tmp_path / "set", {"input_ids": ids(4)})
    assert not Padding(found).pair
    made = Padding(found, pair=True).arrays(batch(found, [1]))
    assert made["token_type_ids"].tolist() == [[0] * len(ids(4)[1])]


def test_logits_are_float32_beside_the_labels(tmp_path):
    found = make_logits(tmp_path / "set")
    made = Padding(found).arrays(batch(found, [8, 16]))
    assert made["logits"].tolist() == [[1, 0], [2, 1]]
    assert made["logits"].dtype == np.float32
    assert made["labels"].tolist() == [0, 0]


def test_a_masked_teachers_highest_logits_stand_at_their_places(tmp_path):
    found = make_top(tmp_path / "set")
    rows = [3, 0, 9]  # row 0 asks nothing
    made = Padding(found, multiple=8).arrays(batch(found, rows))
    whole = found.rows(rows).to_pydict()
    assert made["labels"].tolist() == plain(whole["labels"], -100, 8)
    asked = made["labels"].ravel() != -100
    assert made["positions"].tolist() == np.flatnonzero(asked).tolist()
    assert made["top_ids"].ravel().tolist() == [one for row in whole["top_ids"] for one in row]
    assert made["top_logits"].ravel().tolist() == [z for row in whole["top_logits"] for z in row]
    assert made["tail"].tolist() == [one for row in whole["tail"] for one in row]
    assert made["top_ids"].shape == made["top_logits"].shape == (asked.sum(), 3)


def test_a_teacher_that_said_less_than_was_asked(tmp_path):
    found = make_top(tmp_path / "set")
    one = batch(found, [3])
    short = one.columns["tail"]
    one.columns["tail"] = type(short)(short.values[:-1], short.offsets - [0, 1])
    with pytest.raises(SetError, match="tail for each label, found others at row 3"):
        Padding(found).arrays(one)


def test_a_row_that_is_too_long(tmp_path):
    found = make_labelled(tmp_path / "set", {"input_ids": ids(5)})
    assert Padding(found, length=7).arrays(batch(found, [0]))["input_ids"].shape == (1, 7)
    with pytest.raises(InputError, match="at most 4 ids"):
        Padding(found, length=4).arrays(batch(found, [4]))


def test_masks_are_those_of_the_package_by_seed_epoch_and_row(tmp_path):
    found = make_set(tmp_path / "set", [300])
    rule = Masking(rates_of(1000, SPECIAL, share=0.5), 4, 11)
    rows = [250, 3, 77]
    for epoch in (0, 5):
        made = MaskedLm(found, share=0.5, seed=11).arrays(batch(found, rows, epoch))
        got = MappedRows(found, ["input_ids"]).gather(np.array(rows))["input_ids"]
        old = got.values.astype(np.int32)
        masked = rule(old, got.offsets, np.array(rows), epoch)
        lists = [
            masked.ids[a:b].tolist() for a, b in zip(got.offsets, got.offsets[1:], strict=False)
        ]
        assert made["input_ids"].tolist() == plain(lists, 0)
        present = made["attention_mask"] == 1
        labels = np.full(len(old), -100)
        labels[masked.positions] = old[masked.positions]
        assert np.array_equal(made["labels"][present], labels)
        assert (made["labels"][~present] == -100).all()


def test_a_rows_masks_do_not_depend_on_its_batch(tmp_path):
    found = make_set(tmp_path / "set", [300])
    collate = MaskedLm(found, share=0.5)
    whole = collate.arrays(batch(found, list(range(300)), 2))
    for row in (0, 17, 299):
        alone = collate.arrays(batch(found, [row], 2))
        width = alone["input_ids"].shape[1]
        assert np.array_equal(whole["input_ids"][row, :width], alone["input_ids"][0])
        assert np.array_equal(whole["labels"][row, :width], alone["labels"][0])


def test_rates_are_the_stated_ones(tmp_path):
    """Some 110,000 pieces: 15 % is known to 0.11 points, 80 % of these to 0.31; 4 σ are allowed."""
    found = make_set(tmp_path / "set", [20_000])
    rows = batch(found, list(range(20_000)))
    before = Padding(found).arrays(rows)["input_ids"]
    made = MaskedLm(found).arrays(rows)
    content = ~np.isin(before, SPECIAL)
    chosen = made["labels"] != -100
    assert not (chosen & ~content).any()
    assert chosen.sum() / content.sum() == pytest.approx(0.15, abs=0.0044)
    after = made["input_ids"][chosen]
    assert (after == 4).mean() == pytest.approx(0.8, abs=0.0125)
    # one other piece in 995 is the piece itself
    assert (after == before[chosen]).mean() == pytest.approx(0.1 + 0.1 / 995, abs=0.0094)
    assert np.array_equal(made["labels"][chosen], before[chosen])
    assert np.array_equal(made["input_ids"][~chosen], before[~chosen])


def test_whole_words_are_chosen_together(tmp_path):
    """Ids from 500 on go on with a word."""
    rows = [[2, 10, 510, 511, 11, 12, 512, 3]] * 400
    found = make_labelled(tmp_path / "set", {"input_ids": rows})
    starts = np.arange(1000) < 500
    made = MaskedLm(found, share=0.3, starts=starts).arrays(batch(found, list(range(400))))
    chosen = made["labels"] != -100
    for word in ([1, 2, 3], [4], [5, 6]):
        assert (chosen[:, word].all(axis=1) == chosen[:, word].any(axis=1)).all()
        # 400 draws: 30 % are known to 2.3 points
        assert chosen[:, word[0]].mean() == pytest.approx(0.3, abs=0.1)
    assert not chosen[:, [0, 7]].any()


def test_rare_pieces_are_chosen_more_often(tmp_path):
    rows = [[2, *[10] * 9, 11, 3]] * 500
    found = make_labelled(tmp_path / "set", {"input_ids": rows})
    counts = np.bincount(np.concatenate(rows), minlength=1000)
    made = MaskedLm(found, share=0.2, counts=counts, smoothing=0.7)
    chosen = made.arrays(batch(found, list(range(500))))["labels"] != -100
    assert chosen[:, 10].mean() > 2 * chosen[:, 1:10].mean()
    assert chosen[:, 1:11].mean() == pytest.approx(0.2, abs=0.03)


def test_what_cannot_be_collated(tmp_path):
    texts = make_labelled(tmp_path / "texts", {"text": ["a"]})
    with pytest.raises(UsageError, match="a set with input_ids, found none"):
        Padding(texts)
    with pytest.raises(UsageError, match="a set that is not masked, found labels"):
        MaskedLm(make_top(tmp_path / "top"))
    found = make_set(tmp_path / "set", [3])
    with pytest.raises(UsageError, match="a length of at least 1"):
        Padding(found, multiple=0)
    with pytest.raises(UsageError, match="the column input_ids, found doc_id"):
        MaskedLm(found).arrays(batch(found, [0], columns=["doc_id"]))
    with pytest.raises(UsageError, match="starts of 1,000 pieces, found 7"):
        MaskedLm(found, starts=np.ones(7, bool))
