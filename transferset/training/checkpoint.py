"""Checkpoints of a training: one at a time, complete or not there.

Tensors go to new files first; `checkpoint.json`, which names them with their digests and holds the
state, replaces the old one by a rename. That is the commit: whatever kills the process, what it
names is whole. Files that it no longer names are removed afterwards.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from transferset.files import digest_file, write_atomic
from transferset.holding import CHECKPOINT
from transferset.manifest import FileEntry, Json, canonical, digest_json
from transferset.training.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(slots=True)
class Checkpoints:
    """The checkpoint in a folder of its own.

    Attributes:
        folder: Nothing else is in it; made if needed.
        recipe: Digest; a checkpoint of another one does not count.
        state: What was committed last; None if nothing was.
    """

    folder: Path
    recipe: str
    state: Json | None = None
    _files: dict[str, FileEntry] = field(default_factory=dict)

    def open(self) -> Json | None:
        """The state of the checkpoint that is there, if all of its files are as written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state, self._files = None, {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            self._read()
        self._sweep()
        return self.state

    def _read(self) -> None:
        body = json.loads((self.folder / CHECKPOINT).read_bytes())
        if body.pop("digest") != digest_json(body) or body["recipe"] != self.recipe:
            return
        files = {role: FileEntry(**entry) for role, entry in body["files"].items()}
        for entry in files.values():
            if digest_file(self.folder / entry.file) != entry.blake3:
                return
        self.state, self._files = body["state"], files

    def tensors(self, role: str) -> dict[str, Tensor]:
        """The tensors that were committed in a role."""
        return read_tensors(self.folder / self._files[role].file)

    def write(self, state: Json, tensors: Mapping[str, Mapping[str, Tensor]], step: int) -> None:
        """Commit a checkpoint.

        Args:
            state: What besides tensors is needed to go on.
            tensors: By role; a role that is not given keeps its tensors.
            step: Steps done; of two commits after one step, the roles must be different.
        """
        files = dict(self._files)
        for role, named in tensors.items():
            files[role] = write_tensors(self.folder / f"{role}-{step:09d}.safetensors", named)
        entries = {role: asdict(entry) for role, entry in files.items()}
        body: Json = {"recipe": self.recipe, "state": state, "files": entries}
        write_atomic(self.folder / CHECKPOINT, canonical({**body, "digest": digest_json(body)}))
        self.state, self._files = state, files
        self._sweep()

    def clear(self) -> None:
        """Forget what was committed."""
        # first: without it the others are nothing
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        self.state, self._files = None, {}
        self._sweep()

    def _sweep(self) -> None:
        known = {CHECKPOINT, *(entry.file for entry in self._files.values())}
        for path in self.folder.iterdir():
            if path.name not in known:
                path.unlink()
