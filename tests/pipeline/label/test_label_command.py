"""`label` from the command line, in recipes and from Python; what it leaves of its teachers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from label_sets import make_labelled
from labelling import ROWS, columns_of, data_of, facts_of, label, logits_of, scale_head, teacher

import transferset
from transferset.cli import run
from transferset.pipeline.label import passes
from transferset.pipeline.label.passes import cuts

RUN = """
import sys, transferset
from transferset.pipeline.label import passes
src, out, teacher = sys.argv[1:]
passes._LEAST = 5
transferset.label(src, out, teacher=teacher, workers=2)
"""


def test_the_command_says_what_came_of_it(task, first, tmp_path, capsys):
    words = ["label", str(task.root), "--teacher", str(first), "--out", str(tmp_path / "out")]
    assert run([*words, "--length", "12", "--workers", "1"]) == 0
    done = capsys.readouterr()
    assert f"{ROWS} rows" in done.out
    assert "first read the first 12 ids of" in done.err
    assert "Highest logit: " in done.err
    assert f"of {ROWS} labels" in done.err


def test_mistakes_are_one_sentence_and_an_exit_code(task, first, tmp_path, capsys):
    broken = scale_head(teacher(tmp_path / "broken", task), 3e38)
    base = ["label", str(task.root), "--workers", "1", "--out", str(tmp_path / "out"), "--teacher"]
    for words, code in (
        ([str(first), "--top-k", "3"], 2),
        ([str(tmp_path)], 3),
        ([str(broken)], 3),
        ([str(first), "--length", "4000"], 2),
    ):
        assert run([*base, *words]) == code
        (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
        assert line.startswith("transferset: expected ")
        assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_rows_bytes_and_time(task, first, masked, tmp_path, capsys):
    assert run(["label", str(task.root), "--teacher", str(first), "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["rows"], plan["classes"]) == (ROWS, ["bad", "good"])
    assert "logits" in plan["columns"]
    assert plan["estimated"]["bytes"] == task.manifest.totals["bytes"] + 8 * ROWS
    assert plan["probe"][0]["rows_per_second"] > 0
    words = ["label", str(task.root), "--teacher", str(masked), "--mlm", "--copies", "3"]
    assert run([*words, "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["rows"] == 3 * ROWS
    found = label(task, tmp_path / "out", masked, mlm=True, copies=3)
    assert plan["estimated"]["bytes"] == pytest.approx(found.manifest.totals["bytes"], rel=0.2)


def test_recipes_name_one_teacher_or_several(task, first, tmp_path):
    shutil.copytree(task.root, tmp_path / "task")
    shutil.copytree(first, tmp_path / "one")
    teacher(tmp_path / "two", task, seed=1)
    (tmp_path / "recipe.toml").write_text(
        """
        [set.single]
        command = "label"
        from = "task"
        teacher = "one"

        [set.both]
        command = "label"
        from = "task"
        teacher = ["one", "two"]
        dtype = "float16"
        """
    )
    made = transferset.run(tmp_path / "recipe.toml", tmp_path / "out", workers=1)
    assert logits_of(made["single"]) == pytest.approx(
        logits_of(label(task, tmp_path / "same", first))
    )
    names = [model["name"] for model in made["both"].manifest.teacher["models"]]
    assert names == ["one", "two"]


def test_licence_and_lineage_of_a_teacher_that_was_made_here(task, tmp_path):
    from transferset.files import digest_file
    from transferset.manifest import FileEntry
    from transferset.models import RECORD, RECORD_VERSION, Record

    folder = teacher(tmp_path / "made", task)
    names = ("config.json", "model.safetensors", "tokenizer.json")
    files = [FileEntry(n, (folder / n).stat().st_size, digest_file(folder / n)) for n in names]
    record = Record(
        format=RECORD_VERSION, name="made", op="teacher fit", params={}, seed=0, generator="g",
        recipe="r", code={}, base=None, parents=[{"name": "a set"}], tokenizer={}, examples={},
        metrics={}, licence="CC-BY-4.0", files=files,
    )  # fmt: skip
    (folder / RECORD).write_bytes(record.to_bytes())
    manifest = label(task, tmp_path / "out", folder).manifest
    assert manifest.licence == "CC-BY-4.0 AND unknown"  # the set's own is not known
    (model,) = manifest.teacher["models"]
    assert model["digest"] == record.digest
    assert (model["op"], model["parents"]) == ("teacher fit", [{"name": "a set"}])


def test_evaluation_rows_stay_known(first, tmp_path):
    from lm_writers import task_set

    src = task_set(
        tmp_path,
        [("a warm film", "good"), ("a dull plot", "bad")],
        evaluation=[("a warm film", "good"), ("the end", "bad")],
    )
    found = transferset.verify(label(src, tmp_path / "out", first).root)
    name = "_tables/eval.arrow"
    assert (found.root / name).read_bytes() == (src.root / name).read_bytes()


def test_tasks_are_a_function_of_the_set_and_the_options(task, first, masked):
    plan = transferset.plan_label(task.root, teacher=first)
    assert cuts(plan) == [0, ROWS]
    on_gpu = [
        cuts(transferset.plan_label(task.root, teacher=masked, mlm=True, copies=copies))
        for copies in (1, 1000)
    ]
    assert on_gpu[0] == [0, ROWS]
    assert len(on_gpu[1]) > 2
    assert on_gpu[1][-1] == ROWS


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes_at_another_number_of_workers(
    task, first, tmp_path, monkeypatch
):
    monkeypatch.setattr(passes, "_LEAST", 5)  # as in `RUN`
    whole = label(task, tmp_path / "whole", first)
    out = tmp_path / "out"
    words = [sys.executable, "-c", RUN, task.root, out, first]
    process = subprocess.Popen(list(map(str, words)), stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(out.glob("_run/answers-00/*.json")):
        time.sleep(0.002)
    process.kill()
    killed = process.wait() == -9
    assert killed or (out / "manifest.json").exists()
    found = transferset.verify(label(task, out, first).root)
    assert found.manifest.to_bytes() == whole.manifest.to_bytes()
    assert data_of(found) == data_of(whole)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_set_without_rows_is_told(task, first, masked, tmp_path, capsys, more):
    empty = make_labelled(
        tmp_path / "empty", {"input_ids": [], "text": []}, tokenizer=task.manifest.tokenizer
    )
    (empty.root / "tokenizer.json").write_bytes((task.root / "tokenizer.json").read_bytes())
    base = ["label", str(empty.root), "--out", str(tmp_path / "out"), *more]
    for words in ([str(first)], [str(masked), "--mlm"]):
        assert run([*base, "--teacher", *words]) == 1
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line == f"transferset: expected at least one row, found none at {empty.root}"
        assert not (tmp_path / "out").exists()


def test_names_cannot_steer_the_terminal(task, tmp_path, capsys):
    nasty = "\x1b[31m\x9b\u202e"
    src = make_labelled(
        tmp_path / "src", {"input_ids": columns_of(task)["input_ids"]},
        tokenizer=task.manifest.tokenizer,
    )  # fmt: skip
    (src.root / "tokenizer.json").write_bytes((task.root / "tokenizer.json").read_bytes())
    path = teacher(tmp_path / f"{nasty}teacher", task, (f"{nasty}bad", "good"))
    words = ["label", str(src.root), "--teacher", str(path), "--length", "8", "--workers", "1"]
    for more in (["--out", str(tmp_path / f"{nasty}out")], ["--dry-run"]):
        assert run([*words, *more]) == 0
        said = capsys.readouterr()
        assert not {"\x1b", "\x9b", "\u202e"} & set(said.out + said.err)
        assert "teacher" in said.out + said.err


def test_a_short_memory_is_told(task, first, masked, tmp_path, capsys, monkeypatch):
    import torch
    from transformers import BertModel

    whole, forward = label(task, tmp_path / "whole", first), BertModel.forward

    def short(self, input_ids, *rest, **more):
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, input_ids, *rest, **more)

    monkeypatch.setattr(BertModel, "forward", short)
    words = ["label", str(task.root), "--workers", "1", "--teacher"]
    assert run([*words, str(first), "--out", str(tmp_path / "out")]) == 0
    assert "NOTE: memory was short, so first read smaller batches" in capsys.readouterr().err
    found = transferset.open(tmp_path / "out")
    assert logits_of(found) == pytest.approx(logits_of(whole), abs=1e-5)
    assert run([*words, str(masked), "--mlm", "--out", str(tmp_path / "masked")]) == 0
    assert "NOTE: memory was short, so masked read" in capsys.readouterr().err
    assert "memory_short" not in facts_of(whole)["teachers"][0]
