"""The record of an export: what it was made from, what it holds, and how anyone can check it.

`export.json` is written last into the directory of an export, so its existence means that the
export is complete. It is to an export what the manifest is to a set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from transferset.errors import SetError, sentence
from transferset.files import digest_file
from transferset.manifest import FileEntry, Json, digest_json, pretty
from transferset.shapes import Misshapen, Nullable, anything, check, count, file_name, text
from transferset.storage.mounts import remote

EXPORT: Final = "export.json"

#: Version of the record; a reader refuses what it does not know.
EXPORT_VERSION: Final = 1

#: No record is larger.
_MOST_BYTES: Final = 1 << 28

#: What to do about a damaged file.
REMEDY: Final = "restore the file, or export again with --force"


def inner_file(value: object) -> bool:
    """The plain name of a file, or of one in a folder."""
    names = value.split("/") if isinstance(value, str) else []
    return 1 <= len(names) <= 2 and all(map(file_name, names))


#: What a split may be called: it names files and folders.
SPLIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}")


def split_name(value: object) -> bool:
    """Letters, digits and _, at most 40."""
    return isinstance(value, str) and SPLIT.fullmatch(value) is not None


#: What a record must look like before anything in it is used.
SHAPE: Final[dict[Any, Any]] = {
    "format": count,
    "to": text,
    "version": count,
    "params": {...: anything},
    "recipe": text,
    "code": {...: text},
    "tokenizer": Nullable({...: anything}),
    "licence": text,
    "parts": [
        {
            "split": split_name,
            "name": text,
            "manifest": text,
            "rows": count,
            "tokens": count,
            "columns": {...: text},
            "digests": {...: text},
            "names": {...: [text]},
            ...: anything,
        }
    ],
    "left_out": [text],
    "files": [{"file": inner_file, "bytes": count, "blake3": text}],
}


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """Everything that is known of an export.

    Attributes:
        format: `EXPORT_VERSION`.
        to: The format, as `--to` says.
        version: Of how sets are written in it.
        params: Options as stated.
        recipe: Digest of everything that determines the bytes.
        code: Releases of what wrote it.
        tokenizer: Of the sets, as in their manifests.
        licence: Of the sets.
        parts: A split each: `split`, `name`, `manifest` (digest of the set's), `rows`, `tokens`,
            `columns` (name → type in the export), `digests` (of the values, by column; see
            `exports.contents`), `names` (of codes).
        left_out: What the format cannot hold, in words.
        files: All files but the card and the record itself.
    """

    format: int
    to: str
    version: int
    params: Json
    recipe: str
    code: Mapping[str, str]
    tokenizer: Json | None
    licence: str
    parts: Sequence[Json]
    left_out: Sequence[str]
    files: Sequence[FileEntry]

    def _body(self) -> Json:
        return {**asdict(self), "files": [asdict(entry) for entry in self.files]}

    def to_bytes(self) -> bytes:
        """Canonical JSON with the digest of itself as a member."""
        body = self._body()
        return pretty({**body, "digest": digest_json(body)})

    @property
    def digest(self) -> str:
        """Digest of the record."""
        return digest_json(self._body())

    @property
    def rows(self) -> int:
        """Of all splits."""
        return sum(part["rows"] for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.bytes for entry in self.files)

    def part(self, split: str) -> Json:
        """What is known of a split."""
        return next(part for part in self.parts if part["split"] == split)

    @classmethod
    def from_bytes(cls, raw: bytes, at: str) -> ExportRecord:
        """Parse and check.

        Args:
            raw: Content of `export.json`.
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
                raise SetError(sentence("a record as written", "other content", at, REMEDY))
            check(body, SHAPE)
        except Misshapen as error:
            raise SetError(sentence(error.expected, error.found, f"{at}, {error.member}")) from None
        except (ValueError, RecursionError) as error:
            found = str(error) or type(error).__name__
            raise SetError(sentence("a record in JSON", found, at, REMEDY)) from None
        if body["format"] != EXPORT_VERSION:
            found = f"format {body['format']}"
            raise SetError(sentence(f"format {EXPORT_VERSION}", found, at, "use its version"))
        return cls(**{**body, "files": tuple(FileEntry(**entry) for entry in body["files"])})

    @classmethod
    def read(cls, root: Path) -> ExportRecord:
        """Read the record of the export at `root`.

        Raises:
            SetError: There is none, or it is damaged.
        """
        path = root / EXPORT
        try:
            if not path.is_file():
                raise SetError(_absent(root))
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
        return sentence("a finished export", "an unfinished one", str(root), do)
    found = f"no {EXPORT}" if root.is_dir() else "no such directory"
    return sentence("an export of transferset's", found, str(root))


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export on disk."""

    root: Path
    record: ExportRecord

    @classmethod
    def open(cls, root: str | Path) -> Exported:
        """Open an export, checking that every file is there in its full length.

        Args:
            root: Its directory.

        Raises:
            SetError: No export, an unfinished one, or a damaged one.
        """
        root = Path(root)
        found = cls(root, ExportRecord.read(root))
        away = remote(root) is not None  # files of an export at a URL need not be here
        for entry in found.record.files:
            if not away or (root / entry.file).exists():
                _check_size(root / entry.file, entry.bytes)
        return found

    def check_files(self) -> None:
        """Check the digest of every file.

        Raises:
            SetError: The first file that is not as written.
        """
        for entry in self.record.files:
            path = self.root / entry.file
            if digest_file(path) != entry.blake3:
                raise SetError(sentence("bytes as written", "others", str(path), REMEDY))

    def __repr__(self) -> str:
        """Format and place."""
        return f"Exported({self.record.to!r}, {self.record.rows:,} rows, {str(self.root)!r})"


def is_export(root: str | Path) -> bool:
    """Whether a directory holds a finished export."""
    return (Path(root) / EXPORT).is_file()


def _check_size(path: Path, size: int) -> None:
    try:
        state = path.stat()
    except OSError as error:
        reason = error.strerror or "an error"
        raise SetError(sentence(f"{size:,} bytes", reason, str(path), REMEDY)) from None
    if not S_ISREG(state.st_mode):  # a pipe has 0 bytes, and reading it never ends
        raise SetError(sentence("a plain file", "another kind", str(path), REMEDY))
    if state.st_size != size:
        raise SetError(sentence(f"{size:,} bytes", f"{state.st_size:,}", str(path), REMEDY))
