"""Places: every URL has a path in the cache, from which the URL follows.

`CACHE/remote/<16 hex digits>/KEY` is the place of `KEY` in the store that
`CACHE/remote/<16 hex digits>.json` names. So a path is all that another process needs, and no table
of them is handed round. What is not in the place yet comes when `present` is asked for it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from transferset import errors
from transferset.errors import InputError, SetError
from transferset.files import write_atomic, writing
from transferset.manifest import canonical, digest_json
from transferset.storage import cache, stores
from transferset.storage.urls import Url, plain

#: Folder of the cache with the places of all stores.
REMOTE: Final = "remote"

#: Folder in it for the locks of files that are being brought.
LOCKS: Final = "locks"

_STORE: Final = re.compile(r"[0-9a-f]{16}")

#: What was read of these files; their names are digests of what they hold.
_stores: dict[Path, Url] = {}


def place(url: Url) -> Path:
    """Where what is at a URL lies on this machine; it need not be there yet."""
    return register(url.store) / url.key


def register(store: Url) -> Path:
    """Note which store the places of one name are of.

    Returns:
        The folder of its places.
    """
    options = dict(store.options)
    body = {"scheme": store.scheme, "authority": store.authority, "options": options}
    path = cache.folder() / REMOTE / f"{digest_json(body)[:16]}.json"
    if not path.is_file():
        with writing(path, cache.FOLDER):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, canonical(body))
    return path.with_suffix("")


def locks() -> Path:
    """Folder of the locks of files and directories that are being brought."""
    return cache.folder() / REMOTE / LOCKS


def remote(path: Path) -> Url | None:
    """The URL of a path in a place; None of every other path."""
    parts = _below(path)
    if len(parts) < 2 or not all(map(plain, parts)):
        return None
    store = store_of(parts[0])
    return None if store is None else store / "/".join(parts[1:])


def _below(path: Path) -> tuple[str, ...]:
    root = _start()
    text = str(path)
    if not root:
        return ()
    if not text.startswith(root):
        text = str(path.absolute())  # most paths are ordinary ones: nothing is resolved for them
    return Path(text[len(root) :]).parts if text.startswith(root) else ()


def _start() -> str:
    """What paths of places begin with; empty where a user has no home, and so no cache."""
    try:
        return f"{cache.folder() / REMOTE}{os.sep}"
    except RuntimeError:
        return ""


def store_of(name: str) -> Url | None:
    """The store that places of a name are of, if it is known here."""
    path = cache.folder() / REMOTE / f"{name}.json"
    if path not in _stores and _STORE.fullmatch(name):
        try:
            body = json.loads(path.read_bytes())
            options = tuple(sorted(body["options"].items()))
            _stores[path] = Url(body["scheme"], body["authority"], "", options)
        except (OSError, ValueError, KeyError, AttributeError):
            return None
    return _stores.get(path)


def present(path: Path, *, size: int | None = None, blake3: str | None = None) -> Path:
    """Make sure that a file of a place is here.

    Args:
        path: Of the file; outside of places nothing is done.
        size: Bytes that it has, if that is known.
        blake3: Digest that it has, if that is known.

    Returns:
        The path. If there is no such file anywhere, opening it tells so.

    Raises:
        SetError: What the store has is not what it should be.
        TransfersetError: The store cannot be asked, or the disk is full.
    """
    if path.exists():
        if _below(path):
            cache.hold(path)
        return path
    url = remote(path)
    if url is None:
        return path
    with writing(path, cache.FOLDER):
        path.parent.mkdir(parents=True, exist_ok=True)
        with cache.waiting_lock(locks(), path):
            if not path.exists():  # another process was faster
                _bring(url, path, size, blake3)
    cache.hold(path)
    return path


def _bring(url: Url, path: Path, size: int | None, blake3: str | None) -> None:
    if size is not None:
        cache.make_room(cache.folder() / REMOTE, size)
    try:
        stores.fetch(url, path, size, blake3)
    except stores.Missing:
        return
    except InputError as error:
        raise SetError(str(error)) from None
    cache.settle(path)


def there(path: Path, size: int) -> bool:
    """Whether a file is here with its size, or at its URL; nothing is brought."""
    try:
        return path.stat().st_size == size
    except OSError:
        url = remote(path)
    found = stores.find(url) if url is not None else None
    return found is not None and found.bytes == size


def ship(root: Path, files: Sequence[str]) -> None:
    """Send files of a place to its URL, in this order; nothing is done elsewhere.

    Args:
        root: A directory in a place.
        files: Names relative to it.
    """
    url = remote(root)
    if url is None:
        return
    for name in files:
        stores.put(root / name, url / name)


def named(text: str) -> str:
    """A text in which places have the names of their URLs."""
    root = _start()
    if not root or root not in text:
        return text
    return re.sub(
        rf"{re.escape(root)}([0-9a-f]{{16}})(?=/|\b)",
        lambda match: str(store_of(match[1]) or match[0]),
        text,
    )


if named not in errors.NAMED:
    errors.NAMED.append(named)
