"""Labels: classes or scores, names and their codes, what is out of range."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_tasks import read, rows, write

from transferset.errors import InputError, UsageError
from transferset.sources.tasks import LabelKind, Tally, TaskOptions, kind_of, label_names, labels
from transferset.sources.tasks.files import open_tasks

FIRST_TWO = {"text": "1", "label": "2"}


def kind(tmp_path: Path, *written: str, **options: str) -> LabelKind:
    path = write(tmp_path / "a.tsv", "".join(f"a\t{label}\n" for label in written))
    return read(path, **FIRST_TWO, **options).kind


def test_names_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    found = kind(tmp_path, "b", "ä", "B", "b", "z")
    assert (found.names, found.counts) == (("B", "b", "z", "ä"), (1, 2, 1, 1))
    assert [found.code(name) for name in ("B", "b", "z", "ä", None)] == [0, 1, 2, 3, None]


def test_whole_numbers_are_classes_in_their_order(tmp_path: Path) -> None:
    assert kind(tmp_path, "10", "9", "-1", "x").names == ("-1", "9", "10", "x")


@pytest.mark.parametrize("score", ["0.5", "5.", ".5", "1e3", "-2E-3", "+1.0"])
def test_a_point_or_an_exponent_makes_scores(tmp_path: Path, score: str) -> None:
    found = kind(tmp_path, "1", score, "-2")
    assert (found.kind, found.names) == ("regression", ())
    assert found.code(score) == float(score)


@pytest.mark.parametrize("label", ["x", "1_0", "١", "0x1", "1,5", "--1", "e5", "1e"])
def test_one_label_that_is_no_number_makes_classes(tmp_path: Path, label: str) -> None:
    assert kind(tmp_path, "0.5", label).kind == "class"


def test_the_user_says_what_labels_are(tmp_path: Path) -> None:
    assert kind(tmp_path, "1", "2", label_type="regression").kind == "regression"
    assert kind(tmp_path, "0.5", "1.5", label_type="class").names == ("0.5", "1.5")


@pytest.mark.parametrize("label", ["nan", "-inf", "Infinity", "1e999", "1e39", "x", "1_0"])
def test_scores_are_finite_numbers(tmp_path: Path, label: str) -> None:
    with pytest.raises(InputError, match=rf"a finite number as the label, found {label} at .* 2"):
        kind(tmp_path, "1.5", label, label_type="regression")


def test_a_score_that_is_no_number_among_labels_that_nobody_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a finite number as the label, found NaN at .*, line 2"):
        kind(tmp_path, "1.5", "NaN", "0.5")
    assert kind(tmp_path, "nan", "yes").names == ("nan", "yes")


def test_no_label_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "a\nb\n")
    found = read(path, text="1").kind
    assert (found.kind, found.without, found.code(None)) == ("none", 2, None)


def test_two_files_have_their_classes_together(tmp_path: Path) -> None:
    one = write(tmp_path / "a.tsv", "a\ty\nb\tx\n")
    two = write(tmp_path / "b.tsv", "a\tw\nb\tx\n")
    options = TaskOptions(**FIRST_TWO)
    found = label_names(open_tasks([str(one), str(two)], options), options)
    assert found == LabelKind("class", ("w", "x", "y"), (1, 2, 1))


def test_a_label_that_was_not_there_has_no_code() -> None:
    with pytest.raises(InputError, match="a label that was there before, found z"):
        LabelKind("class", ("a",), (1,)).code("z")
    with pytest.raises(InputError, match="a finite number, found nan"):
        LabelKind("regression").code("nan")


def test_classes_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tally, "MOST", 3)
    assert len(kind(tmp_path, "a", "b", "c").names) == 3
    with pytest.raises(UsageError, match=r"at most 3 classes, found more than 3; check --label"):
        kind(tmp_path, "a", "b", "c", "d")
    path = write(tmp_path / "a.tsv", "".join(f"a\t0.{i}\n" for i in range(50)))
    found = read(path, **FIRST_TWO)
    assert found.kind.kind == "regression"
    assert [e.label for e in found.examples] == [f"0.{i}" for i in range(50)]
    found = read(path, label_type="regression", **FIRST_TWO)
    assert [e.label for e in found.examples] == [i / 10 ** len(str(i)) for i in range(50)]


def test_white_space_around_a_label_is_not_of_it(tmp_path: Path) -> None:
    assert kind(tmp_path, " x", "x ", "x").names == ("x",)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_float_is_read_as_it_was_written(value: float) -> None:
    assert labels.number(repr(value)) == value


@settings(deadline=None)
@given(st.lists(st.text("ab1.", min_size=1, max_size=3), min_size=1))
def test_the_order_of_files_does_not_matter(written: list[str]) -> None:
    def tally(labels: list[str]) -> Tally:
        made = Tally()
        for row, label in enumerate(labels, 1):
            made.add(label, row)
        return made

    whole = kind_of([("a", tally(written))])
    parts = [("a", tally(written[1:])), ("b", tally(written[:1]))]
    assert kind_of(parts) == kind_of(parts[::-1]) == whole


def test_scores_of_a_layout_have_a_range(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "sentence1\tsentence2\tscore\na\tb\t5.0\na\tb\t5.001\n")
    with pytest.raises(InputError, match=r"a score from 0 to 5, found 5.001 at .*line 3; correct"):
        read(path, layout="stsb")
    path = write(tmp_path / "a.tsv", "sentence1\tsentence2\tscore\na\tb\t0\na\tb\t-1\n")
    assert rows(path, layout="stsb") == [("a", "b", 0.0), ("a", "b", None)]
