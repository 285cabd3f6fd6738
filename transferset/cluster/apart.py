"""Nodes that do not share the driver's files: what they need comes from the URL of what is made.

The driver sends what it wrote itself (a tokenizer, fitted models) ahead; a node brings that, and
the inputs at URLs, before its task runs, and sends the task's outputs and receipt when it is done.
What another task has spilled is brought where it is read (`storage.mounts.present`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.errors import SetError, TransfersetError, sentence
from transferset.files import Held, digest_file, is_temporary, lock, write_atomic, writing
from transferset.holding import RUN
from transferset.manifest import MANIFEST, canonical
from transferset.stage import Job
from transferset.storage import cache, stores
from transferset.storage.mirrors import mirror
from transferset.storage.mounts import locks, present, remote, ship
from transferset.version import __version__

#: Says on a node which work its copy of a place is of.
_MARK: Final = f"{RUN}/node.json"

#: What a driver has for itself below `_run/`.
_OWN: Final = ("lock", "log.jsonl", "recipe.json", "node.json", "logs")

#: What was sent or found right, by size and time, so that it is not looked at again.
_known: dict[Path, tuple[int, int, str]] = {}

#: Inputs that are here, of this process.
_brought: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that the driver has written and sent ahead, relative to what is made."""

    file: str
    bytes: int
    blake3: str


def send_ahead(root: Path, *, spills: bool) -> tuple[Sent, ...]:
    """Send what the driver's machine alone has of a place to its URL.

    Args:
        root: The directory that is made; nothing is done outside of places.
        spills: Send what tasks have spilled here too, in processes of this machine or on nodes that
            share its cache.

    Returns:
        What tasks may need besides what tasks have written.
    """
    if remote(root) is None:
        return ()
    outputs = set(_outputs(root))
    found = [_sent(root, name) for name in _files(root) if name not in outputs]
    for name in sorted(outputs) if spills else ():
        path = root / name
        if name.startswith(f"{RUN}/") and path.is_file() and not cache.settled(path):
            ship(root, [name])
            cache.settle(path)
    return tuple(found)


def _files(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        own = name.parts[0] == RUN and (name.parts[1:2] or ("",))[0] in _OWN
        receipt = name.parts[0] == RUN and len(name.parts) == 3 and path.stem.isdigit()
        if path.is_file() and not own and not receipt and not is_temporary(path):
            yield name.as_posix()


def _outputs(root: Path) -> Iterator[str]:
    for path in (root / RUN).glob("*/[0-9]*.json"):
        try:
            yield from (output["file"] for output in json.loads(path.read_bytes())["outputs"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no receipt


def _sent(root: Path, name: str) -> Sent:
    path = root / name
    size, digest, new = _digest(path)
    if new:
        ship(root, [name])
    return Sent(name, size, digest)


def _digest(path: Path) -> tuple[int, str, bool]:
    """Size and digest of a file, and whether it was unknown before."""
    status = path.stat()
    state = (status.st_size, status.st_mtime_ns)
    known = _known.get(path)
    if known is not None and known[:2] == state:
        return state[0], known[2], False
    digest = digest_file(path)
    _known[path] = (*state, digest)
    return state[0], digest, True


def enter(job: Job[Any], sent: Sequence[Sent], inputs: Iterable[Path]) -> None:
    """Bring a node to where the driver is, as far as a task needs it.

    Args:
        job: The task.
        sent: See `send_ahead`.
        inputs: Paths below the cache that the task names.

    Raises:
        TransfersetError: What is made has no URL, or the store cannot be asked.
        SetError: Another process makes something in the same place on this node.
    """
    url = remote(job.root)
    if url is None:
        found = f"another {job.root} there"
        do = "name a folder on a file system that all nodes share, or an s3:// URL"
        raise TransfersetError(sentence("the driver's --out on every node", found, do=do))
    with writing(job.root, cache.FOLDER), cache.waiting_lock(locks(), job.root):
        _begin(job)
        for one in sent:
            path = job.root / one.file
            if not path.is_file() or _digest(path)[:2] != (one.bytes, one.blake3):
                path.parent.mkdir(parents=True, exist_ok=True)
                stores.fetch(url / one.file, path, one.bytes, one.blake3)
        (job.root / RUN / job.stage).mkdir(parents=True, exist_ok=True)
    for path in inputs:
        if path not in _brought and not path.is_relative_to(job.root):
            _bring(path)
            _brought.add(path)


def _begin(job: Job[Any]) -> None:
    """Remove what this node has of other work: it might be taken for this one's."""
    mark = job.root / _MARK
    work = canonical({"recipe": job.recipe, "version": __version__})
    if mark.is_file() and mark.read_bytes() == work:
        return
    held = job.root / RUN / "lock"
    if held.is_file():
        try:
            with lock(held):
                pass
        except Held as error:
            do = "wait for it to end, or choose another --out"
            where = str(job.root)
            raise SetError(sentence("nobody writing", error.holder, where, do)) from None
    shutil.rmtree(job.root, ignore_errors=True)
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(mark, work)


def _bring(path: Path) -> None:
    """Bring an input: a file, a set with its small files, or a folder with all of its files."""
    url = remote(path)
    if url is None or not url.key:
        return
    if stores.find(url) is not None:
        present(path)
        return
    found = stores.entries(url)
    if MANIFEST in found:
        mirror(url)
        return
    for name, entry in found.items():
        present(path / name, size=entry.bytes)


def hand_in(job: Job[Any]) -> None:
    """Send what a task wrote to its URL, the receipt last: with it the task is done."""
    receipt = json.loads(job.receipt.read_bytes())
    outputs = [output["file"] for output in receipt["outputs"]]
    ship(job.root, [*outputs, job.receipt.relative_to(job.root).as_posix()])
    for name in outputs:
        cache.settle(job.root / name)
