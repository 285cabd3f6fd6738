"""The built-in steps, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Final

from transferset.steps.amounts import (
    canonical_amount,
    decimal,
    parse_amount,
    parse_range,
    parse_shares,
    probability,
    require,
)
from transferset.steps.augmenting import Augment, ReplaceLm
from transferset.steps.step import STALE, Columns, Json, Step, without


@dataclass(frozen=True, slots=True)
class Sample(Step):
    """A uniform random choice of rows; the order of the source is kept.

    Args:
        size: `10%`, `0.001` or `100k`: exactly round(p·N) rows, half to even. Samples of one seed
            nest: 0.1 % is part of 1 %.
        by: `rows`, or `tokens` (ids, specials included): the most rows that stay within the budget.
        with_replacement: A bootstrap sample: rows are drawn independently and may repeat.
    """

    size: str
    by: str = "rows"
    with_replacement: bool = False

    name: ClassVar[str] = "sample"
    two_phase: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set("size", canonical_amount(self.size, "--sample"))
        require(self.by in ("rows", "tokens"), "--sample by=rows or by=tokens", self.by)
        amount = parse_amount(self.size, "--sample")
        small = not isinstance(amount, Fraction) or amount <= 1
        require(
            small or self.with_replacement, "--sample up to 100% (without replacement)", self.size
        )
        both = self.with_replacement and self.by == "tokens"
        require(not both, "--sample with replacement by rows", "by=tokens")


@dataclass(frozen=True, slots=True)
class Shuffle(Step):
    """Permute the content tokens of each row; [CLS] and every [SEP] stay where they are.

    Args:
        words: Move whole words with all their pieces.
        window: Farthest that a token (or word) may move, in places; None is anywhere.
    """

    words: bool = False
    window: int | None = None

    name: ClassVar[str] = "shuffle"
    changes_ids: ClassVar[bool] = True
    keeps_rows: ClassVar[bool] = True
    moves_ids: ClassVar[bool] = True

    def __post_init__(self) -> None:
        ok = self.window is None or 1 <= self.window <= 65_535
        require(ok, "--shuffle-window from 1 to 65535", str(self.window))

    def columns(self, before: Columns) -> Columns:
        """Without the text, which the ids no longer are."""
        return without(before, STALE)


@dataclass(frozen=True, slots=True)
class Generate(Step):
    """New rows in place of the old: lengths and tokens drawn from the fitted distributions.

    Args:
        size: `100%` of the rows, or a number of them.
    """

    size: str = "100%"

    name: ClassVar[str] = "generate"
    two_phase: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set("size", canonical_amount(self.size, "--generate"))

    def columns(self, before: Columns) -> Columns:
        """Generated rows come from no document."""
        return ("input_ids",)


@dataclass(frozen=True, slots=True)
class Mask(Step):
    """Static masking.

    Args:
        p: Probability that a content token (or word) is chosen, 0 < p ≤ 1.
        words: Choose whole words.
        rule: `mask`: the chosen become [MASK]; `bert`: 80 % [MASK], 10 % a random piece, 10 % stay.
        labels: Add the column `labels`: the original id where chosen, −100 elsewhere.
    """

    p: float
    words: bool = False
    rule: str = "mask"
    labels: bool = True

    name: ClassVar[str] = "mask"
    changes_ids: ClassVar[bool] = True
    keeps_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set("p", probability(self.p, "--mask"))
        require(self.rule in ("mask", "bert"), "--mask rule=mask or rule=bert", self.rule)

    def columns(self, before: Columns) -> Columns:
        """Without the text, with labels if wanted."""
        more = ("labels",) if self.labels and "labels" not in before else ()
        return (*without(before, STALE), *more)


@dataclass(frozen=True, slots=True)
class Delete(Step):
    """Delete content tokens (or whole words) with probability `p`; emptied rows are dropped."""

    p: float
    words: bool = False

    name: ClassVar[str] = "delete"
    changes_ids: ClassVar[bool] = True
    moves_ids: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set("p", probability(self.p, "--delete"))

    def columns(self, before: Columns) -> Columns:
        """Without the text, which the ids no longer are."""
        return without(before, STALE)


@dataclass(frozen=True, slots=True)
class Replace(Step):
    """Replace content tokens with probability `p` by draws from the set's unigram distribution.

    Args:
        p: Probability that a content token (or word) is chosen, 0 < p ≤ 1.
        words: Choose whole words; each of their pieces is replaced by a draw.
    """

    p: float
    words: bool = False

    name: ClassVar[str] = "replace"
    changes_ids: ClassVar[bool] = True
    two_phase: ClassVar[bool] = True
    keeps_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set("p", probability(self.p, "--replace"))

    def columns(self, before: Columns) -> Columns:
        """Without the text, which the ids no longer are."""
        return without(before, STALE)


@dataclass(frozen=True, slots=True)
class Lengths(Step):
    """Keep rows of `a:b` ids, specials included, both ends included; either may be left out."""

    range: str

    name: ClassVar[str] = "lengths"

    def __post_init__(self) -> None:
        low, high = parse_range(self.range, "--lengths")
        self._set("range", f"{low}:{'' if high is None else high}")


@dataclass(frozen=True, slots=True)
class Filter(Step):
    """Keep rows that satisfy an expression over length, content, unknown, source, language, …."""

    expression: str

    name: ClassVar[str] = "filter"

    def __post_init__(self) -> None:
        ok = isinstance(self.expression, str) and 0 < len(self.expression.strip()) <= 4096
        require(ok, "--filter with an expression of 1 to 4096 characters", str(self.expression))


@dataclass(frozen=True, slots=True)
class Dedupe(Step):
    """Keep the first of rows that are equal.

    Args:
        how: `exact`: all ids are equal. `contained`: rows whose content is a run of ids inside of a
            longer row go too, as the phrases of GLUE's SST-2 beside their sentences.
    """

    how: str = "exact"

    name: ClassVar[str] = "dedupe"
    two_phase: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.how in ("exact", "contained"), "--dedupe exact or contained", str(self.how))


@dataclass(frozen=True, slots=True)
class Pack(Step):
    """Fill rows of up to `length` ids from consecutive rows, never cutting one that fits.

    Args:
        length: Most ids of a packed row, specials included, 8 to 65,535.
        by: `set`: consecutive rows, a [SEP] where the document changes; `document`: a packed row
            holds one document only.
    """

    length: int
    by: str = "set"

    name: ClassVar[str] = "pack"
    two_phase: ClassVar[bool] = True
    moves_ids: ClassVar[bool] = True

    def __post_init__(self) -> None:
        ok = type(self.length) is int and 8 <= self.length <= 65_535
        require(ok, "--pack from 8 to 65535", str(self.length))
        require(self.by in ("set", "document"), "--pack by=set or by=document", self.by)

    def columns(self, before: Columns) -> Columns:
        """A packed row has the identity that all of its rows share."""
        kept = ("input_ids", "doc_id", "rev_id", "source", "part") if self.by == "document" else (
            "input_ids",
        )  # fmt: skip
        return tuple(c for c in before if c in kept)


@dataclass(frozen=True, slots=True)
class Split(Step):
    """Write sibling sets; whole documents go to one of them where `doc_id` is there.

    Args:
        shares: `train=0.98,validation=0.02`; shares of the rows, adding up to 1 at most.
        stratify: `label`: the same shares of the rows of each class, and of those without a label.
    """

    shares: str
    stratify: str | None = None

    name: ClassVar[str] = "split"
    two_phase: ClassVar[bool] = True

    def __post_init__(self) -> None:
        shares = parse_shares(self.shares, "--split")
        self._set("shares", ",".join(f"{name}={decimal(v)}" for name, v in shares.items()))
        require(self.stratify in (None, "label"), "--stratify label", str(self.stratify))

    def params(self) -> Json:
        """The shares alone where nothing else is asked: so older recipes stay what they were."""
        return {"shares": self.shares, **({"stratify": self.stratify} if self.stratify else {})}


@dataclass(frozen=True, slots=True)
class Custom(Step):
    """A transform from outside transferset, see `transferset.transform`.

    Args:
        transform: Its name.
        function: Where it stands, `module:name`.
        values: Its parameters, as sorted pairs.
        version: Distribution and version that it comes from.
    """

    transform: str
    function: str
    values: tuple[tuple[str, Any], ...] = ()
    version: str = field(default="", compare=False)

    name: ClassVar[str] = "custom"
    changes_ids: ClassVar[bool] = True
    moves_ids: ClassVar[bool] = True

    def params(self) -> Json:
        """The parameters that the user gave."""
        return dict(self.values)

    def columns(self, before: Columns) -> Columns:
        """Without the text: nobody knows what the function does to the ids."""
        return without(before, STALE)


#: Steps by name, in the order of the help.
STEPS: Final[Mapping[str, type[Step]]] = {
    kind.name: kind
    for kind in (
        Sample, Shuffle, Generate, Mask, Delete, Replace, Augment, ReplaceLm, Lengths, Filter,
        Dedupe, Pack, Split,
    )
}  # fmt: skip


def step_name(step: Step) -> str:
    """The step's name on the command line and in TOML."""
    return step.transform if isinstance(step, Custom) else step.name


def step_json(step: Step) -> Json:
    """A step as it stands in recipes and manifests: `{"sample": {"size": "10%", …}}`."""
    return {step_name(step): step.params()}
