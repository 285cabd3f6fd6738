"""Logits where people look: on a terminal, in the data card, in Croissant, in a comparison."""

from __future__ import annotations

import io
import json
import math

import pytest
from teacher_sets import CLASSIFIER, MASKED, add_logits, make_logits, make_top

import transferset
from transferset import Sample, schema
from transferset.api.showing import report
from transferset.report.card import card
from transferset.report.croissant import croissant
from transferset.report.inspect import head, row_facts, summary
from transferset.report.logits import logits_text, top_text
from transferset.report.row_order import row_by_row
from transferset.report.stats import stats
from transferset.report.terminal import show


def on_terminal(found, rows=5) -> str:
    out = io.StringIO()
    show(summary(found), head(found, rows, None), out)
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize(("logits", "teacher", "text"), [
    ([-1.2345, 3], CLASSIFIER, "negative −1.23, positive 3"),
    ([0.5], {**CLASSIFIER, "classes": None}, "0.5"),
    ([1, 2, 3], CLASSIFIER, "1, 2, 3"),
    ([1, 2], None, "1, 2"),
    ([0, 9, -1, 9, 3], {"classes": list("abcde")}, "b 9, d 9, e 3, a 0 … (5 in all)"),
    ([0, 9, -1, 9, 3, 1], None, "1 9, 3 9, 4 3, 5 1 … (6 in all)"),
    ([math.nan, 2, 1, 4, 3], {"classes": list("abcde")}, "d 4, e 3, b 2, c 1 … (5 in all)"),
])  # fmt: skip
def test_logits_in_few_words(logits, teacher, text):
    assert logits_text(logits, teacher) == text


def test_top_ids_in_few_words():
    assert top_text({"tail": [0.0] * 5, "top_ids": [1] * 320}) == "64 ids at each of 5 labels"
    assert top_text({"tail": [], "top_ids": []}) == ""


def test_inspect_shows_logits_with_their_classes(tmp_path):
    text = on_terminal(make_logits(tmp_path / "set"))
    assert "fixed_size_list<halffloat>[2]" in text
    assert "Classes: negative, positive." in text
    found = make_logits(tmp_path / "other", text=[""] * 40)
    assert json.loads(json.dumps(head(found, 2, None)))[1]["logits"] == [0.125, -0.875]


def test_inspect_shows_how_much_was_said_of_masked_rows(tmp_path):
    found = make_top(tmp_path / "set")
    text = on_terminal(found)
    assert "ids at each label" in text
    rows = json.loads(json.dumps(head(found, 5, None)))
    assert len(rows[4]["top_ids"]) == 3 * len(rows[4]["tail"]) > 0


def test_names_of_a_stranger_do_not_steer_a_terminal(tmp_path):
    evil = "\x1b[2J[red]x[/red]"
    teacher = {**CLASSIFIER, "classes": [evil, "b"], "models": [{"name": evil, "weights": ""}]}
    out = io.StringIO()
    found = make_logits(tmp_path / "set", teacher=teacher)
    show(summary(found), head(found, 2, None), out)
    assert "\x1b[2J" not in out.getvalue()
    assert "[red]" in out.getvalue()
    shown = card(found.manifest, None, row_facts(found))
    assert "\x1b" not in shown


@pytest.mark.parametrize("make", [make_logits, make_top])
def test_the_card_lists_columns_and_teacher(tmp_path, make):
    found = make(tmp_path / "set")
    text = card(found.manifest, None, row_facts(found)).replace("\u00a0", " ")
    for name in set(schema.TEACHER) & set(found.schema.names):
        assert f"| `{name}` |" in text
    assert "## Teacher" in text
    assert "a teacher's" in text.split("##")[0].replace("’", "'")
    fields = croissant(found.manifest, found.schema, None)["recordSet"][0]["field"]
    kinds = {field["name"]: (field["dataType"], field.get("repeated")) for field in fields}
    name = "logits" if make is make_logits else "tail"
    assert kinds[name] == ("sc:Float", True)


@pytest.mark.parametrize("make", [make_logits, make_top])
def test_statistics_tell_the_teacher(tmp_path, make):
    found = make(tmp_path / "set")
    assert stats(found, None, None)["teacher"] == found.manifest.teacher


def test_a_report_and_the_card_of_what_is_derived_tell_it_too(tokenizer, tmp_path):
    (tmp_path / "task.tsv").write_text("sentence\tlabel\n" + "a film\t1\nno film\t0\n" * 20)
    task = transferset.build_task(
        tmp_path / "task.tsv",
        tmp_path / "task",
        text="sentence",
        tagger="lexicon",
        label="label",
        tokenizer=str(tokenizer),
        workers=1,
    )
    found = add_logits(task, tmp_path / "set")
    derived = transferset.derive(found.root, tmp_path / "part", steps=[Sample("50%")], workers=1)
    report([found.root, derived.root], tmp_path / "report.html")
    assert "Teacher of set" in (tmp_path / "report.html").read_text()
    assert "## Teacher" in (derived.root / "README.md").read_text()


def test_only_logits_of_one_teacher_are_compared(tmp_path):
    a, b = make_logits(tmp_path / "a"), make_logits(tmp_path / "b")
    assert "logits" in row_by_row(a, b).equal_columns
    other = {**CLASSIFIER, "models": [{"name": "x", "weights": "cd"}]}
    c = make_logits(tmp_path / "c", teacher=other)
    assert "logits" not in row_by_row(a, c).equal_columns
    d = make_logits(tmp_path / "d", logits=schema.logits_type(2))
    assert "logits" not in row_by_row(a, d).equal_columns
    transferset.diff(a.root, d.root)
    top = make_top(tmp_path / "t"), make_top(tmp_path / "u")
    assert {"top_ids", "top_logits", "tail"} <= set(row_by_row(*top).equal_columns)
    assert top[0].manifest.teacher == MASKED
