"""Addresses in object stores, `s3://bucket/sets/wiki`, and nothing that is not plain in them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.shapes import file_name

#: Stores that can be named. `http` is none: sources fetch from servers, with manners.
SCHEMES: Final = (
    *("s3", "gs", "gcs", "abfs", "abfss", "az", "adl", "hdfs", "webhdfs", "oss", "oci"),
    *("file", "memory"),
)

#: What may stand behind a `?`: how the store is reached, never who asks.
OPTIONS: Final = ("endpoint_override", "scheme", "region")

#: The most that stores take for a key, and file systems for a name, in bytes.
_LONGEST_KEY: Final = 1024
_LONGEST_NAME: Final = 255

# of `s3://bucket` a path makes `s3:/bucket`
_URL: Final = re.compile(rf"({'|'.join(SCHEMES)}):(?:///?|/)(?!/)(.*)", re.DOTALL)

_HOW: Final = "write it like s3://bucket/sets/wiki"


@dataclass(frozen=True, slots=True)
class Url:
    """An address in a store.

    Attributes:
        scheme: Kind of the store.
        authority: The bucket; of `file`, nothing.
        key: What is below it: plain names with `/` between them.
        options: How the store is reached, sorted.
    """

    scheme: str
    authority: str
    key: str
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """As people write it, without the options."""
        return f"{self.scheme}://{self.authority}" + (f"/{self.key}" if self.key else "")

    def __truediv__(self, name: str) -> Url:
        """What is below."""
        key = f"{self.key}/{name}" if self.key else name
        return Url(self.scheme, self.authority, key, self.options)

    @property
    def store(self) -> Url:
        """The bucket."""
        return Url(self.scheme, self.authority, "", self.options)


def parse(where: str | Path) -> Url | None:
    """The address that a text or a path is; None if it is an ordinary path.

    Args:
        where: What a user wrote for a set, a model, a file or an output.

    Raises:
        UsageError: It is an address, and a wrong one.
    """
    text = str(where)
    match = _URL.fullmatch(text)
    if match is None:
        return None
    scheme, rest = match.groups()
    rest, _, query = rest.partition("?")
    parts = rest.rstrip("/").split("/")
    authority = "" if scheme == "file" else parts.pop(0)
    if not all(plain(part) for part in (*parts, *([authority] if authority else []))):
        raise UsageError(sentence("plain names in a URL", "others", text, _HOW))
    if "@" in authority:
        do = "leave credentials to the environment, as AWS_ACCESS_KEY_ID"
        shown = f"{scheme}://…@{authority.rpartition('@')[2]}"
        raise UsageError(sentence("a URL without credentials", "some", shown, do))
    if not parts or (scheme != "file" and not authority):
        raise UsageError(sentence("a bucket and a name in it", "less", text, _HOW))
    key = "/".join(parts)
    if len(key.encode()) > _LONGEST_KEY:
        found = f"{len(key.encode()):,}"
        raise UsageError(sentence(f"a key of at most {_LONGEST_KEY:,} bytes", found, text[:80]))
    return Url(scheme, authority, key, _options(scheme, query, text))


def plain(name: str) -> bool:
    """Whether a name from anywhere may be one of a file here."""
    return file_name(name) and name.isprintable() and len(name.encode()) <= _LONGEST_NAME


def _options(scheme: str, query: str, text: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if name not in OPTIONS or not equals or not value or not value.isprintable():
            expected = f"after the ? only {', '.join(OPTIONS)}"
            raise UsageError(sentence(expected, name or "nothing", text))
        found[name] = value
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if scheme == "s3" and named:
        found.setdefault("endpoint_override", named)
    if "endpoint_override" in found:
        _split_endpoint(found)
    return tuple(sorted(found.items()))


def _split_endpoint(found: dict[str, str]) -> None:
    """An endpoint with its protocol, as AWS has it, in the two parts that Arrow wants."""
    match = re.fullmatch(r"(https?):/{1,2}(.+?)/*", found["endpoint_override"])
    if match is not None:
        found.setdefault("scheme", match[1])
        found["endpoint_override"] = match[2]
