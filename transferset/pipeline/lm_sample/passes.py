"""The passes of `lm sample`: survey the set, sample in rounds, judge, write rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from transferset import rng
from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.files import HashingFile, writing
from transferset.holding import clear
from transferset.ledger import Reason
from transferset.manifest import FileEntry, Json
from transferset.pipeline import leaks
from transferset.pipeline.corpus import READ, Reading, Run
from transferset.pipeline.lineage import ancestors, read_file
from transferset.pipeline.lm_sample.attempts import (
    FAULTS,
    WritingContext,
    identity_of,
    pieces_of,
    write_attempts,
)
from transferset.pipeline.lm_sample.pulse import Pulse
from transferset.pipeline.lm_sample.rows import RowContext, write_rows
from transferset.pipeline.lm_sample.survey import SURVEY, SurveyContext, survey_rows
from transferset.pipeline.lm_sample.verdicts import (
    HOPELESS,
    Rules,
    Verdict,
    judge,
    kept_path,
    keys_of,
    next_round,
    read_keys,
    write_kept,
)
from transferset.pipeline.order import spill_path

if TYPE_CHECKING:
    from transferset.language_models.causal import Prefixes
    from transferset.pipeline.lm_sample.plan import SamplePlan

#: Attempts of one task, and on an accelerator, where many rows are in flight. Of fewer attempts
#: there are some tasks all the same, so that workers have something to do.
_TASK: Final = 4_096
_LARGE_TASK: Final = 65_536
_TASKS: Final = 4
_LEAST_TASK: Final = 256

#: Rows of the set that one task reads.
_RANGE: Final = 50_000

PREFIXES: Final = "_fit/prefixes.json"
SAMPLING: Final = "_tables/sampling.json"

#: A step that no derivation has: which rows are read for perplexities.
_CHOICE: Final = 0xFFFF_FFFB


@dataclass(slots=True)
class _Attempts:
    """What has been sampled so far, in order.

    Attributes:
        tasks: Of all rounds.
        results: Of each.
        stages: Where each spilled.
    """

    tasks: list[Json] = field(default_factory=list)
    results: list[Json] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(task["rows"] for task in self.tasks)

    def spills(self, root: Path) -> list[Path]:
        return [spill_path(root, task["stage"], task["ordinal"]) for task in self.tasks]


def read_rows(plan: SamplePlan, run: Run) -> Reading:
    """Turn a set and a language model into spilled rows; see `Corpus.read`."""
    try:
        return _read_rows(plan, run)
    except (UsageError, InputError):
        clear(run.root)  # only another recipe helps, and it may want the place
        raise


def _read_rows(plan: SamplePlan, run: Run) -> Reading:
    surveyed = _survey(plan, run)
    prefixes = _prefixes(surveyed) if plan.params.prefix == "empirical" else None
    context = writing_context(plan, prefixes)
    rules = Rules(
        plan.params.rows,
        plan.params.most,
        plan.params.duplicates == "keep",
        plan.params.copies == "keep",
    )
    done, verdict = _sample(plan, run, context, rules)
    with writing(run.root):
        digest = write_kept(run.root, verdict.kept)
    results = _write(plan, run, done, verdict, digest)
    ledger = verdict.ledger
    ledger[Reason.TRUNCATED] += sum(result["cut"] for result in results)
    ledger[Reason.VARIED] += len(plan.src) if plan.params.originals == "none" else 0
    facts = _facts(plan, run, done, verdict, digest) | _drawn(done, prefixes)
    return Reading(
        results,
        plan.sources,
        _statistics(results),
        ledger,
        {**_fitted(plan, prefixes), SAMPLING: facts},
        spent=[
            *done.spills(run.root),
            *(spill_path(run.root, SURVEY, i) for i in range(len(surveyed))),
            kept_path(run.root),
        ],
        files=_leaks(plan, run.root),
        data_bytes=sum(result["bytes"] for result in results),
        content_tokens=sum(result["content_tokens"] for result in results),
        code=_code(plan),
        parents=ancestors([(plan.src.manifest, "source")]),
    )


def writing_context(plan: SamplePlan, prefixes: Prefixes | None) -> WritingContext:
    """What the tasks that sample share."""
    return WritingContext(
        plan.model,
        identity_of(plan.about),
        plan.device,
        plan.batch,
        plan.params.sampling(),
        prefixes,
        plan.key,
        plan.pair,
        plan.params.unfinished == "keep",
        plan.params.max_len,
        plan.engine,
        plan.tokenizer.info.vocab_size,
    )


def _code(plan: SamplePlan) -> dict[str, str]:
    about = plan.about
    found = {f"model {about['name']}": about["weights"], "arithmetic": plan.recipe["arithmetic"]}
    return {**found, **{name: about[name] for name in ("torch", "transformers") if name in about}}


def _survey(plan: SamplePlan, run: Run) -> list[Json]:
    context = SurveyContext(
        plan.src.root,
        plan.src.manifest.digest,
        plan.model if plan.params.prefix == "empirical" else None,
        identity_of(plan.about),
        plan.pair,
    )
    tasks = [
        {"ordinal": i, "start": start, "stop": stop, "rows": stop - start}
        for i, (start, stop) in enumerate(_ranges(0, len(plan.src), _RANGE))
    ]
    return run.stage(SURVEY, survey_rows, tasks, context, "rows")


def _ranges(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    for at in range(start, stop, size):
        yield at, min(at + size, stop)


def _prefixes(surveyed: Sequence[Json]) -> Prefixes:
    from transferset.language_models.causal import Prefixes

    counts = _first_pieces(surveyed)
    ids = sorted(counts)
    return Prefixes(np.array(ids, np.int32), np.array([counts[i] for i in ids], np.int64))


def _first_pieces(results: Sequence[Json]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for result in results:
        counts.update(dict(result["first"]))
    return counts


def _fitted(plan: SamplePlan, prefixes: Prefixes | None) -> dict[str, Json]:
    """The distribution of first pieces, for people and for whoever wants it."""
    if prefixes is None:
        return {}
    ids = prefixes.ids.tolist()
    spelled = pieces_of(plan.model, identity_of(plan.about)).spelled(ids)
    return {PREFIXES: {"ids": ids, "counts": prefixes.counts.tolist(), "pieces": spelled}}


def _sample(
    plan: SamplePlan, run: Run, context: WritingContext, rules: Rules
) -> tuple[_Attempts, Verdict]:
    """Sample until there are rows enough, or no more attempts."""
    originals = read_keys(
        [spill_path(run.root, SURVEY, i) for i in range(-(-len(plan.src) // _RANGE))]
    )
    table = leaks.read_leaks(plan.src.root, plan.src.manifest)
    evaluation = (
        keys_of(table["high"].to_numpy(), table["low"].to_numpy())
        if table is not None
        else originals[:0]
    )
    done, number = _Attempts(), 0
    verdict = judge([], rules, originals, evaluation)
    while more := next_round(done.count, verdict.rows, rules):
        _round(plan, run, context, done, number, more)
        verdict = judge(done.spills(run.root), rules, originals, evaluation)
        number += 1
    if not verdict.rows:
        _give_up(plan, run, done, verdict)
    return done, verdict


def _round(
    plan: SamplePlan, run: Run, context: WritingContext, done: _Attempts, number: int, more: int
) -> None:
    stage, first = f"attempts-{number:02d}", done.count
    size = task_size(more, plan.device)
    tasks = [
        {
            "stage": stage,
            "ordinal": i,
            "start": start,
            "stop": stop,
            "rows": stop - start,
            "recipe": run.recipe,
        }
        for i, (start, stop) in enumerate(_ranges(first, first + more, size))
    ]
    (run.root / "_run" / stage).mkdir(parents=True, exist_ok=True)
    with Pulse(run.root, stage, tasks, run.progress) as pulse:
        quiet = Run(run.root, run.recipe, run.executor, pulse)
        done.results += quiet.stage(stage, write_attempts, tasks, context, "rows")
    done.tasks += tasks


def task_size(attempts: int, device: str | None) -> int:
    """Attempts of one task of so many."""
    if (device or "cpu") != "cpu":
        return _LARGE_TASK
    return min(_TASK, max(_LEAST_TASK, -(-attempts // _TASKS)))


def _give_up(plan: SamplePlan, run: Run, done: _Attempts, verdict: Verdict) -> None:
    told = ", ".join(f"{n:,} {reason}" for reason, n in verdict.ledger.items() if n)
    clear(run.root)  # nothing worth resuming, and another recipe may want the place
    do = "fit the model longer or to this set, or raise --max-length"
    if done.count < HOPELESS:
        do += ", or --max-attempts"
    found = f"none in {done.count:,} attempts ({told})"
    raise TransfersetError(sentence("at least one row of the model's", found, plan.model, do))


def _write(
    plan: SamplePlan, run: Run, done: _Attempts, verdict: Verdict, digest: str
) -> list[Json]:
    """Originals and kept attempts become spilled rows."""
    tasks: list[Json] = []
    if plan.params.originals == "first":
        for start, stop in _ranges(0, len(plan.src), _RANGE):
            tasks.append({"of": "set", "start": start, "stop": stop, "rows": stop - start})
    for task in done.tasks:
        tasks.append(
            {
                "of": task["stage"],
                "ordinal": task["ordinal"],
                "start": task["start"],
                "stop": task["stop"],
                "rows": int(verdict.kept[task["start"] : task["stop"]].sum()),
                "kept": digest,
            }
        )
    tasks = [{**task, "spill": i} for i, task in enumerate(tasks)]
    context = RowContext(
        plan.src.root,
        plan.src.manifest.digest,
        plan.code,
        plan.tokenizer.engine,
        plan.schema.serialize().to_pybytes(),
    )
    return run.stage(READ, write_rows, tasks, context, "rows")


def _statistics(results: Sequence[Json]) -> list[Json]:
    """By source; a row counts as a document, as in `build task`."""
    from transferset.pipeline.rows import merge_statistics

    found: dict[int, list[Json]] = {}
    for result in results:
        for code, counted in result["by_source"]:
            found.setdefault(code, []).append(counted)
    merged = {code: merge_statistics(some) for code, some in sorted(found.items())}
    return [{"source": code, "pages": one["documents"], **one} for code, one in merged.items()]


def _leaks(plan: SamplePlan, root: Path) -> list[FileEntry]:
    """Digests of evaluation rows go with the rows, for steps that are still to come."""
    if not leaks.has_leaks(plan.src.manifest):
        return []
    with writing(root):
        path = root / leaks.LEAKS
        path.parent.mkdir(exist_ok=True)
        with HashingFile(path) as sink:
            sink.write(read_file(plan.src, leaks.LEAKS))
            return [FileEntry(leaks.LEAKS, sink.size, sink.commit())]


def _drawn(done: _Attempts, prefixes: Prefixes | None) -> Json:
    """How often each first piece was drawn, in the order of the prefixes."""
    if prefixes is None:
        return {}
    counts = _first_pieces(done.results)
    return {"drawn": [counts[i] for i in prefixes.ids.tolist()]}


def _facts(plan: SamplePlan, run: Run, done: _Attempts, verdict: Verdict, digest: str) -> Json:
    """What is told of the sampling."""
    kept, originals = verdict.rows, len(plan.src)
    first = originals if plan.params.originals == "first" else 0
    ledger = verdict.ledger
    return {
        "model": plan.about["name"],
        "wanted": plan.params.rows,
        "attempts": done.count,
        "most": plan.params.most,
        "kept": kept,
        "finished": sum(result["finished"] for result in done.results),
        "pieces": sum(result["pieces"] for result in done.results),
        "outcomes": {
            "kept": kept,
            **{
                str(reason): ledger[reason]
                for reason in (*FAULTS[1:], *_COMPARED)
                if reason is not None and ledger[reason]
            },
        },
        "originals": first,
        "multiple": round((first + kept) / originals, 4),
        "rounds": len({task["stage"] for task in done.tasks}),
        "base": _likelihood(plan, run, done, digest),
    }


_COMPARED: Final = (Reason.COPIED_EVALUATION, Reason.COPIED, Reason.REPEATED, Reason.SURPLUS)


def _likelihood(plan: SamplePlan, run: Run, done: _Attempts, digest: str) -> Json | None:
    if plan.base is None or plan.about_base is None:
        return None
    from transferset.pipeline.lm_sample.surprise import SurpriseContext, measure

    spills = [str(path.relative_to(run.root)) for path in done.spills(run.root)]
    context = SurpriseContext(
        plan.src.root,
        plan.src.manifest.digest,
        plan.base,
        plan.device,
        rng.step_key(0, _CHOICE),
        tuple(spills),
        tuple(task["start"] for task in done.tasks),
        plan.params.max_length,
    )
    task = {"rows": 1, "kept": digest, "attempts": done.count}
    (result,) = run.stage("base", measure, [task], context, "rows")
    return {"model": plan.about_base["name"], **{k: v for k, v in result.items() if k != "rows"}}
