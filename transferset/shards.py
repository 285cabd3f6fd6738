"""Shard sets: writing shards, opening a set, reading its rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import schema as schemas
from transferset.errors import SetError, TransfersetError, printable, sentence
from transferset.files import HashingFile
from transferset.manifest import MANIFEST, PIECE_BYTES, Manifest, ShardEntry
from transferset.shapes import set_file
from transferset.storage.cache import settled
from transferset.storage.mirrors import mirror
from transferset.storage.mounts import named, present, remote
from transferset.storage.urls import Url, parse

#: What to do about a damaged file.
REMEDY: Final = "restore the file, or build the set again with --force"


def shard_name(index: int, count: int) -> str:
    """`data-00003-of-00064.arrow`."""
    return f"data-{index:05d}-of-{count:05d}.arrow"


class ShardWriter:
    """Writes one shard: an uncompressed Arrow IPC stream of full record batches.

    However the rows arrive, batches are cut at `BATCH_ROWS`, so equal rows give equal bytes.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Open a shard for writing.

        Args:
            path: Final name; nothing is there until `commit`.
            schema: From `schema.make_schema`.
        """
        self._sink = HashingFile(path, PIECE_BYTES)
        self._schema = schema
        self._stream = pa.ipc.new_stream(self._sink, schema)
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._rows = 0
        self._tokens = 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sink.__exit__(kind, error, trace)

    def write(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Append rows; columns must be those of the schema, in its order."""
        if isinstance(rows, pa.RecordBatch):
            if rows.num_rows == schemas.BATCH_ROWS and not self._pending_rows:
                self._write_batch(rows)
                return
            rows = pa.Table.from_batches([rows], self._schema)
        self._append(rows)

    def _append(self, table: pa.Table) -> None:
        self._pending.append(table)
        self._pending_rows += table.num_rows
        if self._pending_rows >= schemas.BATCH_ROWS:
            self._flush(full_only=True)

    def _flush(self, *, full_only: bool) -> None:
        size = schemas.BATCH_ROWS
        table = pa.concat_tables(self._pending)
        stop = table.num_rows - table.num_rows % size if full_only else table.num_rows
        for start in range(0, stop, size):
            part = table.slice(start, min(size, stop - start)).combine_chunks()
            self._write_batch(part.to_batches()[0])
        rest = table.slice(stop)
        self._pending, self._pending_rows = [rest], rest.num_rows

    def _write_batch(self, batch: pa.RecordBatch) -> None:
        own = compact(batch, self._schema)
        self._stream.write_batch(own)
        self._rows += batch.num_rows
        if "input_ids" in self._schema.names:
            self._tokens += len(own.column("input_ids").values)

    def commit(self) -> ShardEntry:
        """Finish the shard and give it its name."""
        if self._pending_rows:
            self._flush(full_only=False)
        self._stream.close()
        digest = self._sink.commit()
        return ShardEntry(
            self._sink.path.name,
            self._rows,
            self._tokens,
            self._sink.size,
            digest,
            tuple(self._sink.pieces),
        )


def compact(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The same rows in buffers that hold nothing else, so that their bytes are determined.

    An IPC writer keeps what a slice left around.

    Args:
        batch: With the columns of the schema, in its order.
        schema: Of the result.
    """
    columns = [
        _with_nulls(column) if field.name in schemas.NULLABLE else _compact(column)
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _with_nulls(array: pa.Array) -> pa.Array:
    """As `_compact`, with nulls: zeros stand below them."""
    missing = array.is_null().to_numpy(zero_copy_only=False)
    values = array.fill_null(0).to_numpy()
    return pa.array(values, array.type, mask=missing if missing.any() else None)


def _compact(array: pa.Array) -> pa.Array:
    """The same values in buffers that hold nothing else, so that their bytes are determined."""
    if array.null_count:
        raise ValueError("expected no nulls in rows to be written")
    if pa.types.is_list(array.type):
        offsets = array.offsets.to_numpy()
        values = array.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
        return pa.ListArray.from_arrays(_from_zero(offsets), _compact(values), type=array.type)
    if pa.types.is_fixed_size_list(array.type):
        values = array.flatten()  # unlike `values`, those of a slice only
        return pa.FixedSizeListArray.from_arrays(_compact(values), type=array.type)
    if pa.types.is_string(array.type):
        _, raw, data = array.buffers()
        offsets = np.frombuffer(raw, np.int32, len(array) + 1, 4 * array.offset)
        used = (data or pa.py_buffer(b"")).slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
        return pa.StringArray.from_buffers(len(array), _from_zero(offsets).buffers()[1], used)
    if pa.types.is_boolean(array.type):
        return pa.array(array.to_numpy(zero_copy_only=False), array.type)
    return pa.array(array.to_numpy(), array.type)


def _from_zero(offsets: npt.NDArray[np.int32]) -> pa.Array:
    return pa.array((offsets - offsets[0]).astype(np.int32))


@dataclass(frozen=True, slots=True)
class ShardSet:
    """A finished shard set on disk; rows are read from mapped memory, never loaded whole."""

    root: Path
    manifest: Manifest

    @classmethod
    def open(cls, root: str | Path) -> ShardSet:
        """Open a set, checking that every file is there in its full length.

        A stream cut at a batch boundary reads as complete, so sizes are checked against the
        manifest. Digests are checked by `verify`, and while a set is read as a parent.

        Args:
            root: The set's directory, or its URL in an object store: of such a one shards come
                when they are read, and digests are checked then.

        Returns:
            The set.

        Raises:
            SetError: No set, an unfinished one, a damaged one, or one of a newer format.
            TransfersetError: A store cannot be asked.
        """
        url = parse(root)
        root = Path(root) if url is None else _published(url)
        manifest = Manifest.read(root)
        if manifest.format != schemas.FORMAT_VERSION:
            found = f"format {manifest.format}"
            raise SetError(
                sentence(f"format {schemas.FORMAT_VERSION}", found, str(root), "use its version")
            )
        away = remote(root) is not None
        for shard in manifest.shards:
            if not away or (root / shard.file).exists():
                check_size(root, shard.file, shard.bytes)
        for entry in manifest.files:
            check_size(root, entry.file, entry.bytes)
        check_totals(root, manifest)
        return cls(root, manifest)

    def __len__(self) -> int:
        """Rows."""
        return self.manifest.totals["rows"]

    @property
    def label(self) -> str:
        """What people call it: the name of its directory, with a choice or a split before it."""
        folder = self.root.resolve()
        split = (folder.parent / "dataset_dict.json").is_file()
        choice = "=" in folder.parent.name  # of a recipe with a matrix
        return f"{folder.parent.name}/{folder.name}" if split or choice else folder.name

    @property
    def place(self) -> str:
        """Where it is, for people: its directory as it was named, or its URL."""
        return named(str(self.root))

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, as every shard has it."""
        path = self.shard_path(self.manifest.shards[0])
        with damage_named(path), pa.memory_map(str(path)) as source:
            return pa.ipc.open_stream(source).schema

    def _stream(self, shard: int) -> Iterator[pa.RecordBatch]:
        return read_batches(self.shard_path(self.manifest.shards[shard]))

    def shard_path(self, entry: ShardEntry) -> Path:
        """Where a shard is, on this machine: of a set at a URL it is brought first.

        Ask right before opening it, and keep what was opened or mapped, not the path: the cache may
        evict the file after some others were asked for.

        Args:
            entry: Of the manifest.

        Raises:
            SetError: The store has another file than the manifest says, or none.
            TransfersetError: The store cannot be asked, or the disk is full.
        """
        return present(self.root / entry.file, size=entry.bytes, blake3=entry.blake3)

    def batches(self, rank: int = 0, world_size: int = 1) -> Iterator[pa.RecordBatch]:
        """Record batches in order, mapped from disk without a copy.

        Args:
            rank: Which share to read, 0 ≤ rank < world_size.
            world_size: Number of shares; batch i belongs to share i mod world_size.

        Yields:
            Batches of up to 10,000 rows.

        Raises:
            ValueError: rank and world_size do not fit.
        """
        if not 0 <= rank < world_size:
            raise ValueError(f"expected 0 ≤ rank < {world_size}, found rank {rank}")
        ordinal = 0
        for shard in range(len(self.manifest.shards)):
            for batch in self._stream(shard):
                if ordinal % world_size == rank:
                    yield batch
                ordinal += 1

    def rows(self, indices: Sequence[int]) -> pa.Table:
        """Some rows, in the order asked for.

        Args:
            indices: Row numbers, 0 ≤ index < len(self).

        Returns:
            A table of those rows.

        Raises:
            IndexError: A row number is out of range.
        """
        starts = list(np.cumsum([0] + [s.rows for s in self.manifest.shards]))
        tables: dict[int, pa.Table] = {}
        picked = []
        for index in indices:
            if not 0 <= index < len(self):
                raise IndexError(f"expected rows 0 to {len(self) - 1}, found {index}")
            shard = bisect_right(starts, index) - 1
            if shard not in tables:
                tables[shard] = pa.Table.from_batches(self._stream(shard))
            picked.append(tables[shard].slice(index - int(starts[shard]), 1))
        return pa.concat_tables(picked) if picked else self.schema.empty_table()

    def __repr__(self) -> str:
        """Name, rows and place."""
        where = printable(self.place, limit=4096)
        return f"ShardSet({self.manifest.name!r}, {len(self):,} rows, {where!r})"


def _published(url: Url) -> Path:
    """The place of a set at a URL; what is only there, and not yet at the URL, is no set."""
    root = mirror(url)
    if (root / MANIFEST).is_file() and not settled(root / MANIFEST):
        do = "run its command again to publish it"
        raise SetError(sentence("a published set", "one that is not yet", str(url), do))
    return root


def read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Batches of one shard, mapped, each checked before anything follows its offsets.

    Raises:
        SetError: The shard cannot be read; a wild offset would otherwise end the process.
    """
    with damage_named(path), pa.memory_map(str(path)) as source:
        for batch in pa.ipc.open_stream(source):
            batch.validate(full=True)
            yield batch


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn Arrow's complaints about a shard into one sentence."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        where = f"{path}, byte 0 or later"
        raise SetError(sentence("a readable shard", found, where, REMEDY)) from error


def stated_schema(found: ShardSet) -> pa.Schema:
    """The schema that every shard must have, by the manifest's word.

    Raises:
        SetError: The manifest's columns are not those of the format.
    """
    kinds = found.manifest.schema
    ids = pa.uint16() if "uint16" in kinds.get("input_ids", "") else pa.int32()
    label = schemas.SCORE if kinds.get("label") == str(schemas.SCORE) else None
    try:
        logits = schemas.stated_logits(kinds)
        expected = schemas.make_schema(list(kinds), ids, label, found.manifest.names, logits)
    except TransfersetError as error:
        raise SetError(f"{error} ({found.root / MANIFEST})") from None
    if schemas.describe(expected) != kinds:
        where = str(found.root / MANIFEST)
        raise SetError(sentence("columns of the format", str(dict(kinds)), where, REMEDY))
    return expected


def check_totals(root: Path, manifest: Manifest) -> None:
    """Check that a manifest's totals are those of its shards.

    Raises:
        SetError: They are not, or there is no shard.
    """
    sums = {
        name: sum(getattr(entry, name) for entry in manifest.shards)
        for name in ("rows", "tokens", "bytes")
    }
    stated = {name: manifest.totals[name] for name in sums}
    if sums != stated or not manifest.shards:
        told = ", ".join(f"{count:,} {name}" for name, count in sums.items())
        found = ", ".join(f"{count:,} {name}" for name, count in stated.items())
        where = str(root / MANIFEST)
        raise SetError(sentence(f"totals of the shards, {told}", found, where, REMEDY))


def check_size(root: Path, file: str, size: int) -> None:
    """Check that a file of a set is there in full length.

    Raises:
        SetError: It is missing, or has another size.
    """
    path = root / file
    if not set_file(file):
        raise SetError(sentence("plain file names in the manifest", file, str(root)))
    try:
        found = path.stat().st_size
    except OSError as error:
        reason = error.strerror or "an error"
        raise SetError(sentence(f"{size} bytes", reason, f"{path}, byte 0", REMEDY)) from None
    if found != size:
        where = f"{path}, byte {min(found, size)}"
        raise SetError(sentence(f"{size} bytes", f"{found}", where, REMEDY))
