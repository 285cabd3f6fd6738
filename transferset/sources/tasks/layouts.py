"""Layouts of task files that are known by name: columns, labels, encodings.

GLUE's files are tab-separated and not quoted: a quotation mark in them is a character of a text,
and QQP and MNLI hold many that nothing closes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from transferset.errors import UsageError, sentence

#: Formats in which columns have names.
STRUCTURED: Final = ("jsonl", "parquet", "arrow")


class Names(NamedTuple):
    """Columns by name: of the text, the second text, the label."""

    text: str
    pair: str | None
    label: str


class Places(NamedTuple):
    """Columns of files without a header, by place from 0, and how many fields a row may have."""

    fields: tuple[int, ...]
    text: int
    pair: int | None
    label: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of a task are laid out.

    Args:
        name: As on the command line.
        names: Columns of files with a header and of records, the file's own first.
        places: Columns of files without a header.
        classes: Names of the labels, in the order of their codes; empty where they differ.
        range: Least and largest score, of regression tasks.
        encoding: Of its delimited files.
        format: What its files are that are not records: `tsv`, `label-text` or `rasa-md`.
        labelled: Whether it says what labels are.
    """

    name: str
    names: tuple[Names, ...] = ()
    places: tuple[Places, ...] = ()
    classes: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    encoding: str = "utf-8"
    format: str = "tsv"

    @property
    def labelled(self) -> bool:
        """Whether the layout says what labels there are."""
        return bool(self.classes or self.range)

    @property
    def formats(self) -> tuple[str, ...]:
        """What `--format` may say of its files."""
        if self.format == "rasa-md":
            return ("rasa-md", "rasa-yaml")
        return (*(("tsv", "csv") if self.format == "tsv" else ()), *STRUCTURED)


_PAIR: Final = Names("sentence1", "sentence2", "label")
_SENTENCE: Final = Names("sentence", None, "label")
_INFERENCE: Final = (Places((4,), 1, 2, 3),)
_ENTAILMENT: Final = ("entailment", "not_entailment")

_ALL: Final = (
    Layout("sst2", (_SENTENCE,), (Places((2,), 0, None, 1),), ("negative", "positive")),
    Layout("cola", (_SENTENCE,), (Places((4,), 3, None, 1),), ("unacceptable", "acceptable")),
    Layout(
        "mrpc",
        (Names("#1 String", "#2 String", "Quality"), _PAIR),
        (Places((5,), 3, 4, 0),),
        ("not_equivalent", "equivalent"),
    ),
    Layout(
        "stsb",
        (Names("sentence1", "sentence2", "score"), _PAIR),
        # the benchmark's own: genre file year number score sentence sentence [source source]
        (Places((7, 9), 5, 6, 4), Places((10,), 7, 8, 9)),
        range=(0.0, 5.0),
    ),
    Layout(
        "qqp",
        (Names("question1", "question2", "is_duplicate"), Names("question1", "question2", "label")),
        (Places((6,), 3, 4, 5),),
        ("not_duplicate", "duplicate"),
    ),
    Layout(
        "mnli",
        (Names("sentence1", "sentence2", "gold_label"), Names("premise", "hypothesis", "label")),
        (Places((12,), 8, 9, 11), Places((16,), 8, 9, 15)),
        ("entailment", "neutral", "contradiction"),
    ),
    Layout("qnli", (Names("question", "sentence", "label"),), _INFERENCE, _ENTAILMENT),
    Layout("rte", (_PAIR,), _INFERENCE, _ENTAILMENT),
    Layout("wnli", (_PAIR,), _INFERENCE, ("not_entailment", "entailment")),
    Layout(
        "trec",
        (Names("text", None, "coarse_label"), Names("text", None, "label")),
        # the digits of the files that come as `label text`: their counts are those of the classes
        classes=("DESC", "ENTY", "ABBR", "HUM", "LOC", "NUM"),
        encoding="latin-1",
        format="label-text",
    ),
    Layout("label-text", (Names("text", None, "label"),), format="label-text"),
    Layout("rasa", format="rasa-md"),
)

#: Layouts by name; those of GLUE also as `glue-NAME`.
LAYOUTS: Final[Mapping[str, Layout]] = {layout.name: layout for layout in _ALL}

_GLUE: Final = "glue-"
_NOT_OF_GLUE: Final = ("trec", "label-text", "rasa")


def layout_of(name: str) -> Layout:
    """The layout of a name.

    Raises:
        UsageError: There is none.
    """
    short = name.removeprefix(_GLUE)
    if short not in LAYOUTS or (short != name and short in _NOT_OF_GLUE):
        raise UsageError(sentence(f"--layout out of {', '.join(LAYOUTS)}", name))
    return LAYOUTS[short]
