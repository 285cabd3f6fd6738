"""The options that every build shares, and what recipe and manifest say of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final, Self

import pyarrow as pa

from transferset import schema
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.tokens import WordPiece

#: More files than anybody wants in a directory.
MOST_SHARDS: Final = 10_000

UNITS: Final = ("sentence", "document")

#: What torch computes on here; others lack what is needed, as a type that autocast takes.
_DEVICE: Final = re.compile(r"cpu|cuda(:\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BuildParams:
    """The options of a build that determine bytes; names as on the command line."""

    splitter: str | None = None
    unit: str = "sentence"
    min_len: int = 0
    max_len: int | None = None
    keep_text: bool = False
    shuffle: bool = True
    shards: int | None = None
    limit: int | None = None
    skip_damaged: bool = False

    def checked(self) -> Self:
        """The parameters, if they are possible.

        Raises:
            UsageError: A value is out of range.
        """
        if self.unit not in UNITS:
            raise UsageError(sentence(f"--unit {' or '.join(UNITS)}", self.unit))
        for name, value, least in (
            ("min-len", self.min_len, 0),
            ("max-len", self.max_len, 3),
            ("shards", self.shards, 1),
            ("limit", self.limit, 1),
        ):
            if value is not None and value < least:
                or_none = ", or 0 for no limit" if name == "max-len" else ""
                raise UsageError(sentence(f"--{name} of at least {least}{or_none}", str(value)))
        if self.shards is not None and self.shards > MOST_SHARDS:
            raise UsageError(sentence(f"--shards up to {MOST_SHARDS:,}", f"{self.shards:,}"))
        if self.max_len is not None and self.min_len > self.max_len:
            found = f"--min-len {self.min_len} and --max-len {self.max_len}"
            raise UsageError(sentence("--min-len up to --max-len", found))
        return self

    def to_json(self) -> Json:
        """The parameters as they stand in recipe and manifest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def tokenizer_json(tokenizer: WordPiece) -> Json:
    """What recipe and manifest say of a tokenizer."""
    info = tokenizer.info
    return {
        "name": info.name,
        "kind": info.kind,
        "sha256": info.sha256,
        "vocab_size": info.vocab_size,
        "special_ids": {
            "cls": info.cls_id,
            "sep": info.sep_id,
            "pad": info.pad_id,
            "unk": info.unk_id,
            "mask": info.mask_id,
        },
        "lowercase": info.lowercase,
    }


def schema_of(params: BuildParams, tokenizer: WordPiece) -> pa.Schema:
    """The schema of a set that is built with these options."""
    text = ["text"] if params.keep_text else []
    columns = ["input_ids", *text, "doc_id", "rev_id", "sentence", "source"]
    return schema.make_schema(columns, schema.ids_type(tokenizer.info.vocab_size))


def check_seed(seed: int) -> int:
    """A seed that a manifest can hold.

    Raises:
        UsageError: It is out of range.
    """
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a --seed from 0 to 2**64-1", str(seed)))
    return seed


def check_device(device: str | None) -> str:
    """A device as torch names it.

    Args:
        device: None is the processor.

    Raises:
        UsageError: It is neither the processor nor a CUDA device.
    """
    named = "cpu" if device is None else str(device)
    if not _DEVICE.fullmatch(named):
        raise UsageError(sentence("a device of torch's, cpu or cuda", named or "none", "--device"))
    return named
