"""The jobs of `transferset derive`, as users write them with `datasets`. Runs in their environment.

    python benchmarks/derive_peers.py JOB WAY SET --out DIR [--workers N] [--share P] [--repeat R]

Each way is written as fast as its kind allows: ids only (no other column is decoded or written),
features given so that nothing is inferred, the fit of `generate` by numpy on Arrow's buffers.
`--repeat` prints the CPU seconds of each repetition of the work alone; as whole processes the ways
are measured from outside.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset, load_from_disk

Batch = dict[str, list[Any]]
BATCH = 1000  # rows; the default of `map`


@dataclass(frozen=True, slots=True)
class Task:
    """A set, an empty folder, the number of processes (None: this one), the share of a sample."""

    rows: Any
    out: Path
    processes: int | None
    share: float

    def map(self, rows: Any, change: Callable[..., Any], **options: Any) -> Any:
        """`rows.map`, whose cache goes to the output folder, where a user's goes beside the set."""
        return rows.map(
            change,
            batched=True,
            batch_size=BATCH,
            with_indices=True,
            num_proc=self.processes,
            features=self.rows.select_columns(["input_ids"]).features,
            cache_file_name=str(self.out / "map.arrow"),
            **options,
        )


def shuffle_random(batch: Batch, numbers: list[int]) -> Batch:
    """`random.shuffle` on each row's content."""
    shuffle, rows = random.Random(numbers[0]).shuffle, []
    for row in batch["input_ids"]:
        content = row[1:-1]
        shuffle(content)
        rows.append([row[0], *content, row[-1]])
    return {"input_ids": rows}


def shuffle_sorted(batch: Batch, numbers: list[int]) -> Batch:
    """Each row's content sorted by random keys, which Python does faster than `random.shuffle`."""
    draw = random.Random(numbers[0]).random
    rows = batch["input_ids"]
    return {
        "input_ids": [[row[0], *sorted(row[1:-1], key=lambda _: draw()), row[-1]] for row in rows]
    }


def shuffle_numpy(batch: Batch, numbers: list[int]) -> Batch:
    """`permutation` of numpy on each row's content, in lists: `datasets` is faster with those."""
    permutation = np.random.default_rng(numbers[0]).permutation
    rows = batch["input_ids"]
    return {"input_ids": [[row[0], *permutation(row[1:-1]).tolist(), row[-1]] for row in rows]}


def shuffle_arrow(table: pa.Table, numbers: list[int]) -> pa.Table:
    """An expert's: the whole batch at once on Arrow's buffers, sorted by row + random fraction."""
    ids = table["input_ids"].combine_chunks()
    flat, lengths = ids.flatten().to_numpy(), ids.value_lengths().to_numpy()
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    order = np.repeat(np.arange(len(lengths), dtype=float), lengths)
    order += np.random.default_rng(int(numbers[0])).uniform(0.1, 0.9, len(flat))
    order[offsets[:-1]] = np.arange(len(lengths))
    order[offsets[1:] - 1] = np.arange(len(lengths)) + 0.95
    return _table(offsets, flat[np.argsort(order)])


def _table(offsets: Any, flat: Any) -> pa.Table:
    return pa.table({"input_ids": pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat))})


def shuffle(change: Callable[..., Any], form: str | None = None) -> Callable[[Task], Any]:
    """A way of shuffling: what `map` calls, and the format of the batches it is called with."""
    return lambda task: task.map(
        task.rows.select_columns(["input_ids"]).with_format(form), change
    ).with_format(None)


@dataclass(frozen=True, slots=True)
class Model:
    """Values and weights of lengths and tokens, as `random.choices` and numpy want them."""

    ends: list[int]
    lengths: list[int]
    length_weights: list[int]
    tokens: list[int]
    token_weights: list[int]

    @property
    def length_sums(self) -> list[int]:
        """Cumulative weights of the lengths."""
        return list(accumulate(self.length_weights))

    @property
    def token_sums(self) -> list[int]:
        """Cumulative weights of the tokens."""
        return list(accumulate(self.token_weights))


def fit(rows: Any) -> Model:
    """Counts of lengths and tokens without the first and last of the first row: [CLS], [SEP]."""
    ends = [rows[0]["input_ids"][0], rows[0]["input_ids"][-1]]
    lengths, tokens = np.zeros(1 << 16, np.int64), np.zeros(1 << 16, np.int64)
    for table in rows.select_columns(["input_ids"]).with_format("arrow").iter(10 * BATCH):
        ids = table["input_ids"].combine_chunks()
        lengths += np.bincount(ids.value_lengths().to_numpy() - 2, minlength=1 << 16)
        tokens += np.bincount(ids.flatten().to_numpy(), minlength=1 << 16)
    tokens[ends] = 0
    counts = [part for all_ in (lengths, tokens) for part in (np.flatnonzero(all_), all_[all_ > 0])]
    return Model(ends, *(part.tolist() for part in counts))


def generate_map(task: Task) -> Any:
    """`random.choices` for each row, in a batched `map` over a range."""
    model = fit(task.rows)
    (cls, sep), tokens, sums = model.ends, model.tokens, model.token_sums
    lengths, length_sums = model.lengths, model.length_sums

    def generate(batch: Batch, numbers: list[int]) -> Batch:
        choices = random.Random(numbers[0]).choices
        drawn = choices(lengths, cum_weights=length_sums, k=len(numbers))
        rows = [[cls, *choices(tokens, cum_weights=sums, k=length), sep] for length in drawn]
        return {"input_ids": rows}

    return task.map(_range(len(task.rows)), generate, remove_columns=["row"])


def generate_generator(task: Task) -> Any:
    """`random.choices` for each row, in `Dataset.from_generator` (in one process)."""
    model = fit(task.rows)
    (cls, sep), tokens, sums = model.ends, model.tokens, model.token_sums

    def generate() -> Iterator[dict[str, list[int]]]:
        choices = random.Random(0).choices
        for length in choices(model.lengths, cum_weights=model.length_sums, k=len(task.rows)):
            yield {"input_ids": [cls, *choices(tokens, cum_weights=sums, k=length), sep]}

    features = task.rows.select_columns(["input_ids"]).features
    return Dataset.from_generator(generate, features=features, cache_dir=str(task.out / "cache"))


def numpy_draws(model: Model) -> Callable[[list[int]], tuple[Any, Any]]:
    """Numpy's `choice` for a whole batch: lengths with both ends, and all tokens, in one array."""
    lengths, tokens = np.array(model.lengths), np.array(model.tokens)
    by_length = np.array(model.length_weights) / sum(model.length_weights)
    by_token = np.array(model.token_weights) / sum(model.token_weights)

    def draw(numbers: list[int]) -> tuple[Any, Any]:
        choice = np.random.default_rng(int(numbers[0])).choice
        drawn = choice(lengths, p=by_length, size=len(numbers)) + 2
        return drawn, choice(tokens, p=by_token, size=drawn.sum()).astype(np.uint16)

    return draw


def generate_numpy(task: Task) -> Any:
    """Numpy's draws for a whole batch, cut into lists."""
    model = fit(task.rows)
    (cls, sep), draw = model.ends, numpy_draws(model)

    def generate(batch: Batch, numbers: list[int]) -> Batch:
        lengths, flat = (part.tolist() for part in draw(numbers))
        ends = accumulate(lengths)
        rows = [
            [cls, *flat[end - n + 1 : end - 1], sep] for n, end in zip(lengths, ends, strict=True)
        ]
        return {"input_ids": rows}

    return task.map(_range(len(task.rows)), generate, remove_columns=["row"])


def generate_arrow(task: Task) -> Any:
    """An expert's: numpy's draws for a whole batch, written as Arrow buffers."""
    model = fit(task.rows)
    draw = numpy_draws(model)

    def generate(table: pa.Table, numbers: list[int]) -> pa.Table:
        lengths, flat = draw(numbers)
        offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
        flat[offsets[:-1]], flat[offsets[1:] - 1] = model.ends
        return _table(offsets, flat)

    rows = _range(len(task.rows)).with_format("arrow")
    return task.map(rows, generate, remove_columns=["row"]).with_format(None)


def _range(size: int) -> Any:
    return Dataset.from_dict({"row": np.arange(size)})


def sample_shuffle(task: Task) -> Any:
    """`shuffle(seed).select(range(n))`; all columns, as a sample keeps them."""
    indices = str(task.out / "indices.arrow")
    shuffled = task.rows.shuffle(seed=0, indices_cache_file_name=indices)
    return shuffled.select(range(round(task.share * len(task.rows))))


def sample_sorted(task: Task) -> Any:
    """`select(sorted(random.sample(...)))`; all columns, in the order of the source."""
    count = len(task.rows)
    return task.rows.select(
        sorted(random.Random(0).sample(range(count), round(task.share * count)))
    )


WAYS: dict[str, dict[str, Callable[[Task], Any]]] = {
    "shuffle": {
        "random": shuffle(shuffle_random),
        "sorted": shuffle(shuffle_sorted),
        "numpy": shuffle(shuffle_numpy),
        "arrow": shuffle(shuffle_arrow, "arrow"),
    },
    "generate": {
        "map": generate_map,
        "generator": generate_generator,
        "numpy": generate_numpy,
        "arrow": generate_arrow,
    },
    "sample": {"shuffle": sample_shuffle, "sorted": sample_sorted},
}


def work(args: argparse.Namespace) -> float:
    """Do the job from an empty folder; its CPU seconds in this process."""
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    started = time.process_time()
    processes = args.workers if args.workers > 1 else None
    task = Task(load_from_disk(str(args.set)), args.out, processes, args.share)
    made = WAYS[args.job][args.way](task)
    made.save_to_disk(str(args.out / "set"), num_proc=processes)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("job", choices=list(WAYS))
    parser.add_argument("way")
    parser.add_argument("set", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--repeat", type=int, default=1)
    args = parser.parse_args()
    print(json.dumps({"cpu_s": [work(args) for _ in range(args.repeat)]}))


if __name__ == "__main__":
    main()
