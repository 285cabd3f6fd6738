"""docs/scale.md says what the table of `--dry-run` says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_has_the_numbers_of_the_planner():
    command = [sys.executable, str(ROOT / "tools" / "scale_page.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
