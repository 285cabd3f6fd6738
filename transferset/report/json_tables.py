"""JSON that a derivation left in `_tables/`, checked before it is used."""

from __future__ import annotations

import json
from typing import Any, Final

from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.shapes import Misshapen, Shape, check
from transferset.shards import REMEDY, ShardSet

#: Largest file that is read.
MOST_BYTES: Final = 1 << 24


def read_table(found: ShardSet, name: str, shape: Shape, what: str) -> dict[str, Any] | None:
    """One of the files that a set's manifest lists.

    Args:
        found: An open set.
        name: `_tables/….json`.
        shape: What it should be.
        what: It is, in words, for messages.

    Returns:
        Its content; None if the manifest does not list it.

    Raises:
        SetError: It is damaged, or of another shape.
    """
    listed = next((f.blake3 for f in found.manifest.files if f.file == name), None)
    if listed is None:
        return None
    path = found.root / name
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("a file that is too large")
        raw = path.read_bytes()
        if blake3(raw).hexdigest() != listed:
            raise ValueError("other bytes than its manifest says")
        body: dict[str, Any] = json.loads(raw)
        check(body, shape)
    except Misshapen as error:
        where = f"{path}, member {error.member}"
        raise SetError(sentence(error.expected, error.found, where, REMEDY)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise SetError(sentence(f"{what} as JSON", str(error), str(path), REMEDY)) from None
    return body
