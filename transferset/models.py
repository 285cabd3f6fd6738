"""The record of a model: what it is, from what it was made, and how anyone can check it.

`model.json` is written last into a model's directory, so its existence means that the model is
complete. It is to a model what the manifest is to a set: canonical JSON with its own digest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from transferset.errors import SetError, sentence
from transferset.files import digest_file
from transferset.manifest import FileEntry, Json, digest_json, pretty
from transferset.shapes import Misshapen, Nullable, anything, check, count, file_name, seed, text

RECORD: Final = "model.json"

#: Version of the record; a reader refuses what it does not know.
RECORD_VERSION: Final = 1

#: No record is larger.
_MOST_BYTES: Final = 1 << 28

#: What to do about a damaged file.
_REMEDY: Final = "restore the file, or make the model again with --force"

#: What a record must look like before anything in it is used.
SHAPE: Final[dict[Any, Any]] = {
    "format": count,
    "name": text,
    "op": text,
    "params": {...: anything},
    "seed": seed,
    "generator": text,
    "recipe": text,
    "code": {...: anything},
    "base": Nullable({"name": text, ...: anything}),
    "parents": [{"name": text, ...: anything}],
    "tokenizer": {...: anything},
    "examples": {...: anything},
    "metrics": {...: anything},
    "licence": text,
    "files": [{"file": file_name, "bytes": count, "blake3": text}],
}


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is known of a model.

    Attributes:
        format: `RECORD_VERSION`.
        name: For people.
        op: The command that made it, like `lm fit`.
        params: Its options.
        seed: Of all random choices.
        generator: Of random numbers.
        recipe: Digest of everything that determines the weights.
        code: Releases of what computed, threads, device.
        base: The model that it was made from, with its digests and lineage; None if from scratch.
        parents: The sets it was trained on and measured with, as in a manifest.
        tokenizer: Where its tokenizer is from, and how many pieces it has.
        examples: Counts of what it was trained on, and of what was left out.
        metrics: What was measured.
        licence: Of sets and base.
        files: All files but the card, the log and the record itself.
    """

    format: int
    name: str
    op: str
    params: Json
    seed: int
    generator: str
    recipe: str
    code: Json
    base: Json | None
    parents: Sequence[Json]
    tokenizer: Json
    examples: Json
    metrics: Json
    licence: str
    files: Sequence[FileEntry]

    def _body(self) -> Json:
        return {**asdict(self), "files": [asdict(entry) for entry in self.files]}

    def to_bytes(self) -> bytes:
        """Canonical JSON with the digest of itself as a member."""
        body = self._body()
        return pretty({**body, "digest": digest_json(body)})

    @property
    def digest(self) -> str:
        """Digest of the record; what is made from the model names it by it."""
        return digest_json(self._body())

    @classmethod
    def from_bytes(cls, raw: bytes, at: str) -> Record:
        """Parse and check.

        Args:
            raw: Content of `model.json`.
            at: Its path, for messages.

        Raises:
            SetError: Not JSON, unknown or missing members, or not the bytes that were written.
        """
        try:
            body = json.loads(raw)
            if not isinstance(body, dict):
                raise SetError(sentence("an object of JSON", type(body).__name__, at))
            stated = body.pop("digest", None)
            if stated != digest_json(body):
                raise SetError(sentence("a record as written", "other content", at, _REMEDY))
            check(body, SHAPE)
        except Misshapen as error:
            raise SetError(sentence(error.expected, error.found, f"{at}, {error.member}")) from None
        except (ValueError, RecursionError) as error:
            found = str(error) or type(error).__name__
            raise SetError(sentence("a record in JSON", found, at, _REMEDY)) from None
        if body["format"] != RECORD_VERSION:
            found = f"format {body['format']}"
            raise SetError(sentence(f"format {RECORD_VERSION}", found, at, "use its version"))
        return cls(**{**body, "files": tuple(FileEntry(**entry) for entry in body["files"])})

    @classmethod
    def read(cls, root: Path) -> Record:
        """Read the record of the model at `root`.

        Raises:
            SetError: There is none, or it is damaged.
        """
        path = root / RECORD
        if not path.is_file():
            raise SetError(_absent(root))
        try:
            if path.stat().st_size > _MOST_BYTES:
                found = f"{path.stat().st_size:,} bytes"
                raise SetError(sentence(f"at most {_MOST_BYTES:,} bytes", found, str(path)))
            raw = path.read_bytes()
        except OSError as error:
            found = error.strerror or "an error"
            raise SetError(sentence("a readable record", found, str(path))) from None
        return cls.from_bytes(raw, str(path))


def _absent(root: Path) -> str:
    if (root / "_run").is_dir():
        do = "run its command again to finish it"
        return sentence("a finished model", "an unfinished one", str(root), do)
    found = f"no {RECORD}" if root.is_dir() else "no such directory"
    return sentence("a model of transferset's", found, str(root))


@dataclass(frozen=True, slots=True)
class Model:
    """A finished model on disk."""

    root: Path
    record: Record

    @classmethod
    def open(cls, root: str | Path) -> Model:
        """Open a model, checking that every file is there in its full length.

        Args:
            root: Its directory.

        Raises:
            SetError: No model, an unfinished one, or a damaged one.
        """
        root = Path(root)
        found = cls(root, Record.read(root))
        for entry in found.record.files:
            _check_size(root / entry.file, entry.bytes)
        return found

    def verify(self) -> Model:
        """Check the digest of every file.

        Raises:
            SetError: The first file that is not as written.
        """
        for entry in self.record.files:
            path = self.root / entry.file
            if digest_file(path) != entry.blake3:
                raise SetError(sentence("bytes as written", "others", str(path), _REMEDY))
        return self

    def __repr__(self) -> str:
        """Name and place."""
        return f"Model({self.record.name!r}, {str(self.root)!r})"


def is_model(root: str | Path) -> bool:
    """Whether a directory holds a finished model of transferset's."""
    return (Path(root) / RECORD).is_file()


def _check_size(path: Path, size: int) -> None:
    try:
        found = path.stat().st_size
    except OSError as error:
        reason = error.strerror or "an error"
        raise SetError(sentence(f"{size:,} bytes", reason, str(path), _REMEDY)) from None
    if found != size:
        raise SetError(sentence(f"{size:,} bytes", f"{found:,}", str(path), _REMEDY))
