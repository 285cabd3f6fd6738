"""How far the lexicon tagger agrees with given tags (see `tools/lexicon.py`)."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from lexicon_counts import Pairs, shape

from transferset.tagging.hmm import HmmTagger
from transferset.tagging.hmm_suffixes import LONGEST_SUFFIX, RARE


class Baseline:
    """A word's most frequent tag, or that of the rare words with the longest equal ending."""

    def __init__(self, words: Mapping[str, Mapping[str, int]]) -> None:
        """Learn from counts of tags by word."""
        self._tags = {
            word: max(counts, key=lambda tag: counts[tag]) for word, counts in words.items()
        }
        endings: dict[str, Counter[str]] = defaultdict(Counter)
        for word, counts in words.items():
            if sum(counts.values()) <= RARE:
                for size in range(min(len(word), LONGEST_SUFFIX) + 1):
                    endings[word[len(word) - size :]].update(counts)
        self._endings = {ending: counts.most_common(1)[0][0] for ending, counts in endings.items()}

    def knows(self, word: str) -> bool:
        """Tell whether the word was counted."""
        return shape(word) in self._tags

    def tag(self, word: str) -> str:
        """Tag one word."""
        word = shape(word)
        sizes = range(min(len(word), LONGEST_SUFFIX), -1, -1)
        endings = (word[len(word) - size :] for size in sizes)
        return self._tags.get(word) or next(
            self._endings[ending] for ending in endings if ending in self._endings
        )


def measure(tagger: HmmTagger, baseline: Baseline, texts: Mapping[str, list[Pairs]]) -> str:
    """Make a table: one line a kind of text.

    Args:
        tagger: What is measured.
        baseline: What it is compared with.
        texts: Texts with the tags that are held to be right, by kind.
    """
    lines = [
        f"{'':12}{'words':>9}{'tagger':>8}{'baseline':>10}{'unknown':>9}{'of them':>9}{'base':>7}"
    ]
    sums = np.zeros(6)
    for kind, group in texts.items():
        right, base, unknown = _compare(tagger, baseline, group)
        parts = [right.size, right.sum(), base.sum(), unknown.sum()]
        row = np.array([*parts, right[unknown].sum(), base[unknown].sum()], float)
        lines.append(_line(kind, row))
        sums += row
    return "\n".join([*lines, _line("all", sums)])


def _line(kind: str, row: np.ndarray) -> str:
    words, right, base, unknown, right_unknown, base_unknown = row.tolist()
    few = max(unknown, 1)
    shares = (right / words, base / words, unknown / words, right_unknown / few, base_unknown / few)
    a, b, c, d, e = (100 * share for share in shares)
    return f"{kind:12}{words:9,.0f}{a:8.2f}{b:10.2f}{c:9.2f}{d:9.1f}{e:7.1f}"


def _compare(
    tagger: HmmTagger, baseline: Baseline, texts: list[Pairs]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    words = [word for pairs in texts for word, _ in pairs]
    tags = [tag for pairs in texts for _, tag in pairs]
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    found = tagger.tag(words, offsets).tolist()
    right = [tagger.tags[number] == tag for number, tag in zip(found, tags, strict=True)]
    base = [baseline.tag(word) == tag for word, tag in zip(words, tags, strict=True)]
    return np.array(right), np.array(base), np.array([not baseline.knows(word) for word in words])


def speed(tagger: HmmTagger, texts: list[Pairs], rounds: int = 5) -> float:
    """Return words per CPU-second, the best of some rounds."""
    words = [word for pairs in texts for word, _ in pairs]
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    seconds = []
    for _ in range(rounds):
        begun = time.process_time()
        tagger.tag(words, offsets)
        seconds.append(time.process_time() - begun)
    return len(words) / min(seconds)


def conllu(path: Path) -> Iterator[Pairs]:
    """Read words and their own tags (fifth field) from a CoNLL-U file, sentence by sentence."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields = [line.split("\t") for line in block.split("\n") if line and line[0] != "#"]
        if pairs := [(f[1].replace(" ", ""), f[4]) for f in fields if f[0].isdigit()]:
            yield pairs
