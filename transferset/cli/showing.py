"""Commands that look at sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from transferset.cli.group import example, named_set, say, shown, transferset


@transferset.command(
    epilog=example(
        "transferset inspect sets/wiki-demo --head 3",
        "transferset inspect --json",
        "transferset inspect models/student",
    )
)
@click.argument("path", metavar="[SET|MODEL]", required=False, type=click.Path(path_type=Path))
@click.option("--head", type=int, default=5, show_default=True, help="Rows to show.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def inspect(path: Path | None, head: int, as_json: bool) -> None:
    """Show what a set is: columns, totals, ledger, lineage, and a few rows.

    Without SET the only one under sets/ is shown. Of a MODEL that transferset made: command,
    options, sets, measurements, files.
    """
    from transferset import api

    if path is not None and _is_model(path):
        _inspect_model(path, as_json=as_json)
        return
    root = named_set(path)
    found = api.inspect(root, head=head)
    if as_json:
        click.echo(json.dumps({**found.facts, "head": found.rows}, indent=1, ensure_ascii=False))
    else:
        from transferset.report.terminal import show

        show(found.facts, found.rows)


def _is_model(path: Path) -> bool:
    from transferset.pipeline.remote import holds_model

    return holds_model(path)


def _is_export(path: Path) -> bool:
    from transferset.pipeline.remote import holds_export

    return holds_export(path)


def _verify_export(path: Path) -> None:
    from transferset import api
    from transferset.exported import Exported
    from transferset.exports.protocol import format_of
    from transferset.pipeline.remote import local
    from transferset.report.progress import Bar

    with Bar() as bar:
        root = local(path)
        bar.start("verify", Exported.open(root).record.rows, "rows")
        record = api.verify_export(root, progress=lambda rows: bar.advance(rows, rows)).record
    reader = format_of(record.to).reader()
    click.echo(
        f"{shown(path)}: right; {record.rows:,} rows as {record.to} in {len(record.files)} files, "
        f"read by {reader}, digest {record.digest[:16]}"
    )


def _inspect_model(path: Path, *, as_json: bool) -> None:
    from transferset import api

    facts = api.inspect_model(path)
    if as_json:
        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        from transferset.report.terminal_model import show_model

        show_model(facts)


@transferset.command(
    epilog=example(
        "transferset verify sets/wiki-demo",
        "transferset verify models/student",
        "transferset verify exports/wiki-demo-hf",
    )
)
@click.argument(
    "path", metavar="[SET|MODEL|EXPORT]", required=False, type=click.Path(path_type=Path)
)
def verify(path: Path | None) -> None:
    """Check every digest and every invariant of a set; exit code 4 names the first wrong place.

    Without SET the only one under sets/ is checked. Of a MODEL that transferset made the digests
    of its record and its files are. An EXPORT is read back too, by the reader of its format where
    that is installed, and compared with what the set held.
    """
    from transferset import api
    from transferset.report.progress import Bar
    from transferset.report.wording import counted

    if path is not None and _is_model(path):
        model = api.verify_model(path)
        files = counted(len(model.record.files), "files")
        click.echo(f"{shown(path)}: right; a model of {files}, digest {model.record.digest[:16]}")
        return
    if path is not None and _is_export(path):
        _verify_export(path)
        return
    root = named_set(path)
    with Bar() as bar:
        found = api.open(root)
        bar.start("verify", found.manifest.totals["bytes"], "bytes")
        api.verify(root, progress=lambda size: bar.advance(size, 0))
    click.echo(
        f"{shown(root)}: right; {len(found):,} rows in {len(found.manifest.shards)} shard(s), "
        f"digest {found.manifest.digest[:16]}"
    )


@transferset.command(
    epilog=example(
        "transferset stats sets/wiki sets/random sets/generated",
        "transferset stats sets/random --parent sets/wiki --json",
    )
)
@click.argument("sets", metavar="[SET]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--parent", type=click.Path(path_type=Path), help="What they are compared with.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def stats(sets: tuple[Path, ...], parent: Path | None, as_json: bool) -> None:
    """Measure sets: size, lengths, words, types, and how far each is from its parent.

    Without SET the only one under sets/ is measured. The parent is found among the given sets and
    beside them, unless it is named.
    """
    from transferset import api
    from transferset.report.progress import Bar

    with Bar() as bar:
        found = api.stats(sets or [named_set(None)], parent=parent, progress=bar)
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        from transferset.report.terminal_stats import show_stats

        show_stats(found)


@transferset.command(epilog=example("transferset diff sets/wiki sets/random"))
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def diff(a: Path, b: Path, as_json: bool) -> None:
    """Compare two sets: rows, tokens and lengths that they share, and whether B came from A.

    Proves for instance that B is a row-wise permutation of A, or a sample of it.
    """
    from transferset import api
    from transferset.report.progress import Bar

    with Bar() as bar:
        found = api.diff(a, b, progress=bar)
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        from transferset.report.terminal_diff import show_diff

        show_diff(found)


@transferset.command(
    epilog=example(
        "transferset report sets/wiki sets/random sets/generated --out report.html",
        "transferset report sets/wiki --out report.html --figures figures",
    )
)
@click.argument("sets", metavar="[SET]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="report.html",
    show_default=True,
    help="The HTML file.",
)
@click.option(
    "--figures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write the figures there, as SVG and PNG.",
)
@click.option("--parent", type=click.Path(path_type=Path), help="What they are compared with.")
def report(sets: tuple[Path, ...], out: Path, figures: Path | None, parent: Path | None) -> None:
    """Write one page about sets: lineage, tables, figures, ledger, rows, licences.

    The page is one file without scripts; it needs no network.
    """
    from transferset import api
    from transferset.report.progress import Bar

    with Bar() as bar:
        given = sets or [named_set(None)]
        page = api.report(given, out, figures=figures, parent=parent, progress=bar)
    click.echo(page)
    _say_png(figures)


def _say_png(figures: Path | None) -> None:
    from transferset.report.figure_files import how_to_get_png

    advice = how_to_get_png() if figures is not None else None
    if advice:
        say(advice)
