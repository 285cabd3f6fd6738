from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import transferset as package
from transferset import api
from transferset.cli import run, transferset
from transferset.cli.step_options import StepOption, read_steps
from transferset.steps import STEPS, Sample, Shuffle


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for child, found in command.commands.items():
            yield from commands(found, f"{name} {child}".strip())
    else:
        yield name, command


COMMANDS = dict(commands(transferset))

#: What only one of the two sides has: rendering on the one, a callback on the other.
CLI_ONLY = {"dry_run", "as_json", "help"}
API_ONLY = {"progress", "told"}
RENAMED = {"no_shuffle": "shuffle"}


def parameters(command: click.Command) -> set[str]:
    """Names of a command's parameters; the options that are steps are one: `steps`."""
    context = click.Context(command)
    return (
        {
            "steps" if isinstance(p, StepOption) else RENAMED.get(str(p.name), str(p.name))
            for p in command.get_params(context)
        }
        - CLI_ONLY
        - {"_click_default_help"}
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_mirrors_one_function_of_the_api(name):
    function = getattr(api, {"vocab fit": "vocab_fit"}.get(name, name.replace(" ", "_")))
    theirs = set(inspect.signature(function).parameters) - API_ONLY
    assert parameters(COMMANDS[name]) == theirs


REQUIRED = {
    "vocab fit": ["text.txt", "--out", "folder"],
    "build books": ["a"],
    "build text": ["a"],
    "build task": ["a"],
    "books find": ["a", "--out", "b"],
    "mix": ["a"],
    "run": ["recipe.toml"],
    "lm sample": ["--model", "folder"],
    "label": ["--teacher", "folder"],
    "diff": ["a", "b"],
    "teacher fit": ["--model", "folder"],
    "finetune": ["folder"],
    "evaluate": ["folder"],
    "export": ["--to", "hf"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_defaults_agree_with_the_api(name):
    function = getattr(api, {"vocab fit": "vocab_fit"}.get(name, name.replace(" ", "_")))
    given = COMMANDS[name].make_context(name, REQUIRED.get(name, [])).params
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is inspect.Parameter.empty
        if parameter.name in given and not required and parameter.name != "out":
            assert given[parameter.name] == parameter.default, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_an_example(name, capsys):
    assert run([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"transferset {name}" in text.split("Examples:")[1]


def test_every_step_is_an_option():
    options = {p.opts[0] for p in COMMANDS["derive"].params if isinstance(p, StepOption)}
    assert {f"--{name}" for name in STEPS} <= options


def steps_of(*words: str):
    context = COMMANDS["derive"].make_context("derive", list(words))
    return read_steps(context.meta["steps"])


def test_flag_order_is_step_order():
    assert steps_of("--sample", "10%", "--shuffle") == [Sample("10%"), Shuffle()]
    assert steps_of("--shuffle", "--sample=10%") == [Shuffle(), Sample("10%")]
    several = ["--shuffle-words", "src", "--sample", "50%", "--shuffle", "--seed", "3"]
    assert steps_of(*several, "--sample", "9", "--shuffle-window", "2") == [
        Shuffle(words=True),
        Sample("50%"),
        Shuffle(),
        Sample("9"),
        Shuffle(window=2),
    ]


def test_modifiers_belong_to_the_sample_before_them():
    assert steps_of("--sample", "1M", "--by", "tokens") == [Sample("1M", by="tokens")]
    assert steps_of("--sample", "5", "--shuffle", "--sample", "9", "--with-replacement") == [
        Sample("5"),
        Shuffle(),
        Sample("9", with_replacement=True),
    ]
    for wrong in (["--by", "rows"], ["--sample", "5", "--shuffle", "--with-replacement"]):
        with pytest.raises(package.UsageError, match="--sample right before"):
            steps_of(*wrong)


def test_every_public_name_is_there():
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_commands_work_as_typed_in_an_empty_folder(empty_folder, capsys):
    assert run(["build", "wiki", "--workers", "1"]) == 0
    said = capsys.readouterr()
    assert "SAMPLE" in said.err
    assert "sets/wiki-demo" in said.out
    assert run(["inspect"]) == 0
    said = capsys.readouterr()
    assert "only set under sets/" in said.err
    assert "[CLS]" in said.out
    assert run(["verify"]) == 0
    assert run(["inspect", "--json", "--head", "0"]) == 0
    facts = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert facts["rows"] > 1000
    assert run(["vocab", "fit", "sets/wiki-demo", "--out", "v"]) == 2  # has no text
    assert "--keep-text" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(empty_folder, capsys, dumps, tokenizer):
    command = ["build", "wiki", str(dumps["multi"]), "--tokenizer", str(tokenizer), "--dry-run"]
    assert run(command) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["stored_bytes"] == dumps["multi"].stat().st_size
    assert plan["estimated"]["rows"] > 0
    assert list(empty_folder.iterdir()) == []


def test_paths_cannot_steer_the_terminal(empty_folder, capsys):
    nasty = "\x1b[31m\u202e"
    (empty_folder / "notes.txt").write_text("One line. Another one.\n")
    (empty_folder / "one.tsv").write_text("sentence\tlabel\ngood cat\t1\nbad dog\t0\n")
    (empty_folder / "dev.tsv").write_text("sentence\tlabel\ngood cat\t1\n")
    evaluated = ["--layout", "glue-sst2", "--tagger", "none", "--eval", "dev.tsv"]
    for words in (
        ["build", "task", "demo", "--out", f"{nasty}task"],
        ["build", "task", "one.tsv", *evaluated, "--out", f"{nasty}left-out"],
        ["build", "text", "notes.txt", "--out", f"{nasty}text"],
        ["build", "books", "demo", "--min-words", "300", "--out", f"{nasty}books"],
        ["verify", f"{nasty}task"],
    ):
        assert run(words) == 0
        said = capsys.readouterr()
        assert "\\x1b[31m\\u202e" in said.out + said.err
        assert not {"\x1b", "\u202e"} & set(said.out + said.err)


def test_vocab_fit_writes_a_tokenizer_that_build_takes(empty_folder, dumps, capsys):
    Path("text.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 50)
    assert run(["vocab", "fit", "text.txt", "--size", "500", "--out", "vocab"]) == 0
    assert "pieces from 450 words" in capsys.readouterr().out
    command = ["build", "wiki", str(dumps["plain"]), "--tokenizer", "vocab", "--out", "set"]
    assert run([*command, "--workers", "1"]) == 0


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["build", "wiki", "nothing.xml"], 2, "no such file"),
        (["build", "wiki", "x y z"], 2, "a dump file"),
        (["build", "wiki", "--unit", "page"], 2, "page"),
        (["build", "wiki", "demo", "--tokenizer", "nowhere.json"], 2, "nowhere.json"),
        (["inspect"], 2, "transferset build wiki"),
        (["inspect", "nowhere"], 4, "no such directory"),
        (["verify", "."], 4, "manifest"),
        (["frobnicate"], 2, "frobnicate"),
        (["vocab", "fit", "nothing.txt", "--out", "v"], 2, "no such file"),
        (["vocab", "fit", "latin.txt", "--out", "v"], 3, "byte 3"),
        (["build", "wiki", "latin.txt", "--tokenizer", "demo"], 3, "latin.txt"),
        (["build", "wiki", "demo", "--out", "latin.txt/set"], 1, "latin.txt"),
        (["build", "wiki", "demo", "--out", "mine"], 4, "not transferset's"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_exit_code(
    empty_folder, capsys, command, code, message
):
    Path("latin.txt").write_bytes(b"abc\xe9\n")
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    assert run(command) == code
    said = capsys.readouterr().err.strip().splitlines()
    assert message in said[-1]
    assert "Traceback" not in "\n".join(said)
    assert sorted(p.name for p in Path("mine").iterdir()) == ["letter.txt"]
    assert not Path("sets").exists()


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from transferset.cli import run; run(['build', 'wiki', '--help']); "
        "heavy = {'numpy', 'pyarrow', 'tokenizers', 'rich', 'httpx', 'torch'} & set(sys.modules); "
        "sys.exit(f'loads {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


# Killed and interrupted, in processes of their own.

DRIVER = """
import sys
from transferset.sources import dump
dump._BZIP2_PART = {part}  # many parts, so that there is something to resume
from transferset.cli import run
if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def driver(tmp_path, dumps, tokenizer):
    """Starts `build wiki` on the multistream dump in a process; many small parts."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER.format(part=2500))

    def start(out: Path, workers: int = 2) -> subprocess.Popen[str]:
        options = ["--tokenizer", str(tokenizer), "--workers", str(workers), "--shards", "4"]
        command = [sys.executable, str(script), "build", "wiki", str(dumps["multi"])]
        return subprocess.Popen(
            [*command, "--out", str(out), *options], stderr=subprocess.PIPE, text=True
        )

    return start


def files_of(root: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in root.iterdir() if p.is_file()}


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def wait_for_receipts(out: Path, count: int) -> None:
    deadline = time.monotonic() + 100
    while not (out / "manifest.json").exists() and len(list(out.glob("_run/read/*.json"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(driver, tmp_path):
    started = time.monotonic()
    assert finish(driver(tmp_path / "whole"))[0] == 0
    duration = time.monotonic() - started
    out = tmp_path / "set"
    for n in range(5):
        process = driver(out, workers=1 + n % 2)
        time.sleep(duration * n / 5)
        process.send_signal(signal.SIGKILL)
        finish(process)
        if (out / "manifest.json").exists():  # quicker than the blow: begin anew
            assert files_of(out) == files_of(tmp_path / "whole")
            shutil.rmtree(out)
    process = driver(out)
    wait_for_receipts(out, 2)
    process.send_signal(signal.SIGKILL)
    finish(process)
    code, err = finish(driver(out))
    assert code == 0, err
    assert files_of(out) == files_of(tmp_path / "whole")
    log = [json.loads(line) for line in (out / "_run" / "log.jsonl").read_text().splitlines()]
    before = [line["done_before"] for line in log if line["event"] == "read"]
    assert before == sorted(before)  # never lost
    assert before[-1] >= 2


def test_interrupted_then_resumed_does_only_the_rest(driver, tmp_path):
    assert finish(driver(tmp_path / "whole"))[0] == 0
    out = tmp_path / "set"
    for _ in range(5):
        process = driver(out)
        wait_for_receipts(out, 2)
        process.send_signal(signal.SIGINT)
        code, err = finish(process)
        if code:
            break
        shutil.rmtree(out)  # on a busy machine it may end before it hears
    assert (code, "run the same command again to resume" in err) == (130, True), err
    assert not (out / "manifest.json").exists()
    kept = {p: p.stat().st_mtime_ns for p in out.glob("_run/read/*.json")}
    assert finish(driver(out))[0] == 0
    assert files_of(out) == files_of(tmp_path / "whole")
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


def test_a_second_build_into_the_same_directory_is_turned_away(driver, tmp_path):
    out = tmp_path / "set"
    first = driver(out)
    deadline = time.monotonic() + 60
    while not (out / "_run" / "lock").exists() or not (out / "_run" / "recipe.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(first.pid, signal.SIGSTOP)  # so that it surely still holds the directory
    code, err = finish(driver(out))
    os.kill(first.pid, signal.SIGCONT)
    assert code == 4
    assert re.search(rf"process {first.pid} on", err)
    assert finish(first)[0] == 0


def test_a_disk_that_is_full_is_said_and_resumed(driver, tmp_path, dumps, tokenizer):
    script = tmp_path / "driver.py"
    out = tmp_path / "set"
    full = (
        "import resource, signal, runpy, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, -1))\n"
        f"sys.argv = [{str(script)!r}, 'build', 'wiki', {str(dumps['multi'])!r}, '--out', "
        f"{str(out)!r}, '--tokenizer', {str(tokenizer)!r}, '--workers', '1', '--shards', '4']\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
    )
    process = subprocess.run([sys.executable, "-c", full], capture_output=True, text=True)
    assert process.returncode == 1
    assert "expected a writable output" in process.stderr
    assert len(process.stderr.strip().splitlines()) == 1
    assert not list(out.glob("*.tmp-*"))
    assert finish(driver(out))[0] == 0
