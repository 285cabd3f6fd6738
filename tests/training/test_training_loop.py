"""The loop of a training: what it does at each step, and that it may be stopped at any."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from transferset.errors import TransfersetError  # noqa: E402
from transferset.stage import Quiet  # noqa: E402
from transferset.training.batches import Batches  # noqa: E402
from transferset.training.checkpoint import Checkpoints  # noqa: E402
from transferset.training.clock import Clock  # noqa: E402
from transferset.training.learning import NotFinite, Part, learn  # noqa: E402
from transferset.training.loop import Learnt, Measured, Settings, train  # noqa: E402
from transferset.training.optimizer import make_optimizer  # noqa: E402
from transferset.training.tensors import weights  # noqa: E402

KINDS = ["adamw", "adam", "adadelta", "sparse"]
WORDS, EXAMPLES = 30, 20


class Running(torch.nn.Module):
    """Less the mean of what came so far, which is no parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("count", torch.tensor(0))

    def forward(self, inputs):
        if self.training:
            self.count += 1
            self.mean.lerp_(inputs.detach().mean(0), 1 / int(self.count))
        return inputs - self.mean


class Tiny(torch.nn.Module):
    """Words' mean, dropout, a running mean that no gradient moves, and a frozen table."""

    def __init__(self, *, sparse: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(WORDS, 4, sparse=sparse)
        self.frozen = torch.nn.Embedding(WORDS, 4).requires_grad_(requires_grad=False)
        self.norm = Running()
        self.drop = torch.nn.Dropout(0.2)
        self.heads = torch.nn.ModuleList([torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)])

    def forward(self, rows, task):
        means = torch.stack([(self.table(row) + self.frozen(row)).mean(0) for row in rows])
        return self.heads[task](self.drop(self.norm(means)))[:, 0]


def examples(seed: int):
    draw = np.random.default_rng(seed)
    return [torch.from_numpy(draw.integers(0, WORDS, n)) for n in draw.integers(1, 12, EXAMPLES)]


ROWS = [examples(0), examples(1)]
LENGTHS = [np.array([len(row) for row in rows], np.int32) for rows in ROWS]


class Sums:
    """A learner of the sum of a row's ids; told scores instead of measured ones if given."""

    def __init__(self, kind: str = "adamw", scores=None, *, held: bool = True, lr=0.01) -> None:
        self.module = Tiny(sparse=kind == "sparse")
        sparse = [self.module.table.weight] if kind == "sparse" else []
        name = "adamw" if kind == "sparse" else kind
        self.optimizer = make_optimizer(self.module, name, lr, sparse=sparse)
        self.scores, self.held = scores, held
        self.kept: list = []
        self.rates: list[float] = []
        self.steps: list[int] = []

    def learn(self, batch, at_once, rate, step):
        self.rates.append(rate)
        self.steps.append(step)
        sizes = LENGTHS[batch.task][batch.rows]

        def part(some: slice) -> Part:
            rows = [ROWS[batch.task][i] for i in batch.rows[some]]
            loss = self._loss(rows, batch.task) / len(sizes)
            return Part(loss, {"square": loss.detach(), "none": math.nan})

        found = learn(
            self.optimizer, part, sizes, at_once,
            seed=3, step=step, rate=rate, clip=1.0,
        )  # fmt: skip
        tokens = int(sizes.sum())
        return Learnt(found.loss, len(sizes), tokens, found.parts, found.at_once, found.short)

    def _loss(self, rows, task):
        targets = torch.stack([row.float().mean() / WORDS for row in rows])
        return (self.module(rows, task) - targets).square().sum()

    def measure(self):
        assert not self.module.training
        self.kept.append({name: one.clone() for name, one in weights(self.module).items()})
        if not self.held:
            return None
        if self.scores is not None:
            score = self.scores.pop(0)
            return Measured({"score": score}, score)
        with torch.no_grad():
            loss = float(self._loss(ROWS[0][:10], 0))
        torch.rand(1)  # whatever a measurement draws changes no step
        return Measured({"loss": loss}, -loss)


def batches(*, multi: bool = True, **length) -> Batches:
    return Batches(LENGTHS if multi else LENGTHS[:1], seed=3, tokens=60, window=2, **length)


def run(learner, folder: Path, planned: Batches, progress=None, every=1e9, **options):
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(**{"lr": 0.01, "warmup": 0.1, **options})
    return train(
        learner, planned, settings, at_once=1000,
        checkpoints=Checkpoints(folder / "checkpoint", "recipe"), log=folder / "log.jsonl",
        progress=progress or Quiet(), every=every,
    )  # fmt: skip


def lines(folder: Path):
    found = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [{name: value for name, value in one.items() if name != "seconds"} for one in found]


def same(one, other) -> bool:
    pairs = zip(weights(one).values(), weights(other).values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# Resuming


class Killed(BaseException):
    pass


class Killing(Quiet):
    """A progress that kills a run after each step once."""

    def __init__(self, steps: int) -> None:
        self.left, self.learner = set(range(steps)), Sums()

    def advance(self, amount, rows):
        if rows and self.learner.steps[-1] in self.left:  # not what was done before
            self.left.remove(self.learner.steps[-1])
            raise Killed


@pytest.mark.parametrize(
    ("kind", "length", "held", "due"),
    [
        *((kind, {"epochs": 2}, True, "always") for kind in KINDS),
        *((kind, {"steps": 9}, kind == "adam", "sometimes") for kind in KINDS),
        ("adamw", {"steps": 9}, True, "never"),
        ("sparse", {"epochs": 2}, False, "never"),
    ],
)
def test_killed_after_each_step_it_ends_in_the_same_bits(
    kind, length, held, due, tmp_path, monkeypatch
):
    asked: list[int] = []

    def is_due(_):
        asked.append(1)
        return due == "always" or (due == "sometimes" and len(asked) % 3 == 0)

    monkeypatch.setattr(Clock, "due", is_due)
    steps = batches(**length).steps
    options = {"evaluate_every": 4, "evaluate_first": True}
    if kind == "adadelta":
        options |= {"schedule": "constant", "lr": 1.0}
    whole = Sums(kind, held=held)
    expected = run(whole, tmp_path / "whole", batches(**length), **options)
    killing, made = Killing(steps), []
    for killed in range(steps + 1):
        broken = killing.learner = Sums(kind, held=held)
        torch.rand(killed)  # whatever else happened to the generator
        try:
            found = run(broken, tmp_path / "broken", batches(**length), killing, **options)
        except Killed:
            continue
        finally:
            made += broken.steps
    assert killing.left == set()
    assert same(whole.module, broken.module)
    expected.seconds = found.seconds = expected.log_bytes = found.log_bytes = 0
    assert found == expected
    assert lines(tmp_path / "broken") == lines(tmp_path / "whole")
    # with a checkpoint after each step none was made twice
    assert (made == list(range(steps))) == (due == "always")


def test_a_checkpoint_of_another_recipe_or_a_damaged_one_begins_anew(tmp_path):
    run(Sums(), tmp_path, batches(epochs=1))
    for file in (tmp_path / "checkpoint").glob("state*"):
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    learner = Sums()
    run(learner, tmp_path, batches(epochs=1))
    assert learner.steps[0] == 0
    assert len(lines(tmp_path)) == len({line["step"] for line in lines(tmp_path)}) * 2 - (
        batches(epochs=1).steps - 1
    )  # one line a step, and one of the measurement after the last


def test_frozen_weights_are_not_written_again_and_again(tmp_path):
    run(Sums(), tmp_path, batches(epochs=1))
    checkpoints = Checkpoints(tmp_path / "checkpoint", "recipe")
    checkpoints.open()
    names = checkpoints.tensors("state")
    assert "weights.table.weight" in names
    assert "weights.norm.mean" in names
    assert not any("frozen" in name for name in names)
    assert not any("frozen" in name for name in checkpoints.tensors("best"))


# Best weights


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([1.0, 3.0, 2.0], 1),
        ([1.0, 3.0, 3.0], 1),  # the earlier of two
        ([math.nan, 1.0, 0.5], 1),
        ([math.nan, math.nan, -7.0], 2),
        ([2.0, math.inf, 1.0], 0),
    ],
)
def test_the_weights_of_the_highest_score_are_kept(tmp_path, scores, best):
    told = [math.nan if math.isnan(one) else one for one in scores]
    learner = Sums(scores=list(scores))
    state = run(learner, tmp_path, batches(epochs=3))
    assert all(
        torch.equal(one, learner.kept[best][name])
        for name, one in weights(learner.module).items()
    )  # fmt: skip
    assert state.score == scores[best]
    assert state.best == state.evaluations[best]
    finite = [one if math.isfinite(one) else None for one in told]
    assert [one["score"] for one in state.evaluations] == finite


@pytest.mark.parametrize("scores", [[math.nan] * 3, None])
def test_without_a_score_the_last_weights_are_kept(tmp_path, scores):
    learner = Sums(scores=scores, held=scores is not None)
    state = run(learner, tmp_path, batches(epochs=3))
    last = learner.kept[-1]
    assert all(torch.equal(one, last[name]) for name, one in weights(learner.module).items())
    assert (state.best, state.score) == (None, None)


def test_the_weights_to_begin_with_are_measured_and_never_kept(tmp_path):
    learner = Sums(scores=[9.0, 1.0, 2.0])
    state = run(learner, tmp_path, batches(epochs=2), evaluate_first=True)
    assert [one["score"] for one in state.evaluations] == [9.0, 1.0, 2.0]
    assert state.evaluations[0]["step"] == 0
    assert state.best == {"step": batches(epochs=2).steps, "score": 2.0}


def test_it_measures_after_epochs_or_so_many_steps(tmp_path):
    planned = batches(epochs=2)
    ends = [step + 1 for step in range(planned.steps) if planned.ends_epoch(step)]
    state = run(Sums(), tmp_path / "epochs", planned)
    assert [one["step"] for one in state.evaluations] == ends
    state = run(Sums(), tmp_path / "steps", planned, evaluate_every=5)
    fives = {*range(5, planned.steps + 1, 5), planned.steps}
    assert [one["step"] for one in state.evaluations] == sorted(fives)


class Interrupting(Quiet):
    """A progress during which Ctrl-C is pressed, after some step."""

    def __init__(self, after: int, number: int = signal.SIGINT) -> None:
        self.left, self.number = after, number

    def advance(self, amount, rows):
        if rows:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_keeps_every_step(tmp_path, number):
    planned = batches(epochs=2)
    whole = Sums()
    run(whole, tmp_path / "whole", planned)
    handler = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        run(Sums(), tmp_path / "cut", planned, Interrupting(3, number))
    assert signal.getsignal(number) is handler
    kept = Checkpoints(tmp_path / "cut" / "checkpoint", "recipe").open()
    assert kept["step"] == 3
    again = Sums()
    run(again, tmp_path / "cut", planned)
    assert len(again.steps) == planned.steps - 3
    assert all(
        torch.equal(one, weights(whole.module)[n]) for n, one in weights(again.module).items()
    )


# Log, rates, progress


def test_the_log_says_what_was_learnt(tmp_path):
    planned = batches(epochs=2)
    state = run(Sums(), tmp_path, planned)
    learnt = [line for line in lines(tmp_path) if "lr" in line]
    assert [line["step"] for line in learnt] == list(range(1, planned.steps + 1))
    assert list(learnt[0]) == ["step", "epoch", "loss", "square", "lr", "tokens"]
    assert all(line["square"] == pytest.approx(line["loss"]) for line in learnt)
    sizes = [
        int(LENGTHS[b.task][b.rows].sum()) for b in map(planned.batch, range(planned.steps))
    ]  # fmt: skip
    assert [line["tokens"] for line in learnt] == np.cumsum(sizes).tolist()
    assert learnt[-1]["epoch"] == 2
    assert state.tokens == planned.tokens == 2 * int(LENGTHS[0].sum() + LENGTHS[1].sum())
    measured = [line for line in lines(tmp_path) if "lr" not in line]
    assert measured == state.evaluations
    raw = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert all(line["seconds"] >= 0 for line in raw)


def test_a_line_is_the_mean_over_the_steps_since_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr("transferset.training.loop._LINES", 1)
    planned = batches(steps=7, multi=False)
    learner, told = Sums(held=False), []

    def learn_and_tell(*arguments):
        told.append(before(*arguments))
        return told[-1]

    before = learner.learn
    monkeypatch.setattr(learner, "learn", learn_and_tell)
    run(learner, tmp_path, planned)
    (line,) = lines(tmp_path)[-1:]
    since = max([s + 1 for s in range(6) if planned.ends_epoch(s)], default=0)
    rows = sum(one.over for one in told[since:])
    assert line["loss"] == pytest.approx(sum(o.loss * o.over for o in told[since:]) / rows)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", [1 / 3, 2 / 3, 1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7]),
        ("constant", [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_rates_follow_the_schedule(tmp_path, schedule, expected):
    learner = Sums(held=False)
    run(learner, tmp_path, batches(steps=9), schedule=schedule, warmup=0.2, lr=0.02)
    assert learner.rates == pytest.approx([0.02 * one for one in expected])


def test_the_bar_is_told_of_all_tokens_once(tmp_path):
    class Told(Quiet):
        def __init__(self):
            self.started, self.advanced = [], 0

        def start(self, *told):
            self.started.append(told)

        def advance(self, amount, rows):
            self.advanced += amount

    told, planned = Told(), batches(steps=11)
    run(Sums(), tmp_path, planned, told, unit="pieces")
    assert told.started == [("train", planned.tokens, "pieces")]
    assert told.advanced == planned.tokens
    assert lines(tmp_path)[0]["pieces"] > 0
    again = Told()
    run(Sums(), tmp_path, planned, again)
    assert again.advanced == planned.tokens  # of a run that was finished already


# What goes wrong


class Bad(Sums):
    """A loss that is not finite at one step, or a weight at the end."""

    def __init__(self, step: int | None) -> None:
        super().__init__(held=False)
        self.bad = step

    def learn(self, batch, at_once, rate, step):
        self.step = step
        found = super().learn(batch, at_once, rate, step)
        if self.bad is None and step == 5:
            with torch.no_grad():
                self.module.heads[0].bias.fill_(math.inf)
        return found

    def _loss(self, rows, task):
        return super()._loss(rows, task) * (math.nan if self.step == self.bad else 1)


@pytest.mark.parametrize(
    ("bad", "told"),
    [(3, "expected finite numbers, found a loss of nan .* at step 4; lower --lr"),
     (None, "expected finite weights after the last step, found others in heads.0.bias")],
)  # fmt: skip
def test_what_is_not_finite_ends_the_training_and_leaves_nothing(tmp_path, bad, told, monkeypatch):
    monkeypatch.setattr(Clock, "due", lambda _: True)
    with pytest.raises(NotFinite, match=told):
        run(Bad(bad), tmp_path, batches(steps=6))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    learner = Sums(held=False)
    run(learner, tmp_path, batches(steps=6))
    assert learner.steps == list(range(6))


def test_generators_threads_and_mode_are_as_before(tmp_path):
    learner = Sums()
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    run(learner, tmp_path, batches(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert not learner.module.training


def test_with_too_little_memory_less_goes_through_at_once_from_then_on(tmp_path):
    class Short(Sums):
        def _loss(self, rows, task):
            if self.module.training and len(rows) * len(rows[-1]) > 20:
                raise RuntimeError("CUDA out of memory")
            return super()._loss(rows, task)

    # without dropout and norms of batches, parts of a batch learn what it would
    def plain(learner):
        learner.module.drop.p = 0.0
        learner.module.norm = torch.nn.Identity()
        learner.optimizer = make_optimizer(learner.module, "adam", 0.01)
        return learner

    short, whole = plain(Short()), plain(Sums())
    state = run(short, tmp_path / "short", batches(epochs=1))
    run(whole, tmp_path / "whole", batches(epochs=1))
    assert state.at_once <= 20
    told = [line["at_once"] for line in lines(tmp_path / "short") if "at_once" in line]
    assert told == sorted(set(told), reverse=True)
    assert told[-1] == state.at_once
    pairs = zip(short.module.parameters(), whole.module.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in pairs)


def test_no_memory_for_one_example_is_one_sentence(tmp_path):
    class None_(Sums):
        def _loss(self, rows, task):
            raise MemoryError

    with pytest.raises(TransfersetError, match="memory for one example, found none left; take a"):
        run(None_(), tmp_path, batches(epochs=1))
