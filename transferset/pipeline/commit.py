"""Committing a derived set: its small files, then its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from transferset import rng, schema
from transferset.documents import licences
from transferset.errors import TransfersetError, sentence
from transferset.files import write_atomic, writing
from transferset.holding import clear
from transferset.ledger import Ledger, Reason
from transferset.manifest import MANIFEST, FileEntry, Json, Manifest, ShardEntry, shard_entry
from transferset.pipeline.cards import write_cards
from transferset.pipeline.chain import Chain
from transferset.pipeline.derive_plan import DerivePlan, transforms_json
from transferset.pipeline.examples import examples
from transferset.pipeline.interchange import write_datasets_files, write_file, write_json
from transferset.pipeline.leaks import LEAKS, has_leaks
from transferset.pipeline.lineage import (
    ancestors,
    copy_tokenizer,
    ledger_json,
    licence_of,
    read_file,
)
from transferset.pipeline.traces import Heritage, carry_documents
from transferset.steps import Delete, Filter, Mask, Replace, Shuffle
from transferset.version import __version__


def commit_derived(
    plan: DerivePlan,
    chain: Chain,
    bounds: Sequence[int],
    recipe: str,
    before: Ledger,
    results: Sequence[Json],
) -> None:
    """Write everything but the rows.

    Args:
        plan: What was done.
        chain: All steps, concluded.
        bounds: Of the ranges that were written.
        recipe: Digest of the recipe.
        before: Ledger of what came before the origin of the rows.
        results: Of the tasks that wrote the shards.

    Raises:
        TransfersetError: There are no rows, or the disk is full.
    """
    shards = [shard_entry(result["shard"]) for result in results]
    ledger = Ledger(before)
    for result in results:
        ledger.update({Reason(reason): count for reason, count in result["ledger"].items()})
    if not sum(shard.rows for shard in shards):
        dropped = ", ".join(f"{n:,} {reason}" for reason, n in sorted(ledger.items()))
        clear(chain.root)  # nothing worth resuming, and another recipe may want the place
        found = f"none (dropped: {dropped or 'nothing'})"
        raise TransfersetError(sentence("at least one row", found, str(plan.src.root)))
    root = chain.root
    with writing(root):
        split = plan.take or "train"
        files = [
            *copy_tokenizer(plan.src, root),
            *write_datasets_files(root, recipe, plan.schema, shards, split=split),
            *_publish_models(chain),
            *_carry_leaks(plan, root),
            *carry_documents(
                root, plan.schema, shards, [Heritage(plan.src, whole=_intact(plan, shards))]
            ),
            write_json(root, "_tables/examples.json", examples(chain, list(pairwise(bounds)))),
        ]
        content = sum(result["content_tokens"] for result in results)
        manifest = _manifest(plan, recipe, shards, content, ledger, files)
        manifest = replace(manifest, licence=licences(root, manifest, manifest.licence))
        write_cards(root, manifest, plan.schema)
        write_atomic(root / MANIFEST, manifest.to_bytes())


def _intact(plan: DerivePlan, shards: Sequence[ShardEntry]) -> bool:
    """Whether each row of the parent is there once, whatever has become of its ids."""
    in_place = all(
        isinstance(step, Shuffle | Mask | Delete | Replace | Filter) for step in plan.steps
    )
    return in_place and sum(shard.rows for shard in shards) == len(plan.src)


def _publish_models(chain: Chain) -> list[FileEntry]:
    """What models say of the rows, for people and for `--fit`; of equal steps the last one's."""
    found: dict[str, Path] = {}
    for i in range(max(chain.origin, 0), len(chain.models)):
        for prefix, folder in (("fit-", "_fit"), ("table-", "_tables")):
            for path in chain.folder(i).glob(f"{prefix}*.json"):
                found[f"{folder}/{path.name.removeprefix(prefix)}"] = path
    entries = []
    for name, path in sorted(found.items()):
        entries.append(write_file(chain.root, name, path.read_bytes()))
    return entries


def _carry_leaks(plan: DerivePlan, root: Path) -> list[FileEntry]:
    """Digests of evaluation rows go with the rows, for steps that are still to come."""
    if not has_leaks(plan.src.manifest):
        return []
    return [write_file(root, LEAKS, read_file(plan.src, LEAKS))]


def _manifest(
    plan: DerivePlan,
    recipe: str,
    shards: Sequence[ShardEntry],
    content: int,
    ledger: Ledger,
    files: Sequence[FileEntry],
) -> Manifest:
    parent = plan.src.manifest
    parents = [(parent, "source")]
    if plan.fit is not None:
        parents.append((plan.fit.manifest, "fit"))
    return Manifest(
        format=schema.FORMAT_VERSION,
        name=plan.name,
        op="derive",
        params={**plan.params, "parts": parent.params.get("parts", [])},
        seed=plan.seed,
        generator=rng.GENERATOR,
        recipe=recipe,
        code={
            "transferset": __version__,
            **transforms_json(plan.steps),
            **{f"model {model['name']}": model["weights"] for model in plan.models},
        },
        tokenizer=parent.tokenizer,
        parents=ancestors(parents),
        sources=list(parent.sources),
        licence=licence_of([plan.src, *([plan.fit] if plan.fit else [])]),
        schema=schema.describe(plan.schema),
        totals={
            "rows": sum(s.rows for s in shards),
            "tokens": sum(s.tokens for s in shards),
            "content_tokens": content,
            "bytes": sum(s.bytes for s in shards),
        },
        statistics=[],
        ledger=ledger_json(ledger),
        shards=tuple(shards),
        files=tuple(files),
        names=plan.names,
        teacher=plan.teacher,
    )
