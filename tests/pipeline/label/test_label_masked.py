"""`label --mlm`: masked copies of rows with a masked language model's highest logits."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from labelling import ROWS, columns_of, data_of, facts_of, label

import transferset
from transferset.errors import InputError, UsageError
from transferset.masking import Masking, rates_of
from transferset.pipeline.label import passes

K, T, COPIES, SEED = 5, 3.0, 3, 11


@pytest.fixture(scope="module")
def made(task, masked, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "made"
    return label(task, out, masked, mlm=True, top_k=K, temperature=T, copies=COPIES, seed=SEED)


def test_copies_are_masked_as_in_dynamic_masking_of_so_many_epochs(task, made):
    rows, after = columns_of(task)["input_ids"], columns_of(made)
    tokenizer = task.manifest.tokenizer
    special = tokenizer["special_ids"]
    masking = Masking(
        rates_of(tokenizer["vocab_size"], list(special.values())), special["mask"], SEED
    )
    at = 0
    for number, row in enumerate(rows):
        for copy in range(COPIES):
            ids, offsets = np.array(row, np.int32), np.array([0, len(row)])
            expected = masking(ids, offsets, np.array([number]), copy)
            assert after["input_ids"][at] == expected.ids.tolist()
            labels = np.full(len(row), -100)
            labels[expected.positions] = ids[expected.positions]
            assert after["labels"][at] == labels.tolist()
            assert (after["parent_row"][at], after["copy"][at]) == (number, copy)
            at += 1
    assert at == len(made) == ROWS * COPIES


def test_the_highest_logits_and_the_rest_are_those_of_transformers(masked, made):
    import torch
    import transformers

    model = transformers.BertForMaskedLM.from_pretrained(masked).eval()
    found = columns_of(made)
    for i in range(0, len(made), 7):
        places = np.flatnonzero(np.array(found["labels"][i]) != -100)
        with torch.inference_mode():
            said = model(torch.tensor([found["input_ids"][i]])).logits[0].double().numpy()
        expected = said[places]
        order = np.argsort(-expected, axis=1, kind="stable")[:, :K]
        assert np.array(found["top_ids"][i]).reshape(-1, K).tolist() == order.tolist()
        top = np.array(found["top_logits"][i]).reshape(-1, K)
        np.testing.assert_allclose(top, np.take_along_axis(expected, order, 1), rtol=2e-3)
        rest = expected.copy()
        np.put_along_axis(rest, order, -np.inf, 1)
        tail = np.log(np.exp(rest / T).sum(1))
        np.testing.assert_allclose(found["tail"][i], tail, rtol=2e-3, atol=2e-3)


def test_the_set_is_right_and_has_no_text(task, made):
    manifest = transferset.verify(made.root).manifest
    assert manifest.teacher | {"models": []} == {
        "kind": "masked",
        "classes": None,
        "temperature": T,
        "top_k": K,
        "models": [],
    }
    added = {"labels", "top_ids", "top_logits", "tail", "parent_row", "copy"}
    assert manifest.schema.keys() == {"input_ids", "source"} | added
    assert facts_of(made)["masked"] == sum(map(len, columns_of(made)["tail"]))
    assert manifest.totals["tokens"] == COPIES * task.manifest.totals["tokens"]


def test_tasks_change_no_mask(task, masked, made, tmp_path, monkeypatch):
    monkeypatch.setattr(passes, "_LEAST", 7)
    options = {"top_k": K, "temperature": T, "copies": COPIES, "seed": SEED, "shards": 2}
    found = label(task, tmp_path / "out", masked, mlm=True, **options)
    before, after = columns_of(made), columns_of(found)
    for name in ("input_ids", "labels", "parent_row", "copy", "source", "top_ids"):
        assert after[name] == before[name]


def test_more_copies_begin_with_fewer(task, masked, made, tmp_path):
    options = {"top_k": K, "temperature": T, "seed": SEED}
    one = columns_of(label(task, tmp_path / "out", masked, mlm=True, **options))
    assert one["input_ids"] == columns_of(made)["input_ids"][::COPIES]


def test_the_same_again(task, masked, made, tmp_path):
    options = {"top_k": K, "temperature": T, "copies": COPIES, "seed": SEED}
    assert data_of(label(task, tmp_path / "out", masked, mlm=True, **options)) == data_of(made)


def test_copies_of_rows_that_are_too_long_are_cut_and_counted(task, masked, tmp_path):
    found = label(task, tmp_path / "out", masked, mlm=True, length=12, copies=2, top_k=1)
    lengths = [len(row) for row in columns_of(task)["input_ids"]]
    assert [len(row) for row in columns_of(found)["input_ids"]][::2] == [
        min(n, 12) for n in lengths
    ]
    lost = 2 * sum(max(0, n - 12) for n in lengths)
    assert found.manifest.ledger == [{"reason": "truncated", "unit": "tokens", "count": lost}]
    assert found.manifest.params["max_len"] == 12
    transferset.verify(found.root)


def test_the_rows_can_be_trained_on(made):
    from transferset.distillation.masked.labelled_rows import FixedMasks

    masks = FixedMasks(made)
    assert masks.temperature == T
    batch = masks.batch(np.arange(4), 0)
    assert len(batch.positions) == len(batch.targets)


def test_what_cannot_be_masked_is_refused(task, first, masked, made, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="not masked"):
        label(made, out, masked, mlm=True)
    with pytest.raises(UsageError, match="one --teacher"):
        label(task, out, masked, masked, mlm=True)
    with pytest.raises(UsageError, match="--dtype"):
        label(task, out, masked, mlm=True, dtype="float16")
    with pytest.raises(UsageError, match="--top-k up to"):
        label(task, out, masked, mlm=True, top_k=60_000)
    with pytest.raises(UsageError, match="--temperature above 0"):
        label(task, out, masked, mlm=True, temperature=0.0)
    with pytest.raises(InputError):
        label(task, out, first, mlm=True)
    assert not out.exists()


def test_a_masked_teacher_must_read_the_ids_of_the_set(task, masked, tmp_path):
    import shutil

    from tiny_models import write_word_pieces

    shutil.copytree(masked, tmp_path / "other")
    write_word_pieces(tmp_path / "other")
    with pytest.raises(UsageError, match="teacher's tokenizer"):
        label(task, tmp_path / "out", tmp_path / "other", mlm=True)


def test_a_labelled_set_can_be_masked_from_its_ids(task, first, masked, tmp_path):
    logits = label(task, tmp_path / "logits", first)
    found = label(logits, tmp_path / "out", masked, mlm=True, top_k=1)
    assert "logits" not in found.manifest.schema  # they are of rows that are not masked
