"""Learning tasks: one loss and gradient however rows are laid out, wherever logits are from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from learning_sets import (  # noqa: E402
    CLASSES,
    make_task_set,
    opened,
    random_ids,
    random_logits,
    student,
)
from torch.nn import functional  # noqa: E402

from transferset.distillation.examples.examples import open_examples  # noqa: E402
from transferset.distillation.examples.reading import Reading  # noqa: E402
from transferset.distillation.examples.survey import UNLABELLED  # noqa: E402
from transferset.distillation.examples.word_rows import fit_words  # noqa: E402
from transferset.distillation.task.learner import (  # noqa: E402
    Online,
    TaskLearner,
    matched_tasks,
)
from transferset.distillation.task.measuring import predictions  # noqa: E402
from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.students import losses  # noqa: E402
from transferset.students.config import Task  # noqa: E402
from transferset.students.objectives import TaskObjective  # noqa: E402
from transferset.students.rows import Rows  # noqa: E402
from transferset.training.batches import Batch  # noqa: E402
from transferset.training.optimizer import make_optimizer  # noqa: E402

ALL = TaskObjective(mse=0.5, soft=2.0, hard=3.0, temperature=3.0)
HARD = TaskObjective(mse=0, hard=1)
MSE = TaskObjective()
WHOLE = 1 << 20
ROWS = np.array([3, 17, 4, 30, 9, 14, 25])


def step(learner, rows=ROWS, *, task=0, at_once=WHOLE):
    """The loss of a batch and the gradients of it; the weights stay."""
    learner.module.train()
    learnt = learner.learn(Batch(0, task, rows), at_once, 0.0, 5)
    gradients = {
        name: torch.zeros_like(one) if one.grad is None else one.grad.to_dense().clone()
        for name, one in learner.module.named_parameters()
    }
    return learnt, gradients


def learner_of(module, *examples, objective=ALL, **settings):
    optimizer = make_optimizer(module, "adamw", 1e-3)
    return TaskLearner(module, examples, objective, optimizer, seed=7, **settings)


def assert_equal(one, other, within=1e-6):
    assert one[0].loss == pytest.approx(other[0].loss, abs=within)
    assert one[0].parts == pytest.approx(other[0].parts, abs=within)
    for name, gradient in one[1].items():
        assert gradient.numpy() == pytest.approx(other[1][name].numpy(), abs=within), name


@pytest.fixture
def examples(tmp_path):
    found = make_task_set(tmp_path / "s", logits=random_logits(40), shards=[11])
    return opened(found, tmp_path, logits=True)


def test_the_loss_is_what_torch_says_of_single_rows(examples):
    """Neither padding nor neighbours count: each row goes through the model alone."""
    module = student("transformer")
    learnt, gradients = step(learner_of(module, examples))
    module.zero_grad()
    rows, labels = random_ids(40), examples.labels(ROWS)
    logits = torch.cat([module(Rows(np.array(rows[i]), np.array([0, len(rows[i])]))) for i in ROWS])
    teacher, gold = torch.tensor(random_logits(40)[ROWS]), torch.tensor(labels)
    wanted = {
        "mse": ((logits - teacher) ** 2).mean(),
        "soft": 9 * functional.kl_div(
            functional.log_softmax(logits / 3, 1),
            functional.log_softmax(teacher / 3, 1),
            reduction="batchmean",
            log_target=True,
        ),
        "hard": functional.cross_entropy(logits[gold >= 0], gold[gold >= 0]),
    }  # fmt: skip
    loss = 0.5 * wanted["mse"] + 2 * wanted["soft"] + 3 * wanted["hard"]
    loss.backward()
    assert learnt.loss == pytest.approx(loss.item(), rel=1e-5)
    assert learnt.parts == pytest.approx({k: v.item() for k, v in wanted.items()}, rel=1e-5)
    assert learnt.over == len(ROWS)
    assert learnt.tokens == sum(len(rows[i]) for i in ROWS)
    for name, one in module.named_parameters():
        grad = torch.zeros_like(one) if one.grad is None else one.grad
        assert gradients[name].numpy() == pytest.approx(grad.numpy(), abs=2e-6), name


@pytest.mark.parametrize("kind", ["bilstm", "transformer"])
@pytest.mark.parametrize("at_once", [1, 20, 45])
def test_parts_of_a_batch_learn_what_the_whole_does(examples, kind, at_once):
    whole = step(learner_of(student(kind), examples))
    assert_equal(step(learner_of(student(kind), examples), at_once=at_once), whole)


@pytest.mark.parametrize("kind", ["bilstm", "transformer"])
def test_the_order_of_rows_does_not_matter(examples, kind):
    whole = step(learner_of(student(kind), examples))
    by_length = ROWS[np.argsort(examples.lengths[ROWS])]
    assert_equal(step(learner_of(student(kind), examples), by_length, at_once=30), whole)


@pytest.mark.parametrize("kind", ["bilstm", "transformer"])
@pytest.mark.parametrize("objective", [MSE, ALL])
def test_logits_of_a_column_teach_what_the_teacher_does(tmp_path, kind, objective):
    """Within 1e-6: the column is float32, labelled in batches of another layout."""
    plain = opened(make_task_set(tmp_path / "p"), tmp_path)
    teacher = student("transformer", seed=9)
    said = predictions(teacher, plain)
    labelled = opened(make_task_set(tmp_path / "l", logits=said), tmp_path, logits=True)
    offline = step(learner_of(student(kind), labelled, objective=objective))
    online = Online(teacher, [plain], [0])
    found = step(learner_of(student(kind), plain, objective=objective, teacher=online))
    assert offline[0].loss > 0.01
    assert_equal(found, offline)


def test_of_the_same_batch_they_teach_it_to_the_last_bit(tmp_path):
    plain = opened(make_task_set(tmp_path / "p"), tmp_path)
    teacher = student("bilstm", seed=9).eval()
    every = np.arange(40)
    with torch.inference_mode():
        said = teacher(plain.take(every)).numpy()
    labelled = opened(make_task_set(tmp_path / "l", logits=said), tmp_path, logits=True)
    offline = step(learner_of(student("transformer with dropout"), labelled), every)
    online = Online(teacher, [plain], [0])
    found = step(learner_of(student("transformer with dropout"), plain, teacher=online), every)
    assert found[0].loss == offline[0].loss  # the student's dropout is the same too
    assert all(torch.equal(found[1][name], one) for name, one in offline[1].items())


def test_a_teacher_may_name_its_classes_in_another_order(tmp_path):
    plain = opened(make_task_set(tmp_path / "p"), tmp_path)
    turned = ("yes", "no", "perhaps")
    teacher = student("bilstm", Task(classes=turned), seed=9)
    said = predictions(teacher, plain)[:, [1, 2, 0]]
    labelled = opened(make_task_set(tmp_path / "l", logits=said), tmp_path, logits=True)
    online = Online(teacher, [plain], [0])
    assert_equal(
        step(learner_of(student("bilstm"), plain, teacher=online)),
        step(learner_of(student("bilstm"), labelled)),
    )
    other = student("bilstm", Task(classes=("good", "bad", "ugly")))
    with pytest.raises(InputError, match="classes out of the model's 3"):
        learner_of(student("bilstm"), plain, teacher=Online(other, [plain], [0]))
    two = student("bilstm", Task(classes=("no", "yes")))
    match = r"logits of 3 classes .* for .*/p, found 2 classes \(no, yes\) at there/t; take logits"
    with pytest.raises(InputError, match=match):
        learner_of(student("bilstm"), plain, teacher=Online(two, [plain], [0], "there/t"))


def test_a_teacher_is_evaluated_and_never_trained(tmp_path):
    plain = opened(make_task_set(tmp_path / "p"), tmp_path)
    teacher = student("transformer with dropout", seed=9).train()
    before = {name: one.clone() for name, one in teacher.state_dict().items()}
    learner = learner_of(student("bilstm"), plain, teacher=Online(teacher, [plain], [0]))
    found, _ = step(learner)
    assert not teacher.training  # with its dropout it would say something else
    with torch.no_grad():
        own, said = learner.module(plain.take(ROWS)), teacher(plain.take(ROWS))
    assert found.parts["mse"] == pytest.approx(float(((own - said) ** 2).mean()), rel=1e-5)
    assert all(one.grad is None for one in teacher.parameters())
    assert all(torch.equal(before[name], one) for name, one in teacher.state_dict().items())


def test_a_teacher_is_not_asked_for_nothing(tmp_path):
    class Silent(torch.nn.Module):
        tasks = (Task(classes=CLASSES),)

        def forward(self, rows, task=0):
            pytest.fail("asked")

    plain = opened(make_task_set(tmp_path / "p"), tmp_path)
    online = Online(Silent(), [plain], [0])
    step(learner_of(student("bilstm"), plain, objective=HARD, teacher=online))


def test_hard_loss_counts_labelled_rows_only(examples):
    """Every fifth row has no label."""
    mixed = step(learner_of(student("bilstm"), examples, objective=HARD))
    labelled = np.array([i for i in ROWS if i % 5 != 4])
    assert len(labelled) < len(ROWS)
    alone = step(learner_of(student("bilstm"), examples, objective=HARD), labelled)
    assert_equal(mixed, alone)
    assert mixed[0].over == alone[0].over == len(labelled)


def test_a_batch_without_a_label_teaches_nothing(examples):
    module = student("bilstm")
    before = {name: one.clone() for name, one in module.state_dict().items()}
    rows = np.array([4, 9, 14])
    learnt, gradients = step(learner_of(module, examples, objective=HARD), rows)
    assert (learnt.loss, learnt.over) == (0, 0)
    assert math.isnan(learnt.parts["hard"])
    assert all(not one.any() for one in gradients.values())
    assert all(torch.equal(before[name], one) for name, one in module.state_dict().items())
    mse = step(learner_of(student("bilstm"), examples, objective=MSE), rows)
    both = step(learner_of(student("bilstm"), examples, objective=replace(MSE, hard=1.0)), rows)
    assert both[0].loss == mse[0].loss > 0


def test_scores(tmp_path):
    said = random_logits(40, 1)
    found = make_task_set(tmp_path / "s", classes=None, logits=said)
    examples = opened(found, tmp_path, logits=True)
    module = student("bilstm", Task(classes=None))
    learnt, _ = step(learner_of(module, examples, objective=replace(MSE, hard=1.0)))
    with torch.no_grad():
        logits = module(examples.take(ROWS))[:, 0].numpy()
    known = ROWS % 5 != 4
    assert learnt.parts["mse"] == pytest.approx(((logits - said[ROWS, 0]) ** 2).mean(), rel=1e-5)
    gold = ROWS[known] / 40
    assert learnt.parts["hard"] == pytest.approx(((logits[known] - gold) ** 2).mean(), rel=1e-5)


def test_each_task_has_its_head_and_its_rows(tmp_path):
    first = make_task_set(tmp_path / "a", logits=random_logits(40))
    second = make_task_set(tmp_path / "b", classes=None, seed=5, pair=True)
    tasks = (Task(classes=CLASSES, name="a"), Task(classes=None, name="b", pair=True))
    examples = (
        opened(first, tmp_path, task=tasks[0], logits=True),
        opened(second, tmp_path, task=tasks[1]),
    )
    learner = learner_of(student("bilstm", *tasks), *examples, objective=HARD)
    _, gradients = step(learner, task=1)
    assert not any(one.any() for name, one in gradients.items() if name.startswith("heads.0"))
    heads = [one for name, one in gradients.items() if name.startswith("heads.1")]
    assert heads
    assert all(one.any() for one in heads)
    _, gradients = step(learner, task=0)
    assert any(one.any() for name, one in gradients.items() if name.startswith("heads.0"))
    assert not any(one.any() for name, one in gradients.items() if name.startswith("heads.1"))


def test_each_task_has_its_teacher(tmp_path):
    tasks = (Task(classes=CLASSES, name="a"), Task(classes=CLASSES, name="b"))
    sets = [make_task_set(tmp_path / name, seed=i) for i, name in enumerate("ab")]
    plain = [opened(one, tmp_path, task=task) for one, task in zip(sets, tasks, strict=True)]
    teacher = student("bilstm", *tasks[::-1], seed=9)
    numbers = matched_tasks(teacher.tasks, tasks)
    assert numbers == [1, 0]
    online = Online(teacher, plain, numbers)
    learner = learner_of(student("bilstm", *tasks), *plain, objective=MSE, teacher=online)
    found, _ = step(learner, task=1)
    said = predictions(teacher, plain[1], 0)[ROWS]
    with torch.no_grad():
        own = learner.module(plain[1].take(ROWS), 1).numpy()
    assert found.loss == pytest.approx(((own - said) ** 2).mean(), rel=1e-5)
    assert matched_tasks([Task(classes=None, name="x")], [Task(classes=None, name="y")]) == [0]
    with pytest.raises(UsageError, match="a teacher of the tasks c, found one of b, a"):
        matched_tasks(teacher.tasks, [Task(classes=None, name="c")])


def test_a_teacher_may_read_other_ids(tmp_path):
    """A student of whole words learns from a teacher of pieces: each reads the set its way."""
    texts = [" ".join(f"w{id_ % 50}" for id_ in row[1:-1]) for row in random_ids(40)]
    found = make_task_set(tmp_path / "s", text=texts)
    plain, words = opened(found, tmp_path), fit_words([found])
    reading = Reading(vocabulary=words.vocabulary, words=words)
    read = open_examples(found, plain.task, reading, tmp_path / "f")
    teacher = student("transformer", seed=9)
    module = student("bilstm", vocabulary=words.vocabulary)
    learner = learner_of(module, read, objective=MSE, teacher=Online(teacher, [plain], [0]))
    learnt, _ = step(learner)
    with torch.no_grad():
        own = module(read.take(ROWS)).numpy()
    wanted = ((own - predictions(teacher, plain)[ROWS]) ** 2).mean()
    assert learnt.loss == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("objective", "columns", "told"),
    [
        (HARD, {"label": None, "names": {}}, "labelled rows for a hard loss, found none"),
        (HARD, {"label": [None] * 40}, "labelled rows for a hard loss, found none"),
        (MSE, {}, "a teacher's logits, found none .*transferset label"),
    ],
)
def test_what_the_losses_need_is_asked_for_at_once(tmp_path, objective, columns, told):
    found = make_task_set(tmp_path / "s", **columns)
    examples = opened(found, tmp_path, task=Task(classes=CLASSES))
    with pytest.raises(UsageError, match=told):
        learner_of(student("bilstm"), examples, objective=objective)


def test_a_score_has_no_softmax(tmp_path):
    found = make_task_set(tmp_path / "s", classes=None, logits=random_logits(40, 1))
    examples = opened(found, tmp_path, logits=True)
    with pytest.raises(UsageError, match="classes for a soft loss, found a score"):
        learner_of(student("bilstm", Task(classes=None)), examples, objective=ALL)


def test_rows_that_the_model_cannot_hold_are_told_at_once(tmp_path):
    long = [[2, *range(5, 5 + 60), 3], *random_ids(39)]
    found = make_task_set(tmp_path / "s", input_ids=long)
    examples = opened(found, tmp_path, length=100)
    with pytest.raises(UsageError, match=r"the model's 40 ids, found one of 62 .*--length to 40"):
        learner_of(student("transformer"), examples, objective=HARD)
    teacher = Online(student("transformer"), [examples], [0])
    with pytest.raises(UsageError, match=r"the teacher's 40 ids"):
        learner_of(student("bilstm"), examples, objective=MSE, teacher=teacher)


@pytest.mark.parametrize("classes", [("a", "b"), CLASSES[::-1], None])
def test_sets_are_those_of_the_heads(examples, classes):
    told = "a set opened for each task of the model, .*, found no, perhaps, yes"
    with pytest.raises(UsageError, match=told):
        learner_of(student("bilstm", Task(classes=classes)), examples)
    with pytest.raises(UsageError, match="found no, perhaps, yes; no, perhaps, yes"):
        learner_of(student("bilstm"), examples, examples)
    with pytest.raises(UsageError, match="found no, perhaps, yes; no, perhaps, yes"):
        learner_of(student("bilstm"), examples, held_out=[examples] * 2)


def test_unlabelled_is_what_the_losses_call_so():
    assert UNLABELLED == losses.UNLABELLED
