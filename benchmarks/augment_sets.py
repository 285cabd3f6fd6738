"""The sentences that `augment.py` measures on, and whether what was made of them is right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from derive_sets import Made
from measure import Usage, measure
from tokenizers import Tokenizer

from transferset.shards import ShardSet
from transferset.tokens import load_tokenizer

OURS = [sys.executable, "-m", "transferset"]
LONGEST = 60  # words of a made sentence

_HEADER = "sentence\tlabel\n"


def make_sentences(out: Path, rows: int, tokenizer: Path, seed: int) -> Path:
    """A file as SST-2's: lower-case words of the vocabulary by Zipf's law, about as long; kept.

    Args:
        out: Where; a file that is there is left as it is.
        rows: How many; some are alike, as phrases of SST-2 are.
        tokenizer: Whose whole words are taken, in the order of their ids.
        seed: Of all draws.

    Returns:
        `out`.
    """
    if out.exists():
        return out
    words = np.array(_whole_words(tokenizer), object)
    draw = np.random.default_rng(seed)
    lengths = np.minimum(1 + draw.gamma(1.1, 7.7, rows).astype(np.int64), LONGEST)
    shares = np.cumsum(1 / (np.arange(len(words)) + 2.7))
    drawn = words[np.searchsorted(shares / shares[-1], draw.random(lengths.sum()))]
    labels = draw.integers(0, 2, rows)
    part = out.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for end, length, label in zip(np.cumsum(lengths), lengths, labels, strict=True):
            file.write(f"{' '.join(drawn[end - length : end])}\t{label}\n")
    part.rename(out)
    return out


def _whole_words(tokenizer: Path) -> list[str]:
    pieces = load_tokenizer(str(tokenizer)).vocabulary
    words = [piece for piece in pieces if piece.isascii() and piece.isalpha()]
    return [word for word in words if len(word) > 1 or word == "a"][:15_000]


def write_tokenizer(spec: str | None, out: Path) -> Path:
    """The `tokenizer.json` that all tools use; None is the default."""
    out.write_text(load_tokenizer(spec).json, "utf-8")
    return out


def first_rows(file: Path, rows: int, out: Path) -> Path:
    """The first rows of such a file, and its header."""
    with file.open(encoding="utf-8") as lines:
        out.write_text(
            "".join(line for _, line in zip(range(rows + 1), lines, strict=False)), "utf-8"
        )
    return out


def build(file: Path, out: Path, tagger: str, tokenizer: Path) -> Usage:
    """Build the tagged set of a file, whose words are parted by spaces; what that took."""
    options = ["--layout", "glue-sst2", "--words", "whitespace", "--tagger", tagger]
    options += ["--tokenizer", str(tokenizer), "--workers", "1", "--force"]
    return measure([*OURS, "build", "task", file, "--out", out, *options])


@dataclass(frozen=True, slots=True)
class Lines:
    """The words and tags of a tagged set as the peers read them, a sentence a line."""

    words: Path
    tags: Path
    sentences: int
    count: int

    @property
    def mean(self) -> float:
        """Words of a sentence."""
        return self.count / self.sentences


def export(root: Path, out: Path, rows: int | None = None) -> Lines:
    """Write so many rows of a tagged set, spread evenly over it; None is all."""
    opened = ShardSet.open(root)
    names = opened.manifest.names["pos"]
    total = opened.manifest.totals["rows"]
    step = max(1, total // (rows or total))
    words, tags = out.with_suffix(".words.txt"), out.with_suffix(".tags.txt")
    sentences = count = 0
    with words.open("w", encoding="utf-8") as one, tags.open("w", encoding="utf-8") as other:
        for at, (its, codes) in enumerate(_tagged(opened)):
            if at % step or sentences == rows:
                continue
            one.write(" ".join(its) + "\n")
            other.write(" ".join(names[code] for code in codes) + "\n")
            sentences, count = sentences + 1, count + len(its)
    return Lines(words, tags, sentences, count)


def _tagged(opened: ShardSet) -> Iterator[tuple[list[str], list[int]]]:
    for batch in opened.batches():
        columns = (batch.column(name).to_pylist() for name in ("words", "pos"))
        yield from zip(*columns, strict=True)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a set of variants.

    Attributes:
        rows: All, ids of which equal the tokenizer's on their texts.
        new: Those that are no originals; no two of them, and no original, have the same ids.
    """

    rows: int
    new: int


def check(parent: Path, out: Path, tokenizer: Path) -> Checked:
    """End the benchmark unless the variants at `out` are whole, spelled right and all different.

    Args:
        parent: The set that was varied; all its rows have labels, and are in `out`.
        out: The set of its rows and their variants, which have no label.
        tokenizer: A `tokenizer.json`.

    Returns:
        How many rows were looked at: all.
    """
    measure([*OURS, "verify", out])
    encoder = Tokenizer.from_file(str(tokenizer))
    encoder.no_truncation()
    encoder.no_padding()
    keys, new = [], []
    for number, batch in enumerate(ShardSet.open(out).batches()):
        texts, ids = batch.column("text").to_pylist(), batch.column("input_ids").to_pylist()
        for text, spelled, its in zip(texts, encoder.encode_batch_fast(texts), ids, strict=True):
            if spelled.ids != its:
                raise SystemExit(f"{out}, batch {number}: the tokenizer spells {text!r} otherwise")
        keys.append(
            np.fromiter((hash(bytes(str(its), "ascii")) for its in ids), np.int64, len(ids))
        )
        new.append(batch.column("label").is_null().to_numpy(zero_copy_only=False))
    return distinct(np.concatenate(keys), np.concatenate(new), Made.open(parent).rows)


def distinct(keys: npt.NDArray[np.int64], new: npt.NDArray[np.bool_], originals: int) -> Checked:
    """Count rows by digests of their ids; end the benchmark if a variant repeats any other row.

    Of ten million rows two have the same 64 bits by chance once in 400,000 runs.
    """
    variants, others = np.unique(keys[new]), keys[~new]
    if len(variants) < new.sum() or np.isin(others, variants).any():
        raise SystemExit("a variant repeats an original or another variant")
    if len(others) != originals:
        raise SystemExit(f"expected {originals} originals, found {len(others)}")
    return Checked(len(keys), len(variants))
