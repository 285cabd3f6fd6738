"""Parquet files of data sets on the Hugging Face hub; nothing else of them is fetched or run.

A name is `owner/name`, with a folder after it where several hold files, and a revision:
`wikimedia/wikipedia/20231101.simple@b04c8d1ceb2f5cd4588862100d08de323dccfbaa`. What a revision
holds is kept beside the downloads, so that one that is named by its commit and is there needs
no network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset import shapes
from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.sources.cache import default_cache, digest_of, on_disk, write_atomically
from transferset.sources.records.finding import LocalRecords

#: How long the hub may take to answer, in seconds.
PATIENCE: Final = 10.0

_NAME: Final = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:/(?P<folder>[\w.-]+(?:/[\w.-]+)*))?"
    r"(?:@(?P<revision>[\w./-]+))?",
    re.ASCII,
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
#: `train-00000-of-00041`, also with a digest behind, as `datasets` names the files of a split.
_SHARD: Final = re.compile(r"(?P<split>.+)-\d+-of-\d+(?:-[0-9a-f]+)?", re.ASCII)
_SPLITS: Final = ("train", "validation", "valid", "dev", "test")
_WORD: Final = re.compile(rf"(?:^|[-_.])({'|'.join(_SPLITS)})(?=[-_.]|$)")

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A Parquet file of a revision: its path there, bytes and SHA-256 as far as stated."""

    path: str
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What one revision of a data set holds: its commit, its licence, its Parquet files."""

    commit: str
    licence: str | None
    files: tuple[Listed, ...]


def find(
    name: str, split: str | None, cache: Path | None, endpoint: str | None = None
) -> list[LocalRecords]:
    """Fetch the Parquet files of a data set.

    Args:
        name: See the module's text.
        split: Which split; None when there is only one.
        cache: Where downloads are kept; None is the cache of huggingface_hub.
        endpoint: The hub's address; None is what huggingface_hub is set to.

    Raises:
        UsageError: No such name, folder or split, or it is not clear which.
        InputError: A file that arrived is not the one that the hub lists.
        TransfersetError: The hub did not answer.
    """
    match = _NAME.fullmatch(name)
    if match is None or ".." in name:
        form = "hub:owner/name, hub:owner/name/folder, hub:owner/name@revision"
        raise UsageError(sentence(form, name))
    repo, listing = match["repo"], _listing(match["repo"], match["revision"], cache, endpoint)
    files = _of_split(_of_folder(listing.files, match["folder"], repo), split, name)
    return [_file(repo, listing, file, cache, endpoint) for file in files]


def split_of(path: str) -> str:
    """The split that a file belongs to by its path, `train` if it says nothing."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".parquet")
    if folder.rpartition("/")[2] in _SPLITS:
        return folder.rpartition("/")[2]
    if match := _SHARD.fullmatch(stem):
        return match["split"]
    found = _WORD.search(stem)
    return found[1] if found else "train"


def folder_of(path: str) -> str:
    """The folder that a file belongs to, without one that only names the split; `.` at the top."""
    parts = path.split("/")[:-1]
    if parts and parts[-1] in _SPLITS:
        parts.pop()
    return "/".join(parts) or "."


def _of_folder(files: tuple[Listed, ...], folder: str | None, repo: str) -> list[Listed]:
    every = sorted({folder_of(file.path) for file in files})
    if not every:
        raise UsageError(sentence("Parquet files", "none", f"hub:{repo}", "name another data set"))
    within = [f for f in every if folder in (None, f) or f.startswith(f"{folder}/")]
    chosen = [folder] if folder in within else within
    if len(chosen) == 1:
        return [file for file in files if folder_of(file.path) == chosen[0]]
    names = [f"hub:{repo}/{name}" for name in within or every]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    found = f"{', '.join(names[:_SHOWN])}{more}"
    raise UsageError(sentence("a folder of the data set", found, do="name one of them"))


def _of_split(files: list[Listed], split: str | None, name: str) -> list[Listed]:
    splits = sorted({split_of(file.path) for file in files})
    if split is None and len(splits) == 1:
        return files
    if split not in splits:
        expected, found = f"--split out of {', '.join(splits)}", split or "no --split"
        raise UsageError(sentence(expected, found, name, "name one"))
    return [file for file in files if split_of(file.path) == split]


def _listing(repo: str, revision: str | None, cache: Path | None, endpoint: str | None) -> Listing:
    folder = (cache or default_cache()) / "huggingface" / "listings" / repo.replace("/", "--")
    if revision is not None and _COMMIT.fullmatch(revision):
        kept = _load(folder / f"{revision}.json")
        if kept is not None:
            return kept
    listing = _ask(repo, revision, endpoint)
    members = [[file.path, file.size, file.sha256] for file in listing.files]
    text = json.dumps({"commit": listing.commit, "licence": listing.licence, "files": members})
    path = folder / f"{listing.commit}.json"
    with on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
    return listing


def _load(path: Path) -> Listing | None:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return _checked(body["commit"], body["licence"], body["files"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None  # worth nothing then: the hub is asked


def _checked(commit: object, licence: object, files: Any) -> Listing:
    """Make a listing of what a hub or a file says.

    Raises:
        ValueError: It cannot be one.
    """
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise ValueError("no commit")
    listed = []
    for path, size, sha256 in files:
        if not all(shapes.file_name(part) for part in path.split("/")):
            raise ValueError(f"the file name {path!r}")
        if not (size is None or shapes.count(size)) or not isinstance(sha256, str | None):
            raise ValueError(f"no size or digest of {path!r}")
        listed.append(Listed(path, size, sha256))
    listed.sort(key=lambda file: file.path.encode())
    return Listing(commit, licence if isinstance(licence, str) else None, tuple(listed))


def _ask(repo: str, revision: str | None, endpoint: str | None) -> Listing:
    from huggingface_hub import HfApi

    with _answering(f"hub:{repo}"):
        info = HfApi(endpoint).dataset_info(
            repo, revision=revision, timeout=PATIENCE, files_metadata=True
        )
        files = [
            (file.rfilename, file.size, file.lfs.sha256 if file.lfs else None)
            for file in info.siblings or ()
            if file.rfilename.endswith(".parquet")
        ]
        stated = info.card_data.get("license") if info.card_data else None
        licence = "; ".join(map(str, stated)) if isinstance(stated, list) else stated
        return _checked(info.sha, licence, files)


def _file(
    repo: str, listing: Listing, file: Listed, cache: Path | None, endpoint: str | None
) -> LocalRecords:
    from huggingface_hub import hf_hub_url, try_to_load_from_cache

    folder = None if cache is None else cache / "huggingface"
    found = try_to_load_from_cache(
        repo, file.path, cache_dir=folder, revision=listing.commit, repo_type="dataset"
    )
    path = Path(found) if isinstance(found, str) else None
    if path is None or not _is_size(path, file.size):
        path = _download(repo, listing.commit, file, folder, endpoint)
    url = hf_hub_url(
        repo, file.path, repo_type="dataset", revision=listing.commit, endpoint=endpoint
    )
    origin = {"url": url, "revision": listing.commit, "licence": listing.licence}
    return LocalRecords(path, f"{repo}/{file.path}", "parquet", origin)


def _is_size(path: Path, size: int | None) -> bool:
    return path.is_file() and size in (None, path.stat().st_size)


def _download(
    repo: str, commit: str, file: Listed, folder: Path | None, endpoint: str | None
) -> Path:
    from huggingface_hub import hf_hub_download

    at = f"hub:{repo}/{file.path}"
    with _answering(at):
        path = Path(
            hf_hub_download(
                repo,
                file.path,
                repo_type="dataset",
                revision=commit,
                cache_dir=folder,
                endpoint=endpoint,
                etag_timeout=PATIENCE,
            )
        )
    found = digest_of(path, "sha256") if file.sha256 else None
    if not _is_size(path, file.size) or found != file.sha256:
        size, stated = path.stat().st_size, file.sha256 or f"{file.size} bytes"
        path.resolve().unlink()  # or it would be trusted the next time
        do = "run the command again, or report it to the data set's owner"
        raise InputError(sentence(stated, found or f"{size} bytes", at, do))
    return path


@contextmanager
def _answering(at: str) -> Iterator[None]:
    """Turn the hub's refusals into one sentence."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    # HfHubHTTPError stands on the error class of the HTTP library that this release is built on
    failures: tuple[type[Exception], ...] = (OSError, ValueError, HfHubHTTPError.__mro__[1])
    try:
        yield
    except GatedRepoError:
        do = "accept its terms on the hub and log in with `hf auth login`"
        raise InputError(sentence("a data set open to all", "a gated one", at, do)) from None
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        found = "no such revision" if isinstance(error, RevisionNotFoundError) else "none"
        do = "check the spelling; a private one needs `hf auth login`"
        raise UsageError(sentence("a data set on the hub or a path", found, at, do)) from None
    except failures as error:
        found = str(error).partition("\n")[0] or type(error).__name__
        do = "try again when the hub can be reached"
        raise TransfersetError(sentence("an answer of the hub", found, at, do)) from None
