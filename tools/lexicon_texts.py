"""The texts that the lexicon tagger is learnt from and measured on (see `tools/lexicon.py`).

Every text has a kind, a document and a part: `train` is counted, `held` only measured. What
others evaluate on (development and test files) is held, and so is every text that stands word for
word in such a file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from transferset import demo
from transferset.ledger import Ledger
from transferset.sources.dump import Dump
from transferset.text.books.cleaner import TextCleaner
from transferset.text.wikitext import WikitextCleaner

#: One page in ten is held.
_HELD_PAGES = 26
_HELD_BOOK = "Persuasion"
_ENTITY = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_LETTERS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `tokenised`: its words stand between spaces already."""

    kind: str
    document: str
    part: str
    text: str
    tokenised: bool = False


def texts(data: Path) -> Iterator[Text]:
    """Give every text once, what is held first.

    Args:
        data: Folder with `books/*.txt`, `wiki/enwiki-*.xml.bz2` and `tasks/NAME/*`; what is not
            there is left out.
    """
    held = [text for text in _all(data) if text.part == "held"]
    known = {_plain(text.text) for text in held}
    yield from held
    for text in _all(data):
        plain = _plain(text.text)
        if text.part == "train" and plain not in known:
            yield text
        known.add(plain)


def _plain(text: str) -> str:
    return _LETTERS.sub("", text.lower())


def _all(data: Path) -> Iterator[Text]:
    yield from _books(sorted((data / "books").glob("*.txt")), "book")
    yield from _books(sorted(demo.books().rglob("*.txt")), "demo")
    for dump in sorted((data / "wiki").glob("enwiki-*.xml.bz2")):
        yield from _wiki(dump, "wiki")
    yield from _wiki(demo.path(), "demo")
    yield from _tasks(data / "tasks")


def _books(paths: Iterable[Path], kind: str) -> Iterator[Text]:
    for path in paths:
        part = "held" if path.stem == _HELD_BOOK else "train"
        for passage in TextCleaner().clean(path.read_text(encoding="utf-8-sig")).passages:
            yield Text(kind, path.stem, part, " ".join(passage.split()))


def _wiki(path: Path, kind: str) -> Iterator[Text]:
    dump = Dump.open(path)
    cleaner = WikitextCleaner(language="en", namespaces=dump.site.namespaces)
    for part in dump.parts():
        for page in dump.read(part, Ledger()):
            first = blake3(page.title.encode()).digest()[0]
            use = "held" if kind == "wiki" and first < _HELD_PAGES else "train"
            for passage in cleaner.clean(page.text, page.title):
                yield Text(kind, page.title, use, passage)


def _tasks(root: Path) -> Iterator[Text]:
    yield from _table(root / "sst2", {"train": "train", "dev": "held", "test": "held"}, "tsv", (0,))
    names = {"in_domain_train": "train", "in_domain_dev": "held", "out_of_domain_dev": "held"}
    yield from _table(root / "cola", names, "tsv", (3,))
    names = {"sts-train": "train", "sts-dev": "held", "sts-test": "held"}
    yield from _table(root / "stsb", names, "csv", (5, 6))
    yield from _banking(root / "banking77")
    yield from _labelled(root / "trec" / "TREC.train.all", "trec", "train")
    yield from _labelled(root / "trec" / "TREC.test.all", "trec", "held")
    # no split of theirs is free of evaluation: only measured
    yield from _labelled(root / "subj" / "subj.all", "subj", "held")
    yield from _intents(root / "sara")


def _table(
    root: Path, parts: dict[str, str], ending: str, columns: tuple[int, ...]
) -> Iterator[Text]:
    tokenised = root.name == "sst2"
    for name, part in parts.items():
        path = root / f"{name}.{ending}"
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        for number, line in enumerate(lines[1:] if tokenised else lines):
            fields = line.split("\t")
            for column in columns:
                if len(fields) > column and (text := " ".join(fields[column].split())):
                    yield Text(root.name, f"{name}:{number}", part, text, tokenised)


def _banking(root: Path) -> Iterator[Text]:
    for name, part in (("train", "train"), ("test", "held")):
        path = root / f"{name}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for number, row in enumerate(csv.DictReader(file)):
                    yield Text("banking77", f"{name}:{number}", part, " ".join(row["text"].split()))


def _labelled(path: Path, kind: str, part: str) -> Iterator[Text]:
    lines = path.read_text(encoding="latin-1").split("\n") if path.exists() else []
    for number, line in enumerate(lines):
        if text := " ".join(line.partition(" ")[2].split()):
            yield Text(kind, f"{path.stem}:{number}", part, text, tokenised=True)


def _intents(root: Path) -> Iterator[Text]:
    for path in sorted(root.glob("*.md")):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")):
            text = " ".join(_ENTITY.sub(r"\1", line[2:]).split())
            if line.startswith("- ") and text:
                yield Text("sara", f"{path.stem}:{number}", "held", text)
