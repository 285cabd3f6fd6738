"""What is said of models and exports that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from transferset.cli.group import shown

if TYPE_CHECKING:
    from transferset.exported import Exported
    from transferset.manifest import Json
    from transferset.models import Model


def echo_model(found: Model) -> None:
    """One line about a model that is there."""
    metrics = found.record.metrics
    told = _written(metrics) if found.record.op == "lm fit" else _trained(metrics)
    click.echo(f"{shown(found.root)}: {told}")


def echo_export(found: Exported) -> None:
    """One line about an export that is there."""
    record = found.record
    click.echo(f"{shown(found.root)}: {record.rows:,} rows as {record.to}, {record.size:,} bytes")


def _written(metrics: Json) -> str:
    """Of one that writes."""
    text = f"{metrics['steps']:,} steps, {_rounded(metrics['pieces'])} pieces"
    measured = metrics["held_out"]
    if measured:
        best = next(one for one in measured if one["step"] == metrics["kept_step"])
        text += f", held-out perplexity {measured[0]['piece']:,.1f} → {best['piece']:,.1f}"
    return text


def _trained(metrics: Json) -> str:
    """Of a teacher or a student."""
    text = f"{metrics['steps']:,} steps, {_rounded(metrics['tokens'])} tokens"
    measured = metrics["evaluations"]
    best = next((one for one in measured if one["step"] == metrics["kept_step"]), None)
    if best is not None:
        figures = [f"{name} {value:.4f}" for name, value in best.items() if _is_figure(name, value)]
        text += f", held out: {', '.join(figures)} (step {best['step']:,})"
    seeds = metrics["seeds"]
    if seeds and seeds["median"] is not None:
        text += (
            f"; of {len(seeds['scores'])} seeds median {seeds['median']:.4f}, "
            f"{seeds['least']:.4f} to {seeds['most']:.4f}"
        )
    return text


def _is_figure(name: str, value: object) -> bool:
    return name != "step" and isinstance(value, float)


def _rounded(count: int) -> str:
    """`1.2 M`, `34 k`, `567`."""
    for scale, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= scale:
            value = count / scale
            return f"{value:.1f}{unit}" if value < 10 else f"{value:,.0f}{unit}"
    return str(count)
