"""What `export` is going to do: sets opened and checked, nothing written yet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from transferset.distillation.examples.tasks import is_pair
from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.exported import EXPORT_VERSION, split_name
from transferset.exports.protocol import Context, Draft, Format, Options, Part, format_of
from transferset.manifest import MANIFEST, Json, digest_json
from transferset.pipeline.export.decoding import decode
from transferset.pipeline.interchange import SPLITS
from transferset.pipeline.lineage import licence_of
from transferset.pipeline.remote import local
from transferset.shards import ShardSet
from transferset.storage import stores
from transferset.storage.urls import parse

#: Larger than any list of splits.
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """Sets to be exported.

    Attributes:
        name: Of them all, for people.
        format: What they become.
        sets: By split.
        parts: The same, as tasks are told.
        options: As stated.
        draft: What the format makes of them.
    """

    name: str
    format: Format
    sets: tuple[ShardSet, ...]
    parts: tuple[Part, ...]
    options: Options
    draft: Draft

    @property
    def context(self) -> Context:
        """What all tasks share."""
        return Context(self.parts, self.draft.columns, self.options, decode)

    @property
    def code(self) -> Mapping[str, str]:
        """Releases that the bytes depend on."""
        return {package: version(package) for package in self.format.packages}

    @property
    def recipe(self) -> Json:
        """Everything that determines the bytes of the export."""
        return {
            "op": "export",
            "to": self.format.name,
            "version": self.format.version,
            "format": EXPORT_VERSION,
            "params": self.params,
            "code": self.code,
            "parents": {
                part.split: found.manifest.digest
                for part, found in zip(self.parts, self.sets, strict=True)
            },
        }

    @property
    def params(self) -> Json:
        """Options as they stand in recipe and record."""
        given = self.options.given()
        return {**given, "columns": list(given["columns"])} if "columns" in given else given

    @property
    def licence(self) -> str:
        """Of all sets."""
        return licence_of(self.sets)

    @property
    def rows(self) -> int:
        """Of all sets."""
        return sum(map(len, self.sets))


def make_export_plan(src: Path, to: str, options: Options) -> ExportPlan:
    """Put a plan together.

    Args:
        src: A set, or a folder of sibling sets.
        to: Name of a format.
        options: As stated.

    Returns:
        The plan.

    Raises:
        UsageError: An option is wrong, or the format cannot hold the set.
        SetError: A set is damaged.
        TransfersetError: There are no rows.
    """
    form = format_of(to)
    options.require(form.takes, to)
    parts, sets = open_parts(src)
    for found in sets:
        if not len(found):
            raise TransfersetError(sentence("at least one row", "none", str(found.root)))
    _require_one_tokenizer(sets)
    name = sets[0].manifest.name if len(sets) == 1 else sets[0].root.resolve().parent.name
    return ExportPlan(name, form, sets, parts, options, form.plan(sets, parts, options))


def open_parts(src: Path) -> tuple[tuple[Part, ...], tuple[ShardSet, ...]]:
    """A set as the one split that it is, or the sets below a folder as its splits.

    Raises:
        SetError: There is no set.
        InputError: A split has a name that files cannot have.
    """
    url = parse(src)
    names = split_names(src)
    if names is None:
        sets: tuple[ShardSet, ...] = (ShardSet.open(src),)
        names = [_split_of(sets[0])]
    else:
        places = [src / name if url is None else str(url / name) for name in names]
        sets = tuple(map(ShardSet.open, places))
    parts = tuple(
        Part(name, found.root, is_pair(found)) for name, found in zip(names, sets, strict=True)
    )
    return parts, sets


def _split_of(found: ShardSet) -> str:
    split = found.manifest.params.get("split")
    return str(split) if split_name(split) else "train"


def split_names(src: Path) -> list[str] | None:
    """Names of the sets below a folder, by its `dataset_dict.json`; None if there is none.

    Raises:
        InputError: It is no such file, or names what files cannot be called.
    """
    url = parse(src)
    if url is not None and stores.find(url / SPLITS) is None:
        return None
    path = src / SPLITS if url is None else Path(local(str(url / SPLITS)))
    if not path.is_file() or (url is None and (src / MANIFEST).is_file()):
        return None
    try:
        with path.open("rb") as file:
            names = json.loads(file.read(_MOST_BYTES))["splits"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        found = str(error) or type(error).__name__
        raise InputError(sentence("names of splits in JSON", found, str(path))) from None
    if not isinstance(names, list) or not names:
        raise InputError(sentence("names of splits", "none", str(path)))
    for name in names:
        if not split_name(name):
            expected = "splits named by letters, digits and _"
            raise InputError(sentence(expected, repr(name), str(path)))
    return list(dict.fromkeys(names))


def _require_one_tokenizer(sets: Sequence[ShardSet]) -> None:
    """Refuse splits whose ids mean different pieces."""
    first = digest_json(sets[0].manifest.tokenizer)
    for found in sets[1:]:
        if digest_json(found.manifest.tokenizer) != first:
            do = "export them one by one"
            raise UsageError(sentence("splits of one tokenizer", "several", str(found.root), do))
