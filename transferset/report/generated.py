"""Rows that a language model wrote: how many there are, and what came of the attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.ledger import Reason
from transferset.manifest import Json, Manifest
from transferset.report.column_batches import column_batches
from transferset.report.divergence import divergence
from transferset.report.json_tables import read_table
from transferset.shapes import Nullable, anything, count, text
from transferset.shards import REMEDY, ShardSet

#: What `kind` of a source says that a language model wrote its rows.
KIND: Final = "language model"

#: The account of the attempts, and the distribution that first pieces were drawn from.
SAMPLING, PREFIXES = "_tables/sampling.json", "_fit/prefixes.json"

#: Prefixes that are named.
MOST_PREFIXES: Final = 10

#: What becomes of an attempt beside being kept, in the order in which it is looked at.
LOST: Final = (
    Reason.UNFINISHED, Reason.UNDECODABLE, Reason.BLANK, Reason.NOT_A_PAIR, Reason.REPEATED,
    Reason.COPIED, Reason.COPIED_EVALUATION, Reason.SURPLUS,
)  # fmt: skip


def amount(value: object) -> bool:
    """A finite number from 0 on."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18


_PERPLEXITY: Final = {"perplexity": amount, "rows": count, "pieces": count}
_BASE: Final = {"model": text, "natural": _PERPLEXITY, "written": _PERPLEXITY}
_COUNTS: Final = ("wanted", "attempts", "kept", "finished", "originals", "pieces")
_SAMPLING: Final[dict[Any, Any]] = {
    **dict.fromkeys(_COUNTS, count),
    "multiple": Nullable(amount),
    "base": Nullable(_BASE),
    ...: anything,
}
_PREFIXES: Final[dict[Any, Any]] = {
    "ids": [count], "counts": [count], "pieces": [text], ...: anything,
}  # fmt: skip


def codes_of(manifest: Manifest) -> npt.NDArray[np.uint16]:
    """Codes of the sources whose rows a language model wrote, ascending."""
    written = {s["code"] for s in manifest.sources if s.get("kind") == KIND}
    return np.array(sorted(code for code in written if code < 1 << 16), np.uint16)


def written(source: pa.Array, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
    """Which rows have one of some codes.

    Args:
        source: uint16[rows], without nulls.
        codes: From `codes_of`.
    """
    mask: npt.NDArray[np.bool_] = np.isin(source.to_numpy(), codes)
    return mask


def generated_of(found: ShardSet) -> Json | None:
    """What is known of a set's rows that a language model wrote, without looking into them.

    Args:
        found: An open set.

    Returns:
        None without such rows; else `models` (names), `rows`, `natural` (all other rows),
        `finished` (those of `rows` that the model ended itself; null without that column),
        `sampling` (wanted, attempts, kept, finished, originals, pieces, multiple, and `outcomes`:
        attempts by what came of them; null of a set that was derived from one that was sampled),
        `prefixes` (`rows` that they were counted in, `different`, `first`: `piece`, `rows` and
        `share` of the most frequent, and `js`: bits between wanted and drawn, null if it is not
        known; null without prefixes) and `base` (`model`, the one before it was fitted, and of
        `natural` and `written` rows the `perplexity` of a piece under it, and the `rows` and
        `pieces` that this was measured on; or null).

    Raises:
        SetError: A shard or an account is damaged, or not of this form.
    """
    codes = codes_of(found.manifest)
    if not len(codes) or "source" not in found.manifest.schema:
        return None
    rows, natural, finished = _counted(found, codes)
    if not rows:
        return None
    body = read_table(found, SAMPLING, _SAMPLING, "an account of sampling")
    return {
        "models": _models(found.manifest), "rows": rows, "natural": natural, "finished": finished,
        "sampling": None if body is None else _sampling(body, found.manifest),
        "prefixes": _prefixes(found, body or {}),
        "base": None if body is None else body["base"],
    }  # fmt: skip


def _counted(found: ShardSet, codes: npt.NDArray[np.uint16]) -> tuple[int, int, int | None]:
    told = "finished" in found.manifest.schema
    rows = natural = finished = 0
    for source, *others in column_batches(found, ["source", *(["finished"] if told else [])]):
        mask = written(source, codes)
        rows += int(mask.sum())
        natural += int((~mask).sum())
        for column in others:
            finished += int((mask & column.to_numpy(zero_copy_only=False)).sum())
    return rows, natural, finished if told else None


def _models(manifest: Manifest) -> list[str]:
    names = (s["file"] for s in manifest.sources if s.get("kind") == KIND)
    return list(dict.fromkeys(names))


def _sampling(body: Json, manifest: Manifest) -> Json:
    lost = {entry["reason"]: entry["count"] for entry in manifest.ledger}
    outcomes = {"kept": body["kept"], **{str(why): lost.get(str(why), 0) for why in LOST}}
    return {**{name: body[name] for name in (*_COUNTS, "multiple")}, "outcomes": outcomes}


def _prefixes(found: ShardSet, sampling: Mapping[str, Any]) -> Json | None:
    body = read_table(found, PREFIXES, _PREFIXES, "prefixes")
    if body is None:
        return None
    counts, pieces, drawn = body["counts"], body["pieces"], sampling.get("drawn")
    if len(counts) != len(pieces) or sum(counts) >= 1 << 63:
        where = str(found.root / PREFIXES)
        raise SetError(sentence("a count for each piece", "others", where, REMEDY))
    total = sum(counts)
    order = np.argsort(-np.array(counts, np.int64), kind="stable")[:MOST_PREFIXES].tolist()
    first = [
        {"piece": pieces[i], "rows": counts[i], "share": counts[i] / total}
        for i in order
        if counts[i]
    ]
    different = sum(one > 0 for one in counts)
    return {"rows": total, "different": different, "first": first, "js": _drift(drawn, counts)}


def _drift(drawn: object, wanted: list[int]) -> float | None:
    """How far the prefixes that were drawn are from those that were wanted."""
    if not isinstance(drawn, list) or len(drawn) != len(wanted) or not all(map(count, drawn)):
        return None
    if sum(drawn) >= 1 << 63:
        return None
    away = divergence(np.array(drawn, np.int64), np.array(wanted, np.int64))
    return None if away is None else away.js
