"""Compiled code is kept under the digest of the sources that it may be made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULES = {
    "inner.py": """
from transferset.compiled import inlined
@inlined
def add(x):
    return x + {number}
""",
    "outer.py": """
from inner import add
from transferset.compiled import kernel
@kernel
def run(x):
    return add(x)
""",
}


def run(folder: Path, **environment: str) -> list[str]:
    code = "import outer; print(outer.run(40), sum(outer.run.stats.cache_hits.values()))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": "", "HOME": str(folder / "home"), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()


def write(folder: Path, number: int) -> None:
    for name, text in MODULES.items():
        (folder / name).write_text(text.format(number=number))


def test_a_change_in_an_inlined_function_is_compiled_anew(tmp_path):
    write(tmp_path, 2)
    assert run(tmp_path) == ["42", "0"]
    assert run(tmp_path) == ["42", "1"]  # taken from the cache
    write(tmp_path, 3)
    assert run(tmp_path) == ["43", "0"]


def test_a_folder_named_by_the_user_is_taken(tmp_path):
    write(tmp_path, 2)
    assert run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "mine"))[0] == "42"
    assert list((tmp_path / "mine").glob("kernels-*/**/*.nbc"))
    assert not (tmp_path / "__pycache__").is_dir() or not list(
        (tmp_path / "__pycache__").glob("kernels-*")
    )
