"""`build` and `vocab`: corpora and vocabularies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from transferset.cli.group import Commands, example, say, say_deviations, shown, transferset
from transferset.cli.workers import WORKER_OPTIONS, echo_plan, planned_workers

if TYPE_CHECKING:
    from transferset.shards import ShardSet

F = TypeVar("F", bound=Callable[..., Any])


@transferset.group(cls=Commands)
def build() -> None:
    """Build a corpus set from a source."""


def reading_options(command: F) -> F:
    """The options that every `build` command shares."""
    for option in reversed(_READING):
        command = option(command)
    return command


engine_option = click.option(
    "--engine",
    type=click.Choice(["auto", "tokenizers", "nanotoken"]),
    default="auto",
    show_default=True,
    help="What turns text into ids; the ids are the same.",
)

_READING: Final = [
    click.option(
        "--out", type=click.Path(path_type=Path), help="Directory of the set. [sets/NAME]"
    ),
    click.option(
        "--tokenizer",
        metavar="PATH|NAME",
        help="tokenizer.json, vocab.txt, directory, installed package, or hub name. "
        "[the uncased English BERT vocabulary]",
    ),
    click.option(
        "--splitter",
        metavar="NAME",
        help="Sentence splitter: nupunkt, punkt, rules, spacy or spacy:MODEL. [by language]",
    ),
    click.option("--keep-text", is_flag=True, help="Keep each row's text beside its ids."),
    click.option("--no-shuffle", is_flag=True, help="Keep the rows in the order of the source."),
    click.option(
        "--unit",
        type=click.Choice(["sentence", "document"]),
        default="sentence",
        show_default=True,
        help="What a row is.",
    ),
    click.option(
        "--min-len",
        type=int,
        default=0,
        show_default=True,
        help="Drop (and count) rows of fewer ids, [CLS] and [SEP] included.",
    ),
    click.option(
        "--max-len",
        type=int,
        help="Split rows of more ids into near-equal parts; 0 is no limit. "
        "[512 for sentences, none for documents]",
    ),
    click.option("--shards", type=int, help="Number of shards. [one per 256 MB]"),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of the shuffle."),
    *WORKER_OPTIONS,
    click.option("--limit", type=int, metavar="N", help="Read the first documents only."),
    click.option("--dry-run", is_flag=True, help="Print the plan and write nothing."),
    click.option("--force", is_flag=True, help="Replace what is in --out."),
]


@build.command(
    "wiki",
    epilog=example(
        "transferset build wiki demo --out sets/demo",
        "transferset build wiki simplewiki@latest --keep-text",
        "transferset build wiki enwiki-20261101-pages-articles-multistream.xml.bz2 --workers 8",
    ),
)
@click.argument("source", required=False)
@reading_options
@click.option(
    "--skip-damaged", is_flag=True, help="Skip (and count) damaged blocks instead of failing."
)
@engine_option
@click.option(
    "--as",
    "preset",
    metavar="NAME",
    help="Parameters exactly as a publication had them: vandegraaf2021.",
)
@click.option("--cache", type=click.Path(path_type=Path), help="Where downloads are kept.")
@click.option("--mirror", metavar="URL", help="Mirror of dumps.wikimedia.org to download from.")
@click.option("--contact", metavar="MAIL", help="Put in the User-Agent of downloads.")
def build_wiki(
    source: str | None, no_shuffle: bool, dry_run: bool, out: Path | None, **options: Any
) -> None:
    """Turn a Wikipedia dump into a shuffled set of sentences as word pieces.

    SOURCE is a dump (.xml or .xml.bz2, one stream or many), a corpora manifest (.toml), a wiki at
    a date (simplewiki@20261101, simplewiki@latest; it is downloaded), or `demo`, the small sample
    that comes with transferset. Without SOURCE the sample is used.

    The same command gives the same bytes at any number of workers. When it was interrupted, the
    same command resumes.
    """
    from transferset import api
    from transferset.report.progress import Bar

    if source is None:
        say(
            "NOTE: no SOURCE given, so this builds the packaged SAMPLE, a few dozen articles.\n"
            "For a real corpus name a dump or a wiki: transferset build wiki simplewiki@latest\n"
        )
    if dry_run:
        _dry_run(source, no_shuffle, out, options)
        return
    with Bar() as bar:
        found = api.build_wiki(source, out, shuffle=not no_shuffle, progress=bar, **options)
    languages = {origin["language"] for origin in found.manifest.sources} - {"en", "simple", ""}
    if languages and options["tokenizer"] is None:
        say(
            f"NOTE: this text is in {', '.join(sorted(languages))}, its ids from the English BERT "
            "vocabulary.\nFit one: transferset vocab fit --help"
        )
    say_deviations(found)
    told_totals(found)


def told_totals(found: ShardSet) -> None:
    """Tell what a build came to."""
    totals = found.manifest.totals
    click.echo(
        f"{shown(found.root)}: {totals['rows']:,} rows, {totals['tokens']:,} tokens "
        f"from {totals['documents']:,} documents"
    )


def _dry_run(
    source: str | None, no_shuffle: bool, out: Path | None, options: dict[str, Any]
) -> None:
    from transferset import api
    from transferset.pipeline.wiki_plan import plan_json

    workers = planned_workers(options)
    plan = api.plan_wiki(source, shuffle=not no_shuffle, **options)
    echo_plan(plan_json(plan, workers), out)


@transferset.group(cls=Commands)
def vocab() -> None:
    """Make vocabularies."""


@vocab.command("fit", epilog=example("transferset vocab fit text.txt --size 8000 --out vocab/mine"))
@click.argument(
    "sources", metavar="FILE|SET...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Directory to write.")
@click.option("--size", type=int, default=30_522, show_default=True, help="Most pieces.")
@click.option("--language", default="en", show_default=True, help="Code of the texts' language.")
@click.option("--lowercase/--cased", default=None, help="Lower-case the text. [English only]")
@click.option(
    "--min-count", type=int, default=2, show_default=True, help="Occurrences a piece must have."
)
@click.option("--force", is_flag=True, help="Replace what is in --out.")
def vocab_fit(sources: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Fit a WordPiece vocabulary to text files (UTF-8) or to sets built with --keep-text."""
    from transferset import api

    fitted = api.vocab_fit(sources, out, **options)
    click.echo(
        f"{shown(out)}: {len(fitted.pieces):,} pieces from {fitted.words:,} words, "
        f"{fitted.characters:,} characters covering {fitted.coverage:.3%}"
    )
