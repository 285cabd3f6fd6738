from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transferset.errors import UsageError
from transferset.storage import cache


def a_file(path: Path, size: int, used: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (used, 0))
    return path


def test_what_was_used_longest_ago_goes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", "250")
    files = [a_file(tmp_path / f"{i}" / "data", 100, used) for i, used in enumerate((3, 1, 2))]
    for path in files:
        cache.settle(path)
    cache.make_room(tmp_path, 0)
    assert [path.exists() for path in files] == [True, False, True]
    cache.make_room(tmp_path, 100)
    assert [path.exists() for path in files] == [True, False, False]


def test_what_only_this_machine_has_stays_and_so_does_what_says_what_is_there(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", "0")
    work = a_file(tmp_path / "set" / "data-00000-of-00001.arrow", 10, 1)
    manifest = a_file(tmp_path / "set" / "manifest.json", 10, 1)
    cache.settle(manifest)
    cache.make_room(tmp_path, 0)
    assert work.exists()
    assert manifest.exists()
    cache.settle(work)
    cache.make_room(tmp_path, 0)
    assert not work.exists()
    assert manifest.exists()


def test_what_another_process_is_about_to_open_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", "0")
    path = a_file(tmp_path / "data", 10, 1)
    cache.settle(path)
    code = (
        "import sys; from pathlib import Path; from transferset.storage import cache\n"
        "cache.hold(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        cache.make_room(tmp_path, 0)
        assert path.exists()
        other.stdin.close()
    cache.make_room(tmp_path, 0)
    assert not path.exists()


@pytest.mark.parametrize(
    ("written", "expected"),
    [("0", 0), ("200", 200), ("3k", 3000), ("3K", 3000), ("2GB", 2 * 10**9), ("1T", 10**12)],
)
def test_a_size_may_have_a_unit(written, expected, monkeypatch):
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", written)
    assert cache.most_bytes() == expected


def test_what_is_no_size_is_refused(monkeypatch):
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", "much")
    with pytest.raises(UsageError, match="TRANSFERSET_CACHE_BYTES as a size like 200G"):
        cache.most_bytes()


def test_the_folder_is_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFERSET_CACHE", str(tmp_path / "here"))
    assert cache.folder() == tmp_path / "here"
