"""Keeping the rows that satisfy an expression."""

import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.ledger import Ledger, Reason
from transferset.steps import Filter
from transferset.transforms.filters import FilterRows

SOURCES = (
    {"code": 0, "file": "enwiki-1.xml.bz2", "wiki": "enwiki", "language": "en"},
    {"code": 1, "file": "enwiki-2.xml.bz2", "wiki": "enwiki", "language": "en"},
    {"code": 2, "file": "simple.xml", "wiki": "simplewiki", "language": "simple"},
    {"code": 5, "file": "books", "language": ""},
    {"code": 7, "file": "odd", "wiki": {"not": "a name"}, "language": "de"},
)
SETTING = make_setting(sources=SOURCES, parts=("natural", "generated"))

# lengths 3, 5, 2, 6, 0, 8; content 1, 3, 0, 2, 0, 5; unknown 0, 1, 0, 2, 0, 1
BATCH = make_rows(
    [
        [CLS, 9, SEP],
        [CLS, UNK, 7, 8, SEP],
        [CLS, SEP],
        [CLS, UNK, UNK, SEP, PAD, MASK],
        [],
        [CLS, 5, 6, SEP, UNK, 8, 9, SEP],
    ],
    doc_id=[10, 10, 11, 2**64 - 1, 12, 13],
    sentence=[0, 1, 0, 0, 3, 2],
    source=[0, 1, 2, 5, 7, 0],
    part=[0, 1, 1, 0, 0, 1],
)


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("length > 3", [1, 3, 5]),
        ("3 <= length < 6", [0, 1]),
        ("length == 2 or length == 8", [2, 5]),
        ("length in (2, 8)", [2, 5]),
        ("length not in (2, 8)", [0, 1, 3, 4]),
        ("not length in (2, 8)", [0, 1, 3, 4]),
        ("not (length > 3 and content > 2)", [0, 2, 3, 4]),
        ("content == 0", [2, 4]),
        ("content >= 2 and length != 5", [3, 5]),
        # shares of content tokens: 0, 1/3, 0, 1, 0, 1/5
        ("unknown == 0", [0, 2, 4]),
        ("0 < unknown <= 0.25", [5]),
        ("unknown > 0.3", [1, 3]),
        ("unknown == 1", [3]),
        # arithmetic
        ("length - content == 2", [0, 1, 2]),
        ("content / length > 0.5", [1, 5]),
        ("length / content > 1e18", [2]),  # 2/0 is infinite, 0/0 is nothing
        ("length / content < 1e18", [0, 1, 3, 5]),
        ("-length * 2 + 1 < -10", [3, 5]),
        ("unknown * content == 1", [1, 5]),
        # identity
        ("doc_id == 10", [0, 1]),
        ("doc_id == 18446744073709551615", [3]),
        ("doc_id > 12", [3, 5]),
        ("doc_id > -1", [0, 1, 2, 3, 4, 5]),
        ("doc_id in (11, -5, 13)", [2, 5]),
        ("doc_id == 10.5", []),
        ("sentence == 0", [0, 2, 3]),
        ("sentence < length", [0, 1, 2, 3, 5]),
        # names
        ("source == 'enwiki'", [0, 1, 5]),
        ("'enwiki' == source", [0, 1, 5]),
        ("source != 'enwiki'", [2, 3, 4]),
        ("source == 'enwiki-2.xml.bz2'", [1]),
        ("source == 5", [3]),
        ("source == 6", []),
        ("source in ('simplewiki', 'books')", [2, 3]),
        ("source in ('simplewiki', 0)", [0, 2, 5]),
        ("source not in ('simplewiki', 0)", [1, 3, 4]),
        ("source in ('simplewiki', 'frwiki')", [2]),
        ("source in (0.5, 70000, 1.0)", [1]),
        ("language == 'en'", [0, 1, 5]),
        ("language in ('de', 'simple')", [2, 4]),
        ("part == 'generated'", [1, 2, 5]),
        ("part == 0", [0, 3, 4]),
        # without a field
        ("1 < 2", [0, 1, 2, 3, 4, 5]),
        ("1 > 2 or 1 / 0 < 5", []),
        ("1 < 2 and length > 5", [3, 5]),
    ],
)
def test_rows_that_satisfy_an_expression(expression, kept):
    found = run_step(Filter(expression), [BATCH], SETTING)
    assert [row for row, _ in found.addresses()] == kept
    assert found.rows() == [BATCH.to_pylist()[i] for i in kept], "rows are as they were"
    assert found.ledger == Ledger({Reason.FILTERED_OUT: 6 - len(kept)})


#: 2**53 + 1 is the first whole number that is no 64-bit float.
IDS = [0, 2**53, 2**53 + 1, 2**53 + 2, 2**63, 2**64 - 1]


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("doc_id == 9007199254740993", [2]),
        ("doc_id + 0 == 9007199254740993", [2]),
        ("doc_id - 9007199254740993 == 0", [2]),
        ("9007199254740993 - doc_id > 0", [0, 1]),
        ("doc_id * 2 == 18014398509481986", [2]),
        ("-doc_id < -9223372036854775808", [5]),
        ("doc_id + 3 > 18446744073709551615", [5]),
        ("doc_id * doc_id == 18446744073709551615 * 18446744073709551615", [5]),
        ("doc_id in (9007199254740993, 18446744073709551615)", [2, 5]),
        ("doc_id + sentence == 9007199254740995", [2]),
        # a point or a division makes floats, and floats cannot tell these apart
        ("doc_id == 9007199254740992.0", [1, 2]),
        ("doc_id / 1 == 9007199254740992", [1, 2]),
    ],
)
def test_whole_numbers_are_compared_exactly(expression, kept):
    batch = make_rows([[CLS, SEP]] * 6, doc_id=IDS, sentence=list(range(6)))
    assert [row for row, _ in run_step(Filter(expression), [batch], SETTING).addresses()] == kept


@settings(max_examples=100, deadline=None)
@given(
    ids=st.lists(st.sampled_from(IDS) | st.integers(0, 2**64 - 1), min_size=1, max_size=5),
    numbers=st.tuples(*[st.sampled_from(IDS) | st.integers(0, 2**64 - 1)] * 2),
    signs=st.tuples(*[st.sampled_from("+-*")] * 2),
    compare=st.sampled_from(["<", "<=", "==", "!=", ">", ">="]),
)
def test_whole_numbers_are_python_s(ids, numbers, signs, compare):
    a, b = numbers
    expression = f"(doc_id {signs[0]} {a}) {signs[1]} doc_id {compare} {b}"
    batch = make_rows([[CLS, SEP]] * len(ids), doc_id=ids)
    found = run_step(Filter(expression), [batch], SETTING)
    code = compile(expression, "an expression made of numbers", "eval")
    wanted = [i for i, one in enumerate(ids) if eval(code, {"doc_id": one})]
    assert [row for row, _ in found.addresses()] == wanted


def test_numbers_without_end_are_no_error():
    batch = make_rows([[CLS, SEP]], doc_id=[7])
    huge = "*".join(["18446744073709551615"] * 60)
    for expression in (f"doc_id * {huge} > 0.5", f"unknown < {huge}", f"0 - doc_id * {huge} < 1"):
        assert len(run_step(Filter(expression), [batch], SETTING).addresses()) == 1


def test_python_s_own_words_are_not_shown():
    with pytest.raises(UsageError, match="found one that is nested too deeply") as caught:
        run_step(Filter("f'{" + "-" * 3000 + "1}' == length"), [BATCH], SETTING)
    assert "recursion" not in str(caught.value)


def test_wide_ids():
    batch = make_rows([[CLS, 70_000, UNK, SEP], [CLS, 70_000, SEP]], ids=pa.int32())
    found = run_step(Filter("unknown == 0.5 and content == 2"), [batch], make_setting(80_000))
    assert found.addresses() == [(0, 0)]


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.lists(st.integers(0, 12), max_size=9)),
    least=st.integers(0, 6),
    most=st.sampled_from([0, 0.25, 0.5, 1]),
    cuts=st.lists(st.integers(0, 30), max_size=3),
)
def test_plain_python_says_the_same(rows, least, most, cuts):
    def plain(row):
        content = sum(i not in (CLS, SEP, PAD, MASK) for i in row)
        unknown = sum(i == UNK for i in row) / content if content else 0
        return (content >= least and not unknown > most) or len(row) == 3

    expression = f"content >= {least} and not unknown > {most} or length == 3"
    found = run_step(Filter(expression), cut(make_rows(rows), cuts), SETTING)
    assert [row for row, _ in found.addresses()] == [i for i, row in enumerate(rows) if plain(row)]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("sorce == 'enwiki'", "did you mean 'source'"),
        ("source == 'enwik'", "expected a source out of .*, found 'enwik' .*mean 'enwiki'"),
        ("source != 'enwik' or length > 1", "found 'enwik'"),
        ("not language in ('fr', 'it')", "expected a language out of de, en, simple, found 'fr'"),
        ("part == 'natual'", "expected a part out of generated, natural, found 'natual'"),
    ],
)
def test_what_the_set_does_not_know_is_refused_before_any_row_is_read(expression, complaint):
    with pytest.raises(UsageError, match=complaint):
        FilterRows(Filter(expression), SETTING)


def test_names_of_a_set_without_names():
    with pytest.raises(UsageError, match="a part out of none, for this set names none"):
        FilterRows(Filter("part == 'a'"), make_setting())


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("source == 0", "source"),
        ("length > 3 or language == 'en'", "source"),
        ("part == 1", "part"),
        ("doc_id == 1", "doc_id"),
        ("sentence == 1", "sentence"),
    ],
)
def test_a_field_needs_its_column(expression, column):
    with pytest.raises(UsageError, match=f"expected a column '{column}' for the field"):
        run_step(Filter(expression), [make_rows([[CLS, SEP]])], SETTING)


def test_no_rows():
    assert run_step(Filter("length > 3"), [make_rows([])], SETTING).rows() == []
