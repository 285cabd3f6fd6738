"""Parser functions, as Help:Extension:ParserFunctions on mediawiki.org describes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.text.expressions import ExpressionError, evaluate, number_text
from transferset.text.wikitext import WikitextCleaner

CLEANER = WikitextCleaner(language="en", namespaces={})

PRINTED = [
    ("{{#if:x|yes|no}}", "yes"),
    ("{{#if: |yes|no}}", "no"),
    ("{{#if:{{{1|}}}|yes|no}}", "no"),
    ("{{#ifeq:a|a|yes|no}}", "yes"),
    ("{{#ifeq:01|1.0|yes|no}}", "yes"),
    ("{{#ifeq:a|b|yes|no}}", "no"),
    ("{{#ifexpr:1 < 2|yes|no}}", "yes"),
    ("{{#ifexpr:2 < 1 or 0|yes|no}}", "no"),
    ("{{#expr:1 + 2 * 3}}", "7"),
    ("{{#expr:7 / 2}}", "3.5"),
    ("{{#expr:(1+2)*3^2}}", "27"),
    ("{{#expr:10/3 round 2}}", "3.33"),
    ("{{#expr:-7 mod 3}}", "-1"),
    ("{{#switch:b|a=one|b=two|three}}", "two"),
    ("{{#switch:b|a=one|b|c=two|three}}", "two"),
    ("{{#switch:z|a=one|b=two|three}}", "three"),
    ("{{#switch:z|#default=four|a=one}}", "four"),
    ("{{lc:ABC}}{{uc:abc}}{{ucfirst:abc}}{{lcfirst:ABC}}", "abcABCAbcaBC"),
    ("{{padleft:7|3|0}}", "007"),
    ("{{plural:2|dog|dogs}}", "dogs"),
    ("{{#ifexist:Page|yes|no}}", "yes"),
    ("{{#language:de}}", "German"),
    ("{{nowrap|{{#if:x|{{lang|fr|oui}}}}}}", "oui"),
    ("{{#ifexpr:{{#expr:2*2}} = 4|{{#switch:a|a={{uc:x}}}}}}", "X"),
]


@pytest.mark.parametrize(("wikitext", "printed"), PRINTED)
def test_what_a_function_prints(wikitext: str, printed: str) -> None:
    assert CLEANER.clean(f"The answer is {wikitext} as they say.") == [
        f"The answer is {printed} as they say."
    ]


@pytest.mark.parametrize(
    "wikitext", ["{{#time:Y}}", "{{#property:P1}}", "{{#expr:1/0}}", "{{#expr:x}}"]
)
def test_what_cannot_be_told_takes_its_sentence_along(wikitext: str) -> None:
    assert CLEANER.clean(f"This one stays. It is {wikitext} today. So does this.") == [
        "This one stays. So does this."
    ]


NUMBERS = st.integers(-50, 50)


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from("+-*"), st.sampled_from("+-*"))
def test_precedence_is_that_of_python(a: int, b: int, c: int, x: str, y: str) -> None:
    by_operator = {"+": lambda p, q: p + q, "-": lambda p, q: p - q, "*": lambda p, q: p * q}
    if y == "*" and x != "*":
        expected = by_operator[x](a, by_operator[y](b, c))
    else:
        expected = by_operator[y](by_operator[x](a, b), c)
    assert evaluate(f"{a} {x} {b} {y} {c}") == expected


@given(st.text("0123456789+-*/^()<>= .emodrunabs", max_size=30))
def test_any_text_is_a_finite_number_or_an_error(text: str) -> None:
    try:
        value = evaluate(text)
    except ExpressionError:
        return
    assert float(number_text(value)) == pytest.approx(value)
