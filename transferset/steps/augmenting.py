"""Steps that make several variants of each row, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final

from transferset.steps.amounts import decimal, require
from transferset.steps.step import STALE, Columns, Step, without

#: More attempts than anybody makes; addresses leave room for them.
MOST_ITERATIONS: Final = 10_000

#: Attempts on each row when nobody says how many.
USUAL_ITERATIONS: Final = 10

_MULTIPLE: Final = re.compile(r"(\d{1,5}(?:\.\d{1,6})?)[xX]?", re.ASCII)

#: Draws are numbers of 32 bits.
_LEAST: Final = 2.0**-32

_PAIRS: Final = ("cycle", "random", "both")
_ORIGINALS: Final = ("first", "none")
_OUTPUTS: Final = ("both", "ids", "text")


@dataclass(frozen=True, slots=True)
class Vary(Step):
    """What `Augment` and `ReplaceLm` have in common.

    Args:
        iterations: Attempts on each row; what repeats a row or an earlier variant is left out.
            10 unless a target is given.
        target: `10x`: go on until the set has so many times its rows, with `originals=first`
            these included; exactly round(10·N) rows.
        max_iterations: Most attempts on each row for a target.
        pairs: Of pairs: `cycle` changes the first text, the second, both, and so on, attempt by
            attempt; `random` chooses at random; `both` always changes both.
        originals: `first`: each row stands before its variants; `none`: variants only.
        output: Columns that variants have: `both`, `ids` or `text`.
    """

    iterations: int | None = None
    target: str | None = None
    max_iterations: int = 50
    pairs: str = "cycle"
    originals: str = "first"
    output: str = "both"

    two_phase: ClassVar[bool] = True
    moves_ids: ClassVar[bool] = True
    bare: ClassVar[bool] = False
    needs: ClassVar[Columns] = ("input_ids", "text", "words", "space", "pos")

    def _check_common(self) -> None:
        option = f"--{self.name}"
        require(
            self.iterations is None or self.target is None,
            f"{option} with iterations or target",
            "both",
        )
        for name, value in (
            ("iterations", self.iterations),
            ("max_iterations", self.max_iterations),
        ):
            ok = value is None or 1 <= value <= MOST_ITERATIONS
            require(ok, f"{option} {name} from 1 to {MOST_ITERATIONS:,}", str(value))
        require(self.pairs in _PAIRS, f"{option} pairs={' or '.join(_PAIRS)}", self.pairs)
        require(
            self.originals in _ORIGINALS, f"--originals {' or '.join(_ORIGINALS)}", self.originals
        )
        require(self.output in _OUTPUTS, f"{option} output={' or '.join(_OUTPUTS)}", self.output)
        if self.target is not None:
            self._set("target", f"{decimal(parse_multiple(self.target, option))}x")

    @property
    def attempts(self) -> int:
        """Most attempts on each row."""
        if self.target is not None:
            return self.max_iterations
        return self.iterations if self.iterations is not None else USUAL_ITERATIONS

    @property
    def multiple(self) -> Fraction | None:
        """What the target is, as a number."""
        return None if self.target is None else parse_multiple(self.target, f"--{self.name}")

    def columns(self, before: Columns) -> Columns:
        """Without words, tags and logits, which are those of the originals."""
        gone = [name for name in STALE if not name.startswith("text")]
        if self.output == "ids":
            gone += ["text", "text_pair"]
        elif self.output == "text":
            gone.append("input_ids")
        return without(before, gone)


def parse_multiple(text: str, option: str) -> Fraction:
    """A multiple like `10x`.

    Raises:
        UsageError: It is none, or not above 0 and up to 10,000.
    """
    match = _MULTIPLE.fullmatch(str(text))
    value = Fraction(match[1]) if match else Fraction(0)
    require(0 < value <= MOST_ITERATIONS, f"{option} target like 10x", repr(text))
    return value


@dataclass(frozen=True, slots=True)
class Augment(Vary):
    """Variants by masking and POS-guided replacement (Tang et al. 2019, § 3.2; Liu 2020, § 3.3).

    For each word one uniform draw decides which of `mask`, `pos`, `delete` and `swap` is done to
    it, or nothing.

    Args:
        mask: Probability that a word becomes the mask piece.
        pos: Probability that it is replaced by a draw from the words of its tag.
        delete: Probability that it goes; one word always stays.
        swap: Probability that it changes places with the next one.
        window: Probability that of the whole text an n-gram is taken, n from 1 to 5.
        match_case: Give a drawn word the case of the one it replaces; else it keeps its own.
    """

    mask: float = 0.0
    pos: float = 0.0
    delete: float = 0.0
    swap: float = 0.0
    window: float = 0.0
    match_case: bool = False

    name: ClassVar[str] = "augment"
    shown: ClassVar[str] = "mask=0.1,pos=0.1"

    def __post_init__(self) -> None:
        each = {n: getattr(self, n) for n in ("mask", "pos", "delete", "swap", "window")}
        for name, p in each.items():
            require(p == 0 or _LEAST <= p <= 1, f"--augment {name} of 0, or 2**-32 to 1", str(p))
        total = sum(p for name, p in each.items() if name != "window")
        require(total <= 1 + 1e-9, "--augment with mask + pos + delete + swap up to 1", f"{total}")
        require(any(each.values()), "--augment mask=0.1,pos=0.1 or another change", "none")
        self._check_common()


@dataclass(frozen=True, slots=True)
class ReplaceLm(Vary):
    """Variants by a masked language model's candidates (Jiao et al. 2019, § 4, algorithm 1).

    Args:
        model: Directory of a masked language model (config.json, safetensors, tokenizer.json).
        p: Probability that a word with candidates is replaced.
        candidates: Candidates of each word.
        vectors: Where the nearest neighbours of words of several pieces come from: a file of word
            vectors as text, `spacy:MODEL`, or None: the model's own embeddings.
        batch: Texts that go through the model at once, 1 to 4,096; part of the recipe, for it can
            change the last digits of scores.
    """

    model: str = ""
    p: float = 0.4
    candidates: int = 15
    vectors: str | None = None
    batch: int = 64

    name: ClassVar[str] = "replace-lm"
    shown: ClassVar[str] = "model=DIR"

    def __post_init__(self) -> None:
        do = "write --replace-lm model=DIR"
        require(bool(self.model), f"--replace-lm with its model ({do})", "none")
        require(_LEAST <= self.p <= 1, "--replace-lm p from 2**-32 to 1", str(self.p))
        require(
            1 <= self.candidates <= 1000,
            "--replace-lm candidates from 1 to 1000",
            str(self.candidates),
        )
        require(1 <= self.batch <= 4_096, "--replace-lm batch from 1 to 4096", str(self.batch))
        self._check_common()
