"""Encoders of transformers as classifiers of rows."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_encoders import (  # noqa: E402
    KINDS,
    POSITIONS,
    SIZE,
    frame,
    padded_arguments,
    random_lists,
    rows,
    write_classifier,
    write_model,
)

from transferset.errors import InputError  # noqa: E402
from transferset.students.config import Task  # noqa: E402
from transferset.teachers.opening import new_encoder, open_classifier  # noqa: E402

TASKS = (
    Task(classes=("no", "perhaps", "yes"), name="first"),
    Task(classes=None, pair=True, name="second"),
)


def plain(folder):
    loader = transformers.AutoModelForSequenceClassification
    return loader.from_pretrained(folder, attn_implementation="eager").eval()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", [False, True])
def test_logits_are_those_of_transformers(tmp_path, kind, pair):
    folder = write_classifier(tmp_path / "tiny", kind, num_labels=3)
    lists = random_lists(kind, pair=pair)
    encoder = open_classifier(folder).module
    with torch.no_grad():
        wanted = plain(folder)(**padded_arguments(kind, lists)).logits.numpy()
        found = encoder(rows(*lists)).numpy()
    assert found.dtype == np.float32
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    assert np.ptp(found, axis=0).min() > 1e-3  # they tell rows apart


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_alone_is_as_in_a_batch(tmp_path, kind):
    encoder = open_classifier(write_classifier(tmp_path / "tiny", kind)).module
    lists = [*random_lists(kind, pair=True), *random_lists(kind)]
    with torch.no_grad():
        alone = np.concatenate([encoder(rows(one)).numpy() for one in lists])
        assert encoder(rows(*lists)).numpy() == pytest.approx(alone, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_may_have_as_many_ids_as_the_model_has_positions(tmp_path, kind):
    encoder = open_classifier(write_classifier(tmp_path / "tiny", kind)).module
    start, separator, _ = frame(kind)
    assert encoder.positions == POSITIONS
    most = [start, *[7] * (POSITIONS - 2), separator]
    with torch.no_grad():
        assert encoder(rows(most)).isfinite().all()
        with pytest.raises(InputError, match=r"1 to 20 ids, found 21 at row 1; cut .* --length"):
            encoder(rows(most, [*most, separator]))
        with pytest.raises(InputError, match="1 to 20 ids, found 0 at row 1"):
            encoder(rows(most, []))


def test_ids_out_of_range(tmp_path):
    encoder = open_classifier(write_classifier(tmp_path / "tiny")).module
    with pytest.raises(InputError, match=f"ids from 0 to {SIZE - 1}, found 2 to {SIZE}"):
        encoder(rows([2, SIZE, 3]))
    with pytest.raises(InputError, match="found -1 to 3"):
        encoder(rows([2, -1, 3]))


@pytest.mark.parametrize("kind", KINDS)
def test_several_tasks_share_an_encoder_and_have_a_head_each(tmp_path, kind):
    folder = write_model(tmp_path / "tiny", kind)
    encoder = new_encoder(folder, TASKS, seed=1).eval()
    lists = random_lists(kind, pair=True)
    alone = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        said = alone(**padded_arguments(kind, lists))
        pooled = said.get("pooler_output")
        assert (pooled is not None) == (kind in ("bert", "roberta"))
        features = (said.last_hidden_state[:, 0] if pooled is None else pooled).numpy()
        for i, task in enumerate(TASKS):
            weight, bias = (p.numpy() for p in encoder.heads[i].parameters())
            found = encoder(rows(*lists), i).numpy()
            assert found.shape == (len(lists), task.outputs)
            assert found == pytest.approx(features @ weight.T + bias, rel=1e-5, abs=1e-5)


def test_each_head_teaches_the_encoder_and_no_other_head(tmp_path):
    encoder = new_encoder(write_model(tmp_path / "tiny"), TASKS, seed=1)
    encoder(rows(*random_lists()), 1).sum().backward()
    assert encoder.base.get_input_embeddings().weight.grad.abs().sum() > 0
    assert all(p.grad is not None for p in encoder.heads[1].parameters())
    assert all(p.grad is None for p in encoder.heads[0].parameters())


def test_dropout_is_on_in_training_only(tmp_path):
    folder = write_model(tmp_path / "tiny")
    given = rows(*random_lists())
    for tasks in (TASKS[:1], TASKS):
        encoder = new_encoder(folder, tasks, seed=0)
        assert encoder.training
        assert not torch.equal(encoder(given), encoder(given))
        encoder.eval()
        assert torch.equal(encoder(given), encoder(given))


def test_a_batch_without_rows(tmp_path):
    encoder = open_classifier(write_classifier(tmp_path / "tiny", num_labels=3)).module
    with torch.no_grad():
        assert encoder(rows()).shape == (0, 3)
