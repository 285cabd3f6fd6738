from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from corpus import write_dumps, write_tokenizer
from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong.
settings.register_profile(
    "patient", suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50
)
settings.load_profile("patient")

# Threads that wait for each other take longer than such small sums. Torch reads it once, when it is
# imported, and commands that tests run inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

# Hundreds of processes begin here: what they import is compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Tests that are run in the background begin deaf to Ctrl-C, and so would what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same 120 articles as `plain` XML, `single` and `multi` stream bzip2."""
    return write_dumps(tmp_path_factory.mktemp("dumps"), 120)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a small tokenizer."""
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))
