"""What every step is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final

Json = dict[str, Any]
Columns = tuple[str, ...]

#: Columns that describe the text that a row was.
TEXT: Final = (
    "text",
    "text_pair",
    "words",
    "words_pair",
    "space",
    "space_pair",
    "pos",
    "pos_pair",
)

#: What is said of the ids as they were; a step that changes them drops these columns.
STALE: Final = (*TEXT, "logits", "top_ids", "top_logits", "tail")


@dataclass(frozen=True, slots=True)
class Step:
    """Base of all steps: frozen, hashable, checked when made.

    Class attributes say what a step does to a set, for planning:

    Attributes:
        name: On the command line (`--name`) and in TOML.
        two_phase: It must see all rows before it can change the first.
        keeps_rows: Exactly the rows that come in go out, in order.
        moves_ids: Ids change their place within the row, so labels by position would be wrong.
        changes_ids: All rows become others, so a label of the whole row would be wrong.
        needs: Columns that it reads.
        bare: Its first parameter may be given without its name.
        shown: An example of its value, for messages.
    """

    name: ClassVar[str] = ""
    two_phase: ClassVar[bool] = False
    keeps_rows: ClassVar[bool] = False
    moves_ids: ClassVar[bool] = False
    changes_ids: ClassVar[bool] = False
    needs: ClassVar[Columns] = ("input_ids",)
    bare: ClassVar[bool] = True
    shown: ClassVar[str] = ""

    def params(self) -> Json:
        """The step's parameters as JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def columns(self, before: Columns) -> Columns:
        """Columns of the set after this step, given those before it."""
        return before

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def without(columns: Columns, gone: Sequence[str]) -> Columns:
    """The columns that are left, in order."""
    return tuple(c for c in columns if c not in gone)
