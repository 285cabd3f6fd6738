"""Files of delimited fields (TSV, CSV) and of lines that begin with a label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from transferset.errors import InputError, UsageError, printable, sentence
from transferset.ledger import Reason
from transferset.sources.tasks import lines, quoted
from transferset.sources.tasks.labels import LabelReader
from transferset.sources.tasks.layouts import Layout, Names, Places
from transferset.sources.tasks.options import TaskOptions
from transferset.sources.tasks.reading import EMPTY, Flaw, Row

#: What separates fields, and whether they may be quoted, by format.
_TSV: Final = ("\t", False)
_CSV: Final = (",", True)

#: Columns that say that a file of GLUE is one of its test files, which have no labels.
_OF_TESTS: Final = ("index", "id")

_SHOWN: Final = 20
_SPACE: Final = re.compile(r"[ \t]+")
_DIGITS: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)

Fields = Iterator[tuple[int, list[str] | Flaw]]


@dataclass(frozen=True, slots=True)
class Grid:
    """How the fields of a file are read.

    Args:
        separator: Of fields; empty where a line is a label and a text.
        quoting: Whether fields may be quoted.
        encoding: Of the file.
        header: Whether the first row names the columns.
        places: Of the columns that are read; None until the file was looked at. A label at -1
            is not there.
        missing: Why there is no label, as the error for whoever needs one; empty if nobody should.
    """

    separator: str
    quoting: bool
    encoding: str
    header: bool = False
    places: Places | None = None
    missing: str = ""

    @property
    def pair(self) -> bool:
        """Whether rows have two texts."""
        return self.places is not None and self.places.pair is not None


def look(path: Path, kind: str, options: TaskOptions) -> Grid:
    """Find the columns of a file from its first row.

    Args:
        path: The file.
        kind: `tsv`, `csv` or `label-text`.
        options: How it is to be read.

    Raises:
        UsageError: The columns that the options name are not there.
        InputError: The first row cannot be read.
    """
    layout = options.known_layout
    encoding = options.encoding or (layout.encoding if layout else "utf-8")
    if kind == "label-text":
        return Grid("", False, encoding, False, Places((2,), 1, None, 0))
    separator, quoting = _CSV if kind == "csv" else _TSV
    separator = options.delimiter or separator
    grid = Grid(separator, quoting if options.quoting is None else options.quoting, encoding)
    first = _first(path, grid)
    if not first:
        return replace(grid, header=bool(options.header), places=Places((0,), 0, None, -1))
    found = _of_layout(first, layout, options) if layout else _of_names(first, options, path)
    if found is None:
        raise _misfit(first, layout, path)
    header, places, missing = found
    return replace(grid, header=header, places=places, missing=missing)


def _first(path: Path, grid: Grid) -> list[str]:
    """The fields of the first row; none of an empty file."""
    for number, fields in _fields(path, grid):
        if isinstance(fields, Flaw):
            do = fields.do or "correct it"
            at = f"{path}, line {number}"
            raise InputError(sentence(fields.expected, fields.found, at, do))
        return fields
    return []


_Found = tuple[bool, Places, str]


def _of_layout(first: list[str], layout: Layout, options: TaskOptions) -> _Found | None:
    columns = [name.strip() for name in first]
    if options.header is not False:
        fitting = [n for n in layout.names if n.text in columns and n.pair in (*columns, None)]
        # a file may have the label of one naming only
        for names in sorted(fitting, key=lambda names: names.label not in columns):
            return True, _placed(names, columns), _missing(names, columns)
    if options.header is True:
        return None
    for places in layout.places:
        if len(first) in places.fields and _is_label(first[places.label], layout):
            return False, places, ""
    return None


def _placed(names: Names, columns: list[str]) -> Places:
    label = columns.index(names.label) if names.label in columns else -1
    pair = None if names.pair is None else columns.index(names.pair)
    return Places((len(columns),), columns.index(names.text), pair, label)


def _missing(names: Names, columns: list[str]) -> str:
    if names.label in columns or columns[0] in _OF_TESTS:
        return ""
    return f"the column {names.label}"


def _is_label(written: str, layout: Layout) -> bool:
    try:
        label_reader(layout, "auto")(written)
    except ValueError:
        return False
    return True


def label_reader(layout: Layout | None, label_type: str) -> LabelReader:
    """What reads the labels of a layout."""
    if layout is None or not layout.labelled:
        return LabelReader(label_type)
    kind = "regression" if layout.range else "class"
    return LabelReader(kind, layout.classes, layout.range, codes=True)


def _misfit(first: list[str], layout: Layout | None, path: Path) -> UsageError:
    assert layout is not None
    columns = " or ".join(_listed([n for n in names if n]) for names in layout.names)
    fields = [str(n) for places in layout.places for n in places.fields]
    expected = f"the columns {columns} of the layout {layout.name}, or {' or '.join(fields)} fields"
    found = f"{len(first)} fields: {_listed(first)}"
    do = "choose another --layout, or name the columns with --text"
    return UsageError(sentence(expected, found, f"{path}, line 1", do))


def _of_names(first: list[str], options: TaskOptions, path: Path) -> _Found:
    at = f"{path}, line 1"
    if options.text is None:
        expected = "--layout, or --text with the name of a column"
        do = "say --text NAME, and --label NAME if there are labels"
        raise UsageError(sentence(expected, f"the first row {_listed(first)}", at, do))
    columns = [name.strip() for name in first]
    header = options.text in columns if options.header is None else options.header
    names = columns if header else []
    text = _place(options.text, names, first, at)
    pair = None if options.text_pair is None else _place(options.text_pair, names, first, at)
    if options.label is None:
        return header, Places((len(first),), text, pair, -1), ""
    try:
        label = _place(options.label, names, first, at)
    except UsageError:  # a file without labels is as good for evaluation
        return header, Places((len(first),), text, pair, -1), f"the column {options.label}"
    return header, Places((len(first),), text, pair, label), ""


def _place(column: str, names: list[str], first: list[str], at: str) -> int:
    """The place of a column, from its name or its number."""
    if names.count(column) > 1:
        do = "name it by its number, from 1"
        raise UsageError(sentence(f"one column {printable(column)}", "several", at, do))
    if column in names:
        return names.index(column)
    if _DIGITS.fullmatch(column) and int(column) <= len(first):
        return int(column) - 1
    what = "the columns" if names else "the first row"
    expected = f"a column {printable(column)}"
    do = "correct its name, or name columns by their numbers, from 1"
    if len(first) == 1 and (marks := [mark for mark in ";\t|," if mark in first[0]]):
        do = f"say --delimiter {marks[0]!r} if that parts the fields"
    raise UsageError(sentence(expected, f"{what} {_listed(first)}", at, do))


def _listed(fields: Iterable[str]) -> str:
    names = [name[:40] for name in fields]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _fields(path: Path, grid: Grid) -> Fields:
    batches = lines.read(path, grid.encoding, keep_returns=grid.quoting)
    if grid.quoting:
        return quoted.rows(batches, grid.separator)
    return _split(batches, grid.separator) if grid.separator else _labelled(batches)


def _split(batches: Iterable[lines.Batch], separator: str) -> Fields:
    for first, batch in batches:
        for number, line in enumerate(batch, first):
            yield number, line if isinstance(line, Flaw) else line.split(separator)


def _labelled(batches: Iterable[lines.Batch]) -> Fields:
    for first, batch in batches:
        for number, line in enumerate(batch, first):
            yield number, line if isinstance(line, Flaw) else _SPACE.split(line, maxsplit=1)


def rows(path: Path, grid: Grid, *, labelled: bool, coarse: bool) -> Iterator[Row]:
    """Read the rows of a file.

    Args:
        path: The file.
        grid: From `look`.
        labelled: Whether labels are read.
        coarse: Whether a label ends at its first colon.

    Yields:
        The number of a row's first line, and what stands in it.
    """
    places = grid.places
    assert places is not None
    counts, text, pair = places.fields, places.text, places.pair
    label = places.label if labelled and places.label >= 0 else None
    found = _fields(path, grid)
    if grid.header:
        next(found, None)
    for number, fields in found:
        if isinstance(fields, Flaw):
            yield number, fields
        elif len(fields) not in counts:
            yield number, _uneven(fields, grid)
        else:
            written = None if label is None else fields[label]
            if coarse and written is not None:
                written = written.partition(":")[0]
            second = None if pair is None else fields[pair]
            yield number, (fields[text], second, written)


def _uneven(fields: list[str], grid: Grid) -> Flaw:
    if fields in ([""], ["\r"]):
        return Flaw("a row", "an empty line", reason=Reason.EMPTY_ROW)
    if not grid.separator:  # a label alone
        return EMPTY
    assert grid.places is not None
    expected = f"{' or '.join(str(n) for n in grid.places.fields)} fields"
    return Flaw(expected, str(len(fields)))
