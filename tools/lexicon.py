"""Makes the model of the lexicon tagger, and measures it.

    python tools/lexicon.py tag DATA TAGGED.jsonl [--teacher MODEL]   about four minutes
    python tools/lexicon.py count TAGGED.jsonl transferset/tagging/lexicon
    python tools/lexicon.py measure TAGGED.jsonl [GOLD.conllu …]

DATA is a folder with `books/*.txt`, `wiki/enwiki-*.xml.bz2` and `tasks/NAME/*` as `lexicon_texts`
reads them; the demo articles and books of the package are added. The teacher is a spaCy pipeline.
`tag` writes what it says to one file, `count` counts what is not held into the model, and
`measure` compares the model of the package with the tags of what is held, and with gold tags.
The same texts and teacher give the same model, byte for byte.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import lexicon_teacher as teachers
from lexicon_counts import Counting, Pairs
from lexicon_measure import Baseline, conllu, measure, speed
from lexicon_texts import texts

from transferset.tagging import hmm_model
from transferset.tagging.hmm import HmmTagger

FOLDER = Path(__file__).parents[1] / "transferset" / "tagging" / "lexicon"
SOURCES = {
    "book": "novels of Jane Austen (public domain) but Persuasion",
    "wiki": "206 pages of English Wikipedia of 2016 (CC BY-SA 3.0; words and tags are counted, "
    "no text is in the model), but every tenth page",
    "demo": "the demo articles and books of this package (CC0)",
    "sst2": "training phrases of SST-2",
    "cola": "in-domain training sentences of CoLA",
    "stsb": "training sentences of the STS benchmark",
    "banking77": "training queries of Banking77 (CC BY 4.0)",
    "trec": "training questions of TREC",
}


@click.group()
def main() -> None:
    """Make and measure the model of the lexicon tagger."""


@main.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--teacher", default="en_core_web_sm")
def tag(data: Path, out: Path, teacher: str) -> None:
    """Let the teacher tag all texts."""
    model = teachers.load(teacher)
    meta = model.meta
    head = {key: meta.get(key) for key in ("lang", "name", "version", "license", "author")}
    with out.open("w", encoding="utf-8") as file:
        file.write(json.dumps({**head, "package": teacher}) + "\n")
        for text in teachers.tagged(texts(data), model):
            source = text.source
            row = [source.kind, source.document, source.part, teachers.forms(text)]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


@main.command()
@click.argument("tagged", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
def count(tagged: Path, folder: Path) -> None:
    """Count what is not held into a model."""
    counting, sizes, documents = Counting(), Counter[str](), defaultdict[str, set[str]](set)
    for kind, document, part, forms in _rows(tagged):
        if part == "train":
            sizes[kind] += len(forms[0])
            documents[kind].add(document)
            for pairs in forms:
                counting.add(pairs)
    sources = [
        {"name": kind, "what": SOURCES[kind], "documents": len(documents[kind]), "words": size}
        for kind, size in sorted(sizes.items())
    ]
    about = {
        "name": "English, Penn tags as OntoNotes 5 has them",
        "note": "Counts of words and of tags that a teacher gave to the texts below; no person "
        "checked the tags, and the teacher's mistakes are in them.",
        "teacher": _teacher(tagged),
        "sources": sources,
    }
    hmm_model.write(folder, counting.tags, counting.words, counting.trigrams.items(), about)


@main.command(name="measure")
@click.argument("tagged", type=click.Path(exists=True, path_type=Path))
@click.argument("gold", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--folder", default=FOLDER, type=click.Path(exists=True, path_type=Path))
def measure_all(tagged: Path, gold: tuple[Path, ...], folder: Path) -> None:
    """Compare the model with the teacher on what is held, and with gold tags."""
    counts = hmm_model.read(folder)
    tagger, baseline = HmmTagger(counts), Baseline(_words(counts))
    held = defaultdict[str, list[Pairs]](list)
    for kind, document, part, forms in _rows(tagged):
        # phrases of SST-2's own `dev.tsv` are of sentences whose other phrases were counted
        if part == "held" and not document.startswith("dev:"):
            held[kind].append(forms[0])
    _say(measure(tagger, baseline, held))
    _say(
        f"words per CPU-second: {speed(tagger, [t for group in held.values() for t in group]):,.0f}"
    )
    if gold:
        _say(measure(tagger, baseline, {path.stem: list(conllu(path)) for path in gold}))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _teacher(tagged: Path) -> Any:
    with tagged.open(encoding="utf-8") as file:
        return json.loads(file.readline())


def _rows(tagged: Path) -> Iterator[tuple[str, str, str, list[Pairs]]]:
    with tagged.open(encoding="utf-8") as file:
        file.readline()
        for line in file:
            kind, document, part, forms = json.loads(line)
            yield kind, document, part, [[(word, tag) for word, tag in form] for form in forms]


def _words(counts: hmm_model.Counts) -> dict[str, dict[str, int]]:
    starts, tags = counts.starts.tolist(), counts.word_tags.tolist()
    numbers = counts.word_counts.tolist()
    return {
        word: {counts.tags[tags[at]]: numbers[at] for at in range(starts[place], starts[place + 1])}
        for place, word in enumerate(counts.words.to_pylist())
    }


if __name__ == "__main__":
    main()
