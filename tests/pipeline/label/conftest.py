from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from labelling import masked_teacher, small_set, teacher

from transferset.shards import ShardSet


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Threads of torch that wait for each other take longer than such small sums."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def task(tmp_path_factory) -> ShardSet:
    return small_set(tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def first(task, tmp_path_factory) -> Path:
    return teacher(tmp_path_factory.mktemp("teachers") / "first", task)


@pytest.fixture(scope="session")
def masked(task, tmp_path_factory) -> Path:
    return masked_teacher(tmp_path_factory.mktemp("teachers") / "masked", task)
