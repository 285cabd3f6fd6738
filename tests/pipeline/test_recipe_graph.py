"""Running recipes: order, fanning out, skipping, resuming. The sets here are their recipes."""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_fakes import REAL, Fakes

from transferset.errors import InputError, SetError, UsageError
from transferset.pipeline.recipes import make_plan, read_recipe, run_recipe
from transferset.steps import Sample, Shuffle

CORPUS = '[set.corpus]\ncommand = "build wiki"\nsource = "demo"\nseed = 0\n'


def derive(name: str, source: str, *rest: str) -> str:
    steps = "" if any("steps" in line for line in rest) else "steps = [{ shuffle = true }]\n"
    lines = "".join(f"{line}\n" for line in rest)
    return f'[set."{name}"]\ncommand = "derive"\nfrom = "{source}"\n{steps}{lines}'


def mix(name: str, *sources: str) -> str:
    return f'[set."{name}"]\ncommand = "mix"\nfrom = {list(sources)}\n'


@pytest.fixture
def fakes(tmp_path) -> Fakes:
    return Fakes(tmp_path / "out")


@pytest.fixture
def run(tmp_path, fakes):
    """Runs a recipe; gives the sets, and notes what was told in `run.told`."""

    def run(text: str, *settings: str, **options):
        path = tmp_path / "my.toml"
        path.write_text(text)
        run.told = {}
        return run_recipe(path, fakes.root, settings, fakes, told=run.told.__setitem__, **options)

    return run


@pytest.fixture
def plan(tmp_path):
    def plan(text: str, *settings: str):
        path = tmp_path / "my.toml"
        path.write_text(text)
        return make_plan(read_recipe(path, settings, REAL))

    return plan


def places(plan) -> list[str]:
    return [job.place for job in plan.jobs]


# Order


def test_each_set_comes_after_those_that_it_is_made_from(run, fakes):
    text = mix("all", "b", "a:1") + derive("b", "a") + derive("a", "corpus") + CORPUS
    run(text)
    assert fakes.made == ["corpus", "a", "b", "all"]


def test_equals_come_in_the_order_of_the_file(plan):
    text = CORPUS + "".join(derive(name, "corpus") for name in ("z", "m", "a"))
    assert places(plan(text)) == ["corpus", "z", "m", "a"]


def test_a_circle_is_refused_and_shown(plan):
    text = derive("a", "c") + derive("b", "a") + derive("c", "b") + CORPUS
    with pytest.raises(UsageError, match=r"found (a → b → c → a|b → c → a → b|c → a → b → c)"):
        plan(text)
    with pytest.raises(UsageError, match="found a → a"):
        plan(derive("a", "a"))
    with pytest.raises(UsageError, match="→"):
        plan(CORPUS + derive("a", "corpus", 'fit = "b"') + derive("b", "a"))


def test_a_long_chain_is_no_recursion(plan):
    text = CORPUS + derive("s0", "corpus")
    text += "".join(derive(f"s{i}", f"s{i - 1}") for i in range(1, 700))
    assert places(plan(text))[-1] == "s699"


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.lists(st.sets(st.integers(0, n)), min_size=n, max_size=n)
    )
)
def test_any_graph_is_ordered_or_has_a_circle(tmp_path_factory, wanted):
    n = len(wanted)
    parents = [sorted(p for p in of if p < n) for of in wanted]
    text = CORPUS + "".join(
        mix(f"s{i}", *(f"s{p}" for p in of)) if of else derive(f"s{i}", "corpus")
        for i, of in enumerate(parents)
    )
    path = tmp_path_factory.getbasetemp() / "graph.toml"
    path.write_text(text)
    # independent: taking away what has no parents left, again and again
    left = {i: set(of) for i, of in enumerate(parents)}
    while free := [i for i, of in left.items() if not of & left.keys()]:
        for i in free:
            del left[i]
    if left:
        with pytest.raises(UsageError, match="→"):
            make_plan(read_recipe(path, (), REAL))
        return
    order = places(make_plan(read_recipe(path, (), REAL)))
    assert sorted(order) == sorted(["corpus", *(f"s{i}" for i in range(n))])
    for i, of in enumerate(parents):
        assert all(order.index(f"s{p}") < order.index(f"s{i}") for p in of)


# What the functions are given


def test_functions_get_parameters_paths_and_weights(run, fakes):
    text = (
        CORPUS
        + derive("a", "corpus", "seed = 3", 'steps = [{ sample = "10%" }, { shuffle = true }]')
        + derive("g", "a", 'fit = "corpus"', "steps = [{ generate = 5 }]")
        + mix("m", "a:0.7", "g:30%")
        + mix("every", "a", "g")
    )
    made = run(text)
    out = fakes.root
    calls = {place: given for _, place, given in fakes.calls}
    assert calls["corpus"] == {"source": "demo", "seed": 0}
    assert calls["a"] == {"src": out / "corpus", "seed": 3, "steps": [Sample("10%"), Shuffle()]}
    assert calls["g"]["fit"] == out / "corpus"
    assert calls["m"] == {"sources": [(out / "a", "0.7"), (out / "g", "30%")]}
    assert calls["every"] == {"sources": [out / "a", out / "g"]}
    assert {place: one.root for place, one in made.items()} == {
        place: out / place for place in ("corpus", "a", "g", "m", "every")
    }


def test_workers_and_progress_are_the_runs(tmp_path):
    import inspect

    seen = []

    def build_wiki(**given):
        seen.append((given["workers"], given["progress"]))
        return Fakes(tmp_path)._write("build wiki", {}, given["out"], False)

    build_wiki.__signature__ = inspect.signature(REAL["build wiki"])
    path = tmp_path / "my.toml"
    path.write_text(CORPUS)
    progress = object()
    functions = {"build wiki": build_wiki}
    run_recipe(path, tmp_path / "out", (), functions, workers=3, progress=progress)
    assert seen == [(3, progress)]


def test_without_out_the_sets_go_to_a_folder_named_like_the_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    path = tmp_path / "recipes" / "mine.toml"
    path.write_text(CORPUS)
    made = run_recipe(path, None, (), Fakes(Path("mine")))
    assert made["corpus"].root == Path("mine/corpus")
    assert (tmp_path / "mine" / "corpus" / "manifest.json").exists()


def test_an_error_keeps_its_class_and_names_the_table(tmp_path, run, fakes):
    import inspect

    def damaged(**given):
        raise InputError("expected a dump, found a poem")

    damaged.__signature__ = inspect.signature(REAL["build wiki"])
    functions = {**fakes, "build wiki": damaged}
    path = tmp_path / "my.toml"
    path.write_text(CORPUS)
    with pytest.raises(InputError, match=r"found a poem \(.*my.toml, \[set.corpus\]\)"):
        run_recipe(path, tmp_path / "out", (), functions)


# Splits

SPLIT = 'steps = [{ split = "train=0.9,validation=0.1" }]'


def test_parts_of_a_split_are_sets(run, fakes):
    text = CORPUS + derive("s", "corpus", SPLIT) + derive("t", "s/train") + "[report]\n"
    made = run(text)
    assert list(made) == ["corpus", "s/train", "s/validation", "t"]
    assert fakes.calls[2][2]["src"] == fakes.root / "s" / "train"
    assert fakes.calls[-1][2]["sets"] == ["corpus", "s/train", "s/validation", "t"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("s", "one part of the split, s/train or s/validation, found s at"),
        ("s/trian", "did you mean 'train'"),
        ("s/", "one part of the split"),
        ("s/..", "a part out of train, validation"),
        ("corpus/train", "corpus does not split"),
    ],
)
def test_a_part_that_is_not_there_is_refused(plan, source, words):
    with pytest.raises(UsageError, match=words):
        plan(CORPUS + derive("s", "corpus", SPLIT) + derive("t", source))


def test_the_report_names_parts_that_are_there(plan):
    text = CORPUS + derive("s", "corpus", SPLIT)
    found = plan(text + '[report]\nsets = ["s/validation"]\nparent = "s/train"\n').report
    assert [one.name for one in found.sets] == ["s/validation"]
    assert found.parent.name == "s/train"
    for wrong in ('sets = ["s/test"]', 'sets = ["corpus/train"]', 'parent = "s"'):
        with pytest.raises(UsageError, match="expected"):
            plan(text + f"[report]\n{wrong}\n")


# Keeping, forcing, resuming


def test_what_is_there_is_kept(run, fakes):
    text = CORPUS + derive("a", "corpus") + derive("s", "a", SPLIT)
    run(text)
    assert run.told == {"corpus": "made", "a": "made", "s": "made"}
    made = run(text)
    assert run.told == {"corpus": "kept", "a": "kept", "s": "kept"}
    assert len(fakes.made) == 4
    assert list(made) == ["corpus", "a", "s/train", "s/validation"]
    run(text + derive("b", "corpus"))
    assert run.told == {"corpus": "kept", "a": "kept", "b": "made", "s": "kept"}


def test_the_report_is_written_when_there_is_something_new_to_tell(run, fakes):
    text = CORPUS + derive("a", "corpus") + derive("b", "corpus") + '[report]\nsets = ["a"]\n'
    page, record = fakes.root / "report.html", fakes.root / "report.html.json"

    def state(*settings: str, **options: bool) -> str:
        run(text, *settings, **options)
        return run.told["report.html"]

    assert state() == "made"
    assert state() == "kept"
    assert state("b.seed=1", force=True) == "kept"  # it is about `a`
    assert state("b.seed=1", "report.sets=['a', 'b']") == "made"
    assert state("b.seed=1", "a.seed=1", force=True) == "made"
    now = ["b.seed=1", "a.seed=1"]
    assert state(*now) == "kept"
    assert state(*now, "report.parent=corpus") == "made"
    assert state(*now, "report.figures=true") == "made"
    assert state(*now, "report.figures=true") == "kept"
    (fakes.root / "figures").rmdir()
    assert state(*now, "report.figures=true") == "made"
    assert state(*now) == "made"
    for spoil in (page.unlink, record.unlink, lambda: page.write_text("edited")):
        assert state(*now) == "kept"
        spoil()
        assert state(*now) == "made"


def test_another_recipe_is_an_error_unless_forced(run, fakes):
    text = CORPUS + derive("a", "corpus") + derive("b", "a") + derive("c", "corpus")
    run(text)
    with pytest.raises(SetError, match=r"another recipe at .*out/a \(.*\[set.a\]\)"):
        run(text, "a.seed=1")
    run(text, "a.seed=1", force=True)  # what follows from it is made anew, the rest is kept
    assert run.told == {"corpus": "kept", "a": "made", "c": "kept", "b": "made"}
    run(text, "a.seed=1")
    assert set(run.told.values()) == {"kept"}


@pytest.mark.parametrize("place", ["corpus", "a", "s/validation", "b"])
def test_a_run_that_was_stopped_goes_on_to_the_same_sets(run, fakes, tmp_path, place):
    text = CORPUS + derive("a", "corpus") + derive("s", "a", SPLIT) + derive("b", "s/train")
    whole = Fakes(tmp_path / "whole")
    path = tmp_path / "my.toml"
    path.write_text(text)
    expected = {k: v.recipe for k, v in run_recipe(path, whole.root, (), whole).items()}
    fakes.broken = place
    with pytest.raises(KeyboardInterrupt):
        run(text)
    before = list(fakes.made)
    fakes.broken = ""
    assert {k: v.recipe for k, v in run(text).items()} == expected
    assert sorted(fakes.made) == sorted(expected)  # nothing twice
    assert place not in before


def test_a_mistake_in_the_last_table_costs_no_set(run, fakes):
    with pytest.raises(UsageError):
        run(CORPUS + derive("a", "corpus") + '[report]\nsets = ["b"]\n')
    assert fakes.made == []


# The matrix


def test_a_matrix_fans_out_what_depends_on_it_and_nothing_else(run, fakes):
    text = (
        CORPUS
        + derive("a", "corpus")
        + derive("fixed", "corpus", "seed = 9")
        + derive("of-fixed", "fixed", "seed = 9")
        + derive("of-a", "a", "seed = 9")  # through its parent
        + mix("m", "a", "fixed")
        + "[matrix]\nseed = [1, 2]\n"
    )
    made = run(text)
    assert list(made) == [
        "corpus",
        "seed=1/a",
        "seed=2/a",
        "fixed",
        "of-fixed",
        "seed=1/of-a",
        "seed=2/of-a",
        "seed=1/m",
        "seed=2/m",
    ]
    calls = {place: given for _, place, given in fakes.calls}
    assert calls["seed=2/a"]["seed"] == 2
    assert calls["seed=2/of-a"]["src"] == fakes.root / "seed=2" / "a"
    assert calls["seed=1/m"]["sources"] == [fakes.root / "seed=1" / "a", fakes.root / "fixed"]
    assert calls["of-fixed"]["seed"] == 9


def test_several_keys_nest_in_their_order_and_each_set_has_its_own(plan):
    text = (
        CORPUS
        + derive("a", "corpus")
        + derive("b", "corpus", "seed = 1")
        + derive("c", "a")
        + "[matrix]\nlineage = [false, true]\nseed = [1, 2]\n"
        + "[matrix.corpus]\nmin_len = [0, 12]\n"
    )
    found = places(plan(text))
    assert found[:2] == ["corpus.min_len=0/corpus", "corpus.min_len=12/corpus"]
    assert sorted(found[2:]) == sorted(
        [
            f"lineage={flag},seed={seed},corpus.min_len={length}/{name}"
            for name, flag, seed, length in product("ac", ("false", "true"), (1, 2), (0, 12))
        ]
        + [
            f"lineage={flag},corpus.min_len={length}/b"
            for flag, length in product(("false", "true"), (0, 12))
        ]
    )


def test_values_that_are_not_plain_have_labels(plan):
    text = CORPUS + derive("a", "corpus", "steps = []").replace("steps = []\n", "")
    text += "[matrix.steps]\n"
    text += 'small = [{ sample = "1%" }]\n"10%" = [{ sample = "10%" }, { shuffle = true }]\n'
    found = plan(text)
    assert places(found) == ["corpus", "steps=small/a", "steps=10%/a"]
    assert found.jobs[2].params["steps"] == (Sample("10%"), Shuffle())


def test_the_parent_can_be_in_the_matrix(run, fakes):
    text = (
        CORPUS
        + derive("p", "corpus")
        + derive("q", "corpus", "seed = 5")
        + '[set.g]\ncommand = "derive"\nseed = 0\nsteps = [{ generate = "100%" }]\n'
        + '[set.h]\ncommand = "mix"\nseed = 0\n'
        + '[matrix]\ng.from = ["p", "q"]\np.seed = [1, 2]\n'
        + '[matrix.h.from]\nhalf = ["p:1", "q:1"]\nthird = ["p:1", "q:2"]\n'
    )
    run(text)
    calls = {place: given for _, place, given in fakes.calls}
    assert calls["g.from=p,p.seed=2/g"]["src"] == fakes.root / "p.seed=2" / "p"
    assert calls["g.from=q,p.seed=2/g"]["src"] == fakes.root / "q"
    third = calls["p.seed=1,h.from=third/h"]["sources"]
    assert third == [(fakes.root / "p.seed=1" / "p", "1"), (fakes.root / "q", "2")]
    assert len(fakes.made) == 1 + 2 + 1 + 4 + 4


def test_one_sets_own_key_wins_over_that_of_all(plan):
    text = CORPUS + derive("a", "corpus") + derive("b", "corpus")
    text += "[matrix]\nseed = [1, 2]\na.seed = [7, 8]\n"
    assert places(plan(text)) == [
        "corpus", "a.seed=7/a", "a.seed=8/a", "seed=1/b", "seed=2/b",
    ]  # fmt: skip


def test_labels_are_safe_in_folders(plan):
    text = CORPUS + '[matrix.corpus]\ntokenizer = ["../a/b", "c:d, e=f", "ü"]\n'
    assert places(plan(text)) == [
        "corpus.tokenizer=.._a_b/corpus",
        "corpus.tokenizer=c_d__e_f/corpus",
        "corpus.tokenizer=_/corpus",
    ]


def test_the_report_covers_all_variants(run, fakes):
    text = CORPUS + derive("a", "corpus") + "[matrix]\nseed = [1, 2]\n"
    run(
        text
        + '[report]\nsets = ["a", "corpus"]\nfile = "all.html"\nfigures = true\nparent = "corpus"'
    )
    assert fakes.calls[-1] == (
        "report",
        "all.html",
        {
            "sets": ["seed=1/a", "seed=2/a", "corpus"],
            "figures": fakes.root / "figures",
            "parent": fakes.root / "corpus",
        },
    )
    with pytest.raises(UsageError, match="one parent, found 2 variants of a"):
        run(text + '[report]\nparent = "a"')


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ("seed = 1", "a list of values"),
        ("seed = []", "1 to 10,000 values"),
        ("seed = [1, 1]", "different folders, found equal ones"),
        ('fit = ["Corpus", "corpus"]', "different folders"),
        ("seed = [[1]]", "give them labels"),
        ("seed = ['x']", r"a whole number, found 'x' at .*\[set.a\], seed"),
        ("sead = [1]", "did you mean 'seed'"),
        ("source = ['demo']", "a set or model that takes source and leaves it open"),
        ("corpus.seed = [1]", r"seed stated once, found also in \[set.corpus\]"),
        ("corpus.sead = [1]", "did you mean 'seed'"),
        ("seed = [1]\na.seed = [2]", "a set or model whose seed is left open"),
        ("command = ['mix']", "a key out of"),
        ("workers = [1]", "a key out of"),
        (f"fit = ['{'x' * 61}']", "labels of 1 to 60"),
        ("fit = ['']", "labels of 1 to 60"),
    ],
)
def test_a_wrong_matrix_is_refused(plan, matrix, words):
    with pytest.raises(UsageError, match=words):
        plan(CORPUS + derive("a", "corpus") + f"[matrix]\n{matrix}\n")


def test_a_folder_that_tells_too_much_is_refused(plan):
    rows = "".join(derive(f"s{i}", "corpus" if i == 0 else f"s{i - 1}") for i in range(30))
    keys = "".join(f"s{i}.seed = [1]\n" for i in range(30))
    with pytest.raises(UsageError, match="short labels"):
        plan(CORPUS + rows + f"[matrix]\n{keys}")


def test_a_matrix_of_ten_thousand_sets_is_planned_and_one_more_refused(plan):
    values = ",\n".join(map(str, range(9_999)))
    started = time.process_time()
    found = plan(CORPUS + derive("a", "corpus") + f"[matrix]\nseed = [{values}]\n")
    assert len(found.jobs) == 10_000
    assert time.process_time() - started < 10
    with pytest.raises(UsageError, match="at most 10,000 sets and models, found 10,001"):
        plan(CORPUS + derive("a", "corpus") + f"[matrix]\nseed = [{values},\n9999]\n")


def test_a_matrix_of_many_keys_is_refused_before_it_is_unfolded(plan):
    values = list(range(100))
    keys = [f"{key} = {values}" for key in ("min_len", "max_len", "shards", "limit", "seed")]
    one = CORPUS.replace("seed = 0\n", "")
    started = time.process_time()
    with pytest.raises(UsageError, match="at most 10,000 variants"):
        plan(one + "[matrix]\n" + "\n".join(keys))
    chain = "".join(derive(f"s{i}", "corpus" if i == 0 else f"s{i - 1}") for i in range(40))
    keys = [f"s{i}.seed = {values}" for i in range(40)]
    with pytest.raises(UsageError, match="at most 10,000 sets"):
        plan(CORPUS + chain + "[matrix]\n" + "\n".join(keys))
    assert time.process_time() - started < 5
