"""TSV and CSV: which columns, which rows, which lines, and what is said of those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_tasks import opened, read, rows, write

from transferset.errors import InputError, UsageError
from transferset.ledger import Ledger
from transferset.sources.tasks import Example, TaskOptions, lines, open_tasks

NAMED = {"text": "said", "label": "kind"}
FIRST_TWO = {"text": "1", "label": "2"}


def test_columns_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "kind\tid\tsaid\nx\t7\tThe ferry left. \ny\t8\tA gull.\n")
    assert read(path, **NAMED).examples == [
        Example(2, "The ferry left. ", None, "x"),
        Example(3, "A gull.", None, "y"),
    ]


def test_columns_by_number_are_of_a_file_without_a_header(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "The ferry left.\tx\nA gull.\ty\n")
    assert rows(path, **FIRST_TWO) == [("The ferry left.", "x"), ("A gull.", "y")]
    assert rows(path, header=True, **FIRST_TWO) == [("A gull.", "y")]


def test_a_header_that_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "said\tkind\nA gull.\ty\n")
    assert rows(path, header=False, **FIRST_TWO) == [("said", "kind"), ("A gull.", "y")]


def test_pairs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "a\tb\tc\n1\t2\tx\n")
    file = opened(path, text="b", text_pair="a", label="c")
    assert file.pair
    assert list(file.read(Ledger())) == [Example(2, "2", "1", "x")]


def test_each_file_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "said\tkind\na\tx\n")
    with pytest.raises(UsageError, match="each file once, found it named twice"):
        open_tasks([str(path), str(tmp_path)], TaskOptions(**NAMED))
    with pytest.raises(UsageError, match="a file, folder or hub name, found nothing"):
        open_tasks([], TaskOptions(**NAMED))


def test_quotes_of_tsv_are_text_and_those_of_csv_are_not(tmp_path: Path) -> None:
    assert rows(write(tmp_path / "a.tsv", 'said\tkind\n"Go\tx\n'), **NAMED) == [('"Go', "x")]
    path = write(tmp_path / "a.csv", 'said,kind\n"Go, ""now""",x\nA "b" c,y\n')
    assert rows(path, **NAMED) == [('Go, "now"', "x"), ('A "b" c', "y")]
    assert rows(write(tmp_path / "b.tsv", '"said"\tkind\n"G\to"\tx\n'), quoting=True, **NAMED) == [
        ("G\to", "x")
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_line_ends(tmp_path: Path, end: str, last: bool, name: str) -> None:
    mark = "\t" if name == "a.tsv" else ","
    text = end.join([f"said{mark}kind", f"A gull.{mark}x", f"Two.{mark}y"]) + end * last
    found = read(write(tmp_path / name, text), **NAMED).examples
    assert found == [Example(2, "A gull.", None, "x"), Example(3, "Two.", None, "y")]


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\u2029"])
def test_what_looks_like_a_line_end_and_is_none(tmp_path: Path, mark: str) -> None:
    for name, separator in (("a.tsv", "\t"), ("a.csv", ",")):
        path = write(tmp_path / name, f"said{separator}kind\na{mark}b{separator}x\n")
        assert rows(path, **NAMED) == [(f"a{mark}b", "x")]


def test_the_mark_of_utf8_and_empty_lines_at_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", b"\xef\xbb\xbfsaid\tkind\nA gull.\tx\n\n\r\n\n")
    assert rows(path, **NAMED) == [("A gull.", "x")]


def test_an_empty_line_inside_is_a_row_without_a_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "said\tkind\na\tx\n\nb\ty\nc\tz\n")
    with pytest.raises(InputError, match=r"expected a row, found an empty line at .*a.tsv, line 3"):
        read(path, **NAMED)
    found = read(path, skip_damaged=True, **NAMED)
    assert (len(found.examples), found.ledger) == (3, {"empty_row": 1})


def test_many_empty_lines_do_not_shift_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", b"a\tx\n" * 9001 + b"\n" * 9000 + b"b\ty\n" + b"\n" * 9)
    found = read(path, skip_damaged=True, **FIRST_TWO)
    assert found.examples[-1] == Example(18002, "b", None, "y")
    assert found.ledger == {"empty_row": 9000}


BAD = {
    "fields": (b"a\tb\tc", r"expected 2 fields, found 3 at .*a.tsv, line 3; correct it, or "),
    "few": (b"a", r"expected 2 fields, found 1 at "),
    "bytes": (
        b"caf\xe9\tx",
        r"expected text in utf-8, found the byte 0xe9 at .*line 3, byte 18; say --encoding latin-1",
    ),
    "label": (b"a\t ", r"expected a label, found no label at .*line 3"),
    "nul": (b"a\0\tx", r"expected text, found a NUL byte at .*line 3, byte 16; check --enc"),
    "text": (b" \xc2\xa0\tx", r"expected a text, found an empty one at .*line 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_row_ends_the_reading(tmp_path: Path, name: str) -> None:
    raw, message = BAD[name]
    path = write(tmp_path / "a.tsv", b"said\tkind\nab\tx\n" + raw + b"\nb\ty\nc\ty\n")
    with pytest.raises(InputError, match=message) as error:
        read(path, **NAMED)
    assert str(error.value).endswith("or --skip-damaged leaves such rows out and counts them")
    found = read(path, skip_damaged=True, **NAMED)
    assert [e.row for e in found.examples] == [2, 4, 5]
    assert found.ledger == {"empty_row" if name == "text" else "malformed_row": 1}
    (note,) = found.notes
    assert note.startswith("a.tsv, line 3")


def test_the_place_of_a_byte_is_exact(tmp_path: Path) -> None:
    raw = b"said\tkind\r\n" + "é\tx\r\n".encode() * 50 + b"a\tx\r\n\xff\tx\r\n"
    path = write(tmp_path / "a.tsv", raw)
    with pytest.raises(InputError, match=rf"line 53, byte {raw.index(0xFF)};"):
        read(path, **NAMED)


def test_other_encodings(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "said\tkind\ncafé – x\ty\n".encode("cp1252"))
    assert rows(path, encoding="cp1252", **NAMED) == [("café – x", "y")]
    assert rows(path, encoding="latin-1", **NAMED) == [("café \x96 x", "y")]
    path = write(tmp_path / "b.tsv", b"said\tkind\na\x81\ty\n")
    with pytest.raises(InputError, match=r"text in cp1252, found the byte 0x81 .*correct --enc"):
        read(path, encoding="cp1252", **NAMED)


@pytest.mark.parametrize(
    "name", ["utf-16", "utf-7", "unicode_escape", "raw_unicode_escape", "rot13", "hex", "no\0pe"]
)
def test_encodings_in_which_lines_cannot_be_told(name: str) -> None:
    with pytest.raises(UsageError, match="an --encoding that Python knows and that holds ASCII"):
        TaskOptions(encoding=name)


@pytest.mark.parametrize(
    ("start", "found"),
    [(b"\xff\xfea\0", "UTF-16"), (b"\x1f\x8b\x08", "gzip data"), (b"PAR1", "a Parquet file")],
)
def test_files_of_something_else(tmp_path: Path, start: bytes, found: str) -> None:
    path = write(tmp_path / "a.tsv", start + b"said\tkind\n")
    with pytest.raises(InputError, match=rf"lines of text, found {found} at .*byte 0"):
        read(path, **NAMED)


def test_a_line_has_a_bound(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", b"a\tx\n" + b"b" * 10_000_000 + b"\tx\nc\tx\nd\ty")
    with pytest.raises(InputError, match=r"at most 1,048,576 bytes, found one of 10,000,002 bytes"):
        read(path, **FIRST_TWO)
    found = read(path, skip_damaged=True, **FIRST_TWO).examples
    assert [e[:2] for e in found] == [(1, "a"), (3, "c"), (4, "d")]
    longest = b"b" * (lines.MOST_BYTES - 2) + b"\tx"
    path = write(tmp_path / "b.tsv", b"a\tx\n" + longest)
    assert len(read(path, **FIRST_TWO).examples) == 2
    path.write_bytes(b"a\tx\nb" + longest + b"\na\tx")
    assert read(path, skip_damaged=True, **FIRST_TWO).ledger == {"malformed_row": 1}


def test_more_than_half_malformed_is_refused_in_any_case(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "a\tx\nb\nc\n")
    with pytest.raises(InputError, match=r"at most half .* malformed, found 2 of 3, the first at "):
        read(path, skip_damaged=True, **FIRST_TWO)
    assert len(read(write(path, "a\tx\nb\n"), skip_damaged=True, **FIRST_TWO).examples) == 1


def test_five_rows_are_named_and_all_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "a\tx\n" * 9 + "b\n" * 9)
    found = read(path, skip_damaged=True, **FIRST_TWO)
    assert found.ledger == {"malformed_row": 9}
    assert found.notes[4:] == ["a.tsv, line 14: expected 2 fields, found 1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"--layout, or --text with the name of a column, found the first row said, kind at "),
        ({"text": "sayd"}, r"a column sayd, found the first row said, kind at .*correct its name"),
        ({"text": "sayd", "header": True}, r"a column sayd, found the columns said, kind at "),
        ({"text": "3"}, r"a column 3, found the first row said, kind"),
        ({"text": "0"}, r"a column 0, found"),
        ({"text": "said", "text_pair": "x"}, r"a column x, found the columns said, kind"),
    ],
)
def test_columns_that_are_not_there(tmp_path: Path, options: dict[str, str], message: str) -> None:
    path = write(tmp_path / "a.tsv", "said\tkind\na\tx\n")
    with pytest.raises(UsageError, match=message):
        opened(path, **options)


def test_a_file_without_labels_is_good_for_evaluation(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "said\na\n")
    assert rows(path, labelled=False, **NAMED) == [("a", None)]
    with pytest.raises(UsageError, match=r"the column kind, found none at .*correct --label"):
        opened(path, **NAMED).read(Ledger())


def test_labels_are_not_judged_where_they_are_not_wanted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "sentence\tlabel\na\t7\nb\t\n")
    header = {"layout": "sst2"}
    assert rows(path, labelled=False, **header) == [("a", None), ("b", None)]
    with pytest.raises(InputError, match=r"negative \(0\), positive \(1\), found 7 at .*line 2"):
        read(path, **header)


def test_a_column_named_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "said\tsaid\tkind\na\tb\tx\n")
    with pytest.raises(UsageError, match=r"one column said, found several .*by its number"):
        opened(path, **NAMED)
    assert rows(path, text="2", label="kind", header=True) == [("b", "x")]


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    for options, message in (
        ({"layout": "sst2", "text": "a"}, "--layout, or names of columns"),
        ({"label": "a"}, "--text and other columns"),
        ({"text": "a", "label": "a"}, "different columns"),
        ({"format": "xls"}, "--format out of tsv, csv"),
        ({"layout": "sst3"}, "--layout out of sst2, cola"),
        ({"layout": "glue-trec"}, "--layout out of"),
        ({"layout": "stsb", "label_type": "class"}, "--label-type regression of the layout stsb"),
        ({"layout": "rasa", "format": "tsv"}, "--format out of rasa-md, rasa-yaml"),
        ({"label_type": "x"}, "--label-type out of auto"),
        ({"entities": "x"}, "--entities out of strip"),
    ):
        with pytest.raises(UsageError, match=message):
            TaskOptions(**options)


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "a\tx\n")
    file = opened(path, **FIRST_TWO)
    path.write_text("a\tx\nb\ty\n")
    with pytest.raises(InputError, match="expected 4 bytes, found 8"):
        file.read(Ledger())


def test_empty_files(tmp_path: Path) -> None:
    for content in ("", "\n\n", "said\tkind\n"):
        assert rows(write(tmp_path / "a.tsv", content), **NAMED) == []


field = st.text(
    st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1
).filter(lambda text: bool(text.strip()))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(field, field), min_size=1, max_size=30), st.integers(1, 40))
def test_rows_do_not_depend_on_blocks(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]], block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "blocks.tsv"
    path.write_bytes("".join(f"{a}\t{b}\n" for a, b in table).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        found = rows(path, labelled=False, header=False, text="1", text_pair="2")
    first = table[0][0].startswith("\ufeff")
    assert found[first:] == [(a, b, None) for a, b in table][first:]


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(1, 9), st.integers(9, 20))
def test_any_bytes_give_the_same_lines_in_any_blocks(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, block: int, most: int
) -> None:
    """The independent reading: the whole file is split at once."""
    raw = b"a\n" + raw.replace(b"\xef\xbb\xbf", b"")  # a line feed comes within the first bytes
    path = tmp_path_factory.getbasetemp() / "bytes.tsv"
    path.write_bytes(raw)
    wanted: list[str | None] = []
    for line in raw.split(b"\n"):
        try:
            bad = len(line) > most or b"\0" in line
            wanted.append(None if bad else line.removesuffix(b"\r").decode())
        except UnicodeDecodeError:
            wanted.append(None)
    while wanted and wanted[-1] == "":
        wanted.pop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        patch.setattr(lines, "MOST_BYTES", most)
        found = list(lines.numbered(lines.read(path, "utf-8")))
    assert [number for number, _ in found] == list(range(1, len(wanted) + 1))
    assert [line if isinstance(line, str) else None for _, line in found] == wanted
