"""How the files of a task are to be read, as the command line says it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.sources.tasks.layouts import LAYOUTS, Layout, layout_of

#: What `format` may be.
FORMATS: Final = ("tsv", "csv", "jsonl", "parquet", "arrow", "rasa-md", "rasa-yaml")

LABEL_TYPES: Final = ("auto", "class", "regression")
ENTITIES: Final = ("strip", "placeholder")

#: Read by the same code as if the mark at their beginning were not there.
_UTF8: Final = ("utf-8", "utf_8", "utf-8-sig", "utf_8_sig")


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How the files of a task are read; names as on the command line.

    Args:
        layout: A known layout, see `layouts.LAYOUTS`; its columns need no names.
        text: The column of the text: a name, or its number from 1.
        text_pair: The column of the second text; None where texts are single.
        label: The column of the label; None where there is none.
        format: One of `FORMATS`; None goes by the layout and by files' names.
        header: Whether the first row names the columns; None finds it: if it holds `text`.
        delimiter: What parts the fields of TSV and CSV, one character; None is a tab or a comma.
        quoting: Whether quotes are those of RFC 4180; None: in CSV they are, in TSV they are text.
        encoding: Of delimited and Rasa files; None is the layout's, else UTF-8.
        label_type: `class`, `regression`, or `auto`.
        entities: What becomes of Rasa's annotations: their text (`strip`) or `placeholder`.
        split: Of a `datasets` folder or hub name.
        skip_damaged: Whether malformed rows are left out and counted, not an error.

    Raises:
        UsageError: A value is not one of those, or two do not go together.
    """

    layout: str | None = None
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    format: str | None = None
    header: bool | None = None
    delimiter: str | None = None
    quoting: bool | None = None
    encoding: str | None = None
    label_type: str = "auto"
    entities: str = "strip"
    split: str | None = None
    skip_damaged: bool = False

    def __post_init__(self) -> None:
        _one_of("--format", self.format, (*FORMATS, None))
        _one_of("--label-type", self.label_type, LABEL_TYPES)
        _one_of("--entities", self.entities, ENTITIES)
        self._check_columns()
        self._check_layout()
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.delimiter is not None and (
            len(self.delimiter) != 1 or self.delimiter in '"\r\n' or self.delimiter > "~"
        ):
            raise UsageError(sentence("--delimiter of one character of ASCII", self.delimiter))

    @property
    def known_layout(self) -> Layout | None:
        """The layout that `layout` names."""
        return None if self.layout is None else layout_of(self.layout)

    def _check_columns(self) -> None:
        named = [c for c in (self.text, self.text_pair, self.label) if c is not None]
        if self.layout is not None and named:
            found = f"--layout {self.layout} and the column {named[0]}"
            raise UsageError(sentence("--layout, or names of columns", found, do="leave one out"))
        if named and self.text is None:
            found = f"the column {named[0]} alone"
            raise UsageError(sentence("--text and other columns", found, do="say --text NAME"))
        if len(set(named)) < len(named):
            raise UsageError(sentence("different columns", f"{', '.join(named)}"))

    def _check_layout(self) -> None:
        layout = self.known_layout
        if layout is None:
            return
        stated = "regression" if layout.range else "class"
        if layout.labelled and self.label_type not in ("auto", stated):
            expected = f"--label-type {stated} of the layout {layout.name}"
            raise UsageError(sentence(expected, self.label_type, do="leave --label-type out"))
        if self.format is not None and self.format not in layout.formats:
            expected = f"--format out of {', '.join(layout.formats)} of the layout {layout.name}"
            raise UsageError(sentence(expected, self.format, do="leave --format out"))


def _one_of(option: str, value: str | None, known: tuple[str | None, ...]) -> None:
    if value not in known:
        names = ", ".join(name for name in known if name)
        raise UsageError(sentence(f"{option} out of {names}", str(value)))


def check_encoding(name: str) -> str:
    """The name under which bytes are decoded.

    Raises:
        UsageError: There is no such encoding, or in it bytes of ASCII may be other characters, so
            that lines could not be told apart before they are decoded.
    """
    if name.lower() in _UTF8:
        return "utf-8"
    probe = bytes(range(128)) + rb"\u0041\x41\N{DIGIT ONE}"
    try:
        whole = "".join(codecs.decode(bytes([b]), name) for b in range(128))
        usable = codecs.decode(probe, name) == probe.decode("ascii") == whole + probe[128:].decode()
    except (LookupError, ValueError, TypeError, AssertionError, OSError):
        usable = False
    if not usable:
        expected = "an --encoding that Python knows and that holds ASCII, such as latin-1 or cp1252"
        raise UsageError(sentence(expected, name, do="convert the file to UTF-8 with iconv"))
    return name


__all__ = ["ENTITIES", "FORMATS", "LABEL_TYPES", "LAYOUTS", "TaskOptions", "check_encoding"]
