from __future__ import annotations

from pathlib import Path

import pytest
from labelling import masked_teacher, small_set, teacher

from transferset.shards import ShardSet


@pytest.fixture(scope="session")
def task(tmp_path_factory) -> ShardSet:
    return small_set(tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def first(task, tmp_path_factory) -> Path:
    return teacher(tmp_path_factory.mktemp("teachers") / "first", task)


@pytest.fixture(scope="session")
def masked(task, tmp_path_factory) -> Path:
    return masked_teacher(tmp_path_factory.mktemp("teachers") / "masked", task)
