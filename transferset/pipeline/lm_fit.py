"""`lm fit`: texts become pieces, a model is trained on them, the model is committed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.executor import LocalExecutor
from transferset.files import writing
from transferset.holding import MODEL, RUN, building, clear, finished
from transferset.language_models.causal.examples import (
    STAGE,
    EncodeContext,
    Examples,
    encode_set,
    open_examples,
    read_texts,
)
from transferset.language_models.causal.fitting import fit
from transferset.manifest import Json, fingerprint
from transferset.models import Model
from transferset.pipeline.lm_fit_commit import Fitted, commit_model
from transferset.pipeline.lm_fit_plan import OF_SET, FitPlan
from transferset.shards import ShardSet
from transferset.stage import ALL, Done, Output, Progress, run_stage
from transferset.training.checkpoint import Checkpoints
from transferset.training.learning import NotFinite
from transferset.training.loop import State

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from transferset.language_models.causal import CausalPieces

#: Bytes of text that a tokenizer is fitted on; more change its pieces little.
FITTED_BYTES: Final = 200_000_000

#: Seconds of work that a killed run loses at most, where checkpoints are quick to write.
EVERY: Final = 60.0

#: Folders below `_run/` that a finished model has no need of; that of examples is another.
_CHECKPOINT: Final = "checkpoint"
_TOKENIZER: Final = "tokenizer"
_SPENT: Final = (STAGE, _CHECKPOINT, _TOKENIZER, "result")


def fit_model(
    plan: FitPlan, root: Path, progress: Progress, *, force: bool, every: float = EVERY
) -> Model:
    """Carry out a plan.

    Args:
        plan: What to do.
        root: Where; an unfinished training of the same plan is resumed.
        progress: Told of finished work.
        force: Replace what is there.
        every: Seconds of work between checkpoints.

    Returns:
        The finished model.

    Raises:
        UsageError: The model has too few positions for `--length`.
        InputError: Model and tokenizer do not fit together.
        SetError: A set is damaged, or `root` holds something else.
        TransfersetError: Disk, memory, no texts, or a loss that is not finite.
    """
    recipe = fingerprint(plan.recipe)
    if not force and finished(root, recipe, MODEL):
        progress.resumed(ALL)
        return Model.open(root)
    with building(root, plan.recipe, force=force, kind=MODEL) as todo:
        if todo:
            _Work(plan, root, recipe, progress, every).run()
    return Model.open(root)


@dataclass(slots=True)
class _Work:
    """A fit in progress."""

    plan: FitPlan
    root: Path
    recipe: str
    progress: Progress
    every: float

    def run(self) -> None:
        """All of it."""
        try:
            self._run()
        except (UsageError, InputError, NotFinite):
            clear(self.root, MODEL)  # only another recipe helps, and it may want the place
            raise

    def _run(self) -> None:
        tokenizer = self._tokenizer()
        pieces = open_pieces(tokenizer["path"])
        model = open_model(self.plan, pieces)  # what is wrong with it is told before the long work
        check_length(model, self.plan)
        counts = self._encode(tokenizer["path"])
        found = {name: open_examples(self.root, name, pieces) for name in counts}
        self._require_examples(found)
        state = self._train(model, found)
        told = {key: value for key, value in tokenizer.items() if key != "path"}
        fitted = Fitted(self.recipe, {**told, "pieces": pieces.size}, counts, state)
        with writing(self.root):
            commit_model(self.plan, self.root, model, pieces, fitted)
            for name in _SPENT:  # only after the commit: until then they are needed to resume
                shutil.rmtree(self.root / RUN / name, ignore_errors=True)

    def _train(self, model: PreTrainedModel, found: dict[str, Examples]) -> State:
        with writing(self.root):
            return fit(
                model,
                found["train"],
                found.get("validation"),
                self.plan.params.procedure(self.plan.seed),
                checkpoints=Checkpoints(self.root / RUN / _CHECKPOINT, self.recipe),
                log=self.root / "log.jsonl",
                progress=self.progress,
                every=self.every,
            )

    def _tokenizer(self) -> Json:
        """Where the tokenizer is, and what the record says of it."""
        plan = self.plan
        if plan.model is not None:
            return {"path": plan.model, "from": "the model"}
        if plan.tokenizer == OF_SET:
            return {"path": str(plan.src.root), "from": "the set"}
        if plan.tokenizer is not None:
            path = Path(plan.tokenizer)
            return {"path": str(path), "from": path.resolve().name}
        task = {"pieces": plan.vocabulary, "set": plan.src.manifest.digest, "rows": len(plan.src)}
        told = self._stage("fit", fit_tokenizer, task, plan.src.root)
        told = {name: told[name] for name in ("texts", "bytes")}
        return {"path": str(self.root / RUN / _TOKENIZER), "from": "fitted", **told}

    def _encode(self, path: str) -> Json:
        """Examples of all sets; counts by use."""
        plan = self.plan
        context = EncodeContext(Path(path), {name: one.root for name, one in plan.sets.items()})
        counts: Json = {}
        for name, one in plan.sets.items():
            task = {
                "name": name,
                "set": one.manifest.digest,
                "rows": len(one),
                "length": plan.params.length,
            }
            found = self._stage(f"{STAGE}-{name}", encode_set, task, context)
            counts[name] = {**found, "rows": len(one)}
        return counts

    def _stage(self, stage: str, function: Any, task: Json, context: Any) -> Json:
        (found,) = run_stage(
            stage,
            function,
            [task],
            root=self.root,
            recipe=self.recipe,
            context=context,
            executor=LocalExecutor(1),
            progress=self.progress,
            weight="rows",
        )
        return found

    def _require_examples(self, found: dict[str, Examples]) -> None:
        for name, examples in found.items():
            if not len(examples):
                clear(self.root, MODEL)
                at = str(self.plan.sets[name].root)
                raise TransfersetError(sentence("at least one text", "none that is not blank", at))


def fit_tokenizer(root: Path, src: Path, task: Json) -> Done:
    """Fit a tokenizer on the first texts of a set; see `stage.run_stage`.

    Args:
        root: The model's directory.
        src: The set's.
        task: Most `pieces`, digest of the `set`, `rows`.
    """
    from transferset.files import digest_file
    from transferset.language_models.causal import fit_bpe

    folder = root / RUN / _TOKENIZER
    texts = FirstTexts(ShardSet.open(src), FITTED_BYTES)
    size = fit_bpe(texts, task["pieces"], folder)
    outputs = [
        Output(str(path.relative_to(root)), path.stat().st_size, digest_file(path))
        for path in sorted(folder.iterdir())
    ]
    return Done(outputs, {"pieces": size, "texts": texts.count, "bytes": texts.bytes})


class FirstTexts:
    """The first texts of a set, up to some bytes.

    Attributes:
        count: Texts that were given.
        bytes: Of them.
    """

    def __init__(self, found: ShardSet, most: int) -> None:
        self._found, self._most = found, most
        self.count = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        for columns in read_texts(self._found):
            for column in columns:
                for text in column.to_pylist() if column is not None else ():
                    self.count += 1
                    self.bytes += len(text.encode())
                    yield text
            if self.bytes >= self._most:
                return


def open_pieces(path: str | Path) -> CausalPieces:
    """The tokenizer of a directory."""
    from transferset.language_models.causal import CausalPieces

    return CausalPieces(path)


def open_model(plan: FitPlan, pieces: CausalPieces) -> PreTrainedModel:
    """The model to begin with.

    Raises:
        InputError: The tokenizer has ids that the model does not know.
    """
    from transferset.language_models.causal import load_causal, new_causal
    from transferset.language_models.checkpoint import to_device

    if plan.model is not None:
        model = load_causal(plan.model, plan.device, train=True)
    else:
        model = to_device(new_causal(str(plan.config), pieces, plan.seed), plan.device)
    with suppress(ValueError):  # of models that know nothing but their own attention
        # faster than eager attention, and in less memory
        model.set_attn_implementation("sdpa")
    return model


def check_length(model: PreTrainedModel, plan: FitPlan) -> None:
    """Refuse a length that the model has no positions for.

    Raises:
        UsageError: It has too few.
    """
    positions = getattr(model.config, "max_position_embeddings", None)
    needed = plan.params.length + 1
    if isinstance(positions, int) and positions < needed:
        do = f"lower --length to {positions - 1}"
        expected = f"a model of at least {needed:,} positions, for --length and the start"
        raise UsageError(sentence(expected, f"{positions:,}", str(plan.model or plan.config), do))
