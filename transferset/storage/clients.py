"""Clients of stores, and what they complain about in one sentence.

Arrow's own are used for S3 and Google's store, `fsspec` for all others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from transferset.errors import TransfersetError, UsageError, printable, sentence
from transferset.storage.urls import Url

if TYPE_CHECKING:
    from pyarrow import fs as arrow

#: Option of an address that names one state of it, for its place; a store is not told.
SNAPSHOT: Final = "snapshot"

#: Times that a transfer is begun; Arrow's S3 client repeats each request besides.
ATTEMPTS: Final = 3

#: Seconds to reach a store, and to wait for what it says.
_CONNECT: Final = 10.0
_ANSWER: Final = 60.0

_DENIED: Final = (
    *("ACCESS_DENIED", "AccessDenied", "Forbidden", "HTTP status 403", "InvalidAccessKeyId"),
    *("SIGNATURE", "Signature", "INVALID_ACCESS_KEY", "INVALID_CLIENT_TOKEN", "credentials"),
    *("UNRECOGNIZED_CLIENT", "Unauthorized", "HTTP status 401", "EXPIRED_TOKEN", "ExpiredToken"),
)


def object_path(url: Url) -> str:
    """The address as the store's client has it."""
    if url.scheme == "file":
        return f"/{url.key}"
    return f"{url.authority}/{url.key}" if url.key else url.authority


def client(url: Url) -> arrow.FileSystem:
    """The client of a store."""
    # a forked child must not use its parent's connections
    return _open(_asked(url), os.getpid())


def _asked(url: Url) -> Url:
    """The store, without what only names a place."""
    options = tuple(one for one in url.options if one[0] != SNAPSHOT)
    return Url(url.scheme, url.authority, "", options)


@lru_cache(maxsize=16)
def _open(store: Url, process: int) -> arrow.FileSystem:
    from pyarrow import fs as arrow

    options = dict(store.options)
    if store.scheme == "s3":
        return arrow.S3FileSystem(
            **options,
            connect_timeout=_CONNECT,
            request_timeout=_ANSWER,
            background_writes=False,  # parts that wait for a slow network would fill the memory
        )
    if store.scheme in ("gs", "gcs") and hasattr(arrow, "GcsFileSystem"):
        options.pop("region", None)
        return arrow.GcsFileSystem(**options)
    return arrow.PyFileSystem(arrow.FSSpecHandler(_fsspec(store)))


def _fsspec(store: Url) -> Any:
    try:
        import fsspec
    except ImportError:
        do = "pip install fsspec"
        raise UsageError(
            sentence(f"fsspec for {store.scheme}://", "none installed", do=do)
        ) from None
    try:
        return fsspec.filesystem(store.scheme)
    except (ImportError, ValueError) as error:
        do = f"install what fsspec needs for {store.scheme}://"
        raise UsageError(sentence(f"a client of {store}", str(error), do=do)) from None


@lru_cache(maxsize=4)
def _boto_client(store: Url, process: int) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        return None
    options = dict(store.options)
    endpoint = options.get("endpoint_override")
    return boto3.client(
        "s3",
        endpoint_url=f"{options.get('scheme', 'https')}://{endpoint}" if endpoint else None,
        region_name=options.get("region"),
        config=Config(
            connect_timeout=_CONNECT, read_timeout=_ANSWER, retries={"max_attempts": ATTEMPTS}
        ),
    )


def conditional(url: Url) -> Any:
    """The client that can write on a condition; None if it is not installed."""
    return _boto_client(_asked(url), os.getpid())


@contextmanager
def asking(url: Url) -> Iterator[None]:
    """Turn what clients of stores raise into one sentence."""
    try:
        yield
    except TransfersetError:
        raise
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, ValueError, RuntimeError, ImportError) as error:
        raise TransfersetError(told(str(error) or type(error).__name__, url)) from error


def told(text: str, url: Url) -> str:
    """What a client of a store complains about, as one sentence."""
    if "NO_SUCH_BUCKET" in text or "NoSuchBucket" in text:
        return no_bucket(url)
    found = printable(" ".join(text.split()), 200)
    if any(mark in text for mark in _DENIED):
        do = "set the store's credentials, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return sentence("permission", found, str(url), do)
    return sentence("a store that answers", found, str(url), "run the same command again")


def no_bucket(url: Url) -> str:
    """That there is no such bucket, as one sentence."""
    return sentence("a bucket", "none of that name", str(url.store), "make it, or name another")
