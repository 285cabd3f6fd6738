"""What `mix` is going to do: the sets opened, how many rows of each, nothing written yet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from transferset import rng, schema
from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import Json, canonical, differences, fingerprint
from transferset.pipeline.derive_plan import label_type, require_same_tokenizer
from transferset.pipeline.generations import MOST_STEPS, first_ordinal
from transferset.pipeline.options import MOST_SHARDS
from transferset.pipeline.planning import mix_work
from transferset.pipeline.setting import parts_of, setting_of
from transferset.shards import REMEDY, ShardSet
from transferset.steps.amounts import MOST, parse_amount

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 2

#: Parts are numbered in 16 bits, as are the sets.
MOST_PARTS: Final = MOST_STEPS

_WEIGHT: Final = re.compile(r"(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(%?)")


@dataclass(frozen=True, slots=True)
class MixPlan:
    """A mix whose inputs are known and checked.

    Attributes:
        name: Of the new set.
        sets: The parents, in order.
        counts: Rows taken of each.
        weights: As given, normalised; None without weights.
        seed: Of choice and order.
        shards: Number of shards, or None.
        parts: Names of the parts, by code.
        codes: For each parent its part code by its own part code (`[code]` if it is no mix).
        sources: Entries of the manifest, recoded.
        source_codes: For each parent the new code by old code.
    """

    name: str
    sets: tuple[ShardSet, ...]
    counts: tuple[int, ...]
    weights: tuple[Fraction, ...] | None
    seed: int
    shards: int | None
    parts: tuple[str, ...]
    codes: tuple[tuple[int, ...], ...]
    sources: tuple[Json, ...]
    source_codes: tuple[dict[int, int], ...]

    @property
    def params(self) -> Json:
        """Parameters as they stand in recipe and manifest."""
        limits = [one.manifest.params.get("max_len") for one in self.sets]
        known = [limit for limit in limits if limit is not None]
        return {
            "parts": list(self.parts),
            "counts": list(self.counts),
            "weights": [str(w) for w in self.weights] if self.weights else None,
            "shards": self.shards,
            "left_out": self.left_out,
            "max_len": max(known) if len(known) == len(limits) else None,
        }

    @property
    def first(self) -> int:
        """Ordinal of the first set's choice and order; no derivation has it."""
        return first_ordinal([one.manifest for one in self.sets], mixes=True)

    @property
    def recipe(self) -> Json:
        """Everything that determines the bytes of the set."""
        return {
            "op": "mix",
            "data_version": DATA_VERSION,
            "format": schema.FORMAT_VERSION,
            "params": self.params,
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "parents": [one.manifest.digest for one in self.sets],
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the mix: those that all parents have, and `part`."""
        first, *rest = (set(one.manifest.schema) - {*schema.ADDRESS, "part"} for one in self.sets)
        common = first.intersection(*rest)
        if any("label" in one.manifest.schema for one in self.sets):
            common.add("label")  # rows of the other sets have none
        if len({tuple(one.manifest.names.get("pos", ())) for one in self.sets}) > 1:
            common -= {"pos", "pos_pair"}  # the codes of different taggers
        return (*sorted(common, key=schema.COLUMNS.index), "part")

    @property
    def left_out(self) -> list[str]:
        """Columns that only some parents have."""
        every = {c for one in self.sets for c in one.manifest.schema} - set(schema.ADDRESS)
        return sorted(every - set(self.columns), key=schema.COLUMNS.index)

    @property
    def schema(self) -> pa.Schema:
        """The schema of the mix."""
        tokenizer: Json = self.sets[0].manifest.tokenizer or {}
        ids = schema.ids_type(tokenizer["vocab_size"])
        logits = schema.stated_logits(self.sets[0].manifest.schema)
        return schema.make_schema(self.columns, ids, self.label, self.names, logits)

    @property
    def teacher(self) -> Json | None:
        """Who the logits are of: the same models in all sets, where they are kept."""
        kept = set(schema.TEACHER).intersection(self.columns)
        return self.sets[0].manifest.teacher if kept else None

    @property
    def label(self) -> pa.DataType | None:
        """Type of the labels."""
        kinds = [one.manifest for one in self.sets if "label" in one.manifest.schema]
        return label_type(kinds[0]) if kinds else None

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Names of the codes in columns."""
        columns, found = self.columns, {}
        for one in reversed(self.sets):
            found.update({k: v for k, v in one.manifest.names.items() if k in columns})
        return found


def make_mix_plan(
    sources: Sequence[Any], *, rows: int | str | None, seed: int, shards: int | None
) -> MixPlan:
    """Open sets and decide how many rows of each are taken.

    Args:
        sources: Directories, `DIR:WEIGHT`, or (directory, weight).
        rows: Rows of the mix, or None.
        seed: 0 ≤ seed < 2**64.
        shards: Number of shards, or None.

    Returns:
        The plan.

    Raises:
        UsageError: An option is wrong, tokenizers differ, or a set has too few rows.
        SetError: A directory holds no set.
    """
    if isinstance(sources, str | Path) or not 1 <= len(sources) <= MOST_PARTS:
        found = repr(sources)[:60] if sources else "none"
        raise UsageError(sentence(f"1 to {MOST_PARTS} sets to mix", found))
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a --seed from 0 to 2**64-1", str(seed)))
    if shards is not None and not 1 <= shards <= MOST_SHARDS:
        raise UsageError(sentence(f"--shards from 1 to {MOST_SHARDS:,}", str(shards)))
    named = [_weighted(source) for source in sources]
    percents = {str(source).endswith("%") for source in sources}
    if any(weight is not None for _, weight in named) and len(percents) > 1:
        raise UsageError(sentence("all weights in %, or none", ", ".join(map(str, sources))))
    sets = tuple(ShardSet.open(path) for path, _ in named)
    for one in sets:
        setting_of(one, ())  # refuses sets without ids
    require_same_tokenizer(sets)
    _require_all_labelled(sets)
    _require_same_classes(sets)
    _require_same_teacher(sets)
    weights = _weights([weight for _, weight in named])
    counts = _counts(sets, weights, rows)
    parts, codes = _parts(sets)
    merged, source_codes = _sources(sets)
    name = "mix-" + "-".join(one.label for one in sets)
    return MixPlan(
        name[:100], sets, counts, weights, seed, shards, parts, codes, merged, source_codes
    )


def _require_all_labelled(sets: Sequence[ShardSet]) -> None:
    # without their labels masked rows would be noise that nobody could tell
    labelled = [one for one in sets if "labels" in one.manifest.schema]
    if labelled and len(labelled) < len(sets):
        found = ", ".join(one.label for one in labelled)
        do = "mix first, and mask the mix"
        raise UsageError(sentence("labels in all sets or in none", f"them in {found} only", do=do))


def _require_same_classes(sets: Sequence[ShardSet]) -> None:
    """Refuse labels that mean different things."""
    labelled = [one for one in sets if "label" in one.manifest.schema]
    for one in labelled[1:]:
        first, other = labelled[0].manifest, one.manifest
        if first.schema["label"] != other.schema["label"] or list(
            first.names.get("label", ())
        ) != list(other.names.get("label", ())):
            found = ", ".join(other.names.get("label", ())) or other.schema["label"]
            expected = f"the labels of {labelled[0].label}, "
            expected += ", ".join(first.names.get("label", ())) or first.schema["label"]
            raise UsageError(sentence(expected, found, str(one.root)))


def _require_same_teacher(sets: Sequence[ShardSet]) -> None:
    """Refuse what different teachers say of the rows; where a set has no logits, none are kept."""
    first, *others = sets
    for column in ("logits", "top_ids"):
        if not all(column in one.manifest.schema for one in sets):
            continue
        for other in others:
            mine, its = (
                {"type": one.manifest.schema[column], "teacher": one.manifest.teacher}
                for one in (first, other)
            )
            if changed := differences(mine, its):
                expected = f"the {column} of one teacher in all sets, as in {first.label}"
                do = "label the sets alike, with the same models and options"
                raise UsageError(sentence(expected, changed[0], str(other.root), do))


def _weighted(source: Any) -> tuple[Path, Fraction | None]:
    if isinstance(source, tuple | list):
        path, weight = source
        return Path(path), _weight(str(weight))
    text = str(source)
    head, colon, tail = text.rpartition(":")
    if colon and head and _WEIGHT.fullmatch(tail) and not Path(text).exists():
        return Path(head), _weight(tail)
    return Path(text), None


def _weight(text: str) -> Fraction:
    match = _WEIGHT.fullmatch(text)
    if not match:
        raise UsageError(sentence("a weight like 0.7 or 30%", text))
    return Fraction(match[1]) / (100 if match[2] else 1)


def _weights(given: Sequence[Fraction | None]) -> tuple[Fraction, ...] | None:
    known = [weight for weight in given if weight is not None]
    if not known:
        return None
    if len(known) < len(given):
        raise UsageError(sentence("a weight for every set, or for none", "some without one"))
    total = sum(known)
    if not total:
        raise UsageError(sentence("a weight above 0", "none"))
    return tuple(weight / total for weight in known)


def _counts(
    sets: Sequence[ShardSet], weights: Sequence[Fraction] | None, rows: int | str | None
) -> tuple[int, ...]:
    have = [len(one) for one in sets]
    amount = parse_amount(str(rows), "--rows") if rows is not None else None
    if isinstance(amount, Fraction):
        amount = round(amount * sum(have))
    if weights is None and amount is None:
        return tuple(have)
    shares = weights or [Fraction(n, sum(have)) for n in have]
    if amount is None:
        amount = min(int(n / share) for n, share in zip(have, shares, strict=True) if share)
    if not 0 < amount <= MOST:
        raise UsageError(sentence("--rows of at least 1", str(amount)))
    counts = apportion(amount, shares)
    for one, count in zip(sets, counts, strict=True):
        if count > len(one):
            found = f"{len(one):,}"
            do = "lower --rows, or grow it: transferset derive --sample N,with_replacement=true"
            raise UsageError(sentence(f"{count:,} rows", found, str(one.root), do))
    return counts


def mix_plan_json(plan: MixPlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and about how much would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Parents and recipe, exact; what it comes to, estimated.
    """
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params,
        "seed": plan.seed,
        "parents": [{"name": one.manifest.name, **one.manifest.totals} for one in plan.sets],
        "columns": list(plan.columns),
        "estimated": mix_work(plan).estimate(workers),
    }


def apportion(total: int, shares: Sequence[Fraction]) -> tuple[int, ...]:
    """Whole numbers that add up to `total`, each next to its share of it (largest remainders).

    Args:
        total: What is divided.
        shares: Adding up to 1.

    Returns:
        One number a share; equal remainders go to the first.
    """
    exact = [total * share for share in shares]
    counts = [int(one) for one in exact]
    order = sorted(range(len(shares)), key=lambda i: (counts[i] - exact[i], i))
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return tuple(counts)


def _parts(sets: Sequence[ShardSet]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    names: list[str] = []
    codes = []
    for one in sets:
        inner = parts_of(one.manifest) if "part" in one.manifest.schema else ()
        own = one.label
        mine = [f"{own}/{part}" for part in inner] or [own]
        codes.append(tuple(range(len(names), len(names) + len(mine))))
        names += mine
    if len(names) > MOST_PARTS:
        raise UsageError(sentence(f"up to {MOST_PARTS} parts", f"{len(names)}"))
    unique = [
        f"{n}#{names[:i].count(n) + 1}" if names.count(n) > 1 else n for i, n in enumerate(names)
    ]
    return tuple(unique), tuple(codes)


def _sources(sets: Sequence[ShardSet]) -> tuple[tuple[Json, ...], tuple[dict[int, int], ...]]:
    """One list of sources: what several sets have in common stands there once."""
    merged: list[Json] = []
    known: dict[bytes, int] = {}
    codes = []
    for one in sets:
        mine: dict[int, int] = {}
        for code in sorted({source["code"] for source in one.manifest.sources}):
            if code > MOST_PARTS:
                where = str(one.root)
                raise SetError(sentence("codes of sources in 16 bits", f"{code}", where, REMEDY))
            group = [s for s in one.manifest.sources if s["code"] == code]
            key = canonical([{**s, "code": 0} for s in group])
            if key not in known:
                known[key] = len(known)
                merged += [{**s, "code": known[key]} for s in group]
            mine[code] = known[key]
        codes.append(mine)
    if len(known) > MOST_PARTS:
        raise UsageError(sentence(f"up to {MOST_PARTS:,} sources", f"{len(known):,}"))
    return tuple(merged), tuple(codes)
