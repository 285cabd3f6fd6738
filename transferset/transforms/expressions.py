"""The little language of `--filter`: `length > 20 and source in ("enwiki", "simplewiki")`.

Python's own parser makes a tree of which few kinds of nodes are let through; nothing is evaluated
here. Comparisons (also chained), `and`, `or`, `not`, `in` and `not in` a list of literals, numbers,
texts, + − * / on numbers, and the fields of `NUMBERS` and `NAMES`. Whole numbers stay whole and
exact; a division, a literal with a point and `unknown` are 64-bit floating-point numbers, and so is
what they are added to or compared with.
"""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from transferset.errors import UsageError, sentence

#: Fields that are numbers, and the column that each is taken from.
NUMBERS: Final = {
    "length": "input_ids",
    "content": "input_ids",
    "unknown": "input_ids",
    "doc_id": "doc_id",
    "sentence": "sentence",
}

#: Fields that have names (and, but for the language, codes), and the column that holds the code.
NAMES: Final = {"source": "source", "language": "source", "part": "part"}

#: Fields of the documents table; without one, what the row's source says of all its documents.
OF_DOCUMENTS: Final = dict.fromkeys(("licence", "license", "author", "title"), "source")

_TEXTS: Final = {**NAMES, **OF_DOCUMENTS}

_FIELDS: Final = {**NUMBERS, **_TEXTS}

#: Longest expression, in characters.
_LONGEST: Final = 4096

#: Literals are between it and its negative.
_MOST: Final = 1 << 64

#: Most operators and brackets: Python's parser is not let into deeper nesting.
_MOST_OPERATORS: Final = 256

_TEXT: Final = re.compile(r"'[^'\\]*'|\"[^\"\\]*\"")
_OPERATOR: Final = re.compile(r"[-+*/~^(\[{<>=!|&@%]|\.(?!\d)|\b(?:not|and|or|in|is|if|lambda)\b")
_COMPARE: Final = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC: Final = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is a number."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left sign right` of numbers; the sign is one of + - * /."""

    sign: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Compare:
    """`left sign right` of numbers; the sign is one of < <= > >= == !=."""

    sign: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Named:
    """A field's name or code is one of some."""

    field: str
    values: tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of them are true."""

    terms: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them is true."""

    terms: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It is false."""

    term: Truth


Value = Number | Field | Arithmetic
Truth = Compare | Named | AllOf | AnyOf | Not


def check(expression: str) -> None:
    """Refuse an expression that is none.

    Raises:
        UsageError: What is wrong, and where.
    """
    parse(expression)


def parse(expression: str) -> Truth:
    """Read an expression.

    Args:
        expression: Up to 4096 characters.

    Returns:
        What it says, as a tree of the classes above.

    Raises:
        UsageError: It is no expression, has an unknown field, compares what cannot be compared, or
            is too long or too deep.
    """
    bare = _TEXT.sub("''", expression)
    operators = sum(1 for _ in _OPERATOR.finditer(bare))
    if len(expression) > _LONGEST or operators > _MOST_OPERATORS:
        found = f"{len(expression)} characters with {operators}"
        expected = f"--filter of up to {_LONGEST} characters with {_MOST_OPERATORS} operators"
        raise UsageError(sentence(expected, found, do="use `in` for long lists"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Python will not take some day
            return _truth(ast.parse(expression.strip(), mode="eval").body)
    except SyntaxError as error:
        at = f"character {error.offset}" if error.offset else None
        found = repr((error.text or expression).strip()[:80])
        do = "write == to compare" if re.search(r"(?<![<>=!:])=(?!=)", bare) else None
        raise UsageError(sentence(_EXPECTED, found, at, do)) from None
    except ValueError as error:
        raise UsageError(sentence(_EXPECTED, str(error) or "something else")) from None
    except (RecursionError, MemoryError):
        raise UsageError(sentence(_EXPECTED, "one that is nested too deeply")) from None


_EXPECTED: Final = "--filter like 'length > 20 and unknown < 0.1'"


def columns(tree: Truth | Value) -> Iterator[tuple[str, str]]:
    """The fields of an expression, each with the column that it is taken from."""
    match tree:
        case Field(name) | Named(name):
            yield name, _FIELDS[name]
        case Arithmetic(_, left, right) | Compare(_, left, right):
            yield from columns(left)
            yield from columns(right)
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from columns(term)
        case Not(term):
            yield from columns(term)


def _truth(node: ast.expr) -> Truth:
    match node:
        case ast.BoolOp(ast.And(), terms):
            return AllOf(tuple(map(_truth, terms)))
        case ast.BoolOp(ast.Or(), terms):
            return AnyOf(tuple(map(_truth, terms)))
        case ast.UnaryOp(ast.Not(), term):
            return Not(_truth(term))
        case ast.Compare(left, signs, others):
            pairs = zip(signs, pairwise([left, *others]), strict=True)
            found = tuple(_comparison(sign, a, b) for sign, (a, b) in pairs)
            return found[0] if len(found) == 1 else AllOf(found)
    raise _wrong("a comparison", node, _hint(node))


def _hint(node: ast.expr) -> str | None:
    """What someone meant who does not write Python every day."""
    match node:
        case ast.BinOp(_, ast.BitAnd() | ast.BitOr()):
            return "write `and`, `or`"
        case ast.Name(name) if name in _FIELDS:
            return f"compare it, as in {name} {'>' if name in NUMBERS else '=='} …"
    return None


def _comparison(sign: ast.cmpop, left: ast.expr, right: ast.expr) -> Truth:
    match sign:
        case ast.In():
            return _among(left, right)
        case ast.NotIn():
            return Not(_among(left, right))
        case ast.Is() | ast.IsNot():
            raise _wrong("== or !=", left, "write them instead of `is`")
    named = [side for side in (left, right) if _is_name(side)]
    if not named:
        return Compare(_COMPARE[type(sign)], _value(left), _value(right))
    other = right if named[0] is left else left
    if not isinstance(sign, ast.Eq | ast.NotEq):
        raise _wrong("a number on both sides of < or >", named[0])
    found = _named(named[0], [other])
    return found if isinstance(sign, ast.Eq) else Not(found)


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in _TEXTS


def _among(left: ast.expr, right: ast.expr) -> Truth:
    if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
        do = "write a comma before the bracket, or ==" if isinstance(right, ast.Constant) else None
        raise _wrong("a list after `in`, like (1, 2)", right, do)
    if _is_name(left):
        return _named(left, right.elts)
    value = _value(left)
    items = dict.fromkeys(_number(item) for item in right.elts)
    return AnyOf(tuple(Compare("==", value, item) for item in items))


def _named(field: ast.expr, items: list[ast.expr]) -> Named:
    assert isinstance(field, ast.Name)
    values: list[str | int | float] = []
    for item in items:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            values.append(item.value)
        elif field.id not in ("source", "part"):
            like = 'language like "en"' if field.id == "language" else f"{field.id} in quotes"
            raise _wrong(f"a {like}", item)
        else:
            values.append(_number(item).value)
    return Named(field.id, tuple(values))


def _number(node: ast.expr) -> Number:
    """A literal number, with its sign."""
    value = _value(node)
    if not isinstance(value, Number):
        raise _wrong("a literal", node)
    return value


def _value(node: ast.expr) -> Value:
    match node:
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            if not -_MOST < value < _MOST:
                raise _wrong("numbers below 2**64", node)
            return Number(value)
        case ast.Name(name):
            return _field(name, node)
        case ast.UnaryOp(ast.USub(), operand):
            inner = _value(operand)
            if isinstance(inner, Number):
                return Number(-inner.value)
            return Arithmetic("-", Number(0), inner)
        case ast.UnaryOp(ast.UAdd(), operand):
            return _value(operand)
        case ast.BinOp(left, sign, right) if type(sign) in _ARITHMETIC:
            return Arithmetic(_ARITHMETIC[type(sign)], _value(left), _value(right))
    raise _wrong("a number", node, _hint(node))


def _field(name: str, node: ast.expr) -> Field:
    if name in NUMBERS:
        return Field(name)
    if name in _TEXTS:
        raise _wrong("a number", node, f"compare {name} with == or in")
    near = difflib.get_close_matches(name, _FIELDS, n=1, cutoff=0.5)
    do = f"did you mean {near[0]!r}?" if near else "put quotes around a name"
    raise _wrong(f"a field out of {', '.join(_FIELDS)}", node, do)


def _wrong(expected: str, node: ast.expr, do: str | None = None) -> UsageError:
    at = f"character {node.col_offset + 1} of --filter"
    return UsageError(sentence(expected, ast.unparse(node)[:80], at, do))
