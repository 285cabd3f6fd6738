"""What a model is, read from its record alone."""

from __future__ import annotations

from dataclasses import asdict

from transferset.manifest import Json
from transferset.models import Model


def model_facts(found: Model) -> Json:
    """The record's members under their names.

    Args:
        found: An open model.

    Returns:
        See `models.Record`; `files` with name, bytes and blake3 each; and `digest`.
    """
    record = found.record
    files = [asdict(entry) for entry in record.files]
    return {**asdict(record), "files": files, "digest": record.digest}
