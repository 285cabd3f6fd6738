"""What the directory of a foreign model says of its name and licence; nothing there is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from transferset.language_models.model_files import CONFIG, read_json

_CARD: Final = "README.md"

#: A card's header stands in its first bytes.
_MOST_BYTES: Final = 1 << 16

#: Names of folders that say nothing of the model in them: such ones, and digests of the hub.
_ANY: Final = re.compile(
    r"((models?|checkpoint|ckpt|snapshots?|weights|best|last|final|out|output)([-_]?\d+)?"
    r"|[0-9a-f]{20,})",
    re.IGNORECASE,
)

#: A name of the hub, and no path of the machine that saved it; a licence as cards write it.
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_LICENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")

#: What a card says where it says nothing.
_NONE: Final = ("unknown", "other")


def stated_origin(path: str | Path) -> Mapping[str, str]:
    """Name and licence of a model that transferset did not make.

    Args:
        path: Its directory, with a `config.json`.

    Returns:
        `name`, of the folder; where that says nothing with its parent's, and with what the model
        was loaded from when it was saved, as its configuration says. `licence` by the header of the
        card, else `unknown`.

    Raises:
        InputError: The configuration is no object of JSON.
    """
    folder = Path(path).resolve()
    name = folder.name
    if _ANY.fullmatch(name):
        name = f"{folder.parent.name}/{name}"
        saved = read_json(folder / CONFIG).get("_name_or_path")
        if isinstance(saved, str) and _NAME.fullmatch(saved) and saved != folder.name:
            name += f" (from {saved})"
    return {"name": name, "licence": _licence(folder / _CARD)}


def _licence(card: Path) -> str:
    """Licences of a card's header, `license: apache-2.0` or a list of such names."""
    try:
        with card.open("rb") as file:
            lines = file.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return "unknown"
    if not lines or lines[0].strip() != "---" or "---" not in lines[1:]:
        return "unknown"
    header = lines[1 : lines.index("---", 1)]
    found = [one for one in _members(header) if _LICENCE.fullmatch(one) and one not in _NONE]
    return " AND ".join(sorted(set(found))) or "unknown"


def _members(header: list[str]) -> Iterator[str]:
    """The value of `license`, or its items; not YAML, but as all cards write it."""
    inside = False
    for line in header:
        key, colon, value = line.partition(":")
        if inside and line.lstrip().startswith("- "):
            yield _bare(line.lstrip()[2:])
        elif colon and key == "license":
            inside = True
            yield from (_bare(one) for one in value.strip().strip("[]").split(",") if one.strip())
        else:
            inside = False


def _bare(value: str) -> str:
    return value.partition(" #")[0].strip().strip("\"'")
