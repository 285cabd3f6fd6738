"""Finds planted duplicates among synthetic books: recall, precision, time and memory by size.

    python benchmarks/near_duplicates.py --books 1000 10000 --work /tmp/bench \
        --peers-python peers/bin/python --json figures.json > figures.md

A book is 20,000 to 30,000 words drawn from a Zipf vocabulary. Three books in ten are copies of one
of the others: with the same words in other lines and letters (exact), with front matter and other
spellings (edition), or with 1 to 20 % of their words exchanged (near). The same size and seed give
the same books. Every corpus runs in a process of its own, so that peak memory is that of its size;
making books is outside the timing.

With `--peers-python` the same books go through rensa: 128 permutations, 64 bands, shingles of five
words without punctuation, its estimate is the judge. Its shingles are made by Python (`split`),
ours inside the sketch. Two hostile corpora follow: `alike`, one text with one word exchanged in
each copy, and `boilerplate`, different texts that share a long licence.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = 50_000
SHORTEST, LONGEST = 20_000, 30_000
PASSAGE = 80
SPELLINGS = 0.01  # share of the vocabulary that an edition spells otherwise
FRONT = 500  # words of front matter, on average
CHANGED = (1, 2, 3, 5, 7, 10, 20)  # percent
KINDS = ("exact", "edition", *(f"near {percent} %" for percent in CHANGED))
COPIES = 0.3
THRESHOLD = 0.5
HOSTILE_WORDS = 3_000
_WORD = re.compile(r"[^\W_]+")
Books = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What book `number` is: a copy of `of` in some way, or an original (`of` is itself)."""

    number: int
    of: int
    kind: str


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[list[str], np.ndarray]:
    """Words, thrice: bare, with a comma, with a full stop; and the running sum of their shares."""
    rng = np.random.default_rng(7)
    letters = rng.integers(97, 123, (2 * VOCABULARY, 10), np.uint8)
    sizes = rng.integers(3, 11, 2 * VOCABULARY)
    drawn = (bytes(row[:size]).decode() for row, size in zip(letters, sizes, strict=True))
    words = list(dict.fromkeys(drawn))[:VOCABULARY]  # all different
    shares = 1 / (np.arange(VOCABULARY) + 2.7)
    return [word + mark for mark in ("", ",", ".") for word in words], np.cumsum(
        shares / shares.sum()
    )


def plans(count: int, seed: int) -> list[Plan]:
    """Originals and copies, mixed."""
    rng = np.random.default_rng([seed, 0])
    copies = round(count * COPIES)
    places = rng.permutation(count)
    originals = places[copies:]
    found = [Plan(int(place), int(place), "original") for place in originals]
    for rank, place in enumerate(places[:copies]):
        of = int(originals[rng.integers(len(originals))])
        found.append(Plan(int(place), of, KINDS[rank % len(KINDS)]))
    return sorted(found, key=lambda plan: plan.number)


def _draw(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.minimum(np.searchsorted(_vocabulary()[1], rng.random(size)), VOCABULARY - 1)


def _original(number: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 1, number])
    return _draw(rng, int(rng.integers(SHORTEST, LONGEST)))


def word_ids(plan: Plan, seed: int) -> np.ndarray:
    """The words of a book, as numbers."""
    ids = _original(plan.of, seed)
    rng = np.random.default_rng([seed, 2, plan.number])
    if plan.kind == "edition":
        other = np.arange(VOCABULARY)
        respelled = rng.choice(VOCABULARY, round(VOCABULARY * SPELLINGS), replace=False)
        other[respelled] = rng.permutation(respelled)
        ids = np.concatenate([_draw(rng, int(rng.integers(2 * FRONT))), other[ids]])
    if plan.kind.startswith("near"):
        changed = rng.random(len(ids)) < int(plan.kind.split()[1]) / 100
        ids = ids.copy()
        ids[changed] = _draw(rng, int(changed.sum()))
    return ids


def passages(ids: np.ndarray, number: int, kind: str, seed: int) -> list[str]:
    """Words as text; punctuation, and in exact copies lines and capitals, are the book's own."""
    words, _ = _vocabulary()
    rng = np.random.default_rng([seed, 3, number])
    mark = np.searchsorted([0.9, 0.94], rng.random(len(ids)))  # none, comma, full stop
    texts = [words[i] for i in (ids + mark * VOCABULARY).tolist()]
    size = PASSAGE + (number % 40 if kind == "exact" else 0)
    lines = [" ".join(texts[i : i + size]) for i in range(0, len(texts), size)]
    return [line.capitalize() for line in lines] if kind == "exact" else lines


def books(count: int, seed: int) -> Books:
    """All books of a corpus, one at a time."""
    for plan in plans(count, seed):
        yield plan.number, passages(word_ids(plan, seed), plan.number, plan.kind, seed)


def hostile(kind: str, count: int, seed: int) -> Books:
    """`alike` or `boilerplate`."""
    common = _draw(np.random.default_rng([seed, 4]), HOSTILE_WORDS)
    for number in range(count):
        rng = np.random.default_rng([seed, 5, number])
        if kind == "alike":
            ids = common.copy()
            ids[rng.integers(len(ids))] = rng.integers(VOCABULARY)
        else:  # of 7,000 words that either of two holds, 3,000 are in both: similarity 0.43
            ids = np.concatenate([common, _draw(rng, 2 * HOSTILE_WORDS // 3)])
        yield number, passages(ids, 0, "original", seed)


class Clock:
    """CPU time by step."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], Any]) -> Any:
        """Do the work of a step, and add its time."""
        start = time.process_time()
        found = work()
        self.spent[step] = self.spent.get(step, 0.0) + time.process_time() - start
        return found


def ours(corpus: Books, folder: Path, threshold: float) -> dict[str, Any]:
    """transferset: sketches and shingles of every book, then the duplicates."""
    from transferset.curation.duplicates import find_duplicates
    from transferset.curation.language import Vote
    from transferset.curation.records import Record
    from transferset.curation.shingles import read_shingles, shingle, write_shingles

    shingle(["compiles the kernels before the clock runs"])
    folder.mkdir(parents=True)
    clock, records, size, text, worst = Clock(), [], 0, 0, 0.0
    for number, book in corpus:
        start = time.process_time()
        found = clock("sketch", lambda book=book: shingle(book))
        path = folder / f"{number}"
        size += clock("write", lambda p=path, f=found: write_shingles(p, f.hashes))[0]
        worst = max(worst, time.process_time() - start)
        text += sum(map(len, book))
        records.append(Record(number, "", "", 0, Vote("", 0.0, 0), found.sketch))
    before = _peak_mb()
    joined = clock(
        "find",
        lambda: find_duplicates(
            records, lambda i: read_shingles(folder / f"{i}"), "near", threshold
        ),
    )
    peak = _peak_mb()
    shutil.rmtree(folder)
    return {
        "joined": [(each.book, each.of, each.jaccard) for each in joined.joined],
        "cpu": clock.spent,
        "slowest_book_s": worst,
        "text_mb": text / 1e6,
        "disk_mb": size / 1e6,
        "peak_mb": {"sketch": before, "find": peak},
        "compared": joined.compared,
        "passed_over": joined.passed_over,
    }


def rensa(corpus: Books, folder: Path, threshold: float) -> dict[str, Any]:
    """What its documentation shows: shingles as strings, LSH, the estimate as the judge.

    It is given words without punctuation, as ours are: split at white space, copies that differ in
    commas would have little in common, whatever sketches them.
    """
    from rensa import RMinHash, RMinHashLSH

    clock, sketches, text = Clock(), {}, 0

    def split(book: list[str]) -> list[str]:
        words = _WORD.findall(" ".join(book).lower())
        return [" ".join(words[i : i + 5]) for i in range(len(words) - 4)]

    def sketch(shingles: list[str]) -> Any:
        minhash = RMinHash(num_perm=128, seed=42)
        minhash.update(shingles)
        return minhash

    def find() -> list[tuple[int, int, float]]:
        index = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=64)
        found = []
        for number, minhash in sketches.items():
            alike = [(minhash.jaccard(sketches[of]), -of) for of in index.query(minhash)]
            best, of = max(alike, default=(0.0, 0))
            if best >= threshold:
                found.append((number, -of, best))
            else:
                index.insert(number, minhash)
        return found

    for number, book in corpus:
        shingles = clock("split", lambda book=book: split(book))
        sketches[number] = clock("sketch", lambda found=shingles: sketch(found))
        text += sum(map(len, book))
    joined = clock("find", find)
    return {
        "joined": joined,
        "cpu": clock.spent,
        "text_mb": text / 1e6,
        "peak_mb": {"find": _peak_mb()},
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Jaccard of sets of 5 word numbers, by Python's sets: a second way to the truth."""
    one, two = (
        set(zip(*(ids[k : len(ids) - 4 + k].tolist() for k in range(5)), strict=True))
        for ids in (a, b)
    )
    return len(one & two) / len(one | two)


def judge(
    joined: list[tuple[int, int, float]], count: int, seed: int, checked: int
) -> dict[str, Any]:
    """Recall of planted copies by kind, precision, and stated against independent similarities."""
    all_plans = plans(count, seed)
    of = {plan.number: plan.of for plan in all_plans}
    stays = {number: number for number in of} | {book: other for book, other, _ in joined}
    right = sum(of[book] == of[other] for book, other, _ in joined)
    by_kind: dict[str, Any] = {}
    for kind in KINDS:
        copies = [plan for plan in all_plans if plan.kind == kind]
        found = [plan for plan in copies if stays[plan.number] == stays[plan.of]]
        some = [
            _similarity(word_ids(p, seed), _original(p.of, seed)) for p in copies[: max(1, checked)]
        ]
        by_kind[kind] = {
            "copies": len(copies),
            "joined": len(found) / max(len(copies), 1),
            "jaccard": statistics.median(some) if some else 0.0,
        }
    numbered = {plan.number: plan for plan in all_plans}
    off = [
        abs(stated - _similarity(*(word_ids(numbered[n], seed) for n in (book, other))))
        for book, other, stated in joined[:: max(1, len(joined) // max(1, checked))]
        if of[book] == of[other]
    ]
    return {
        "kinds": by_kind,
        "precision": right / max(len(joined), 1),
        "joined": len(joined),
        "largest_error": max(off, default=0.0),
    }


TOOLS = {"transferset": ours, "rensa": rensa}
CORPORA = ("planted", "alike", "boilerplate")


def one_run(args: argparse.Namespace) -> dict[str, Any]:
    """One tool on one corpus, in this process."""
    count = args.books[0]
    made = books(count, args.seed) if args.corpus == "planted" else None
    folder = args.work / f"{args.tool}-{args.corpus}-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    made = made or hostile(args.corpus, count, args.seed)
    found = TOOLS[args.tool](made, folder, args.threshold)
    return {"tool": args.tool, "corpus": args.corpus, "books": count, **found}


def _start(python: str, args: argparse.Namespace, tool: str, corpus: str, count: int) -> Any:
    """The same program for one run, in a process of its own."""
    command = [python, __file__, "--one", "--tool", tool, "--corpus", corpus]
    command += ["--books", str(count), "--seed", str(args.seed), "--work", str(args.work)]
    command += ["--threshold", str(args.threshold)]
    print(f"{tool}, {corpus}, {count:,} books …", file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    joined = found.pop("joined")
    if corpus == "planted":
        found["judged"] = judge(joined, count, args.seed, args.checked)
    else:
        found["left"] = count - len(joined)
    return found


def table(runs: list[dict[str, Any]]) -> str:
    """Figures as Markdown."""
    lines = [
        "| tool | corpus | books | text MB | CPU ms/book: split | sketch | write | find"
        " | MB/CPU-s split and sketch | peak MB | pairs compared |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        cpu = {step: 1000 * s / run["books"] for step, s in run["cpu"].items()}
        order = ("split", "sketch", "write", "find")
        steps = " | ".join(f"{cpu[step]:.2f}" if step in cpu else "–" for step in order)
        spent = run["cpu"].get("split", 0) + run["cpu"]["sketch"]
        lines.append(
            f"| {run['tool']} | {run['corpus']} | {run['books']:,} | {run['text_mb']:.0f} | {steps}"
            f" | {run['text_mb'] / spent:.0f} | {run['peak_mb']['find']:.0f}"
            f" | {run.get('compared', '–')} |"
        )
    for run in (run for run in runs if "judged" in run):
        judged = run["judged"]
        lines += [
            "",
            f"{run['tool']}, {run['books']:,} books: precision {judged['precision']:.4f} of"
            f" {judged['joined']:,} joined, largest error of a stated similarity"
            f" {judged['largest_error']:.1e}",
            "",
            "| copy | books | similarity | joined |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {kind} | {each['copies']} | {each['jaccard']:.3f} | {each['joined']:.1%} |"
            for kind, each in judged["kinds"].items()
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--books", type=int, nargs="+", default=[1000, 10000], help="sizes to run")
    parser.add_argument("--work", type=Path, required=True, help="for shingles, removed after use")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checked", type=int, default=20, help="pairs compared by Python's sets")
    parser.add_argument("--hostile", type=int, default=10000, help="books in the hostile corpora")
    parser.add_argument("--peers-python", help="an interpreter that has rensa and numpy")
    parser.add_argument("--peer-books", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tool", choices=TOOLS, default="transferset", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", choices=CORPORA, default="planted", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        json.dump(one_run(args), sys.stdout)
        return
    jobs = [(sys.executable, "transferset", "planted", count) for count in args.books]
    if args.peers_python:
        jobs.append((args.peers_python, "rensa", "planted", args.peer_books))
    if args.hostile:
        jobs += [(sys.executable, "transferset", c, args.hostile) for c in CORPORA[1:]]
    runs = [_start(python, args, *job) for python, *job in jobs]
    print(table(runs))
    if args.json:
        args.json.write_text(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
