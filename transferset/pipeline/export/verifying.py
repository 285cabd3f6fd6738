"""Checking an export: every digest of its files, then what its own reader finds in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.exported import EXPORT, REMEDY, Exported
from transferset.exports.contents import STREAM, Digest
from transferset.exports.protocol import HOMES, Format, format_of
from transferset.exports.rows import added
from transferset.manifest import Json


def verify_export(root: Path, progress: Callable[[int], None] | None = None) -> Exported:
    """Check every byte of an export, read it back, and compare it with what the sets held.

    Args:
        root: Its directory.
        progress: Told of rows that were found right.

    Returns:
        The export, if nothing is wrong.

    Raises:
        SetError: The first thing that is wrong.
    """
    found = Exported.open(root)
    found.check_files()
    if found.record.to not in HOMES:
        raise SetError(
            sentence(", ".join(HOMES), found.record.to, str(root / EXPORT), "use its version")
        )
    form = format_of(found.record.to)
    if found.record.version != form.version:
        told = f"version {found.record.version}"
        expected = f"{form.name} of version {form.version}"
        raise SetError(sentence(expected, told, str(root / EXPORT), "use its version"))
    for part in found.record.parts:
        _check_part(found, form, part)
        if progress is not None:
            progress(part["rows"])
    return found


def _check_part(found: Exported, form: Format, part: Json) -> None:
    ends = STREAM not in part["digests"]
    digests: dict[str, Digest] = {}
    rows = 0
    where = f"{part['split']} of {found.root}"
    if {"input_ids" if name == STREAM else name for name in part["digests"]} != set(
        part["columns"]
    ):
        told = ", ".join(part["digests"]) or "none"
        raise SetError(sentence("a digest of each column", told, where, REMEDY))
    try:
        for batch in form.read(found.root, found.record, part["split"]):
            rows += batch.num_rows
            digests = added(digests, batch, ends=ends)
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SetError(sentence(f"what {form.reader()} reads", told, where, REMEDY)) from error
    if ends and rows != part["rows"]:
        raise SetError(sentence(f"{part['rows']:,} rows", f"{rows:,}", where, REMEDY))
    for name, stated in part["digests"].items():
        if digests.get(name, Digest()).hex != stated:
            told = f"others, as {form.reader()} reads them"
            raise SetError(sentence(f"the set's {name}", told, where, REMEDY))
