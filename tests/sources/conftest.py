"""What the tests of downloads share: a server, a client that never really waits, a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_server import CONTENT, Stage, serving, wanted

from transferset.sources.manners import Manners
from transferset.sources.slots import RemoteFile
from transferset.sources.web import Web


@pytest.fixture
def stage() -> Iterator[Stage]:
    with serving() as stage:
        stage.files["/big.bin"] = CONTENT
        yield stage


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def web(stage: Stage, waits: list[float]) -> Iterator[Web]:
    manners = Manners(tries=4, first_wait=1.0, longest_wait=3.0, read_timeout=0.3)
    with Web(named=(stage.root,), manners=manners, sleep=waits.append) as web:
        yield web


@pytest.fixture
def file(stage: Stage) -> RemoteFile:
    return wanted(stage, CONTENT)
