"""Work that goes to another machine, whose cache is elsewhere: paths in it go relative to it."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path, PurePath
from typing import Any, Final

from transferset.storage import cache, mounts

_PATH: Final = "path"
_TEXT: Final = "text"


class _Packer(pickle.Pickler):
    def __init__(self, sink: io.BytesIO) -> None:
        super().__init__(sink, protocol=pickle.HIGHEST_PROTOCOL)
        self._root = f"{cache.folder()}{os.sep}"
        self.stores: set[Path] = set()

    def persistent_id(self, thing: object) -> tuple[str, str] | None:
        """What stands for a path, or a text that is one, below the cache."""
        if not isinstance(thing, str | PurePath):
            return None
        text = str(thing)
        if not text.startswith(self._root):
            return None
        below = text[len(self._root) :]
        parts = Path(below).parts
        if len(parts) > 1 and parts[0] == mounts.REMOTE:
            self.stores.add(Path(*parts[:2]))
        return (_TEXT if isinstance(thing, str) else _PATH), below


class _Unpacker(pickle.Unpickler):
    def __init__(self, source: io.BytesIO, paths: list[Path]) -> None:
        super().__init__(source)
        self._paths = paths

    def persistent_load(self, pid: Any) -> str | Path:
        """The path below the cache of this machine."""
        kind, below = pid
        path = cache.folder() / below
        self._paths.append(path)
        return str(path) if kind == _TEXT else path


def pack(thing: object) -> bytes:
    """Pickle work of this program for a worker of it on another machine.

    Args:
        thing: Functions of modules, tasks, contexts, sets.

    Returns:
        Bytes for `unpack`, from a trusted peer only: it is pickle, as executors use between their
        own processes, and never goes to disk or into a set.
    """
    sink = io.BytesIO()
    packer = _Packer(sink)
    packer.dump(thing)
    stores = [url for path in sorted(packer.stores) if (url := mounts.store_of(path.name))]
    return pickle.dumps((stores, sink.getvalue()))


def unpack(raw: bytes, paths: list[Path] | None = None) -> Any:
    """What `pack` was given, with paths below the cache of this machine.

    Args:
        raw: From `pack`.
        paths: Is given those paths.
    """
    stores, inner = pickle.loads(raw)
    for store in stores:
        mounts.register(store)
    return _Unpacker(io.BytesIO(inner), [] if paths is None else paths).load()
