"""The jobs that `scale.py` measures, by their names in `transferset.pipeline.scale`."""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from books_made import make_books
from inflate import inflate
from measure import Usage, measure

from transferset.manifest import Manifest, ShardEntry
from transferset.pipeline import order
from transferset.shards import ShardSet

OURS = [sys.executable, "-m", "transferset"]
DEMO = Path(__file__).parents[1] / "transferset" / "demo"
DUMP = DEMO / "demowiki-20261101-pages-articles-multistream.xml.bz2"

#: Bytes of input that give a row, about: XML, books, text.
INPUT = {"build wiki": 330, "build books": 110, "build text": 130}

#: What is done to a made set; `{src}` and `{other}` are sets of so many rows.
ON_SETS: Mapping[str, Sequence[str]] = {
    "derive filter": ("derive", "{src}", "--filter", "length > 0"),
    "derive shuffle": ("derive", "{src}", "--shuffle"),
    "derive mask": ("derive", "{src}", "--mask", "0.15"),
    "derive sample": ("derive", "{src}", "--sample", "99%"),
    "derive draw": ("derive", "{src}", "--sample", "100%,with_replacement=true"),
    "derive generate": ("derive", "{src}", "--generate", "100%"),
    "derive dedupe": ("derive", "{src}", "--dedupe", "exact"),
    "derive pack": ("derive", "{src}", "--pack", "512"),
    "derive split": ("derive", "{src}", "--split", "train=90%,test=10%"),
    "mix": ("mix", "{src}", "{other}"),
    **{
        f"export {to}": ("export", "{src}", "--to", to)
        for to in ("hf", "parquet", "arrow-file", "megatron", "mds", "nanogpt", "tsv", "jsonl")
    },
    "verify": ("verify", "{src}"),
}

BUILDS = ("build wiki", "build books", "build text", "build task")
VARIED = ("derive augment",)
JOBS = (*BUILDS, *ON_SETS, *VARIED)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: what went in and out, and what it took; bytes, seconds."""

    rows: int
    ids: int
    bytes: int
    cpu: float
    own_memory: int
    memory: int
    temporary: int
    files: int
    tasks_cpu: float


class _Room(threading.Thread):
    """Follows the bytes below a folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True)
        self.root, self.peak, self.done = root, 0, threading.Event()

    def run(self) -> None:
        """Poll until `done` is set."""
        while not self.done.wait(0.1):
            self.peak = max(self.peak, size_of(self.root))


def size_of(root: Path) -> int:
    """Bytes of all files below a folder, whatever becomes of them meanwhile."""
    total = 0
    for path in root.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # it has gone
            continue
    return total


class Jobs:
    """Inputs of each size, made once; a run of a job on them."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._demo = work / "demo"
        work.mkdir(parents=True, exist_ok=True)
        measure([*OURS, "build", "wiki", "demo", "--keep-text", "--out", self._demo])

    def run(self, job: str, rows: int) -> Run:
        """Do a job on an input of about so many rows."""
        out = self.work / "out"
        command = self._command(job, rows)
        shutil.rmtree(out, ignore_errors=True)
        room = _Room(out)
        room.start()
        workers = [] if job == "verify" else ["--workers", "1", "--out", out]
        usage = measure([*OURS, *command, *workers])
        room.done.set()
        room.join()
        return self._seen(job, rows, usage, room.peak, out)

    def _seen(self, job: str, rows: int, usage: Usage, peak: int, out: Path) -> Run:
        src = self.made(rows) if job in ON_SETS else None
        of = src if job.startswith(("export", "verify")) else _first_set(out)
        totals = ShardSet.open(of).manifest.totals if of else {}
        if job in ("derive pack", "derive split"):  # rows and ids that went in
            totals = ShardSet.open(src).manifest.totals
        held = size_of(out) if job != "verify" else 0
        files = sum(1 for path in out.rglob("*") if path.is_file()) if job != "verify" else 0
        receipts = [json.loads(p.read_bytes()) for p in out.glob("**/_run/*/[0-9]*.json")]
        return Run(
            totals["rows"],
            totals["tokens"],
            held,
            usage.cpu_s,
            round(usage.own_peak_mb * 1e6),
            round(usage.peak_mb * 1e6),
            max(0, peak - held),
            files,
            sum(r.get("cpu_seconds", 0) for r in receipts),
        )

    def _command(self, job: str, rows: int) -> list[str | Path]:
        if job in BUILDS:
            return self._build(job, rows)
        if job in VARIED:
            src = self._task(max(rows // 10, 10))
            return ["derive", src, "--augment", "mask=0.1,pos=0.1,target=10x"]
        places = {"{src}": self.made(rows), "{other}": self.made(rows, 1)}
        if job == "mix":
            places = {"{src}": self.made(rows // 2), "{other}": self.made(rows // 2, 1)}
        return [places.get(word, word) for word in ON_SETS[job]]

    def _build(self, job: str, rows: int) -> list[str | Path]:
        size, name = rows * INPUT.get(job, 0), f"{job.replace(' ', '-')}-{rows}"
        if job == "build wiki":
            path = self.work / f"{name}-multistream.xml.bz2"
            if not path.exists():
                inflate(DUMP, self.work, name, size, 0)
            return ["build", "wiki", path]
        if job == "build books":
            made = make_books(self.work, size, 0)
            return ["build", "books", made.folder, "--min-words", "0"]
        if job == "build text":
            made = self._once(name, lambda folder: self._lines(folder, rows))
            return ["build", "text", made, "--layout", "lines"]
        return ["build", "task", self._tsv(rows), "--layout", "glue-sst2", "--tagger", "lexicon"]

    def _once(self, name: str, make: Callable[[Path], object]) -> Path:
        folder = self.work / name
        if not folder.exists():
            folder.mkdir()
            make(folder)
        return folder

    def _sentences(self, rows: int) -> list[str]:
        """So many sentences, the words of the demo's in another order: none twice."""
        texts = ShardSet.open(self._demo)
        known = [t for batch in texts.batches() for t in batch.column("text").to_pylist()]
        chance, found = random.Random(rows), []
        for _ in range(rows):
            words = chance.choice(known).rstrip(".").split()
            chance.shuffle(words)
            found.append(" ".join(words).replace("\t", " ") + ".")
        return found

    def _lines(self, folder: Path, rows: int) -> None:
        texts = self._sentences(rows)
        for start in range(0, rows, 20_000):
            path = folder / f"{start:09d}.txt"
            path.write_text("\n".join(texts[start : start + 20_000]) + "\n", "utf-8")

    def _tsv(self, rows: int) -> Path:
        path = self.work / f"task-{rows}.tsv"
        if not path.exists():
            lines = [f"{text}\t{i % 2}" for i, text in enumerate(self._sentences(rows))]
            path.write_text("\n".join(["sentence\tlabel", *lines]) + "\n", "utf-8")
        return path

    def _task(self, rows: int) -> Path:
        out = self.work / f"task-set-{rows}"
        if not (out / "manifest.json").exists():
            measure([*OURS, *self._build("build task", rows), "--out", out])
        return out

    def made(self, rows: int, seed: int = 0) -> Path:
        """A set of so many different rows."""
        out = self.work / f"set-{rows}-{seed}"
        if not (out / "manifest.json").exists():
            command = ["derive", self._demo, "--generate", str(rows), "--seed", str(seed)]
            measure([*OURS, *command, "--out", out])
        return out


def _first_set(out: Path) -> Path | None:
    found = sorted(out.glob("**/manifest.json"))
    return found[0].parent if found else None


def visits(work: Path, spills: int, ranges: int) -> float:
    """CPU-seconds in which the second pass looks once for a range of keys in a batch."""
    root = work / "visits"
    shutil.rmtree(root, ignore_errors=True)
    (root / "_run" / "mix").mkdir(parents=True)
    schema = pa.schema([("doc_id", pa.uint64()), ("key", pa.uint64())])
    for i in range(spills):
        keys = np.linspace(i, 2**64 - 1 - 4096, 1000).astype(np.uint64)
        path = str(order.spill_path(root, "mix", i))
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, schema) as file:
            file.write_batch(pa.record_batch([keys, keys], schema=schema))
    took = []
    for count in (1, ranges + 1):
        context = order.OrderContext(
            pa.schema([("doc_id", pa.uint64())]).serialize().to_pybytes(), "mix", spills, 1, True
        )
        began = time.process_time()
        order.write_shard(root, context, {"shard": 0, "ranges": count})
        took.append(time.process_time() - began)
    shutil.rmtree(root)
    return (took[1] - took[0]) / (spills * ranges)


def manifest(made: Path, shards: int) -> tuple[float, float]:
    """CPU-seconds and bytes of a manifest for each shard of 256 MB."""
    found = Manifest.read(made)
    body = json.loads(found.to_bytes())
    entry = ShardEntry("", 1, 1, 1 << 28, "0" * 64, tuple(f"{i:016x}" for i in range(256)))
    names = [f"data-{i:05d}-of-{shards:05d}.arrow" for i in range(shards)]
    body["shards"] = [{**_json(entry), "file": name} for name in names]
    body.pop("digest")
    many = Manifest(**{**body, "shards": tuple(ShardEntry(**s) for s in body["shards"])})
    raw = many.to_bytes()
    began = time.process_time()
    Manifest.from_bytes(raw, "made")
    return (time.process_time() - began) / shards, len(raw) / shards


def _json(entry: ShardEntry) -> dict[str, object]:
    return {
        name: getattr(entry, name) for name in ("file", "rows", "tokens", "bytes", "blake3")
    } | {"pieces": entry.pieces}
