"""Augmentation as people do it today. Runs in the peers' environment.

    python benchmarks/augment_peers.py WAY WORDS.txt --tags TAGS.txt --out FILE [--ids TOKENIZER]

WORDS.txt has a sentence a line, its words parted by spaces; TAGS.txt the tags of the same words.

`reference` is the augmentation of Tang et al. 2019 (§ 3.2) written plainly, the way published
scripts go about it: a loop over examples, attempts and words, `random.random()` for each word,
`random.choice` among all words that have its tag, words joined by spaces, a set against repeats.
Each sentence is tagged when words are counted and once more when it is varied, by spaCy's tagger
alone, one by one (`tagging`) or many at once, which is faster (`tagging in batches`); or tags are
read from the file (`tags given`).

The word augmenters of nlpaug and fast-aug know neither tags nor a draw for each word. What comes
nearest is to substitute as many words, half of them by masks and half by words of the vocabulary;
`delete` is the least that they can do. They change a fixed share of the words, at least one, and
repeat themselves. With `--ids` repeats are left out and texts become ids by the fast tokenizer.

Prints the rows written and the CPU seconds of the work, loading modules and models not counted.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

MASK = "[MASK]"
P_MASK = P_POS = P_DELETE = 0.1
BATCH = 10_000  # rows of a record batch, as ours

Tagged = tuple[list[str], list[str]]  # words and their tags


@dataclass(frozen=True, slots=True)
class Task:
    """What is varied, how often, and by which model it is tagged."""

    words: Path
    tags: Path
    iterations: int
    spacy: str

    def sentences(self) -> list[str]:
        """All of them, without line ends."""
        return self.words.read_text("utf-8").splitlines()

    def vocabulary(self) -> list[str]:
        """Every word once, and as many masks."""
        words = sorted({word for line in self.sentences() for word in line.split(" ")})
        return words + [MASK] * len(words)


def given(task: Task) -> Iterator[Tagged]:
    """Tags from the file."""
    with task.words.open(encoding="utf-8") as words, task.tags.open(encoding="utf-8") as tags:
        for line, its in zip(words, tags, strict=True):
            yield line.split(), its.split()


def by_spacy(task: Task, many: bool) -> Callable[[Task], Iterator[Tagged]]:
    """Tags by spaCy, whose parser, entities and lemmas are left out."""
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(task.spacy, exclude=["parser", "ner", "lemmatizer", "attribute_ruler"])

    def tag(task: Task) -> Iterator[Tagged]:
        docs = (Doc(nlp.vocab, words=line.split()) for line in task.sentences())
        for doc in nlp.pipe(docs) if many else map(nlp, docs):
            yield [token.text for token in doc], [token.tag_ for token in doc]

    return tag


def reference(read: Callable[[Task], Iterable[Tagged]], task: Task) -> Iterator[str]:
    """New sentences by masking and POS-guided replacement.

    Args:
        read: Gives words and tags, twice.
        task: What to vary.

    Yields:
        Sentences that are neither in the input nor were made before.
    """
    by_tag: dict[str, list[str]] = defaultdict(list)
    seen = set()
    for words, tags in read(task):
        seen.add(" ".join(words))
        for word, tag in zip(words, tags, strict=True):
            by_tag[tag].append(word)
    for words, tags in read(task):
        for _ in range(task.iterations):
            text = " ".join(vary(words, tags, by_tag))
            if text not in seen:
                seen.add(text)
                yield text


def vary(words: list[str], tags: list[str], by_tag: dict[str, list[str]]) -> list[str]:
    """One draw for each word decides: a mask, another word of its tag, or itself."""
    made = []
    for word, tag in zip(words, tags, strict=True):
        drawn = random.random()
        if drawn < P_MASK:
            made.append(MASK)
        elif drawn < P_MASK + P_POS:
            made.append(random.choice(by_tag[tag]))
        else:
            made.append(word)
    return made


def nlpaug(action: str, task: Task) -> Iterator[str]:
    """`RandomWordAug` on lists of sentences, spared its own tokeniser."""
    from nlpaug.augmenter.word import RandomWordAug

    share = {"substitute": P_MASK + P_POS, "delete": P_DELETE}[action]
    augmenter = RandomWordAug(
        action=action,
        aug_p=share,
        aug_max=None,
        target_words=task.vocabulary() if action == "substitute" else None,
        tokenizer=str.split,
        reverse_tokenizer=" ".join,
    )
    turns = (augmenter.augment(task.sentences()) for _ in range(task.iterations))
    return chain.from_iterable(turns)


def fast_aug(action: str, task: Task) -> Iterator[str]:
    """The augmenters of words, on all sentences at once."""
    from fast_aug.text import WordsRandomDeleteAugmenter, WordsRandomSubstituteAugmenter

    if action == "delete":
        augmenter = WordsRandomDeleteAugmenter(P_DELETE)
    else:
        augmenter = WordsRandomSubstituteAugmenter(P_MASK + P_POS, task.vocabulary())
    turns = (augmenter.augment_batch(task.sentences()) for _ in range(task.iterations))
    return chain.from_iterable(turns)


WAYS: dict[str, Callable[[Task], Iterator[str]]] = {
    "reference: tagging": lambda task: reference(by_spacy(task, many=False), task),
    "reference: tagging in batches": lambda task: reference(by_spacy(task, many=True), task),
    "reference: tags given": lambda task: reference(given, task),
    "nlpaug: substitute": lambda task: nlpaug("substitute", task),
    "nlpaug: delete": lambda task: nlpaug("delete", task),
    "fast-aug: substitute": lambda task: fast_aug("substitute", task),
    "fast-aug: delete": lambda task: fast_aug("delete", task),
}


def new(texts: Iterable[str], originals: Iterable[str]) -> Iterator[str]:
    """Without repeats."""
    seen = set(originals)
    for text in texts:
        if text not in seen:
            seen.add(text)
            yield text


def write_texts(texts: Iterable[str], out: Path) -> int:
    """A text a line, as scripts print them."""
    with out.open("w", encoding="utf-8") as file:
        rows = 0
        for rows, text in enumerate(texts, 1):  # noqa: B007
            file.write(f"{text}\n")
    return rows


def ids_writer(tokenizer: Path) -> Callable[[Iterable[str], Path], int]:
    """Writes texts and their ids as an Arrow stream, in batches, as our sets are."""
    import pyarrow as pa
    from tokenizers import Tokenizer

    encoder = Tokenizer.from_file(str(tokenizer))
    encoder.no_truncation()
    encoder.no_padding()
    schema = pa.schema({"text": pa.string(), "input_ids": pa.list_(pa.uint16())})

    def write(texts: Iterable[str], out: Path) -> int:
        rows, left = 0, iter(texts)
        with pa.OSFile(str(out), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
            while batch := list(islice(left, BATCH)):
                ids = [one.ids for one in encoder.encode_batch_fast(batch)]
                stream.write_batch(pa.record_batch([batch, ids], schema=schema))
                rows += len(batch)
        return rows

    return write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("way", choices=list(WAYS))
    parser.add_argument("words", type=Path)
    parser.add_argument("--tags", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--ids", type=Path, help="tokenizer.json: leave out repeats, make ids")
    parser.add_argument("--spacy", default="en_core_web_sm")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    task = Task(args.words, args.tags, args.iterations, args.spacy)
    texts = WAYS[args.way](task)
    write = ids_writer(args.ids) if args.ids else write_texts
    started = time.process_time()  # modules and models are loaded, nothing is read or made
    rows = write(new(texts, task.sentences()) if args.ids else texts, args.out)
    print(json.dumps({"rows": rows, "cpu_s": time.process_time() - started}))


if __name__ == "__main__":
    main()
