"""What a store is asked for: reading, writing whole objects, listing, deleting.

An object is there whole or not at all: an upload that is not finished is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.errors import InputError, TransfersetError, sentence
from transferset.files import HashingFile
from transferset.storage.clients import (
    ATTEMPTS,
    asking,
    client,
    conditional,
    no_bucket,
    object_path,
    told,
)
from transferset.storage.urls import Url, plain

#: Bytes that are read or written at once.
PIECE: Final = 8 << 20

#: Most objects that are listed below one address.
MOST_OBJECTS: Final = 1_000_000


class Missing(InputError):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An object below an address: its name from there on, bytes, and when it was written (ns)."""

    name: str
    bytes: int
    written: int


def read(url: Url, most: int) -> bytes | None:
    """A small object, whole; None if it is not there.

    Raises:
        InputError: It is larger than `most` bytes.
        TransfersetError: The store cannot be asked.
    """
    with asking(url):
        try:
            with client(url).open_input_stream(object_path(url), compression=None) as stream:
                raw: bytes = stream.read(most + 1)
        except FileNotFoundError:
            return None
    if len(raw) > most:
        raise InputError(sentence(f"at most {most:,} bytes", "more", str(url)))
    return raw


def find(url: Url) -> Entry | None:
    """Facts of an object; None if it is not there."""
    with asking(url):
        return _entry(client(url).get_file_info(object_path(url)), "")


def entries(url: Url) -> dict[str, Entry]:
    """All objects below an address, by name.

    Raises:
        InputError: There are too many, or one has a name that is none here.
        TransfersetError: The store cannot be asked, or there is no such bucket.
    """
    from pyarrow import fs as arrow

    base = object_path(url).strip("/")  # with a slash before it or not, as clients please
    with asking(url):
        selector = arrow.FileSelector(object_path(url), allow_not_found=True, recursive=True)
        infos = client(url).get_file_info(selector)
    if len(infos) > MOST_OBJECTS:
        found = f"{len(infos):,}"
        raise InputError(sentence(f"at most {MOST_OBJECTS:,} objects", found, str(url)))
    listed = {}
    for info in infos:
        name = info.path.lstrip("/")[len(base) :].lstrip("/")
        entry = _entry(info, name)
        if entry is not None:
            if not all(plain(part) for part in name.split("/")):
                raise InputError(sentence("plain names of objects", name, str(url)))
            listed[name] = entry
    return listed


def fetch(url: Url, path: Path, size: int | None, digest: str | None) -> None:
    """Bring an object here, whole or not at all.

    Args:
        url: Of the object.
        path: Where it goes, through a temporary name.
        size: Bytes it must have; None: as many as the store says before.
        digest: BLAKE3 it must have, if that is known.

    Raises:
        Missing: There is none.
        InputError: It has another size or digest.
        TransfersetError: The store cannot be asked, or the disk is full.
    """
    if size is None:
        entry = find(url)
        if entry is None:
            raise Missing(sentence("an object", "none", str(url)))
        size = entry.bytes
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _fetch(url, path, size, digest)
        except TransfersetError as error:
            if attempt == ATTEMPTS or isinstance(error, InputError):
                raise
    raise AssertionError  # unreachable


def _fetch(url: Url, path: Path, size: int, digest: str | None) -> None:
    with HashingFile(path) as sink:
        with asking(url):
            try:
                stream = client(url).open_input_stream(object_path(url), compression=None)
            except FileNotFoundError:
                raise Missing(sentence("an object", "none", str(url))) from None
        with stream:
            while sink.size <= size:
                with asking(url):
                    piece = stream.read(min(PIECE, size + 1 - sink.size))
                if not piece:
                    break
                sink.write(piece)
        if sink.size != size:
            found = "more" if sink.size > size else f"{sink.size:,}"
            raise InputError(sentence(f"{size:,} bytes", found, str(url)))
        if digest is not None and sink.digest() != digest:
            do = "restore it, or make the set again with --force"
            where = f"{url}, bytes 0–{max(0, size - 1)}"
            raise InputError(sentence(f"digest {digest}", "another", where, do))
        sink.commit()


def put(path: Path, url: Url) -> int:
    """Write a file as an object, replacing what is there.

    Returns:
        Its bytes.

    Raises:
        TransfersetError: The store refuses it, or cannot be asked.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            size = _put(path, url)
            entry = find(url)
            if entry is not None and entry.bytes == size:
                return size
            found = "none" if entry is None else f"{entry.bytes:,}"
            raise TransfersetError(sentence(f"{size:,} bytes as written", found, str(url)))
        except TransfersetError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError  # unreachable


def _put(path: Path, url: Url) -> int:
    size = 0
    with path.open("rb") as file, asking(url):
        _make_folder(url)
        with client(url).open_output_stream(object_path(url), compression=None) as sink:
            while piece := file.read(PIECE):
                sink.write(piece)
                size += len(piece)
    return size


def put_bytes(data: bytes, url: Url) -> None:
    """Write a small object, replacing what is there."""
    with asking(url):
        _make_folder(url)
        with client(url).open_output_stream(object_path(url), compression=None) as sink:
            sink.write(data)


def put_new(data: bytes, url: Url) -> bool:
    """Write a small object if there is none: of several writers one succeeds.

    S3 decides itself (`If-None-Match: *`) where `boto3` is installed. Elsewhere it is asked first,
    which leaves a moment between asking and writing.

    Returns:
        Whether it was written.
    """
    if url.scheme == "s3" and (found := conditional(url)) is not None:
        return _put_if_none(found, data, url)
    if find(url) is not None:
        return False
    put_bytes(data, url)
    return True


def delete(url: Url) -> None:
    """Remove an object, if it is there."""
    if url.scheme == "s3" and (found := conditional(url)) is not None:
        return _delete(found, url)  # Arrow would leave an empty object for the folder
    with asking(url):
        try:
            client(url).delete_file(object_path(url))
        except FileNotFoundError:
            return None
    return None


def require_bucket(url: Url) -> None:
    """Make sure that there is a bucket to write to.

    Raises:
        TransfersetError: There is none, it may not be asked for, or the store cannot be reached.
    """
    from pyarrow import fs as arrow

    if url.scheme not in ("s3", "gs", "gcs"):
        return
    with asking(url):
        info = client(url).get_file_info(url.authority)
    if info.type == arrow.FileType.NotFound:
        raise TransfersetError(no_bucket(url))


def _make_folder(url: Url) -> None:
    if url.scheme in ("file", "hdfs", "webhdfs"):  # elsewhere there are no folders
        client(url).create_dir(object_path(url).rpartition("/")[0], recursive=True)


def _entry(info: Any, name: str) -> Entry | None:
    from pyarrow import fs as arrow

    if info.type != arrow.FileType.File:
        return None
    return Entry(name, int(info.size or 0), int(info.mtime_ns or 0))


def _put_if_none(client: Any, data: bytes, url: Url) -> bool:
    from botocore.exceptions import ClientError

    try:
        with _complaints(url):
            client.put_object(Bucket=url.authority, Key=url.key, Body=data, IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
            return False
        raise TransfersetError(told(str(error), url)) from error
    return True


def _delete(client: Any, url: Url) -> None:
    from botocore.exceptions import ClientError

    try:
        with _complaints(url):
            client.delete_object(Bucket=url.authority, Key=url.key)
    except ClientError as error:
        raise TransfersetError(told(str(error), url)) from error


@contextmanager
def _complaints(url: Url) -> Iterator[None]:
    """What is no answer of the store: no credentials, no connection."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        raise TransfersetError(told(str(error), url)) from error
