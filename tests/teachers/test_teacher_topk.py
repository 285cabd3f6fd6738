"""A masked language model's highest logits, against numpy in float64."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_encoders import KINDS, SIZE, padded_arguments, random_lists, rows, write_model  # noqa: E402

from transferset.distillation.masked.model import MaskedModel  # noqa: E402
from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.teachers import topk  # noqa: E402
from transferset.teachers.masked import open_masked  # noqa: E402
from transferset.teachers.topk import highest, top_k  # noqa: E402
from transferset.teachers.vocabulary import vocabulary_of  # noqa: E402


def by_numpy(scores, k, temperature):
    """Ids by falling score and, of equal ones, by id; and log Σ exp(z/T) over the others."""
    scores = np.asarray(scores, np.float64)
    ids = np.argsort(-scores, axis=1, kind="stable")
    others = np.take_along_axis(scores, ids[:, k:], 1) / temperature
    with np.errstate(divide="ignore"):
        tail = np.log(np.exp(others).sum(1))
    return ids[:, :k], np.take_along_axis(scores, ids[:, :k], 1), tail


@given(
    n=st.integers(1, 5),
    size=st.integers(1, 12),
    data=st.data(),
    temperature=st.sampled_from([0.5, 1.0, 2.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_highest_of_scores_with_many_ties(n, size, data, temperature):
    k = data.draw(st.integers(1, size))
    scores = np.array(
        data.draw(st.lists(st.integers(-3, 3), min_size=n * size, max_size=n * size)), np.float32
    ).reshape(n, size)
    ids, values, tail = highest(torch.from_numpy(scores), k, temperature)
    wanted = by_numpy(scores, k, temperature)
    assert np.array_equal(ids.numpy(), wanted[0])
    assert np.array_equal(values.numpy(), wanted[1])
    assert tail.numpy() == pytest.approx(wanted[2], rel=1e-5, abs=1e-5)


def test_a_small_tail_does_not_cancel():
    scores = torch.tensor([[30.0, 0.0, -1.0]])
    _, _, tail = highest(scores, 1, 1.0)
    assert float(tail) == pytest.approx(np.log(1 + np.exp(-1)), rel=1e-6)


def masked_model(folder):
    model = open_masked(folder)
    return MaskedModel(model, vocabulary_of(folder, model), str(folder))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return masked_model(
        write_model(tmp_path_factory.mktemp("bert") / "tiny", loader="AutoModelForMaskedLM")
    )


def some_positions(found, seed=0):
    generator = np.random.default_rng(seed)
    return np.flatnonzero(generator.random(len(found.ids)) < 0.3)


@pytest.mark.parametrize(("kind", "temperature"), [*((kind, 2.0) for kind in KINDS), ("bert", 1.0)])
def test_it_is_the_models_distribution(tmp_path, monkeypatch, kind, temperature):
    monkeypatch.setattr(topk, "_POSITIONS", 4)
    folder = write_model(tmp_path / "tiny", kind, "AutoModelForMaskedLM")
    lists = random_lists(kind, 25, pair=True)
    given_rows = rows(*lists)
    positions = some_positions(given_rows)
    found = top_k(masked_model(folder), given_rows, positions, 6, temperature, tokens=60)

    plain = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        whole = plain(**padded_arguments(kind, lists)).logits.numpy()
    row = np.searchsorted(given_rows.offsets, positions, side="right") - 1
    scores = whole[row, positions - given_rows.offsets[row]]
    ids, logits, tail = by_numpy(scores, 6, temperature)
    assert (found.ids.dtype, found.logits.dtype, found.tail.dtype) == ("int32", "f2", "f2")
    assert len(positions) > 40
    assert np.array_equal(found.ids, ids)
    assert found.logits.astype(float) == pytest.approx(logits, rel=2**-11 + 1e-5, abs=1e-5)
    assert found.tail.astype(float) == pytest.approx(tail, rel=2**-11 + 1e-5, abs=1e-3)


def test_the_kept_ids_and_the_tail_are_all_of_the_probability(model):
    given_rows = rows(*random_lists(count=20))
    positions = some_positions(given_rows)
    few, all_ = (top_k(model, given_rows, positions, k, 2.0) for k in (3, SIZE))
    whole = np.exp(all_.logits.astype(float) / 2).sum(1)
    parts = np.exp(few.logits.astype(float) / 2).sum(1) + np.exp(few.tail.astype(float))
    assert parts == pytest.approx(whole, rel=2e-3)
    assert np.isneginf(all_.tail).all()
    assert np.array_equal(np.sort(all_.ids, 1), np.tile(np.arange(SIZE), (len(positions), 1)))
    assert np.array_equal(few.ids, all_.ids[:, :3])


def test_batches_change_nothing_but_rounding(model):
    given_rows = rows(*random_lists(count=30))
    positions = some_positions(given_rows)
    one, many = (top_k(model, given_rows, positions, 4, 1.0, tokens=n) for n in (1, 1 << 12))
    assert np.array_equal(one.ids, many.ids)
    assert one.logits.astype(float) == pytest.approx(many.logits.astype(float), rel=1e-3)
    again = top_k(model, given_rows, positions, 4, 1.0, tokens=1)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))


def test_no_positions_and_no_rows(model):
    none = np.zeros(0, np.int64)
    for given_rows in (rows(*random_lists()), rows()):
        found = top_k(model, given_rows, none, 5, 1.0)
        assert (found.ids.shape, found.logits.shape, found.tail.shape) == ((0, 5), (0, 5), (0,))


def test_the_mode_comes_back(model):
    model.model.train()
    try:
        given_rows = rows(*random_lists())
        first, second = (top_k(model, given_rows, np.array([1, 2]), 2, 1.0) for _ in range(2))
        assert np.array_equal(first.logits, second.logits)  # without dropout
        assert model.model.training
    finally:
        model.model.eval()


@pytest.mark.parametrize(("k", "temperature"), [(0, 1.0), (SIZE + 1, 1.0), (1, 0.0), (1, np.inf)])
def test_numbers_out_of_range(model, k, temperature):
    with pytest.raises(UsageError, match=f"1 to {SIZE} logits of a temperature above 0"):
        top_k(model, rows([2, 7, 3]), np.array([1]), k, temperature)


class Saying:
    """A masked language model that says one number everywhere."""

    device, size = torch.device("cpu"), 5
    model = torch.nn.Module()

    def __init__(self, number):
        self.number = number

    def layout(self, given_rows):
        return SimpleNamespace(places=torch.arange(len(given_rows.ids)))

    def hidden(self, layout):
        return torch.zeros(len(layout.places), 1)

    def head(self, hidden):
        return torch.full((len(hidden), 5), self.number)


@pytest.mark.parametrize("number", [7e4, -7e4, float("nan"), float("inf")])
def test_logits_that_float16_cannot_hold(number):
    with pytest.raises(InputError, match=r"logits up to ±65,504, found .*diverged"):
        top_k(Saying(number), rows([2, 7, 3]), np.array([1]), 2, 1.0)


def test_equal_logits_come_by_id():
    found = top_k(Saying(65504.0), rows([2, 7, 3]), np.array([0, 2]), 3, 1.0)
    assert found.ids.tolist() == [[0, 1, 2]] * 2
    assert found.logits.tolist() == [[65504.0] * 3] * 2
