"""The little language of --filter: what it says, and what it refuses in one sentence."""

import ast
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.transforms.expressions import (
    AllOf,
    AnyOf,
    Arithmetic,
    Compare,
    Field,
    Named,
    Not,
    Number,
    check,
    columns,
    parse,
)

LENGTH = Field("length")


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("length > 20", Compare(">", LENGTH, Number(20))),
        (" length>20 ", Compare(">", LENGTH, Number(20))),
        (
            "5 <= length < 9.5",
            AllOf((Compare("<=", Number(5), LENGTH), Compare("<", LENGTH, Number(9.5)))),
        ),
        (
            "length == 3 or not unknown != 0.1",
            AnyOf(
                (
                    Compare("==", LENGTH, Number(3)),
                    Not(Compare("!=", Field("unknown"), Number(0.1))),
                )
            ),
        ),
        # `and` binds closer than `or`
        (
            "length > 1 or length > 2 and length > 3",
            AnyOf(
                (
                    Compare(">", LENGTH, Number(1)),
                    AllOf(
                        (Compare(">", LENGTH, Number(2)), Compare(">", LENGTH, Number(3))),
                    ),
                )
            ),
        ),
        (
            "content / length + 1 > -2 * +3",
            Compare(
                ">",
                Arithmetic("+", Arithmetic("/", Field("content"), LENGTH), Number(1)),
                Arithmetic("*", Number(-2), Number(3)),
            ),
        ),
        ("-length < 0", Compare("<", Arithmetic("-", Number(0), LENGTH), Number(0))),
        (
            "doc_id in (1, 2, 1)",
            AnyOf(
                (
                    Compare("==", Field("doc_id"), Number(1)),
                    Compare("==", Field("doc_id"), Number(2)),
                )
            ),
        ),
        ("source == 'enwiki'", Named("source", ("enwiki",))),
        ("'enwiki' != source", Not(Named("source", ("enwiki",)))),
        ('source in ["a b", 3]', Named("source", ("a b", 3))),
        ("language not in ('en', 'simple')", Not(Named("language", ("en", "simple")))),
        ("part == 1", Named("part", (1,))),
    ],
)
def test_what_an_expression_says(expression, tree):
    assert parse(expression) == tree
    check(expression)


def test_fields_come_with_their_columns():
    tree = parse("length / 2 > content and (unknown < 1 or not doc_id in (1,)) and sentence == 0")
    assert dict(columns(tree)) == {
        "length": "input_ids",
        "content": "input_ids",
        "unknown": "input_ids",
        "doc_id": "doc_id",
        "sentence": "sentence",
    }
    named = parse("source == 1 or language == 'en' or part == 'x'")
    assert dict(columns(named)) == {"source": "source", "language": "source", "part": "part"}


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("lenght > 3", "found lenght at character 1 of --filter; did you mean 'length'"),
        ("length > 3 and sourc == 1", "found sourc at character 16 .* did you mean 'source'"),
        ("source == enwiki", "expected a literal|put quotes"),
        ("length = 3", "write == to compare"),
        ("length", "expected a comparison, found length .*compare it, as in length > …"),
        ("source", "as in source == …"),
        ("length > 3 & length < 5", "write `and`, `or`"),
        ("(length > 3) | (length < 5)", "write `and`, `or`"),
        ("length and 3", "expected a comparison"),
        ("length == 'a'", "expected a number, found 'a'"),
        ("'a' < length", "expected a number, found 'a'"),
        ("source > 'a'", "expected a number on both sides"),
        ("source + 1 > 2", "compare source with == or in"),
        ("source == language", "expected a number, found language"),
        ("language == 0", 'expected a language like "en"'),
        ("language in ('en', 3)", 'expected a language like "en"'),
        ("length in 5", "expected a list after `in`"),
        ("source in 'enwiki'", "expected a list after `in`"),
        ("length in ()", "expected a list after `in`"),
        ("length in (1, length)", "expected a literal"),
        ("length in (1, 'a')", "expected a number, found 'a'"),
        ("length is 5", "write them instead of `is`"),
        ("True", "expected a comparison"),
        ("length > True", "expected a number, found True"),
        ("length > None", "expected a number"),
        ("length > 1j", "expected a number"),
        ("length > 18446744073709551616", r"expected numbers below 2\*\*64"),
        ("length > " + "9" * 4000, r"expected numbers below 2\*\*64"),
        ("length > 1e999", r"expected numbers below 2\*\*64"),
        ("length ** 2 > 4", "expected a number"),
        ("length // 2 > 4", "expected a number"),
        ("length % 2 == 0", "expected a number"),
        ("length >", "expected --filter like"),
        ("(length > 3", "expected --filter like"),
        ("", "expected --filter like"),
        ("length > 3; length", "expected --filter like"),
        ("\0", "expected --filter like"),
        ("length > '\x1b[31m'", r"expected a number, found '\\x1b\[31m'"),
    ],
)
def test_what_is_no_expression_is_refused_in_a_sentence(expression, complaint):
    with pytest.raises(UsageError, match=complaint) as error:
        check(expression)
    message = str(error.value)
    assert message.startswith("expected ")
    assert message.isprintable()
    assert len(message) < 500


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "().__class__ == 1",
        "length.real > 1",
        "length[0] > 1",
        "(lambda: 1)() > 0",
        "[x for x in (1,)] == 1",
        "f'{length}' == source",
        "(length := 5) > 3",
        "length > 3 if length else 2 > 1",
        "*length",
        "length > {1: 2}",
        "await length > 1",
        "length > ...",
        "length @ length > 1",
        "b'a' == source",
    ],
)
def test_nothing_but_comparisons_gets_through(expression):
    with pytest.raises(UsageError):
        check(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "-" * 4000 + "1 < length",
        "not " * 1000 + "length > 1",
        "(" * 1500 + "length > 1" + ")" * 1500,
        "[" * 4000,
        "length" + ".real" * 700 + " > 1",
        "length > 1" + "+1" * 2000,
        "length > 1" + " and length > 1" * 270,
        "f'{" + "-" * 4000 + "1}' == source",
        "f\"'{" + "-" * 4000 + "1}'\" == source",
        "f'{" * 1300,
        "lambda:" * 580 + "1",
        "1 if 1 else " * 330 + "1",
        "length > 1" + " " * 4096,
    ],
)
def test_what_is_long_or_deep_is_refused_without_harm(expression):
    with pytest.raises(UsageError):
        check(expression)


def test_long_lists_are_not_deep():
    check(f"doc_id in ({','.join(map(str, range(1000)))})")
    names = ",".join(f"'a-wiki-{i}'" for i in range(250))
    check(f"source in ({names})")


#: Pieces of expressions, and of much else.
PIECES = re.findall(
    r"\S+",
    "length source unknown 1 0.5 'en' ( ) [ ] , + - * / < <= == != in not and or = & . if lambda "
    "f' ' \" \\ { } : ; @ é",
)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join))
@example("'\\N{'")
@example("\ud800 > 1")
@example("0777 > length")
@example("1or 2")
def test_any_text_is_an_expression_or_a_wrong_call(text):
    try:
        parse(text)
    except UsageError as refused:
        message = str(refused)
    else:
        message = ""
        ast.parse(text.strip(), mode="eval")  # what was let through is Python too
    assert not message or message.isprintable()
