"""Tokenizer files of the Hugging Face hub: the local cache first, the network once and briefly.

Only `tokenizer.json`, `vocab.txt` and `tokenizer_config.json` are ever asked for.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.parse
import urllib.request
from pathlib import Path

from transferset.errors import TransfersetError
from transferset.tokens.installed import FILES

CONFIG = "tokenizer_config.json"
#: How long the hub may take to answer that a file exists, in seconds.
PATIENCE = 5.0


class Unreachable(TransfersetError):
    """The hub did not give the file; the message says why."""


def from_cache(repo: str, cache: Path | None = None) -> dict[str, Path]:
    """Return what the local cache holds of a repository's tokenizer, by file name.

    Args:
        repo: Such as `google-bert/bert-base-uncased`.
        cache: The cache's folder; None: where huggingface_hub keeps it.
    """
    from huggingface_hub import try_to_load_from_cache

    found: dict[str, Path] = {}
    for name in (*FILES, CONFIG):
        try:
            path = try_to_load_from_cache(repo, name, cache_dir=cache)
        except ValueError:  # not a name that the hub allows
            return {}
        if isinstance(path, str) and Path(path).is_file():
            found[name] = Path(path)
    return found


def from_network(
    repo: str, *, cache: Path | None = None, endpoint: str | None = None
) -> dict[str, Path]:
    """Download a repository's tokenizer into the cache.

    Args:
        repo: Such as `google-bert/bert-base-uncased`.
        cache: The cache's folder; None: where huggingface_hub keeps it.
        endpoint: The hub's address; None: what huggingface_hub is set to.

    Returns:
        Paths by file name: one of `FILES`, and the configuration if there is one.

    Raises:
        Unreachable: No network, no such repository, or neither file in it.
    """
    found: dict[str, Path] = {}
    why = "no such file"
    for name in FILES:
        if not found:
            try:
                found[name] = _download(repo, name, cache, endpoint)
            except Unreachable as error:
                why = str(error)
                if not isinstance(error, _Missing):
                    raise
    if not found:
        raise Unreachable(why)
    with contextlib.suppress(_Missing):
        found[CONFIG] = _download(repo, CONFIG, cache, endpoint)
    return found


class _Missing(Unreachable):
    """The hub answered that it does not have it."""


def _download(repo: str, name: str, cache: Path | None, endpoint: str | None) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

    # HfHubHTTPError stands on the error class of the HTTP library that this release is built on.
    failures: tuple[type[Exception], ...] = (OSError, ValueError, HfHubHTTPError.__mro__[1])
    try:
        url = hf_hub_url(repo, name, endpoint=endpoint)
        _resolve(url)
        # hf_hub_download retries five times, half a minute in all, where there is no network:
        # this asks once.
        get_hf_file_metadata(url, timeout=PATIENCE)
        path = hf_hub_download(
            repo, name, cache_dir=cache, endpoint=endpoint, etag_timeout=PATIENCE
        )
    except (EntryNotFoundError, RepositoryNotFoundError) as error:
        raise _Missing(f"nothing there named {repo}/{name}") from error
    except failures as error:
        raise Unreachable(f"{error}".partition("\n")[0]) from error
    return Path(path)


def _resolve(url: str) -> None:
    """Look the host up with a time limit, which the system's resolver does not have."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname
    if host is None or parts.scheme in urllib.request.getproxies():
        return  # a proxy looks it up
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(socket.getaddrinfo(host, None))
        except OSError as error:
            answers.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if not answers:
        raise Unreachable(f"no answer to where {host} is in {PATIENCE:.0f} s")
    if isinstance(answers[0], OSError):
        raise Unreachable(f"{host}: {answers[0].strerror}")
