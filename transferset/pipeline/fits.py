"""Distributions that come from another set (`--fit OTHER`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import Json
from transferset.pipeline import ranges
from transferset.pipeline.chain import Chain
from transferset.pipeline.lineage import read_file
from transferset.pipeline.setting import setting_of
from transferset.pipeline.survey import Found, SurveyContext, spill_path, survey_range
from transferset.shards import ShardSet
from transferset.stage import Done
from transferset.steps import Augment, Step
from transferset.storage.mounts import present
from transferset.transforms.fit import MOST_BYTES, read_fit
from transferset.transforms.unigram import LENGTHS, TOKENS, tallied
from transferset.transforms.word_counts import WordCounts, merge_word_counts, read_word_counts

#: Where a generated set keeps its model.
SAVED: Final = "_fit/generate.json"

#: Where an augmented set keeps the counts that its words were drawn from.
SAVED_WORDS: Final = "_fit/augment.json"

#: Most content tokens of a row that is made by another set's word.
_LONGEST: Final = 1_000_000

Run = Callable[[str, Callable[[Path, Any, Json], Done], list[Json], Any], list[Json]]


def fit_batches(fit: ShardSet, step: Step, ordinal: int, run: Run, root: Path) -> tuple[Path, ...]:
    """What another set says of lengths and tokens, as if its rows had been surveyed.

    A generated set is taken by the model that it was drawn from, any other by its rows.

    Args:
        fit: The set.
        step: `generate` or `replace`.
        ordinal: The step's place in the recipe.
        run: Runs the tasks of a stage.
        root: The set that is made.

    Returns:
        Files with what was found.

    Raises:
        SetError: The set, or its model, is not what it should be.
    """
    if any(entry.file == SAVED for entry in fit.manifest.files):
        return (_saved(fit, spill_path(root, f"fit-{ordinal:02d}", 0)),)
    return _surveyed(fit, step, ordinal, run, root, ("input_ids",))


def fit_words(
    fit: ShardSet, step: Augment, tags: Sequence[str], ordinal: int, run: Run, root: Path
) -> WordCounts:
    """What another set says of words by their tags.

    An augmented set is taken by the counts that it was drawn from, a task set by its rows.

    Args:
        fit: The set.
        step: The step that is going to draw.
        tags: Names of the tags of the set that is going to be varied.
        ordinal: Its place in the recipe.
        run: Runs the tasks of a stage.
        root: The set that is made.

    Raises:
        SetError: The set, or its counts, are not what they should be.
        UsageError: It has neither counts nor words, or other tags.
    """
    if any(entry.file == SAVED_WORDS for entry in fit.manifest.files):
        read_file(fit, SAVED_WORDS)  # as its manifest says
        return read_word_counts(fit.root / SAVED_WORDS, tags)
    columns = tuple(c for c in fit.manifest.schema if c.removesuffix("_pair") in step.needs)
    if not {"words", "pos"} <= set(columns):
        have, do = ", ".join(fit.manifest.schema), "name a task set, or an augmented one"
        raise UsageError(sentence("a set with words and tags for --fit", have, str(fit.root), do))
    if list(its := fit.manifest.names.get("pos", ())) != list(tags):
        expected, do = f"the tags {', '.join(tags[:8])}, …", "name a set of the same --tagger"
        raise UsageError(sentence(expected, ", ".join(its[:8]), str(fit.root), do))
    paths = _surveyed(fit, step, ordinal, run, root, columns)
    return merge_word_counts(Found(0, 0, (), paths).batches(), tags)


def _surveyed(
    fit: ShardSet, step: Step, ordinal: int, run: Run, root: Path, columns: tuple[str, ...]
) -> tuple[Path, ...]:
    chain = Chain(fit.root, fit.manifest.digest, root, (), 0, (), columns)
    stage = f"fit-{ordinal:02d}"
    tokens = fit.manifest.totals["tokens"]
    cuts = ranges.even(len(fit), max(1, -(-2 * tokens // ranges.SURVEY_BYTES)))
    tasks = [
        {"ordinal": k, "start": a, "stop": b, "rows": b - a}
        for k, (a, b) in enumerate(pairwise(cuts))
    ]
    run(stage, survey_range, tasks, SurveyContext(chain, stage, step, ordinal))
    paths = [spill_path(root, stage, k) for k in range(len(tasks))]
    return tuple(path for path in paths if present(path).exists())


def _saved(fit: ShardSet, spill: Path) -> Path:
    (entry,) = (entry for entry in fit.manifest.files if entry.file == SAVED)
    if entry.bytes > MOST_BYTES:
        where = str(fit.root / SAVED)
        raise SetError(sentence(f"at most {MOST_BYTES:,} bytes", f"{entry.bytes:,}", where))
    read_file(fit, SAVED)  # as its manifest says
    limit = fit.manifest.params.get("max_len")
    longest = _LONGEST if limit is None else min(max(0, limit - 2), _LONGEST)  # [CLS] and [SEP]
    model = read_fit(fit.root / SAVED, setting_of(fit, ()), longest)
    spill.parent.mkdir(parents=True, exist_ok=True)
    kinds = ((LENGTHS, model.lengths), (TOKENS, model.tokens))
    batches = [tallied(kind, tally[:, 0], tally[:, 1]) for kind, tally in kinds]
    with pa.OSFile(str(spill), "wb") as sink, pa.ipc.new_stream(sink, batches[0].schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
    return spill
