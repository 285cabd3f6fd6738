"""Formulas that a line of text can hold, and those that it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.text.formulas import LONGEST, chemistry, formula

READABLE = [
    ("x", "x"),
    ("E = mc^2", "E = mc²"),
    ("\\frac{a}{b}", "a/b"),
    ("\\frac{a+b}{2}", "(a + b)/2"),
    ("x_1 + x_{10}", "x₁ + x₁₀"),
    ("x_i^{n}", "x_iⁿ"),
    ("10^{-24}", "10⁻²⁴"),
    ("\\alpha \\le \\Omega", "α ≤ Ω"),
    ("\\sqrt{2}", "√2"),
    ("\\mathrm{d}x", "dx"),
    ("\\sigma_\\text{Error}", "σ_Error"),
    ("\\left( a \\right)^2", "(a)²"),
    ("f'(x)", "f′(x)"),
    ("\\{1, 2\\}", "{1, 2}"),
    ("a \\, b\\;c", "a b c"),
    ("\\log x", "log x"),
    ("1\\tfrac 1 2", "1 1/2"),
    ("\\frac{1}{2}x", "1/2 x"),
    ("{a \\over b + c}", "a/(b + c)"),
    ("\\bar{\\alpha}", "ᾱ"),
]


@pytest.mark.parametrize(("source", "text"), READABLE)
def test_a_simple_formula_is_text(source: str, text: str) -> None:
    assert formula(source) == text


@pytest.mark.parametrize(
    "source",
    ["\\begin{x}a\\end{x}", "\\foo{x}", "{a", "a}", "x" * (LONGEST + 1), "", "{" * 20 + "}" * 20],
)
def test_the_rest_has_no_text(source: str) -> None:
    assert formula(source) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [("H2O", "H2O"), ("SO4^2-", "SO42-"), ("2 H2 + O2 -> 2 H2O", "2 H2 + O2 → 2 H2O")],
)
def test_reactions(source: str, text: str) -> None:
    assert chemistry(source) == text


def test_a_reaction_with_commands_has_no_text() -> None:
    assert chemistry("A ->[\\Delta] B") is None


@given(st.text("ab12+-=^_{}\\ ()frac", max_size=40))
def test_any_source_is_short_text_or_none(source: str) -> None:
    text = formula(source)
    assert text is None or (0 < len(text) <= LONGEST and text == " ".join(text.split()))
