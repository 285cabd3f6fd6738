"""Files that can be read now; apart from `resolve`, so that a local dump loads no HTTP client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file that can be read now, and where it comes from.

    Args:
        path: The file.
        url: Where it was downloaded from; None for a file of the user.
        licence: Licence of its text in words; None when nobody said.
        digests: Digests in hexadecimal by algorithm, checked against the file.
        date: Date of the dump, `YYYYMMDD`, if known; never `latest`.
        wiki: Code of the wiki, if known.
        language: Language that the corpora manifest states.
    """

    path: Path
    url: str | None = None
    licence: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    date: str | None = None
    wiki: str | None = None
    language: str | None = None


def is_file(path: Path) -> bool:
    """Tell whether there is such a file, whatever the path looks like."""
    try:
        return path.is_file()
    except OSError:  # a name too long for the disk, a folder that may not be read
        return False
