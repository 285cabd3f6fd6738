"""What `build wiki` is going to do: inputs opened and checked, nothing written yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa

from transferset import rng, schema
from transferset.errors import UsageError, sentence
from transferset.files import digest_file
from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.sentences import get_splitter
from transferset.sources.dump import Dump, Part
from transferset.sources.local import LocalFile
from transferset.tokens import WordPiece

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: More files than anybody wants in a directory.
MOST_SHARDS: Final = 10_000

UNITS: Final = ("sentence", "document")


@dataclass(frozen=True, slots=True)
class WikiParams:
    """The options of `build wiki` that determine bytes; names as on the command line."""

    splitter: str | None = None
    unit: str = "sentence"
    min_len: int = 0
    max_len: int | None = None
    keep_text: bool = False
    shuffle: bool = True
    shards: int | None = None
    limit: int | None = None
    skip_damaged: bool = False

    def checked(self) -> WikiParams:
        """The parameters with defaults resolved.

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


@dataclass(frozen=True, slots=True)
class WikiSource:
    """One dump file and where it comes from.

    Attributes:
        dump: The opened file.
        code: Value of the `source` column: files of one wiki share it.
        origin: Name, URL, date, licence and digest, as in recipe and manifest.
    """

    dump: Dump
    code: int
    origin: Json


@dataclass(frozen=True, slots=True)
class WikiPlan:
    """A build whose inputs are known and checked; nothing has been written yet."""

    name: str
    sources: tuple[WikiSource, ...]
    tokenizer: WordPiece
    params: WikiParams
    seed: int
    engine: str
    parts: tuple[tuple[int, Part], ...]
    preset: Json | None = None

    @property
    def recipe(self) -> Json:
        """Everything that determines the bytes of the set."""
        return {
            "op": "build wiki",
            "data_version": DATA_VERSION,
            "format": schema.FORMAT_VERSION,
            "params": params_json(self.params),
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "tokenizer": tokenizer_json(self.tokenizer),
            "sources": [source.origin for source in self.sources],
        }

    @property
    def schema(self) -> pa.Schema:
        """The schema of the set."""
        text = ["text"] if self.params.keep_text else []
        columns = ["input_ids", *text, "doc_id", "rev_id", "sentence", "source"]
        return schema.make_schema(columns, schema.ids_type(self.tokenizer.info.vocab_size))


def params_json(params: WikiParams) -> Json:
    """The parameters as they stand in recipe and manifest."""
    return {name: getattr(params, name) for name in WikiParams.__dataclass_fields__}


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


def make_plan(
    files: Sequence[LocalFile],
    tokenizer: WordPiece,
    params: WikiParams,
    *,
    name: str,
    seed: int,
    engine: str,
    preset: Json | None = None,
) -> WikiPlan:
    """Open and check the inputs of a build.

    Args:
        files: Dump files, from `sources.resolve`.
        tokenizer: Loaded tokenizer.
        params: Options that determine bytes.
        name: Name of the set, for people.
        seed: 0 ≤ seed < 2**64.
        engine: Which engine workers use; the ids are the same.
        preset: Name and deviations of a preset, for the manifest.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range.
        InputError: A file is not a dump.
    """
    params = params.checked()
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a --seed from 0 to 2**64-1", str(seed)))
    sources = []
    codes: dict[str, int] = {}
    for file in files:
        dump = Dump.open(file.path, skip_damaged=params.skip_damaged)
        code = codes.setdefault(dump.site.dbname or file.path.name, len(codes))
        language = dump.site.language or file.language or ""
        splitter = get_splitter(params.splitter, language)
        made_by = f"{splitter.name} {splitter.version}"
        origin = {**_origin(file, dump, code), "language": language, "splitter": made_by}
        sources.append(WikiSource(dump, code, origin))
    return WikiPlan(
        name,
        tuple(sources),
        tokenizer,
        params,
        seed,
        engine,
        _parts(sources, params.limit, skip_damaged=params.skip_damaged),
        preset,
    )


def _origin(file: LocalFile, dump: Dump, code: int) -> Json:
    return {
        "code": code,
        "file": file.path.name,
        "bytes": file.path.stat().st_size,
        "blake3": digest_file(file.path),
        "published": dict(file.digests),
        "url": file.url,
        "date": file.date,
        "licence": file.licence or _licence(dump),
        "wiki": dump.site.dbname,
        "base": dump.site.base,
    }


def _licence(dump: Dump) -> str | None:
    # a dump does not state its licence, but these wikis have one for all of their text
    host = urlsplit(dump.site.base).hostname or ""
    wikipedia = host == "wikipedia.org" or host.endswith(".wikipedia.org")
    return "CC BY-SA (the wiki's; the file does not say which version)" if wikipedia else None


def _parts(
    sources: Sequence[WikiSource], limit: int | None, *, skip_damaged: bool
) -> tuple[tuple[int, Part], ...]:
    found: list[tuple[int, Part]] = []
    for i, source in enumerate(sources):
        if limit is None:
            found += [(i, part) for part in source.dump.parts()]
            continue
        parts = source.dump.locate(limit, skip_damaged=skip_damaged)
        found += [(i, part) for part in parts]
        if parts[-1].max_pages is not None:
            break
        limit -= sum(1 for p in parts for _ in source.dump.read(p, Ledger()))
    return tuple(found)
