"""Committing a labelled set: its small files, then its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from transferset import documents, rng, schema
from transferset.files import write_atomic, writing
from transferset.ledger import Ledger, Reason
from transferset.manifest import MANIFEST, FileEntry, Json, Manifest, ShardEntry, shard_entry
from transferset.pipeline.cards import write_cards
from transferset.pipeline.corpus import Run
from transferset.pipeline.interchange import write_datasets_files, write_file, write_json
from transferset.pipeline.label.plan import LabelPlan
from transferset.pipeline.label.teacher import ANY
from transferset.pipeline.leaks import LEAKS
from transferset.pipeline.lineage import (
    ancestors,
    copy_tokenizer,
    ledger_json,
    licence_of,
    read_file,
)
from transferset.pipeline.traces import Heritage, carry_documents
from transferset.pipeline.training.origins import licences
from transferset.pipeline.word_rules import WORDS
from transferset.reading import read_rows
from transferset.shards import ShardSet
from transferset.version import __version__

#: What the teachers said, in numbers.
ANSWERS: Final = "_tables/answers.json"

_EXAMPLES: Final = "_tables/examples.json"

#: Rows that are kept before and after masking.
_SHOWN: Final = 3


def commit_labelled(
    plan: LabelPlan, run: Run, asked: Sequence[Sequence[Json]], written: Sequence[Json]
) -> None:
    """Write everything but the rows.

    Args:
        plan: What was done.
        run: Where.
        asked: Of each teacher, the results of the tasks that asked it.
        written: Of the tasks that wrote the shards.
    """
    root, src = run.root, plan.src
    shards = [shard_entry(result["shard"]) for result in written]
    with writing(root):
        files = [
            *copy_tokenizer(src, root),
            *write_datasets_files(root, run.recipe, plan.schema, shards, split="train"),
            *_carried(plan, run),
            *carry_documents(
                root, plan.schema, shards, [Heritage(src, whole=plan.params.multiple == 1)]
            ),
            write_json(root, ANSWERS, answers(plan, asked, written)),
        ]
        if plan.params.mlm:
            files.append(write_json(root, _EXAMPLES, _examples(plan, run, shards)))
        manifest = _manifest(plan, run.recipe, shards, asked, written, files)
        write_cards(root, manifest, plan.schema)
        write_atomic(root / MANIFEST, manifest.to_bytes())


def _carried(plan: LabelPlan, run: Run) -> list[FileEntry]:
    """Tables of the parent that hold of these rows too."""
    wanted = [LEAKS, *([WORDS] if "words" in plan.columns else [])]
    there = {entry.file for entry in plan.src.manifest.files}
    return [write_file(run.root, n, read_file(plan.src, n)) for n in wanted if n in there]


def answers(
    plan: LabelPlan, asked: Sequence[Sequence[Json]], written: Sequence[Json]
) -> dict[str, Any]:
    """What the teachers said, in numbers."""
    teachers = [
        {
            "name": teacher.about["name"],
            "reads": None if teacher.length == ANY else teacher.length,
            "cut_rows": sum(one["cut"] for one in results),
            **({"memory_short": True} if any(one.get("short") for one in results) else {}),
        }
        for teacher, results in zip(plan.teachers, asked, strict=True)
    ]
    if plan.params.mlm:
        found: Json = {"masked": sum(one["masked"] for one in written)}
    elif plan.classes is None:
        low, high = zip(*(one["scores"] for one in written if one["scores"]), strict=True)
        found = {"least": min(low), "most": max(high)}
    else:
        counts = [
            sum(n) for n in zip(*(one["best"] for one in written if one["best"]), strict=True)
        ]
        known = sum(one["known"] for one in written)
        found = {
            "highest": dict(zip(plan.classes, counts, strict=True)),
            "labelled": known,
            "agreeing": sum(one["agreeing"] for one in written),
        }
    rows = sum(one["rows"] for one in written)
    return {"teachers": teachers, "rows": rows, **found}


def _examples(plan: LabelPlan, run: Run, shards: Sequence[ShardEntry]) -> Json:
    """The first rows before and after masking."""
    _, before = next(read_rows(plan.src, 0, min(_SHOWN, len(plan.src)), ["input_ids"]))
    made = ShardSet(run.root, _bare(plan, shards))
    after = next(made.batches()).slice(0, _SHOWN).to_pylist()
    rows = []
    for row in after:
        steps = [
            {"step": "source", "input_ids": before.column(0)[row["parent_row"]].as_py()},
            {"step": "mask", "input_ids": row["input_ids"]},
        ]
        rows.append({"parent_row": row["parent_row"], "copy": row["copy"], "steps": steps})
    return {"rows": rows}


def _ledger(plan: LabelPlan, asked: Sequence[Sequence[Json]]) -> Ledger:
    """What is lost: copies of rows too long for the teacher are cut, rows of a classifier never."""
    ledger = Ledger()
    if plan.params.mlm:
        read = sum(one["tokens"] for one in asked[0])
        whole = plan.src.manifest.totals["tokens"] * plan.params.multiple
        ledger[Reason.TRUNCATED] = whole - read
    return ledger


def _bare(plan: LabelPlan, shards: Sequence[ShardEntry]) -> Manifest:
    return _manifest(plan, "", shards, [[]] * len(plan.teachers), [], [])


def _manifest(
    plan: LabelPlan,
    recipe: str,
    shards: Sequence[ShardEntry],
    asked: Sequence[Sequence[Json]],
    written: Sequence[Json],
    files: Sequence[FileEntry],
) -> Manifest:
    parent = plan.src.manifest
    own = documents.licences(plan.src.root, parent, licence_of([plan.src]))
    return Manifest(
        format=schema.FORMAT_VERSION,
        name=plan.name,
        op="label",
        params={
            **plan.params.to_json(),
            "parts": parent.params.get("parts", []),
            "max_len": _max_len(plan),
        },
        seed=plan.seed,
        generator=rng.GENERATOR,
        recipe=recipe,
        code=_code(plan),
        tokenizer=parent.tokenizer,
        parents=ancestors([(parent, "source")]),
        sources=list(parent.sources),
        licence=licences(own, plan.licence),
        schema=schema.describe(plan.schema),
        totals={
            "rows": sum(s.rows for s in shards),
            "tokens": sum(s.tokens for s in shards),
            "content_tokens": sum(one["content"] for one in written),
            "bytes": sum(s.bytes for s in shards),
        },
        statistics=[],
        ledger=ledger_json(_ledger(plan, asked)),
        shards=tuple(shards),
        files=tuple(files),
        names=plan.names,
        teacher=plan.teacher,
    )


def _max_len(plan: LabelPlan) -> int | None:
    longest: int | None = plan.src.manifest.params.get("max_len")
    if not plan.params.mlm:
        return longest
    return min(longest or plan.teachers[0].length, plan.teachers[0].length)


def _code(plan: LabelPlan) -> dict[str, str]:
    found = {"transferset": __version__, "arithmetic": plan.arithmetic}
    for teacher in plan.teachers:
        about = teacher.about
        found |= {name: about[name] for name in ("torch", "transformers") if name in about}
        found[f"model {about['name']}"] = about["weights"]
    return found
