"""Arithmetic of `{{#expr:…}}`: https://www.mediawiki.org/wiki/Help:Extension:ParserFunctions."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable

_MAX_TOKENS = 200
_TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d*)?(?:e[-+]?\d{1,3})?|\.\d+)|(<=|>=|<>|!=|[-+*/^()=<>−]|[a-z]+))", re.I
)


class ExpressionError(ValueError):
    """Not an expression that can be evaluated."""


def _round(value: float, digits: float) -> float:
    places = int(max(-15, min(15, digits)))
    scale = 10.0**places
    return math.copysign(math.floor(abs(value) * scale + 0.5) / scale, value)


def _power(base: float, exponent: float) -> float:
    result = base**exponent
    if isinstance(result, complex):
        raise ExpressionError
    return float(result)


Binary = Callable[[float, float], float]

_BINARY: dict[str, tuple[int, Binary]] = {
    "or": (1, lambda a, b: float(bool(a) or bool(b))),
    "and": (2, lambda a, b: float(bool(a) and bool(b))),
    "=": (3, operator.eq), "!=": (3, operator.ne), "<>": (3, operator.ne),
    "<": (3, operator.lt), ">": (3, operator.gt), "<=": (3, operator.le), ">=": (3, operator.ge),
    "round": (4, _round),
    "+": (5, operator.add), "-": (5, operator.sub),
    "*": (6, operator.mul), "/": (6, operator.truediv), "div": (6, operator.truediv),
    "mod": (6, lambda a, b: math.fmod(int(a), int(b))),
    "^": (7, _power),
}  # fmt: skip
_UNARY: dict[str, Callable[[float], float]] = {
    "neg": operator.neg, "pos": operator.pos, "not": lambda a: float(not a), "abs": abs,
    "floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "sqrt": math.sqrt, "ln": math.log,
    "exp": math.exp, "sin": math.sin, "cos": math.cos, "tan": math.tan,
}  # fmt: skip
_CONSTANTS = {"pi": math.pi, "e": math.e}
_UNARY_RANK = 9


class _Machine:
    """Operator precedence with two stacks (Dijkstra's shunting yard)."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.pending: list[tuple[int, str]] = []

    def apply(self) -> None:
        _, name = self.pending.pop()
        if name in _UNARY:
            self.values.append(float(_UNARY[name](self.values.pop())))
            return
        right = self.values.pop()
        self.values.append(float(_BINARY[name][1](self.values.pop(), right)))

    def reduce(self, rank: int) -> None:
        while self.pending and self.pending[-1][0] >= rank:
            self.apply()

    def close(self) -> None:
        self.reduce(1)
        if not self.pending:
            raise ExpressionError
        self.pending.pop()

    def operand(self, token: str) -> bool:
        """Take a token where a value is due; says whether one is still due."""
        if token == "(":
            self.pending.append((0, token))
        elif token in "+-−" or token in _UNARY:
            name = {"+": "pos", "-": "neg", "−": "neg"}.get(token, token)
            self.pending.append((_UNARY_RANK, name))
        elif token in _CONSTANTS:
            self.values.append(_CONSTANTS[token])
            return False
        else:
            raise ExpressionError
        return True

    def operator(self, token: str) -> bool:
        """Take a token where an operator is due; says whether a value is due next."""
        if token == ")":
            self.close()
            return False
        token = "-" if token == "−" else token
        if token not in _BINARY:
            raise ExpressionError
        self.reduce(_BINARY[token][0])
        self.pending.append((_BINARY[token][0], token))
        return True


def _run(text: str) -> float:
    machine, at, due = _Machine(), 0, True
    text = text.strip()
    for _ in range(_MAX_TOKENS):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        at = match.end()
        if match[1]:
            if not due:
                raise ExpressionError
            machine.values.append(float(match[1]))
            due = False
        else:
            token = match[2].lower()
            due = machine.operand(token) if due else machine.operator(token)
    if at != len(text):
        raise ExpressionError
    machine.reduce(1)
    if machine.pending or len(machine.values) != 1:
        raise ExpressionError
    return machine.values[0]


def evaluate(text: str) -> float:
    """Evaluate an expression.

    Raises:
        ExpressionError: It is none, or has no finite value.
    """
    try:
        value = _run(text)
    except (ArithmeticError, ValueError, IndexError, TypeError) as cause:
        raise ExpressionError from cause
    if not math.isfinite(value):
        raise ExpressionError
    return value


def number_text(value: float) -> str:
    """A result as MediaWiki prints it: whole numbers without a point, else 14 digits."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.14g}"
