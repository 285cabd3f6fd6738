"""Logits of many rows, from teachers and students alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_encoders import KINDS, POSITIONS, SIZE, random_lists, rows, write_classifier  # noqa: E402
from torch import nn  # noqa: E402

from transferset.errors import InputError, TransfersetError, UsageError  # noqa: E402
from transferset.students.config import (  # noqa: E402
    BiattentiveSizes,
    BilstmSizes,
    Config,
    HeadSizes,
    Tables,
    Task,
    TransformerSizes,
    Vocabulary,
)
from transferset.students.student import new_student  # noqa: E402
from transferset.teachers.logits import Logits, by_budget  # noqa: E402
from transferset.teachers.opening import new_encoder, open_classifier  # noqa: E402

CLASSES = ("no", "perhaps", "yes")
TASKS = (Task(classes=CLASSES, name="first"), Task(classes=None, pair=True, name="second"))
SIZES = {
    "bilstm": BilstmSizes(hidden=5),
    "biattentive": BiattentiveSizes(feed=6, hidden=4),
    "transformer": TransformerSizes(
        layers=1, hidden=12, intermediate=20, heads=3, positions=POSITIONS
    ),
}


def student(kind="bilstm"):
    config = Config(
        vocabulary=Vocabulary(size=SIZE, sha256="0" * 64),
        tasks=TASKS,
        embeddings=Tables(width=12),
        encoder=SIZES[kind],
        head=HeadSizes(hidden=7),
    )
    made = new_student(config, 1)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "LayerNorm" not in name:
                weight.mul_(3)  # so that logits differ
    return made.eval()


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    folder = write_classifier(tmp_path_factory.mktemp("bert") / "tiny", num_labels=3)
    return open_classifier(folder).module


def asked(module, lists, *, pair=False, task=0, tokens=40):
    found = rows(*lists)
    asked = Logits(module, task, tokens)
    return asked.logits(found.ids.astype(np.uint16), found.offsets.astype(np.int32), pair)


def alone(module, lists, task=0):
    with torch.no_grad():
        return np.concatenate([module(rows(row), task).numpy() for row in lists])


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("task", [0, 1])
def test_a_students_logits_come_in_the_order_of_the_rows(kind, task):
    module, lists = student(kind), random_lists(count=30, pair=bool(task))
    found = asked(module, lists, pair=bool(task), task=task)
    assert found.dtype == np.float32
    assert found == pytest.approx(alone(module, lists, task), rel=1e-5, abs=1e-5)
    assert len(np.unique(found[:, 0].round(4))) > 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", [False, True])
def test_a_teachers_logits_come_in_the_order_of_the_rows(tmp_path, kind, pair):
    module = open_classifier(write_classifier(tmp_path / "tiny", kind, num_labels=3)).module
    lists = random_lists(kind, 30, pair=pair)
    found = asked(module, lists, pair=pair)
    assert found == pytest.approx(alone(module, lists), rel=1e-5, abs=1e-5)
    # the same batches give the same bits
    assert np.array_equal(found, asked(module, lists, pair=pair))


@given(
    lengths=st.lists(st.integers(1, 60), max_size=40),
    tokens=st.integers(1, 100),
)
@settings(max_examples=100, deadline=None)
def test_batches_hold_each_row_once_and_keep_to_their_budget(lengths, tokens):
    given_lengths = np.array(lengths, np.int64)
    found = by_budget(given_lengths, tokens)
    assert sorted(np.concatenate([[], *found]).tolist()) == list(range(len(lengths)))
    longest = [int(given_lengths[which].max()) for which in found]
    assert longest == sorted(longest, reverse=True)
    for which, most in zip(found, longest, strict=True):
        assert len(which) == 1 or most * len(which) <= tokens


def test_rows_of_like_lengths_share_a_batch():
    found = by_budget(np.array([2, 9, 2, 8]), 18)
    assert [which.tolist() for which in found] == [[1, 3], [0, 2]]


def test_no_rows(teacher):
    assert asked(teacher, []).shape == (0, 3)
    assert asked(student(), [], pair=True, task=1).shape == (0, 1)


def test_what_everyone_asks_of_a_classifier(teacher):
    first, second = Logits(student(), 0), Logits(student(), 1)
    assert (first.classes, second.classes) == (list(CLASSES), None)
    assert first.tokenizer_sha256 == "0" * 64
    assert first.positions is None
    assert Logits(student("transformer")).positions == POSITIONS
    assert Logits(teacher).classes == ["LABEL_0", "LABEL_1", "LABEL_2"]
    assert Logits(teacher).positions == POSITIONS
    assert Logits(teacher).tokenizer_sha256 == teacher.vocabulary.sha256


def test_dropout_is_off_and_the_mode_comes_back(teacher):
    lists = random_lists()
    teacher.train()
    try:
        assert np.array_equal(asked(teacher, lists), asked(teacher, lists))
        assert teacher.training
    finally:
        teacher.eval()


def test_the_other_layout_is_refused_where_it_is_known(tmp_path, teacher):
    with pytest.raises(UsageError, match="expected single texts for this model, found pairs"):
        asked(student(), random_lists(pair=True), pair=True)
    with pytest.raises(UsageError, match="expected pairs for this model, found single texts"):
        asked(student(), random_lists(), task=1)
    own = new_encoder(write_classifier(tmp_path / "tiny"), TASKS, 0)
    with pytest.raises(UsageError, match="expected pairs for this model, found single texts"):
        asked(own, random_lists(), task=1)
    # nobody knows what a classifier of others was trained on
    assert asked(teacher, random_lists(pair=True), pair=True).shape == (9, 3)


def test_a_row_that_is_too_long_is_named_before_anything_is_computed(teacher):
    lists = [*random_lists(count=5), [2, *[7] * POSITIONS, 3], *random_lists(count=5)]
    expected = r"expected 1 to 20 ids, found 22 at row 5; cut rows .* by --length"
    with pytest.raises(InputError, match=expected):
        asked(teacher, lists)
    with pytest.raises(InputError, match=expected):
        asked(student("transformer"), lists)
    assert asked(student("bilstm"), lists).shape == (11, 3)  # which reads rows of any length


def test_ids_and_offsets_out_of_range(teacher):
    with pytest.raises(InputError, match=f"ids from 0 to {SIZE - 1}, found 2 to 99"):
        asked(teacher, [[2, 99, 3]])
    with pytest.raises(InputError, match="offsets that rise"):
        Logits(teacher).logits(np.arange(4), np.array([0, 3]), False)


class Tight(nn.Module):
    """Has memory for some ids at once, and logits that are the first two ids of a row."""

    tasks = (Task(classes=("a", "b")),)
    vocabulary = Vocabulary(size=SIZE, sha256="0" * 64)
    positions = None

    def __init__(self, room, said="[enforce fail] not enough memory: 9 bytes"):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.room, self.said, self.sizes = room, said, []

    def forward(self, given, task=0):
        count = len(given.lengths)
        if count * int(given.lengths.max()) > self.room:
            raise RuntimeError(self.said)
        self.sizes.append(count)
        starts = given.offsets[:-1]
        return torch.tensor(np.stack([given.ids[starts], given.ids[starts + 1]], 1)).float()


def test_batches_are_halved_when_memory_is_short():
    module, lists = Tight(40), random_lists(count=50, seed=3)
    found = asked(module, lists, tokens=400)
    assert found.tolist() == [[float(i) for i in row[:2]] for row in lists]
    assert max(module.sizes) < 400 // max(map(len, lists))
    assert sum(module.sizes) == 50  # nothing is computed twice


def test_too_little_memory_for_one_row():
    with pytest.raises(TransfersetError, match="enough memory, found too little for one row"):
        asked(Tight(1), random_lists())


def test_other_errors_are_not_taken_for_it():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        asked(Tight(1, "mat1 and mat2 shapes cannot be multiplied"), random_lists())
