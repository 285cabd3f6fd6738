"""What a table of a recipe makes: a set, a model or an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.exported import EXPORT
from transferset.manifest import MANIFEST
from transferset.models import RECORD
from transferset.sources.local import is_file


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of result.

    Attributes:
        name: As tables are headed, `[set.NAME]`, and as messages call it.
        record: Written last: its existence is the commit.
        signs: A folder elsewhere with one of these files is taken for one; reading a recipe opens
            nothing.
    """

    name: str
    record: str
    signs: tuple[str, ...]

    def header(self, name: str) -> str:
        """The table of one result: `[set.NAME]`."""
        return f"[{self.name}.{name}]"

    def stands(self, path: Path) -> bool:
        """Whether a folder looks like one."""
        return any(is_file(path / sign) for sign in self.signs)


SET: Final = Kind("set", MANIFEST, (MANIFEST,))

#: A model from elsewhere has no record of ours, only what `save_pretrained` writes.
MODEL: Final = Kind("model", RECORD, (RECORD, "config.json"))

EXPORTED: Final = Kind("export", EXPORT, (EXPORT,))

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (SET, MODEL, EXPORTED)}
