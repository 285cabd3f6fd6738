"""Finding the set that another one was derived from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from transferset.errors import SetError
from transferset.manifest import MANIFEST, Manifest
from transferset.shards import ShardSet

#: The role, in a manifest's parents, of the set whose rows were read.
SOURCE = "source"


def source_of(manifest: Manifest) -> dict[str, Any] | None:
    """The entry of the set that a set was derived from, None if it has no single one."""
    return next((p for p in manifest.parents if p.get("role") == SOURCE), None)


def find_parent(found: ShardSet, among: Sequence[ShardSet] = ()) -> ShardSet | None:
    """The set that a set was derived from: the one whose manifest has the digest that it names.

    Args:
        found: An open set.
        among: Sets to look at first, before the folders beside the set.

    Returns:
        The parent, if it is at hand and not damaged.
    """
    entry = source_of(found.manifest)
    if entry is None or not isinstance(entry.get("digest"), str):
        return None
    digest = entry["digest"]
    for one in among:
        if one.manifest.digest == digest:
            return one
    return next((one for one in _siblings(found) if one.manifest.digest == digest), None)


def _siblings(given: ShardSet) -> Iterator[ShardSet]:
    root = given.root.resolve()
    try:
        near = root.parent
        found = [near.glob(f"*/{MANIFEST}"), near.glob(f"*/*/{MANIFEST}")]  # splits of siblings
        if "=" in near.name:  # a variant of a recipe: what all variants share stands above
            found.append(near.parent.glob(f"*/{MANIFEST}"))
        folders = [path.parent for some in found for path in sorted(some)]
    except OSError:  # a folder that may be entered but not listed
        return
    for folder in folders:
        if folder != root and (one := _opened(folder)) is not None:
            yield one


def _opened(root: Path) -> ShardSet | None:
    try:
        return ShardSet.open(root)
    except SetError:  # of no concern here: a stranger's folder, an unfinished set
        return None
