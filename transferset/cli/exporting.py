"""`export`: sets in the formats of other software."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from transferset.cli.group import example, named_set, say, say_earlier, transferset
from transferset.cli.models import echo_export
from transferset.cli.workers import echo_plan, planned_workers, worker_options
from transferset.errors import printable

if TYPE_CHECKING:
    from transferset.exported import Exported

#: As in `exports.protocol`, which `--help` need not load.
FORMATS: Final = ("hf", "parquet", "arrow-file", "megatron", "mds", "nanogpt", "tsv", "jsonl")

#: Of what is left out, lines that are shown.
_MOST: Final = 20


@transferset.command(
    epilog=example(
        "transferset export sets/wiki --to hf --out hub/wiki",
        "transferset export sets/wiki --to megatron --document doc --out megatron/wiki",
        "transferset export sets/task --to tsv --out glue/task",
        "transferset export sets/task --to parquet --columns text,label --compression snappy",
        "transferset verify hub/wiki",
    )
)
@click.argument("src", metavar="[SET]", required=False, type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(FORMATS), help="The format.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Directory of the export. [exports/NAME-FORMAT]"
)
@click.option("--columns", metavar="A,B", help="Columns of the set. [all that the format holds]")
@click.option(
    "--shards",
    type=int,
    help="Files of a split: hf, parquet, arrow-file [256 MB each], mds [64 MB].",
)
@click.option(
    "--compression",
    metavar="NAME",
    help="hf, parquet: zstd, snappy, none [zstd]; arrow-file: none, zstd, lz4 [none].",
)
@click.option("--escape", is_flag=True, help="tsv: write tabs and line ends of texts as \\t, \\n.")
@click.option("--document", metavar="row|doc", help="megatron: what a document is. [row]")
@click.option("--dtype", metavar="NAME", help="megatron, nanogpt: of ids. [the narrowest]")
@worker_options
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--force", is_flag=True, help="Replace what is in --out.")
def export(src: Path | None, dry_run: bool, out: Path | None, **options: Any) -> None:
    """Write SET in the format of other software.

    SET may be a folder of sets that are splits of one. Without it the only one under sets/ is
    taken. What the format cannot hold is told. `transferset verify` reads an export back, by the
    format's own reader where it is installed.

    The same command gives the same bytes at any number of workers. When it was interrupted, the
    same command resumes.
    """
    from transferset import api
    from transferset.report.progress import Bar

    root = named_set(src)
    if dry_run:
        _show(root, out, options)
        return
    with Bar() as bar:
        found = api.export(root, out, progress=bar, **options)
    say_earlier(bar.earlier)
    _say_left_out(found)
    echo_export(found)


def _show(root: Path, out: Path | None, options: dict[str, Any]) -> None:
    from transferset import api
    from transferset.pipeline.export.showing import export_plan_json

    workers = planned_workers(options)
    plan = api.plan_export(root, **options)
    echo_plan(export_plan_json(plan, workers), out, escaped=True)


def _say_left_out(found: Exported) -> None:
    told = found.record.left_out
    for one in told[:_MOST]:
        say(f"NOTE: {printable(one)}")
    if len(told) > _MOST:
        say(f"NOTE: and {len(told) - _MOST:,} more, see export.json")
