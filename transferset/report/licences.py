"""Licences in words, as SPDX and the Hugging Face hub name them.

SPDX: https://spdx.org/licenses. Hub: https://huggingface.co/docs/hub/repositories-licenses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: Longest text that is looked at; no licence has a longer name.
_LONGEST: Final = 300

#: Words that say the same, in the order in which they are replaced.
_SAME: Final = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"^(?:https?://)?(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/([0-9.]+)(?:/.*)?$",
         r"cc \1 \2"),
        (r"^(?:https?://)?(?:www\.)?creativecommons\.org/publicdomain/zero/1\.0(?:/.*)?$", "cc0"),
        (r"^(?:https?://)?(?:www\.)?creativecommons\.org/publicdomain/mark/1\.0(?:/.*)?$",
         "cc pdm 1.0"),
        (r"^(?:https?://)?(?:www\.)?spdx\.org/licenses/([\w.+-]+?)(?:\.html)?/?$", r"\1"),
        (r"\bgnu free documentation licen[cs]e\b|\bgnu fdl\b", "gfdl"),
        (r"\bcreative commons zero\b|\bcc[ -]?zero\b", "cc0"),
        (r"\b(?:creative commons )?public domain mark\b", "cc pdm"),
        (r"\bcreative commons\b", "cc"),
        (r"\bshare[ -]?alike\b", "sa"),
        (r"\bnon[ -]?commercial\b", "nc"),
        (r"\bno[ -]?deriv(?:ative|ativework|)s?\b", "nd"),
        (r"\battribution\b", "by"),
        (r"\b(?:the|licen[cs]e|licen[cs]ed|international|unported|universal|generic|version)\b",
         " "),
        (r"\bv(?=\d)", " "),
        (r"\bcc(?=by\b)", "cc "),
        (r",", " "),
    )
)  # fmt: skip

#: Separates licences of one statement.
_JOINT: Final = re.compile(r"\s+(and|or)\s+|\s*(&|;)\s*")

#: `GFDL 1.2 or any later version` is one licence, not two.
_LATER: Final = re.compile(r"\s*(?:\+|[\s-]or[\s-]+(?:any[\s-]+)?later\b(?:[\s-]+versions?)?)")

_CC: Final = re.compile(r"cc-(by(?:-nc)?(?:-sa|-nd)?)-(1\.0|2\.0|2\.5|3\.0|4\.0)")
_GFDL: Final = re.compile(r"gfdl(?:-(1\.[123]))?(-only|-or-later)?")

#: Others that corpora have, by their name in lower case with hyphens.
_NAMED: Final = {
    "cc0": "CC0-1.0",
    "cc0-1.0": "CC0-1.0",
    "cc-pdm": "CC-PDM-1.0",
    "cc-pdm-1.0": "CC-PDM-1.0",
    "cc-pddc": "CC-PDDC",
    "pddl": "PDDL-1.0",
    "pddl-1.0": "PDDL-1.0",
    "odc-by": "ODC-By-1.0",
    "odc-by-1.0": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "odbl-1.0": "ODbL-1.0",
    "cdla-permissive-1.0": "CDLA-Permissive-1.0",
    "cdla-permissive-2.0": "CDLA-Permissive-2.0",
    "cdla-sharing-1.0": "CDLA-Sharing-1.0",
    "ogl-uk-3.0": "OGL-UK-3.0",
    "etalab-2.0": "etalab-2.0",
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "unlicense": "Unlicense",
}

#: Names on the hub that are not just the SPDX name in lower case.
_ON_HUB: Final = {"PDDL-1.0": "pddl", "ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl"}

#: SPDX names that the hub has in lower case.
_HUB: Final = frozenset(
    (
        "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
        "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0",
        "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0",
        "etalab-2.0", "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "unlicense",
    )
)  # fmt: skip


def spdx(licence: str) -> str | None:
    """The SPDX expression of a licence in words.

    Args:
        licence: `CC BY-SA 4.0 and GFDL`, `CC0-1.0`, `https://creativecommons.org/licenses/by/4.0`.

    Returns:
        `CC-BY-SA-4.0 AND GFDL-1.1-or-later`, …; None if any part of it has no SPDX name. The
        public domain of a country has none: it is not a licence. GFDL without a version is any
        (GFDL 1.3, section 10).
    """
    if len(licence) > _LONGEST:
        return None
    text = _LATER.sub("-or-later", " ".join(licence.lower().split()).rstrip(" ."))
    parts = _JOINT.split(text)
    found = [_one(part) for part in parts[::3]]
    joints = {"or" if joint == "or" else "and" for joint in parts[1::3]}
    if None in found or len(joints) > 1:  # "a and b or c" may mean two things
        return None
    return f" {(joints or {'and'}).pop().upper()} ".join(map(str, dict.fromkeys(found)))


def spdx_names(licence: str) -> list[str]:
    """The licences of an expression one by one; none if it is not recognised."""
    found = spdx(licence)
    return re.split(" AND | OR ", found) if found else []


def spdx_url(name: str) -> str:
    """Where SPDX explains one licence."""
    return f"https://spdx.org/licenses/{name}"


def hub_names(licences: Iterable[str]) -> list[str] | None:
    """Licences in words as the hub's dataset cards name them.

    Args:
        licences: As `spdx` takes them.

    Returns:
        Identifiers, each once; None if one is not known there.
    """
    found: dict[str, None] = {}
    for licence in licences:
        names = spdx_names(licence)
        on_hub = [_hub_name(name) for name in names]
        if not names or None in on_hub:
            return None
        found.update(dict.fromkeys(map(str, on_hub)))
    return list(found) or None


def _hub_name(name: str) -> str | None:
    if name.startswith("GFDL"):
        return "gfdl"
    return _ON_HUB.get(name, name.lower() if name.lower() in _HUB else None)


def _one(text: str) -> str | None:
    """One licence; `text` is in lower case."""
    for pattern, plain in _SAME:
        text = pattern.sub(plain, text)
    name = "-".join(re.sub(r"[()\s_]+", " ", text).split()).strip("-")
    name = re.sub(r"-{2,}", "-", name)
    if match := _CC.fullmatch(name):
        return f"CC-{match[1].upper()}-{match[2]}"
    if match := _GFDL.fullmatch(name):
        version, rest = match[1] or "1.1", match[2] or ("-only" if match[1] else "-or-later")
        return f"GFDL-{version}{rest}" if match[1] or not match[2] else None
    return _NAMED.get(name)
