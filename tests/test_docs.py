"""Every command and every snippet that the documentation shows is run, or at least parsed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from transferset.cli import run, transferset

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)

#: What cannot run here: it downloads, or needs a file that only users have.
ELSEWHERE = re.compile(
    r"@latest|@2026|s3://|--executor ray|wiki-simplewiki|enwiki-|corpora_manifests/|pip install"
    r"|make |-m pytest"
)

#: What snippets may want that need not be here.
OPTIONAL = ("datasets", "transformers", "torch", "torchdata", "accelerate")

#: What wants torch and transformers.
LEARNING = re.compile(r"transferset (lm|teacher|finetune|distill|label|evaluate) ")


def blocks(page: Path, language: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(page.read_text()) if kind == language]


def commands(page: Path) -> Iterator[str]:
    for code in blocks(page, "sh"):
        yield from (line for line in code.splitlines() if line.strip())


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_of_a_page_run_in_order(page, tmp_path):
    if any(LEARNING.match(line) for line in commands(page)):
        pytest.importorskip("torch")
        pytest.importorskip("transformers")
    for code in blocks(page, "json"):
        if named := re.search(r'"model_type": "(\w+)"', code):  # the only file that a page asks for
            (tmp_path / f"{named[1]}.json").write_text(code)
    for line in commands(page):
        if line.startswith("transferset ") and not ELSEWHERE.search(line):
            code, told = (as_installed if page.stem == "README" else here)(line, tmp_path)
            assert code == 0, f"{line}\n{told}"


def as_installed(line: str, folder: Path) -> tuple[int, str]:
    """Exit code and messages of the line in a shell."""
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stderr


def here(line: str, folder: Path) -> tuple[int, str]:
    """The same in this process, which has imported what most commands want."""
    words = shlex.split(line, comments=True)[1:]
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()) as told,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(signal, "signal", lambda *given: None)
        code = run(words)
    return code, told.getvalue()


def has_what_it_imports(code: str) -> bool:
    """Whether the packages that the imports of a snippet name, or comments on them, are here."""
    lines = [line for line in code.splitlines() if re.match(r"\s*(import|from) ", line)]
    named = [package for package in OPTIONAL if any(re.search(rf"\b{package}\b", i) for i in lines)]
    return all(find_spec(package) for package in named)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_that_cannot_run_here_parse(page):
    for line in commands(page):
        if line.startswith("transferset ") and ELSEWHERE.search(line):
            words = shlex.split(line, comments=True)[1:]
            command: click.Command = transferset
            while isinstance(command, click.Group):
                command = command.commands[words.pop(0)]
            command.make_context(line, words)


def test_examples_in_help_parse():
    text = (ROOT / "docs" / "cli.md").read_text()
    examples = re.findall(r"^ +(transferset [a-z].*--.*)$", text, re.M)
    assert len(examples) > 3
    for line in examples:
        words = shlex.split(line)[1:]
        command: click.Command = transferset
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context(line, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_snippets_run(page, tmp_path):
    snippets = [code for code in blocks(page, "python") if not ELSEWHERE.search(code)]
    if not snippets:
        pytest.skip("no snippet")
    snippets = [code for code in snippets if has_what_it_imports(code)]
    if not snippets:
        pytest.skip("its snippets want packages that are not here")
    assert here("transferset build wiki", tmp_path)[0] == 0
    names = [f"snippet_{i}.py" for i, _ in enumerate(snippets)]
    for name, code in zip(names, snippets, strict=True):
        (tmp_path / name).write_text(code)
    # each is a program of its own, but torch is imported once
    each = "import runpy, sys\nfor name in sys.argv[1:]: runpy.run_path(name, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", each, *names], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        prose = re.sub(r"`[^`]*`", "", page.read_text())  # code may look like a link
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_ledger_page_lists_every_reason():
    from transferset.ledger import UNIT, WHY, Reason

    text = (ROOT / "docs" / "ledger.md").read_text()
    for reason in Reason:
        assert f"| `{reason}` | {UNIT[reason]} | {WHY[reason]} |" in text


def test_the_command_line_page_is_up_to_date():
    script = ROOT / "tools" / "cli_page.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True)
