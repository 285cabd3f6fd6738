"""What `build task` reads: files of examples, found, looked at, and read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from transferset.errors import InputError, UsageError, sentence
from transferset.ledger import Ledger
from transferset.sources.records.finding import SUFFIXES, LocalRecords, find
from transferset.sources.tasks import delimited, lines, objects, rasa, rasa_yaml
from transferset.sources.tasks.labels import LabelKind, LabelReader, kind_of
from transferset.sources.tasks.options import TaskOptions, check_encoding
from transferset.sources.tasks.reading import Row, TaskReader

#: Kinds of files by the end of their names.
_RECORDS: Final = {end: kind for end, kind in SUFFIXES.items() if kind != "txt"}
_RASA: Final = {".md": "rasa-md", ".yml": "rasa-yaml", ".yaml": "rasa-yaml"}
_KINDS: Final = {".tsv": "tsv", ".csv": "csv", **_RECORDS, **_RASA}

#: Ends of names that say little: what such a file is, a layout says.
_OF_LAYOUT: Final = (".tsv", ".csv", ".txt", ".all")

_UNCHANGED: Final = "do not change a file while it is read"


@dataclass(frozen=True, slots=True)
class TaskFile:
    """One file of examples that can be read now; made by `open_tasks`.

    Args:
        path: The file.
        name: What recipes and notes call it: relative to the folder that the user named.
        kind: One of `options.FORMATS`, or `label-text`.
        bytes: Its size.
        origin: `url`, `revision` and `licence`; None where nobody said.
        pair: Whether rows have two texts.
        classes: Names of the labels by code, where the layout or the file states them.
    """

    path: Path
    name: str
    kind: str
    bytes: int
    origin: Mapping[str, str | None]
    pair: bool
    classes: tuple[str, ...]
    _options: TaskOptions = field(repr=False)
    _columns: object = field(repr=False)

    def read(self, ledger: Ledger, *, labelled: bool = True) -> TaskReader:
        """Read the examples.

        Args:
            ledger: Takes a count for each row that gives no example.
            labelled: Whether labels are read; without, the file needs none.

        Returns:
            The examples in order; the reader also has counts, notes and the tally of labels.

        Raises:
            UsageError: The file has no labels where the options say that it has.
            InputError: The file has changed; while it is read: see `TaskReader`.
        """
        size = _size(self.path)
        if size != self.bytes:
            expected = f"{self.bytes:,} bytes"
            raise InputError(sentence(expected, f"{size:,}", str(self.path), _UNCHANGED))
        missing = getattr(self._columns, "missing", "")
        if labelled and missing:
            do = "correct --label, or leave labels out"
            raise UsageError(sentence(missing, "none", str(self.path), do))
        others: Counter[str] = Counter()
        reader = self._label_reader() if labelled else None
        unit = "row" if self.kind in ("parquet", "arrow") else "line"
        at = (str(self.path), self.name)
        skip = self._options.skip_damaged
        return TaskReader(at, unit, self._rows(labelled, others), reader, ledger, skip, others)

    def _label_reader(self) -> LabelReader:
        layout = self._options.known_layout
        if self.classes and not (layout and layout.labelled):
            return LabelReader("class", self.classes)
        return delimited.label_reader(layout, self._options.label_type)

    def _rows(self, labelled: bool, others: Counter[str]) -> Iterator[Row]:
        options, columns = self._options, self._columns
        whole = options.label_type == "class" or bool(self.classes)
        if isinstance(columns, delimited.Grid):
            coarse = options.layout == "trec"
            return delimited.rows(self.path, columns, labelled=labelled, coarse=coarse)
        if isinstance(columns, objects.Members):
            return objects.rows(self.path, self.bytes, columns, labelled=labelled, whole=whole)
        if columns is None:
            encoding = check_encoding(options.encoding or "utf-8")
            batches = lines.read(self.path, encoding)
            read = rasa.rows if self.kind == "rasa-md" else rasa_yaml.rows
            return read(batches, str(self.path), options.entities, others)
        from transferset.sources.tasks import tables

        assert isinstance(columns, tables.Table)
        return tables.rows(self.path, self.kind, columns, labelled=labelled, whole=whole)


def open_tasks(
    sources: Sequence[str], options: TaskOptions, cache: Path | None = None
) -> list[TaskFile]:
    """Find and open files of examples.

    Args:
        sources: Files, folders or hub names, see `records.finding.find`.
        options: How they are read.
        cache: Where downloads are kept; None is the cache of huggingface_hub.

    Returns:
        The files in reading order: that of `sources`, those of a folder by name.

    Raises:
        UsageError: No such source, column or split, or it is not clear which.
        InputError: A file is not what its name says, or was cut off.
        SetError: A shard set is damaged or unfinished.
        TransfersetError: The hub did not answer.
    """
    if not sources:
        raise UsageError(sentence("a file, folder or hub name", "nothing"))
    found = [file for source in sources for file in _find(str(source), options, cache)]
    seen: set[Path] = set()
    for file in found:
        real = file.path.resolve()
        if real in seen:
            raise UsageError(sentence("each file once", "it named twice", str(file.path)))
        seen.add(real)
    return [_open(file, options) for file in found]


def _find(source: str, options: TaskOptions, cache: Path | None) -> list[LocalRecords]:
    layout, format = options.known_layout, options.format
    if layout is None:
        return find(source, format, options.split, cache, _KINDS)
    if layout.format == "rasa-md":
        return find(source, format, options.split, cache, _RASA)
    kind = format or layout.format
    suffixes = {**dict.fromkeys(_OF_LAYOUT, kind), **_RECORDS}
    path = Path(source)
    if format is None and path.is_file() and not _is_named(path, suffixes):
        return find(source, kind, options.split, cache, suffixes)
    return find(source, format, options.split, cache, suffixes)


def _is_named(path: Path, suffixes: Mapping[str, str]) -> bool:
    return any(end.lower() in suffixes for end in path.suffixes[-2:])


def _open(file: LocalRecords, options: TaskOptions) -> TaskFile:
    size = _size(file.path)
    columns = _look(file, size, options)
    layout = options.known_layout
    classes = (layout.classes if layout else ()) or getattr(columns, "classes", ())
    pair = bool(getattr(columns, "pair", False))
    return TaskFile(
        file.path, file.name, file.kind, size, file.origin, pair, classes, options, columns
    )


def _look(file: LocalRecords, size: int, options: TaskOptions) -> object:
    if file.kind in ("rasa-md", "rasa-yaml"):
        if options.text is not None:
            expected, do = "no columns of Rasa's files", "leave --text out"
            raise UsageError(sentence(expected, f"--text {options.text}", str(file.path), do))
        return None
    if file.kind in ("tsv", "csv", "label-text"):
        return delimited.look(file.path, file.kind, options)
    if file.kind == "jsonl":
        return objects.look(file.path, size, options)
    from transferset.sources.tasks import tables

    return tables.look(file.path, file.kind, options)


def label_names(files: Sequence[TaskFile], options: TaskOptions) -> LabelKind:
    """Tell what the labels of a task are by reading all of its files once.

    Whoever reads them anyway hands `kind_of` the tallies of the readers instead.

    Raises:
        InputError: A row is malformed (see `TaskReader`), or labels do not fit each other.
        UsageError: Files state different classes, or there are too many.
    """
    ledger = Ledger()
    tallies = []
    for file in files:
        reader = file.read(ledger)
        for _ in reader:
            pass
        tallies.append((str(file.path), reader.labels))
    skip = options.skip_damaged
    return kind_of(tallies, options.label_type, classes_of(files), skip_damaged=skip)


def classes_of(files: Sequence[TaskFile]) -> tuple[str, ...]:
    """The names of the classes that a layout or the files state; empty where nobody does.

    Raises:
        UsageError: Files state different ones.
    """
    first = files[0].classes if files else ()
    for file in files:
        if file.classes != first:
            expected = f"the classes of {files[0].name}"
            do = "build them apart"
            raise UsageError(sentence(expected, "others", str(file.path), do))
    return first


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        found = error.strerror or "an error"
        raise InputError(sentence("a readable file", found, str(path))) from None
