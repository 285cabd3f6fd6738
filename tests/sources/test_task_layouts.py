"""Known layouts: rows as the real files have them, made up by us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from making_tasks import opened, read, rows, write

from transferset.errors import InputError, UsageError
from transferset.sources.tasks import LAYOUTS, TaskOptions, open_tasks

MNLI_HEAD = (
    "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
    "sentence1_parse\tsentence2_parse\tsentence1\tsentence2"
)
MNLI_ROW = '0\t7\t7e\tfiction\t( a )\t( b )\t(S a)\t(S b)\tIt "rained.\tIt was wet.'
STSB_HEAD = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"
MRPC_HEAD = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String"
QQP_HEAD = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"

#: Layout, lines, and the row that should come of the last one.
KNOWN: dict[str, tuple[str, list[str], tuple[Any, ...]]] = {
    "sst2": ("glue-sst2", ["sentence\tlabel", "a fine day \t1"], ("a fine day ", "positive")),
    "sst2 test": ("sst2", ["index\tsentence", "0\ta fine day"], ("a fine day", None)),
    "sst2 bare": ("sst2", ["a fine day\t0"], ("a fine day", "negative")),
    "cola": (
        "glue-cola",
        ["gj04\t0\t*\tThe dog barked it."],
        ("The dog barked it.", "unacceptable"),
    ),
    "cola test": ("cola", ["index\tsentence", "0\tIt ran."], ("It ran.", None)),
    "mrpc": ("mrpc", [MRPC_HEAD, '1\t7\t8\t"A\tB'], ('"A', "B", "equivalent")),
    "mrpc test": (
        "mrpc",
        ["index\t#1 ID\t#2 ID\t#1 String\t#2 String", "0\t7\t8\tA\tB"],
        ("A", "B", None),
    ),
    "stsb glue": (
        "glue-stsb",
        [STSB_HEAD, "0\tg\tf\ty\t1\tnone\tnone\tA\tB\t3.80"],
        ("A", "B", 3.8),
    ),
    "stsb test": (
        "stsb",
        [STSB_HEAD.removesuffix("\tscore"), "0\tg\tf\ty\t1\ts\ts\tA\tB"],
        ("A", "B", None),
    ),
    "stsb 7": ("stsb", ["g\tf\ty\t0001\t5.000\tA\tB"], ("A", "B", 5.0)),
    "stsb 9": (
        "stsb",
        ["g\tf\ty\t1\t0.5\tA\tB", 'g\tf\ty\t1\t2\tA "x\tB\thttp://a\thttp://b'],
        ('A "x', "B", 2.0),
    ),
    "qqp": ("qqp", [QQP_HEAD, '1\t2\t3\tWhy "so?\tHow?\t0'], ('Why "so?', "How?", "not_duplicate")),
    "qqp test": ("qqp", ["id\tquestion1\tquestion2", "1\tWhy?\tHow?"], ("Why?", "How?", None)),
    "mnli train": (
        "mnli",
        [f"{MNLI_HEAD}\tlabel1\tgold_label", f"{MNLI_ROW}\tneutral\tneutral"],
        ('It "rained.', "It was wet.", "neutral"),
    ),
    "mnli dev": (
        "glue-mnli",
        [
            MNLI_HEAD + "".join(f"\tlabel{i}" for i in range(1, 6)) + "\tgold_label",
            MNLI_ROW + "\tneutral" * 5 + "\tentailment",
        ],
        ('It "rained.', "It was wet.", "entailment"),
    ),
    "mnli test": ("mnli", [MNLI_HEAD, MNLI_ROW], ('It "rained.', "It was wet.", None)),
    "qnli": (
        "qnli",
        ["index\tquestion\tsentence\tlabel", "0\tQ\tS\tnot_entailment"],
        ("Q", "S", "not_entailment"),
    ),
    "rte": (
        "rte",
        ["index\tsentence1\tsentence2\tlabel", "0\tA\tB\tentailment"],
        ("A", "B", "entailment"),
    ),
    "wnli": (
        "wnli",
        ["index\tsentence1\tsentence2\tlabel", "0\tA\tB\t1"],
        ("A", "B", "entailment"),
    ),
    "wnli test": ("wnli", ["index\tsentence1\tsentence2", "0\tA\tB"], ("A", "B", None)),
    "trec": ("trec", ["3 Who wrote caf\xe9 ?"], ("Who wrote caf\xe9 ?", "HUM")),
    "trec original": ("trec", ["DESC:manner How did it go ?"], ("How did it go ?", "DESC")),
    "label-text": ("label-text", ["pos\tA  fine day"], ("A  fine day", "pos")),
}


@pytest.mark.parametrize("name", KNOWN)
def test_rows_of_known_layouts(tmp_path: Path, name: str) -> None:
    layout, written, wanted = KNOWN[name]
    encoding = "latin-1" if layout == "trec" else "utf-8"
    path = write(tmp_path / "x.tsv", ("\n".join(written) + "\n").encode(encoding))
    assert rows(path, layout=layout)[-1] == wanted


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if LAYOUTS[name].classes])
def test_codes_and_names_mean_the_same(tmp_path: Path, layout: str) -> None:
    known = LAYOUTS[layout]
    columns = [column for column in known.names[-1] if column]
    texts = "a\t" * (len(columns) - 1)
    labels = [*known.classes, *map(str, range(len(known.classes))), "-1"]
    if known.format == "label-text":
        path = write(tmp_path / "a.all", "".join(f"{label} a\n" for label in labels))
    else:
        lines = ["\t".join(columns), *(texts + label for label in labels)]
        path = write(tmp_path / "a.tsv", "\n".join(lines))
    found = read(path, layout=layout)
    assert [e.label for e in found.examples] == [*known.classes * 2, None]
    assert (found.kind.names, set(found.kind.counts)) == (known.classes, {2})
    for label in (str(len(known.classes)), "-2", "x", "1.0"):
        write(path, path.read_text().removesuffix("\n") + "\n")
        row = f"{label} a" if known.format == "label-text" else texts + label
        damaged = write(tmp_path / f"b{path.suffix}", path.read_text() + row)
        with pytest.raises(
            InputError, match=rf"a label out of {known.classes[0]} \(0\), .* found "
        ):
            read(damaged, layout=layout)


def test_every_layout_of_glue_has_two_names() -> None:
    for name in ("sst2", "cola", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"):
        assert (
            TaskOptions(layout=name).known_layout == TaskOptions(layout=f"glue-{name}").known_layout
        )


@pytest.mark.parametrize(
    ("layout", "written", "message"),
    [
        (
            "mrpc",
            "sentence\tlabel\na\t1\n",
            r"columns #1 String, #2 String, Quality or sentence1, sentence2, label of the layout "
            r"mrpc, or 5 fields, found 2 fields: sentence, label at .*line 1; choose another",
        ),
        ("stsb", "g\tf\ty\t1\t5.0\tA\tB\tC\n", r"or 7 or 9 or 10 fields, found 8 fields"),
        # the right number of fields, but what should be a label is none
        ("sst2", "phrase\tclass\na\t1\n", r"found 2 fields: phrase, class"),
    ],
)
def test_a_layout_that_does_not_fit(
    tmp_path: Path, layout: str, written: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        opened(write(tmp_path / "a.tsv", written), layout=layout)


def test_a_file_without_the_label_of_its_layout(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "sentence\tlable\na\t1\n")
    with pytest.raises(UsageError, match=r"the column label, found none at "):
        read(path, layout="sst2")


def test_rows_of_other_lengths_in_a_layout(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "g\tf\ty\t1\t5.0\tA\tB\n" * 2 + "g\tf\ty\t1\t5.0\tA\tB\tC\n")
    with pytest.raises(InputError, match=r"expected 7 or 9 fields, found 8 at .*line 3"):
        read(path, layout="stsb")


def test_a_label_alone_is_an_empty_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "0 a\n1\n1 \n0 b\n0 c\n0 d\n")
    with pytest.raises(InputError, match=r"a text, found an empty one at .*line 2"):
        read(path, layout="label-text")
    assert read(path, layout="label-text", skip_damaged=True).ledger == {"empty_row": 2}


def test_a_layout_says_what_files_are_whose_names_do_not(tmp_path: Path) -> None:
    made = {"a.all": "trec", "b": "trec", "c.label": "trec", "d.csv": "sst2", "e.txt": "sst2"}
    for name, layout in made.items():
        written = "0 a\n" if layout == "trec" else "a\t0\n"
        path = write(tmp_path / name, written)
        assert opened(path, layout=layout).kind == ("label-text" if layout == "trec" else "tsv")
        assert len(rows(path, layout=layout)) == 1
    path = write(tmp_path / "f.csv", 'sentence,label\n"a, b",1\n')
    assert rows(path, layout="sst2", format="csv") == [("a, b", "positive")]


def test_a_folder_of_a_layout_leaves_other_files_out(tmp_path: Path) -> None:
    for name in ("b.tsv", "a.tsv"):
        write(tmp_path / name, f"sentence\tlabel\n{name}\t1\n")
    write(tmp_path / "README.md", "# GLUE\n")
    files = open_tasks([str(tmp_path)], TaskOptions(layout="sst2"))
    assert [file.name for file in files] == ["a.tsv", "b.tsv"]


def test_names_that_say_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "0 a\n")
    with pytest.raises(UsageError, match=r"a file \(.tsv, .csv, .jsonl, .* say --format what it"):
        opened(path, text="1")
    with pytest.raises(UsageError, match=r"no such file at .*none.tsv; check the spelling"):
        opened(tmp_path / "none.tsv", text="1")
