"""Keeping rows that satisfy an expression."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.compiled import kernel
from transferset.errors import UsageError, sentence
from transferset.ledger import Ledger, Reason
from transferset.schema import ADDRESS
from transferset.steps import Filter
from transferset.transforms import expressions as tree
from transferset.transforms.buffers import flat, keep
from transferset.transforms.protocol import Position, Setting
from transferset.transforms.provenance import OfDocuments

Bools = npt.NDArray[np.bool_]

_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
#: What a source calls a field; else it is its name.
_MEMBERS: Final = {
    "language": ("language",),
    "licence": ("licence",),
    "license": ("licence",),
    "source": ("wiki", "file", "name"),
}
#: Whole numbers up to here are exact.
_EXACT: Final = 1 << 512

_WHOLE: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


class FilterRows:
    """Rows for which an expression is true; see `steps.Filter` and `expressions`."""

    def __init__(self, step: Filter, setting: Setting) -> None:
        """Read the expression.

        Raises:
            UsageError: It is none, or names what the set does not have.
        """
        self._expression = tree.parse(step.expression)
        self._setting = setting
        self._codes: dict[tree.Named, npt.NDArray[np.int64]] = {}
        self._documents: dict[tree.Named, OfDocuments] = {}
        self._resolve(self._expression)
        by_document = {node.field for node in self._documents}
        self._fields = [
            (name, "doc_id" if name in by_document else column)
            for name, column in dict.fromkeys(tree.columns(self._expression))
        ]

    def _resolve(self, node: tree.Truth) -> None:
        """Look up, once, which codes have the names that are asked for."""
        match node:
            case tree.Named():
                of_documents = _of_documents(node, self._setting)
                if of_documents is not None:
                    self._documents[node] = of_documents
                else:
                    self._codes[node] = _codes(node, self._setting)
            case tree.AllOf(terms) | tree.AnyOf(terms):
                for term in terms:
                    self._resolve(term)
            case tree.Not(term):
                self._resolve(term)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`.

        Raises:
            UsageError: The rows have no column for a field.
        """
        values: dict[Any, Any] = {
            name: self._field(batch, name, column) for name, column in self._fields
        }
        values |= {named: of(batch) for named, of in self._documents.items()}
        with np.errstate(all="ignore"):  # x / 0 is infinite, 0 / 0 satisfies nothing but !=
            wanted = np.broadcast_to(self._truth(self._expression, values), batch.num_rows)
        kept = keep(batch, wanted)
        ledger[Reason.FILTERED_OUT] += batch.num_rows - kept.num_rows
        return kept

    def _field(self, batch: pa.RecordBatch, name: str, column: str) -> npt.NDArray[Any]:
        if column not in batch.schema.names:
            columns = ", ".join(c for c in batch.schema.names if c not in ADDRESS)
            do = "build the set with it, or leave it out of --filter"
            raise UsageError(
                sentence(f"a column {column!r} for the field {name!r}", columns, do=do)
            )
        found: npt.NDArray[Any]
        if column != "input_ids":
            found = batch.column(column).to_numpy()
            return found
        ids, offsets = flat(batch)
        found = np.diff(offsets)
        if name != "length":
            content, unknown = _count(ids, offsets, *self._special())
            found = content if name == "content" else unknown / np.maximum(content, 1)
        return found

    def _special(self) -> tuple[int, ...]:
        s = self._setting
        return s.cls, s.sep, s.pad, s.mask, s.unk

    def _truth(self, node: tree.Truth, values: Mapping[Any, Any]) -> Any:
        match node:
            case tree.Compare(sign, left, right):
                return _COMPARE[sign](_value(left, values), _value(right, values))
            case tree.Named() if node in self._documents:
                return values[node]
            case tree.Named(field):
                return np.isin(values[field], self._codes[node])
            case tree.AllOf(terms):
                return reduce(np.logical_and, (self._truth(term, values) for term in terms))
            case tree.AnyOf(terms):
                return reduce(np.logical_or, (self._truth(term, values) for term in terms))
            case tree.Not(term):
                return np.logical_not(self._truth(term, values))


def _value(node: tree.Value, values: Mapping[Any, Any]) -> Any:
    match node:
        case tree.Number(value):
            return value
        case tree.Field(name):
            return values[name]
        case tree.Arithmetic(sign, left, right):
            numbers = [_value(side, values) for side in (left, right)]
            whole = sign != "/" and all(map(_is_whole, numbers))
            kind = _kind(sign, *map(_range, numbers)) if whole else np.float64
            return _ARITHMETIC[sign](*(np.asarray(number, kind) for number in numbers))


def _is_whole(number: Any) -> bool:
    return np.asarray(number).dtype.kind in "iuO"


def _range(number: Any) -> tuple[int, int]:
    """Least and greatest of whole numbers."""
    found = np.asarray(number)
    return (int(found.min()), int(found.max())) if found.size else (0, 0)


def _kind(sign: str, left: tuple[int, int], right: tuple[int, int]) -> Any:
    """A type in which whole numbers of two ranges, and what comes of them, are exact."""
    pairs = [(a, b) for a in left for b in right]
    results = [_WHOLE[sign](a, b) for a, b in pairs]
    least, most = min(*left, *right, *results), max(*left, *right, *results)
    if least >= -(1 << 63) and most < 1 << 63:
        return np.int64
    if least >= 0 and most < 1 << 64:
        return np.uint64
    # Python's numbers, as long as a float could take them too
    return np.object_ if max(-least, most) < _EXACT else np.float64


def _codes(node: tree.Named, setting: Setting) -> npt.NDArray[np.int64]:
    """Codes whose name, or which themselves, are asked for."""
    names = _names(node.field, setting)
    known = [code for code, of in names if any(v == code or v in of for v in node.values)]
    unheard = [v for v in node.values if isinstance(v, str) and not any(v in of for _, of in names)]
    if unheard and not known:
        have = sorted({name for _, of in names for name in of})
        near = difflib.get_close_matches(unheard[0], have, n=1, cutoff=0.5)
        do = f"did you mean {near[0]!r}?" if near else None
        expected = f"a {node.field} out of {', '.join(have) or 'none, for this set names none'}"
        raise UsageError(sentence(expected, repr(unheard[0]), "--filter", do))
    numbers = [int(v) for v in node.values if not isinstance(v, str) and v in range(1 << 16)]
    return np.array(sorted({*known, *numbers}), np.int64)


def _of_documents(node: tree.Named, setting: Setting) -> OfDocuments | None:
    """The documents that a field speaks of; None if the source alone tells."""
    field = "licence" if node.field == "license" else node.field
    if field not in (*tree.OF_DOCUMENTS, "language"):
        return None
    if setting.documents is not None:
        return OfDocuments(setting.documents, field, [str(value) for value in node.values])
    if field in ("author", "title"):
        do = "build the set again"
        raise UsageError(sentence(f"a table of documents for {field}", "none", "--filter", do=do))
    return None


def _names(field: str, setting: Setting) -> list[tuple[int, set[str]]]:
    """Codes with their names: a source has that of its wiki and that of its file."""
    if field == "part":
        return [(code, {name}) for code, name in enumerate(setting.parts)]
    members = _MEMBERS.get(field, ("wiki", "file"))
    return [(int(s["code"]), _texts(s.get(name) for name in members)) for s in setting.sources]


def _texts(values: Iterable[object]) -> set[str]:
    return {value for value in values if isinstance(value, str) and value}


@kernel
def _count(
    ids: Any, offsets: Any, cls: int, sep: int, pad: int, mask: int, unk: int
) -> tuple[Any, Any]:
    """Content tokens of each row, and how many of them are [UNK]."""
    content = np.zeros(len(offsets) - 1, np.int64)
    unknown = np.zeros(len(offsets) - 1, np.int64)
    for row in range(len(offsets) - 1):
        for i in range(offsets[row], offsets[row + 1]):
            token = ids[i]
            content[row] += token not in (cls, sep, pad, mask)
            unknown[row] += token == unk
    return content, unknown
