"""`build books`, `build text` and `books`: any text but dumps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.building import build, engine_option, reading_options, told_totals
from transferset.cli.group import Commands, example, say, shown, transferset
from transferset.cli.workers import echo_plan, planned_workers
from transferset.errors import printable

if TYPE_CHECKING:
    from transferset.shards import ShardSet

_LICENCE = click.option(
    "--licence", default="", metavar="TEXT", help="Licence of what states none, in words."
)


@build.command(
    "books",
    epilog=example(
        "transferset build books demo --min-words 0 --out sets/demo-books",
        "transferset build books novels/ --per-author 2 --licence 'Public domain'",
        "transferset build books gutenberg.toml --contact you@example.org --per-author 5",
    ),
)
@click.argument("inputs", metavar="SOURCE...", nargs=-1, required=True)
@reading_options
@click.option(
    "--min-words",
    type=int,
    default=20_000,
    show_default=True,
    help="Words that a book must have, counted on its cleaned text.",
)
@click.option(
    "--language",
    default="en",
    show_default=True,
    metavar="CODE|any",
    help="Language that most passages of a book must be in.",
)
@click.option("--per-author", type=int, metavar="N", help="Books kept of one author. [any number]")
@click.option(
    "--dedupe",
    type=click.Choice(["near", "exact", "off"]),
    default="near",
    show_default=True,
    help="Which duplicates are left out.",
)
@_LICENCE
@click.option(
    "--skip-damaged", is_flag=True, help="Count books that cannot be read instead of failing."
)
@engine_option
@click.option("--cache", type=click.Path(path_type=Path), help="Where downloads are kept.")
@click.option("--mirror", metavar="URL", help="A server that may have a private address.")
@click.option("--contact", metavar="MAIL", help="Sent to servers; needed to fetch books.")
@click.option("--revalidate", is_flag=True, help="Ask whether books in the cache have changed.")
def build_books(
    inputs: tuple[str, ...], no_shuffle: bool, dry_run: bool, out: Path | None, **options: Any
) -> None:
    """Turn books into a shuffled set of sentences as word pieces.

    SOURCE is a folder, a file (.txt, .epub, or a .zip of those), or a manifest (.toml, .csv) of
    addresses with licences, as `transferset books find` makes it; its books are fetched first,
    one at a time from a server, as its robots.txt allows.

    A book stays if it is in the language, long enough, free, and no duplicate. What became of the
    others stands in the set's _tables/books.json.
    """
    from transferset import api
    from transferset.report.progress import Bar

    if dry_run:
        from transferset.pipeline.books_plan import books_plan_json

        workers = planned_workers(options)
        plan = api.plan_books(inputs, shuffle=not no_shuffle, offline=True, **options)
        echo_plan(books_plan_json(plan, workers), out)
        return
    with Bar() as bar:
        found = api.build_books(inputs, out, shuffle=not no_shuffle, progress=bar, **options)
    _say_dropped(found)
    told_totals(found)


def _say_dropped(found: ShardSet) -> None:
    dropped = [e for e in found.manifest.ledger if e["unit"] == "documents"]
    if dropped:
        counts = ", ".join(f"{entry['count']:,} {entry['reason']}" for entry in dropped)
        say(f"Books left out: {counts}; see {shown(found.root)}/_tables/books.json")


@build.command(
    "text",
    epilog=example(
        "transferset build text notes.txt --out sets/notes",
        "transferset build text articles.jsonl --field body --licence 'CC BY 4.0'",
        "transferset build text wikipedia/20231101.simple/ --out sets/simple",
    ),
)
@click.argument("inputs", metavar="FILE...", nargs=-1, required=True)
@reading_options
@click.option("--field", metavar="NAME", help="Member or column that holds the text. [found]")
@click.option(
    "--format",
    type=click.Choice(["txt", "jsonl", "parquet", "arrow"]),
    help="What the files are. [by their names]",
)
@click.option("--split", metavar="NAME", help="Split of a datasets folder or hub name.")
@click.option(
    "--layout",
    type=click.Choice(["auto", "wrapped", "lines", "book"]),
    default="auto",
    show_default=True,
    help="Of plain text: whether blank lines or line ends part paragraphs, or it is a book.",
)
@click.option(
    "--language", default="en", show_default=True, metavar="CODE", help="Of what states none."
)
@_LICENCE
@click.option(
    "--skip-damaged", is_flag=True, help="Count text files in no encoding instead of failing."
)
@engine_option
@click.option("--cache", type=click.Path(path_type=Path), help="Where downloads are kept.")
def build_text(
    inputs: tuple[str, ...], no_shuffle: bool, dry_run: bool, out: Path | None, **options: Any
) -> None:
    """Turn plain text or records into a shuffled set of sentences as word pieces.

    FILE is a .txt (one document), .jsonl or .parquet (one document a row), .arrow, a folder of
    such files, a folder that `datasets` saved, or a name on the hub.
    """
    from transferset import api
    from transferset.report.progress import Bar

    if dry_run:
        from transferset.pipeline.text_plan import text_plan_json

        workers = planned_workers(options)
        plan = api.plan_text(inputs, shuffle=not no_shuffle, **options)
        echo_plan(text_plan_json(plan, workers), out)
        return
    with Bar() as bar:
        found = api.build_text(inputs, out, shuffle=not no_shuffle, progress=bar, **options)
    told_totals(found)


@transferset.group(cls=Commands)
def books() -> None:
    """Find books."""


@books.command(
    "find",
    epilog=example(
        "transferset books find pg_catalog.csv --language en --out gutenberg.toml",
        "transferset books find pg_catalog.csv --rdf rdf-files.tar.bz2 --min-words 20000 "
        "--subject fiction --out novels.toml",
    ),
)
@click.argument("catalog")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Manifest to write.")
@click.option("--rdf", metavar="PATH|URL", help="The catalogue's RDF: rights and sizes.")
@click.option(
    "--language", default="en", show_default=True, metavar="CODE|any", help="Language of a book."
)
@click.option(
    "--rights",
    type=click.Choice(["public-domain", "any"]),
    default="public-domain",
    show_default=True,
    help="Rights that a book must have.",
)
@click.option("--subject", "subjects", multiple=True, help="Part of a subject; may be repeated.")
@click.option("--exclude-subject", "exclude_subjects", multiple=True, help="No book of these.")
@click.option("--author", "authors", multiple=True, help="Part of an author's name.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    default=["text/plain"],
    show_default=True,
    help="text/plain or application/epub+zip, the preferred one first.",
)
@click.option(
    "--min-words",
    type=int,
    default=20_000,
    show_default=True,
    help="Words of a book, as far as sizes tell; `build books` counts them.",
)
@click.option("--limit", type=int, help="The first books only. [all]")
@click.option("--mirror", metavar="URL", help="Server that the addresses lead to.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where downloads are kept.")
@click.option("--contact", metavar="MAIL", help="Sent to the server of a catalogue by address.")
@click.option("--force", is_flag=True, help="Replace a manifest that is there.")
def books_find(catalog: str, out: Path, **options: Any) -> None:
    """Make a manifest of books out of a catalogue of Project Gutenberg.

    CATALOG is its pg_catalog.csv, a file or an address. The manifest is for `build books`.
    """
    from transferset import api
    from transferset.report.progress import Bar

    with Bar() as bar:
        found = api.books_find(catalog, out, progress=bar, **options)
    for note in found.notes:
        say(f"NOTE: {printable(note, limit=4096)}")
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in found.dropped.items() if count)
    left_out = f" of {found.rows:,} (left out: {dropped})" if dropped else ""
    click.echo(f"{shown(out)}: {len(found.manifest.entries):,} books{left_out}")
