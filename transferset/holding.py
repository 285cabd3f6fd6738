"""Holding a directory: one process makes a set or a model in it, and touches nothing but its own.

What is made, and by which recipe, stands in `_run/recipe.json` from the first moment; what commits
it is written last. So a directory is empty, unfinished work of one recipe, or finished.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.errors import RESUMABLE, SetError, sentence
from transferset.exported import EXPORT, ExportRecord
from transferset.files import Held, is_temporary, lock, write_atomic, writing
from transferset.manifest import MANIFEST, FileEntry, Json, Manifest, differences, pretty
from transferset.manifest import fingerprint as digest_recipe
from transferset.models import RECORD, Record
from transferset.shapes import INNER
from transferset.storage.cache import settled
from transferset.storage.mirrors import set_contents
from transferset.storage.mounts import remote
from transferset.storage.publishing import abandon, claim, publish, withdraw

#: Receipts, logs and unfinished work; not part of the set.
RUN: Final = "_run"

#: What names the checkpoint of a training, in a folder below.
CHECKPOINT: Final = "checkpoint.json"

#: What transferset writes beside the manifest.
OWN_FILES: Final = (
    "data-*-of-*.arrow",
    "state.json",
    "dataset_info.json",
    "tokenizer.json",
    "tokenizer_config.json",
    *(f"{folder}/*.{kind}" for folder in INNER for kind in ("json", "arrow")),
    "README.md",
    "croissant.json",
)

#: What transferset writes beside the record of a model.
MODEL_FILES: Final = (
    *("config.json", "generation_config.json"),
    *("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "words.json"),
    *("heads.safetensors", "heads.json"),
    *("README.md", "log.jsonl"),
)

#: What transferset writes beside the record of an export.
EXPORT_FILES: Final = (
    *("data/*-*-of-*.parquet", "*/part-*-of-*.parquet", "*/part-*-of-*.arrow"),
    *("*.jsonl", "*.tsv", "*.bin", "*.idx", "meta.json"),
    *("*/shard.*.mds", "*/index.json"),
    *("tokenizer.json", "tokenizer_config.json", "README.md"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a directory is going to hold.

    Attributes:
        word: What people call it.
        commit: The file that is written last.
        own: Patterns of the other files, which may be removed to make it anew.
        folders: Patterns of those that `own` files are in; only empty ones are removed.
        recipe: Digest of the recipe of what a directory holds.
        files: What the commit file answers for.
    """

    word: str
    commit: str
    own: tuple[str, ...]
    folders: tuple[str, ...]
    recipe: Callable[[Path], str]
    files: Callable[[Path], Sequence[FileEntry]] = lambda root: ()


def _set_files(root: Path) -> Sequence[FileEntry]:
    found = set_contents((root / MANIFEST).read_bytes(), str(root / MANIFEST))
    return [*found.now, *found.later]


SET: Final = Kind(
    "set", MANIFEST, OWN_FILES, INNER, lambda root: Manifest.read(root).recipe, _set_files
)
MODEL: Final = Kind(
    "model",
    RECORD,
    MODEL_FILES,
    (),
    lambda root: Record.read(root).recipe,
    lambda root: Record.read(root).files,
)
EXPORTED: Final = Kind(
    "export",
    EXPORT,
    EXPORT_FILES,
    ("*",),
    lambda root: ExportRecord.read(root).recipe,
    lambda root: ExportRecord.read(root).files,
)

#: All of them: what is one is not made into another.
KINDS: Final = (SET, MODEL, EXPORTED)


#: A digest, in words about what changed.
_DIGEST: Final = re.compile(r"[0-9a-f]{40}")


@contextmanager
def building(
    root: Path,
    recipe: Json,
    *,
    force: bool,
    kind: Kind = SET,
    ready: Callable[[], object] | None = None,
) -> Iterator[bool]:
    """Hold the directory of a set or a model while it is made.

    Args:
        root: The directory; made if needed, removed again if nothing came of it.
        recipe: Everything that determines the bytes.
        force: Throw away what is there already, finished or not.
        kind: What is made.
        ready: Called before anything is thrown away; what it raises keeps that.

    Yields:
        True if it still has to be made, False if it is already there.

    Raises:
        SetError: Another process builds there, or the directory holds something else.
        TransfersetError: The directory cannot be written.
    """
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        fresh = not any(root.iterdir())
        if not fresh:
            _require_own(root, kind)
        (root / RUN).mkdir(exist_ok=True)
    with _locked(root):
        try:
            if force and not fresh and ready is not None:
                ready()
            with writing(root):
                remove_temporaries(root, kind)
                todo = _prepare(root, recipe, force=force, kind=kind)
            if todo:
                _claim(root, kind, force=force)
            log(root, "start", **{f"{kind.word}_is_there": not todo}, pid=os.getpid())
            yield todo
            remove_temporaries(root, kind)  # of workers that were lost on other machines
            _publish(root, kind)
            log(root, "end")
        except BaseException as error:
            log(root, "stop", error=f"{type(error).__name__}: {error}")
            if isinstance(error, KeyboardInterrupt) and _has_work(root, kind):
                error.add_note(RESUMABLE)
            raise
        finally:
            abandon(root)
            if fresh:
                _leave_nothing_empty(root, kind)


def _claim(root: Path, kind: Kind, *, force: bool) -> None:
    others = [one.commit for one in KINDS if one is not kind]
    claim(root, kind.commit, others, kind.word, force=force)


def _publish(root: Path, kind: Kind) -> None:
    if (root / kind.commit).is_file():
        publish(root, kind.commit, kind.own, kind.files(root), kind.word)


def finished(root: Path, recipe: str, kind: Kind = SET) -> bool:
    """Whether what a recipe makes is there, and nothing is to be written any more.

    Args:
        root: The directory; or the place of a URL, where it is published besides.
        recipe: Digest of the recipe.
        kind: What is made.
    """
    commit = root / kind.commit
    if not commit.is_file() or kind.recipe(root) != recipe:
        return False
    return remote(root) is None or settled(commit)


def log(root: Path, event: str, **facts: object) -> None:
    """Append one line to the log of the runs that worked on a set."""
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **facts}
    with contextlib.suppress(OSError), (root / RUN / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")  # a full disk must not hide the error being logged


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    try:
        with writing(root), lock(root / RUN / "lock"):
            yield
    except Held as held:
        found = f"{held.holder} writing it"
        do = "wait for it to end, or choose another --out"
        raise SetError(sentence("a directory that nobody writes", found, str(root), do)) from None


def _require_own(root: Path, kind: Kind) -> None:
    """Refuse a directory that transferset did not make: later on, files in it are removed."""
    for other in KINDS:
        if other is not kind and (root / other.commit).exists():
            do = "choose another --out"
            raise SetError(sentence(f"no {other.word} there", f"a {other.word}", str(root), do))
    run = root / RUN
    kept = run.is_dir() and not run.is_symlink()
    if kept and ((run / "recipe.json").is_file() or (run / "lock").is_file()):
        return
    if not run.exists() and not run.is_symlink() and (root / kind.commit).exists():
        kind.recipe(root)  # raises if it is none of ours
        return
    if kept and not any(run.iterdir()) and list(root.iterdir()) == [run]:
        return  # killed before it wrote anything
    found = "files that are not transferset's"
    raise SetError(sentence("an empty or new directory", found, str(root), "choose another --out"))


def remove_temporaries(root: Path, kind: Kind = SET) -> None:
    """Remove what killed writers left behind; call it under the lock only."""
    own = [p for pattern in kind.own for p in root.glob(f"{pattern}.tmp-*")]
    own += root.glob(f"{kind.commit}.tmp-*")
    for path in (*own, *(root / RUN).glob("*.tmp-*"), *(root / RUN).glob("*/*.tmp-*")):
        if is_temporary(path):
            path.unlink()


def _prepare(root: Path, recipe: Json, *, force: bool, kind: Kind) -> bool:
    kept = root / RUN / "recipe.json"
    finished = (root / kind.commit).exists()
    if force:
        clear(root, kind)
    elif finished and kind.recipe(root) == digest_recipe(recipe):
        return False
    elif finished or kept.exists():
        _require_same(root, kept, recipe, kind.word if finished else f"unfinished {kind.word}")
    write_atomic(kept, pretty(recipe))
    return True


def _require_same(root: Path, kept: Path, recipe: Json, what: str) -> None:
    try:
        old = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        old = {}
    changed = (
        differences(old, json.loads(pretty(recipe))) if old else ["its recipe is not recorded"]
    )
    if changed:
        # what people know things by comes before digests, and before what follows from the others
        changed.sort(key=lambda told: (told.startswith("names"), bool(_DIGEST.search(told))))
        raise SetError(
            sentence(
                f"no {what} of another recipe",
                f"one where {', '.join(changed[:4])}",
                str(root),
                "choose another --out, or --force to replace it",
            )
        )


def clear(root: Path, kind: Kind = SET) -> None:
    """Remove a set, a model or unfinished work, and nothing that is not transferset's.

    What commits it goes first: from then on there is none.
    """
    (root / kind.commit).unlink(missing_ok=True)
    for pattern in kind.own:
        for path in root.glob(pattern):
            if path.is_file() or path.is_symlink():
                path.unlink()
    for folder in [path for pattern in kind.folders for path in root.glob(pattern)]:
        with contextlib.suppress(OSError):  # no folder, or it holds what is not ours
            folder.rmdir()
    for path in [p for p in (root / RUN).iterdir() if p.name != "lock"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _has_work(root: Path, kind: Kind) -> bool:
    """Whether there is something that the same command goes on with, and does not do again."""
    run = root / RUN
    if kind is not MODEL:
        return any(run.glob("*/**/*.json"))
    # what a model is made of on the way has files of JSON too
    return any(run.rglob(CHECKPOINT)) or any(run.glob("*/[0-9][0-9][0-9][0-9][0-9].json"))


def _leave_nothing_empty(root: Path, kind: Kind) -> None:
    if (root / kind.commit).exists() or any((root / RUN).glob("*/**/*.json")):
        return
    withdraw(root)
    remove_temporaries(root, kind)  # of workers that were stopped while they wrote
    clear(root, kind)
    (root / RUN / "lock").unlink()
    (root / RUN).rmdir()
    if not any(root.iterdir()):
        root.rmdir()
