"""Models by path: checking, looking at them."""

from __future__ import annotations

from pathlib import Path

from transferset.manifest import Json
from transferset.models import Model


def verify_model(path: str | Path) -> Model:
    """Check every digest of a model that transferset made.

    Args:
        path: Its directory.

    Returns:
        The model, if nothing is wrong.

    Raises:
        SetError: There is no such model, or it is unfinished; or the first file that is not as
            written.
    """
    from transferset.pipeline.remote import local

    return Model.open(local(path)).verify()


def inspect_model(path: str | Path) -> Json:
    """Look at a model that transferset made.

    Args:
        path: Its directory.

    Returns:
        What its `model.json` says: op, params, seed, base, parents, metrics, files, …, digest.

    Raises:
        SetError: There is no such model, or it is unfinished or damaged.
    """
    from transferset.pipeline.remote import local
    from transferset.report.model_facts import model_facts

    return model_facts(Model.open(local(path)))
