"""Task files that the tests of task sets share."""

from __future__ import annotations

import random
from pathlib import Path

SUBJECTS = ("the film", "a story", "Anna's plot", "it", "this cast", "our guide")
VERBS = ("is", "isn't", "was", "wasn't", "seems", "felt")
ENDS = ("good", "dull", "warm, clever", "too long", "well-made", "cold and loud", "fine")


def sentences(count: int, seed: int = 0) -> list[str]:
    """Different sentences, with contractions, hyphens and commas in them."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        more = f" after {draw.randrange(90)} minutes" if draw.random() < 0.7 else ""
        picked = f"{draw.choice(SUBJECTS)} {draw.choice(VERBS)} {draw.choice(ENDS)}{more}."
        found.setdefault(picked)
    return list(found)


def write_task(path: Path, texts: list[str]) -> Path:
    """A .tsv with the columns sentence and label, classes in turn."""
    lines = [f"{text}\t{('bad', 'good')[i % 2]}" for i, text in enumerate(texts)]
    path.write_text("\n".join(["sentence\tlabel", *lines]) + "\n")
    return path


def write_pairs(path: Path, texts: list[str]) -> Path:
    """A .tsv of pairs with scores."""
    pairs = zip(texts[::2], texts[1::2], strict=False)
    lines = [f"{a}\t{b}\t{i % 50 / 10:.1f}" for i, (a, b) in enumerate(pairs)]
    path.write_text("\n".join(["one\ttwo\tscore", *lines]) + "\n")
    return path
