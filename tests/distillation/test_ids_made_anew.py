"""Ids made anew: of the model's tokenizer or words, kept in files that a later run finds."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from label_sets import SENTIMENT, make_labelled, words_of
from sets import TOKENIZER

from transferset.distillation.examples import spill
from transferset.distillation.examples.examples import open_examples
from transferset.distillation.examples.reading import Reading, columns_read, how_read
from transferset.distillation.examples.survey import UNLABELLED
from transferset.distillation.examples.tasks import task_of
from transferset.distillation.examples.word_rows import fit_words, words_column
from transferset.errors import InputError, UsageError
from transferset.students.config import Vocabulary
from transferset.students.word_vocabulary import CLS, SEP, UNK
from transferset.tokens import load_tokenizer
from transferset.transforms.framing import frame_rows

TEXTS = ["A small town, by the river.", "It rained all day.", "A [MASK] is a word here.", "x" * 90]
PAIRS = ["Its bridge is old.", "", "Nobody came, a small crowd.", "The river"]


def make(root, *, pair=False, **columns):
    columns = {"text": TEXTS, "label": [0, 1, None, 0], **columns}
    return make_labelled(
        root, columns | ({"text_pair": PAIRS} if pair else {}), names=SENTIMENT, tokenizer=TOKENIZER
    )


@pytest.fixture(scope="module")
def model(tokenizer):
    info = load_tokenizer(str(tokenizer)).info
    vocabulary = Vocabulary(
        size=info.vocab_size, sha256=info.sha256, padding=info.pad_id, separator=info.sep_id,
        start=info.cls_id,
    )  # fmt: skip
    return Reading(vocabulary=vocabulary, tokenizer=tokenizer)


def rows_of(examples):
    found = examples.take(np.arange(len(examples)))
    return [found.ids[a:b].tolist() for a, b in pairwise(found.offsets)]


def test_texts_are_tokenised_for_the_model(tmp_path, tokenizer, model):
    found = make(tmp_path / "s", input_ids=[[2, 7, 3]] * 4)
    assert how_read(found, model) == "text"
    examples = open_examples(found, task_of(found), model, tmp_path / "f")
    ids, offsets = load_tokenizer(str(tokenizer)).encode(TEXTS)
    assert rows_of(examples) == [ids[a:b].tolist() for a, b in pairwise(offsets)]
    assert examples.lengths.tolist() == np.diff(offsets).tolist()
    assert examples.labels(np.arange(4)).tolist() == [0, 1, UNLABELLED, 0]


def test_pairs_are_one_row(tmp_path, tokenizer, model):
    found = make(tmp_path / "s", pair=True)
    examples = open_examples(found, task_of(found), model, tmp_path / "f")
    wordpiece, info = load_tokenizer(str(tokenizer)), load_tokenizer(str(tokenizer)).info
    for row, first, second in zip(rows_of(examples), TEXTS, PAIRS, strict=True):
        (a, _), (b, _) = wordpiece.encode([first]), wordpiece.encode([second])
        assert row == [*a.tolist(), *b.tolist()[1:]]
        assert row.count(info.sep_id) == 2


def test_a_masked_row_has_the_models_mask_and_others_the_letters(tmp_path, tokenizer, model):
    spelled = ["A [MASK] town.", "A [MASK] town."]
    ids = [[2, 7, TOKENIZER["special_ids"]["mask"], 9, 3], [2, 7, 8, 9, 3]]
    found = make(tmp_path / "s", text=spelled, input_ids=ids, label=[0, 0])
    (found.root / "tokenizer.json").write_bytes((tokenizer / "tokenizer.json").read_bytes())
    masked, plain = rows_of(open_examples(found, task_of(found), model, tmp_path / "f"))
    info = load_tokenizer(str(tokenizer)).info
    assert masked.count(info.mask_id) == 1
    assert info.mask_id not in plain
    assert plain == load_tokenizer(str(tokenizer)).encode(spelled[1:])[0].tolist()


def test_a_later_run_finds_what_was_made(tmp_path, model, monkeypatch):
    found, folder = make(tmp_path / "s"), tmp_path / "f"
    before = rows_of(open_examples(found, task_of(found), model, folder))
    with monkeypatch.context() as patch:
        patch.setattr(spill, "encoder", lambda *_: pytest.fail("made again"))
        assert rows_of(open_examples(found, task_of(found), model, folder)) == before
        other = make(tmp_path / "t", label=[0, 0, 0, 0])
        with pytest.raises(pytest.fail.Exception, match="made again"):
            open_examples(other, task_of(other), model, folder)


@pytest.mark.parametrize("harm", ["no receipt", "bytes", "json"])
def test_what_a_kill_leaves_is_made_again(tmp_path, model, harm):
    found, folder = make(tmp_path / "s"), tmp_path / "f"
    before = rows_of(open_examples(found, task_of(found), model, folder))
    (receipt,), (ids,) = folder.glob("*.json"), folder.glob("*.ids")
    if harm == "no receipt":
        receipt.unlink()
        ids.write_bytes(b"half")
    elif harm == "bytes":
        ids.write_bytes(ids.read_bytes()[:-2] + b"xx")
    else:
        receipt.write_text("[]")
    assert rows_of(open_examples(found, task_of(found), model, folder)) == before
    assert json.loads(receipt.read_bytes())["recipe"]["set"] == found.manifest.digest
    assert len(list(folder.iterdir())) == 3


def test_without_texts_nothing_can_be_made(tmp_path, model):
    ids = {"input_ids": [[2, 7, 3]], "label": [0]}
    found = make_labelled(tmp_path / "s", ids, names=SENTIMENT)
    with pytest.raises(
        UsageError, match=r"make them of, found ids of toy and no texts at .*; build"
    ):
        how_read(found, model)


def test_without_the_models_tokenizer_neither(tmp_path, model):
    with pytest.raises(UsageError, match="or that tokenizer's file"):
        how_read(make(tmp_path / "s"), Reading(vocabulary=model.vocabulary))


def test_another_tokenizer_is_told(tmp_path, tokenizer, model):
    vocabulary = Vocabulary(size=model.vocabulary.size, sha256="ab" * 32)
    found = make(tmp_path / "s")
    with pytest.raises(InputError, match=r"the tokenizer ababababab.*… of the model, found"):
        open_examples(
            found, task_of(found), Reading(vocabulary=vocabulary, tokenizer=tokenizer), tmp_path
        )


def test_words_of_texts(tmp_path):
    found = make(tmp_path / "s", pair=True, input_ids=[[2, 7, 3, 8, 3]] * 4)
    words = fit_words([found])
    assert {"small", "town,", "bridge"} <= set(words.words)  # of both texts, cut at white space
    reading = Reading(vocabulary=words.vocabulary, words=words)
    examples = open_examples(found, task_of(found), reading, tmp_path / "f")
    assert examples.how == "words"
    rows = rows_of(examples)
    told = [[words.all_words[i] for i in row] for row in rows]
    assert told[1] == ["[CLS]", "it", "rained", "all", "day.", "[SEP]", "[SEP]"]
    assert rows[2][:4] == [CLS, words.all_words.index("a"), UNK, words.all_words.index("is")]
    assert all(row[-1] == SEP for row in rows)


def test_words_of_a_column(tmp_path):
    found = make(tmp_path / "s", words=words_of(TEXTS)["words"])
    assert words_column([found]) == "words"
    assert words_column([found, make(tmp_path / "t")]) == "text"
    words = fit_words([found], column="words")
    assert {"town", ","} <= set(words.words)
    reading = Reading(vocabulary=words.vocabulary, words=words, column="words")
    first = rows_of(open_examples(found, task_of(found), reading, tmp_path / "f"))[0]
    assert [words.all_words[i] for i in first][3:5] == ["town", ","]
    with pytest.raises(UsageError, match="a column words, for words"):
        fit_words([make(tmp_path / "u")], column="words")
    with pytest.raises(UsageError, match="a column words, for a model of words"):
        how_read(make(tmp_path / "v"), reading)


def test_words_are_those_of_the_model(tmp_path):
    found = make(tmp_path / "s")
    words, others = fit_words([found]), fit_words([found], least=2)
    with pytest.raises(InputError, match="the words of the model, found others"):
        Reading(vocabulary=words.vocabulary, words=others)


def test_cutting_does_not_depend_on_what_was_kept(tmp_path):
    found = make(tmp_path / "s", pair=True)
    words = fit_words([found])
    whole, short = (
        open_examples(
            found,
            task_of(found),
            Reading(vocabulary=words.vocabulary, words=words, length=length),
            tmp_path / "f",
        )
        for length in (128, 7)
    )
    assert max(map(len, rows_of(whole))) > 7
    assert max(map(len, rows_of(short))) == 7 == short.lengths.max()
    assert short.cut_rows == sum(len(row) > 7 for row in rows_of(whole))
    assert len(list((tmp_path / "f").iterdir())) == 3


def test_a_model_of_pieces_reads_text_whatever_else_there_is(tmp_path, tokenizer, model):
    """The column `words` is for models of words alone."""
    stated = replace(model, column="words")
    assert stated.column == "text"
    found = make(tmp_path / "s", **words_of(["something else"] * 4))
    assert columns_read(found, stated) == ["text"]
    examples = open_examples(found, task_of(found), stated, tmp_path / "f")
    ids, offsets = load_tokenizer(str(tokenizer)).encode(TEXTS)
    assert rows_of(examples) == [ids[a:b].tolist() for a, b in pairwise(offsets)]


def test_what_is_read_of_a_set(tmp_path, tokenizer, model):
    from lm_writers import task_set

    pairs = make(tmp_path / "pairs", pair=True)
    assert columns_read(pairs, model) == ["text", "text_pair"]
    words = fit_words([pairs])
    of_words = Reading(vocabulary=words.vocabulary, words=words, column="words")
    spelt = make(tmp_path / "words", **words_of(TEXTS))
    assert columns_read(spelt, of_words) == ["words"]
    own = task_set(tmp_path, [("a warm film", "good"), ("a dull plot", "bad")])
    told = replace(model.vocabulary, sha256=own.manifest.tokenizer["sha256"])
    assert columns_read(own, replace(model, vocabulary=told)) == ["input_ids"]


def test_a_batch_without_texts_is_no_batch_of_empty_texts(tmp_path, model):
    found = make(tmp_path / "s")
    batch = next(found.batches()).drop_columns(["text"])
    with pytest.raises(KeyError):
        spill.encoder(found, model)(batch)
    with pytest.raises(ValueError, match="0 sides"):
        frame_rows([], 2, 3, None, np.uint32)
    side = (np.array([7, 8]), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="sides of equally many"):
        frame_rows([side, (np.array([7]), np.array([0, 1]))], 2, 3, None, np.uint32)
