"""The bi-attentive student against the equations of Liu 2020, § 4.1.2, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from small_students import framed, lively, logits, random_rows

torch = pytest.importorskip("torch")


def lstm(w, prefix, given):
    """A bidirectional LSTM of torch, which the tests of the BiLSTM compare with its equations."""
    made = torch.nn.LSTM(given.shape[1], 4, bidirectional=True).double()
    own = {name.removeprefix(prefix): x for name, x in w.items() if name.startswith(prefix)}
    made.load_state_dict(own)
    return made(torch.from_numpy(given))[0].detach().numpy()


def column_softmax(a):
    e = np.exp(a - a.max(0))
    return e / e.sum(0)


def plain_logits(student, row, *, pair):
    w = {name: one.double() for name, one in student.state_dict().items()}
    n = {name: one.numpy() for name, one in w.items()}
    linear = lambda x, name: x @ n[f"{name}.weight"].T + n[f"{name}.bias"]  # noqa: E731
    inner = row[1:-1]
    at = inner.index(3) if pair else len(inner)
    texts = (inner[:at], inner[at + 1 :]) if pair else (inner, inner)
    fed = [
        np.maximum(0, linear(n["encoder.embeddings.trained.weight"][ids], "encoder.feed"))
        for ids in texts
    ]
    x, y = (lstm(w, "encoder.encoder.", one) for one in fed)  # 4.5, 4.6
    a = x @ y.T
    a_x, a_y = column_softmax(a), column_softmax(a.T)  # 4.7
    c_x, c_y = a_x.T @ x, a_y.T @ y  # 4.8
    x_y = lstm(w, "encoder.integrator.", np.concatenate([x, x - c_y, x * c_y], 1))  # 4.9
    y_x = lstm(w, "encoder.integrator.", np.concatenate([y, y - c_x, y * c_x], 1))
    pooled = []
    for states, name in ((x_y, "encoder.first"), (y_x, "encoder.second")):
        weights = column_softmax(linear(states, name))  # 4.10
        pooled += [states.max(0), states.mean(0), (states.T @ weights)[:, 0]]  # 4.11, 4.12
    hidden = np.maximum(0, linear(np.concatenate(pooled), "heads.0.layer"))
    return linear(hidden, "heads.0.output")


@pytest.mark.parametrize("pair", [False, True])
def test_logits_are_those_of_the_equations(pair):
    student = lively("biattentive", pair=pair)
    given = random_rows(pair=pair)
    wanted = np.array([plain_logits(student, row, pair=pair) for row in given])
    assert logits(student, given) == pytest.approx(wanted, abs=1e-5)
    assert np.ptp(wanted) > 0.5


@pytest.mark.parametrize("pair", [False, True])
def test_a_row_does_not_depend_on_those_beside_it(pair):
    student = lively("biattentive", pair=pair)
    given = random_rows(20, pair=pair)
    alone = np.concatenate([logits(student, [row]) for row in given])
    assert np.abs(logits(student, given) - alone).max() <= 1e-6


def test_a_single_text_is_a_pair_with_itself():
    single, pair = (lively("biattentive", pair=pair) for pair in (False, True))
    pair.load_state_dict(single.state_dict())
    texts = [[5, 6, 7], [8], [9, 9]]
    doubled = logits(pair, [framed(text, text) for text in texts])
    assert logits(single, [framed(text) for text in texts]) == pytest.approx(doubled, abs=1e-6)


def test_each_text_is_read_with_the_other_in_view():
    student = lively("biattentive", pair=True)
    with_one, with_other = logits(student, [framed([5, 6], [7]), framed([5, 6], [8])])
    assert np.abs(with_one - with_other).max() > 1e-2


def test_gradients_reach_every_weight():
    student = lively("biattentive", pair=True)
    from small_students import rows

    student(rows(*random_rows(pair=True))).square().sum().backward()
    for name, weight in student.named_parameters():
        assert weight.grad is not None, name
        # a softmax does not change by what is added everywhere
        if name not in ("encoder.first.bias", "encoder.second.bias"):
            assert weight.grad.abs().max() > 1e-6, name
