"""The BiLSTM against the paper's equations, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from small_students import CLASSES, PAD, SIZE, framed, lively, logits, random_rows, rows

pytest.importorskip("torch")

from transferset.errors import InputError, UsageError
from transferset.students.config import (
    BilstmSizes,
    Config,
    HeadSizes,
    Tables,
    Task,
    Vocabulary,
)
from transferset.students.student import count_parameters, new_student


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def plain_direction(w, layer, suffix, steps):
    """Hidden states of one direction (Hochreiter & Schmidhuber; gates in torch's order i f g o)."""
    a, b = (w[f"encoder.lstm.weight_{kind}_l{layer}{suffix}"] for kind in ("ih", "hh"))
    bias = sum(w[f"encoder.lstm.bias_{kind}_l{layer}{suffix}"] for kind in ("ih", "hh"))
    h = c = np.zeros(b.shape[1])
    found = []
    for x in steps:
        i, f, g, o = np.split(a @ x + b @ h + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return found


def plain_last_states(w, layers, ids):
    steps = [w["encoder.embeddings.trained.weight"][i] for i in ids]
    for layer in range(layers):
        forward = plain_direction(w, layer, "", steps)
        backward = plain_direction(w, layer, "_reverse", steps[::-1])
        states = zip(forward, backward[::-1], strict=True)
        steps = [np.concatenate(pair) for pair in states]
    return np.concatenate([forward[-1], backward[-1]])


def plain_logits(student, row, *, pair):
    w = {name: one.double().numpy() for name, one in student.state_dict().items()}
    layers = student.config.encoder.layers
    inner = row[1:-1]
    if pair:
        at = inner.index(3)
        a, b = (plain_last_states(w, layers, part) for part in (inner[:at], inner[at + 1 :]))
        h = np.concatenate([a, b, a * b, abs(a - b)])
    else:
        h = plain_last_states(w, layers, inner)
    hidden = np.maximum(0, w["heads.0.layer.weight"] @ h + w["heads.0.layer.bias"])
    return w["heads.0.output.weight"] @ hidden + w["heads.0.output.bias"]


@pytest.mark.parametrize("kind", ["bilstm", "bilstm of two layers"])
@pytest.mark.parametrize("pair", [False, True])
def test_logits_are_those_of_the_equations(kind, pair):
    student = lively(kind, pair=pair)
    given = random_rows(pair=pair)
    wanted = [plain_logits(student, row, pair=pair) for row in given]
    assert logits(student, given) == pytest.approx(np.array(wanted), abs=1e-5)
    assert np.ptp(wanted) > 0.5


@pytest.mark.parametrize("kind", ["bilstm", "bilstm of two layers", "multichannel", "projected"])
@pytest.mark.parametrize("pair", [False, True])
def test_a_row_does_not_depend_on_those_beside_it(kind, pair):
    student = lively(kind, pair=pair)
    given = random_rows(20, pair=pair)
    alone = np.concatenate([logits(student, [row]) for row in given])
    assert np.abs(logits(student, given) - alone).max() <= 1e-6


def test_padding_is_not_read():
    student = lively()
    assert logits(student, [framed([5, PAD, 6, PAD, PAD])]) == pytest.approx(
        logits(student, [framed([5, 6])]), abs=1e-6
    )


def test_word_order_and_the_side_of_a_text_matter():
    single, siamese = lively(), lively(pair=True)
    assert np.abs(np.ptp(logits(single, [framed([5, 6]), framed([6, 5])]), 0)).max() > 1e-3
    both = [framed([5, 6], [7]), framed([7], [5, 6])]
    assert np.abs(np.ptp(logits(siamese, both), 0)).max() > 1e-3


def papers(*, channels, pair, hidden=300, layer=400):
    return Config(
        vocabulary=Vocabulary(size=100, sha256="0" * 64),
        tasks=(Task(classes=("negative", "positive"), pair=pair),),
        embeddings=Tables(width=300, channels=channels),
        encoder=BilstmSizes(hidden=hidden),
        head=HeadSizes(hidden=layer),
    )


def test_the_papers_number_of_parameters():
    """Sučík 2020, § 4.2: 2.41 M beside the embeddings, with 300 units, 400 units, word2vec twice.

    By hand: 2 directions × 4 gates × (600·300 + 300·300 + 2·300) = 2,164,800; 600·400 + 400 =
    240,400; 400·2 + 2 = 802.
    """
    student = new_student(papers(channels="multichannel", pair=False), 0)
    found = count_parameters(student)
    assert found["other"] == 2_164_800 + 240_400 + 802 == 2_406_002
    assert found["embedding"] == 2 * 100 * 300
    assert found["trained"] == found["all"] - 100 * 300


def test_the_number_of_parameters_of_other_students():
    """A siamese student of one channel is by chance as large: its head has 4·600 inputs."""
    siamese = new_student(papers(channels="non-static", pair=True), 0)
    assert count_parameters(siamese)["other"] == 2_406_002
    small = new_student(papers(channels="multichannel", pair=False, hidden=150, layer=200), 0)
    wanted = 2 * 4 * (600 * 150 + 150 * 150 + 300) + (300 * 200 + 200) + (200 * 2 + 2)
    assert count_parameters(small)["other"] == wanted == 963_002


def test_weights_are_a_function_of_the_seed():
    import torch

    given = papers(channels="static", pair=False)
    before = torch.get_rng_state()
    first, again, other = (new_student(given, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_several_tasks_share_an_encoder():
    import torch

    from transferset.students.student import Student

    given = papers(channels="non-static", pair=False)
    tasks = (given.tasks[0], Task(classes=None, pair=True, name="score"))
    student = Student(
        Config(
            vocabulary=given.vocabulary,
            tasks=tasks,
            embeddings=given.embeddings,
            encoder=BilstmSizes(hidden=8),
            head=given.head,
        )
    ).eval()
    with torch.no_grad():
        assert student(rows(framed([5, 6])), 0).shape == (1, 2)
        assert student(rows(framed([5], [6])), 1).shape == (1, 1)


@pytest.mark.parametrize("id_", [-1, SIZE])
def test_an_id_that_is_none(id_):
    with pytest.raises(InputError, match=f"ids from 0 to {SIZE - 1}"):
        lively()(rows([2, id_, 3]))


def test_a_seed_that_is_none():
    with pytest.raises(UsageError, match="a seed"):
        new_student(papers(channels="static", pair=False), -1)


def test_as_many_logits_as_classes():
    assert logits(lively(), [framed([5])]).shape == (1, len(CLASSES))
    assert logits(lively(classes=None), [framed([5])]).shape == (1, 1)
