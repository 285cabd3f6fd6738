"""Which of a teacher's layers a smaller student begins with."""

from __future__ import annotations

from collections.abc import Sequence

from transferset.errors import UsageError, sentence

SPREAD, FIRST = "spread", "first"


def pick_layers(how: str | Sequence[int], teacher: int, student: int) -> list[int]:
    """Choose layers.

    Args:
        how: `spread`: layer i is round(i·(L−1)/(S−1)), half to even; 12 → 6 is 0, 2, 4, 7, 9, 11,
            as the code of DistilBERT has it, and a single layer is the first. `first`: the lowest
            ones, as in Liu 2020, § 4.3.2. Or numbers, from 0, rising, as a list or as `0,2,4`.
        teacher: L, its layers.
        student: S, its layers.

    Returns:
        The teacher's layer for each of the student's.

    Raises:
        UsageError: The student has more layers, or the list is not such numbers.
    """
    if not 0 < student <= teacher:
        raise UsageError(sentence(f"1 to {teacher} layers of a student", str(student)))
    if how == FIRST:
        return list(range(student))
    if how == SPREAD:
        # of exact fractions: a quotient in floating point may round the other way
        return [_nearest(i * (teacher - 1), max(student - 1, 1)) for i in range(student)]
    return _listed(how, teacher, student)


def _nearest(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def _listed(how: str | Sequence[int], teacher: int, student: int) -> list[int]:
    expected = f"{SPREAD}, {FIRST} or {student} rising numbers from 0 to {teacher - 1}"
    try:
        found = [int(one) for one in (how.split(",") if isinstance(how, str) else how)]
    except (TypeError, ValueError):
        raise UsageError(sentence(expected, str(how))) from None
    right = len(found) == student and found == sorted(set(found))
    if not right or not 0 <= found[0] <= found[-1] < teacher:
        raise UsageError(sentence(expected, str(how)))
    return found
