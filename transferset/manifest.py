"""The manifest: what a shard set is, and how anyone can check it.

`manifest.json` is written last, so its existence means that the set is complete. It is canonical
JSON and carries its own digest, so that a changed byte in it is as visible as one in a shard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.shapes import (
    Misshapen,
    Nullable,
    above_zero,
    anything,
    check,
    count,
    file_name,
    seed,
    set_file,
    text,
)

MANIFEST: Final = "manifest.json"

#: No manifest is larger; a terabyte of shards has one of about 20 MB.
MOST_BYTES: Final = 1 << 30

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


def teacher_kind(value: object) -> bool:
    """Classifier or masked."""
    return value in ("classifier", "masked")


_FILE: Final = {"bytes": count, "blake3": text}
_STATISTICS: Final = ("pages", "documents", "sentences", "words", "text_bytes")

#: What a manifest must look like before anything in it is used.
SHAPE: Final[dict[Any, Any]] = {
    "format": count,
    "name": text,
    "op": text,
    "params": {"max_len": Nullable(count), ...: anything},
    "seed": seed,
    "generator": text,
    "recipe": text,
    "code": {...: text},
    "tokenizer": Nullable(
        {
            "name": text,
            "sha256": text,
            "vocab_size": count,
            "special_ids": dict.fromkeys(("cls", "sep", "pad", "unk", "mask"), count),
            ...: anything,
        }
    ),
    "parents": [{"name": text, ...: anything}],
    "sources": [{"code": count, "file": text, "language": text, ...: anything}],
    "licence": text,
    "schema": {...: text},
    "totals": {
        "rows": count,
        "tokens": count,
        "content_tokens": count,
        "bytes": count,
        ...: count,
    },
    "statistics": [
        {
            "source": count,
            **dict.fromkeys(_STATISTICS, count),
            "words_per_sentence": [[count]],
            ...: count,  # the part, in a mix
        }
    ],
    "ledger": [{"reason": text, "unit": text, "count": count}],
    "shards": [{**_FILE, "file": file_name, "rows": count, "tokens": count, "pieces": [text]}],
    "files": [{**_FILE, "file": set_file}],
    "names": {...: [text]},
    "teacher": Nullable(
        {
            "kind": teacher_kind,
            "classes": Nullable([text]),
            "temperature": Nullable(above_zero),
            "top_k": Nullable(count),
            "models": [{"name": text, "weights": text, ...: anything}],
        }
    ),
}


@dataclass(frozen=True)  # no slots: its digest is kept
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
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    teacher: Json | None = None

    def _body(self) -> Json:
        body = asdict(self)
        if not self.names:  # most sets have no codes
            del body["names"]
        if self.teacher is None:  # and no logits
            del body["teacher"]
        return body

    def to_bytes(self) -> bytes:
        """Canonical JSON with the digest of itself as last member."""
        body = self._body()
        return pretty({**body, "digest": digest_json(body)})

    @cached_property
    def digest(self) -> str:
        """Digest of the manifest; a derived set names its parents by it."""
        # every task asks for it, and of a terabyte of shards it takes seconds
        return digest_json(self._body())

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
        try:
            return cls._checked(_parse(raw, at), raw, at)
        except RecursionError:  # deep, and yet not too deep for the JSON parser
            raise SetError(sentence("JSON", "endless nesting", _all_of(raw, at))) from None

    @classmethod
    def _checked(cls, body: Json, raw: bytes, at: str) -> Manifest:
        stated = body.pop("digest", None)
        if stated != digest_json(body):
            raise _damaged(raw, at)
        try:
            check({"names": {}, "teacher": None, **body}, SHAPE)
        except Misshapen as error:
            where = f"{at}, bytes 0–{len(raw) - 1}, member {error.member}"
            raise SetError(sentence(error.expected, error.found, where)) from None
        body["shards"] = tuple(shard_entry(s) for s in body["shards"])
        body["files"] = tuple(FileEntry(**f) for f in body["files"])
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
            if not path.is_file():
                raise SetError(_absent(root))
            if path.stat().st_size > MOST_BYTES:
                found = f"{path.stat().st_size:,} bytes"
                raise SetError(sentence(f"at most {MOST_BYTES:,} bytes", found, f"{path}, byte 0"))
            raw = path.read_bytes()
        except OSError as error:
            found = error.strerror or "an error"
            raise SetError(sentence("a readable manifest", found, str(path))) from None
        return _read(raw, str(path))


@lru_cache(maxsize=8)
def _read(raw: bytes, at: str) -> Manifest:
    """A manifest that is opened again and again is checked once; nobody changes one in place."""
    return Manifest.from_bytes(raw, at)


def _parse(raw: bytes, at: str) -> Json:
    try:
        body = json.loads(raw, parse_constant=_no_constant)
        canonical(body)  # lone surrogates are JSON, but no text
    except json.JSONDecodeError as error:
        raise SetError(sentence("JSON", error.msg, f"{at}, byte {error.pos}")) from None
    except UnicodeDecodeError as error:
        raise SetError(sentence("UTF-8", error.reason, f"{at}, byte {error.start}")) from None
    except UnicodeEncodeError as error:
        raise SetError(sentence("text in UTF-8", error.reason, _all_of(raw, at))) from None
    except RecursionError:
        raise SetError(sentence("JSON", "endless nesting", _all_of(raw, at))) from None
    except ValueError as error:  # numbers of thousands of digits, NaN
        raise SetError(sentence("JSON", str(error), _all_of(raw, at))) from None
    if not isinstance(body, dict):
        raise SetError(sentence("a JSON object", type(body).__name__, _all_of(raw, at)))
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"the constant {name}")


def shard_entry(entry: Json) -> ShardEntry:
    """A shard's entry from its JSON."""
    return ShardEntry(**{**entry, "pieces": tuple(entry["pieces"])})


def _damaged(raw: bytes, at: str) -> SetError:
    found = "other content than its digest says"
    return SetError(sentence("a manifest as written", found, _all_of(raw, at)))


def _all_of(raw: bytes, at: str) -> str:
    return f"{at}, bytes 0–{max(0, len(raw) - 1)}"


def _absent(root: Path) -> str:
    if (root / "model.json").is_file():  # which has a `_run` too
        return sentence("a shard set", "a model", str(root), "name a directory of a set")
    if (root / "export.json").is_file():
        return sentence("a shard set", "an export", str(root), "name the set that it was made of")
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
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [told for i, (a, b) in pairs for told in differences(a, b, f"{at}[{i}]")]
    if old == new:
        return []
    return [f"{at} was {_short(old)}, is {_short(new)}"]


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
