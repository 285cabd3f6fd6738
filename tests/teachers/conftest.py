from __future__ import annotations

import shutil

import pytest
from tiny_encoders import TASKS, write_classifier, write_model


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Directories that tests copy."""
    from transferset.teachers.opening import new_encoder
    from transferset.teachers.saving import save_encoder

    root = tmp_path_factory.mktemp("kept")
    base = write_model(root / "base")
    write_classifier(root / "classifier", num_labels=3)
    for name, tasks in TASKS.items():
        save_encoder(new_encoder(base, tasks, seed=3), root / name, base / "tokenizer.json")
    return root


@pytest.fixture
def folder(kept, tmp_path):
    """A function that copies one of them."""
    return lambda name: shutil.copytree(kept / name, tmp_path / name)
