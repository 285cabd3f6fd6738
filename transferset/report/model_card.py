"""The card of a model, `README.md` in its directory: what its record says, for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from transferset.models import Record
from transferset.report.card_header import licence_members
from transferset.report.markdown import code, items, md, table
from transferset.report.markup import shown

#: Most sets that are named.
MOST_SETS: Final = 20

#: How often perplexities are told; there may be one every step.
MOST_MEASURED: Final = 20


def model_card(record: Record) -> str:
    """A model's card in Markdown, with the header that the hub reads.

    Args:
        record: As it is going to be committed.
    """
    parts = [
        _header(record),
        f"# {md(record.name, 100)}",
        _opening(record),
        "## Use\n\n" + _use(record),
        "## Made from\n\n" + _made_from(record),
        "## Figures\n\n" + _figures(record),
        "## Limits\n\n" + items(_limits(record)),
        f"All of it, with digests, stands in `model.json`. Recipe {code(record.recipe)}.",
    ]
    return "\n\n".join(parts) + "\n"


def _header(record: Record) -> str:
    stated = ["" if one == "unknown" else one for one in record.licence.split(" AND ")]
    licences = licence_members(stated[:MOST_SETS]).items()
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in licences]
    name = json.dumps(shown(record.name, 100), ensure_ascii=False)
    members = [
        *lines,
        'library_name: "transformers"',
        'pipeline_tag: "text-generation"',
        f"model_name: {name}",
        'tags: ["transferset", "knowledge-distillation"]',
    ]
    return "\n".join(["---", *members, "---"])


def _opening(record: Record) -> str:
    begun = md(record.base["name"], 80) if record.base else "A model from scratch"
    trained = record.examples.get("train", {})
    texts, pieces = trained.get("examples", 0), trained.get("pieces", 0)
    epochs = record.params.get("epochs", 1)
    return (
        f"{begun}, fitted to {texts:,} texts ({pieces:,} pieces) in {epochs:,} "
        f"{'epoch' if epochs == 1 else 'epochs'}: a causal language model that writes more texts "
        "like them."
    )


def _use(record: Record) -> str:
    return (
        "```python\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        'model = AutoModelForCausalLM.from_pretrained("DIR")\n'
        'tokenizer = AutoTokenizer.from_pretrained("DIR")\n'
        "```\n\n"
        "A transfer set of texts that it writes:\n\n"
        "```sh\ntransferset lm sample SET --model DIR --rows 20k --out OUT\n```"
    )


def _made_from(record: Record) -> str:
    rows = [
        [md(one["name"], 80), md(one.get("role", "")), _rows(one), md(one.get("licence", "") or "")]
        for one in list(record.parents)[:MOST_SETS]
    ]
    told = table(("set", "role", "rows", "licence"), rows, left=2)
    if record.base:
        weights = record.base.get("weights", "")
        base = f"Base: {md(record.base['name'], 80)}, weights {code(weights)}, licence "
        told += f"\n\n{base}{md(record.base.get('licence', 'unknown'))}."
    options = {name: value for name, value in record.params.items() if value is not None}
    listed = ", ".join(f"{name} {json.dumps(value)}" for name, value in sorted(options.items()))
    return f"{told}\n\nOptions: {md(listed, 1000)}, seed {record.seed}."


def _rows(one: Mapping[str, Any]) -> str:
    totals = one.get("totals")
    rows = totals.get("rows") if isinstance(totals, dict) else None
    return f"{rows:,}" if isinstance(rows, int) else ""


def _figures(record: Record) -> str:
    metrics, train = record.metrics, record.examples.get("train", {})
    told = [
        f"{metrics['steps']:,} steps, {metrics['pieces']:,} pieces predicted",
        f"{train.get('truncated', 0):,} texts were cut ({train.get('cut_pieces', 0):,} pieces), "
        f"{train.get('empty', 0):,} were blank and left out",
    ]
    measured = list(metrics.get("held_out", ()))
    if not measured:
        return items([*told, "nothing was held out; the last weights were kept"])
    heads = ("after step", "perplexity of a piece", "of a word")
    kept = metrics["kept_step"]
    some = measured if len(measured) <= MOST_MEASURED else [measured[0], *measured[-MOST_MEASURED:]]
    rows = [
        [f"{one['step']:,}{' (kept)' if one['step'] == kept else ''}"]
        + [f"{one[name]:,.2f}" if one[name] else "–" for name in ("piece", "word")]
        for one in some
    ]
    return f"{items(told)}\n\n{table(heads, rows)}"


def _limits(record: Record) -> list[str]:
    known = not re.search(r"\bunknown\b", record.licence)
    return [
        "what it writes may be false, offensive, or copied from the texts that it was fitted to",
        f"licence: {md(record.licence, 300)}"
        + ("" if known else "; what is unknown has to be found out before it is passed on"),
    ]
