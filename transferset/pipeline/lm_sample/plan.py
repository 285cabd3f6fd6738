"""What `lm sample` is going to do: set and model opened and checked, nothing sampled yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from transferset import rng, schema
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.pipeline.corpus import Reading, Run
from transferset.pipeline.derive_plan import label_type
from transferset.pipeline.generations import first_ordinal
from transferset.pipeline.lm_sample import passes
from transferset.pipeline.lm_sample.attempts import arithmetic
from transferset.pipeline.options import MOST_SHARDS, check_device, check_seed, tokenizer_json
from transferset.shards import ShardSet
from transferset.tokens import WordPiece

if TYPE_CHECKING:
    from transferset.language_models.causal import Sampling

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: Attempts a wanted row, unless --max-attempts says otherwise.
USUAL_ATTEMPTS: Final = 10

#: Most rows and attempts.
MOST: Final = 1 << 40

#: What the source of the written rows is.
KIND: Final = "language model"

_CHOICES: Final[Mapping[str, tuple[str, str]]] = {
    "prefix": ("empirical", "bos"),
    "originals": ("first", "none"),
    "unfinished": ("drop", "keep"),
    "duplicates": ("drop", "keep"),
    "copies": ("drop", "keep"),
}


@dataclass(frozen=True, slots=True)
class SampleParams:
    """The options of `lm sample` that determine bytes; names as on the command line."""

    rows: int
    prefix: str = "empirical"
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    max_length: int = 128
    originals: str = "first"
    unfinished: str = "drop"
    duplicates: str = "drop"
    copies: str = "drop"
    max_attempts: int | None = None
    shards: int | None = None
    max_len: int | None = None  # the set's, not an option

    @property
    def keep_text(self) -> bool:
        """See `Params.keep_text`."""
        return True

    @property
    def shuffle(self) -> bool:
        """See `Params.shuffle`: originals first, then attempts in their order."""
        return False

    @property
    def most(self) -> int:
        """Most attempts."""
        return self.max_attempts or USUAL_ATTEMPTS * self.rows

    def checked(self) -> SampleParams:
        """The parameters, if they are possible.

        Raises:
            UsageError: A value is out of range.
        """
        for name, allowed in _CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                raise UsageError(sentence(f"--{name} {' or '.join(allowed)}", str(value)))
        for name, least, most in (
            ("rows", 1, MOST),
            ("max_attempts", 1, MOST),
            ("shards", 1, MOST_SHARDS),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(sentence(f"{option} from {least} to {most:,}", f"{value:,}"))
        self.sampling()
        return self

    def sampling(self) -> Sampling:
        """How pieces are chosen.

        Raises:
            UsageError: A value is out of range.
        """
        from transferset.language_models.causal import Sampling

        names = [field.name for field in fields(Sampling)]
        return Sampling(**{name: getattr(self, name) for name in names})

    def to_json(self) -> Json:
        """The parameters as they stand in recipe and manifest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """A transfer set to be written by a language model; see `corpus.Corpus`.

    Attributes:
        src: The set whose rows it continues.
        model: Directory of the language model.
        about: What the recipe says of it.
        base: Directory of the model before it was fitted, for the report; or None.
        about_base: What the recipe says of that.
        known: What the record of the model says, if it has one.
        device: Where it runs, as torch names it; None is the processor.
        batch: Rows in flight; None is the sampler's choice. Does not change the rows.
    """

    name: str
    src: ShardSet
    tokenizer: WordPiece
    params: SampleParams
    model: str
    about: Json
    base: str | None
    about_base: Json | None
    known: Json | None
    device: str | None
    batch: int | None
    engine: str
    seed: int = 0
    preset: Json | None = None

    @property
    def op(self) -> str:
        """See `Corpus.op`."""
        return "lm sample"

    @property
    def pair(self) -> bool:
        """Whether rows are pairs."""
        return "text_pair" in self.src.manifest.schema

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """See `Corpus.names`."""
        return {k: v for k, v in self.src.manifest.names.items() if k in self.columns}

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the set: what both an original and a written row can have."""
        kept = ("input_ids", "text", "text_pair", "label")
        return (*(c for c in kept if c in self.src.manifest.schema), "source", "finished")

    @property
    def schema(self) -> pa.Schema:
        """See `Corpus.schema`."""
        ids = schema.ids_type(self.tokenizer.info.vocab_size)
        return schema.make_schema(self.columns, ids, label_type(self.src.manifest), self.names)

    @property
    def code(self) -> int:
        """Source code of the written rows."""
        return 1 + max(int(source["code"]) for source in self.src.manifest.sources)

    @property
    def sources(self) -> list[Json]:
        """Those of the set, and the model."""
        written = {
            "code": self.code,
            "file": self.about["name"],
            "kind": KIND,
            "language": "",  # nobody knows in which it wrote
            "licence": self.known["licence"] if self.known else "unknown",
            "blake3": self.about["weights"],
            "made_by": self.known,
        }
        return [*self.src.manifest.sources, written]

    @property
    def key(self) -> tuple[int, int]:
        """Of the random numbers: another generation has others."""
        return rng.step_key(self.seed, first_ordinal([self.src.manifest]))

    @property
    def recipe(self) -> Json:
        """See `Corpus.recipe`."""
        return {
            "op": self.op,
            "data_version": DATA_VERSION,
            "format": schema.FORMAT_VERSION,
            "params": self.params.to_json(),
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "tokenizer": tokenizer_json(self.tokenizer),
            "parent": self.src.manifest.digest,
            "model": self.about,
            "base": self.about_base,
            # sums are rounded otherwise elsewhere
            "arithmetic": f"{(self.device or 'cpu').partition(':')[0]} {arithmetic(self.device)}",
            "preset": self.preset and self.preset["name"],
        }

    @property
    def inputs(self) -> str:
        """See `Corpus.inputs`."""
        return f"{self.src.root} and {self.model}"

    def read(self, run: Run) -> Reading:
        """See `Corpus.read`."""
        return passes.read_rows(self, run)


def make_sample_plan(
    src: ShardSet,
    tokenizer: WordPiece,
    params: SampleParams,
    model: str | Path,
    *,
    name: str,
    seed: int,
    base: str | Path | None,
    device: str | None,
    batch: int | None,
    known: Json | None,
    preset: Json | None,
    engine: str,
) -> SamplePlan:
    """Put a plan together.

    Args:
        src: An open set with texts and ids.
        tokenizer: The set's, loaded.
        params: Options that determine bytes.
        model: Directory of a causal language model.
        name: Of the new set, for people.
        seed: 0 ≤ seed < 2**64.
        base: Directory of the model before it was fitted, or None.
        device: As torch names it, or None.
        batch: Rows in flight, or None.
        known: What the record of the model says, if it has one.
        preset: For the manifest.
        engine: Which engine encodes.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range, or the set has no texts.
        InputError: The model is none, or not such a one.
    """
    from transferset.language_models.causal import CausalPieces, describe_causal
    from transferset.language_models.causal.sampler import check_positions
    from transferset.language_models.model_files import CONFIG, read_json

    _check_set(src)
    if batch is not None and not 1 <= batch <= 1 << 16:
        raise UsageError(sentence("--batch from 1 to 65,536", str(batch)))
    about = describe_causal(model)
    check_device(device)
    if "text_pair" in src.manifest.schema:
        _ = CausalPieces(model).separator  # raises if there is none
    check_positions(read_json(Path(model) / CONFIG), params.max_length)
    return SamplePlan(
        name,
        src,
        tokenizer,
        replace(params, max_len=src.manifest.params.get("max_len")).checked(),
        str(model),
        about,
        None if base is None else str(base),
        None if base is None else describe_causal(base),
        known,
        device,
        batch,
        engine,
        check_seed(seed),
        preset,
    )


def _check_set(src: ShardSet) -> None:
    columns = src.manifest.schema
    for name, do in (
        ("text", "build it with --keep-text, or with transferset build task"),
        ("input_ids", "name a set with ids"),
        ("source", "name the set that it was made from"),
    ):
        if name not in columns:
            expected = f"a set with a column {name}"
            raise UsageError(sentence(expected, ", ".join(columns), str(src.root), do))
