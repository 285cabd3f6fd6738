"""`transferset derive` with `Augment` against what people use, and against the machine's limits.

    python benchmarks/augment.py --work DIR [--file TRAIN.tsv] [--peers-python PATH] [--json FILE]

Prints Markdown tables; benchmarks/README.md says what the figures mean. Runs of different tools are
interleaved (A B C A B C …) and medians are reported, so that a noisy machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import augment_tables
from augment_jobs import Case, Inputs, Jobs, make_cases, measure_all, measure_large, measure_tagging
from augment_sets import build, export, first_rows, make_sentences, write_tokenizer
from bench import machine, versions, words
from derive import number, save

PACKAGES = {"reference: tagging": "spacy", "nlpaug": "nlpaug", "fast-aug": "fast-aug"}
FEW = 10  # sentences that show what starting up takes


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for what is made on the way")
    add("--file", type=Path, help="sentences and labels as SST-2 has them [they are made]")
    add("--sentences", type=number, default="60k", help="how many to make (60k)")
    add("--slow-sentences", type=number, default="2k", help="how many for slow peers (2k)")
    add("--iterations", type=int, default=10, help="attempts on each sentence (10)")
    add(
        "--taggers",
        type=words,
        default=["lexicon"],
        help="for build task; the first one's tags are used",
    )
    add("--spacy", default="en_core_web_sm", help="the reference's pipeline (en_core_web_sm)")
    add("--tokenizer", help="of all tools, as build task takes it [the English BERT vocabulary]")
    add("--peers-python", type=Path, help="interpreter with benchmarks/requirements.txt")
    add(
        "--tools",
        type=words,
        default=["reference", "nlpaug", "fast-aug"],
        help="peers, or parts of their ways",
    )
    add("--rows", type=number, default=0, help="also make a set of about so many, e.g. 10M")
    add("--runs", type=int, default=3)
    add("--seed", type=int, default=0)
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def prepare(args: argparse.Namespace) -> tuple[Jobs, Path, Path]:
    """Sentences, all and ten, as files, as tagged sets, and as the peers read them."""
    args.work.mkdir(parents=True, exist_ok=True)
    work, tokenizer = args.work, write_tokenizer(args.tokenizer, args.work / "tokenizer.json")
    made = work / f"sentences-{args.sentences}-seed{args.seed}.tsv"
    file = args.file or make_sentences(made, args.sentences, tokenizer, args.seed)
    tiny = first_rows(file, FEW, work / "tiny.tsv")
    for path, root in ((file, work / "set"), (tiny, work / "set-tiny")):
        build(path, root, args.taggers[0], tokenizer)
    inputs = Inputs(
        whole=work / "set",
        tiny=work / "set-tiny",
        lines=export(work / "set", work / "all"),
        some=export(work / "set", work / "some", args.slow_sentences),
        tokenizer=tokenizer,
    )
    return Jobs(inputs, work, args.peers_python, args.iterations, args.spacy), file, tiny


def packages(cases: list[Case]) -> list[str]:
    """What the peers' ways need, whose versions are told."""
    names = [
        name for way, name in PACKAGES.items() if any(case.tool.startswith(way) for case in cases)
    ]
    return ["tokenizers", *names]


def large(args: argparse.Namespace, jobs: Jobs, ours: dict[str, Any]) -> dict[str, Any]:
    """A set of about `--rows` rows, if the made sentences take as many variants as the others."""
    sentences = round(args.rows * jobs.inputs.lines.sentences / ours["checked"])
    made = args.work / f"sentences-{sentences}-seed{args.seed}.tsv"
    file = make_sentences(made, sentences, jobs.inputs.tokenizer, args.seed)
    build(file, args.work / "set-large", "lexicon", jobs.inputs.tokenizer)
    return measure_large(jobs, args.work / "set-large")


def main() -> None:
    args = parse()
    jobs, file, tiny = prepare(args)
    lines = jobs.inputs.lines
    cases = make_cases(args.tools, args.peers_python is not None)
    report: dict[str, Any] = {
        "machine": machine() | {"load at start": os.getloadavg()[0]},
        "versions": versions(args.peers_python, packages(cases)),
        "sentences": {
            "kind": args.file.name if args.file else "made",
            "rows": lines.sentences,
            "mean": lines.mean,
            "tagger": args.taggers[0],
            "iterations": args.iterations,
        },
    }
    report["rows"] = measure_all(jobs, cases, args.runs)
    save(report, args.json)  # what follows takes minutes, and may fail
    report["tagging"] = measure_tagging(jobs, file, tiny, args.taggers, args.runs)
    report["large"] = large(args, jobs, report["rows"][0]) if args.rows else None
    report["machine"]["load at end"] = os.getloadavg()[0]
    save(report, args.json)
    print(augment_tables.render(report))


if __name__ == "__main__":
    main()
