"""What `derive` is going to do: SRC opened, steps checked against it, nothing written yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset import rng, schema
from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import Json, Manifest, fingerprint
from transferset.pipeline.generations import MOST_STEPS, first_ordinal
from transferset.pipeline.options import MOST_SHARDS
from transferset.pipeline.planning import derive_work
from transferset.pipeline.setting import setting_of
from transferset.shards import REMEDY, ShardSet
from transferset.steps import (
    Augment,
    Custom,
    Generate,
    Pack,
    Replace,
    ReplaceLm,
    Split,
    Step,
    Vary,
    step_json,
    step_name,
)
from transferset.transforms import implement

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 2

#: Columns that steps may look at besides the ids.
_IDENTITY: Final = ("doc_id", "rev_id", "sentence", "source", "part", "labels")


@dataclass(frozen=True, slots=True)
class DerivePlan:
    """A derivation whose input is known and checked.

    Attributes:
        name: Of the new set, for people.
        src: The parent.
        steps: What is done to its rows.
        seed: The user's seed.
        fit: The set whose distributions `generate` and `replace` take; None is the parent's.
        lineage: Keep each row's address as columns.
        keep_label: Rows that a step changes keep their label.
        models: What recipe and manifest say of the language models of steps.
        shards: Number of shards, or None.
        preset: Name and deviations of a preset, or None.
        take: The split that is written, if the last step splits.
    """

    name: str
    src: ShardSet
    steps: tuple[Step, ...]
    seed: int
    fit: ShardSet | None = None
    lineage: bool = False
    shards: int | None = None
    preset: Json | None = None
    take: str | None = None
    keep_label: bool = False
    models: tuple[Json, ...] = ()

    @property
    def params(self) -> Json:
        """Parameters as they stand in recipe and manifest."""
        return {
            "steps": [step_json(_nameless(step)) for step in self.steps],
            "lineage": self.lineage,
            **({"keep_label": True} if self.keep_label else {}),
            "shards": self.shards,
            "preset": self.preset,
            "split": self.take,
            "max_len": self.max_len,
        }

    @property
    def max_len(self) -> int | None:
        """Most ids that a row may have."""
        longest: int | None = self.src.manifest.params.get("max_len")
        for step in self.steps:
            if isinstance(step, Generate) and self.fit is not None:
                longest = self.fit.manifest.params.get("max_len")
            elif isinstance(step, Pack):
                longest = step.length
            elif isinstance(step, Custom):
                longest = None
        return longest

    @property
    def first(self) -> int:
        """Ordinal of the first step among all that ever touched the rows."""
        return first_ordinal([self.src.manifest])

    @property
    def recipe(self) -> Json:
        """Everything that determines the bytes of the set."""
        return {
            "op": "derive",
            "data_version": DATA_VERSION,
            "format": schema.FORMAT_VERSION,
            "params": self.params,
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "parent": self.src.manifest.digest,
            "fit": self.fit.manifest.digest if self.fit else None,
            "transforms": transforms_json(self.steps),
            **({"models": list(self.models)} if self.models else {}),
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the new set."""
        columns = tuple(self.src.manifest.schema)
        for step in self.steps:
            columns = step.columns(columns)
            if step.changes_ids and not self.keep_label:
                columns = tuple(c for c in columns if c != "label")
        address = schema.ADDRESS if self.lineage else ()
        return (*(c for c in columns if c not in schema.ADDRESS), *address)

    @property
    def read(self) -> tuple[str, ...]:
        """Columns of SRC that are read."""
        needed = {f"{name}{side}" for s in self.steps for name in s.needs for side in ("", "_pair")}
        wanted = {"input_ids", *self.columns, *_IDENTITY, *needed} - set(schema.ADDRESS)
        return tuple(c for c in self.src.manifest.schema if c in wanted)

    @property
    def schema(self) -> pa.Schema:
        """The schema of the new set."""
        parent = self.src.manifest
        tokenizer = parent.tokenizer or {}
        ids = schema.ids_type(tokenizer["vocab_size"])
        logits = schema.stated_logits(parent.schema)
        return schema.make_schema(self.columns, ids, label_type(parent), self.names, logits)

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Names of the codes in the columns that are left."""
        columns = self.columns
        return {name: of for name, of in self.src.manifest.names.items() if name in columns}

    @property
    def teacher(self) -> Json | None:
        """Who the logits are of, where they are kept."""
        kept = set(schema.TEACHER).intersection(self.columns)
        return self.src.manifest.teacher if kept else None


def _nameless(step: Step) -> Step:
    """The step without places of this machine: the recipe knows its model by digests."""
    if not isinstance(step, ReplaceLm):
        return step
    vectors = step.vectors
    if vectors is not None and not vectors.startswith("spacy:"):
        vectors = Path(vectors).name
    return replace(step, model=Path(step.model).resolve().name, vectors=vectors)


def label_type(manifest: Manifest) -> pa.DataType | None:
    """The type of a set's `label` column, as `schema.make_schema` takes it."""
    return schema.SCORE if manifest.schema.get("label") == str(schema.SCORE) else None


def transforms_json(steps: Sequence[Step]) -> Json:
    """Where the transforms from outside come from: another version is another recipe."""
    return {
        f"transform {step.transform}": f"{step.function} of {step.version}"
        for step in steps
        if isinstance(step, Custom)
    }


def make_derive_plan(
    src: ShardSet,
    steps: Sequence[Step],
    *,
    name: str,
    seed: int,
    fit: ShardSet | None,
    lineage: bool,
    shards: int | None,
    preset: Json | None,
    keep_label: bool = False,
    models: Sequence[Json] = (),
) -> DerivePlan:
    """Check steps against the set that they are for.

    Args:
        src: The parent.
        steps: At least one.
        name: Of the new set.
        seed: 0 ≤ seed < 2**64.
        fit: Where distributions come from, or None.
        lineage: Keep addresses.
        shards: Number of shards, or None.
        preset: For the manifest.
        keep_label: Rows that a step changes keep their label.
        models: What is known of the steps' language models.

    Returns:
        The plan.

    Raises:
        UsageError: Steps that do not fit the set, each other, or an option out of range.
    """
    if not steps:
        raise UsageError(sentence("at least one step, like --sample 10%", "none"))
    if len(steps) > MOST_STEPS:
        raise UsageError(sentence(f"up to {MOST_STEPS:,} steps", f"{len(steps):,}"))
    first_ordinal([src.manifest])  # refuses what was derived too often
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a --seed from 0 to 2**64-1", str(seed)))
    if shards is not None and not 1 <= shards <= MOST_SHARDS:
        raise UsageError(sentence(f"--shards from 1 to {MOST_SHARDS:,}", str(shards)))
    _check_order(src, steps)
    _check_fit(src, steps, fit)
    setting = setting_of(src, steps, keep_label=keep_label)
    for step in steps:
        implement(step, setting)  # refuses what it can see without rows
    return DerivePlan(
        name,
        src,
        tuple(steps),
        seed,
        fit,
        lineage,
        shards,
        preset,
        keep_label=keep_label,
        models=tuple(models),
    )


def _check_order(src: ShardSet, steps: Sequence[Step]) -> None:
    columns = tuple(src.manifest.schema)
    for i, step in enumerate(steps):
        name = step_name(step)
        if isinstance(step, Split) and i != len(steps) - 1:
            raise UsageError(
                sentence("--split as the last step", f"--{step_name(steps[i + 1])} after it")
            )
        if step.moves_ids and "labels" in columns:
            do = f"put --{name} before --mask"
            raise UsageError(
                sentence("no labels where ids are moved", f"--{name} after --mask", do=do)
            )
        if isinstance(step, Pack) and step.by == "document" and "doc_id" not in columns:
            raise UsageError(sentence("a column doc_id to pack by document", ", ".join(columns)))
        _check_words(step, columns)
        columns = step.columns(columns)


def _check_words(step: Step, columns: Sequence[str]) -> None:
    if "input_ids" not in columns:
        found = f"--{step_name(step)} after one with output=text"
        raise UsageError(sentence("steps on rows with ids", found))
    if isinstance(step, Vary) and (missing := [c for c in step.needs if c not in columns]):
        expected = f"columns {', '.join(step.needs)} for --{step.name}"
        do = "make the set with transferset build task and a --tagger, and put the step before "
        do += "those that change ids"
        raise UsageError(sentence(expected, f"no {', '.join(missing)}", do=do))


def _check_fit(src: ShardSet, steps: Sequence[Step], fit: ShardSet | None) -> None:
    if fit is None:
        return
    if not any(isinstance(step, Generate | Replace | Augment) for step in steps):
        raise UsageError(sentence("--fit with --generate, --replace or --augment", "none of them"))
    if any(isinstance(step, Generate | Replace) for step in steps):  # words have no tokenizer
        setting_of(fit, ())  # refuses sets without ids
        require_same_tokenizer([src, fit])


def require_same_tokenizer(sets: Sequence[ShardSet]) -> None:
    """Refuse sets whose ids mean different pieces.

    Raises:
        UsageError: Two of them have different tokenizers.
        SetError: They say different things of the same one.
    """
    first = sets[0].manifest.tokenizer or {}
    for other in sets[1:]:
        its, where = other.manifest.tokenizer or {}, str(other.root)
        if its.get("sha256") != first.get("sha256"):
            expected, do = (
                f"the tokenizer of {sets[0].manifest.name}",
                "build it with the same --tokenizer",
            )
            raise UsageError(sentence(expected, "another one", where, do))
        for fact in ("vocab_size", "special_ids"):
            if its.get(fact) != first.get(fact):
                expected = f"{fact} {first.get(fact)} of the tokenizer, as in {sets[0].root}"
                raise SetError(sentence(expected, str(its.get(fact)), where, REMEDY))


def plan_json(plan: DerivePlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and about how much would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Parent, steps and recipe, exact; what it comes to, an upper estimate.
    """
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params,
        "seed": plan.seed,
        "parent": {"name": plan.src.manifest.name, **plan.src.manifest.totals},
        "columns": list(plan.columns),
        "estimated": derive_work(plan).estimate(workers),
    }
