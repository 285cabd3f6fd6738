from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder with sets, an encoder and a teacher; see `trained_sets.make_all`."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from trained_sets import make_all

    return make_all(tmp_path_factory.mktemp("trained"))
