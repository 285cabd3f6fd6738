"""What `lm fit` is going to do: sets and model opened and checked, nothing written."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from transferset import rng
from transferset.errors import InputError, UsageError, sentence
from transferset.files import digest_file
from transferset.language_models.causal.learning import Procedure
from transferset.manifest import Json, Manifest
from transferset.models import RECORD_VERSION, Model, is_model
from transferset.pipeline.options import check_device, check_seed
from transferset.shards import ShardSet

#: Raised whenever the same recipe gives other weights than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: `--tokenizer` of the set itself.
OF_SET: Final = "set"

#: Pieces of a tokenizer that is fitted, where the config names no number.
USUAL_PIECES: Final = 8192

#: The files of a tokenizer; the first must be there.
TOKENIZER_FILES: Final = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")

#: Largest values of options that count something.
_MOST: Final = {"epochs": 10_000, "batch": 1 << 16, "length": 1 << 20, "evaluate_every": 1 << 40}


@dataclass(frozen=True, slots=True)
class FitParams:
    """The options of `lm fit` that determine the weights; names as on the command line."""

    epochs: int = 1
    lr: float = 5e-5
    batch: int = 48
    length: int = 128
    weight_decay: float = 1e-3
    warmup: float = 0.1
    evaluate_every: int | None = None

    def checked(self) -> FitParams:
        """The parameters, if they are possible.

        Raises:
            UsageError: A value is out of range.
        """
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise _out_of_range(name, f"from 1 to {most:,}", value)
        if not 0 < self.lr < math.inf:
            raise _out_of_range("lr", "above 0", self.lr)
        if not 0 <= self.weight_decay < math.inf:
            raise _out_of_range("weight_decay", "of at least 0", self.weight_decay)
        if not 0 <= self.warmup <= 1:
            raise _out_of_range("warmup", "from 0 to 1", self.warmup)
        return self

    def procedure(self, seed: int) -> Procedure:
        """How the model is trained."""
        names = {field.name for field in fields(Procedure)} - {"seed"}
        return Procedure(**{name: getattr(self, name) for name in names}, seed=seed)

    def to_json(self) -> Json:
        """The parameters as they stand in recipe and record."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _out_of_range(name: str, allowed: str, value: object) -> UsageError:
    return UsageError(sentence(f"--{name.replace('_', '-')} {allowed}", str(value)))


@dataclass(frozen=True, slots=True)
class FitPlan:
    """A model to be fitted.

    Attributes:
        src: With the texts.
        validation: With texts by which the weights are chosen, or None.
        model: Directory of the model to begin with; None is from scratch.
        about: What the recipe says of it.
        base: What the record says of it, with its lineage.
        config: File of the config of a model from scratch.
        given: Its content.
        tokenizer: `OF_SET`, a directory or a file; None is the model's own, or one to be fitted.
        tokens: Digests of the tokenizer's files, if it is a directory or a file.
        device: As torch names it.
    """

    name: str
    src: ShardSet
    validation: ShardSet | None
    model: str | None
    about: Json | None
    base: Json | None
    config: Path | None
    given: Json | None
    tokenizer: str | None
    tokens: Json | None
    params: FitParams
    seed: int
    device: str
    code: Json

    @property
    def recipe(self) -> Json:
        """Everything that determines the weights, but for the number of threads."""
        held_out = self.validation
        return {
            "op": "lm fit",
            "data_version": DATA_VERSION,
            "format": RECORD_VERSION,
            "params": self.params.to_json(),
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "parent": self.src.manifest.digest,
            "validation": held_out.manifest.digest if held_out else None,
            "base": _nameless(self.about),
            "config": self.given,
            "tokenizer": self.tokens or self.tokenizer,
            "arithmetic": self.arithmetic,
            "code": self.code,
        }

    @property
    def arithmetic(self) -> str:
        """Where sums are made, and in which type."""
        kind = self.device.partition(":")[0]
        return f"{kind} {'bfloat16' if kind == 'cuda' else 'float32'}"

    @property
    def sets(self) -> dict[str, ShardSet]:
        """Sets by their use."""
        held_out = {"validation": self.validation} if self.validation else {}
        return {"train": self.src, **held_out}

    @property
    def pair(self) -> bool:
        """Whether examples are pairs."""
        return "text_pair" in self.src.manifest.schema

    @property
    def vocabulary(self) -> int:
        """Pieces of a tokenizer that is fitted."""
        stated = (self.given or {}).get("vocab_size")
        return stated if isinstance(stated, int) and stated > 0 else USUAL_PIECES

    @property
    def read(self) -> list[Path]:
        """Directories that are read, and must not be written."""
        folders = [Path(one) for one in (self.model, self.config) if one]
        if self.tokens and self.tokenizer:
            folders.append(Path(self.tokenizer))
        return [*(one.root for one in self.sets.values()), *folders]

    @property
    def licence(self) -> str:
        """Of what the model was made from; measuring needs none."""
        stated = self.src.manifest.licence.split(" AND ")
        if self.base is not None:
            stated += str(self.base["licence"]).split(" AND ")
        return " AND ".join(sorted({one or "unknown" for one in stated}))


def _nameless(about: Json | None) -> Json | None:
    """Without the place: a model that was moved is the same."""
    return about and {key: value for key, value in about.items() if key != "name"}


def make_fit_plan(
    src: ShardSet,
    params: FitParams,
    *,
    model: str | Path | None,
    config: str | Path | None,
    tokenizer: str | Path | None,
    validation: ShardSet | None,
    seed: int,
    device: str | None,
) -> FitPlan:
    """Put a plan together.

    Args:
        src: An open set with texts.
        params: Options that determine the weights.
        model: Directory of a causal language model; or None.
        config: File of a config, instead of a model.
        tokenizer: With a config: `set`, a directory or a file; None fits one.
        validation: A set like `src`, or None.
        seed: 0 ≤ seed < 2**64.
        device: As torch names it; None is the processor.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range, or a set has no texts.
        InputError: The model or the config is none.
    """
    from transferset.language_models.checkpoint import releases

    sets = [src, *([validation] if validation is not None else [])]
    for one in sets:
        _check_set(one, src)
    if (model is None) == (config is None):
        do = "name a directory with --model, or a file with --config"
        both = "both" if model is not None else "neither"
        raise UsageError(sentence("one of --model and --config", both, do=do))
    about, base = _base(model) if model is not None else (None, None)
    return FitPlan(
        _name(src, model),
        src,
        validation,
        None if model is None else str(model),
        about,
        base,
        None if config is None else Path(config),
        None if config is None else _config(Path(config)),
        None if tokenizer is None else str(tokenizer),
        _tokens(tokenizer, src, model),
        params.checked(),
        check_seed(seed),
        check_device(device),
        releases(),
    )


def _check_set(found: ShardSet, src: ShardSet) -> None:
    columns = found.manifest.schema
    if "text" not in columns:
        do = "build it with --keep-text, or with transferset build task"
        have = ", ".join(columns)
        raise UsageError(sentence("a set with a column text", have, str(found.root), do))
    kinds = [
        "pairs" if "text_pair" in one.manifest.schema else "single texts" for one in (src, found)
    ]
    if kinds[0] != kinds[1]:
        raise UsageError(sentence(f"{kinds[0]}, as in {src.root}", kinds[1], str(found.root)))


def _name(src: ShardSet, model: str | Path | None) -> str:
    begun = Path(model).resolve().name if model is not None else "new"
    return f"{begun}-{src.manifest.name}"


def _base(model: str | Path) -> tuple[Json, Json]:
    """What recipe and record say of the model to begin with."""
    from transferset.language_models.causal import describe_causal

    about: Json = describe_causal(model)
    if not is_model(model):
        return about, {**about, "licence": "unknown"}
    known = Model.open(model).verify().record
    kept = {name: getattr(known, name) for name in ("op", "licence", "base", "parents")}
    return about, {**about, "digest": known.digest, **kept, "parents": list(known.parents)}


def _config(path: Path) -> Json:
    from transferset.language_models.model_files import check_config

    do = 'write one, like {"model_type": "gpt2", "n_layer": 4, "n_embd": 256, "n_head": 4}'
    found: Json = check_config(path, do)
    return found


def _tokens(
    tokenizer: str | Path | None, src: ShardSet, model: str | Path | None
) -> dict[str, Any] | None:
    if tokenizer is None:
        return None
    if model is not None:
        do = "leave --tokenizer out"
        raise UsageError(sentence("the tokenizer of the model", str(tokenizer), do=do))
    if str(tokenizer) == OF_SET:
        _require_ids(src.manifest, src.root)
        return {"sha256": (src.manifest.tokenizer or {})["sha256"]}
    found = {path.name: digest_file(path) for path in tokenizer_files(Path(tokenizer))}
    if not found:
        expected = f"a {TOKENIZER_FILES[0]}, or a directory with one"
        raise InputError(sentence(expected, "none", str(tokenizer)))
    return found


def _require_ids(manifest: Manifest, root: Path) -> None:
    if manifest.tokenizer is None or not (root / TOKENIZER_FILES[0]).is_file():
        do = "leave --tokenizer out to fit one, or name one"
        raise UsageError(sentence("a set with a tokenizer", "none", str(root), do))


def tokenizer_files(path: Path) -> list[Path]:
    """The files of a tokenizer that is a directory, or one file; none if it is not there."""
    if path.is_file():
        return [path]
    found = [path / name for name in TOKENIZER_FILES if (path / name).is_file()]
    return found if found and found[0].name == TOKENIZER_FILES[0] else []
