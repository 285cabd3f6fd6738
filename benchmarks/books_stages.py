"""The stages of `build books` one by one, and the machine's limits, in MB of text per CPU-second.

    python benchmarks/books_stages.py FOLDER [--size 10MB]      # prints JSON

Each stage gets what the one before made, in this process; megabytes are those of the files,
whatever the stage. Models are loaded and kernels compiled before, on a book cut short.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inflate import size_in_bytes
from measure import memcpy, rate

from transferset.curation.language import vote_language
from transferset.curation.shingles import shingle
from transferset.sentences import get_splitter
from transferset.text.books import TextCleaner, decode
from transferset.tokens import load_tokenizer

MAX_LEN = 512
_WARM = 20_000


class Stages:
    """Runs each stage on all books, after the one before it."""

    def __init__(self) -> None:
        """Load models."""
        self.cleaner = TextCleaner("book")
        self.splitters = {name: get_splitter(name, "en") for name in ("nupunkt", "rules")}
        self.encoder = load_tokenizer()

    def run(self, raw: list[bytes]) -> dict[str, dict[str, float]]:
        """Rates of the stages."""
        size, found, made = sum(map(len, raw)), {}, {}

        def stage(name: str, work: Callable[[], Any]) -> Any:
            found[name] = rate(size, lambda: made.update({name: work()}))
            return made[name]

        texts = stage("decode", lambda: [decode(one).text for one in raw])
        books = stage("clean", lambda: [self.cleaner.clean(text).passages for text in texts])
        rows = stage("split (nupunkt)", lambda: self._split("nupunkt", books))
        stage("split (rules)", lambda: self._split("rules", books))
        stage(f"encode ({self.encoder.engine})", lambda: self._encode(rows))
        stage("shingles", lambda: [shingle(book) for book in books])
        stage("language vote", lambda: [vote_language(book) for book in books])
        return found

    def _split(self, name: str, books: list[list[str]]) -> list[list[str]]:
        split = self.splitters[name].split
        return [[row for passage in book for row in split(passage)] for book in books]

    def _encode(self, rows: list[list[str]]) -> int:
        return sum(len(self.encoder.encode_rows(book, MAX_LEN).ids) for book in rows)


def measure_stages(paths: list[Path]) -> dict[str, dict[str, float]]:
    """The machine's limits, then every stage on some books."""
    read = lambda: [path.read_bytes() for path in paths]  # noqa: E731
    raw = read()  # from now on in the page cache
    size = sum(map(len, raw))
    stages = Stages()
    stages.run([raw[0][:_WARM]])
    limits = {"memcpy": memcpy(), "read, page cache": rate(size, read)}
    return limits | stages.run(raw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=size_in_bytes, default="10MB", help="of the first books")
    args = parser.parse_args()
    paths: list[Path] = []
    for path in sorted(args.folder.glob("*.txt")):
        if paths and sum(one.stat().st_size for one in paths) >= args.size:
            break
        paths.append(path)
    print(json.dumps(measure_stages(paths)))


if __name__ == "__main__":
    main()
