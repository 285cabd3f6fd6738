"""How the model of the lexicon tagger is made: which texts are counted, and as which words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def tools() -> Iterator[Any]:
    sys.path.insert(0, str(TOOLS))
    try:
        import lexicon_counts
        import lexicon_teacher
        import lexicon_texts

        yield type(
            "Tools", (), {m.__name__: m for m in (lexicon_counts, lexicon_teacher, lexicon_texts)}
        )
    finally:
        sys.path.remove(str(TOOLS))


def _file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_no_text_of_an_evaluation_file_is_counted(tmp_path: Path, tools: Any) -> None:
    sst2 = tmp_path / "tasks" / "sst2"
    _file(sst2 / "train.tsv", "sentence\tlabel\na fine film \t1\nIt 's bad !\t0\nit is long \t0\n")
    _file(sst2 / "test.tsv", "sentence\tlabel\nit 's bad .\t0\n")
    _file(tmp_path / "tasks" / "subj" / "subj.all", "0 a fine film\n1 another\n")
    found = [text for text in tools.lexicon_texts.texts(tmp_path) if text.kind in ("sst2", "subj")]
    parts = {part: [text.text for text in found if text.part == part] for part in ("held", "train")}
    assert parts == {"held": ["it 's bad .", "a fine film", "another"], "train": ["it is long"]}


def test_the_held_book_and_pages_are_whole_documents(tmp_path: Path, tools: Any) -> None:
    line = "It was a long walk to the village, and nobody said a word on the way.\n"
    for name in ("Emma", "Persuasion"):
        _file(tmp_path / "books" / f"{name}.txt", f"{line}\n{name} {line}")
    found = [text for text in tools.lexicon_texts.texts(tmp_path) if text.kind == "book"]
    assert {text.document for text in found if text.part == "held"} == {"Persuasion"}
    # the paragraph that both have is not counted
    assert [text.text[:8] for text in found if text.part == "train"] == ["Emma It "]


@pytest.mark.parametrize(
    ("parts", "after", "tag"),
    [
        (["RB", "VBN"], "NN", "JJ"),  # well-known
        (["JJ", "NN"], "NN", "JJ"),  # long-term interest
        (["JJ", "NN"], "IN", "NN"),  # in the long-term
        (["NN", "IN"], "", "NN"),  # break-in
        (["AFX", "VBD"], "DT", "VBD"),  # co-founded
        (["NNP", "NNP"], "VBD", "NNP"),  # Jean-Paul
        (["CD", "NNS"], "IN", "NNS"),  # two-thirds
    ],
)
def test_a_compound_has_one_tag(tools: Any, parts: list[str], after: str, tag: str) -> None:
    assert tools.lexicon_teacher.compound([("w", part) for part in parts], after) == tag


def test_what_the_teacher_cut_is_put_together(tools: Any) -> None:
    pairs = [
        ("I", "PRP"), ("can", "MD"), ("not", "RB"), ("see", "VB"), ("a", "DT"),
        ("well", "RB"), ("-", "HYPH"), ("known", "VBN"), ("town", "NN"), ("-", ":"), ("hall", "NN"),
    ]  # fmt: skip
    tight = [False, True, False, False, False, True, True, False, False, False, False]
    found = list(tools.lexicon_teacher.joined(pairs, tight))
    assert found == [
        ("I", "PRP"), ("cannot", "MD"), ("see", "VB"), ("a", "DT"), ("well-known", "JJ"),
        ("town", "NN"), ("-", ":"), ("hall", "NN"),
    ]  # fmt: skip


def test_numbers_are_counted_by_shape_and_capitals_in_the_order_only(tools: Any) -> None:
    counting = tools.lexicon_counts.Counting()
    counting.add([("In", "IN"), ("1984", "CD")])
    counting.add([("in", "IN"), ("2001", "CD")])
    assert counting.words == {"In": {"IN": 1}, "0000": {"CD": 2}, "in": {"IN": 1}}
    assert counting.trigrams == {
        ("<>", "<>", "IN^"): 1,
        ("<>", "<>", "IN"): 1,
        ("<>", "IN^", "CD"): 1,
        ("<>", "IN", "CD"): 1,
        ("IN^", "CD", "<>"): 1,
        ("IN", "CD", "<>"): 1,
    }
