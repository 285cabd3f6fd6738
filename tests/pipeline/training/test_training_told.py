"""What the commands call tasks and models, and what they say of earlier runs."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_models import bert_config, write_word_pieces  # noqa: E402
from trained_sets import SMALL  # noqa: E402

import transferset  # noqa: E402
from transferset.cli import run as run_command  # noqa: E402
from transferset.distillation.choice.tasks import task_names  # noqa: E402
from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.models import RECORD  # noqa: E402
from transferset.pipeline.training.origins import nameless, origin  # noqa: E402
from transferset.pipeline.training.stated import stated_origin  # noqa: E402
from transferset.pipeline.training.train import train_model  # noqa: E402
from transferset.report.progress import Bar  # noqa: E402
from transferset.steps import Split  # noqa: E402
from transferset.teachers.logits import Logits  # noqa: E402
from transferset.teachers.opening import open_classifier  # noqa: E402


def small(**more):
    return {**SMALL, "steps": 2, **more}


def weights(model):
    return (model.root / "model.safetensors").read_bytes()


def line(made, tmp_path, *more, out="m"):
    words = ["distill", made / "set", "--student", "bilstm", "--hidden", 6, "--width", 8, *more]
    return [str(one) for one in (*words, "--out", tmp_path / out)]


# Tasks


def test_tasks_are_called_as_they_are_named_everywhere(made, tmp_path, capsys):
    model = transferset.distill(
        [made / "set", made / "more"], tmp_path / "m", validation=[made / "dev", made / "more"],
        task=["mood", "yes.no"], **small(),
    )  # fmt: skip
    record = model.record
    assert record.params["tasks"] == ["mood", "yes.no"]
    assert [one["task"] for one in record.examples["train"]] == ["mood", "yes.no"]
    assert record.metrics["evaluations"][0].keys() >= {"mood/accuracy", "yes.no/accuracy"}
    assert "yes.no/accuracy" in (model.root / "log.jsonl").read_text()
    assert "Its logits stand for mood" in (model.root / "README.md").read_text()
    config = json.loads((model.root / "config.json").read_text())
    assert [one["name"] for one in config["tasks"]] == ["mood", "yes.no"]
    judged = ["evaluate", model.root, f"mood={made / 'dev'}", "--resamples", 39]
    assert run_command([str(one) for one in judged]) == 0
    assert "mood, on dev" in capsys.readouterr().out.replace("\n", " ")
    # and the head of that name goes on
    tuned = transferset.finetune(model.root, made / "more", tmp_path / "f", task="yes.no", steps=1)
    assert tuned.record.params["student"]["kept_heads"] == 1


def test_tasks_of_derived_sets_are_called_as_these_were_built(made, tmp_path):
    built = transferset.open(made / "set").manifest.name
    split = transferset.derive(made / "set", tmp_path / "parts", steps=[Split("a=0.5,b=0.5")])
    halves = list(split.values())
    assert all(one.manifest.name != built for one in halves)
    more = transferset.open(made / "more").manifest.name
    model = transferset.distill([halves[0].root, made / "more"], tmp_path / "m", **small())
    names = [one["task"] for one in model.record.examples["train"]]
    assert names == [built, more]
    assert "tasks" not in model.record.params
    # two of one name are none of them: which would be meant by it?
    assert task_names([*halves, transferset.open(made / "more")]) == [
        *(one.manifest.name for one in halves), more,
    ]  # fmt: skip
    # a set that is derived of the same rows is known by that name
    found = transferset.evaluate(model.root, [made / "more", made / "set"], resamples=39)
    assert [one["task"] for one in found["tasks"]] == [more, built]


def test_the_rows_of_several_built_sets_have_the_name_of_their_mix(made, tmp_path):
    mixed = transferset.mix([made / "set", made / "dev"], tmp_path / "mix")
    model = transferset.distill(mixed.root, tmp_path / "m", **small())
    assert model.record.examples["train"][0]["task"] == mixed.manifest.name


def test_the_usual_name_is_no_other_recipe(made, tmp_path):
    plain = transferset.distill(made / "set", tmp_path / "a", **small())
    usual = transferset.open(made / "set").manifest.name.replace("/", "-")
    same = transferset.distill(made / "set", tmp_path / "b", task=usual, **small())
    other = transferset.distill(made / "set", tmp_path / "c", task="mood", **small())
    assert same.record.recipe == plain.record.recipe != other.record.recipe
    assert weights(other) == weights(plain)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a"], "one --task for each set, in their order: 2, found 1"),
        (["a", "a"], "tasks of different names, found a, a"),
        (["a", "b=c"], "up to 40 letters"),
        (["a", "b" * 41], "up to 40 letters"),
        (["a", "\x1b[31m"], "up to 40 letters"),
        (["a", ""], "up to 40 letters"),
    ],
)
def test_names_that_tasks_cannot_have(made, names, told):
    with pytest.raises(UsageError, match="expected") as caught:
        transferset.plan_distill([made / "set", made / "more"], task=names, student="bilstm")
    assert told in str(caught.value)


def test_a_masked_language_model_has_no_tasks(made):
    with pytest.raises(UsageError, match="tasks for --task, found --mlm"):
        transferset.plan_teacher_fit(made / "set", model=made / "encoder", mlm=True, task="a")


def test_a_recipe_names_tasks_too(made, tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        f"""
        [model.one]
        command = "distill"
        from = ["{made / "set"}", "{made / "more"}"]
        student = "bilstm"
        hidden = 6
        width = 8
        steps = 1
        task = ["mood", "answer"]
        """
    )
    found = transferset.run(recipe, tmp_path / "out")
    assert found["one"].record.params["tasks"] == ["mood", "answer"]


# Earlier runs


def test_what_an_earlier_run_did_is_said(made, tmp_path, capsys):
    again = line(made, tmp_path, "--steps", 9)
    assert run_command(again) == 0
    assert not re.search("Resumed|already there", capsys.readouterr().err)
    assert run_command(again) == 0
    told = capsys.readouterr().err
    assert "Was already there; nothing was done." in told


def interrupt(monkeypatch, after: int):
    """Ctrl-C after so many reports of progress."""
    left = [after]

    def advance(self, amount, rows):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "advance", advance)


@pytest.mark.parametrize("every", [0.0, 60.0])
def test_after_ctrl_c_it_is_said_what_the_next_run_does(made, tmp_path, monkeypatch, capsys, every):
    from transferset.pipeline.training import train as module

    monkeypatch.setattr(module, "EVERY", every)
    monkeypatch.setattr(
        module, "train_model",
        lambda *given, force: train_model(*given, force=force, every=every),
    )  # fmt: skip
    again = line(made, tmp_path, "--steps", 9)
    with monkeypatch.context() as patch:
        interrupt(patch, 4)
        assert run_command(again) == 130
    told = capsys.readouterr().err
    assert ("run the same command again to resume" in told) is (every == 0)
    assert ("nothing of the result kept; the same command begins anew" in told) is (every > 0)
    assert run_command(again) == 0
    told = capsys.readouterr().err
    assert bool(re.search(r"^Resumed at step [1-4] of 9\.$", told, re.MULTILINE)) is (every == 0)


def test_a_command_that_keeps_nothing_does_not_promise_to_resume(made, monkeypatch, capsys):
    interrupt(monkeypatch, 0)
    assert run_command(["evaluate", str(made / "teacher"), str(made / "dev")]) == 130
    assert "begins anew" in capsys.readouterr().err


def test_labelling_says_how_many_tasks_were_done(made, tmp_path, monkeypatch, capsys):
    teacher, out = str(made / "teacher"), str(tmp_path / "labelled")
    again = ["label", str(made / "set"), "--teacher", teacher, "--workers", "1", "--out", out]
    from transferset.pipeline.label import passes

    monkeypatch.setattr(passes, "_LEAST", 16)
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        assert run_command(again) == 130
    assert "to resume" in capsys.readouterr().err
    assert run_command(again) == 0
    assert "Resumed with 2 of 4 tasks of answers-00 done." in capsys.readouterr().err
    assert run_command(again) == 0
    assert "Was already there" in capsys.readouterr().err


def test_seeds_that_were_done_are_said(made, tmp_path, monkeypatch, capsys):
    more = ("--steps", 3, "--seeds", 2, "--validation", made / "dev")
    with monkeypatch.context() as patch:
        interrupt(patch, 5)
        assert run_command(line(made, tmp_path, *more)) == 130
    assert "to resume" in capsys.readouterr().err
    assert run_command(line(made, tmp_path, *more)) == 0
    assert "Resumed with seed 0 done" in capsys.readouterr().err


# Publications


def test_a_bare_publication_says_its_variant(made, tmp_path, capsys):
    more = ("--as", "sucik2020", "--mse", 0, "--hard", 1, "--steps", 1)
    assert run_command(line(made, tmp_path, *more)) == 0
    told = capsys.readouterr().err
    assert "Taking sucik2020:lstm; there are sucik2020:bert, sucik2020:bert-scratch too." in told
    assert "As in sucik2020:lstm, except that:" in told
    assert run_command(["distill", "--help"]) == 0
    wide = "".join(capsys.readouterr().out.split())
    assert "sucik2020:lstm|bert|bert-scratch" in wide


# Cards


def options_of(model):
    text = (model.root / "README.md").read_text()
    told = next(one for one in text.splitlines() if one.startswith("Options: "))
    return {one.split()[0] for one in told.removeprefix("Options: ").split(", ")}


def test_the_card_has_the_options_that_mattered(made, tmp_path):
    adam = transferset.distill(made / "set", tmp_path / "a", **small())
    assert options_of(adam) >= {"beta1", "beta2", "eps", "lr"}
    assert not options_of(adam) & {"rho", "seeds", "mask", "temperature"}
    assert "lowercase" not in (adam.root / "README.md").read_text()
    delta = transferset.distill(made / "set", tmp_path / "d", **small(optimizer="adadelta"))
    assert options_of(delta) >= {"rho", "eps", "lr"}
    assert not options_of(delta) & {"beta1", "beta2"}
    words = transferset.distill(made / "set", tmp_path / "w", **small(words=True))
    assert "lowercase" in (words.root / "README.md").read_text()


# Foreign models


@pytest.fixture
def foreign(made, tmp_path):
    """A model called `model`, with the file of a configuration and a card to be filled."""
    folder = tmp_path / "bought" / "model"
    shutil.copytree(made / "encoder", folder)

    def write(saved: object = None, card: str = ""):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "_name_or_path": saved}))
        (folder / "README.md").write_text(card)
        return folder

    return write


def card(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "# Model", "license: not-this"])


@pytest.mark.parametrize(
    ("saved", "header", "name", "licence"),
    [
        ("owner/big", ["license: apache-2.0"], "bought/model (from owner/big)", "apache-2.0"),
        (None, ["language: en"], "bought/model", "unknown"),
        ("/home/me/big", ["license: 'mit' # so"], "bought/model", "mit"),
        ("../big", ["license:", "- mit", "- cc0-1.0", "tags:", "- x"], "bought/model",
         "cc0-1.0 AND mit"),
        ("\x1b[31m", ["license: [mit, other]"], "bought/model", "mit"),
        (["a"], ["license: other"], "bought/model", "unknown"),
        ("a" * 200, [f"license: {'m' * 200}"], "bought/model", "unknown"),
    ],
)  # fmt: skip
def test_what_a_foreign_model_says_of_itself(foreign, saved, header, name, licence):
    assert stated_origin(foreign(saved, card(*header))) == {"name": name, "licence": licence}


@pytest.mark.parametrize("text", ["", "license: mit", "---\nlicense: mit", "\udcff\x00---"])
def test_a_card_without_a_header_says_nothing(foreign, text):
    folder = foreign()
    (folder / "README.md").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert stated_origin(folder)["licence"] == "unknown"


def test_a_folder_with_a_name_of_its_own_keeps_it(made):
    assert stated_origin(made / "encoder") == {"name": "encoder", "licence": "unknown"}


def test_the_licence_of_a_card_is_recorded_and_no_part_of_the_recipe(made, foreign, tmp_path):
    folder = foreign("owner/big", card("license: mit"))
    before = nameless(origin(folder, {"weights": "0"}))
    fit = {"model": folder, "steps": 1, "batch": 4}
    found = transferset.teacher_fit(made / "set", tmp_path / "m", **fit)
    assert found.record.base["name"] == "bought/model (from owner/big)"
    assert "mit" in found.record.licence.split(" AND ")
    assert "licence mit." in (found.root / "README.md").read_text()
    (folder / "README.md").write_text("")
    assert nameless(origin(folder, {"weights": "0"})) == before
    assert transferset.plan_teacher_fit(made / "set", **fit).recipe["base"]["licence"] == "unknown"


def test_fewer_layers_in_the_configuration_than_weights_are_refused(made, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(made / "encoder", folder)
    config = json.loads((folder / "config.json").read_text())
    assert config["num_hidden_layers"] > 1
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}))
    for made_of in (
        lambda: transferset.teacher_fit(made / "set", tmp_path / "m", model=folder, steps=1),
        lambda: transferset.teacher_fit(
            made / "set", tmp_path / "m", model=folder, mlm=True, steps=1
        ),
        lambda: transferset.distill(made / "set", tmp_path / "m", student=folder, hard=1, steps=1),
    ):
        with pytest.raises(InputError, match=r"all layers .* one without encoder\.layer\.1"):
            made_of()
    assert not (tmp_path / "m").exists()
    # asked for, some of them are taken
    taken = transferset.distill(
        made / "set", tmp_path / "m", student=made / "encoder", layers=1, hard=1, steps=1, batch=4
    )
    assert json.loads((taken.root / "config.json").read_text())["num_hidden_layers"] == 1


# Heads and kinds of models


@pytest.fixture
def at_once(tmp_path):
    """A classifier of several labels at once."""
    torch.manual_seed(0)
    config = bert_config()
    config.num_labels, config.problem_type = 3, "multi_label_classification"
    model = transformers.BertForSequenceClassification(config)
    model.save_pretrained(tmp_path / "at-once", safe_serialization=True)
    write_word_pieces(tmp_path / "at-once")
    return tmp_path / "at-once"


def test_a_head_of_several_labels_at_once_goes_aloud(made, at_once, tmp_path, capsys):
    words = ["finetune", at_once, made / "set", "--steps", 1, "--out", tmp_path / "m"]
    assert run_command([str(one) for one in words]) == 0
    told = capsys.readouterr().err
    assert "a new head for" in told
    assert "that of the model was for 3 labels, any of them at once" in told
    student = json.loads((tmp_path / "m" / RECORD).read_text())["params"]["student"]
    assert student["left_heads"] == ["3 labels, any of them at once"]


def test_it_is_no_teacher(made, at_once, tmp_path):
    for made_of in (
        lambda: transferset.distill(made / "set", tmp_path / "m", teacher=at_once, **small()),
        lambda: transferset.label(made / "set", tmp_path / "m", teacher=at_once),
    ):
        with pytest.raises(InputError, match="multi_label_classification"):
            made_of()


def test_a_gpt2_is_a_student_of_one_task_and_reads_rows_alone(made, tmp_path):
    path = tmp_path / "gpt.json"
    sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
    path.write_text(json.dumps({"model_type": "gpt2", "initializer_range": 0.3, **sizes}))
    found = transferset.distill(made / "set", tmp_path / "m", student=path, steps=3, batch=8)
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(found.root).eval()
    dev = transferset.open(made / "dev")
    rows = [row for one in dev.batches() for row in one["input_ids"].to_pylist()]
    assert len({len(row) for row in rows}) > 2
    with torch.no_grad():
        alone = np.concatenate([plain(torch.tensor([row])).logits.numpy() for row in rows])
    classifier = Logits(open_classifier(found.root).module, 0)
    ends = np.cumsum([0, *(len(row) for row in rows)])
    together = classifier.logits(np.concatenate(rows), ends, pair=False)
    assert np.ptp(alone, axis=0).min() > 0.1  # it says something
    np.testing.assert_allclose(together, alone, atol=1e-5)
    with pytest.raises(InputError, match="whose first piece sees the others"):
        transferset.distill([made / "set", made / "more"], tmp_path / "n", student=path, steps=1)
