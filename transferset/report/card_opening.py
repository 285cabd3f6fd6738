"""The beginning of a data card: what a set is, how to open it, its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from transferset.manifest import Manifest
from transferset.report.card_columns import MEANINGS
from transferset.report.card_sections import section
from transferset.report.card_words import BUILT, made_in_words
from transferset.report.markdown import items, md, table
from transferset.report.wording import MOST_STEPS, counted, listed, sentence_case, step_phrase
from transferset.schema import COLUMNS

#: Most columns that are listed beside those of the format.
MOST_COLUMNS: Final = 40


def opening(manifest: Manifest) -> str:
    """Title, and what the set is in a few sentences."""
    holds = [what for name, what in _HOLDS.items() if name in manifest.schema]
    totals = manifest.totals
    parts = [
        f"# {md(manifest.name, 100)}",
        f"{counted(totals['rows'], 'rows')} of {listed(holds)}"
        f"{_tokenizer(manifest)}. {_made(manifest)}.{_unit(manifest)}",
    ]
    steps = manifest.params.get("steps")
    if isinstance(steps, list) and steps:
        told = [f"{i}. {md(step_phrase(one), 200)}" for i, one in enumerate(steps[:MOST_STEPS], 1)]
        more = len(steps) - MOST_STEPS
        told += [f"{MOST_STEPS + 1}. {more:,} more steps"] if more > 0 else []
        parts.append("\n".join(told))
    return "\n\n".join([*parts, *_preset(manifest.params.get("preset"))])


_HOLDS: Final = {
    "input_ids": "token ids",
    "labels": "masked-LM labels",
    "text": "text",
    "text_pair": "second text",
    "label": "labels",
    "logits": "a teacher's logits",
    "top_ids": "a teacher's most likely ids",
}


def _tokenizer(manifest: Manifest) -> str:
    if manifest.tokenizer is None:
        return ""
    pieces = manifest.tokenizer["vocab_size"]
    return f" of the tokenizer {md(manifest.tokenizer['name'], 80)} ({pieces:,} word pieces)"


def _made(manifest: Manifest) -> str:
    steps = manifest.params.get("steps")
    named = [md(p["name"], 80) for p in manifest.parents if p.get("role") != "fit"][:MOST_STEPS]
    fitted = [md(p["name"], 80) for p in manifest.parents if p.get("role") == "fit"][:1]
    model = f", with a model fitted on {fitted[0]}" if fitted else ""
    if isinstance(steps, list) and steps and named:
        return f"Derived from {named[0]} in these steps{model}"
    return md(sentence_case(made_in_words(manifest.op, manifest.params)), 300)


def _unit(manifest: Manifest) -> str:
    """What a row is; what comes after a build may be anything."""
    unit = manifest.params.get("unit") if manifest.op in BUILT else None
    return (
        f" A row is a {unit}, or a piece of a long one." if unit in ("sentence", "document") else ""
    )


def _preset(preset: object) -> Iterator[str]:
    if not isinstance(preset, Mapping):
        return
    deviations = preset.get("deviations")
    known = deviations if isinstance(deviations, list) else []
    yield f"As in {md(preset.get('name'))}{', except:' if known else '.'}"
    if known:
        yield items([md(one, 300) for one in known[:MOST_STEPS]])


def how_to_open(manifest: Manifest) -> str:
    """How to read it, with PATH for its directory."""
    text = "text" in manifest.schema
    lines = [
        'datasets.load_from_disk("PATH")   # Hugging Face datasets, mapped, without a copy',
        'transferset.open("PATH")          # batches of pyarrow; checks that the set is whole',
    ]
    if manifest.tokenizer is not None:
        why = "reads text as the set was read" if text else "turns the ids into text again"
        lines.append(f'transformers.AutoTokenizer.from_pretrained("PATH")   # {why}')
    verify = "`transferset verify PATH` checks every byte of rows and tables by `manifest.json`."
    return "\n".join(["## How to open it", "", "```python", *lines, "```", "", verify])


def columns(manifest: Manifest) -> str:
    """Columns with types and meanings."""
    names = [name for name in COLUMNS if name in manifest.schema]
    names += sorted(set(manifest.schema) - set(COLUMNS))[:MOST_COLUMNS]
    rows = [
        (f"`{name}`" if name in MEANINGS else md(name), md(manifest.schema[name], 60),
         MEANINGS.get(name, ""))
        for name in names
    ]  # fmt: skip
    return section("Columns", table(("column", "type", "what it is"), rows, left=3))
