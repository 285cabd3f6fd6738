"""A small corpus for end-to-end tests: a dump of made-up articles and a vocabulary fitted to it."""

from __future__ import annotations

import bz2
import random
from pathlib import Path

from making_dumps import export, page

from transferset.tokens import fit_vocabulary

SOME = """
the river of a town in an old house by many roads and its people were known for their music
which had been written long ago while others kept bees sold cloth or read about stars
"""
WORDS = SOME.split()


def sentence(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randint(4, 18))]
    return " ".join(words).capitalize() + chance.choice(".....!?")


def articles(count: int) -> list[str]:
    """Wikitext of articles: paragraphs of prose with links and templates in them."""
    chance = random.Random(11)
    texts = []
    for n in range(count):
        paragraphs = [
            " ".join(sentence(chance) for _ in range(chance.randint(1, 6))) for _ in range(4)
        ]
        paragraphs[0] = (
            f"'''Town {n}''' is a [[town]] of {{{{convert|{n + 2}|km|mi}}}}. " + (paragraphs[0])
        )
        texts.append("\n\n".join([*paragraphs, "== Notes ==", "* [[a list]]"]))
    return texts


def pages(count: int) -> list[str]:
    """`<page>` elements: articles, and after every tenth one a redirect and a talk page."""
    found = []
    for n, text in enumerate(articles(count)):
        found.append(page(f"Town {n}", text, 10 + n))
        if n % 10 == 9:
            redirect = '<redirect title="Town 1" />'
            found.append(page(f"Old {n}", "#REDIRECT [[Town 1]]", 5000 + n, extra=redirect))
            found.append(page(f"Talk:Town {n}", "Hello there.", 9000 + n, ns=1))
    return found


def write_dumps(folder: Path, count: int) -> dict[str, Path]:
    """The same pages as plain XML, one bzip2 stream, and many streams."""
    xml = export(*pages(count))
    paths = {kind: folder / f"{kind}.xml.bz2" for kind in ("single", "multi")}
    paths["plain"] = folder / "plain.xml"
    paths["plain"].write_bytes(xml)
    paths["single"].write_bytes(bz2.compress(xml, 1))  # level 1: many blocks
    streams = [xml[at : at + 20_000] for at in range(0, len(xml), 20_000)]
    paths["multi"].write_bytes(b"".join(bz2.compress(stream) for stream in streams))
    return paths


def write_tokenizer(folder: Path) -> Path:
    """A vocabulary fitted to the articles, too small to hold every word whole."""
    fit_vocabulary(articles(50), 500).save(folder)
    return folder
