r"""Formulas as a reader would say them in a line of text, where that is possible.

`<math>` and `<chem>` stand inside sentences. A simple formula becomes text: `\frac{a}{b}` is
`a/b`, `x^2` is `x²`, `\alpha` is `α`. One with an unknown command, an environment or more than
`LONGEST` characters has no such text, and its sentence goes (see `passages`): a sentence with a
hole is worse than none.
"""

from __future__ import annotations

import re
import unicodedata

from transferset.text.scripts import lowered, raised

LONGEST = 100
"""Characters of a formula that may stand in a line of text."""

_MAX_SOURCE = 600
_MAX_DEPTH = 8

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}^_]|\s+|[^\\{}^_\s]", re.DOTALL)

_GREEK = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota "
    "ι kappa κ lambda λ mu μ nu ν xi ξ pi π rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ "
    "phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ "
    "Upsilon Υ Phi Φ Psi Ψ Omega Ω ell ℓ hbar ħ infty ∞ partial ∂ nabla ∇ aleph ℵ emptyset ∅ "
    "varnothing ∅ Re ℜ Im ℑ prime ′ circ ° degree ° dots … ldots … cdots … dotsc … dotsb … sum "
    "∑ prod ∏ int ∫ oint ∮ forall ∀ exists ∃ neg ¬ lnot ¬ bot ⊥ top ⊤ angle ∠ lbrace { rbrace } "
    "langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ vert | lvert | rvert | Vert ‖ mid | N "
    "ℕ R ℝ Z ℤ Q ℚ C ℂ "
)
_OPERATORS = (
    "times × cdot · div ÷ pm ± mp ∓ ast * star ⋆ le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ sim "
    "~ thicksim ~ simeq ≃ cong ≅ equiv ≡ propto ∝ ll ≪ gg ≫ in ∈ notin ∉ ni ∋ subset ⊂ "
    "subseteq ⊆ supset ⊃ "
    "supseteq ⊇ cup ∪ cap ∩ setminus ∖ land ∧ wedge ∧ lor ∨ vee ∨ oplus ⊕ otimes ⊗ to → "
    "rightarrow → longrightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ "
    "Leftrightarrow ⇔ iff ⇔ implies ⇒ mapsto ↦ vdash ⊢ models ⊨ colon : parallel ∥ perp ⊥ "
)
_NAMES = (
    "log ln lg exp sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh min max sup inf "
    "lim det dim ker gcd deg arg Pr mod bmod "
)
_FONT_NAMES = (
    "mathrm mathbf mathit mathsf mathtt mathbb mathcal mathfrak mathscr operatorname text textrm "
    "textbf textit textsf mbox hbox boldsymbol bm mathop mathord"
)
_FONTS = frozenset(f"\\{name}" for name in _FONT_NAMES.split())
_PLAIN = (
    "rm bf it displaystyle textstyle scriptstyle left right big Big bigg Bigg bigl bigr Bigl Bigr "
    "limits nolimits nonumber"
)
_ACCENTS = {
    "\\bar": "\u0304", "\\overline": "\u0304", "\\hat": "\u0302", "\\widehat": "\u0302",
    "\\tilde": "\u0303", "\\widetilde": "\u0303", "\\dot": "\u0307", "\\ddot": "\u0308",
    "\\vec": "\u20d7", "\\acute": "\u0301", "\\breve": "\u0306", "\\check": "\u030c",
}  # fmt: skip
_FRACTIONS = frozenset({"\\frac", "\\tfrac", "\\dfrac", "\\nicefrac", "\\sfrac"})
_SPACES = frozenset({"\\,", "\\;", "\\:", "\\ ", "\\!", "\\quad", "\\qquad", "\\>", "~"})


def _pairs(words: str, around: str = "") -> dict[str, str]:
    names = words.split()
    return {f"\\{k}": f"{around}{v}{around}" for k, v in zip(names[::2], names[1::2], strict=True)}


_WORDS: dict[str, str] = {
    **_pairs(_GREEK),
    **_pairs(_OPERATORS, " "),
    **{f"\\{name}": f" {name} " for name in _NAMES.split()},
    **{f"\\{name}": "" for name in _PLAIN.split()},
    **dict.fromkeys(_SPACES, " "),
    **{f"\\{c}": c for c in "{}%$#&_"},
    "\\|": "‖",
    "\\-": "",
}


class _Unreadable(Exception):
    """The formula has no text form."""


class _Reader:
    """Reads one formula; nesting is bounded, so recursion is."""

    def __init__(self, source: str) -> None:
        self.tokens = _TOKEN.findall(source)
        self.at = 0

    def group(self, depth: int, closed: bool) -> str:
        """Everything up to the closing brace, or to the end."""
        out: list[str] = []
        while self.at < len(self.tokens):
            if self.tokens[self.at] == "}":
                if not closed:
                    raise _Unreadable
                self.at += 1
                return "".join(out)
            if self.tokens[self.at] == "\\over":
                self.at += 1
                return f"{_bracketed(''.join(out))}/{_bracketed(self.group(depth + 1, closed))}"
            fraction = self.tokens[self.at] in _FRACTIONS
            if fraction and out and out[-1][-1:].isalnum():
                out.append(" ")  # 1\frac{1}{2} is not 11/2
            out.append(self.item(depth))
            if fraction:
                out.append(" ")
        if closed:
            raise _Unreadable
        return "".join(out)

    def item(self, depth: int) -> str:
        """One symbol, command or group."""
        if self.at >= len(self.tokens) or depth > _MAX_DEPTH:
            raise _Unreadable
        token = self.tokens[self.at]
        self.at += 1
        if token == "{":
            return self.group(depth + 1, closed=True)
        if token in ("^", "_"):
            return self.script(token, self.argument(depth))
        if token in _FRACTIONS:
            above = _bracketed(self.argument(depth))
            return f"{above}/{_bracketed(self.argument(depth))}"
        if token in _FONTS:
            return self.argument(depth)
        if token in _ACCENTS:
            return _accented(self.argument(depth), _ACCENTS[token])
        if token == "\\sqrt":
            return f"√{_bracketed(self.argument(depth))}"
        return self.symbol(token)

    def argument(self, depth: int) -> str:
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.item(depth + 1).strip()

    @staticmethod
    def script(token: str, content: str) -> str:
        if content in ("′", "°"):
            return content
        small = raised(content) if token == "^" else lowered(content)
        return small or f"{token}{_bracketed(content)}"

    @staticmethod
    def symbol(token: str) -> str:
        if token.startswith("\\"):
            word = _WORDS.get(token.rstrip("*"))
            if word is None:
                raise _Unreadable
            return word
        if token in "&}" or token.isspace():
            return " "
        return f" {token} " if token in "=<>+" else {"'": "′", "-": "−", "~": " "}.get(token, token)


def _accented(text: str, accent: str) -> str:
    """A letter with its accent; over several letters there is none in a line."""
    if len(text) != 1:
        raise _Unreadable
    return unicodedata.normalize("NFC", text + accent)


def _bracketed(text: str) -> str:
    """Brackets around what is more than one symbol or number."""
    text = text.strip()
    simple = (
        text.isalnum() or len(text) == 1 or (text[:1] == "(" and text.find(")") == len(text) - 1)
    )
    return text if simple else f"({text})"


def formula(source: str) -> str | None:
    """A TeX formula as text, or None where it has none that a line could hold."""
    if len(source) > _MAX_SOURCE or "\\begin" in source:
        return None
    try:
        text = _Reader(source).group(0, closed=False)
    except _Unreadable:
        return None
    text = re.sub(r"\s+([,;.)\]⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ′])", r"\1", " ".join(text.split()))
    text = re.sub(r"([(\[]) ", r"\1", text)
    return text if 0 < len(text) <= LONGEST else None


_REACTION = re.compile(r"[\w()\[\]{}^_+\-=<>.*·→ \u2013$]+")


def chemistry(source: str) -> str | None:
    """An mhchem formula as text (`H2O`, `2 H2 + O2 → 2 H2O`), or None."""
    text = " ".join(source.split())
    if not text or len(text) > LONGEST or not _REACTION.fullmatch(text):
        return None
    text = text.replace("<=>", "⇌").replace("<->", "↔").replace("->", "→").replace("<-", "←")
    return re.sub(r"[{}^_$]", "", text)
