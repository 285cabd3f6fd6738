"""What a student is: its vocabulary, tasks and sizes, checked, as Python and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from transferset.errors import InputError, UsageError, printable, sentence
from transferset.shapes import Misshapen, check
from transferset.students.config_shape import shape_of
from transferset.students.modes import MEAN_OF_LAYERS, MULTICHANNEL, NON_STATIC, POOLED, PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The ids that a student reads.

    Attributes:
        size: All ids are below it.
        sha256: Of the file that defines them, `tokenizer.json` or `words.json`.
        padding: Id of [PAD].
        separator: Id of [SEP], between and after texts.
        start: Id of [CLS]; None if rows do not begin with one.
    """

    size: int
    sha256: str
    padding: int = 0
    separator: int = 3
    start: int | None = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a head says.

    Attributes:
        classes: In the order of the logits; None for a single score.
        pair: Whether its rows are pairs.
        name: Tells tasks of one student apart.
    """

    classes: tuple[str, ...] | None
    pair: bool = False
    name: str = "task"

    @property
    def outputs(self) -> int:
        """Numbers of the head."""
        return 1 if self.classes is None else len(self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The embeddings.

    Attributes:
        width: Numbers of a vector in a table.
        channels: See `CHANNELS`; of both, the two vectors stand side by side.
        projection: Numbers that a trained linear map makes of them; None for no map.
    """

    width: int = 300
    channels: str = NON_STATIC
    projection: int | None = None

    @property
    def outputs(self) -> int:
        """Numbers that come out for an id."""
        return self.projection or self.width * (2 if self.channels == MULTICHANNEL else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BilstmSizes:
    """Liu 2020, § 3.4.1: hidden units out of {150, 300}, one layer."""

    hidden: int = 300
    layers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BiattentiveSizes:
    """Liu 2020, § 4.3.2: 256 hidden units; of the feed-forward network the text gives no width."""

    feed: int = 256
    hidden: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerSizes:
    """A BERT's sizes; what its features are, see `READINGS`."""

    layers: int = 5
    hidden: int = 204
    intermediate: int = 750
    heads: int = 3
    positions: int = 512
    dropout: float = 0.1
    reading: str = POOLED


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSizes:
    """Units of the layer with ReLU before the logits (None for no such layer), and dropout."""

    hidden: int | None = 400
    dropout: float = 0.0


Sizes = BilstmSizes | BiattentiveSizes | TransformerSizes

KINDS: Final[Mapping[str, type[Sizes]]] = {
    "bilstm": BilstmSizes,
    "biattentive": BiattentiveSizes,
    "transformer": TransformerSizes,
}

#: Sučík 2020, § 4.2: 2.42 M parameters beside the embeddings.
SUCIK: Final = (TransformerSizes(), HeadSizes(hidden=None, dropout=0.1))

#: Liu 2020, §§ 4.1.3 and 4.3.2: three layers of BERT-base.
LIU: Final = (
    TransformerSizes(layers=3, hidden=768, intermediate=3072, heads=12, reading=MEAN_OF_LAYERS),
    HeadSizes(hidden=512),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A student.

    Attributes:
        vocabulary: The ids that it reads.
        tasks: One head each.
        embeddings: Their tables.
        encoder: Its kind and sizes.
        head: Sizes of each head.

    Raises:
        UsageError: Something is out of range, or does not fit together.
    """

    vocabulary: Vocabulary
    tasks: tuple[Task, ...]
    embeddings: Tables
    encoder: Sizes
    head: HeadSizes = HeadSizes()

    def __post_init__(self) -> None:
        try:
            check(self.to_json(), shape_of(self.kind))
        except Misshapen as error:
            raise UsageError(sentence(error.expected, error.found, error.member)) from None
        for right, expected, found in _fits(self):
            if not right:
                raise UsageError(sentence(expected, found, "the configuration of a student"))

    @property
    def kind(self) -> str:
        """`bilstm`, `biattentive` or `transformer`."""
        return next(name for name, sizes in KINDS.items() if isinstance(self.encoder, sizes))

    def to_json(self) -> dict[str, Any]:
        """As `config.json` has it."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {"model_type": f"{PREFIX}{self.kind}", **plain}

    @classmethod
    def from_json(cls, found: Mapping[str, Any], at: str) -> Config:
        """The student that a `config.json` describes.

        Args:
            found: JSON that is not trusted.
            at: For the message.

        Raises:
            InputError: It is no student's, or asks for what none has.
        """
        kind = str(found.get("model_type", "none")).removeprefix(PREFIX)
        if kind not in KINDS or found["model_type"] != f"{PREFIX}{kind}":
            expected = f"a model_type {PREFIX}{'|'.join(KINDS)}"
            raise InputError(sentence(expected, printable(repr(found.get("model_type"))), at))
        try:
            check(found, shape_of(kind))
            return _made(found, KINDS[kind])
        except Misshapen as error:
            raise InputError(
                sentence(error.expected, error.found, f"{at}:{error.member}")
            ) from error
        except UsageError as error:
            raise InputError(f"{error} ({at})") from error


def _made(found: Mapping[str, Any], sizes: type[Sizes]) -> Config:
    tasks = [{**t, "classes": t["classes"] and tuple(t["classes"])} for t in found["tasks"]]
    return Config(
        vocabulary=Vocabulary(**found["vocabulary"]),
        tasks=tuple(Task(**task) for task in tasks),
        embeddings=Tables(**found["embeddings"]),
        encoder=sizes(**found["encoder"]),
        head=HeadSizes(**found["head"]),
    )


def _fits(config: Config) -> list[tuple[bool, str, str]]:
    """What must hold between members: whether it does, what is expected, what is found."""
    ids, names = config.vocabulary, [task.name for task in config.tasks]
    special = [ids.padding, ids.separator, *([] if ids.start is None else [ids.start])]
    right = len(set(special)) == len(special) and max(special) < ids.size
    rules = [
        (bool(names) and len(set(names)) == len(names), "tasks of different names", str(names)),
        (right, f"different special ids below {ids.size:,}", str(special)),
    ]
    for task in config.tasks:
        given = task.classes
        several = given is None or (len(given) > 1 and len(set(given)) == len(given))
        rules.append((several, "two or more different classes", str(given)))
    if isinstance(config.encoder, TransformerSizes):
        sizes, width = config.encoder, config.embeddings.outputs
        rules += [
            (sizes.hidden % sizes.heads == 0, f"hidden units for {sizes.heads}", str(sizes.hidden)),
            (width == sizes.hidden, f"embeddings of {sizes.hidden} numbers", str(width)),
            (ids.start is not None, "a [CLS] for a transformer", "none"),
        ]
    return rules
