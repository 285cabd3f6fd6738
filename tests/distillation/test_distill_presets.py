"""`--as`: a publication's numbers, and what is said where we or the user depart from them.

The numbers are written here again, as they stand in the texts and their code.
"""

from __future__ import annotations

import importlib.util
from dataclasses import fields

import pytest

from transferset.distillation.choice.config import designed
from transferset.distillation.choice.params import StudentParams, check_student
from transferset.distillation.choice.presets import PRESETS, distill_preset
from transferset.errors import UsageError

STUDENT = {field.name for field in fields(StudentParams)} - {"kind"}
VECTORS = {"embeddings": "vectors:spacy:some"}


def preset(name, **given):
    return distill_preset(name, given)


def deviations(name, **given):
    return preset(name, **given)[1]["deviations"]


def student(params):
    stated = {name: value for name, value in params.items() if name in STUDENT}
    return StudentParams(kind=params["student"], **stated)


def chosen(params, *names):
    return tuple(params[name] for name in names)


def test_the_publications():
    assert PRESETS == (
        "vandegraaf2021",
        "sanh2019",
        "liu2020:bilstm",
        "liu2020:bilstm-mnli",
        "liu2020:bilstm-qqp",
        "liu2020:multitask",
        "liu2020:transformer",
        "tang2019:sst2",
        "tang2019:mnli",
        "tang2019:qqp",
        "sucik2020:lstm",
        "sucik2020:bert",
        "sucik2020:bert-scratch",
    )


@pytest.mark.parametrize("name", PRESETS)
def test_each_is_a_student_that_can_be_made(name):
    params, told = preset(name)
    found = student(params)
    check_student(found, mlm=params.get("mlm", False), teacher=True)
    if found.init_layers is None:
        designed(found, 384 if found.projection else None)
    assert told["name"] == name
    assert all(told["deviations"])
    assert len(set(told["deviations"])) == len(told["deviations"])
    assert {"optimizer", "lr", "schedule", "warmup", "batch", "epochs", "clip"} <= params.keys()


def test_table_4_3_of_the_thesis():
    params, _ = preset("vandegraaf2021")
    assert params["mlm"]
    assert chosen(params, "student", "layers", "init_layers") == ("transformer", 6, "spread")
    assert chosen(params, "hard", "soft", "cosine") == pytest.approx((0.333,) * 3, abs=5e-4)
    assert chosen(params, "lr", "beta1", "beta2", "eps") == (5e-4, 0.9, 0.98, 1e-6)
    assert chosen(params, "optimizer", "schedule", "warmup") == ("adam", "linear", 0.05)
    assert chosen(params, "clip", "epochs", "length") == (5.0, 3, 512)
    assert params["batch"] == 5 * 4 * 40
    assert chosen(params, "mask", "smoothing") == (0.15, 0.0)


def test_distilbert_as_its_readme_runs_it():
    params, _ = preset("sanh2019")
    assert chosen(params, "soft", "hard", "cosine", "temperature") == (5.0, 2.0, 1.0, 2.0)
    assert chosen(params, "optimizer", "lr", "eps", "beta2") == ("adamw", 5e-4, 1e-6, 0.98)
    assert chosen(params, "smoothing", "clip", "warmup", "epochs") == (0.7, 5.0, 0.05, 3)
    assert params["freeze_positions"]


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("liu2020:bilstm", 50),
        ("liu2020:bilstm-mnli", 256),
        ("liu2020:bilstm-qqp", 256),
        ("tang2019:sst2", 50),
        ("tang2019:mnli", 256),
        ("tang2019:qqp", 256),
    ],
)
def test_section_3_4_1_of_liu(name, batch):
    params, _ = preset(name)
    assert chosen(params, "student", "hidden", "head", "layers") == ("bilstm", 300, 400, 1)
    assert chosen(params, "mse", "soft", "hard") == (1.0, 0.0, 0.0)
    assert chosen(params, "optimizer", "lr", "rho", "batch") == ("adadelta", 1.0, 0.95, batch)
    assert params["words"]


def test_section_4_3_2_of_liu():
    for name in ("liu2020:multitask", "liu2020:transformer"):
        params, _ = preset(name)
        assert chosen(params, "optimizer", "lr", "batch", "epochs") == ("adam", 5e-4, 128, 16)
        assert chosen(params, "mse", "clip", "head") == (1.0, 1.0, 512)
    multitask, transformer = preset("liu2020:multitask")[0], preset("liu2020:transformer")[0]
    assert chosen(multitask, "student", "hidden") == ("biattentive", 256)
    assert chosen(transformer, "student", "layers", "init_layers") == (
        "transformer-cls-mean",
        3,
        "first",
    )


def test_chapter_5_of_sucik():
    lstm, bert, scratch = (preset(f"sucik2020:{v}")[0] for v in ("lstm", "bert", "bert-scratch"))
    for params in (lstm, bert, scratch):
        assert chosen(params, "optimizer", "lr", "beta1", "beta2") == ("adam", 5e-4, 0.9, 0.98)
    assert chosen(lstm, "hidden", "head", "mse", "batch", "epochs") == (300, 400, 1.0, 32, 30)
    assert chosen(lstm, "warmup", "schedule") == (0.0, "linear")
    for params in (bert, scratch):
        assert chosen(params, "layers", "hidden", "feed", "heads") == (5, 204, 750, 3)
        assert chosen(params, "soft", "temperature", "mse", "epochs") == (1.0, 3.0, 0.0, 60)
    assert chosen(bert, "embeddings", "projection", "batch") == ("teacher", True, 128)
    assert chosen(bert, "warmup", "schedule") == (15 / 60, "linear")
    assert chosen(scratch, "warmup", "schedule", "batch") == (20 / 60, "constant", 256)
    assert "embeddings" not in scratch


def test_word_vectors_are_theirs_to_have_and_the_users_to_name():
    params, told = preset("tang2019")
    assert told["name"] == "tang2019:sst2"
    assert "channels" not in params
    assert told["deviations"][0].startswith("embeddings begin at random, in one channel")
    params, told = preset("tang2019", **VECTORS)
    assert chosen(params, "channels", "embeddings") == ("multichannel", "vectors:spacy:some")
    assert told["deviations"][0].startswith("word vectors are those that are given")
    assert not any("at random" in one or "--embeddings" in one for one in told["deviations"])


def test_what_the_user_states_wins_and_is_told():
    params, told = preset("vandegraaf2021", lr=1e-4, layers=3, epochs=3, seed=7)
    assert chosen(params, "lr", "layers", "epochs", "seed") == (1e-4, 3, 3, 7)
    first = told["deviations"][:2]
    assert first == ["--lr 0.0001 instead of 0.0005", "--layers 3 instead of 6"]
    assert told["deviations"][2:] == deviations("vandegraaf2021")


def test_steps_stand_for_epochs_and_tokens_for_rows():
    params, told = preset("liu2020:multitask", steps=100, batch_tokens=4096)
    assert "epochs" not in params
    assert "batch" not in params
    assert told["deviations"][:2] == [
        "--steps 100 instead of --epochs 16",
        "--batch-tokens 4096 instead of --batch 128",
    ]


def test_another_student_or_optimiser_has_numbers_of_its_own():
    params, told = preset("liu2020:bilstm", student="transformer", optimizer="adamw", eps=1e-7)
    assert not {"hidden", "words", "lr", "rho"} & params.keys()
    assert chosen(params, "student", "optimizer", "eps") == ("transformer", "adamw", 1e-7)
    said = " ".join(told["deviations"])
    assert "--student transformer instead of bilstm" in said
    assert "what goes with --optimizer is as usual" in said
    # stated again, they are the publication's
    assert preset("liu2020:bilstm", student="bilstm") == preset("liu2020:bilstm")


def test_without_the_soft_loss_there_is_no_temperature():
    params, told = preset("sanh2019", soft=0.0)
    assert not {"temperature", "direction"} & params.keys()
    assert told["deviations"][0] == "--soft 0.0 instead of 5.0"


def test_flags_that_are_not_set_are_not_stated():
    assert preset("sanh2019", mlm=False, words=False, device=None) == preset("sanh2019")


def test_what_they_do_not_have_is_told_too():
    assert deviations("tang2019", soft=0.5, freeze_positions=True)[:2] == [
        "--soft 0.5 instead of 0.0",
        "--freeze-positions, which they do not have",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tang2018", r"did you mean tang2019:\w+\?"),
        ("liu2020:bilstn", r"did you mean liu2020:bilstm\?"),
        ("vandegraaf2021:10%", r"did you mean vandegraaf2021\?"),
    ],
)
def test_other_names_are_refused_with_the_nearest(name, told):
    with pytest.raises(UsageError, match=told):
        preset(name)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
def test_objectives_and_masks_are_those_that_there_are():
    from transferset.students.losses import DIRECTIONS
    from transferset.students.objectives import MaskedObjective, TaskObjective

    for name in PRESETS:
        params, _ = preset(name)
        kind = MaskedObjective if params.get("mlm") else TaskObjective
        wanted = {field.name for field in fields(kind)}
        kind(**{key: value for key, value in params.items() if key in wanted})
        assert params.get("direction", DIRECTIONS[0]) == DIRECTIONS[0]
