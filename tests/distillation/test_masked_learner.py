"""Pre-training distillation against sums made in numpy, and through the real loop."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from masked_toys import (  # noqa: E402
    PAD,
    SIZE,
    ToyRows,
    masked_model,
    masking,
    masks,
    plain_model,
)

from transferset.distillation.masked.batches import (  # noqa: E402
    DynamicMasks,
    TopRows,
)
from transferset.distillation.masked.learner import HELD_OUT_EPOCH, MaskedLearner  # noqa: E402
from transferset.distillation.masked.losses import MaskedLosses  # noqa: E402
from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.stage import Quiet  # noqa: E402
from transferset.students.objectives import MaskedObjective, combined  # noqa: E402
from transferset.students.rows import padded, present  # noqa: E402
from transferset.teachers.topk import top_k  # noqa: E402
from transferset.training.batches import Batch, Batches  # noqa: E402
from transferset.training.checkpoint import Checkpoints  # noqa: E402
from transferset.training.loop import Settings, train  # noqa: E402
from transferset.training.optimizer import make_optimizer  # noqa: E402

BATCH = Batch(3, 0, np.array([5, 1, 9, 2, 17, 23, 0]))
ALL = {"hard": 0.5, "soft": 2.0, "cosine": 0.7, "temperature": 3.0}


def learner(objective, *, teacher=True, seed=0, dropout=0.0, **given):
    members = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    student = masked_model(seed=seed, **members)
    student.model.train()
    optimizer = make_optimizer(student.model, "adamw", 1e-3, weight_decay=0.01)
    return MaskedLearner(
        student,
        given.pop("masks", masks()),
        objective,
        optimizer,
        teacher=masked_model(seed=1) if teacher else None,
        **given,
    )


def gradients(module):
    return {name: one.grad.numpy().copy() for name, one in module.named_parameters()}


def forward(model, rows):
    """Hidden states and logits of all positions, by transformers alone."""
    here = present(rows.lengths, int(rows.lengths.max()))
    with torch.inference_mode():
        found = model(
            input_ids=torch.from_numpy(padded(rows, rows.ids, PAD)),
            attention_mask=torch.from_numpy(here.astype(np.int64)),
            output_hidden_states=True,
        )
    states = found.hidden_states[-1].numpy()[here].astype(np.float64)
    return states, found.logits.numpy()[here].astype(np.float64)


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def plain_losses(student, teacher, batch, temperature):
    """The three means, in numpy and double precision."""
    own_states, own = forward(student, batch.rows)
    their_states, theirs = forward(teacher, batch.rows)
    own, theirs = own[batch.positions], theirs[batch.positions]
    hard = -log_softmax(own)[np.arange(len(own)), batch.targets].mean()
    q, p = log_softmax(own / temperature), log_softmax(theirs / temperature)
    soft = temperature**2 * (np.exp(p) * (p - q)).sum(1).mean()
    norms = np.linalg.norm(own_states, axis=1) * np.linalg.norm(their_states, axis=1)
    cosine = (1 - (own_states * their_states).sum(1) / norms).mean()
    return {"hard": hard, "soft": soft, "cosine": cosine}


def test_the_whole_loss_is_what_numpy_makes_of_transformers_own_forward():
    rows = masks()
    made = learner(MaskedObjective(**ALL), masks=rows)
    wanted = plain_losses(
        plain_model(), plain_model(seed=1), rows.batch(BATCH.rows, BATCH.epoch), 3.0
    )
    found = made.learn(BATCH, 10_000, 1e-3, 0)
    assert {name: found.parts[name] for name in wanted} == pytest.approx(wanted, rel=1e-5)
    whole = 0.5 * wanted["hard"] + 2 * wanted["soft"] + 0.7 * wanted["cosine"]
    assert found.loss == pytest.approx(whole, rel=1e-5)
    assert found.tokens == rows.lengths[BATCH.rows].sum()
    assert found.over == len(rows.batch(BATCH.rows, BATCH.epoch).positions)


@pytest.mark.parametrize("at_once", [1, 20, 33, 60])
def test_a_parted_batch_has_the_same_loss_and_gradients(at_once):
    whole, parted = learner(MaskedObjective(**ALL)), learner(MaskedObjective(**ALL))
    one, several = whole.learn(BATCH, 10_000, 0.0, 0), parted.learn(BATCH, at_once, 0.0, 0)
    assert several.loss == pytest.approx(one.loss, rel=1e-5)
    assert several.parts == pytest.approx(one.parts, rel=1e-5)
    wanted = gradients(whole.module)
    for name, found in gradients(parted.module).items():
        assert found == pytest.approx(wanted[name], abs=1e-6), name


def test_rows_of_other_lengths_beside_a_row_do_not_change_its_loss():
    rows = masks()
    losses = MaskedLosses(masked_model(), MaskedObjective(**ALL), masked_model(seed=1))
    with torch.inference_mode():
        alone = [losses.parts(rows.batch(np.array([row]), 0)) for row in (4, 8)]
        both = losses.parts(rows.batch(np.array([4, 8]), 0))
    for name, part in both.items():
        total = sum(float(one[name].total) for one in alone if name in one)
        assert float(part.total) == pytest.approx(total, rel=1e-4), name


class Counting:
    """Counts how often parts of a model run."""

    def __init__(self, parts):
        self.calls = {"hidden": 0, "head": 0}
        for name in self.calls:
            setattr(parts, name, self._counted(name, getattr(parts, name)))

    def _counted(self, name, plain):
        def run(given):
            self.calls[name] += 1
            return plain(given)

        return run


@pytest.mark.parametrize(
    ("weights", "student", "teacher"),
    [
        ({"hard": 1, "soft": 0, "cosine": 0}, (1, 1), (0, 0)),
        ({"hard": 0, "soft": 1, "cosine": 0}, (1, 1), (1, 1)),
        ({"hard": 0, "soft": 0, "cosine": 1}, (1, 0), (1, 0)),
        ({"hard": 1, "soft": 0, "cosine": 1}, (1, 1), (1, 0)),
        ({"hard": 1, "soft": 1, "cosine": 1}, (1, 1), (1, 1)),
    ],
)
def test_what_has_no_weight_is_not_computed(weights, student, teacher):
    own, theirs = masked_model(), masked_model(seed=1)
    counted, asked = Counting(own), Counting(theirs)
    losses = MaskedLosses(own, MaskedObjective(**weights), theirs)
    found = losses.parts(masks().batch(BATCH.rows, 0))
    assert tuple(counted.calls.values()) == student
    assert tuple(asked.calls.values()) == teacher
    assert set(found) == {name for name, weight in weights.items() if weight}


def test_logits_that_come_with_the_rows_ask_no_teacher():
    own, theirs = masked_model(), masked_model(seed=1)
    asked = Counting(theirs)
    losses = MaskedLosses(own, MaskedObjective(cosine=0), theirs)
    losses.parts(labelled(masks().batch(BATCH.rows, 0), plain_model(seed=1), 4, 2.0))
    assert asked.calls == {"hidden": 0, "head": 0}


def labelled(batch, teacher, k, temperature, kind=np.float32):
    """A batch with a teacher's k highest logits, made in numpy."""
    logits = forward(teacher, batch.rows)[1][batch.positions]
    order = np.argsort(-logits, axis=1, kind="stable")
    ids, rest = order[:, :k], order[:, k:]
    top = np.take_along_axis(logits, ids, 1)
    others = np.exp(np.take_along_axis(logits, rest, 1) / temperature).sum(1)
    with np.errstate(divide="ignore"):
        tail = np.log(others)
    return batch._replace(top=TopRows(ids, top.astype(kind), tail.astype(kind)))


@pytest.mark.parametrize(("kind", "near"), [(np.float32, 1e-6), (np.float16, 2e-3)])
def test_all_logits_offline_give_the_loss_and_gradients_of_the_online_teacher(kind, near):
    batch = masks().batch(BATCH.rows, BATCH.epoch)
    objective = MaskedObjective(cosine=0)
    found = []
    for teacher, given in (
        (masked_model(seed=1), batch),
        (None, labelled(batch, plain_model(seed=1), SIZE, 2.0, kind)),
    ):
        student = masked_model()
        losses = MaskedLosses(student, objective, teacher)
        loss = combined(losses.parts(given), objective.weights)
        loss.backward()
        found.append((float(loss.detach()), gradients(student.model)))
    (online, wanted), (offline, grads) = found
    assert offline == pytest.approx(online, rel=near)
    for name, one in grads.items():
        assert one == pytest.approx(wanted[name], abs=near), name


def test_logits_that_the_teacher_was_asked_for_before_give_its_loss():
    batch, teacher = masks().batch(BATCH.rows, 0), masked_model(seed=1)
    asked = top_k(teacher, batch.rows, batch.positions, SIZE, 2.0)
    kept = TopRows(asked.ids.astype(np.int64), asked.logits, asked.tail)
    objective = MaskedObjective(hard=0, cosine=0)
    with torch.inference_mode():
        online, offline = (
            float(MaskedLosses(masked_model(), objective, one).parts(given)["soft"].total)
            for one, given in ((teacher, batch), (None, batch._replace(top=kept)))
        )
    assert offline == pytest.approx(online, rel=2e-3)


def test_the_soft_loss_of_few_logits_is_at_most_that_of_all():
    batch, objective = masks().batch(BATCH.rows, 0), MaskedObjective(hard=0, cosine=0)
    losses = MaskedLosses(masked_model(), objective, None)
    with torch.inference_mode():
        found = [
            float(losses.parts(labelled(batch, plain_model(seed=1), k, 2.0))["soft"].total)
            for k in (1, 4, 16, SIZE)
        ]
    assert found == sorted(found)


def test_a_batch_with_nothing_masked_is_no_loss_and_no_nan():
    nothing = DynamicMasks(ToyRows(), masking(share=1e-9))
    made = learner(MaskedObjective(cosine=0), masks=nothing)
    before = {name: one.clone() for name, one in made.module.state_dict().items()}
    found = made.learn(BATCH, 20, 1e-3, 0)
    assert (found.loss, found.over, found.parts) == (0.0, 0, {})
    assert all(torch.equal(before[name], one) for name, one in made.module.state_dict().items())
    with_cosine = learner(MaskedObjective(), masks=nothing).learn(BATCH, 20, 1e-3, 0)
    assert set(with_cosine.parts) == {"cosine"}
    assert 0 < with_cosine.loss < 1


def test_held_out_rows_are_measured_on_masks_that_stay():
    held_out = masks(40, seed=9)
    objective = MaskedObjective(**ALL)
    made = learner(objective, held_out=held_out, dropout=0.5)
    first, second = made.measure(), made.measure()
    assert first == second
    whole = held_out.batch(np.arange(40), HELD_OUT_EPOCH)
    wanted = plain_losses(plain_model(), plain_model(seed=1), whole, 3.0)
    assert {name: first.values[name] for name in wanted} == pytest.approx(wanted, rel=1e-5)
    loss = sum(objective.weights[name] * one for name, one in wanted.items())
    assert first.values["loss"] == pytest.approx(loss, rel=1e-5)
    assert first.values["perplexity"] == pytest.approx(math.exp(wanted["hard"]), rel=1e-4)
    assert first.score == -first.values["loss"]
    assert made.module.training


def test_without_a_teacher_only_the_hard_loss_of_held_out_rows_is_told():
    labels_alone = MaskedObjective(hard=1, soft=0, cosine=0)
    made = learner(labels_alone, teacher=False, held_out=masks(8, seed=9))
    found = made.measure()
    assert set(found.values) == {"loss", "hard", "perplexity"}
    assert found.values["loss"] == found.values["hard"]
    assert learner(labels_alone, teacher=False).measure() is None


def test_rows_in_which_nothing_is_masked_have_no_measure():
    nothing = DynamicMasks(ToyRows(4), masking(share=1e-9))
    alone = MaskedObjective(hard=1, soft=0, cosine=0)
    found = learner(alone, teacher=False, held_out=nothing).measure()
    assert math.isnan(found.score)


class Stopped(Exception):
    pass


class Bar(Quiet):
    """A progress bar that breaks off after some steps."""

    def __init__(self, steps=None):
        self._left = steps

    def advance(self, amount, worked=None):
        if self._left is None or not amount:
            return
        self._left -= 1
        if self._left < 0:
            raise Stopped


def fitted(folder, stops):
    """Weights after a training that was broken off after so many steps, again and again."""
    for stop in (*stops, None):
        made = learner(MaskedObjective(), dropout=0.1, held_out=masks(6, seed=9), seed=0)
        batches = Batches([made._masks.lengths], seed=5, tokens=60, epochs=2)
        try:
            state = train(
                made,
                batches,
                Settings(lr=1e-2, warmup=0.1),
                at_once=40,
                checkpoints=Checkpoints(folder / "checkpoint", "0" * 64),
                log=folder / "log.jsonl",
                progress=Bar(stop),
                every=0.0,
            )
        except Stopped:
            continue
        weights = {name: one.clone() for name, one in made.module.state_dict().items()}
        return weights, state, (folder / "log.jsonl").read_text()
    raise AssertionError("unreachable")


def without_seconds(log):
    lines = [json.loads(line) for line in log.splitlines()]
    return [{**line, "seconds": 0} for line in lines]


def test_a_training_that_is_killed_and_resumed_ends_with_the_same_weights(tmp_path):
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole, state, log = fitted(tmp_path / "whole", [])
    broken, again, other_log = fitted(tmp_path / "broken", [1, 3, 1])
    assert all(torch.equal(one, broken[name]) for name, one in whole.items())
    assert again.evaluations == state.evaluations
    assert without_seconds(log) == without_seconds(other_log)
    begin = masked_model().model.state_dict()
    assert any(not torch.equal(one, begin[name]) for name, one in whole.items())


def test_it_learns():
    """The teacher's own copy, disturbed, comes back to it."""
    made = learner(MaskedObjective(), masks=masks(64, share=0.3), held_out=masks(16, seed=3))
    before = made.measure().values
    for step in range(30):
        made.learn(Batch(step, 0, np.arange(64)), 10_000, 1e-2, step)
    after = made.measure().values
    assert after["soft"] < 0.7 * before["soft"]
    assert after["cosine"] < 0.7 * before["cosine"]


class TestWhatDoesNotFit:
    def test_no_teacher(self):
        for weights, name in (({"cosine": 0}, "soft"), ({"soft": 0}, "cosine")):
            with pytest.raises(UsageError, match=f"a teacher for the {name} loss, found none"):
                learner(MaskedObjective(**weights), teacher=False)

    def test_other_hidden_states(self):
        teacher = masked_model(hidden_size=16)
        with pytest.raises(UsageError, match="16 numbers, found 24; set the weight --cosine to 0"):
            MaskedLosses(masked_model(), MaskedObjective(), teacher).check(masks())
        MaskedLosses(masked_model(), MaskedObjective(cosine=0), teacher).check(masks())

    def test_another_vocabulary(self):
        teacher = masked_model(vocab_size=SIZE + 3)
        with pytest.raises(UsageError, match="logits of 43 pieces, found 40"):
            MaskedLosses(masked_model(), MaskedObjective(), teacher).check(masks())

    def test_another_temperature(self):
        class Labelled:
            lengths, temperature = np.array([3], np.int32), 1.0

            def batch(self, rows, epoch):
                raise AssertionError("never asked")

        losses = MaskedLosses(masked_model(), MaskedObjective(cosine=0), None)
        with pytest.raises(UsageError, match="labelled at temperature 2, found 1; label the set"):
            losses.check(Labelled())

    def test_a_row_longer_than_the_models_positions(self):
        long = masks(longest=40, count=60)
        row = int(np.flatnonzero(long.lengths > 32)[0])
        with pytest.raises(InputError, match=f"1 to 32 ids, found .* at row {row}"):
            learner(MaskedObjective(), masks=long)
