"""The report of a recipe: written when it is not there, or is about other sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.files import digest_file, write_atomic, writing
from transferset.manifest import MANIFEST, Json, pretty
from transferset.sources.local import is_file
from transferset.storage.mounts import present, ship
from transferset.version import __version__

#: The folder of the report's figures.
FIGURES: Final = "figures"

#: Added to the page's name: what the page is about, so that it need not be written again.
RECORD: Final = ".json"


@dataclass(frozen=True, slots=True)
class Page:
    """A report to be written.

    Attributes:
        root: The run's folder.
        file: The page, in that folder.
        sets: What it is about.
        parent: What these are compared with, or None.
        figures: Whether the figures go to files too.
    """

    root: Path
    file: str
    sets: tuple[Path, ...]
    parent: Path | None
    figures: bool

    def write(self, function: Callable[..., Any]) -> None:
        """Write page and record.

        Args:
            function: `report` of the API.
        """
        path, figures = self.root / self.file, self.root / FIGURES
        function(
            list(self.sets), path, figures=figures if self.figures else None, parent=self.parent
        )
        with writing(path):
            write_atomic(self._record, pretty(self._facts()))
        ship(self.root, [self._record.name])

    def is_there(self) -> bool:
        """Whether the same page was written from the same sets."""
        if not is_file(present(self._record)) or not is_file(present(self.root / self.file)):
            return False
        if self.figures and not (self.root / FIGURES).is_dir():
            return False
        return self._record.read_bytes() == pretty(self._facts())

    @property
    def _record(self) -> Path:
        return self.root / (self.file + RECORD)

    def _facts(self) -> Json:
        def digest(place: Path) -> str:
            return digest_file(place / MANIFEST)

        return {
            "sets": [digest(place) for place in self.sets],
            "parent": digest(self.parent) if self.parent is not None else None,
            "figures": self.figures,
            "page": digest_file(self.root / self.file),
            "transferset": __version__,
        }
