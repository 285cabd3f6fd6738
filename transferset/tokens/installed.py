"""Tokenizer files that installed packages carry; read without importing a package."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

#: The files that define a tokenizer, in the order in which they are preferred.
FILES = ("tokenizer.json", "vocab.txt")


def carried_by(package: str) -> list[Path] | None:
    """Return the tokenizer files of one installed package.

    Args:
        package: Its name; case, `-` and `_` do not matter.

    Returns:
        Sorted paths, none below another that is preferred to it; None if it is not installed.
    """
    try:
        distribution = importlib.metadata.distribution(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    paths = sorted(_carried(distribution))
    folders = {path.parent for path in paths if path.name == FILES[0]}
    return [path for path in paths if path.name == FILES[0] or path.parent not in folders]


def carried_by_any() -> list[tuple[str, Path]]:
    """Return the tokenizer files of all installed packages: (package, path).

    Sorted by package and path; a `vocab.txt`, which is read faster, before a `tokenizer.json`.
    """
    found = [
        (distribution.name, path)
        for distribution in importlib.metadata.distributions()
        for path in _carried(distribution)
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].name == FILES[0], pair[1]))


def _carried(distribution: Distribution) -> Iterator[Path]:
    # Looking for the names in the text of RECORD first spares parsing 10,000 lines of torch.
    record = distribution.read_text("RECORD")
    if record is not None and not any(name in record for name in FILES):
        return
    for file in distribution.files or []:
        if file.name in FILES:
            path = Path(str(distribution.locate_file(file)))
            if path.is_file():
                yield path
