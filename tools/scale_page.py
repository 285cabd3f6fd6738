"""Writes the tables of docs/scale.md from the numbers of `--dry-run`; `--check` only compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from transferset.pipeline.scale import (
    DOCUMENT,
    DOCUMENT_HELD,
    SHARD_AGAIN,
    SHARD_ENTRY,
    SHARD_HELD,
    SHARD_OPENED,
    SLOPES,
    START,
    VISIT,
    Part,
    Work,
    names_of,
    survey_tasks,
)

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"

#: Ids of a row, as English sentences have them; bytes of a row: ids, list offset, address.
IDS, BYTES = 29, 2 * 29 + 4 + 22

#: Rows of one task that reads text.
TASK_ROWS = 36_000

WORKERS = (1, 64, 1024)
SIZES = range(6, 12)

#: What the large table shows: a job, and the bytes of a row that come of it.
SHOWN = {
    "build text": BYTES,
    "derive shuffle": BYTES,
    "derive dedupe": BYTES,
    "mix": BYTES + 2,
    "export parquet": BYTES // 2,
    "export megatron": 2 * IDS + 20,
}


def work_of(job: str, rows: int) -> Work:
    """A job on so many rows of 29 ids."""
    ids, size = rows * IDS, rows * SHOWN[job]
    parts = [Part(name, rows, ids) for name in names_of(job)]
    opened = 0 if job.startswith("build") else -(-rows * BYTES // (256 << 20))
    if job.startswith("build"):
        tasks, documents = -(-rows // TASK_ROWS), rows / 20
    else:
        tasks = survey_tasks(ids) if job != "derive shuffle" else 0
        documents = 0.0
    shards = 1 if job == "export megatron" else None
    spills = 0 if job.startswith(("derive", "export")) else tasks
    return Work(parts, rows, ids, size, tasks, shards, opened, spills, documents)


def slopes() -> str:
    """The measured slopes."""
    lines = ["| job | CPU-s / 10⁶ ids | of them the driver | temporary bytes | memory | rows |"]
    lines.append("|---|---|---|---|---|---|")
    for name, one in SLOPES.items():
        told = f"{one.row} a row" if one.row else ""
        told += f"{' + ' if told and one.share else ''}{one.share:g} × result" if one.share else ""
        measured = f"{one.measured:,}".replace(",", " ")
        lines.append(
            f"| {name} | {one.cpu:g} | {one.driver:g} | {told or '–'} | "
            f"{one.memory / 1e6:.0f} MB | {measured} |"
        )
    lines.append("")
    lines.append(
        f"A command starts in {START:g} CPU-s, each worker too. A shard of 256 MB takes "
        f"{SHARD_ENTRY:,} bytes of the manifest, and of every process that opens the set "
        f"{SHARD_OPENED * 1e3:g} ms and {SHARD_HELD / 1e3:g} kB, and of every task of it "
        f"{SHARD_AGAIN * 1e6:.0f} µs more. A document takes {DOCUMENT} bytes "
        f"of the set's table, and {DOCUMENT_HELD} of the driver's memory. One look for a range of "
        f"keys in a file of the first pass takes the second pass of a shuffle "
        f"{VISIT * 1e6:.0f} µs."
    )
    return "\n".join(lines)


def sizes() -> str:
    """What follows from them."""
    head = (
        "| job, rows | 1 worker | 64 workers | 1,024 workers | memory of 64 | disk | temporary | "
    )
    lines = [head + "files |", "|---" * 8 + "|"]
    for job in SHOWN:
        for power in SIZES:
            lines.append(f"| {job}, {_power(power)} | {' | '.join(_cells(job, 10**power))} |")
    return "\n".join(lines)


def _cells(job: str, rows: int) -> Sequence[str]:
    work = work_of(job, rows)
    found = [work.estimate(workers) for workers in WORKERS]
    measured = all(rows <= SLOPES[name].measured for name in names_of(job))
    mark = " ᵐ" if measured else ""
    times = [_time(work.seconds(workers)) for workers in WORKERS]
    return [
        times[0] + mark,
        *times[1:],
        _size(found[1]["memory_bytes"]),
        _size(found[0]["bytes"]) + mark,
        _size(found[0]["temporary_bytes"]) + mark,
        f"{found[0]['files']:,}" + mark,
    ]


def _power(power: int) -> str:
    return "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(power))


def _time(seconds: float) -> str:
    for name, of in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= of:
            return f"{_short(seconds / of)} {name}"
    return f"{_short(seconds)} s"


def _size(count: float) -> str:
    for name, of in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= of:
            return f"{_short(count / of)} {name}"
    return f"{count:.0f} B"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def filled(page: str) -> str:
    """The page with its tables."""
    for name, made in (("slopes", slopes()), ("sizes", sizes())):
        pattern = rf"(<!-- {name} -->\n).*?(\n<!-- end -->)"
        page, found = re.subn(
            pattern, lambda match, made=made: match[1] + made + match[2], page, flags=re.DOTALL
        )
        if not found:
            raise SystemExit(f"no place for the table {name} in {PAGE}")
    return page


def main() -> int:
    """Write or check the page."""
    page = PAGE.read_text(encoding="utf-8")
    made = filled(page)
    if "--check" in sys.argv:
        if page != made:
            sys.stderr.write("docs/scale.md is out of date; run python tools/scale_page.py\n")
            return 1
        return 0
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
