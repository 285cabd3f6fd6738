"""`lm sample` killed with -9 at several moments, and on a full disk."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lm_writers import END, task_set, writer

import transferset
from transferset.pipeline.lm_sample.journal import tally

pytest.importorskip("torch")
pytest.importorskip("transformers")

ROWS = [("good film", "1"), ("bad plot", "0"), ("good plot a cast", "1"), ("a film", "0")]

RUN = """
import sys, transferset
src, out, model = sys.argv[1:]
transferset.lm_sample(src, out, model=model, rows=1200, duplicates="keep", workers=1)
"""


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_killed_runs_go_on_from_the_journal(tmp_path: Path) -> None:
    task = task_set(tmp_path, ROWS)
    pieces = {END: 0.02, "Ġfilm": 0.4, "Ġbad": 0.3, "Ġplot": 0.28}
    model = writer(tmp_path / "model", pieces)
    whole = transferset.lm_sample(
        task.root, tmp_path / "whole", model=model, rows=1200, duplicates="keep", workers=1
    )
    out, journal = tmp_path / "out", tmp_path / "out/_run/attempts-00/00000.journal"
    killed = 0
    for _ in range(2):
        process = start(task.root, out, model)
        before = tally(journal)[0]
        while process.poll() is None and tally(journal)[0] <= before:
            time.sleep(0.05)
        time.sleep(0.2)
        process.kill()
        killed += process.wait() == -9
        assert tally(journal)[0] >= before or (out / "manifest.json").exists()
    assert killed
    transferset.lm_sample(task.root, out, model=model, rows=1200, duplicates="keep", workers=1)
    again = transferset.verify(out)
    assert (out / "manifest.json").read_bytes() == (tmp_path / "whole/manifest.json").read_bytes()
    assert [e.blake3 for e in again.manifest.shards] == [e.blake3 for e in whole.manifest.shards]
    log = [json.loads(line) for line in (out / "_run/log.jsonl").read_text().splitlines()]
    assert sum(line["event"] == "start" for line in log) == killed + 1
