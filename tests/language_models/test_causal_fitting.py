"""Fitting a causal language model: examples, objective, steps, resuming."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from transferset.errors import TransfersetError  # noqa: E402
from transferset.language_models.causal import learning  # noqa: E402
from transferset.language_models.causal.examples import (  # noqa: E402
    IGNORED,
    Examples,
    encode,
)
from transferset.language_models.causal.fitting import fit  # noqa: E402
from transferset.language_models.causal.learning import PieceLearner, Procedure  # noqa: E402
from transferset.language_models.causal.objective import PieceLoss, measure  # noqa: E402
from transferset.stage import Quiet  # noqa: E402
from transferset.training.batches import Batch  # noqa: E402
from transferset.training.checkpoint import Checkpoints  # noqa: E402
from transferset.training.learning import NotFinite  # noqa: E402
from transferset.training.tensors import weights  # noqa: E402

START, END, SEPARATOR, SIZE = 0, 1, 2, 40


class Letters:
    """A tokenizer of letters: a is 3, b is 4, …"""

    start, end, size = START, END, SIZE

    def encode(self, texts, pairs=None):
        rows = [[3 + ord(c) - 97 for c in text.replace(" ", "")] for text in texts]
        if pairs is not None:
            seconds, _ = self.encode(pairs), None
            ids, offsets = seconds
            rows = [
                [*row, SEPARATOR, *ids[a:b].tolist()]
                for row, (a, b) in zip(rows, pairwise(offsets), strict=True)
            ]
        flat = [i for row in rows for i in row]
        return np.array(flat, np.int32), np.cumsum([0, *map(len, rows)])


def make_examples(rows: list[list[int]]) -> Examples:
    """Examples of what is to be predicted."""
    offsets = np.cumsum([0, *map(len, rows)])
    words = np.array([len(row) for row in rows], np.int32)
    return Examples(np.array([i for row in rows for i in row], np.uint16), offsets, words, START)


def random_examples(count: int, seed: int = 0) -> Examples:
    draw = np.random.default_rng(seed)
    return make_examples(
        [[*draw.integers(3, 20, draw.integers(1, 12)).tolist(), END] for _ in range(count)]
    )


def gpt2(dropout: float = 0.1, seed: int = 0):
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=SIZE, n_layer=2, n_embd=16, n_head=2, n_positions=32,
        resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout,
        bos_token_id=START, eos_token_id=END,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def llama():
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=SIZE, num_hidden_layers=2, hidden_size=16, intermediate_size=32,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32,
        bos_token_id=START, eos_token_id=END,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


# Examples


def test_what_is_predicted_of_a_text_is_its_pieces_and_the_end():
    found = encode(Letters(), pa.array(["ab c", "d"]), None, 8)
    assert found.ids.tolist() == [3, 4, 5, END, 6, END]
    assert found.lengths.tolist() == [4, 2]
    assert found.words.tolist() == [3, 2]  # with the end, which is predicted too


def test_a_text_that_is_cut_has_no_end_and_no_words():
    found = encode(Letters(), pa.array(["abc", "abcd", "abcde"]), None, 3)
    assert found.ids.tolist() == [3, 4, 5, END, 3, 4, 5, 3, 4, 5]
    assert found.words.tolist() == [2, 0, 0]
    assert (found.truncated, found.cut_pieces, found.empty) == (2, 3, 0)


def test_the_texts_of_a_pair_are_parted_and_blank_sides_left_out():
    firsts, seconds = pa.array(["ab", "", "c", "a"]), pa.array(["c d", "a", "", "b"])
    found = encode(Letters(), firsts, seconds, 8)
    assert found.ids.tolist() == [3, 4, SEPARATOR, 5, 6, END, 3, SEPARATOR, 4, END]
    assert found.words.tolist() == [5, 4]
    assert found.empty == 2


@given(st.lists(st.text("abc", max_size=6), min_size=1, max_size=8), st.integers(1, 5))
def test_pieces_and_cut_pieces_are_all_there_were(texts, length):
    found = encode(Letters(), pa.array(texts), None, length)
    there = [text for text in texts if text]
    assert len(found.lengths) == len(there) == len(texts) - found.empty
    ends = len(there) - found.truncated
    assert len(found.ids) + found.cut_pieces == sum(map(len, there)) + ends


def test_a_batch_is_shifted_by_the_start_and_padded():
    examples = make_examples([[5, 6, 7, END], [8], [9, END]])
    inputs, targets = examples.batch(np.array([1, 0]))
    assert inputs.tolist() == [[START, START, START, START], [START, 5, 6, 7]]
    assert targets.tolist() == [[8, IGNORED, IGNORED, IGNORED], [5, 6, 7, END]]


# Objective


@pytest.mark.parametrize("make", [gpt2, llama])
@pytest.mark.parametrize("gathers", [True, False])
def test_losses_are_those_of_each_row_alone(make, gathers):
    model, examples = make().eval(), random_examples(5)
    loss = PieceLoss(model)
    assert loss.gathers
    loss.gathers = gathers
    with torch.no_grad():
        found = loss(*examples.batch(np.arange(5))).numpy()
        expected = []
        for row in range(5):
            inputs, targets = examples.batch(np.array([row]))
            logits = model(input_ids=torch.from_numpy(inputs)).logits[0].double().numpy()
            logits -= logits.max(1, keepdims=True)
            likely = logits - np.log(np.exp(logits).sum(1, keepdims=True))
            expected += (-likely[np.arange(len(likely)), targets[0]]).tolist()
    assert found == pytest.approx(expected, rel=1e-4)


def test_perplexity_of_pieces_and_of_the_words_of_whole_texts():
    model = gpt2().eval()
    rows = [[5, 6, END], [7, 8, 9], [5, END]]
    offsets, words = np.array([0, 3, 6, 8]), np.array([2, 0, 3], np.int32)  # the second was cut
    examples = Examples(np.concatenate(rows).astype(np.uint16), offsets, words, START)
    loss = PieceLoss(model)
    with torch.no_grad():
        sums = [loss(*examples.batch(np.array([row]))).sum().item() for row in range(3)]
    found = measure(model, loss, examples)
    assert found.piece == pytest.approx(np.exp(sum(sums) / 8), rel=1e-4)
    assert found.word == pytest.approx(np.exp((sums[0] + sums[2]) / 5), rel=1e-4)


def test_the_perplexity_of_an_even_model_is_its_vocabulary():
    model = gpt2()
    with torch.no_grad():
        model.transformer.wte.weight.zero_()
    assert measure(model, PieceLoss(model), random_examples(300)).piece == pytest.approx(SIZE)


# Steps


def plain_step(model, rows: list[list[int]], lr: float, decay: float) -> None:
    """A step as anyone would write it: one padded batch, torch's loss and optimiser."""
    longest = max(map(len, rows))
    inputs = torch.tensor([[START, *row[:-1], *[0] * (longest - len(row))] for row in rows])
    targets = torch.tensor([[*row, *[-100] * (longest - len(row))] for row in rows])
    plain = [p for name, p in model.named_parameters() if name.endswith("bias") or ".ln_" in name]
    others = [p for p in model.parameters() if not any(p is one for one in plain)]
    groups = [{"params": others, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr)
    logits = model(input_ids=inputs).logits
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def same(model, other, tolerance: float = 0.0) -> bool:
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=tolerance) for a, b in pairs)


@pytest.mark.parametrize("at_once", [6, 4, 1])
def test_a_step_is_on_the_mean_over_all_pieces_however_it_is_parted(at_once):
    rows = [[5, 6, END], [7, 8, 9, 10, 11, 12, END], [5, END], [9, 9, END], [END], [3, 4, 5, END]]
    model, plain = gpt2(0.0), gpt2(0.0)
    learner = PieceLearner(model, make_examples(rows), Procedure(weight_decay=0.1))
    learner.learn(Batch(0, 0, np.arange(6)), at_once, 0.01, 0)
    plain_step(plain, rows, 0.01, 0.1)
    # a first step of AdamW is ± the rate, so a gradient near 0 may differ by rounding
    assert same(model, plain, 2e-4)
    assert not same(model, gpt2(0.0), 1e-3)


def short_of_memory(most: int):
    """An objective for which a machine has memory for some rows only."""

    class Short(PieceLoss):
        def __call__(self, inputs, targets):
            if len(inputs) > most:
                raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] can't allocate memory")
            return super().__call__(inputs, targets)

    return Short


def test_with_too_little_memory_fewer_rows_go_through_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(learning, "PieceLoss", short_of_memory(3))
    short = gpt2(0.0)
    state = run(short, random_examples(30), tmp_path / "short", batch=10)
    monkeypatch.undo()
    whole = gpt2(0.0)
    run(whole, random_examples(30), tmp_path / "whole", batch=10)
    assert state.at_once == 3  # 10, 5, 3
    assert same(short, whole, 1e-3)
    lines = [json.loads(line) for line in (tmp_path / "short" / "log").read_text().splitlines()]
    assert [line["at_once"] for line in lines if "at_once" in line] == [3]


def test_with_no_memory_for_one_row_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(learning, "PieceLoss", short_of_memory(0))
    with pytest.raises(TransfersetError, match=r"memory for one example, .*lower --length"):
        run(gpt2(), random_examples(4), tmp_path)


def test_another_failure_of_torch_is_not_taken_for_memory(monkeypatch, tmp_path):
    def broken(*_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(PieceLoss, "__call__", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        run(gpt2(), random_examples(4), tmp_path)


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    with pytest.raises(NotFinite, match=r"finite numbers, found .* at step \d+; lower --lr"):
        run(gpt2(), random_examples(40), tmp_path, batch=4, lr=1e30)


# The whole


def run(model, examples, folder, held_out=None, every=1e9, **options):
    folder.mkdir(parents=True, exist_ok=True)
    procedure = Procedure(**{"epochs": 2, "lr": 1e-2, "batch": 8, **options})
    checkpoints = Checkpoints(folder / "checkpoint", "recipe")
    return fit(
        model, examples, held_out, procedure,
        checkpoints=checkpoints, log=folder / "log", progress=Quiet(), every=every,
    )  # fmt: skip


def test_it_learns(tmp_path):
    draw = np.random.default_rng(1)
    rows = [[*np.arange(s, s + 4).tolist(), END] for s in draw.integers(3, 30, 200)]
    examples, held_out = make_examples(rows[:160]), make_examples(rows[160:])
    state = run(gpt2(), examples, tmp_path, held_out, epochs=8)
    first, last = state.evaluations[0], state.evaluations[-1]
    assert first["piece"] > 30
    assert last["piece"] < 4  # 28 starts in 5 pieces: at best 28 ** (1 / 5), which is 1.9
    assert [one["step"] for one in state.evaluations] == list(range(0, 161, 20))
    assert state.best == min(state.evaluations, key=lambda one: one["piece"])


def test_the_best_weights_are_kept(tmp_path, monkeypatch):
    """By perplexities that are made up: the lowest is after step 6, the weights to begin with
    do not count."""
    told = iter([1.0, 9.0, 5.0, 3.0, 7.0, 4.0, 6.0])
    kept = {}

    def made_up(model, *_):
        value = next(told)
        kept[value] = {name: one.clone() for name, one in weights(model).items()}
        return fitting_held_out(value)

    def fitting_held_out(value):
        from transferset.language_models.causal.objective import HeldOut

        return HeldOut(value, value)

    monkeypatch.setattr(learning, "measure", made_up)
    model = gpt2()
    examples = random_examples(40)  # 5 steps an epoch
    state = run(model, examples, tmp_path, examples, evaluate_every=2)
    assert [one["step"] for one in state.evaluations] == [0, 2, 4, 6, 8, 10]
    assert state.best == {"step": 6, "piece": 3.0, "word": 3.0}
    assert all(torch.equal(one, kept[3.0][name]) for name, one in weights(model).items())


class Killed(BaseException):
    pass


@pytest.mark.parametrize("every", [0.0, 1e9])
def test_however_often_it_is_stopped_it_ends_in_the_same_weights(tmp_path, monkeypatch, every):
    """Checkpoints as often as may be, or at the end only; stops before each step."""
    examples, held_out = random_examples(40), random_examples(10, 1)
    whole = gpt2()
    state = run(whole, examples, tmp_path / "whole", held_out, every)
    before = PieceLearner.learn
    stops = set(range(10))

    def stop_once(self, batch, at_once, rate, step):
        if step in stops:
            stops.remove(step)
            raise Killed
        return before(self, batch, at_once, rate, step)

    monkeypatch.setattr(PieceLearner, "learn", stop_once)
    broken, stopped = gpt2(), 0
    while True:
        try:
            found = run(broken, examples, tmp_path / "broken", held_out, every)
            break
        except Killed:
            broken, stopped = gpt2(), stopped + 1
            torch.rand(stopped)  # whatever else happened to the generator
    assert stopped == 10
    assert same(whole, broken)
    assert (found.evaluations, found.best, found.tokens) == (
        state.evaluations, state.best, state.tokens,
    )  # fmt: skip
    logs = [
        [{**json.loads(line), "seconds": 0} for line in text.splitlines()]
        for text in ((tmp_path / name / "log").read_text() for name in ("whole", "broken"))
    ]
    assert logs[0] == logs[1]


def test_it_leaves_generators_and_threads_as_they_were(tmp_path):
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    run(gpt2(seed=0), random_examples(8), tmp_path / "a")
    torch.manual_seed(5)
    model = gpt2(seed=0)
    torch.set_rng_state(before)
    run(model, random_examples(8), tmp_path / "b")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert not model.training


def test_weights_are_a_function_of_the_seed(tmp_path):
    models = [gpt2() for _ in range(3)]
    for i, (model, seed) in enumerate(zip(models, (0, 0, 1), strict=True)):
        torch.rand(i)
        run(model, random_examples(20), tmp_path / str(i), seed=seed)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])
