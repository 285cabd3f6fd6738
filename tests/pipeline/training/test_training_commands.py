"""`teacher fit`, `finetune` and `distill` from sets to a model's directory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from trained_sets import FIT, SMALL, with_logits  # noqa: E402

import transferset  # noqa: E402
from transferset.cli import run as run_command  # noqa: E402
from transferset.errors import SetError, TransfersetError, UsageError  # noqa: E402
from transferset.models import Model  # noqa: E402
from transferset.pipeline.training.probe import train_plan_json  # noqa: E402


def logits_of(count: int = 64) -> np.ndarray:
    generator = np.random.default_rng(0)
    labels = np.array([i % 2 for i in range(count)])
    return (2 * np.eye(2)[labels] - 1 + generator.normal(0, 0.1, (count, 2))).astype(np.float32)


def lines(root: Path) -> list[dict]:
    return [json.loads(line) for line in (root / "log.jsonl").read_text().splitlines()]


# Teachers


def test_a_teacher_opens_with_plain_transformers(made):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(made / "teacher")
    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "teacher")
    logits = model(**tokenizer("the good cat", return_tensors="pt")).logits
    assert logits.shape == (1, 2)
    assert model.config.id2label == {0: "bad", 1: "good"}


def test_the_record_says_what_it_is_and_from_what(made):
    record = Model.open(made / "teacher").verify().record
    assert (record.op, record.seed, record.params["epochs"]) == ("teacher fit", 3, 2)
    assert (record.params["beta2"], record.params["length"]) == (0.98, 128)  # of the thesis
    roles = [(one["role"], one["digest"]) for one in record.parents]
    digests = [transferset.open(made / name).manifest.digest for name in ("set", "dev")]
    assert roles == [("source", digests[0]), ("validation", digests[1])]
    assert record.base["name"] == "encoder"
    assert record.metrics["steps"] == 2 * 8
    assert [one["step"] for one in record.metrics["evaluations"]] == [8, 16]
    best = max(record.metrics["evaluations"], key=lambda one: one["accuracy"])
    assert record.metrics["score"] == best["accuracy"]
    assert record.examples["train"][0]["labelled"] == 64
    files = {entry.file for entry in record.files}
    assert files >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert files.isdisjoint({"README.md", "log.jsonl", "model.json"})


def test_the_log_tells_steps_losses_tokens_and_seconds(made):
    found = lines(made / "teacher")
    steps = [one for one in found if "lr" in one]
    assert [one["step"] for one in steps] == list(range(1, 17))
    assert all(one.keys() >= {"loss", "tokens", "seconds"} for one in steps)
    assert steps[-1]["tokens"] == Model.open(made / "teacher").record.metrics["tokens"]
    assert [one["step"] for one in found if "accuracy" in one] == [8, 16]


def test_the_card_says_where_it_came_from(made):
    card = (made / "teacher" / "README.md").read_text()
    assert card.startswith("---\n")
    record = Model.open(made / "teacher").record
    for told in (record.recipe, "source", "validation", "accuracy", "## Use", "from_pretrained"):
        assert told in card


def test_several_sets_share_one_encoder(made, tmp_path):
    names = ["set", "more", "pairs"]
    found = transferset.teacher_fit(
        [made / name for name in names], tmp_path / "m", model=made / "encoder",
        validation=[made / "dev", made / "more", made / "pairs"], **{**FIT, "epochs": 1},
    )  # fmt: skip
    (measured,) = found.record.metrics["evaluations"]
    assert {name.split("/")[-1] for name in measured} >= {"accuracy", "pearson"}
    heads = json.loads((tmp_path / "m" / "heads.json").read_text())["tasks"]
    assert [one["classes"] for one in heads] == [["bad", "good"], ["no", "yes"], None]
    assert len(found.record.examples["train"]) == 3
    assert found.record.metrics["steps"] == 8 + 4 + 3
    # and each of its tasks teaches
    student = transferset.distill(
        [made / "set", made / "more", made / "pairs"], tmp_path / "s", teacher=tmp_path / "m",
        steps=2, **SMALL,
    )  # fmt: skip
    assert student.record.params["mse"] == 1


def test_a_masked_head_is_added_and_adapted(made, tmp_path):
    found = transferset.teacher_fit(
        made / "set", tmp_path / "m", model=made / "encoder", mlm=True, validation=made / "dev",
        steps=6, batch=16, lr=1e-2, mask=0.3, length=40,
    )  # fmt: skip
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "m")
    ids = torch.tensor([[2, 6, 7, 3]])
    assert model(ids).logits.isfinite().all()
    assert found.record.params["mlm"] is True
    assert found.record.metrics["evaluations"][-1]["perplexity"] > 1


# Students


def test_without_logits_a_student_learns_from_labels(made, tmp_path):
    found = transferset.distill(
        made / "set",
        tmp_path / "m",
        validation=made / "dev",
        epochs=10,
        **{**SMALL, "hidden": 16, "width": 16},
    )
    assert found.record.params["hard"] == 1
    assert found.record.params["sparse"] is True
    assert "mse" not in found.record.params
    assert found.record.metrics["score"] > 0.85


def test_a_column_of_logits_is_learnt_without_its_teacher(made, tmp_path):
    with_logits(made / "set", tmp_path / "labelled", logits_of())
    found = transferset.distill(
        tmp_path / "labelled",
        tmp_path / "m",
        validation=made / "dev",
        epochs=10,
        **{**SMALL, "hidden": 16, "width": 16},
    )
    assert (found.record.params["mse"], "hard" in found.record.params) == (1, False)
    assert found.record.metrics["score"] > 0.85


def test_a_student_runs_by_the_lines_of_its_card(made, tmp_path):
    transferset.distill(made / "set", tmp_path / "m", steps=2, **SMALL)
    card = (tmp_path / "m" / "README.md").read_text()
    code = card.split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) < 15
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "m", capture_output=True, text=True
    )
    assert "tensor([" in done.stdout, done.stderr


def test_words_of_the_training_text(made, tmp_path):
    transferset.distill(made / "set", tmp_path / "m", words=True, steps=2, **SMALL)
    words = json.loads((tmp_path / "m" / "words.json").read_text())["words"]
    assert "good" in words
    told = Model.open(tmp_path / "m").record.tokenizer
    assert (told["kind"], told["column"]) == ("words", "text")
    transferset.finetune(tmp_path / "m", made / "set", tmp_path / "on", steps=2)


def test_a_teacher_reads_pieces_and_its_student_words(made, tmp_path):
    student = {**SMALL, "words": True}
    found = transferset.distill(
        made / "set", tmp_path / "m", teacher=made / "teacher", steps=2, **student
    )
    assert found.record.params["teacher"]["base"]["name"] == "encoder"


def test_pre_training_from_layers_of_a_teacher_and_a_new_head_afterwards(made, tmp_path):
    transferset.teacher_fit(
        made / "set", tmp_path / "t", model=made / "encoder", mlm=True, steps=1, batch=4
    )
    found = transferset.distill(
        made / "set", tmp_path / "s", student="transformer", teacher=tmp_path / "t", mlm=True,
        layers=1, init_layers="first", steps=3, batch=8, validation=made / "dev",
    )  # fmt: skip
    weights = {name: found.record.params[name] for name in ("hard", "soft", "cosine")}
    assert set(weights.values()) == {1 / 3}
    assert found.record.params["temperature"] == 2
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "s")
    assert model.config.num_hidden_layers == 1
    tuned = transferset.finetune(tmp_path / "s", made / "set", tmp_path / "f", steps=2)
    assert tuned.record.base["digest"] == found.record.digest
    assert tuned.record.base["parents"][0]["role"] == "source"
    transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "f")


def test_as_in_a_publication_with_the_deviations_told(made, tmp_path, capsys):
    arguments = [made / "set", "--as", "liu2020:bilstm", "--teacher", made / "teacher", "--hidden",
                 "6", "--steps", "2", "--out", tmp_path / "m"]  # fmt: skip
    assert run_command(["distill", *map(str, arguments)]) == 0
    told = capsys.readouterr().err
    assert "As in liu2020:bilstm, except that:" in told
    assert "--steps 2 instead of --epochs" in told
    record = Model.open(tmp_path / "m").record
    assert record.params["optimizer"] == "adadelta"
    assert record.params["rho"] == 0.95
    assert record.params["preset"]["name"] == "liu2020:bilstm"
    assert "except that" in (tmp_path / "m" / "README.md").read_text()


# Seeds


def test_of_several_seeds_the_median_is_kept(made, tmp_path):
    options = {"validation": made / "dev", "steps": 12, **SMALL}
    alone = [
        transferset.distill(made / "set", tmp_path / str(seed), seed=seed, **options)
        for seed in (4, 5, 6)
    ]
    scores = [one.record.metrics["score"] for one in alone]
    found = transferset.distill(made / "set", tmp_path / "all", seed=4, seeds=3, **options)
    seeds = found.record.metrics["seeds"]
    assert list(seeds["scores"].values()) == scores
    assert (seeds["median"], seeds["least"], seeds["most"]) == (
        sorted(scores)[1], min(scores), max(scores),
    )  # fmt: skip
    kept = alone[seeds["kept"] - 4]
    assert kept.record.metrics["score"] == sorted(scores)[1]
    weights = [(one.root / "model.safetensors").read_bytes() for one in (found, kept)]
    assert weights[0] == weights[1]
    logged = [one["seed"] for one in lines(tmp_path / "all") if "lr" in one]
    assert logged == [4] * 12 + [5] * 12 + [6] * 12


def test_seeds_want_something_to_choose_by(made, tmp_path):
    with pytest.raises(UsageError, match="name a set with --validation"):
        transferset.distill(made / "set", tmp_path / "m", seeds=2, **SMALL)


# Places


def test_what_is_there_is_returned_and_another_recipe_refused(made, tmp_path):
    options = {"steps": 2, **SMALL}
    found = transferset.distill(made / "set", tmp_path / "m", **options)
    before = (tmp_path / "m" / "model.safetensors").stat().st_mtime_ns
    assert transferset.distill(made / "set", tmp_path / "m", **options).record == found.record
    assert (tmp_path / "m" / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(SetError, match=r"params\.hidden was 6, is 7|student\.hidden was 6, is 7"):
        transferset.distill(made / "set", tmp_path / "m", **{**options, "hidden": 7})
    (tmp_path / "m" / "notes.txt").write_text("mine")
    again = {**options, "hidden": 7, "words": True}
    transferset.distill(made / "set", tmp_path / "m", force=True, **again)
    assert not (tmp_path / "m" / "tokenizer.json").exists()
    assert (tmp_path / "m" / "notes.txt").read_text() == "mine"


def test_it_does_not_write_where_it_reads(made):
    for out in (made / "set" / "m", made / "teacher"):
        with pytest.raises(UsageError, match="--out beside the parents"):
            transferset.distill(made / "set", out, teacher=made / "teacher", **SMALL)


def test_a_loss_that_is_not_finite_frees_the_place(made, tmp_path):
    wild = {**SMALL, "lr": 1e30, "clip": 1e30, "epochs": 4}
    with pytest.raises(TransfersetError, match="finite"):
        transferset.distill(made / "set", tmp_path / "m", **wild)
    assert not (tmp_path / "m").exists()


# Plans


def test_a_plan_tells_steps_tokens_parameters_and_time(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = transferset.plan_distill(
        made / "set", validation=made / "dev", epochs=3, seeds=2, **SMALL
    )
    found = train_plan_json(plan)
    assert found["steps"] == 3 * 8
    assert found["tokens"] == 3 * found["examples"]["train"][0]["tokens"]
    assert found["parameters"]["all"] > found["parameters"]["embedding"] > 0
    assert found["seconds"] > 0
    assert json.dumps(found)
    assert not any(tmp_path.iterdir())


def test_steps_and_epochs_are_both_there_but_not_at_once(made):
    plan = transferset.plan_distill(made / "set", steps=100, **SMALL)
    assert (plan.training.steps, plan.training.epochs) == (100, None)
    with pytest.raises(UsageError, match="--epochs or --steps, found both"):
        transferset.plan_distill(made / "set", steps=100, epochs=2, **SMALL)


def test_the_command_line_says_what_was_learnt_from(made, tmp_path, capsys):
    arguments = [made / "set", "--student", "bilstm", "--hidden", "6", "--steps", "2",
                 "--validation", made / "dev", "--out", tmp_path / "m"]  # fmt: skip
    assert run_command(["distill", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert "Learnt from 1 · gold labels." in err
    assert out.startswith(f"{tmp_path / 'm'}: 2 steps")
    assert "accuracy 0." in out or "accuracy 1." in out
