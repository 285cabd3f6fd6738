"""The manifest: what a shard set is, and how anyone can check it.

`manifest.json` is written last, so its existence means that the set is complete. It is canonical
JSON and carries its own digest, so that a changed byte in it is as visible as one in a shard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from transferset.errors import SetError, sentence

MANIFEST: Final = "manifest.json"

#: Shards are digested in pieces of this many bytes too, so that `verify` can say where.
PIECE_BYTES: Final = 1 << 20

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the set that is not rows: `bytes` long, with its BLAKE3 digest."""

    file: str
    bytes: int
    blake3: str


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """One shard: counts, BLAKE3 of the file, and of each piece of `PIECE_BYTES` (16 hex digits)."""

    file: str
    rows: int
    tokens: int
    bytes: int
    blake3: str
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is known of a set; see `docs/shard-set.md` for each field."""

    format: int
    name: str
    op: str
    params: Json
    seed: int
    generator: str
    recipe: str
    code: Json
    tokenizer: Json | None
    parents: Sequence[Json]
    sources: Sequence[Json]
    licence: str
    schema: Mapping[str, str]
    totals: Mapping[str, int]
    statistics: Sequence[Json]
    ledger: Sequence[Json]
    shards: Sequence[ShardEntry]
    files: Sequence[FileEntry] = field(default_factory=tuple)

    def to_bytes(self) -> bytes:
        """Canonical JSON with the digest of itself as last member."""
        body = asdict(self)
        return pretty({**body, "digest": digest_json(body)})

    @property
    def digest(self) -> str:
        """Digest of the manifest; a derived set names its parents by it."""
        return digest_json(asdict(self))

    @classmethod
    def from_bytes(cls, raw: bytes, at: str) -> Manifest:
        """Parse and check.

        Args:
            raw: Content of `manifest.json`.
            at: Its path, for messages.

        Returns:
            The manifest.

        Raises:
            SetError: Not JSON, unknown or missing members, or not the bytes that were written.
        """
        body = _parse(raw, at)
        stated = body.pop("digest", None)
        names = {f.name for f in fields(cls)}
        if body.keys() != names:
            odd = "a difference in " + ", ".join(sorted(body.keys() ^ names))
            raise SetError(sentence("the members of a manifest", odd, _all_of(raw, at)))
        if stated != digest_json(body):
            raise _damaged(raw, at)
        try:
            body["shards"] = tuple(shard_entry(s) for s in body["shards"])
            body["files"] = tuple(FileEntry(**f) for f in body["files"])
        except (TypeError, KeyError) as error:
            raise SetError(sentence("shard and file entries", str(error), at)) from error
        manifest = cls(**body)
        if manifest.to_bytes() != raw:  # right members, but not the bytes that were written
            raise _damaged(raw, at)
        return manifest

    @classmethod
    def read(cls, root: Path) -> Manifest:
        """Read the manifest of the set at `root`.

        Raises:
            SetError: There is none, or it is damaged.
        """
        path = root / MANIFEST
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raise SetError(_absent(root)) from None
        except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
            raise SetError(
                sentence("a readable manifest", error.strerror or "an error", str(path))
            ) from None
        return cls.from_bytes(raw, str(path))


def _parse(raw: bytes, at: str) -> Json:
    try:
        body = json.loads(raw)
    except json.JSONDecodeError as error:
        raise SetError(sentence("JSON", error.msg, f"{at}, byte {error.pos}")) from None
    except UnicodeDecodeError as error:
        raise SetError(sentence("UTF-8", error.reason, f"{at}, byte {error.start}")) from None
    except RecursionError:
        raise SetError(sentence("JSON", "endless nesting", _all_of(raw, at))) from None
    if not isinstance(body, dict):
        raise SetError(sentence("a JSON object", type(body).__name__, _all_of(raw, at)))
    return body


def shard_entry(entry: Json) -> ShardEntry:
    """A shard's entry from its JSON."""
    return ShardEntry(**{**entry, "pieces": tuple(entry["pieces"])})


def _damaged(raw: bytes, at: str) -> SetError:
    found = "other content than its digest says"
    return SetError(sentence("a manifest as written", found, _all_of(raw, at)))


def _all_of(raw: bytes, at: str) -> str:
    return f"{at}, bytes 0–{max(0, len(raw) - 1)}"


def _absent(root: Path) -> str:
    if (root / "_run").is_dir():
        return sentence(
            "a finished set", "an unfinished one", str(root), "run its command again to finish it"
        )
    found = "no manifest.json" if root.is_dir() else "no such directory"
    return sentence("a shard set", found, str(root), "name a directory that transferset built")


def pretty(body: object) -> bytes:
    """Canonical, readable JSON: sorted keys, one space of indent, UTF-8, final newline."""
    return (
        json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"
    ).encode()


def canonical(body: object) -> bytes:
    """Compact canonical JSON, for digests."""
    return json.dumps(
        body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest_json(body: object) -> str:
    """BLAKE3 of the canonical JSON."""
    return blake3(canonical(body)).hexdigest()


def fingerprint(recipe: Json) -> str:
    """Digest of a recipe: everything that determines the bytes of a set."""
    return digest_json(recipe)


def differences(old: object, new: object, at: str = "") -> list[str]:
    """What changed between two recipes, in words: `max_len was 512, is 128`."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(old.keys() | new.keys()):
            inner = f"{at}.{key}" if at else str(key)
            found += differences(old.get(key), new.get(key), inner)
        return found
    if old == new:
        return []
    return [f"{at} was {_short(old)}, is {_short(new)}"]


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
