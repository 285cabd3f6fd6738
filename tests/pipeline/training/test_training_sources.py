"""What a training learns from and goes on with: per set, per head; and that nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from label_sets import SENTIMENT, make_labelled  # noqa: E402
from tiny_models import VOCABULARY, write_word_pieces  # noqa: E402
from trained_sets import SMALL, with_logits  # noqa: E402

import transferset  # noqa: E402
from transferset.cli import run as run_command  # noqa: E402
from transferset.errors import InputError, TransfersetError, UsageError  # noqa: E402
from transferset.holding import RUN  # noqa: E402
from transferset.manifest import Manifest  # noqa: E402
from transferset.models import RECORD  # noqa: E402
from transferset.pipeline.training.seeds import FOLDER  # noqa: E402
from transferset.pipeline.training.tasks import _column  # noqa: E402
from transferset.pipeline.training.tokenizers import identity  # noqa: E402
from transferset.pipeline.training.train import train_model  # noqa: E402
from transferset.stage import Quiet  # noqa: E402


def files(root):
    return {p.name: p.read_bytes() for p in root.iterdir() if p.is_file()}


def told(line, capsys):
    code = run_command(line)
    return code, capsys.readouterr().err


# Nothing is lost


def test_a_model_goes_only_for_one_that_can_be_made(made, tmp_path):
    transferset.distill(made / "set", tmp_path / "m", steps=2, **SMALL)
    before = files(tmp_path / "m")
    wrong = np.zeros((64, 3), np.float32)
    with_logits(made / "set", tmp_path / "three", wrong, ("bad", "good", "so-so"))
    with pytest.raises(InputError):
        transferset.distill(tmp_path / "three", tmp_path / "m", force=True, steps=2, **SMALL)
    with pytest.raises(UsageError, match="cuda"):
        transferset.distill(made / "set", tmp_path / "m", force=True, device="cuda:99", **SMALL)
    assert files(tmp_path / "m") == before
    assert not (tmp_path / "m" / RUN / "trial").exists()
    again = transferset.distill(made / "set", tmp_path / "m", force=True, steps=3, **SMALL)
    assert again.record.metrics["steps"] == 3
    assert not (tmp_path / "m" / RUN / "trial").exists()


def test_work_that_was_begun_stays_where_a_file_is_missed(made, tmp_path, monkeypatch):
    class Stop(Quiet):
        def advance(self, amount, rows):
            if rows:
                raise KeyboardInterrupt

    plan = transferset.plan_distill(made / "set", steps=4, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        train_model(plan, tmp_path / "m", Stop(), force=False, every=0.0)
    assert any((tmp_path / "m" / RUN / FOLDER).rglob("checkpoint.json"))

    def missing(*_):
        raise UsageError("expected a device of torch's, found cuda")

    with monkeypatch.context() as patch:
        patch.setattr("transferset.pipeline.training.train.prepare", missing)
        with pytest.raises(UsageError):
            train_model(plan, tmp_path / "m", Quiet(), force=False)
    assert any((tmp_path / "m" / RUN / FOLDER).rglob("checkpoint.json"))
    train_model(plan, tmp_path / "m", Quiet(), force=False)
    assert (tmp_path / "m" / RECORD).exists()


# Where logits come from


def test_each_set_teaches_by_its_own_logits_or_by_the_teacher(made, tmp_path):
    with_logits(made / "set", tmp_path / "far", np.full((64, 2), 30, np.float32))
    transferset.distill(
        [tmp_path / "far", made / "dev"], tmp_path / "m", teacher=made / "teacher", epochs=1,
        **{**SMALL, "batch": 64, "lr": 1e-9},
    )  # fmt: skip
    log = [json.loads(line) for line in (tmp_path / "m" / "log.jsonl").read_text().splitlines()]
    low, high = sorted(one["mse"] for one in log)
    assert low < 50  # the teacher's
    assert high > 800  # of the column


def test_logits_of_some_sets_are_not_left_out_in_silence(made, tmp_path, capsys):
    with_logits(made / "set", tmp_path / "far", np.zeros((64, 2), np.float32))
    line = ["distill", f"{tmp_path / 'far'}", f"{made / 'dev'}", "--student", "bilstm", "--steps",
            "1", "--hidden", "4", "--out", f"{tmp_path / 'm'}"]  # fmt: skip
    code, said = told(line, capsys)
    assert code == 2
    assert f"at {made / 'dev'}" in said
    code, said = told([*line, "--hard", "1"], capsys)
    assert code == 0, said


def test_a_teacher_for_its_hidden_states_needs_no_head(made, tmp_path):
    found = transferset.distill(
        made / "set", tmp_path / "m", teacher=made / "encoder", mlm=True, student="transformer",
        init_layers="first", layers=1, hard=1, soft=0, cosine=1, steps=1, batch=8,
    )  # fmt: skip
    assert found.record.params["cosine"] == 1
    with pytest.raises(InputError):
        transferset.distill(
            made / "set", tmp_path / "n", teacher=made / "encoder", mlm=True,
            student="transformer", soft=1, steps=1, batch=8,
        )  # fmt: skip


# Tokenizers


def test_texts_are_tokenised_again_however_the_file_is_written(made, tmp_path):
    names = {"id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    shutil.copytree(made / "encoder", tmp_path / "encoder")
    transformers.BertForSequenceClassification.from_pretrained(
        made / "encoder", **names
    ).save_pretrained(tmp_path / "teacher")
    for name in ("encoder", "teacher"):
        write_word_pieces(tmp_path / name, [*VOCABULARY[:5], *VOCABULARY[:4:-1]])
        path = tmp_path / name / "tokenizer.json"
        path.write_text(json.dumps(json.loads(path.read_text()), indent=3, sort_keys=True))
    own = Manifest.read(made / "set").tokenizer["sha256"]
    assert identity(tmp_path / "encoder" / "tokenizer.json") != own
    fitted = transferset.teacher_fit(
        made / "set", tmp_path / "t", model=tmp_path / "encoder", steps=1, batch=4
    )
    assert fitted.record.examples["train"][0]["read"] == "text"
    tuned = transferset.finetune(tmp_path / "teacher", made / "set", tmp_path / "f", steps=1)
    assert tuned.record.examples["train"][0]["read"] == "text"
    student = transferset.distill(
        made / "set", tmp_path / "m", teacher=tmp_path / "teacher", steps=1, **SMALL
    )
    assert student.record.examples["train"][0]["read"] == "ids"


def test_a_new_student_reads_the_column_that_its_words_are_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(
        "transferset.pipeline.training.tasks.column_of", lambda *given: asked.append(given)
    )
    texts = SimpleNamespace(manifest=SimpleNamespace(schema={"text": "string", "words": "list"}))
    new = SimpleNamespace(student=SimpleNamespace(kind="bilstm", form="kind"))
    (tmp_path / "bilstm").mkdir()  # a model of that name is another matter
    (tmp_path / "bilstm" / RECORD).write_text("{}")
    assert _column(new, [texts]) == "words"
    assert not asked


# Heads


def test_a_new_head_in_the_place_of_another_is_said(made, tmp_path, capsys):
    transferset.distill(made / "set", tmp_path / "s", steps=1, **SMALL)
    for model in ("s", "teacher"):
        root = tmp_path / model if model == "s" else made / model
        out = tmp_path / f"{model}-on"
        line = ["finetune", f"{root}", f"{made / 'more'}", "--steps", "1", "--out", f"{out}"]
        code, said = told(line, capsys)
        assert code == 0, said
        assert "NOTE: a new head for " in said
        assert "2 classes (no, yes); that of the model was for" in said
        assert "(bad, good)" in said
        student = json.loads((out / RECORD).read_text())["params"]["student"]
        assert len(student["new_heads"]) == len(student["left_heads"]) == 1
        line[2:] = [f"{made / 'dev'}", "--steps", "1", "--out", f"{tmp_path / model}-same"]
        assert "NOTE" not in told(line, capsys)[1]
    # where there was none there is nothing to say
    line = ["finetune", f"{made / 'encoder'}", f"{made / 'dev'}", "--steps", "1"]
    assert "NOTE" not in told([*line, "--out", f"{tmp_path / 'e'}"], capsys)[1]


# Rows


@pytest.fixture
def empty(made, tmp_path):
    own = Manifest.read(made / "set").tokenizer
    columns = {"input_ids": [], "text": [], "label": []}
    make_labelled(tmp_path / "empty", columns, names=SENTIMENT, tokenizer=own)
    shutil.copy(made / "set" / "tokenizer.json", tmp_path / "empty")
    return tmp_path / "empty"


@pytest.mark.parametrize("place", ["src", "validation"])
def test_sets_without_rows_are_named(made, tmp_path, empty, place):
    options = {"src": made / "set", "validation": made / "dev", place: empty}
    for more in ({"mlm": True, "student": "transformer", "layers": 1, "steps": 1}, SMALL):
        with pytest.raises(TransfersetError, match=r"at least one row.*empty"):
            transferset.distill(out=tmp_path / "m", **options, **more)
        assert not (tmp_path / "m").exists()


def test_nothing_masked_is_no_training(made, tmp_path):
    options = {"mlm": True, "student": "transformer", "layers": 1, "batch": 8, "steps": 1}
    with pytest.raises(UsageError, match=r"masked positions, found none at .*set; raise --mask"):
        transferset.distill(made / "set", tmp_path / "m", mask=1e-9, **options)
    with pytest.raises(UsageError, match=r"masked positions, found none at .*dev"):
        transferset.distill(
            made / "set", tmp_path / "m", teacher=made / "encoder", validation=made / "dev",
            mask=1e-9, cosine=1, **{**options, "layers": None},
        )  # fmt: skip


# The command line


def test_without_torch_it_says_what_to_install(made, tmp_path, capsys, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("transferset.language_models.checkpoint.version", version)
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("objectives", "losses"):
        monkeypatch.delitem(sys.modules, f"transferset.students.{name}", raising=False)
    line = ["distill", f"{made / 'set'}", "--student", "bilstm", "--out", f"{tmp_path / 'm'}"]
    for more in ([], ["--dry-run"], ["--mlm"], ["--as", "liu2020:bilstm"]):
        code, said = told([*line, *more], capsys)
        assert (code, "pip install" in said) == (2, True), said


def test_a_recipe_lets_threads_sleep_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    run_command(["run", f"{tmp_path / 'none.toml'}"])
    assert os.environ["GOMP_SPINCOUNT"] == "1000"
