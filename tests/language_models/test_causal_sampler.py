"""Sampled rows, against one row, one piece at a time through the whole model."""

from __future__ import annotations

from itertools import count, islice

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from plain_sampling import END, SIZE, START, gpt2, numbers_at, other, sample_row

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.language_models.causal import sampler as sampling_module
from transferset.language_models.causal.sampler import Prefixes, Sampler, Sampling

KEY = (3, 2**31)
SHORT = Sampling(max_length=10)
PREFIXES = Prefixes(np.array([5, END, 9], np.int32), np.array([3, 1, 4], np.int64))


@pytest.fixture(scope="module")
def model():
    return gpt2()


def open_sampler(model, sampling=SHORT, *, prefixes=None, ends=(END,), key=KEY, **others):
    given = {"start": START, "ends": ends, "sampling": sampling, "key": key}
    return Sampler(model, **given, prefixes=prefixes, **others)


def rows_of(sampler, rows):
    return {one.row: (one.ids.tolist(), one.finished) for one in sampler.sample(rows)}


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("prefixes", [None, PREFIXES], ids=["start", "prefixes"])
@pytest.mark.parametrize(
    "sampling",
    [SHORT, Sampling(0.8, 7, 0.8, 10), Sampling(1.2, 0, 0.7, 6), Sampling(0.9, 3, 1.0, 1)],
    ids=str,
)
def test_rows_are_those_of_one_piece_at_a_time(model, sampling, prefixes, on_device):
    rows = [0, 1, 2, 2**32, 2**63 + 11, *range(100, 120)]
    ends = (END, 4, 6)
    sampler = open_sampler(
        model, sampling, prefixes=prefixes, ends=ends, batch=9, on_device=on_device
    )
    wanted = {r: sample_row(model, r, sampling, KEY, prefixes=prefixes, ends=ends) for r in rows}
    found = rows_of(sampler, rows)
    assert found == wanted
    assert sampling.max_length == 1 or {end for _, end in wanted.values()} == {True, False}
    # each draw is counted: the pieces, and the one that ends a row or shows that it is too long
    assert sampler.pieces == sum(len(ids) + 1 for ids, _ in found.values())


@pytest.mark.parametrize("kind", ["Llama", "Qwen3", "GPTNeoX", "Gemma2"])
def test_rows_of_other_models(kind):
    more = {"head_dim": 4} if kind in ("Qwen3", "Gemma2") else {}
    model = other(kind, **more)
    wanted = {row: sample_row(model, row, SHORT, KEY) for row in range(12)}
    assert rows_of(open_sampler(model), range(12)) == wanted


ROWS = st.lists(
    st.integers(0, 2**64 - 1) | st.integers(0, 50), min_size=1, max_size=30, unique=True
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ROWS, st.integers(1, 130), st.booleans(), st.sampled_from([SHORT, Sampling(0.7, 9, 0.9, 10)])
)
def test_a_row_is_the_same_in_any_batch_order_and_company(model, rows, batch, prefix, sampling):
    prefixes = PREFIXES if prefix else None
    found = rows_of(open_sampler(model, sampling, prefixes=prefixes, batch=batch), rows)
    alone = open_sampler(model, sampling, prefixes=prefixes, batch=1)
    assert found == {row: rows_of(alone, [row])[row] for row in rows}


def test_scores_are_the_same_bits_in_any_place_and_company(model):
    """Rows alone could hide differences in the last bits; scores do not."""
    seen = []

    def watch(scores):
        seen.append(scores.copy())
        return scores

    def last_scores(batch, rows):
        seen.clear()
        sampler = open_sampler(model, batch=batch, ends=())
        forward = sampler._engines[0]._forward
        sampler._engines[0]._forward = Watched(forward, watch)
        list(sampler.sample(rows))
        return seen

    alone = [scores[0] for scores in last_scores(1, [7])]
    among = [scores[40] for scores in last_scores(64, [*range(100, 140), 7, *range(200, 223)])]
    assert len(alone) == len(among) == SHORT.max_length
    assert all(a.tobytes() == b.tobytes() for a, b in zip(alone, among, strict=True))


class Watched:
    """A forward whose scores are shown to someone."""

    def __init__(self, forward, watch):
        self._forward, self._watch = forward, watch

    def __call__(self, ids):
        self._watch(self._forward(ids).numpy())
        return self._forward(ids)


def test_another_key_makes_other_rows(model):
    assert rows_of(open_sampler(model), range(8)) != rows_of(
        open_sampler(model, key=(3, 5)), range(8)
    )


# a model that follows a script: behind position p, with certainty, the piece script[p]
def scripted(script):
    model = gpt2(positions=len(script), tie_word_embeddings=False)
    with torch.no_grad():
        for one in model.parameters():
            one.zero_()
        model.transformer.ln_f.weight.fill_(1)
        for position, piece in enumerate(script):
            model.transformer.wpe.weight[position, position % 16] = 1
            model.lm_head.weight[piece, position % 16] = 1000
    return model


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize(
    ("script", "most", "ids", "finished"),
    [
        ([5, 6, END, 7], 3, [5, 6], True),
        ([5, 6, END, 7], 2, [5, 6], True),  # as many as may be, and then the end
        ([5, 6, END, 7], 1, [5], False),
        ([END, 5], 1, [], True),
        ([5, END], 1, [5], True),
        ([5, 6, 7, 8], 3, [5, 6, 7], False),
        ([5, START, 8, END], 3, [5, START, 8], True),  # the start is a piece like others
        ([5, 8, 2, 2], 3, [5, 8], True),  # another end
    ],
)
def test_a_row_is_over_at_an_end_or_when_it_is_too_long(script, most, ids, finished, on_device):
    sampler = open_sampler(
        scripted(script), Sampling(max_length=most), ends=(END, 2), on_device=on_device
    )
    found = list(sampler.sample([4]))
    assert [(one.row, one.ids.tolist(), one.finished) for one in found] == [(4, ids, finished)]
    assert found[0].ids.dtype == np.int32


def test_a_prefix_is_a_piece_and_may_be_the_end(model):
    only = Prefixes(np.array([END], np.int32), np.array([1], np.int64))
    assert rows_of(open_sampler(model, prefixes=only), range(200)) == {
        row: ([], True) for row in range(200)
    }
    script = scripted([9, 6, END])
    first = Prefixes(np.array([3], np.int32), np.array([8], np.int64))
    sampler = open_sampler(script, Sampling(max_length=2), prefixes=first)
    assert rows_of(sampler, [0]) == {0: ([3, 6], True)}


def test_prefixes_come_as_often_as_they_were_counted(model):
    sampler = open_sampler(model, Sampling(max_length=1), prefixes=PREFIXES)
    total = 8000
    firsts = [tuple(one.ids[:1]) for one in sorted(sampler.sample(range(total)))]
    shares = [firsts.count(key) / total for key in [(5,), (), (9,)]]
    # 5 σ of the widest is 0.028
    assert np.abs(np.array(shares) - [3 / 8, 1 / 8, 4 / 8]).max() < 0.028
    drawn = numbers_at(range(total), 0, KEY)
    assert [len(one) for one in firsts] == [0 if 3 / 8 <= u < 4 / 8 else 1 for u in drawn]


@pytest.mark.parametrize(
    "sampling", [Sampling(max_length=2), Sampling(0.6, 12, 0.9, 2)], ids=["plain", "kept"]
)
def test_pieces_come_as_often_as_the_model_says_given_those_before(model, sampling):
    from plain_sampling import probabilities, scores_after

    total = 10_000
    rows = [one.ids.tolist() for one in open_sampler(model, sampling, ends=()).sample(range(total))]
    firsts = np.bincount([ids[0] for ids in rows], minlength=SIZE)
    fits(firsts, probabilities(scores_after(model, [START]), sampling))
    most = int(firsts.argmax())
    seconds = np.bincount([ids[1] for ids in rows if ids[0] == most], minlength=SIZE)
    fits(seconds, probabilities(scores_after(model, [START, most]), sampling))


def fits(seen, wanted):
    """χ² within five deviations: by chance beyond them once in 10^5 runs or so."""
    assert not seen[wanted == 0].any()
    expected = seen.sum() * wanted
    rare = expected < 5
    seen = np.append(seen[~rare], seen[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    some = expected > 0
    free = max(some.sum() - 1, 1)
    chi = ((seen[some] - expected[some]) ** 2 / expected[some]).sum()
    assert chi < free + 5 * np.sqrt(2 * free) + 5


def test_rows_are_taken_as_places_fall_free(model):
    taken = []

    def rows():
        for row in count():
            taken.append(row)
            yield row

    found = list(islice(open_sampler(model, batch=8).sample(rows()), 30))
    assert len({one.row for one in found}) == 30
    assert max(taken) < 30 + 2 * 8


def test_sampling_may_be_left_and_begun_again(model):
    sampler = open_sampler(model, batch=8)
    wanted = rows_of(open_sampler(model), range(20))
    next(sampler.sample(range(50, 90)))
    assert rows_of(sampler, range(20)) == wanted
    assert rows_of(sampler, []) == {}


def test_the_model_and_torch_are_left_as_they_were(model):
    before, threads = model.config._attn_implementation, torch.get_num_threads()
    sampler = open_sampler(model)
    one = next(sampler.sample(range(20)))
    assert model.config._attn_implementation == before
    assert torch.get_num_threads() == threads
    # between two rows it can be used as ever
    assert torch.isfinite(model(input_ids=torch.tensor([[START, *one.ids]])).logits).all()


@pytest.mark.parametrize("on_device", [False, True])
def test_want_of_memory_halves_the_batch_and_loses_no_row(model, on_device, monkeypatch):
    wanted = rows_of(open_sampler(model), range(300))
    sampler = open_sampler(model, batch=256, on_device=on_device)
    errors = [RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), None]
    errors += [None, torch.OutOfMemoryError("CUDA out of memory."), MemoryError(), None]
    real = type(sampler._engines[0]).step

    def step(self):
        error = errors.pop(0) if errors and sampler.batch > 64 else None
        if error is not None:
            raise error
        real(self)

    monkeypatch.setattr(type(sampler._engines[0]), "step", step)
    assert rows_of(sampler, range(300)) == wanted
    assert sampler.batch == 64


def test_want_of_memory_when_buffers_are_made_halves_the_batch_too(model, monkeypatch):
    from transferset.language_models.causal.cache import RowCache

    real = RowCache._buffer

    def buffer(self, new):
        if len(new) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8 GiB")
        return real(self, new)

    monkeypatch.setattr(RowCache, "_buffer", buffer)
    sampler = open_sampler(model, batch=90, on_device=True)
    assert sampler.batch == 11
    monkeypatch.undo()
    assert rows_of(sampler, range(9)) == rows_of(open_sampler(model), range(9))


@pytest.mark.parametrize(("on_device", "fewest"), [(False, 64), (True, 1)])
def test_with_no_memory_at_all_it_says_so(model, on_device, fewest, monkeypatch):
    sampler = open_sampler(model, batch=128, on_device=on_device)

    def step(self):
        raise MemoryError

    monkeypatch.setattr(type(sampler._engines[0]), "step", step)
    with pytest.raises(TransfersetError, match=r"expected memory for \d+ rows of 11 pieces"):
        list(sampler.sample(range(300)))
    assert sampler.batch == fewest


def test_other_errors_are_not_taken_for_want_of_memory(model, monkeypatch):
    sampler = open_sampler(model)

    def step(self):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(sampling_module.Places, "step", step)
    with pytest.raises(RuntimeError, match="shapes"):
        list(sampler.sample(range(3)))


@pytest.mark.parametrize("on_device", [False, True])
def test_scores_that_are_no_numbers_are_told_with_row_and_piece(on_device):
    model = scripted([5, 6, 7, 8])
    sampler = open_sampler(model, Sampling(max_length=3), batch=1, on_device=on_device)
    with torch.no_grad():
        model.transformer.wpe.weight[2] = np.nan
    with pytest.raises(InputError, match="found others at piece 2 of row 17"):
        list(sampler.sample([17]))


def test_calls_that_cannot_be_right():
    model = gpt2(positions=11)
    open_sampler(model)  # the start and ten pieces
    with pytest.raises(UsageError, match=r"one of 11; take a --max-length of at most 10"):
        open_sampler(model, Sampling(max_length=11))
    for ends, prefixes in [((SIZE,), None), ((-1,), None), ((), prefix(SIZE)), ((), prefix(-1))]:
        with pytest.raises(UsageError, match="expected ids below the 40 of the model"):
            open_sampler(model, ends=ends, prefixes=prefixes)
    with pytest.raises(UsageError, match="a batch of 1 row or more"):
        open_sampler(model, batch=-1)
    for wrong in [{"temperature": 0.0}, {"temperature": float("nan")}, {"top_k": -1}]:
        with pytest.raises(UsageError, match="expected"):
            Sampling(**wrong)
    for wrong in [{"top_p": 0.0}, {"top_p": 1.1}, {"max_length": 0}]:
        with pytest.raises(UsageError, match="expected"):
            Sampling(**wrong)
    for ids, counts in [([], []), ([1], [0]), ([1, 2], [1])]:
        with pytest.raises(UsageError, match="expected"):
            Prefixes(np.array(ids, np.int32), np.array(counts, np.int64))


def prefix(piece):
    return Prefixes(np.array([piece], np.int32), np.array([1], np.int64))
