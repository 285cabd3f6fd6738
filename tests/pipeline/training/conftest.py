from __future__ import annotations

import importlib.util

import pytest


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
def made(tmp_path_factory):
    """A folder with sets, an encoder and a teacher; see `trained_sets.make_all`."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from trained_sets import make_all

    return make_all(tmp_path_factory.mktemp("trained"))
