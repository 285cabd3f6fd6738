"""Trainings in recipes: sets and models, one or several, and kinds of students."""

from __future__ import annotations

import shutil

import pytest
from recipe_fakes import Fakes

from transferset.errors import UsageError
from transferset.pipeline.recipes import run_recipe

TASKS = "".join(f'[set.{n}]\ncommand = "build task"\nsource = "demo"\n' for n in ("a", "b", "dev"))
TEACHER = '[model.teacher]\ncommand = "teacher fit"\nfrom = ["a", "b"]\nmodel = "bert"\n'
STUDENT = (
    '[model.small]\ncommand = "distill"\nfrom = "a"\nstudent = "bilstm"\nteacher = "teacher"\n'
)
TUNED = '[model.tuned]\ncommand = "finetune"\nfrom = "a"\nmodel = "small"\nvalidation = "dev"\n'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a recipe beside an encoder `bert`; gives what each function was given."""
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "model.json").write_text("{}")
    (tmp_path / "user").mkdir()
    monkeypatch.chdir(tmp_path / "user")

    def run(text: str, *settings: str) -> dict[str, dict]:
        (tmp_path / "my.toml").write_text(text)
        fakes = Fakes(tmp_path / "out")
        shutil.rmtree(fakes.root, ignore_errors=True)
        run_recipe(tmp_path / "my.toml", fakes.root, settings, fakes)
        return {place: given for _, place, given in fakes.calls}

    run.root = tmp_path
    return run


def test_teacher_student_and_its_tuning(run):
    out = run.root / "out"
    given = run(TASKS + TUNED + STUDENT + TEACHER)
    assert given["teacher"] == {"src": [out / "a", out / "b"], "model": run.root / "bert"}
    assert given["small"] == {"src": out / "a", "student": "bilstm", "teacher": out / "teacher"}
    assert given["tuned"] == {
        "src": out / "a", "model": out / "small", "validation": out / "dev",
    }  # fmt: skip


def test_a_student_may_be_a_model_of_the_recipe_or_a_file_beside_it(run):
    (run.root / "tiny.json").write_text("{}")
    (run.root / "vectors.txt").write_text("a 1\n")
    file = STUDENT.replace("bilstm", "tiny.json") + 'embeddings = "vectors:vectors.txt"\n'
    given = run(TASKS + TEACHER + file)
    assert given["small"]["student"] == str(run.root / "tiny.json")
    assert given["small"]["embeddings"] == f"vectors:{run.root / 'vectors.txt'}"
    given = run(
        TASKS + TEACHER + STUDENT + STUDENT.replace("small", "on").replace("bilstm", "small")
    )
    assert given["on"]["student"] == run.root / "out" / "small"


def test_steps_of_a_training_are_a_number(run):
    assert run(TASKS + TEACHER + "steps = 5\n")["teacher"]["steps"] == 5
    with pytest.raises(UsageError, match="a whole number"):
        run(TASKS + TEACHER + "steps = [{ shuffle = true }]\n")


def test_a_publication_may_say_which_student(run):
    named = STUDENT.replace('student = "bilstm"', 'preset = "liu2020"')
    assert run(TASKS + TEACHER + named)["small"]["preset"] == "liu2020"
    with pytest.raises(UsageError, match="student or preset"):
        run(TASKS + TEACHER + STUDENT.replace('student = "bilstm"\n', ""))


def test_a_set_is_no_teacher_and_a_model_no_set(run):
    with pytest.raises(UsageError, match="a model of this recipe"):
        run(TASKS + STUDENT.replace('"teacher"\n', '"b"\n'))
    with pytest.raises(UsageError, match="a set of this recipe"):
        run(TASKS + TEACHER + STUDENT.replace('"a"', '["a", "teacher"]'))
