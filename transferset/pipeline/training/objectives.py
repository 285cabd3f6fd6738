"""What a student is trained to do, from what is stated and what there is to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.shards import ShardSet

_TASK: Final = ("mse", "soft", "hard")
_MASKED: Final = ("hard", "soft", "cosine")

#: Sučík 2020, § 4.4, for tasks; Sanh et al. 2019, § 3, for pre-training.
_TASK_TEMPERATURE: Final = 3.0
_MASKED_TEMPERATURE: Final = 2.0

#: Beyond this a softmax is flat to all digits of a float.
_MOST_TEMPERATURE: Final = 10_000.0

#: Largest weight of a loss.
_MOST_WEIGHT: Final = 1_000_000.0

LABEL: Final = "label them with `transferset label SET --teacher DIR`, or name a --teacher"


def task_objective(
    given: Mapping[str, Any], sets: Sequence[ShardSet], *, teacher: bool
) -> tuple[Json, bool]:
    """The objective of tasks.

    Without weights it is the squared error of logits where there are some (Liu 2020, eq. 3.4), else
    the loss with gold labels.

    Args:
        given: Options by name; None is not stated.
        sets: To learn from.
        teacher: Whether a teacher can be asked.

    Returns:
        Weights by name, temperature and direction; and whether a teacher is asked for logits, which
        it is only where a set has none.

    Raises:
        UsageError: Logits are needed that are not there, or a value is out of range.
    """
    from transferset.students.objectives import TaskObjective

    _refuse(given, "cosine", "--mlm")
    without = [one for one in sets if "logits" not in one.manifest.schema]
    some = teacher or len(without) < len(sets)
    weights = _weights(given, _TASK) or ({"mse": 1.0} if some else {"hard": 1.0})
    found = _rest(weights, given, _TASK_TEMPERATURE)
    TaskObjective(**{"mse": 0.0, **found})
    needed = any(weights.get(name) for name in ("mse", "soft"))
    if needed and without and not teacher:
        expected = "a set with a column logits, or a teacher"
        do = f"{LABEL}, or learn from gold labels alone, with --hard 1"
        raise UsageError(sentence(expected, "neither", str(without[0].root), do))
    return found, teacher and needed and bool(without)


def masked_objective(
    given: Mapping[str, Any], found: ShardSet, *, teacher: bool
) -> tuple[Json, bool]:
    """The objective of masked language models: the triple loss, as far as there is a teacher.

    Returns:
        See `task_objective`.

    Raises:
        UsageError: A teacher is needed that is not there, or a value is out of range.
    """
    from transferset.students.objectives import MaskedObjective

    _refuse(given, "mse", "tasks")
    offline = "top_ids" in found.manifest.schema
    usual = ("hard", "soft", "cosine") if teacher else ("hard", "soft") if offline else ("hard",)
    weights = _weights(given, _MASKED) or dict.fromkeys(usual, 1 / len(usual))
    stated = (found.manifest.teacher or {}).get("temperature") if offline else None
    merged = _rest(weights, given, stated or _MASKED_TEMPERATURE)
    MaskedObjective(**{"hard": 0.0, "soft": 0.0, "cosine": 0.0, **merged})
    if weights.get("cosine") and not teacher:
        raise UsageError(sentence("a teacher for the cosine loss", "none", do="name a --teacher"))
    if weights.get("soft") and not (teacher or offline):
        expected = "a set with a column top_ids, or a teacher"
        raise UsageError(sentence(expected, "neither", str(found.root), LABEL))
    return merged, teacher and bool(weights.get("cosine") or (weights.get("soft") and not offline))


def _weights(given: Mapping[str, Any], names: Sequence[str]) -> Json:
    """Those that are stated; if any is, the others are 0."""
    stated: Json = {name: given[name] for name in names if given.get(name) is not None}
    for name, weight in stated.items():
        if not 0 <= weight <= _MOST_WEIGHT:
            expected = f"--{name} from 0 to {_MOST_WEIGHT:,.0f}"
            raise UsageError(sentence(expected, str(weight)))
    if stated and not any(stated.values()):
        told = " ".join(f"--{name} 0" for name in stated)
        do = f"give --{' or --'.join(names)} a weight"
        raise UsageError(sentence("a loss to learn from", told, do=do))
    return {name: float(stated.get(name, 0.0)) for name in names} if stated else {}


def _rest(weights: Json, given: Mapping[str, Any], temperature: float) -> Json:
    """With temperature and direction, where there is a loss that has them."""
    from transferset.students.losses import FORWARD

    stated: Json = {name: given.get(name) for name in ("temperature", "direction")}
    asked = stated["temperature"]
    if asked is not None and not 0 < asked <= _MOST_TEMPERATURE:
        expected = f"--temperature above 0, up to {_MOST_TEMPERATURE:,.0f}"
        raise UsageError(sentence(expected, str(asked)))
    if not weights.get("soft"):
        for name, value in stated.items():
            if value is not None:
                do = f"give it a weight, or leave --{name} out"
                raise UsageError(sentence(f"a soft loss for --{name}", "none", do=do))
        return weights
    return {
        **weights,
        "temperature": float(temperature if asked is None else asked),
        "direction": stated["direction"] or FORWARD,
    }


def _refuse(given: Mapping[str, Any], name: str, where: str) -> None:
    if given.get(name) is not None:
        raise UsageError(sentence(f"--{name} with {where} alone", str(given[name])))
