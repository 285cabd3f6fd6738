"""The columns that a shard set may have, and how Hugging Face `datasets` is told about them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from transferset.errors import InputError, UsageError, sentence

#: Version of the on-disk format; a reader refuses what it does not know.
FORMAT_VERSION: Final = 1

#: Rows in a record batch; a property of the format, never of the machine that wrote it.
BATCH_ROWS: Final = 10_000

#: Largest vocabulary whose ids fit uint16.
UINT16_VOCABULARY: Final = 65_536

#: Most logits of a row.
MOST_CLASSES: Final = 65_536

_FIXED: Mapping[str, pa.DataType] = {
    "labels": pa.list_(pa.int32()),
    "top_ids": pa.list_(pa.uint16()),  # really of the type of one id
    "top_logits": pa.list_(pa.float16()),
    "tail": pa.list_(pa.float16()),
    "text": pa.string(),
    "text_pair": pa.string(),
    "label": pa.int64(),
    "logits": pa.null(),  # really of the type that `logits_type` gives
    "words": pa.list_(pa.string()),
    "words_pair": pa.list_(pa.string()),
    "space": pa.list_(pa.bool_()),
    "space_pair": pa.list_(pa.bool_()),
    "pos": pa.list_(pa.uint8()),
    "pos_pair": pa.list_(pa.uint8()),
    "doc_id": pa.uint64(),
    "rev_id": pa.uint64(),
    "sentence": pa.uint32(),
    "source": pa.uint16(),
    "part": pa.uint16(),
    "parent_row": pa.uint64(),
    "copy": pa.uint32(),
    "finished": pa.bool_(),
}

#: Columns of one number a row.
FIXED_WIDTH: Final = (
    "label",
    "doc_id",
    "rev_id",
    "sentence",
    "source",
    "part",
    "parent_row",
    "copy",
)

#: The only column that may hold nulls: a row that was changed has no label.
NULLABLE: Final = ("label",)

#: The label of a regression task; of classes it is a code.
SCORE: Final = pa.float32()

#: How `describe` writes the type of `logits`.
_LOGITS: Final = re.compile(r"fixed_size_list<(float|halffloat)>\[([1-9][0-9]{0,4})\]")

#: The address of a row of a derived set: the row that it comes from, and which copy of it it is.
ADDRESS: Final = ("parent_row", "copy")

#: What a teacher says of a row as it is; gone when its ids are others.
TEACHER: Final = ("logits", "top_ids", "top_logits", "tail")

#: The order in which columns stand in a set.
COLUMNS: Final = ("input_ids", *_FIXED)


def holds_lists(kind: pa.DataType) -> bool:
    """Whether a column has several values a row, of one length or of any."""
    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind))


def ids_type(vocabulary_size: int) -> pa.DataType:
    """The Arrow type of one token id: uint16 where it fits, else int32."""
    return pa.uint16() if vocabulary_size <= UINT16_VOCABULARY else pa.int32()


def logits_type(classes: int, number: pa.DataType = SCORE) -> pa.DataType:
    """The Arrow type of `logits`: as many numbers in each row.

    Args:
        classes: Numbers of a row, 1 to 65,536; 1 for a score.
        number: `pa.float32()` or `pa.float16()`.

    Raises:
        UsageError: Too many classes, or none.
    """
    if not 1 <= classes <= MOST_CLASSES:
        raise UsageError(sentence(f"logits of 1 to {MOST_CLASSES:,} classes", f"{classes:,}"))
    return pa.list_(number, classes)


def stated_logits(kinds: Mapping[str, str]) -> pa.DataType | None:
    """The type of `logits` by a manifest's word, see `describe`; None if there are none.

    Raises:
        UsageError: Too many classes.
    """
    match = _LOGITS.fullmatch(kinds.get("logits", ""))
    if match is None:
        return None
    return logits_type(int(match[2]), pa.float16() if match[1] == "halffloat" else SCORE)


def make_schema(
    columns: Sequence[str],
    ids: pa.DataType,
    label: pa.DataType | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    logits: pa.DataType | None = None,
) -> pa.Schema:
    """The Arrow schema of a set.

    Args:
        columns: Names out of `COLUMNS`.
        ids: Type of one token id, see `ids_type`.
        label: Type of `label`: int64 (classes; also None) or `SCORE`.
        names: Of the codes in a column; those of `label` become a ClassLabel.
        logits: Type of `logits`, see `logits_type`; needed where the column is.

    Returns:
        A schema in canonical order whose metadata holds the `datasets` features and the format
        version and nothing else, so that equal rows have equal bytes.

    Raises:
        UsageError: A name is not a column of the format, or there is nothing to train on, or
            nothing says how many logits a row has.
    """
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise UsageError(sentence(f"columns out of {', '.join(COLUMNS)}", ", ".join(unknown)))
    if not {"input_ids", "text"} & set(columns):
        raise UsageError(sentence("a column input_ids or text", ", ".join(columns) or "none"))
    if "logits" in columns and logits is None:
        raise UsageError(sentence("logits with their type, fixed_size_list<float>[2]", "no type"))
    types = {
        **_FIXED,
        "input_ids": pa.list_(ids),
        "top_ids": pa.list_(ids),
        "label": label or _FIXED["label"],
        "logits": logits,
    }
    fields = [pa.field(name, types[name]) for name in COLUMNS if name in columns]
    schema = pa.schema(fields)
    return schema.with_metadata(
        {
            "huggingface": json.dumps({"info": {"features": features(schema, names)}}),
            "transferset": json.dumps({"format": FORMAT_VERSION}),
        }
    )


def features(
    schema: pa.Schema, names: Mapping[str, Sequence[str]] | None = None
) -> dict[str, object]:
    """The `datasets` features of a schema, as its JSON; see `make_schema`."""
    classes = (names or {}).get("label")
    found: dict[str, object] = {field.name: _feature(field.type) for field in schema}
    # codes of words stay numbers: `datasets` would cast them to eight times their size
    if classes and "label" in found and pa.types.is_integer(schema.field("label").type):
        found["label"] = {"names": list(classes), "_type": "ClassLabel"}
    return found


def _feature(kind: pa.DataType) -> dict[str, object]:
    if pa.types.is_fixed_size_list(kind):
        length = {"length": kind.list_size}
        return {"feature": _feature(kind.value_type), **length, "_type": "List"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": _FLOATS.get(str(kind), str(kind)), "_type": "Value"}


#: What `datasets` calls them.
_FLOATS: Final = {"float": "float32", "halffloat": "float16"}


def describe(schema: pa.Schema) -> dict[str, str]:
    """Column names and types as plain strings, for the manifest."""
    return {field.name: _described(field.type) for field in schema}


def _described(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"fixed_size_list<{kind.value_type}>[{kind.list_size}]"
    return f"list<{kind.value_type}>" if pa.types.is_list(kind) else str(kind)


def check_format(schema: pa.Schema, at: str) -> None:
    """Refuse a stream that is not of this format version.

    Args:
        schema: As read from the file.
        at: The file's name, for the message.

    Raises:
        InputError: The format version is missing or unknown.
    """
    found = (schema.metadata or {}).get(b"transferset", b"no format version")
    if found != json.dumps({"format": FORMAT_VERSION}).encode():
        raise InputError(
            sentence(f"format version {FORMAT_VERSION}", found.decode("utf-8", "replace"), at)
        )
