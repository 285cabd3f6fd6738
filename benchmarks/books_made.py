"""Makes the books of `books.py`: hard-wrapped English-like ones with a known truth, or real ones.

A made book has words of the BERT vocabulary, which stands in the order of their frequency, drawn by
Zipf's law; paragraphs, dialogue, abbreviations and headings. It was put together from sentences, so
what they are is known. Real books are repeated under new names, with one lower-case word in five
exchanged for another of as many letters of the same book: no copy is a duplicate, every line keeps
its length, a cache of words profits as it does on real text and one of sentences does not.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

BOOK = 500_000  # bytes of a made book
TINY = 10_000  # bytes of the book that shows what starting up takes
WIDTH = 72
EXCHANGED = 0.2
TIGHT = 0.25  # share of headings without a blank line behind them
DIALOGUE = 0.3  # share of paragraphs

HEADING, SENTENCE = "heading", "sentence"
Unit = tuple[str, str]  # kind, text

_NAMES = ("Harding", "Bennet", "Marlow", "Trent", "Sinclair", "Ashby", "Weston", "Hale", "Clare")
_TITLES = ("Mr.", "Mrs.", "Dr.", "Miss", "Captain", "St.")
_SAID = ("said", "asked", "answered", "cried")
# No sentence ends with one of these: whether it is a word or an abbreviation nobody could tell.
_SHORTENED = frozenset(
    re.findall(
        r"\w+",
        "mr mrs ms dr st vs etc jr sr prof gen col capt lt sgt maj rev hon inc ltd co corp no vol"
        " fig ed est dept ave jan feb mar apr jun jul aug sep sept oct nov dec am pm op al pp ca",
    )
)
_LOWER = re.compile(r"(?<![\w'])[a-z]{2,}(?![\w'])")


def frequent_words() -> list[str]:
    """Words of the English BERT vocabulary, the most frequent first."""
    from transferset.tokens import load_tokenizer

    tokenizer = load_tokenizer()
    pieces = tokenizer.pieces(range(tokenizer.info.vocab_size))
    first = pieces.index("the")
    words = [word for word in pieces[first:] if _LOWER.fullmatch(word) and word.isascii()]
    return [*words[:4], "a", *words[4:12], "I", *words[12:12_000]]


class Author:
    """Writes sentences, paragraphs and books."""

    def __init__(self, words: list[str], seed: int) -> None:
        """Take a vocabulary, the most frequent word first."""
        self.random = np.random.default_rng(seed)
        self.words = words
        weights = 1 / (np.arange(len(words)) + 2.7)
        self.shares = np.cumsum(weights) / weights.sum()
        self._drawn: list[int] = []

    def _word(self) -> str:
        if not self._drawn:
            self._drawn = np.searchsorted(self.shares, self.random.random(100_000)).tolist()
        return self.words[self._drawn.pop()]

    def _last(self) -> str:
        return next(word for word in iter(self._word, None) if word not in _SHORTENED)

    def _chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def _one(self, of: Sequence[str]) -> str:
        return of[int(self.random.integers(len(of)))]

    def _name(self) -> str:
        if self._chance(0.2):
            return f"{chr(65 + int(self.random.integers(26)))}. {self._one(_NAMES)}"
        return f"{self._one(_TITLES)} {self._one(_NAMES)}"

    def clause(self) -> str:
        """A sentence without its end."""
        size = 2 + int(self.random.gamma(2.2, 6.0))
        words = [*(self._word() for _ in range(size)), self._last()]
        words[0] = words[0].capitalize()
        if size > 8:
            words[size // 2] += ","
        if self._chance(0.12):
            words.insert(1 + int(self.random.integers(size)), self._name())
        if self._chance(0.02):
            words.insert(1, f"{self.random.uniform(0, 9):.1f}")
        return " ".join(words)

    def sentence(self) -> str:
        """A sentence of narration."""
        return self.clause() + self._one("........?!")

    def paragraph(self) -> list[str]:
        """Its sentences."""
        if not self._chance(DIALOGUE):
            return [self.sentence() for _ in range(1 + int(self.random.integers(8)))]
        speech, kind = self.clause(), self.random.random()
        if kind < 0.4:
            return [f'"{speech}," {self._one(_SAID)} {self._name()}.']
        if kind < 0.6:  # the speech is a part of the sentence that goes on in lower case
            return [f'"{speech}{self._one("?!")}" {self._one(_SAID)} {self._name()}.']
        if kind < 0.8:
            return [f'"{speech}.', f'{self.sentence()}"']
        return [f'"{speech},"' + f" {self._one(_SAID)} {self._name()}.", f'"{self.sentence()}"']

    def book(self, size: int) -> tuple[str, list[Unit]]:
        """The text of a book of about so many bytes, and what it was put together from."""
        units: list[Unit] = []
        parts: list[str] = []
        chapter, length, until = 0, 0, 0
        while length < size:
            if length >= until:
                chapter, until = chapter + 1, length + 15_000
                title = self._title(chapter)
                units.append((HEADING, title))
                tight = title.startswith("CHAPTER") and self._chance(2 * TIGHT)
                parts.append(title + ("\n" if tight else "\n\n\n"))
            sentences = self.paragraph()
            units += [(SENTENCE, sentence) for sentence in sentences]
            parts.append(wrapped(" ".join(sentences)) + "\n\n")
            length += len(parts[-1])
        return "".join(parts), units

    def _title(self, chapter: int) -> str:
        """Half the headings are numbers (and half of those stand tight), half are titles."""
        if chapter % 2:
            return f"CHAPTER {roman(chapter)}"
        words = " ".join(self._last() for _ in range(3))
        return words.upper() if chapter % 4 else words.title()


def roman(number: int) -> str:
    """7 → VII."""
    out = ""
    for value, numeral in ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX")):
        out, number = out + numeral * (number // value), number % value
    for value, numeral in ((5, "V"), (4, "IV"), (1, "I")):
        out, number = out + numeral * (number // value), number % value
    return out


def wrapped(text: str) -> str:
    """Lines of at most `WIDTH` characters, as `textwrap` makes them but faster."""
    lines, start = [], 0
    while len(text) - start > WIDTH:
        end = text.rfind(" ", start, start + WIDTH + 1)
        lines.append(text[start:end])
        start = end + 1
    return "\n".join([*lines, text[start:]])


@dataclass(frozen=True, slots=True)
class Books:
    """A folder of books; of made ones the truth is known."""

    folder: Path
    truth: Path | None = None

    @property
    def files(self) -> list[Path]:
        """In the order in which every tool reads them."""
        return sorted(self.folder.glob("*.txt"))

    @property
    def mb(self) -> float:
        """Megabytes of text."""
        return sum(path.stat().st_size for path in self.files) / 1e6

    def units(self) -> list[Unit]:
        """The truth of all books."""
        assert self.truth is not None
        lines = (
            line
            for path in self.files
            for line in (self.truth / path.name).read_text("utf-8").splitlines()
        )
        return [(kind, text) for kind, _, text in (line.partition("\t") for line in lines)]

    def first(self, size: int, folder: Path) -> Books:
        """The first books up to so many bytes, at least one, as links in another folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in self.files:
            os.link(path, folder / path.name)
            size -= path.stat().st_size
            if size <= 0:
                break
        return Books(folder, self.truth)


def make_books(work: Path, size: int, seed: int) -> Books:
    """Write made books of so many bytes in all; those of an earlier run are used again."""
    root = work / f"made-{size}-seed{seed}"
    made = Books(root / "books", root / "truth")
    if (root / "done").exists():
        return made
    shutil.rmtree(root, ignore_errors=True)
    made.folder.mkdir(parents=True)
    (root / "truth").mkdir()
    author = Author(frequent_words(), seed)
    for number in range(max(1, round(size / BOOK))):
        text, units = author.book(min(size, BOOK))
        name = f"book-{number:05d}.txt"
        (made.folder / name).write_text(text, "utf-8")
        lines = [f"{kind}\t{unit}\n" for kind, unit in units]
        (root / "truth" / name).write_text("".join(lines), "utf-8")
    (root / "done").touch()
    return made


def reworded(text: str, random: np.random.Generator) -> str:
    """A text with one lower-case word in five exchanged for another as long."""
    of_length: dict[int, list[str]] = defaultdict(list)
    for word in _LOWER.findall(text):
        of_length[len(word)].append(word)
    draws = iter(random.random((text.count(" ") + text.count("\n") + 2, 2)).tolist())

    def exchange(match: re.Match[str]) -> str:
        whether, which = next(draws, (1.0, 0.0))
        word = match[0]
        if whether >= EXCHANGED:
            return word
        same = of_length[len(word)]
        return same[int(which * len(same))]

    return _LOWER.sub(exchange, text)


def repeat_books(source: Path, work: Path, size: int, seed: int) -> Books:
    """Repeat the texts of a folder, reworded, until there are so many bytes."""
    texts = [path.read_text("utf-8") for path in sorted(source.glob("*.txt"))]
    if not texts:
        raise SystemExit(f"expected .txt files in {source}, found none")
    folder = work / f"repeated-{size}-seed{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in count():
        path = folder / f"book-{number:05d}.txt"
        path.write_text(reworded(texts[number % len(texts)], random), "utf-8")
        size -= path.stat().st_size
        if size <= 0:
            return Books(folder)
    raise AssertionError


def tiny_book(books: Books, folder: Path) -> Books:
    """The beginning of one book."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = books.files[0].read_text("utf-8")[:TINY]
    (folder / "book-00000.txt").write_text(text.rpartition("\n\n")[0] + "\n", "utf-8")
    return Books(folder)
