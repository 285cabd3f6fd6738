"""Models in recipes: they and sets share one graph, one namespace and one way of running."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_fakes import REAL, Fakes

from transferset.errors import InputError, SetError, UsageError
from transferset.pipeline.recipes import make_plan, read_recipe, run_recipe

TASK = '[set.task]\ncommand = "build task"\nsource = "demo"\n'
BASE = '[model.base]\ncommand = "lm fit"\nfrom = "task"\nconfig = "gpt2.json"\n'
WRITER = '[model.writer]\ncommand = "lm fit"\nfrom = "task"\nmodel = "base"\n'
WRITTEN = '[set.written]\ncommand = "lm sample"\nfrom = "task"\nmodel = "writer"\nrows = "1000%"\n'
ALL = TASK + WRITTEN + WRITER + BASE


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where the recipe stands, with a configuration beside it; the user is somewhere else."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (tmp_path / "gpt2.json").write_text("{}")
    return tmp_path


@pytest.fixture
def plan(folder):
    def plan(text: str, *settings: str):
        path = folder / "my.toml"
        path.write_text(text)
        return make_plan(read_recipe(path, settings, REAL))

    return plan


@pytest.fixture
def fakes(folder) -> Fakes:
    return Fakes(folder / "out")


@pytest.fixture
def run(folder, fakes):
    """Runs a recipe; gives what was made, and notes what was told in `run.told`."""

    def run(text: str, *settings: str, **options):
        path = folder / "my.toml"
        path.write_text(text)
        run.told = {}
        return run_recipe(path, fakes.root, settings, fakes, told=run.told.__setitem__, **options)

    return run


def a_model(path: Path, file: str = "config.json") -> Path:
    path.mkdir(parents=True)
    (path / file).write_text("{}")  # reading a recipe opens no model
    return path


def params(plan, name: str) -> dict:
    return dict(next(job.params for job in plan.jobs if job.name == name))


# One graph


def test_a_model_comes_after_its_set_and_a_set_after_its_model(run, fakes):
    made = run(ALL)
    assert fakes.made == ["task", "base", "writer", "written"]
    assert {place: one.root for place, one in made.items()} == {
        place: fakes.root / place for place in fakes.made
    }


def test_functions_get_folders_of_sets_and_models(run, fakes, folder):
    out = fakes.root
    run(
        ALL.replace('model = "base"\n', 'model = "base"\nvalidation = "dev"\nlr = 3e-5\n')
        + TASK.replace("set.task", "set.dev")
        + "seed = 3\n".join([WRITTEN.replace("set.written", "set.more"), 'base = "base"\n'])
    )
    calls = {place: given for _, place, given in fakes.calls}
    assert calls["base"] == {"src": out / "task", "config": str(folder / "gpt2.json")}
    assert calls["writer"] == {
        "src": out / "task",
        "model": out / "base",
        "validation": out / "dev",
        "lr": 3e-5,
    }
    assert calls["written"] == {"src": out / "task", "model": out / "writer", "rows": "1000%"}
    assert calls["more"]["base"] == out / "base"


def test_a_model_can_be_fitted_to_one_part_of_a_split_and_watched_on_another(run, fakes):
    split = (
        '[set.s]\ncommand = "derive"\nfrom = "task"\nsteps = [{ split = "train=0.9,dev=0.1" }]\n'
    )
    run(TASK + split + BASE.replace('"task"', '"s/train"') + 'validation = "s/dev"\n')
    given = fakes.calls[-1][2]
    assert (given["src"], given["validation"]) == (fakes.root / "s/train", fakes.root / "s/dev")


def test_a_circle_through_models_is_refused_and_shown(plan):
    text = WRITTEN.replace('"task"', '"written2"') + WRITER.replace('"task"', '"written"')
    text += BASE.replace('"task"', '"written"')
    text += '[set.written2]\ncommand = "derive"\nfrom = "written"\nsteps = [{ shuffle = true }]\n'
    with pytest.raises(UsageError, match="sets and models that are not made from each other"):
        plan(text)
    with pytest.raises(UsageError, match="found writer → writer"):
        plan(TASK + WRITER.replace('"base"', '"writer"'))


def test_a_recipe_may_make_models_only(plan, folder):
    (folder / "old").mkdir()
    (folder / "old" / "manifest.json").write_text("{}")
    found = plan(BASE.replace('"task"', '"old"'))
    assert [job.place for job in found.jobs] == ["base"]
    assert params(found, "base")["from"].path == folder / "old"


def test_only_functions_that_take_workers_are_given_them(folder, run, fakes):
    run(ALL)  # `Fakes` refuses what is not in the signature
    assert "workers" in REAL["lm sample"].__annotations__
    assert "workers" not in REAL["lm fit"].__annotations__


# One namespace


@pytest.mark.parametrize("name", ["task", "Task"])
def test_a_set_and_a_model_cannot_share_a_name(plan, name):
    with pytest.raises(UsageError, match=rf"more than capitals.*\[model.{name}\]"):
        plan(TASK + BASE.replace("model.base", f"model.{name}"))


@pytest.mark.parametrize("name", ["set", "model", "model.base", "report", "matrix"])
def test_a_name_that_begins_like_a_table_is_refused(plan, name):
    with pytest.raises(UsageError, match="a name of its own"):
        plan(TASK + BASE.replace("model.base", f'model."{name}"'))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ALL.replace('model = "base"', 'model = "bas"'), "did you mean 'base'"),
        (ALL.replace('model = "base"', 'model = "gpt2-medium"'), "its models are writer, base"),
        (WRITTEN.replace("writer", "x") + TASK, "it has no model"),
        (
            ALL.replace('model = "base"', 'model = "task"'),
            r"the path of a model, found 'task', and \[set.task\] makes no model .*model.writer\]",
        ),
        (
            TASK + BASE + WRITER.replace('"task"', '"base"'),
            r"the path of a set, found 'base', and \[model.base\] makes no set",
        ),
        (ALL.replace('model = "base"', 'model = "base/x"'), "expected a model, found base/x"),
        (ALL.replace('model = "base"', "model = 3"), r"a text.*\[model.writer\], model"),
        (ALL.replace('model = "base"', ""), "one of model, config, found none of them"),
        (ALL.replace('model = "base"', 'model = "base"\nconfig = "gpt2.json"'), "model and config"),
        (ALL.replace("gpt2.json", "gpt3.json"), r"a file beside the recipe, found 'gpt3.json'"),
        (ALL.replace('"gpt2.json"', '"."'), "a file beside the recipe"),
        (ALL.replace('rows = "1000%"', ""), r"rows or preset, found none of them at .*written\]"),
        (ALL.replace('model = "writer"', ""), "the key 'model'"),
        (ALL.replace('rows = "1000%"', 'rows = "1000%"\nprest = "x"'), "did you mean 'preset'"),
        (TASK + BASE + "epoch = 3", "did you mean 'epochs'"),
        (TASK + BASE + "epochs = 'many'", "a whole number, found 'many'"),
        (TASK + BASE + "workers = 2", "a key out of"),
        (
            TASK.replace("set", "model"),
            r"makes a model, found 'build task', which makes a set .*write \[set.task\]",
        ),
        (
            TASK + BASE.replace("model.base", "set.base"),
            r"makes a set, found 'lm fit', which makes a model .*write \[model.base\]",
        ),
        (
            TASK + BASE.replace("lm fit", "lm fti"),
            r"a command out of distill, finetune, lm fit, .*mean 'lm fit'",
        ),
        (TASK + "[modle.x]", "did you mean 'model'"),
        (TASK + "[model]", "at least one table"),
        (ALL + '[report]\nsets = ["base"]', r"\[model.base\] makes no set .*\[report\], sets"),
        (ALL + '[report]\nparent = "base"', "makes no set"),
        (ALL + "[report]\nfile = 'base'", "that of the model base"),
    ],
)
def test_a_wrong_model_is_refused(plan, text, words):
    with pytest.raises(UsageError, match=words):
        plan(text)


def test_a_report_about_no_set_is_refused(plan, folder):
    (folder / "old").mkdir()
    (folder / "old" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match=r"a list of names of sets, found \[\] at .*\[report\]"):
        plan(BASE.replace('"task"', '"old"') + "[report]\n")


def test_the_report_is_about_sets(run, fakes):
    run(ALL + "[report]\n")
    assert fakes.calls[-1][2]["sets"] == ["task", "written"]


# Models elsewhere, and what else is not made here


@pytest.mark.parametrize("file", ["config.json", "model.json"])
def test_a_model_may_stand_beside_the_recipe(plan, folder, file):
    a_model(folder / "models" / "gpt2", file)
    found = plan(TASK + WRITER.replace('"base"', '"models/gpt2"'))
    assert params(found, "writer")["model"].path == folder / "models" / "gpt2"


def test_a_set_is_no_model(plan, folder):
    (folder / "old").mkdir()
    (folder / "old" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="the path of a model, found 'old'"):
        plan(TASK + WRITER.replace('"base"', '"old"'))


def test_the_tokenizer_of_the_set_is_a_word_not_a_path(plan, folder):
    (folder / "set").mkdir()
    (folder / "wordpieces").mkdir()
    found = plan(TASK + BASE + 'tokenizer = "set"\n')
    assert params(found, "base")["tokenizer"] == "set"
    found = plan(TASK + BASE + 'tokenizer = "wordpieces"\n')
    assert params(found, "base")["tokenizer"] == str(folder / "wordpieces")


@pytest.mark.parametrize("place", ["out/writer", "out/writer/old", "out/written"])
def test_a_model_that_is_read_is_not_written_over(run, fakes, folder, place):
    old = a_model(folder / place)
    with pytest.raises(UsageError, match="beside the parents"):
        run(TASK + WRITER.replace('"base"', f'"{place}"') + WRITTEN, force=True)
    assert fakes.made == []
    assert [path.name for path in old.iterdir()] == ["config.json"]


def test_nor_is_a_model_that_a_step_reads(run, fakes, folder):
    a_model(folder / "out" / "task" / "bert")
    step = '[{ replace-lm = { model = "out/task/bert", iterations = 1 } }]'
    with pytest.raises(UsageError, match="beside the parents"):
        run(TASK + f'[set.a]\ncommand = "derive"\nfrom = "task"\nsteps = {step}\n')
    assert fakes.made == []


# Settings


@pytest.mark.parametrize("setting", ["base.epochs=3", "model.base.epochs=3"])
def test_a_setting_changes_one_model(plan, setting):
    found = plan(ALL, setting)
    assert params(found, "base")["epochs"] == 3
    assert "epochs" not in params(found, "writer")


def test_the_kind_may_stand_before_the_name_of_a_set_too(plan):
    assert params(plan(ALL, "set.written.rows=800k"), "written")["rows"] == "800k"


def test_a_setting_without_a_name_reaches_sets_and_models(plan):
    found = plan(ALL.replace('"base"\n', '"base"\nseed = 1\n'), "seed=5", "epochs=2", "device=cuda")
    assert [params(found, n)["seed"] for n in ("base", "writer", "written")] == [5, 1, 5]
    assert [params(found, n)["epochs"] for n in ("base", "writer")] == [2, 2]


def test_paths_in_a_setting_are_relative_to_the_user(plan, folder):
    a_model(folder / "gpt2")  # not meant
    mine = a_model(folder / "here" / "gpt2")
    config = folder / "here" / "mine.json"
    config.write_text("{}")
    found = plan(ALL, "model.writer.model=gpt2", "base.config=mine.json", "written.base=gpt2")
    assert params(found, "writer")["model"].path == mine
    assert params(found, "written")["base"].path == mine
    assert params(found, "base")["config"] == str(config)


def test_a_name_in_a_setting_wins_over_a_path(plan, folder):
    a_model(folder / "here" / "base")
    assert params(plan(ALL, "written.model=base"), "written")["model"].name == "base"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("model.bsae.epochs=3", "a set or model out of base, writer, found 'bsae'.*mean 'base'"),
        ("model.task.seed=3", "out of base, writer, found 'task'"),
        ("set.base.epochs=3", "out of task, written, found 'base'"),
        ("base.epoch=3", "did you mean 'epochs'"),
        ("model.epochs=3", "a set or model out of"),
        ("epoch=3", "did you mean 'epochs'"),
        ("written.model=nowhere", "a model of this recipe, or the path of a model"),
    ],
)
def test_a_wrong_setting_is_refused(plan, setting, words):
    with pytest.raises(UsageError, match=words):
        plan(ALL, setting)


# The matrix


def test_a_matrix_over_a_model_fans_out_what_is_made_with_it(run, fakes):
    made = run(ALL + "[matrix.base]\nepochs = [1, 2]\n[report]\n")
    assert list(made) == [
        "task",
        *(f"base.epochs={n}/base" for n in (1, 2)),
        *(f"base.epochs={n}/writer" for n in (1, 2)),
        *(f"base.epochs={n}/written" for n in (1, 2)),
    ]
    calls = {place: given for _, place, given in fakes.calls}
    assert calls["base.epochs=2/writer"]["model"] == fakes.root / "base.epochs=2" / "base"
    assert calls["base.epochs=2/written"]["model"] == fakes.root / "base.epochs=2" / "writer"
    assert fakes.calls[-1][2]["sets"] == ["task", *(f"base.epochs={n}/written" for n in (1, 2))]


def test_seeds_of_a_matrix_reach_models(plan):
    found = plan(ALL + "[matrix]\nseed = [1, 2]\n")
    assert [job.place for job in found.jobs] == ["task"] + [
        f"seed={n}/{name}" for name in ("base", "writer", "written") for n in (1, 2)
    ]


def test_the_model_can_be_in_the_matrix(plan, folder):
    large = a_model(folder / "large")
    found = plan(
        ALL.replace('model = "writer"\n', "")
        + '[matrix.written.model]\nsmall = "writer"\nlarge = "large"\n'
    )
    assert [job.place for job in found.jobs][-2:] == [
        "written.model=small/written",
        "written.model=large/written",
    ]
    assert [job.params["model"].path for job in found.jobs[-2:]] == [None, large]


# Keeping, forcing, resuming


def test_what_is_there_is_kept_and_what_changed_needs_force(run, fakes):
    run(ALL)
    run(ALL)
    assert run.told == dict.fromkeys(["task", "base", "writer", "written"], "kept")
    with pytest.raises(SetError, match=r"another recipe at .*out/writer \(.*\[model.writer\]\)"):
        run(ALL, "writer.epochs=2")
    run(ALL, "writer.epochs=2", force=True)  # the rows follow from it
    assert run.told == {"task": "kept", "base": "kept", "writer": "made", "written": "made"}


@pytest.mark.parametrize("place", ["task", "base", "writer", "written"])
def test_a_run_that_was_stopped_goes_on(run, fakes, place):
    fakes.broken = place
    with pytest.raises(KeyboardInterrupt):
        run(ALL)
    fakes.broken = ""
    run(ALL)
    assert fakes.made == ["task", "base", "writer", "written"]  # nothing twice


def test_an_error_of_a_model_names_its_table(folder, fakes):
    def broken(**given):
        raise InputError("expected a configuration, found a poem")

    broken.__signature__ = fakes["lm fit"].__signature__
    path = folder / "my.toml"
    path.write_text(ALL)
    with pytest.raises(InputError, match=r"found a poem \(.*my.toml, \[model.base\]\)"):
        run_recipe(path, fakes.root, (), {**fakes, "lm fit": broken})


def test_a_mistake_in_a_model_costs_no_set(run, fakes):
    with pytest.raises(UsageError):
        run(ALL.replace("gpt2.json", "none.json"))
    assert fakes.made == []
