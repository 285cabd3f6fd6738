"""Books for tests: prose of a small vocabulary, of which every word is known."""

from __future__ import annotations

import random
import textwrap
from pathlib import Path

_TEXT = """
    the a river house morning letter walked slowly across garden evening captain answered window
    never always quiet brother sister village road winter remember stranger knocked door before
    after mountain silver carried water bread table under lamp story began and ended with of to
"""
WORDS = _TEXT.split()


def sentences(seed: int, count: int) -> list[str]:
    """So many sentences that every splitter tells apart; equal seeds give equal ones."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        words = draw.choices(WORDS, k=draw.randint(6, 14))
        found.append(" ".join([words[0].capitalize(), *words[1:]]) + "!")
    return found


def prose(seed: int, count: int = 120) -> str:
    """A book with hard wraps: a heading, then paragraphs of five sentences."""
    written = sentences(seed, count)
    paragraphs = [" ".join(written[i : i + 5]) for i in range(0, count, 5)]
    wrapped = ["\n".join(textwrap.wrap(paragraph, 70)) for paragraph in paragraphs]
    return "\n\n".join(["CHAPTER I", *wrapped]) + "\n"


def gutenberg(text: str, number: int, title: str, author: str) -> str:
    """The text as Project Gutenberg wraps it."""
    return (
        f"The Project Gutenberg eBook of {title}\n\nThis eBook is for the use of anyone anywhere.\n"
        f"\nTitle: {title}\n\nAuthor: {author}\n\nRelease date: May 1, 2001 [eBook #{number}]\n\n"
        f"Language: English\n\n*** START OF THE PROJECT GUTENBERG EBOOK {title.upper()} ***\n\n\n"
        f"{text}\n\n*** END OF THE PROJECT GUTENBERG EBOOK {title.upper()} ***\n\n"
        "Updated editions will replace the previous one.\n"
    )


def write_books(folder: Path, books: dict[str, str]) -> Path:
    """Books as files of a folder."""
    for name, text in books.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
