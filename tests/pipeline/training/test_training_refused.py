"""What cannot be trained: one sentence each, and the exit code of the command line."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from label_sets import SENTIMENT, ids, make_labelled  # noqa: E402
from tiny_models import VOCABULARY, write_word_pieces  # noqa: E402
from trained_sets import with_logits  # noqa: E402

import transferset  # noqa: E402
from transferset.cli import run as run_command  # noqa: E402


@pytest.fixture
def run(made, tmp_path, monkeypatch, capsys):
    """Runs a command in a folder of its own; gives exit code and what was said."""
    for name in ("set", "dev", "pairs", "encoder", "teacher", "pieces"):
        (tmp_path / name).symlink_to(made / name)
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[int, str]:
        code = run_command([*line.split(), "--out", "out"])
        said = capsys.readouterr().err.strip()
        assert "Traceback" not in said
        assert not (tmp_path / "out").exists()
        return code, said.splitlines()[-1]

    return run


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("distill set --student bilstm --mse 1", 2, "expected a set with a column logits"),
        ("distill set --student bilstm --soft 1", 2, "transferset label"),
        ("distill set --student bilstm --cosine 1", 2, "--cosine with --mlm alone"),
        ("distill set --student bilstm --hard 1 --temperature 2", 2, "a soft loss for"),
        ("distill set --student bilstn", 2, "did you mean bilstm"),
        ("distill set", 2, "expected a student"),
        ("distill set --as nobody2020", 2, "--as"),
        ("distill set --student bilstm --mlm", 2, "a masked language model for --mlm"),
        ("distill set --student transformer --mlm --cosine 1", 2, "a teacher for the cosine loss"),
        ("distill set dev --student transformer --mlm", 2, "one set for --mlm"),
        ("distill set --student bilstm --teacher encoder", 3, "teacher fit"),
        ("distill set --student bilstm --teacher none", 3, "none"),
        ("distill none --student bilstm", 4, "none"),
        ("distill pairs --student bilstm --teacher teacher", 3, "score"),
        ("distill set --student bilstm --validation pairs", 2, "expected"),
        ("distill set --student bilstm --validation dev --validation dev", 2, "one --validation"),
        ("distill set --student bilstm --lr 0", 2, "--lr above 0"),
        ("distill set --student bilstm --batch 0", 2, "--batch from 1"),
        ("distill set --student bilstm --warmup 2", 2, "--warmup from 0 to 1"),
        ("distill set --student bilstm --clip 0", 2, "--clip above 0"),
        ("distill set --student bilstm --beta1 1", 2, "--beta1 from 0 to below 1"),
        ("distill set --student bilstm --length 2", 2, "--length"),
        ("distill set --student bilstm --seeds 0", 2, "--seeds from 1"),
        ("distill set --student bilstm --seed -1", 2, "--seed"),
        ("distill set --student bilstm --optimizer adadelta --sparse", 2, "sparse gradients"),
        ("distill set --student bilstm --device nowhere", 2, "a device of torch's"),
        ("distill set --student bilstm --device meta", 2, "a device of torch's"),
        ("finetune teacher set --device meta", 2, "a device of torch's"),
        ("teacher fit set --model encoder --device meta", 2, "a device of torch's"),
        ("teacher fit set --model encoder --mlm --device meta", 2, "a device of torch's"),
        ("distill set --student transformer --mlm --mask 0", 2, "--mask above 0"),
        ("distill set --student transformer --mlm --mask nan", 2, "--mask above 0"),
        ("distill set --student bilstm --mask 0.2", 2, "--mlm for --mask, found tasks"),
        ("distill set --student bilstm --mask nan", 2, "--mask above 0"),
        ("distill set --student bilstm --smoothing 1e400", 2, "--smoothing from 0 to 1"),
        ("teacher fit set --model encoder --smoothing 0.5", 2, "--mlm for --smoothing"),
        ("distill set --student bilstm --rho 0.5", 2, "--optimizer adadelta for --rho"),
        ("teacher fit set --model encoder --rho 0.5", 2, "--optimizer adadelta for --rho"),
        ("distill set --student bilstm --optimizer adadelta --beta1 0.5", 2, "for --beta1"),
        (
            "distill set --as liu2020:bilstm --teacher teacher --beta2 0.5",
            2,
            "for --beta2, found adadelta",
        ),
        ("distill set --student bilstm --lowercase", 2, "--words for --lowercase"),
        ("distill set --student bilstm --mse inf", 2, "--mse from 0 to 1,000,000, found inf"),
        ("distill set --student bilstm --mse 1e30", 2, "--mse from 0 to 1,000,000"),
        ("distill set --student bilstm --hard nan", 2, "--hard from 0"),
        ("distill set --student bilstm --hard 0", 2, "expected a loss to learn from"),
        ("distill set --student bilstm --soft 1 --temperature 1e30", 2, "--temperature above 0"),
        ("distill set --student bilstm --device meta", 2, "cpu or cuda, found meta"),
        ("distill set --student bilstm --teacher teacher --teacher encoder", 2, "--teacher once"),
        ("distill set --student bilstm --sparse --no-sparse", 2, "--sparse once"),
        ("teacher fit set --model encoder --model teacher", 2, "--model once"),
        ("finetune teacher set --lr 1 --lr 2", 2, "--lr once"),
        ("label set --teacher teacher --length 9 --length 8", 2, "--length once"),
        ("teacher fit set --model set", 3, "config.json"),
        ("teacher fit set --model encoder --length 600 --epochs 0", 2, "--epochs from 1"),
        ("finetune none set", 3, "config.json"),
    ],
)
def test_what_cannot_be_done(run, line, code, told):
    found, said = run(line)
    assert told in said
    assert found == code


def test_no_student_is_not_this_very_directory(made, tmp_path, capsys):
    line = ["distill", f"{made / 'set'}", "--student", "", "--out", f"{tmp_path / 'm'}"]
    assert run_command(line) == 2
    assert "expected a student, found none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("classes", "width", "code", "told"),
    [
        (("bad", "good", "so-so"), 3, 3, "class"),
        (("no", "yes"), 2, 3, "expected"),
    ],
)
def test_logits_of_other_classes(run, tmp_path, made, classes, width, code, told):
    with_logits(made / "set", tmp_path / "labelled", np.zeros((64, width), np.float32), classes)
    found, said = run("distill labelled --student bilstm")
    assert (found, told in said) == (code, True), said


def test_logits_that_are_no_numbers(run, tmp_path, made):
    logits = np.zeros((64, 2), np.float32)
    logits[17, 1] = np.nan
    with_logits(made / "set", tmp_path / "labelled", logits)
    code, said = run("distill labelled --student bilstm")
    assert code == 4
    assert "expected finite logits" in said
    assert "row 17" in said


def test_ids_of_another_tokenizer_and_no_text(run, tmp_path, made):
    (tmp_path / "others").mkdir()
    write_word_pieces(tmp_path / "others", [*VOCABULARY[:5], *VOCABULARY[:4:-1]])
    shutil.copy(made / "set.tsv", tmp_path / "copy.tsv")
    transferset.build_task(
        [tmp_path / "copy.tsv"], tmp_path / "other", text="sentence", label="label",
        tagger="none", tokenizer=str(tmp_path / "others"),
    )  # fmt: skip
    columns = {"input_ids": ids(8), "label": [i % 2 for i in range(8)]}
    make_labelled(tmp_path / "bare", columns, names=SENTIMENT)
    code, said = run("teacher fit bare --model encoder")
    assert code == 2
    assert "expected ids of the model's tokenizer, or a column text" in said
    # with its text it is tokenised again
    found = transferset.teacher_fit(
        tmp_path / "other", tmp_path / "m", model=made / "encoder", steps=1, batch=4
    )
    assert found.record.examples["train"][0]["read"] == "text"


def test_a_pickle_is_never_read(run, tmp_path, made):
    (tmp_path / "pickled").mkdir()
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(made / "teacher" / name, tmp_path / "pickled")
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    for line in (
        "distill set --student bilstm --teacher pickled",
        "teacher fit set --model pickled",
        "finetune pickled set",
    ):
        code, said = run(line)
        assert code == 3
        assert "safetensors" in said


def test_code_of_a_model_is_never_run(run, tmp_path, made):
    shutil.copytree(made / "encoder", tmp_path / "foreign")
    path = tmp_path / "foreign" / "config.json"
    members = {**json.loads(path.read_text()), "auto_map": {"AutoModel": "evil.Model"}}
    path.write_text(json.dumps(members))
    code, said = run("teacher fit set --model foreign")
    assert code == 3
    assert "auto_map" in said


def test_no_memory_for_one_row(run, monkeypatch):
    from transferset.distillation.task import learner as task_learner

    def full(*_, **__):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(task_learner.TaskLearner, "_student", full)
    code, said = run("distill set --student bilstm")
    assert code == 1
    assert "memory" in said


def test_no_memory_to_make_a_model(run, monkeypatch):
    from transferset.distillation.choice import student as choice

    def full(*_, **__):
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(choice, "make_student", full)
    code, said = run("distill set --student bilstm")
    assert code == 1
    assert "expected enough memory, found none left for 20.00 GiB more; take a smaller" in said


def test_a_damaged_teacher_of_ours(run, tmp_path, made):
    shutil.copytree(made / "teacher", tmp_path / "damaged")
    path = tmp_path / "damaged" / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 1
    path.write_bytes(raw)
    code, said = run("distill set --student bilstm --teacher damaged")
    assert code == 4
    assert "bytes as written" in said
