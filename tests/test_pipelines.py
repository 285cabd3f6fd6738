"""The recipes in `pipelines/`, run for real on the packaged sample; and those of the docs, planned.

What a set should be is worked out from the rows of its parent, in plain Python.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import transferset
from transferset.api.running import recipe_functions
from transferset.errors import SetError
from transferset.models import Model
from transferset.pipeline.recipes import make_plan, read_recipe
from transferset.shards import ShardSet
from transferset.verification import verify

ROOT = Path(__file__).parents[1]
PIPELINES = {path.stem: path for path in sorted((ROOT / "pipelines").glob("*.toml"))}
FUNCTIONS = recipe_functions()

#: Those that augment a task.
TASKS = ["liu2020", "tang2019"]

#: Those that train models, and settings by which that takes seconds: they need torch.
SMALL = ["wiki.limit=20", 'parts.steps=[{split = "train=0.8,held=0.2"}]']
DISTILLED = {
    "liu-sst2": [
        "wiki.limit=40", "written.rows=30",
        *(f"{name}.steps=4" for name in ("label", "logit", "logit-mask", "logit-mask-pos")),
        "logit-written.steps=4",
    ],
    "thesis-miniature": [*SMALL, "student.steps=2"],
    "loss-composition": [*SMALL, "student.steps=2"],
}  # fmt: skip
MODELS = ["sucik2020", *DISTILLED]

#: Those that derive sets from one corpus.
EXPERIMENTS = [name for name in PIPELINES if name not in ("bert-corpus", *TASKS, *MODELS)]

Rows = list[tuple[int, ...]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Runs a pipeline once; gives its folder and the rows of each of its sets."""
    done: dict[str, tuple[Path, dict[str, Rows]]] = {}

    def run(name: str) -> tuple[Path, dict[str, Rows]]:
        if name not in done:
            if name in MODELS:
                pytest.importorskip("torch")
                pytest.importorskip("transformers")
            out = tmp_path_factory.mktemp(name)
            settings = DISTILLED.get(name, ())
            sets = transferset.run(PIPELINES[name], out, settings=settings, workers=1)
            rows = {p: rows_of(one) for p, one in sets.items() if isinstance(one, ShardSet)}
            done[name] = out, rows
        return done[name]

    return run


def rows_of(found) -> Rows:
    return [
        tuple(row) for batch in found.batches() for row in batch.column("input_ids").to_pylist()
    ]


def within(part: Rows, whole: Rows) -> bool:
    """Whether the rows of a set are rows of another, none more often than there."""
    return not Counter(part) - Counter(whole)


def content(rows: Rows) -> set[int]:
    return {token for row in rows for token in row[1:-1]}


def test_the_pipelines_are_there():
    assert list(PIPELINES) == [
        "bert-corpus", "bootstrap", "hybrid", "liu-sst2", "liu2020", "loss-composition",
        "parent-size", "sucik2020", "tang2019", "thesis-composition", "thesis-miniature",
        "thesis-size",
    ]  # fmt: skip


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_runs_without_network_and_can_be_given_a_corpus(name, monkeypatch, tmp_path):
    recipe = read_recipe(PIPELINES[name], (), FUNCTIONS)
    first = next(iter(recipe.tables.values()))
    assert first.variants[()].params["source"] in ("demo", ["demo"])
    assert recipe.report is not None
    comment = PIPELINES[name].read_text().partition("description =")[0].replace("#", "")
    commands = re.findall(r"transferset run (.*?)(?:\n\s*\n|\Z)", comment, re.S)
    monkeypatch.chdir(tmp_path)
    for model in ("gpt2-medium", "bert"):  # one that is named must be there; none is opened
        (tmp_path / model).mkdir()
        (tmp_path / model / "config.json").touch()
    assert commands, "no command in the comment"
    for command in commands:
        settings = re.findall(r'--set (?:"([^"]+)"|(\S+))', command)
        settings = [quoted or plain for quoted, plain in settings]
        make_plan(read_recipe(PIPELINES[name], settings, FUNCTIONS))


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "thesis-size"])
def test_a_pipeline_is_repeated_with_other_seeds_on_one_corpus(name):
    plan = make_plan(read_recipe(PIPELINES[name], ["matrix.seed=[1, 2, 3]"], FUNCTIONS))
    once = make_plan(read_recipe(PIPELINES[name], (), FUNCTIONS))
    assert len(plan.jobs) == 1 + 3 * (len(once.jobs) - 1)
    assert plan.jobs[0].place == "corpus"
    assert {job.place.partition("/")[0] for job in plan.jobs[1:]} == {
        "seed=1", "seed=2", "seed=3",
    }  # fmt: skip


def test_recipes_in_the_docs_are_recipes(tmp_path):
    page = (ROOT / "docs" / "pipelines.md").read_text()
    recipes = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    assert len(recipes) == 3
    (tmp_path / "gpt2.json").touch()
    places = []
    for recipe in recipes:
        path = tmp_path / "recipe.toml"
        path.write_text(recipe)
        places.append([job.place for job in make_plan(read_recipe(path, (), FUNCTIONS)).jobs])
    assert places[0] == ["corpus", "natural", "shuffled", "half"]
    assert places[1] == ["task", "texts", "base", "writer", "written"]
    assert "seed=1,sample.steps=large/sample" in places[2]
    assert len(places[2]) == 1 + 6 + 6


# What comes out


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in MODELS else n for n in PIPELINES],
)
def test_every_set_is_right_to_the_byte_and_has_its_report(ran, name):
    out, sets = ran(name)
    for place in sets:
        verify(out / place)
    page = (out / "report.html").read_text()
    assert page.lower().startswith("<!doctype html>")


def test_liu2020_has_ten_times_the_rows_and_no_row_twice(ran):
    _, sets = ran("liu2020")
    for name in ("masked", "transfer"):
        assert len(sets[name]) == 10 * len(sets["task"]) == len(set(sets[name]))


def test_tang2019_adds_up_to_twenty_variants_to_each_row(ran):
    _, sets = ran("tang2019")
    for name in ("transfer", "masked", "replaced", "windows"):
        rows = sets[name]
        assert set(sets["task"]) < set(rows)
        assert len(rows) == len(set(rows)) <= 21 * len(sets["task"])


@pytest.mark.slow
def test_sucik2020_writes_ten_rows_for_each_and_leaves_none_out(ran):
    out, sets = ran("sucik2020")
    task, written = sets["task"], sets["written"]
    assert written[: len(task)] == task
    assert len(written) == 11 * len(task)
    facts = json.loads((out / "written" / "_tables" / "sampling.json").read_bytes())
    assert facts["kept"] == facts["wanted"] == 10 * len(task)
    writer, base = (Model.open(out / name).verify().record for name in ("writer", "base"))
    assert writer.base["digest"] == base.digest
    assert [parent["digest"] for parent in writer.parents] == [
        transferset.open(out / "task").manifest.digest
    ]


@pytest.mark.slow
def test_models_of_a_second_run_are_kept_too(ran):
    out, _ = ran("sucik2020")
    states: dict[str, str] = {}
    transferset.run(PIPELINES["sucik2020"], out, workers=1, told=states.__setitem__)
    assert states == dict.fromkeys(
        ["wiki", "task", "base", "writer", "written", "report.html"], "kept"
    )


@pytest.mark.slow
def test_liu_sst2_trains_a_student_for_each_set_with_three_seeds(ran):
    out, sets = ran("liu-sst2")
    for name, rows in (
        ("label", "logits"),
        ("logit", "logits"),
        ("logit-mask", "masked-logits"),
        ("logit-mask-pos", "replaced-logits"),
        ("logit-written", "written-logits"),
    ):
        found = Model.open(out / name).verify().record
        assert found.metrics["steps"] == 4
        assert list(found.metrics["seeds"]["scores"]) == ["0", "1", "2"]
        asked = transferset.open(out / rows).manifest.teacher
        assert [one["name"] for one in asked["models"]] == ["teacher"]
        weights = {loss: found.params.get(loss) for loss in ("mse", "hard") if loss in found.params}
        assert weights == ({"hard": 1.0} if name == "label" else {"mse": 1.0})
    assert len(sets["masked-logits"]) == 10 * len(sets["logits"])


@pytest.mark.slow
def test_thesis_miniature_compares_under_equal_steps_and_equal_epochs(ran):
    out, sets = ran("thesis-miniature")
    choices = ("all", "tenth", "hundredth", "shuffled", "generated")
    students = [Model.open(out / f"student.from={c}" / "student").record for c in choices]
    assert {one.metrics["steps"] for one in students} == {2}
    tenth = Model.open(out / "tenth").record
    assert tenth.metrics["steps"] == -(-len(sets["tenth-rows"]) // 32)
    for task in ("sst2", "cola", "stsb"):
        for place in (*(f"student.from={c}/student" for c in choices), "tenth", "hundredth"):
            tuned = Model.open(out / f"{place}-{task}").record
            assert tuned.base["digest"] == Model.open(out / place).record.digest


@pytest.mark.slow
def test_loss_composition_leaves_a_loss_out(ran):
    out, _ = ran("loss-composition")
    for place in out.glob("student.from=*/student"):
        lines = [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]
        learnt = [line for line in lines if "lr" in line]
        assert learnt
        assert all(("hard" in line) == ("hard=with/" in str(place)) for line in learnt)


def test_bert_corpus(ran):
    out, sets = ran("bert-corpus")
    assert Counter(sets["corpus"]) == Counter(sets["wiki"]) + Counter(sets["books"])
    assert parts(out / "corpus") == {0: len(sets["wiki"]), 1: len(sets["books"])}
    wiki, books, corpus = (transferset.open(out / n).manifest for n in ("wiki", "books", "corpus"))
    counts = [(s["part"], s["documents"], s["sentences"], s["words"]) for s in corpus.statistics]
    assert counts == [
        (part, *(one.statistics[0][k] for k in ("documents", "sentences", "words")))
        for part, one in enumerate((wiki, books))
    ]
    whole = sum(one.statistics[0]["words"] for one in (wiki, books))
    assert f"{whole:,}" in (out / "report.html").read_text()


def test_sizes(ran):
    _, sets = ran("thesis-size")
    corpus = sets["corpus"]
    assert all(12 <= len(row) <= 512 for row in corpus)
    for name, share in (("natural-10", 0.1), ("natural-1", 0.01), ("natural-0.1", 0.001)):
        assert len(sets[name]) == round(share * len(corpus))
        assert within(sets[name], corpus)
    # independent: a row of the 1 % would be in the 10 % with probability 0.1 each
    assert not within(sets["natural-1"], sets["natural-10"])


def test_composition(ran):
    _, sets = ran("thesis-composition")
    natural, randomised, generated = (sets[n] for n in ("natural", "randomised", "generated"))
    for before, after in zip(natural, randomised, strict=True):
        assert sorted(before) == sorted(after)
        assert (before[0], before[-1]) == (after[0], after[-1])
    assert natural != randomised
    assert len(generated) == len(natural)
    assert content(generated) <= content(natural)
    assert {len(row) for row in generated} <= {len(row) for row in natural}
    assert not set(generated) & set(natural)


def test_bootstrap(ran):
    out, sets = ran("bootstrap")
    small = sets["small"]
    assert within(small, sets["natural"])
    assert len(sets["natural"]) == round(0.4 * len(sets["corpus"]))
    assert set(sets["resampled"]) <= set(small)
    bags = {(row[0], *sorted(row[1:-1]), row[-1]) for row in small}
    assert {(row[0], *sorted(row[1:-1]), row[-1]) for row in sets["shuffled"]} <= bags
    assert content(sets["generated"]) <= content(small)
    for name, parent in (
        ("by-resampling", "resampled"),
        ("by-shuffling", "shuffled"),
        ("by-generation", "generated"),
    ):
        assert len(sets[parent]) == 3 * len(small)
        assert Counter(sets[name]) == Counter(small) + Counter(sets[parent])
    assert len(sets["grown"]) == 4 * len(small)
    assert parts(out / "grown") == dict.fromkeys(range(4), len(small))
    assert within(small, sets["grown"])


def test_hybrid(ran):
    out, sets = ran("hybrid")
    rows = len(sets["natural"])
    assert len(sets["synthetic"]) == rows
    for share in (100, 75, 50, 25, 0):
        mixed = sets[f"natural-{share}"]
        assert len(mixed) == rows
        natural = rows * share // 100  # 184 rows: quarters are whole numbers
        assert rows % 4 == 0
        expected = {0: natural, 1: rows - natural}
        assert parts(out / f"natural-{share}") == {k: n for k, n in expected.items() if n}
        assert within(mixed, sets["natural"] + sets["synthetic"])


def test_parent_size(ran):
    _, sets = ran("parent-size")
    assert within(sets["parent-0.1"], sets["parent-1"])
    assert within(sets["parent-1"], sets["parent-10"])
    for size, times in (("10", 1), ("1", 10), ("0.1", 100)):
        parent, generated = sets[f"parent-{size}"], sets[f"generated-{size}"]
        assert len(generated) == len(sets["parent-10"])
        assert content(generated) <= content(parent)
        assert {len(row) for row in generated} <= {len(row) for row in parent}
        assert len(sets[f"shuffled-{size}"]) == times * len(parent)
        assert {tuple(sorted(row)) for row in sets[f"shuffled-{size}"]} <= {
            tuple(sorted(row)) for row in parent
        }


def parts(place: Path) -> dict[int, int]:
    found = transferset.open(place)
    return dict(Counter(p for b in found.batches() for p in b.column("part").to_pylist()))


# Running again


def test_a_second_run_makes_nothing_and_a_changed_one_says_what_changed(ran):
    out, sets = ran("thesis-composition")
    files = [*(out / place / "manifest.json" for place in sets), out / "report.html"]
    before = [path.stat().st_mtime_ns for path in files]
    again = transferset.run(PIPELINES["thesis-composition"], out, workers=1)
    assert list(again) == list(sets)
    assert [path.stat().st_mtime_ns for path in files] == before
    with pytest.raises(SetError, match=r"seed was 0, is 9 .*natural.*\[set.natural\]"):
        transferset.run(PIPELINES["thesis-composition"], out, settings=["seed=9"], workers=1)


def test_parts_of_a_split_can_be_derived_from_and_reported(tmp_path):
    recipe = tmp_path / "split.toml"
    recipe.write_text(
        '[set.corpus]\ncommand = "build wiki"\nsource = "demo"\n'
        '[set.s]\ncommand = "derive"\nfrom = "corpus"\n'
        'steps = [{ sample = 500 }, { split = "train=0.9,validation=0.1" }]\n'
        '[set.t]\ncommand = "derive"\nfrom = "s/train"\nsteps = [{ shuffle = true }]\n'
        "[report]\n"
    )
    for _ in range(2):  # made, and opened
        sets = transferset.run(recipe, tmp_path / "out", workers=1)
        assert list(sets) == ["corpus", "s/train", "s/validation", "t"]
    assert len(sets["s/train"]) + len(sets["s/validation"]) == 500
    assert len(sets["t"]) == len(sets["s/train"])


def bytes_of(out: Path) -> dict[str, bytes]:
    """Everything but receipts, which tell how the work went."""
    files = [p for p in sorted(out.rglob("*")) if p.is_file() and "_run" not in p.parts]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files}


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["corpus/manifest.json", "natural/_run"])
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(ran, tmp_path, sign):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "transferset", "run", str(PIPELINES["thesis-composition"])]
    command += ["--out", str(out), "--workers", "2"]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (out / sign).exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (out / "report.html").exists()
    subprocess.run(command, check=True, capture_output=True)
    whole, _ = ran("thesis-composition")
    assert bytes_of(out) == bytes_of(whole)
