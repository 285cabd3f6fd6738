"""Reading recipes: what a file may say, what `--set` may change, what is refused and how."""

from __future__ import annotations

import copy
import inspect
import time
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from recipe_fakes import REAL

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.pipeline.recipes import make_plan, read_recipe
from transferset.pipeline.recipes.commands import COMMANDS, OF_THE_RUN, OF_THE_USER, keys_of
from transferset.pipeline.recipes.reading import LONGEST_LINE, MOST_BYTES, parse_value
from transferset.steps import Generate, Mask, Sample

CORPUS = '[set.corpus]\ncommand = "build wiki"\nsource = "demo"\n'
SMALL = '[set.small]\ncommand = "derive"\nfrom = "corpus"\nsteps = [{ sample = "10%" }]\n'


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a recipe and plans it; the user is somewhere else than the recipe."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def read(text: str, *settings: str):
        path = tmp_path / "my.toml"
        path.write_text(text)
        return make_plan(read_recipe(path, settings, REAL))

    return read


def params(plan, place: str) -> dict:
    return dict(next(job.params for job in plan.jobs if job.place == place))


def a_set(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")  # reading a recipe opens no set
    return path


# What a table may say


def test_keys_are_the_parameters_of_the_commands_function(read):
    text = (
        CORPUS + 'tokenizer = "demo"\nmin_len = 12\nshuffle = false\nseed = 18446744073709551615\n'
    )
    assert params(read(text), "corpus") == {
        "source": "demo",
        "tokenizer": "demo",
        "min_len": 12,
        "shuffle": False,
        "seed": 2**64 - 1,
    }


def test_every_parameter_of_the_api_can_be_stated_or_belongs_to_the_run():
    for name, command in COMMANDS.items():
        known = {command.parameter if k == command.key else k for k in keys_of(command, REAL[name])}
        assert known | {*OF_THE_RUN} == {*inspect.signature(REAL[name]).parameters} | {*OF_THE_RUN}


def test_steps_become_values(read):
    text = CORPUS + (
        '[set.noisy]\ncommand = "derive"\nfrom = "corpus"\nlineage = true\nsteps = [\n'
        '  { sample = { size = "5%", with_replacement = true } },\n'
        '  { mask = { p = 0.15, rule = "bert" } },\n  { generate = 100 },\n]\n'
    )
    found = params(read(text), "noisy")
    assert found["steps"] == (
        Sample("5%", with_replacement=True),
        Mask(0.15, rule="bert"),
        Generate("100"),
    )
    assert found["lineage"] is True
    assert found["from"].name == "corpus"


def test_sizes_may_be_numbers_or_texts(read):
    for rows, value in (("500", 500), ('"50%"', "50%"), ('"10k"', "10k")):
        plan = read(
            CORPUS + SMALL + f'[set.m]\ncommand="mix"\nfrom=["corpus", "small"]\nrows={rows}'
        )
        assert params(plan, "m")["rows"] == value


def test_weights_stay_as_written(read):
    text = CORPUS + SMALL + '[set.m]\ncommand = "mix"\nfrom = ["corpus:0.70", "small:30%"]\n'
    assert [(r.name, r.weight) for r in params(read(text), "m")["from"]] == [
        ("corpus", "0.70"),
        ("small", "30%"),
    ]


def test_paths_in_a_recipe_are_relative_to_it(read, tmp_path):
    a_set(tmp_path / "old")
    (tmp_path / "pages.xml").write_text("")
    a_set(tmp_path / "here" / "old")  # not meant
    text = (
        CORPUS.replace("demo", "pages.xml")
        + SMALL.replace('"corpus"', '"old"')
        + 'fit = "../old"\n'.replace("..", str(tmp_path))
        + '[set.m]\ncommand = "mix"\nfrom = ["small:1", "old:2.5"]\n'
    )
    plan = read(text)
    assert params(plan, "corpus")["source"] == str(tmp_path / "pages.xml")
    assert params(plan, "small")["from"].path == tmp_path / "old"
    assert params(plan, "small")["fit"].path == tmp_path / "old"
    mixed = params(plan, "m")["from"]
    assert [(r.name, r.path, r.weight) for r in mixed] == [
        ("small", None, "1"),
        ("", tmp_path / "old", "2.5"),
    ]


def test_a_source_that_is_no_file_beside_the_recipe_stays_as_it_is(read, tmp_path):
    (tmp_path / "demo").mkdir()  # the sample is meant all the same
    assert params(read(CORPUS), "corpus")["source"] == "demo"
    there = CORPUS.replace("demo", "simplewiki@20261101")
    assert params(read(there), "corpus")["source"] == "simplewiki@20261101"


def test_a_name_wins_over_a_path(read, tmp_path):
    a_set(tmp_path / "corpus")
    assert params(read(CORPUS + SMALL), "small")["from"].name == "corpus"


# What `--set` changes


def test_a_setting_changes_one_set(read):
    plan = read(CORPUS + SMALL, "corpus.max_len=128", "small.seed=7")
    assert params(plan, "corpus")["max_len"] == 128
    assert params(plan, "small")["seed"] == 7
    assert "seed" not in params(plan, "corpus")


def test_a_setting_without_a_set_fills_what_is_left_open(read):
    text = CORPUS + "seed = 0\n" + SMALL + '[set.m]\ncommand = "mix"\nfrom = ["small"]\n'
    plan = read(text, "seed=5", "m.seed=6")
    assert [params(plan, p)["seed"] for p in ("corpus", "small", "m")] == [0, 5, 6]
    plan = read(text, "m.seed=6", "seed=5", "seed=4")  # the order does not matter, the last holds
    assert [params(plan, p)["seed"] for p in ("corpus", "small", "m")] == [0, 4, 6]


def test_a_name_with_a_dot_can_be_set(read):
    plan = read(CORPUS + SMALL.replace("set.small", 'set."small-0.1"'), "small-0.1.seed=3")
    assert params(plan, "small-0.1")["seed"] == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("128", 128),
        ("true", True),
        ("0.5", 0.5),
        ('["a", "b:0.5"]', ["a", "b:0.5"]),
        ('[{ sample = "5%" }]', [{"sample": "5%"}]),
        ('"128"', "128"),
        ("simplewiki@latest", "simplewiki@latest"),
        ("10%", "10%"),
        ("", ""),
        ("2026-11-01", "2026-11-01"),
        ("1\nother = 2", "1\nother = 2"),
        ("$HOME", "$HOME"),
        ("[" * 500, "[" * 500),
        ("{a" + ".a" * 400 + "=1}", "{a" + ".a" * 400 + "=1}"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_the_value_of_a_setting_is_toml_or_text(text, value):
    assert parse_value(text) == value


@given(st.text(max_size=50))
def test_any_text_is_a_value(text):
    parse_value(text)


def test_paths_in_a_setting_are_relative_to_the_user(read, tmp_path):
    a_set(tmp_path / "old")
    mine = a_set(tmp_path / "here" / "old")
    (tmp_path / "here" / "pages.xml").write_text("")
    plan = read(CORPUS + SMALL, "small.from=old", "corpus.source=pages.xml")
    assert params(plan, "small")["from"].path == mine
    assert params(plan, "corpus")["source"] == str(tmp_path / "here" / "pages.xml")


def test_only_the_user_may_name_caches_and_mirrors(read):
    plan = read(CORPUS, "corpus.mirror=http://10.0.0.1/", "corpus.cache=/scratch")
    assert params(plan, "corpus")["mirror"] == "http://10.0.0.1/"
    for key in OF_THE_USER:
        with pytest.raises(UsageError, match=rf"--set corpus.{key}="):
            read(CORPUS + f'{key} = "x"\n')
        with pytest.raises(UsageError, match="--set"):
            read(CORPUS + f'[matrix]\n{key} = ["x"]\n')


def test_a_setting_reaches_matrix_and_report(read):
    plan = read(CORPUS + SMALL, "matrix.seed=[1, 2]", "report.sets=['small']", "report.file=a.html")
    assert [job.place for job in plan.jobs][-1] == "seed=2/small"
    assert plan.report.file == "a.html"
    plan = read(CORPUS + SMALL, "matrix.small.seed=[1, 2]")
    assert [job.place for job in plan.jobs] == [
        "corpus",
        "small.seed=1/small",
        "small.seed=2/small",
    ]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("corpus", "expected --set NAME.key=value"),
        ("=3", "expected --set NAME.key=value"),
        ("corpsu.seed=1", "did you mean 'corpus'"),
        ("corpus.sead=1", "did you mean 'seed'"),
        ("sead=1", "did you mean 'seed'"),
        ("corpus.command=mix", "a key out of"),
        ("source=demo", "expected a set or model that takes source and leaves it open"),
        ("small.seed=much", r"a whole number, found 'much' at .*my.toml, \[set.small\], seed"),
        ("report.fil=x", "did you mean 'file'"),
        ("matrix.seed=3", "a list of values"),
        ("matrix.sead=[3]", "did you mean 'seed'"),
        ("matrix.small.seed.x=[3]", "did you mean|a key out of"),
        ("workers=2", "a key out of"),
    ],
)
def test_a_wrong_setting_is_refused(read, setting, words):
    with pytest.raises(UsageError, match=words):
        read(CORPUS + SMALL, setting)


# What is refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"at least one table \[set.NAME\] or \[model.NAME\]"),
        ("set = 3", "at least one table"),
        ("[set]", "at least one table"),
        ("[sets.a]", "did you mean 'set'"),
        (CORPUS + "[reprot]", "did you mean 'report'"),
        (
            "[set.a]",
            "build books, build task, build text, build wiki, derive, label, lm sample, mix, found",
        ),
        ("[set.a]\ncommand = 'deriv'", "did you mean 'derive'"),
        ("[set.a]\ncommand = ['derive']", "a command out of"),
        ("[set]\na = 3", "expected a table"),
        ("[set.a]\ncommand = 'build wiki'", "the key 'source'"),
        (CORPUS + "max_lne = 3", "did you mean 'max_len'"),
        (CORPUS + "max_len = '3'", r"a whole number, found '3' at .*\[set.corpus\], max_len"),
        (CORPUS + "max_len = true", "a whole number, found True"),
        (CORPUS + "max_len = 3.0", "a whole number"),
        (CORPUS + "seed = 18446744073709551616", "a number of 64 bits"),
        (CORPUS + "shuffle = 1", "true or false"),
        (CORPUS + "splitter = ''", "a text of 1 to"),
        (CORPUS + "splitter = 2026-11-01", "a text"),
        (CORPUS + "workers = 2", "a key out of"),
        (CORPUS + "out = '/tmp/x'", "a key out of"),
        (CORPUS + "force = true", "a key out of"),
        (CORPUS + "from = 'corpus'", "a key out of"),
        (CORPUS + SMALL + "fit = 'copus'", "did you mean 'corpus'"),
        (CORPUS + SMALL.replace('"corpus"', "3"), "a text"),
        (CORPUS + SMALL.replace('"corpus"', '"nowhere"'), "its sets are corpus, small"),
        (CORPUS + SMALL.replace('"corpus"', r'"a\u0000b"'), "a set of this recipe"),
        (CORPUS + SMALL.replace('"corpus"', '["corpus"]'), "a text"),
        (CORPUS + SMALL.replace("sample", "smaple"), "sample"),
        (CORPUS + SMALL.replace('"10%"', '"110%"'), r"up to 100%.*\[set.small\], steps"),
        (CORPUS + SMALL.replace("[{", "{").replace("}]", "}"), "a list of steps"),
        (CORPUS + SMALL + "preset = 'vandegraaf2021:10%'", "one of steps, preset"),
        (CORPUS + "[set.s]\ncommand = 'derive'\nfrom = 'corpus'", "found none of them"),
        (CORPUS + "[set.m]\ncommand = 'mix'\nfrom = 'corpus'", "a list like"),
        (CORPUS + "[set.m]\ncommand = 'mix'\nfrom = []", "a list like"),
        (CORPUS + "[set.m]\ncommand = 'mix'\nfrom = ['corpus:much']", "a set of this recipe"),
        (CORPUS + "[report]\nsets = ['small']", "a set of this recipe"),
        (CORPUS + "[report]\nsets = []", "a list of names"),
        (CORPUS + "[report]\nsets = 'corpus'", "a list of names"),
        (CORPUS + "[report]\nfigures = 'yes'", "true or false"),
        (CORPUS + "[report]\nfile = '../report.html'", "a file name of"),
        (CORPUS + "[report]\nfile = '/report.html'", "a file name of"),
        (CORPUS + "[report]\nfile = 'Corpus'", "a place of its own"),
        (CORPUS + "[report]\nfile = 'figures'", "found the folder of the figures"),
        (CORPUS.replace(".corpus", '."r.json"') + "[report]\nfile = 'r'", "a place of its own"),
        (CORPUS.replace("corpus", "figures") + "[report]\nfigures = true", "a place of its own"),
        (CORPUS.replace("corpus", "matrix"), "a name of its own"),
        (CORPUS.replace("corpus", '"matrix.x"'), "a name of its own"),
        (CORPUS + CORPUS.replace("corpus", "Corpus"), "more than capitals"),
        ("description = 3\n" + CORPUS, "a text"),
    ],
)
def test_a_wrong_recipe_is_refused(read, text, words):
    with pytest.raises(UsageError, match=words):
        read(text)


@pytest.mark.parametrize(
    "name", ["..", ".", ".hidden", "a/b", "../a", "/etc", "a b", "", "-a", "a\\\\b", "ä", "x" * 65]
)
def test_names_that_are_not_plain_are_refused(read, name):
    with pytest.raises(UsageError, match="a name of 1 to 64 letters"):
        read(CORPUS.replace("set.corpus", f'set."{name}"'))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[set.a", "TOML"),
        ("a = 1\na = 2", "TOML"),
        ("a = " + "\n[" * 20_000, "TOML"),
        ("a = " + "1" * 900 + "\n" + CORPUS + "seed = " + "1" * LONGEST_LINE, "lines of at most"),
        ("a" + ".a" * 30_000 + " = 1", "lines of at most"),
        ("# " + "x" * 80 + "\n" + ("# \n" * MOST_BYTES), "at most 65,536 bytes"),
        (CORPUS + "[set.corpus" + ".x" * 20 + "]", "deep"),
    ],
)
def test_a_file_that_costs_too_much_is_refused(read, text, words):
    with pytest.raises(InputError, match=words):
        read(text)


def test_a_file_of_the_worst_kind_costs_seconds(read):
    # a deep header, and a dotted key below it in every line: 24 s in one line of 64 KiB
    half = LONGEST_LINE // 2 - 10
    lines = [f"b{i}{'.a' * half} = 1" for i in range(MOST_BYTES // LONGEST_LINE - 2)]
    started = time.process_time()
    with pytest.raises(TransfersetError):
        read("\n".join([f"[a{'.a' * half}]", *lines]))
    assert time.process_time() - started < 10


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(InputError, match="TOML in UTF-8"):
        read_recipe(path, (), REAL)


def test_no_file_is_a_usage_error(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / ("x" * 5000)):
        with pytest.raises(UsageError, match="a recipe"):
            read_recipe(path, (), REAL)


def test_nothing_is_expanded(read, monkeypatch):
    monkeypatch.setenv("SECRET", "demo")
    plan = read(CORPUS.replace("demo", "$SECRET") + 'splitter = "`id`"\ntokenizer = "~"\n')
    assert params(plan, "corpus") == {"source": "$SECRET", "splitter": "`id`", "tokenizer": "~"}


GOOD = {
    "description": "a recipe that is right, to be spoilt",
    "set": {
        "corpus": {"command": "build wiki", "source": "demo", "seed": 0, "max_len": 128},
        "small": {"command": "derive", "from": "corpus", "steps": [{"sample": "10%"}]},
        "parts": {"command": "derive", "from": "small", "steps": [{"split": "a=0.5,b=0.5"}]},
        "noise": {
            "command": "derive",
            "from": "parts/a",
            "fit": "corpus",
            "steps": [{"sample": {"size": 5}}, {"mask": {"p": 0.5}}, {"generate": "100%"}],
        },
        "both": {"command": "mix", "from": ["noise:0.5", "small:1"], "rows": "50%"},
        "written": {"command": "lm sample", "from": "small", "model": "writer", "rows": 20},
    },
    "model": {
        "base": {"command": "lm fit", "from": "corpus", "config": "any.toml", "epochs": 2},
        "writer": {"command": "lm fit", "from": "parts/a", "model": "base", "lr": 1e-4},
    },
    "matrix": {"seed": [1, 2], "small": {"lineage": [True, False]}},
    "report": {"sets": ["both", "parts"], "file": "a.html", "figures": True, "parent": "corpus"},
}
WORDS = (
    *("set", "corpus", "small", "noise", "command", "derive", "mix", "build wiki", "from", "steps"),
    *(
        "matrix",
        "report",
        "sets",
        "seed",
        "sample",
        "split",
        "10%",
        "a:0.5",
        "both:1",
        "fit",
        "rows",
    ),
    *("model", "lm fit", "base", "writer", "config", "epochs", "any.toml"),
    *("source", "..", "", "parts/a", "parts/c", "lineage", "preset", "vandegraaf2021:10%"),
)
SCALARS = st.one_of(
    st.sampled_from(WORDS), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)


def containers(value: object) -> list[dict | list]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    here = [value] if isinstance(value, dict | list) else []
    return [*here, *(found for one in inner for found in containers(one))]


@given(st.data())
def test_whatever_a_file_says_it_is_a_recipe_or_refused_in_words(tmp_path_factory, data):
    tables = copy.deepcopy(GOOD)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.sampled_from(containers(tables)))
        keys = [*place, *WORDS] if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            continue
        key = data.draw(st.sampled_from(keys))
        if isinstance(place, dict) and data.draw(st.booleans()):
            place.pop(key, None)
        else:
            place[key] = data.draw(VALUES)
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.touch()
    refused = None
    with mock.patch("transferset.pipeline.recipes.recipe.load_toml", return_value=tables):
        try:
            make_plan(read_recipe(path, (), REAL))
        except TransfersetError as error:
            refused = str(error)
    event("a recipe" if refused is None else refused[:40])
    assert refused is None or "expected " in refused
