"""Committing an export: its files, its small files, then its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transferset.errors import SetError, sentence
from transferset.exported import EXPORT, EXPORT_VERSION, ExportRecord
from transferset.exports.contents import Digest
from transferset.exports.protocol import Written
from transferset.exports.tables import schema_of
from transferset.files import write_atomic, writing
from transferset.manifest import FileEntry, Json, fingerprint
from transferset.pipeline.corpus import Run
from transferset.pipeline.export.plan import ExportPlan
from transferset.pipeline.lineage import copy_tokenizer
from transferset.report.card import CARD
from transferset.report.card_hub import hub_card
from transferset.schema import describe
from transferset.shards import REMEDY
from transferset.version import __version__


def commit_export(plan: ExportPlan, run: Run, written: Written, results: Sequence[Json]) -> None:
    """Write everything but the tasks' files.

    Args:
        plan: What was done.
        run: Where.
        written: What tasks left.
        results: Of the tasks.

    Raises:
        SetError: A set gave another number of rows than its manifest says.
        TransfersetError: The disk is full.
    """
    parts = [_part(plan, split, written) for split in range(len(plan.parts))]
    with writing(run.root):
        files = list(plan.format.finish(written))
        if plan.format.ids:
            files += copy_tokenizer(plan.sets[0], run.root)
        record = _record(plan, parts, files)
        if plan.format.card:
            write_atomic(run.root / CARD, _card(plan, record).encode())
        write_atomic(run.root / EXPORT, record.to_bytes())


def _record(plan: ExportPlan, parts: Sequence[Json], files: Sequence[FileEntry]) -> ExportRecord:
    return ExportRecord(
        format=EXPORT_VERSION,
        to=plan.format.name,
        version=plan.format.version,
        params=plan.params,
        recipe=fingerprint(plan.recipe),
        code={"transferset": __version__, **plan.code},
        tokenizer=plan.sets[0].manifest.tokenizer,
        licence=plan.licence,
        parts=parts,
        left_out=list(plan.draft.left_out),
        files=tuple(sorted(files, key=lambda entry: entry.file)),
    )


def _part(plan: ExportPlan, split: int, written: Written) -> Json:
    part, found = plan.parts[split], plan.sets[split]
    columns = plan.draft.columns[part.split]
    results = [result for _, result in written.of(split)]
    rows = sum(result["rows"] for result in results)
    if rows != len(found):
        raise SetError(sentence(f"{len(found):,} rows", f"{rows:,}", str(found.root), REMEDY))
    digests: dict[str, Digest] = {}
    for result in results:
        for name, one in result["digests"].items():
            digests[name] = digests.get(name, Digest()) + Digest.from_json(one)
    names = found.manifest.names
    return {
        "split": part.split,
        "name": found.manifest.name,
        "manifest": found.manifest.digest,
        "rows": rows,
        "tokens": sum(result["tokens"] for result in results),
        "columns": describe(schema_of(found, columns)),
        "digests": {name: one.hex for name, one in digests.items()},
        "names": {name: list(known) for name, known in names.items() if name in columns},
    }


def _card(plan: ExportPlan, record: ExportRecord) -> str:
    first = plan.sets[0]
    manifests = [
        replace(found.manifest, schema=part["columns"])
        for found, part in zip(plan.sets, record.parts, strict=True)
    ]
    return hub_card(first.root, manifests, record)
