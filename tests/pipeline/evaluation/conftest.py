from __future__ import annotations

from pathlib import Path

import pytest

from transferset.pipeline.evaluation import speed


@pytest.fixture(autouse=True)
def _briefly(monkeypatch):
    """One pass tells as much of such models as many do."""
    monkeypatch.setattr(speed, "SECONDS", 1e-9)


@pytest.fixture(scope="session")
def pieces(tmp_path_factory) -> Path:
    """A folder with a tokenizer."""
    from judged import write_tokenizer

    return write_tokenizer(tmp_path_factory.mktemp("pieces"))


@pytest.fixture(scope="session")
def model(pieces, tmp_path_factory) -> Path:
    """A classifier of three classes with random weights."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from judged import write_classifier

    return write_classifier(tmp_path_factory.mktemp("models") / "model", pieces, seed=4)
