"""Sets in the formats of other software."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.api.executors import PROCESSES, executing
from transferset.api.sets import only_set
from transferset.errors import UsageError, sentence
from transferset.exported import Exported

if TYPE_CHECKING:
    from transferset.pipeline.export.plan import ExportPlan
    from transferset.stage import Progress

#: Where exports go when no directory is named.
EXPORTS: Final = Path("exports")


def export(
    src: str | Path | None = None,
    out: str | Path | None = None,
    *,
    to: str,
    columns: str | Sequence[str] | None = None,
    shards: int | None = None,
    compression: str | None = None,
    escape: bool = False,
    document: str | None = None,
    dtype: str | None = None,
    workers: int | None = None,
    executor: str = PROCESSES,
    address: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write a set in the format of other software.

    The rows are those of the set, in their order. The same arguments give the same bytes at any
    number of workers. An export that is there already is opened; an unfinished one is finished.

    Args:
        src: A set, or a folder of sets that are splits of one (`derive --split`, `build task`);
            None is the only set under `sets/`.
        out: Directory of the export; None is `exports/NAME-FORMAT`.
        to: `hf`, `parquet`, `arrow-file`, `megatron`, `mds`, `nanogpt`, `tsv` or `jsonl`.
        columns: Of the set, those that are exported, also as `text,label`; None is all that the
            format can hold, of `tsv` and `jsonl` texts and labels.
        shards: Files of each split, of `hf`, `parquet` and `arrow-file`; None is one per 256 MB of
            Arrow. Of `mds` too; None is one per 64 MB.
        compression: `zstd`, `snappy` or `none` of Parquet, whose own is `zstd`; `none`, `zstd` or
            `lz4` of `arrow-file`, whose own is `none`.
        escape: Of `tsv`: write tabs, line ends and backslashes of texts as two characters.
        document: Of `megatron`: a document is a `row`, or the rows of a `doc`; None is `row`.
        dtype: Of ids, where the format leaves a choice; None is the narrowest.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        force: Replace what is in `out`.
        progress: Told of finished work.

    Returns:
        The finished export.

    Raises:
        UsageError: An option is wrong, or the format cannot hold the set; `out` is, holds or lies
            inside the set.
        SetError: `src` is damaged; `out` holds another export, or something else, or is being
            written.
        TransfersetError: Disk or memory.
    """
    from transferset.holding import EXPORTED
    from transferset.pipeline.export.passes import export as carry_out
    from transferset.pipeline.places import folder_name, require_apart
    from transferset.pipeline.remote import output
    from transferset.stage import Quiet

    plan = plan_export(
        src,
        to=to,
        columns=columns,
        shards=shards,
        compression=compression,
        escape=escape,
        document=document,
        dtype=dtype,
    )
    place = out if out is not None else EXPORTS / folder_name(f"{plan.name}-{to}")
    root = output(place, EXPORTED, force=force)
    require_apart([root], [found.root for found in plan.sets])
    size = sum(found.manifest.totals["bytes"] for found in plan.sets)
    # rows with texts and logits take time by their bytes
    with executing(executor, address, workers, tokens=size // 2) as run:
        return carry_out(plan, root, run, progress or Quiet(), force=force)


def plan_export(
    src: str | Path | None = None,
    *,
    to: str,
    columns: str | Sequence[str] | None = None,
    escape: bool = False,
    **options: Any,
) -> ExportPlan:
    """Check an export without writing anything (`--dry-run`).

    Args and errors are those of `export`.

    Returns:
        The plan; `pipeline.export.showing.export_plan_json` shows it.
    """
    from transferset.exports.protocol import Options
    from transferset.pipeline.export.plan import make_export_plan

    named = columns.split(",") if isinstance(columns, str) else columns
    if named is not None and not all(named):
        raise UsageError(sentence("--columns with names", str(columns)))
    stated = Options(tuple(named) if named else None, escape=escape or None, **options)
    return make_export_plan(only_set(src), to, stated)


def verify_export(path: str | Path, *, progress: Callable[[int], None] | None = None) -> Exported:
    """Check every digest of an export, read it back, and compare it with what the set held.

    Args:
        path: Its directory.
        progress: Told of rows that were found right.

    Returns:
        The export, if nothing is wrong.

    Raises:
        SetError: There is no export, or it is unfinished; or the first thing that is wrong.
    """
    from transferset.pipeline.export.verifying import verify_export as check
    from transferset.pipeline.remote import local

    return check(Path(local(path)), progress)
