"""A student's configuration, from options or from a file; no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from transferset.distillation.choice.params import (
    BIATTENTIVE,
    BILSTM,
    CLS_MEAN,
    RANDOM,
    TRANSFORMER,
    StudentParams,
    unknown,
)
from transferset.errors import InputError, UsageError, sentence
from transferset.manifest import Json
from transferset.students.config import (
    KINDS,
    LIU,
    SUCIK,
    BiattentiveSizes,
    BilstmSizes,
    Config,
    HeadSizes,
    Sizes,
    Tables,
    Task,
    TransformerSizes,
    Vocabulary,
)
from transferset.students.json_files import read_object
from transferset.students.modes import MULTICHANNEL, NON_STATIC, PREFIX

_MOST_CONFIG: Final = 1 << 24

#: Numbers of a random vector, as word2vec has them.
_WIDTH: Final = 300

#: Of each kind, with the units that the publications name; a multi-task student's head has 512
#: (Liu 2020, § 4.3.2).
_KINDS: Final[Mapping[str, tuple[Sizes, HeadSizes]]] = {
    BILSTM: (BilstmSizes(), HeadSizes()),
    BIATTENTIVE: (BiattentiveSizes(), HeadSizes(hidden=512)),
    TRANSFORMER: SUCIK,
    CLS_MEAN: LIU,
}

#: As a size of an encoder is called in the options.
_OPTIONS: Final = {"intermediate": "feed"}


class Design(NamedTuple):
    """A student but for its vocabulary and tasks.

    Attributes:
        encoder: Its sizes.
        head: Of each head.
        tables: Of its embeddings.
    """

    encoder: Sizes
    head: HeadSizes
    tables: Tables

    def config(self, vocabulary: Vocabulary, tasks: Sequence[Task]) -> Config:
        """The whole configuration.

        Raises:
            UsageError: Something is out of range, or does not fit together.
        """
        return Config(
            vocabulary=vocabulary,
            tasks=tuple(tasks),
            embeddings=self.tables,
            encoder=self.encoder,
            head=self.head,
        )


def designed(
    params: StudentParams, given: int | None = None, teacher: TransformerSizes | None = None
) -> Design:
    """The student that options ask for.

    Args:
        params: Of a named kind.
        given: Numbers of a vector that it begins with; None for random vectors.
        teacher: Sizes of the teacher whose layers it begins with; its layers are those to pick.

    Raises:
        UsageError: The given vectors do not fit.
    """
    sizes, head = _KINDS[params.kind]
    if teacher is not None and isinstance(sizes, TransformerSizes):
        layers = params.picked or min(sizes.layers, teacher.layers)
        sizes = replace(teacher, layers=layers, reading=sizes.reading)
    else:
        sizes = _sized(sizes, params)
    return Design(sizes, _head(head, params), _tables(params, sizes, given))


def _sized(sizes: Sizes, params: StudentParams) -> Any:
    stated = {
        field.name: getattr(params, _OPTIONS.get(field.name, field.name), None)
        for field in fields(sizes)
    }
    made: Any = replace(sizes, **{name: x for name, x in stated.items() if x is not None})
    if isinstance(made, TransformerSizes) and made.hidden % made.heads:
        do = f"write --heads N that divides {made.hidden}"
        expected = f"hidden units for {made.heads} attention heads"
        raise UsageError(sentence(expected, str(made.hidden), do=do))
    return made


def _head(head: HeadSizes, params: StudentParams) -> HeadSizes:
    if params.head is not None:
        head = replace(head, hidden=params.head or None)
    return head if params.head_dropout is None else replace(head, dropout=params.head_dropout)


def _tables(params: StudentParams, sizes: Sizes, given: int | None) -> Tables:
    """Of a transformer as wide as its layers."""
    inside = sizes.hidden if isinstance(sizes, TransformerSizes) else None
    channels = params.channels or NON_STATIC
    if given is None:
        return Tables(width=inside or params.width or _WIDTH, channels=channels)
    outputs = given * (2 if channels == MULTICHANNEL else 1)
    if params.projection:
        made = inside or params.width or _WIDTH
        return Tables(width=given, channels=channels, projection=made)
    if inside not in (None, outputs):
        do = "add --projection, a trained map between them"
        raise UsageError(sentence(f"vectors of {inside} numbers", str(outputs), do=do))
    return Tables(width=given, channels=channels)


def is_ours(config: Json) -> bool:
    """Whether a configuration is of a student of ours, and not of transformers."""
    return str(config.get("model_type", "")).startswith(PREFIX)


def read_config(path: Path) -> Json:
    """A configuration from a file, unchecked but for what it is of.

    Raises:
        InputError: It is no object of JSON, or states no kind.
    """
    found = read_object(path, _MOST_CONFIG)
    if not isinstance(found.get("model_type"), str):
        expected = f"a model_type: {', '.join(PREFIX + kind for kind in KINDS)} or transformers'"
        raise InputError(sentence(expected, repr(found.get("model_type")), str(path)))
    return found


def design_from(found: Json, params: StudentParams, at: str, given: int | None = None) -> Design:
    """The student that a file describes: a `config.json` of ours without vocabulary and tasks.

    Args:
        found: See `read_config`; members that are not there have the kind's values.
        params: Says whether vectors are given.
        at: Of the file, for messages.
        given: Numbers of a vector that the student begins with; None for random vectors.

    Raises:
        InputError: A member is unknown, or the given vectors are of another width.
        UsageError: A value is out of range.
    """
    kind = found["model_type"].removeprefix(PREFIX)
    if kind not in KINDS:
        raise _asked(unknown(f"{PREFIX}{' or '.join(KINDS)}", kind, tuple(KINDS)), at)
    sizes, head = _KINDS[kind]
    width = sizes.hidden if isinstance(sizes, TransformerSizes) else _WIDTH
    inner = found.get("encoder", {})
    if isinstance(sizes, TransformerSizes) and isinstance(inner, dict) and "hidden" in inner:
        width = inner["hidden"]
    members: dict[str, Any] = {
        "encoder": sizes,
        "head": head,
        "embeddings": Tables(width=width if given is None else given),
    }
    _check_names(found, ("model_type", *members), at)
    made = {
        name: _filled(found.get(name, {}), one, f"{at}:{name}") for name, one in members.items()
    }
    if given is not None and made["embeddings"].width != given:
        found_width = str(made["embeddings"].width)
        raise InputError(
            sentence(f"embeddings of width {given}, as {params.embeddings}", found_width, at)
        )
    return Design(made["encoder"], made["head"], made["embeddings"])


def _filled(found: Any, default: Any, at: str) -> Any:
    if not isinstance(found, dict):
        raise InputError(sentence("an object", type(found).__name__, at))
    _check_names(found, tuple(asdict(default)), at)
    return replace(default, **found)


def _check_names(found: Json, known: tuple[str, ...], at: str) -> None:
    for name in found:
        if name not in known:
            raise _asked(unknown(f"members {', '.join(known)}", name, known), at)


def _asked(error: UsageError, at: str) -> InputError:
    """The same of a file's content."""
    return InputError(f"{error} ({at})")


def require_random(params: StudentParams, what: str) -> None:
    """Refuse given vectors where a student has its own.

    Raises:
        UsageError: There are some.
    """
    if params.embeddings != RANDOM:
        found = f"--embeddings {params.embeddings}"
        raise UsageError(sentence(f"the embeddings of {what}", found))
