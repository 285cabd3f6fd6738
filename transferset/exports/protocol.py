"""What a format of `export` is, and what its functions are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.exported import ExportRecord
from transferset.manifest import FileEntry, Json
from transferset.shards import ShardSet
from transferset.stage import Done

#: Gives the texts of a column of ids, and those of the second halves of pairs; null where none is.
Decode = Callable[[Path, pa.ListArray, bool], tuple[pa.StringArray, pa.StringArray | None]]


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say of a format; None leaves it to the format.

    Attributes:
        columns: Of the set, in the order of the set.
        shards: Number of files of each split.
        compression: Of files that can have one: `zstd`, `snappy`, `none`.
        escape: Write tabs, line ends and backslashes of texts as two characters.
        document: `row` or `doc`: what the format's documents are.
        dtype: Of ids: `uint16`, `uint32`, `int32`.
    """

    columns: tuple[str, ...] | None = None
    shards: int | None = None
    compression: str | None = None
    escape: bool | None = None
    document: str | None = None
    dtype: str | None = None

    def given(self) -> Json:
        """Those that were stated, as they stand in recipe and record."""
        stated = asdict(self)
        return {name: value for name, value in stated.items() if value is not None}

    def require(self, takes: Sequence[str], name: str) -> None:
        """Refuse what a format does not take.

        Raises:
            UsageError: An option is stated that has no meaning here.
        """
        for option in fields(self):
            if getattr(self, option.name) is not None and option.name not in takes:
                raise UsageError(sentence(f"no --{option.name} with --to {name}", "one"))


@dataclass(frozen=True, slots=True)
class Part:
    """A set that is exported, as a split of the whole.

    Attributes:
        split: `train`, `validation`, …: letters, digits, `_`, at most 40.
        root: Of the set.
        pair: Its rows are pairs.
    """

    split: str
    root: Path
    pair: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What a format makes of sets, before anything is written.

    Attributes:
        columns: By split, what the export holds of each row, in the order of the set.
        tasks: In order; each with `split` (its number), `start`, `stop`, `rows` and what the format
            adds, like `file`. Of one split they follow each other and cover all rows.
        left_out: What the format cannot hold, in words: for the user and the record.
        files: How many files of rows there will be.
    """

    columns: Mapping[str, Sequence[str]]
    tasks: Sequence[Json]
    files: int
    left_out: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What all tasks of an export share; picklable and small.

    Attributes:
        parts: The sets; a task's `split` is a place in it.
        columns: By split, see `Draft`.
        options: As stated.
        decode: Turns ids into texts; a top-level function.
    """

    parts: tuple[Part, ...]
    columns: Mapping[str, Sequence[str]]
    options: Options
    decode: Decode


#: Told how many bytes more were copied.
Copied = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What tasks left, for `Format.finish`.

    Attributes:
        root: Of the export.
        context: As the tasks had it.
        tasks: See `Draft`.
        results: `Done.result` of each.
        copied: To be told of bytes that are copied.
    """

    root: Path
    context: Context
    tasks: Sequence[Json]
    results: Sequence[Json]
    copied: Copied

    def of(self, split: int) -> list[tuple[Json, Json]]:
        """Tasks and results of a split, in order."""
        both = zip(self.tasks, self.results, strict=True)
        return [(task, result) for task, result in both if task["split"] == split]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of `export`; all functions are top-level.

    Attributes:
        name: As `--to` says.
        version: Raised whenever the same set and options give other bytes.
        summary: What it holds, in a few words.
        takes: Names of `Options`.
        plan: `(sets by split, parts, options) -> Draft`; refuses with a UsageError what cannot be.
        write: `(root, context, task) -> Done`: a task. Its outputs are files of the export, or
            parts of one below `_run/` (`joining.part_path`). Its result is that of `Rows.result`,
            and more if the format needs it.
        finish: `(written) -> entries` of all files of rows and of the format's small files.
        read: `(root, record, split) -> batches` of the columns that the record names, in order,
            by the format's own reader where it is installed.
        reader: Says which one that is, for people.
        share: Bytes of the export to a byte of the set, about, as measured on sentences with ids
            and texts; for `--dry-run`.
        ids: Holds ids, so that the tokenizer's files go with it.
        card: Has a data card for the hub.
        packages: Whose release is part of the recipe, for it stands in the bytes.
        own: Patterns of the files that it writes; `holding.EXPORT` must have them all.
    """

    name: str
    version: int
    summary: str
    takes: tuple[str, ...]
    plan: Callable[[Sequence[ShardSet], Sequence[Part], Options], Draft]
    write: Callable[[Path, Context, Json], Done]
    finish: Callable[[Written], list[FileEntry]]
    read: Callable[[Path, ExportRecord, str], Iterator[pa.RecordBatch]]
    reader: Callable[[], str]
    share: float
    ids: bool = True
    card: bool = False
    packages: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


#: Formats by name, and the module in which each is `FORMAT`.
HOMES: Final[Mapping[str, str]] = {
    "hf": "hf",
    "parquet": "parquet",
    "arrow-file": "arrow_file",
    "megatron": "megatron",
    "mds": "mds",
    "nanogpt": "nanogpt",
    "tsv": "tsv",
    "jsonl": "jsonl",
}


def format_of(name: str) -> Format:
    """The format of a name.

    Raises:
        UsageError: There is none.
    """
    from importlib import import_module

    if name not in HOMES:
        raise UsageError(sentence(f"--to {', '.join(HOMES)}", name))
    found: Format = import_module(f"transferset.exports.{HOMES[name]}").FORMAT
    return found
