"""Plays the pipeline for steps that vary rows: rounds of surveys, then rows; and plain words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from driving import CLS, SEP, Found, make_rows, make_setting

from transferset.ledger import Ledger
from transferset.transforms import Position, implement

#: Ids of the plain spelling: 5 is the first word's.
FIRST = 5


class PlainSpelling:
    """Each known word is one piece, any other one [UNK]; nothing touches."""

    mask, joins = "[MASK]", True

    def __init__(self, words: Sequence[str], unknown: int = 1) -> None:
        self.ids = {word: FIRST + i for i, word in enumerate(words)}
        self.unknown = unknown

    def spell(self, texts):
        ids = [self.ids.get(text, self.unknown) for text in texts]
        return np.array(ids, np.uint32), np.arange(len(texts) + 1)

    spell_masked = spell

    def edges(self, texts):
        return np.zeros((2, len(texts)), np.bool_)


class Varied(NamedTuple):
    """What came of a step."""

    batches: list[pa.RecordBatch]
    ledger: Ledger
    model: Any
    files: dict[str, bytes]
    rounds: int

    def rows(self) -> list[dict[str, Any]]:
        """All rows as plain Python."""
        return [row for batch in self.batches for row in batch.to_pylist()]


def text_of(words: Sequence[str], spaces: Sequence[bool]) -> str:
    """Words with their spaces, none after the last."""
    parts = [w + " " * s for w, s in zip(words, spaces, strict=True)]
    return "".join([*parts[:-1], *words[-1:]])


def tagged_rows(
    rows: Sequence[Sequence[tuple[Sequence[str], Sequence[int]]]],
    spelling: PlainSpelling,
    *,
    spaces: Sequence[Sequence[Sequence[bool]]] | None = None,
    addresses: Sequence[tuple[int, int]] | None = None,
    **columns: Sequence[Any],
) -> pa.RecordBatch:
    """Rows out of (words, tags) for each side; all words have a space unless `spaces` are given."""
    sides = len(rows[0]) if rows else 1
    found: dict[str, Any] = dict(columns)
    ids: list[list[int]] = [[CLS] for _ in rows]
    for s in range(sides):
        end = "_pair" if s else ""
        words = [list(row[s][0]) for row in rows]
        space = [list(one[s]) for one in spaces] if spaces else [[True] * len(w) for w in words]
        found[f"words{end}"], found[f"space{end}"] = words, space
        found[f"pos{end}"] = [list(row[s][1]) for row in rows]
        found[f"text{end}"] = [text_of(*both) for both in zip(words, space, strict=True)]
        for row, side in zip(ids, words, strict=True):
            row += [*(spelling.ids.get(w, spelling.unknown) for w in side), SEP]
    return make_rows(ids, addresses=addresses, **found)


def setting_for(spelling: PlainSpelling, tags: Sequence[str], **known: Any) -> Any:
    return make_setting(1000, spelling=spelling, tags=tuple(tags), **known)


def run_rounds(
    step: Any,
    batches: Sequence[pa.RecordBatch],
    setting: Any,
    *,
    seed: int = 0,
    ordinal: int = 0,
    make: Any = implement,
) -> Varied:
    """Run a step over a set; each batch is a range of its own.

    Args:
        step: From `transferset.steps.augmenting`.
        batches: All rows, with addresses, ascending.
        setting: What is known of the set.
        seed: The user's seed.
        ordinal: The step's.
        make: Makes an implementation of the step and the setting; workers do so again.
    """
    at, ledger = Position(seed, ordinal), Ledger()
    with TemporaryDirectory() as name:
        folder = Path(name, "model")
        folder.mkdir()
        found = _surveyed(lambda: make(step, setting).survey(at), batches, Path(name, "0"))
        model = _plain(make(step, setting).conclude(found, at, folder, intact=True))
        rounds = 0
        while "round" in model:
            rounds += 1
            assert model["round"] == rounds

            def survey(model: Any = model) -> Any:
                return make(step, setting).survey_round(model, at, folder)

            found = _surveyed(survey, batches, Path(name, str(rounds)))
            model = _plain(make(step, setting).conclude_round(found, model, at, folder))
        fitted = make(step, setting).fitted(model, folder)
        parts = (part for batch in batches for part in fitted.cut(batch))
        out = [fitted.apply(part, at, ledger) for part in parts]
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return Varied(out, ledger, model, files, rounds)


def _plain(model: Any) -> Any:
    return json.loads(json.dumps(model, allow_nan=False))


def _surveyed(make: Any, batches: Sequence[pa.RecordBatch], folder: Path) -> Found:
    folder.mkdir()
    files = []
    for i, batch in enumerate(batches):
        survey = make()
        kept = [b for b in (survey.add(batch), survey.finish()) if b is not None]
        files.append(folder / f"{i}.arrow")
        with pa.ipc.new_file(str(files[-1]), kept[0].schema) as sink:
            for one in kept:
                sink.write_batch(one)
    rows = sum(batch.num_rows for batch in batches)
    last = int(batches[-1].column("parent_row")[-1].as_py()) + 1 if rows else 0
    return Found(rows, 0, [0, last], files)


def slices(batch: pa.RecordBatch, bounds: Sequence[int]) -> list[pa.RecordBatch]:
    """The batch cut at these row numbers."""
    ends = [0, *sorted({b for b in bounds if 0 < b < batch.num_rows}), batch.num_rows]
    return [batch.slice(a, b - a) for a, b in pairwise(ends)]
