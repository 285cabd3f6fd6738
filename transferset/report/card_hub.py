"""The data card of an export: YAML that the Hugging Face hub reads, then what people read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from transferset.documents import has_documents, read_documents
from transferset.exported import ExportRecord
from transferset.manifest import Json, Manifest
from transferset.report.card_documents import (
    attribution_section,
    authors_section,
    languages_section,
    licence_section,
)
from transferset.report.card_header import members, size_category
from transferset.report.card_making import graph_of, how_made, left_out
from transferset.report.card_opening import columns, opening
from transferset.report.card_sections import parts_of, section, sources
from transferset.report.document_counts import DocumentCounts, count_documents
from transferset.report.markdown import items, md, table
from transferset.report.markup import shown
from transferset.report.wording import number

#: Most names of a class that stand in the YAML; the files have them all.
_MOST_NAMES: Final = 1000


def hub_card(root: Path, manifests: Sequence[Manifest], record: ExportRecord) -> str:
    """Write the card of an export.

    Args:
        root: Of the first set, whose documents table is read if it has one.
        manifests: Of the sets, by split; their columns are those of the export.
        record: Of the export.

    Returns:
        Markdown with YAML at its head, ending in a line feed.
    """
    first = manifests[0]
    counts = count_documents(read_documents(root, first)) if has_documents(first) else None
    # files of the set are not here
    bare = replace(first, files=())
    graph = graph_of(first)
    retrieved = counts.retrieved if counts else ("", "")
    parts = [
        _header(first, counts, record),
        opening(bare),
        _how_to_open(record),
        columns(bare),
        _splits(record),
        parts_of(bare),
        sources(bare, retrieved),
        section("Licences", *licence_section(bare, counts)),
        section("Attribution", *attribution_section(bare)),
        section("Authors", *authors_section(bare, counts)),
        section("Languages", *languages_section(bare, counts)),
        left_out(bare, graph),
        _not_here(record),
        how_made(bare, graph),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(first: Manifest, counts: DocumentCounts | None, record: ExportRecord) -> str:
    known = members(first, counts) | {"size_categories": [size_category(record.rows)]}
    body = {**known, "configs": [_config(record)], "dataset_info": _info(record)}
    return "\n".join(["---", *_yaml(body), "---"])


def _config(record: ExportRecord) -> Json:
    files = [
        {"split": part["split"], "path": f"data/{part['split']}-*.parquet"} for part in record.parts
    ]
    return {"config_name": "default", "data_files": files}


def _info(record: ExportRecord) -> Json:
    part = record.parts[0]
    found = {name: _feature(kind, part["names"].get(name)) for name, kind in _kinds(part)}
    return {
        "features": [{"name": name, **kind} for name, kind in found.items()],
        "splits": [
            {"name": one["split"], "num_bytes": _bytes(record, one["split"]),
             "num_examples": one["rows"]}
            for one in record.parts
        ],
        "download_size": sum(_bytes(record, one["split"]) for one in record.parts),
        "dataset_size": sum(_bytes(record, one["split"]) for one in record.parts),
    }  # fmt: skip


def _bytes(record: ExportRecord, split: str) -> int:
    return sum(e.bytes for e in record.files if e.file.startswith(f"data/{split}-"))


def _kinds(part: Json) -> list[tuple[str, str]]:
    return list(part["columns"].items())


_DTYPES: Final = {"float": "float32", "halffloat": "float16"}


def _feature(kind: str, names: Sequence[str] | None) -> Json:
    """A feature as `datasets` writes it in YAML."""
    inner, _, length = kind.partition("[")
    if inner.startswith(("list<", "fixed_size_list<")):
        value = inner.partition("<")[2].rstrip(">")
        dtype = _DTYPES.get(value, value)
        return {"list": dtype, **({"length": int(length.rstrip("]"))} if length else {})}
    if kind == "int64" and names and len(names) <= _MOST_NAMES:
        known = {str(i): name for i, name in enumerate(names)}
        return {"dtype": {"class_label": {"names": known}}}
    return {"dtype": _DTYPES.get(kind, kind)}


def _yaml(body: Mapping[str, Any], indent: str = "") -> list[str]:
    """Objects, lists of objects and scalars as block YAML whose strings are all quoted."""
    lines = []
    for key, value in body.items():
        name = f"{indent}{json.dumps(key) if key.isdigit() else key}:"
        if isinstance(value, Mapping):
            lines += [name, *_yaml(value, indent + "  ")]
        elif isinstance(value, list):
            lines += [name, *(line for one in value for line in _item(one, indent))]
        else:
            lines.append(f"{name} {_scalar(value)}")
    return lines


def _item(value: Any, indent: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{indent}- {_scalar(value)}"]
    first, *rest = _yaml(value, indent + "  ")
    return [f"{indent}- {first[len(indent) + 2 :]}", *rest]


def _scalar(value: str | int) -> str:
    # JSON is YAML once its controls and surrogates are spelt out
    return str(value) if isinstance(value, int) else json.dumps(shown(value, 300))


def _how_to_open(record: ExportRecord) -> str:
    lines = [
        'datasets.load_dataset("PATH")   # Hugging Face datasets; on the hub, its name',
        f'polars.scan_parquet("PATH/data/{record.parts[0]["split"]}-*.parquet")',
    ]
    if record.tokenizer is not None:
        how = 'transformers.AutoTokenizer.from_pretrained("PATH")   # whose ids they are'
        lines.append(how)
    verify = "`transferset verify PATH` checks every byte, and every row against the set it is of."
    return "\n".join(["## How to open it", "", "```python", *lines, "```", "", verify])


def _splits(record: ExportRecord) -> str:
    rows = [
        (md(part["split"]), number(part["rows"]), number(part["tokens"]), md(part["name"], 80),
         f"`{md(part['manifest'][:16])}`")
        for part in record.parts
    ]  # fmt: skip
    heads = ("split", "rows", "tokens", "set", "digest of its manifest")
    return section("Splits", table(heads, rows, left=1))


def _not_here(record: ExportRecord) -> str:
    told = items([md(one, 300) for one in record.left_out])
    return section("What the set has and this has not", told) if record.left_out else ""
