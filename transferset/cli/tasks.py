"""`build task`: labelled and unlabelled examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.building import build, engine_option
from transferset.cli.group import example, say, say_repeats, shown
from transferset.cli.workers import echo_plan, planned_workers, worker_options

if TYPE_CHECKING:
    from transferset.shards import ShardSet

_LAYOUTS = "glue-sst2, cola, mrpc, stsb, qqp, mnli, qnli, rte, wnli, trec, label-text or rasa"


@build.command(
    "task",
    epilog=example(
        "transferset build task demo --out sets/task",
        "transferset build task train.tsv --layout glue-sst2 --words whitespace --eval dev.tsv",
        "transferset build task train.csv --text text --label category --out sets/intents",
        "transferset build task sts-train.csv --layout stsb --tagger lexicon",
        "transferset build task nlu.md --layout rasa --entities placeholder --tagger lexicon",
    ),
)
@click.argument("inputs", metavar="FILE...", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Directory of the set. [sets/NAME]")
@click.option("--layout", metavar="NAME", help=f"A known layout: {_LAYOUTS}.")
@click.option("--text", metavar="COL", help="Column of the text, by name or number from 1.")
@click.option("--text-pair", metavar="COL", help="Column of the second text of pairs.")
@click.option("--label", metavar="COL", help="Column of the label. [no label]")
@click.option(
    "--eval",
    multiple=True,
    metavar="FILE",
    help="Leave out rows that also stand in this evaluation file; may be repeated.",
)
@click.option(
    "--tagger",
    metavar="spacy:MODEL|lexicon|nltk|none",
    help="What cuts texts into words and tags them; lexicon ships with transferset. "
    "[spacy; for demo lexicon]",
)
@click.option(
    "--words",
    type=click.Choice(["tagger", "whitespace"]),
    default="tagger",
    show_default=True,
    help="What a word is; whitespace is for text that is tokenised already.",
)
@click.option("--language", metavar="CODE", help="Of the texts. [the tagger's, or en]")
@click.option(
    "--label-type",
    type=click.Choice(["auto", "class", "regression"]),
    default="auto",
    show_default=True,
    help="What labels are.",
)
@click.option(
    "--entities",
    type=click.Choice(["strip", "placeholder"]),
    default="strip",
    show_default=True,
    help="What becomes of Rasa's annotations.",
)
@click.option(
    "--format",
    type=click.Choice(["tsv", "csv", "jsonl", "parquet", "arrow", "rasa-md", "rasa-yaml"]),
    help="What the files are. [by layout and names]",
)
@click.option("--header/--no-header", default=None, help="The first row names columns. [found]")
@click.option("--delimiter", metavar="CHAR", help="What parts fields. [a tab, in csv a comma]")
@click.option("--quoting/--no-quoting", default=None, help="Fields may be quoted. [in csv]")
@click.option("--encoding", metavar="NAME", help="Of the files. [utf-8, or the layout's]")
@click.option("--split", metavar="NAME", help="Split of a datasets folder or hub name.")
@click.option("--licence", default="", metavar="TEXT", help="Licence of what states none.")
@click.option(
    "--tokenizer",
    metavar="PATH|NAME",
    help="tokenizer.json, vocab.txt, directory, installed package, or hub name. "
    "[the uncased English BERT vocabulary]",
)
@click.option(
    "--max-len",
    type=int,
    default=512,
    show_default=True,
    help="Cut rows of more ids at the end, of pairs the longer text first; 0 is no limit.",
)
@click.option("--shards", type=int, help="Number of shards. [one per 256 MB]")
@worker_options
@click.option("--limit", type=int, metavar="N", help="Read the first examples of each file only.")
@click.option(
    "--skip-damaged",
    is_flag=True,
    help="Leave malformed rows out, counted and named, instead of failing.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--force", is_flag=True, help="Replace what is in --out.")
@engine_option
@click.option("--cache", type=click.Path(path_type=Path), help="Where downloads are kept.")
def build_task(inputs: tuple[str, ...], dry_run: bool, out: Path | None, **options: Any) -> None:
    """Turn labelled or unlabelled examples into a set with words and part-of-speech tags.

    FILE is a .tsv, .csv, .jsonl, .parquet, .arrow or Rasa NLU file, a folder that `datasets`
    saved, or a name on the hub; `demo` is a small file that comes with transferset. Rows are
    single texts or pairs and stay in the order of the file.

    `transferset derive --augment` makes a transfer set of it.
    """
    from transferset import api
    from transferset.report.progress import Bar

    if dry_run:
        from transferset.pipeline.task_plan import task_plan_json

        workers = planned_workers(options)
        plan = api.plan_task(inputs, **options)
        echo_plan(task_plan_json(plan, workers), out)
        return
    with Bar() as bar:
        found = api.build_task(inputs, out, progress=bar, **options)
    _say_left_out(found)
    say_repeats(found)
    totals = found.manifest.totals
    click.echo(
        f"{shown(found.root)}: {totals['rows']:,} rows, {totals['tokens']:,} tokens{_told(found)}"
    )


def _say_left_out(found: ShardSet) -> None:
    left_out = [entry for entry in found.manifest.ledger if entry["unit"] == "rows"]
    if left_out:
        counts = ", ".join(f"{entry['count']:,} {entry['reason']}" for entry in left_out)
        tables = [e.file for e in found.manifest.files if e.file in _EXPLAIN]
        see = (
            f"; see {', '.join(f'{shown(found.root)}/{name}' for name in tables)}" if tables else ""
        )
        say(f"Rows left out: {counts}{see}")


_EXPLAIN = ("_tables/leaks.json", "_tables/notes.json")


def _told(found: ShardSet) -> str:
    names = found.manifest.names.get("label")
    if names:
        return f", {len(names)} classes"
    return ", scores as labels" if "label" in found.manifest.schema else ", no labels"
