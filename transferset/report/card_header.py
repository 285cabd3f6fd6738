"""The YAML at the head of a data card, as the Hugging Face hub reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from transferset.manifest import Manifest
from transferset.report.card_generated import written_by_models
from transferset.report.document_counts import DocumentCounts
from transferset.report.licences import hub_names
from transferset.report.markup import shown

#: Most languages and licences that are named.
MOST_NAMED: Final = 100

#: Subtags that name no language.
_NO_LANGUAGE: Final = frozenset({"und", "mul", "mis", "zxx"})

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")

#: Numbers of rows between which categories lie, from a thousand on by tens.
_SIZES: Final = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")

_UNKNOWN: Final = frozenset({"", "unknown"})

#: A value, or several.
Value = str | Sequence[str]


def header(manifest: Manifest, counts: DocumentCounts | None) -> str:
    """The block between `---` lines, both included.

    Args:
        manifest: The set's.
        counts: Of its documents, if it has a table.

    Returns:
        YAML whose strings are all quoted, so that nothing can be read as something else.
    """
    lines = [
        line for key, value in members(manifest, counts).items() for line in _lines(key, value)
    ]
    return "\n".join(["---", *lines, *_configs(manifest), "---"])


def members(manifest: Manifest, counts: DocumentCounts | None) -> dict[str, Value]:
    """What the hub is told of a set, but for its files."""
    found: dict[str, Value] = {
        "pretty_name": shown(manifest.name, 100),
        "language": languages(manifest, counts),
        **licence_members(licences(manifest, counts)),
        "size_categories": [size_category(manifest.totals["rows"])],
        "task_categories": ["text-classification" if labelled(manifest) else "fill-mask"],
        "tags": tags(manifest),
    }
    return {key: value for key, value in found.items() if value}


def _lines(key: str, value: Value) -> list[str]:
    if isinstance(value, str):
        return [f"{key}: {_quoted(value)}"]
    return [f"{key}:", *(f"- {_quoted(one)}" for one in value)]


def _quoted(text: str) -> str:
    """JSON, which is YAML once its controls and surrogates are spelt out."""
    return json.dumps(text, ensure_ascii=False)


def languages(manifest: Manifest, counts: DocumentCounts | None) -> list[str]:
    """ISO 639 codes of sources and documents, in alphabetical order."""
    codes = [str(source["language"]) for source in manifest.sources]
    codes += [one.text for one in counts.languages.top(MOST_NAMED)] if counts else []
    found = {re.split("[-_]", code.lower(), maxsplit=1)[0] for code in codes}
    known = {code for code in found if _LANGUAGE.fullmatch(code)}
    return sorted(known - _NO_LANGUAGE)[:MOST_NAMED]


def licences(manifest: Manifest, counts: DocumentCounts | None) -> list[str]:
    """Licences in words: those of the set, then those of its documents; an empty one is unknown."""
    of_documents = [one.text for one in counts.licences.top(MOST_NAMED)] if counts else []
    stated = [*manifest.licence.split(" AND ")[:MOST_NAMED], *of_documents]
    found = dict.fromkeys("" if one.lower() in _UNKNOWN else one for one in stated)
    if of_documents and counts and not counts.licences.unstated.documents:
        # every document says its own: that a source as a whole says nothing is no gap
        found.pop("", None)
    return list(found)


def licence_members(stated: Sequence[str]) -> dict[str, Value]:
    """The members that name licences as the hub knows them; an empty one is unknown."""
    if not any(stated):
        return {"license": "unknown"}
    names = hub_names(stated)
    if names is not None:
        return {"license": names if len(names) > 1 else names[0]}
    words = " and ".join(one or "unknown" for one in stated)
    return {"license": "other", "license_name": _slug(words)}


def _slug(text: str) -> str:
    """`public-domain-in-the-usa`, as the hub wants the name of a licence that it does not know."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return plain[:100].rstrip("-.") or "other"


def size_category(rows: int) -> str:
    """The hub's category of a number of rows: `1K<n<10K`, from its lower bound on."""
    lower = ""
    for power, upper in enumerate(_SIZES, 3):
        if rows < 10**power:
            return f"{lower}<n<{upper}" if lower else f"n<{upper}"
        lower = upper
    return "n>1T"


def labelled(manifest: Manifest) -> bool:
    """Whether rows have a label, a class or a score."""
    return "label" in manifest.schema


def tags(manifest: Manifest) -> list[str]:
    """Keywords that the manifest proves."""
    wikis: Iterable[object] = (source.get("base") for source in manifest.sources)
    wikipedia = any(isinstance(base, str) and ".wikipedia.org/" in base for base in wikis)
    found = ["transferset", "knowledge-distillation"]
    found += [] if labelled(manifest) else ["language-modeling"]
    found += ["wikipedia"] if wikipedia else []
    return [*found, *(["synthetic"] if written_by_models(manifest) else [])]


def _configs(manifest: Manifest) -> list[str]:
    """Which files are rows: without it, the hub would take the documents table for some too."""
    split = manifest.params.get("split")
    name = split if isinstance(split, str) and re.fullmatch(r"\w{1,40}", split, re.A) else "train"
    return [
        "configs:",
        '- config_name: "default"',
        "  data_files:",
        f"  - split: {_quoted(name)}",
        '    path: "data-*.arrow"',
    ]
