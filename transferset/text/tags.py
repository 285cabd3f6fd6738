"""HTML tags that wikitext allows: inline ones leave their content, blocks break the paragraph.

Lists and tables written in HTML become the lines of wikitext that they stand for, so that one
filter (see `blocks`) drops both. Tags that wikitext does not know are text and stay.
"""

from __future__ import annotations

import re

from transferset.text.extensions import TAGS
from transferset.text.marks import GAP
from transferset.text.scripts import lowered, raised

_INLINE = (
    "abbr b bdi bdo big cite code data del dfn em font i ins kbd mark nobr noinclude onlyinclude q "
    "rb rbc rtc ruby s samp small span strike strong sub sup time translate tt tvar u var wbr"
)
_BLOCKS = "blockquote center div dl figure hr ol p section ul"

#: A script, or readings over ruby text, or struck-out words, or any other tag: one scan for all.
_TAG = re.compile(
    r"<(?:(su[pb])(?:\s[^<>]*+)?>([^<>\n]{1,60})</su[pb]>"
    r"|(?:(s|strike|del)>[^<>]{1,200}</\3>|r[tp](?:\s[^<>]*+)?>[^<>]*+</r[tp]\s*+>)"
    r"|(/?)([a-zA-Z][a-zA-Z0-9]*+)(?=[\s/>])[^<>]*+>)"
)
_NUMERAL = re.compile(r"(?<![A-Za-z])\d[\dA-F.]*$")
_OPERATED = re.compile(r"[^\w.,]")

#: What opening and closing tags become.
_SHOWN: dict[str, tuple[str, str]] = {
    **dict.fromkeys(_INLINE.split(), ("", "")),
    **dict.fromkeys(TAGS, ("", "")),  # one without its partner: only the tag itself goes
    **dict.fromkeys(_BLOCKS.split(), (f"\n\n{GAP}", f"\n\n{GAP}")),
    **dict.fromkeys(("li", "dd", "dt"), ("\n* ", f"\n\n{GAP}")),
    **dict.fromkeys(("tr", "td", "th", "caption", "thead", "tbody", "tfoot"), ("\n|", "\n|")),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), ("\n=", "=\n")),
    "table": ("\n{|\n", "\n|}\n"),
    "br": (f"{GAP} ", f"{GAP} "),
    "rt": (" (", ") "),
    "rp": ("", ""),
}


def _shown(match: re.Match[str]) -> str:
    script, content, _, slash, name = match.groups()
    if name is not None:
        both = _SHOWN.get(name.lower())
        return match[0] if both is None else both[slash == "/"]
    return _script(match, script == "sub", content) if script else GAP


def _script(match: re.Match[str], low: bool, content: str) -> str:
    """Raised or lowered text; as in formulas (`x^k`, `x_k`) where it would read as something else.

    Digits are raised, and lowered behind a numeral (20₁₆) or a variable (''x''₁), but not in
    H2O. Letters behind letters stay as they are (19th, CO2-eq) unless italics say that they are
    variables.
    """
    behind = match.string[max(0, match.start() - 12) : match.start()]
    plain = _label(content.strip()).replace("''", "")
    if plain[-1:] in (",", ";", "."):  # CO<sub>2,</sub>
        return _placed(low, plain[:-1], behind, "''" in content) + plain[-1]
    return _placed(low, plain, behind, "''" in content)


def _placed(low: bool, plain: str, behind: str, italic: bool) -> str:
    """What stands for a raised or lowered text without markup, given what stands before it."""
    variable = italic or (low and behind.endswith(("''", "</i>")))
    if low and not variable:
        variable = bool(_NUMERAL.search(behind))
        if plain.isalnum() and not variable:
            return plain
    small = lowered(plain) if low else raised(plain)
    if small is not None:
        return small
    variable = variable or any(map(str.isdigit, plain))
    return _marked("_" if low else "^", plain) if variable and behind[-1:].strip() else plain


def _marked(mark: str, text: str) -> str:
    if text[:1] in ("[", ""):
        return text
    bare = text[0] == "(" or not _OPERATED.search(text)
    return f"{mark}{text}" if bare else f"{mark}({text})"


def _label(content: str) -> str:
    if content.startswith("[[") and content.endswith("]]"):
        return content[2:-2].rpartition("|")[2]
    return content


def without_tags(text: str) -> str:
    """Replace HTML tags by what they mean for running text.

    What `<sup>` and `<sub>` hold is set apart where it must be, since 10<sup>6</sup> is not 106;
    readings in `<rt>` and words that are struck out go.
    """
    if "<" not in text:
        return text
    return _TAG.sub(_shown, text)
