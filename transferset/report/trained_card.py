"""What the card of a trained model says of where it came from; how to open it stands there too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from transferset.models import Record
from transferset.report.card_header import licence_members
from transferset.report.markdown import code, items, md, table
from transferset.report.markup import shown
from transferset.report.wording import in_words

#: Most sets that are named, and most measurements: there may be one every step.
MOST_SETS: Final = 20
MOST_MEASURED: Final = 20

#: Options that stand elsewhere in the card.
_TOLD: Final = ("student", "teacher", "preset")

#: Options that say nothing beside another optimiser, and without a vocabulary of words.
_OF_ADAM: Final = ("beta1", "beta2")
_OF_ADADELTA: Final = ("rho",)
_MASKING: Final = ("mask", "smoothing")
_OF_WORDS: Final = ("lowercase", "least", "most")

_MADE: Final = {
    "teacher fit": "fine-tuned by `transferset teacher fit`",
    "finetune": "fine-tuned by `transferset finetune`",
    "distill": "distilled by `transferset distill`",
}


def hub_header(record: Record) -> str:
    """The header that the hub reads, both `---` lines included."""
    stated = ["" if one == "unknown" else one for one in record.licence.split(" AND ")]
    members = licence_members(stated[:MOST_SETS]).items()
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in members]
    masked = bool(record.params.get("mlm"))
    lines += [
        f'pipeline_tag: "{"fill-mask" if masked else "text-classification"}"',
        f"model_name: {json.dumps(shown(record.name, 100), ensure_ascii=False)}",
        'tags: ["transferset", "knowledge-distillation"]',
    ]
    return "\n".join(["---", *lines, "---"])


def about_lines(record: Record) -> list[str]:
    """Where a model came from and what it scored, in Markdown.

    Args:
        record: As it is going to be committed; its files are not read.
    """
    parts = [
        _opening(record),
        "## Made from\n\n" + _made_from(record),
        *_preset(record.params),
        "## Figures\n\n" + _figures(record),
        _licence(record),
        f"All of it, with digests, stands in `model.json`. Recipe {code(record.recipe)}.",
        "## Use",
    ]
    return "\n\n".join(parts).split("\n")


def _opening(record: Record) -> str:
    trained = record.examples.get("train", [])
    rows = sum(one.get("rows", 0) for one in trained)
    kind = "A masked language model" if record.params.get("mlm") else "A text classifier"
    return f"{kind}, {_MADE[record.op]} from {rows:,} rows in {record.metrics['steps']:,} steps."


def _made_from(record: Record) -> str:
    parents = list(record.parents)
    rows = [
        [md(one["name"], 80), md(one.get("role", "")), _rows(one), md(one.get("licence") or "")]
        for one in parents[:MOST_SETS]
    ]
    told = [table(("set", "role", "rows", "licence"), rows, left=2)]
    for what, model in (("Base", record.base), ("Teacher", record.params.get("teacher"))):
        if isinstance(model, dict):
            weights, licence = code(model.get("weights", "")), md(model.get("licence", "unknown"))
            told.append(f"{what}: {md(model['name'], 80)}, weights {weights}, licence {licence}.")
    params = record.params
    if any("masked" in one for one in record.examples.get("train", [])):  # the set was masked
        params = {k: v for k, v in params.items() if k not in _MASKING}
    told.append(f"Options: {md(_options(params), 2000)}, seed {record.seed}.")
    student = record.params.get("student")
    if isinstance(student, dict) and record.op == "distill":
        told.append(f"Student: {md(_options(student), 2000)}.")
    return "\n\n".join(told)


def _options(params: Mapping[str, Any]) -> str:
    left = {*_TOLD, *_without_effect(params)}
    given = {k: v for k, v in params.items() if v not in (None, False) and k not in left}
    return ", ".join(f"{name} {in_words(value)}" for name, value in sorted(given.items()))


def _without_effect(params: Mapping[str, Any]) -> list[str]:
    """Options that have a value, and which nothing looks at."""
    left = list(_OF_ADAM if params.get("optimizer") == "adadelta" else _OF_ADADELTA)
    if params.get("seeds") == 1:
        left.append("seeds")
    if not params.get("words"):
        left += _OF_WORDS
    return left


def _rows(one: Mapping[str, Any]) -> str:
    totals = one.get("totals")
    rows = totals.get("rows") if isinstance(totals, dict) else None
    return f"{rows:,}" if isinstance(rows, int) else ""


def _preset(params: Mapping[str, Any]) -> list[str]:
    preset = params.get("preset")
    if not isinstance(preset, dict):
        return []
    named = [md(one, 1000) for one in preset["deviations"]]
    return [f"As in {md(preset['name'])}, except that:\n\n{items(named)}"]


def _figures(record: Record) -> str:
    metrics = record.metrics
    sizes = metrics["parameters"]
    told = [
        f"{metrics['steps']:,} steps, {metrics['tokens']:,} tokens seen",
        f"{sizes['all']:,} parameters, {sizes['embedding']:,} of them embeddings{_trained(sizes)}",
    ]
    cut = sum(one.get("cut_rows", 0) for one in record.examples.get("train", []))
    if cut:
        told.append(f"{cut:,} rows were cut at {record.params['length']:,} ids")
    seeds = metrics.get("seeds")
    if isinstance(seeds, dict):
        told.append(_seeds(seeds))
    measured = list(metrics.get("evaluations", ()))
    if not measured:
        return items([*told, "nothing was held out; the last weights were kept"])
    return f"{items(told)}\n\n{_measured(measured, metrics['kept_step'])}"


def _trained(sizes: Mapping[str, int]) -> str:
    trained, saved = sizes.get("trained", sizes["all"]), sizes["all"]
    if trained == saved:
        return ""
    why = "; embeddings and their map are saved as one table" if trained > saved else ""
    return f" ({trained:,} were trained{why})"


def _seeds(seeds: Mapping[str, Any]) -> str:
    figures = [_figure(seeds[name]) for name in ("median", "least", "most")]
    return (
        f"of {len(seeds['scores']):,} trainings that differ in their seed, the one of the median "
        f"score was kept, seed {seeds['kept']}: median {figures[0]}, range {figures[1]} to "
        f"{figures[2]}"
    )


def _measured(measured: list[dict[str, Any]], kept: int) -> str:
    some = measured if len(measured) <= MOST_MEASURED else measured[-MOST_MEASURED:]
    # a run that was resumed has them in the order of its checkpoint
    names = sorted(name for name in measured[0] if name != "step")
    rows = [
        [f"{one['step']:,}{' (kept)' if one['step'] == kept else ''}"]
        + [_figure(one.get(name)) for name in names]
        for one in some
    ]
    return table(("after step", *(md(name, 80) for name in names)), rows)


def _figure(value: object) -> str:
    return f"{value:,.4f}" if isinstance(value, int | float) else "–"


def _licence(record: Record) -> str:
    known = not re.search(r"\bunknown\b", record.licence)
    rest = "" if known else "; what is unknown has to be found out before it is passed on"
    return f"Licence: {md(record.licence, 300)}{rest}."
