"""Objects of JSON from files that are not trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transferset.errors import InputError, sentence


def read_object(path: Path, most: int) -> dict[str, Any]:
    """An object of JSON.

    Args:
        path: The file.
        most: Largest size, in bytes.

    Raises:
        InputError: It is something else, or larger.
    """
    try:
        if path.stat().st_size > most:
            raise ValueError(f"more than {most:,} bytes")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(sentence("JSON", str(error), str(path))) from error
    if not isinstance(found, dict):
        raise InputError(sentence("an object of JSON", type(found).__name__, str(path)))
    return found
