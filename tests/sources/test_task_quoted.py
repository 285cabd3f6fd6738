"""CSV with quotes: the fields that Python's own reader finds, and the lines where rows begin."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_tasks import read, rows, write

from transferset.errors import InputError
from transferset.sources.tasks import Example, quoted
from transferset.sources.tasks.reading import Flaw

FIRST_TWO = {"text": "1", "label": "2"}


def fields(text: str) -> list[tuple[int, list[str] | Flaw]]:
    return list(quoted.rows([(1, text.split("\n"))], ","))


def test_newlines_inside_of_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '"said","kind"\r\n"one\r\n\r\ntwo","x"\r\nthree,y\r\n')
    found = read(path, text="said", label="kind").examples
    assert found == [Example(2, "one\r\n\r\ntwo", None, "x"), Example(5, "three", None, "y")]


def test_a_quote_that_is_never_closed_names_the_line_where_it_opens(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'a,x\nb,"y\nc,x\nd,y\n')
    with pytest.raises(InputError, match=r"a closing quote, found the end of the file at .*line 2"):
        read(path, **FIRST_TWO)
    found = read(path, skip_damaged=True, **FIRST_TWO)
    assert [e.text for e in found.examples] == ["a", "c", "d"]
    assert found.ledger == {"malformed_row": 1}


def test_text_behind_a_closing_quote(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'a,x\n"b"c,y\nd,y\n')
    with pytest.raises(InputError, match=r"after a closing quote, found c,y at .*line 2; write"):
        read(path, **FIRST_TWO)
    assert [row[0] for row in rows(path, skip_damaged=True, **FIRST_TWO)] == ["a", "d"]


def test_after_a_malformed_row_reading_goes_on_at_its_second_line(tmp_path: Path) -> None:
    # line 2 opens a quote; that of line 4 closes it, with text behind it
    path = write(tmp_path / "a.csv", 'a,x\n"b,x\nc,y\n"d",y\ne,y\n')
    found = read(path, skip_damaged=True, **FIRST_TWO)
    assert [e.row for e in found.examples] == [1, 3, 4, 5]


def test_an_open_quote_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quoted, "MOST_BYTES", 20)
    path = write(tmp_path / "a.csv", '"a\n' + "b,y\n" * 9)
    with pytest.raises(InputError, match=r"closing quote, found none within 20 .*line 1"):
        read(path, header=False, skip_damaged=True, **FIRST_TWO)
    path = write(tmp_path / "b.csv", 'a,x\n"a\n' + "b,y\n" * 9)
    assert len(rows(path, skip_damaged=True, **FIRST_TWO)) == 10


def test_bytes_that_are_no_text_inside_of_a_quoted_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b'a,x\n"b\n\xff\nc",y\nd,y\ne,y\nf,y\ng,y\n')
    with pytest.raises(InputError, match=r"found the byte 0xff at .*line 2, byte 7; say"):
        read(path, **FIRST_TWO)
    found = read(path, skip_damaged=True, **FIRST_TWO)
    assert [e.row for e in found.examples] == [1, 5, 6, 7, 8]
    assert found.ledger == {"malformed_row": 1}
    path = write(tmp_path / "b.csv", b'a,x\n"\xff\nc",y\nd,y\n')
    assert [e.row for e in read(path, skip_damaged=True, **FIRST_TWO).examples] == [1, 4]


def test_many_lines_in_one_field_cost_by_their_number() -> None:
    count = 200_000
    ((number, row),) = fields('"' + "\n" * count + '",x')
    assert (number, row) == (1, ["\n" * count, "x"])


cell = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=12)
special = st.text(st.sampled_from('",\nab '), max_size=8)


@settings(deadline=None)
@given(st.lists(st.lists(cell | special, min_size=2, max_size=4), min_size=1, max_size=8))
def test_rows_that_python_wrote(table: Sequence[Sequence[str]]) -> None:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(table)
    found = fields(sink.getvalue().removesuffix("\n"))
    assert [row for _, row in found] == [list(row) for row in table]
    starts, line = [], 1
    for row in table:
        starts.append(line)
        line += 1 + sum(value.count("\n") for value in row)
    assert [number for number, _ in found] == starts


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from('",ab'), min_size=1, max_size=10), min_size=1, max_size=6))
def test_what_python_reads_strictly_is_read_alike(written: list[str]) -> None:
    text = "\n".join(written)
    try:
        wanted = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        wanted = None
    found = [row for _, row in fields(text)]
    flaws = [row for row in found if isinstance(row, Flaw)]
    assert bool(flaws) == (wanted is None)
    if wanted is not None:
        assert found == wanted
