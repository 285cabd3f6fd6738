"""HTML tags that wikitext allows: inline ones leave their content, blocks break the paragraph.

Lists and tables written in HTML become the lines of wikitext that they stand for, so that one
filter (see `blocks`) drops both. Tags that wikitext does not know are text and stay.
"""

from __future__ import annotations

import re

from transferset.text.extensions import TAGS
from transferset.text.marks import GAP
from transferset.text.scripts import raised

_INLINE = (
    "abbr b bdi bdo big cite code data del dfn em font i ins kbd mark nobr noinclude onlyinclude q "
    "rb rbc rtc ruby s samp small span strike strong sub sup time translate tt tvar u var wbr"
)
_BLOCKS = "blockquote center div dl figure hr ol p section ul"

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)(?=[\s/>])[^<>]*+>")
_RAISED = re.compile(r"<sup(?:\s[^<>]*+)?>\s*+([^<>\s]{1,20})\s*+</sup>")
_RUBY = re.compile(r"<r[tp](?=[\s/>])[^<>]*+>[^<>]*+</r[tp]\s*+>", re.IGNORECASE)

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
    both = _SHOWN.get(match[2].lower())
    return match[0] if both is None else both[bool(match[1])]


def _power(match: re.Match[str]) -> str:
    """Raised characters; behind a digit `^` where there are none, save for ordinals (19th)."""
    text = match[1]
    behind = match.string[match.start() - 1 : match.start()]
    return raised(text) or (f"^{text}" if behind.isdigit() and not text.isalpha() else text)


def without_tags(text: str) -> str:
    """Replace HTML tags by what they mean for running text.

    Digits in `<sup>` become raised ones, since 10<sup>6</sup> is not 106; readings in `<rt>` go.
    """
    if "<" not in text:
        return text
    if "<sup" in text:
        text = _RAISED.sub(_power, text)
    if "<ruby" in text:
        text = _RUBY.sub("", text)
    return _TAG.sub(_shown, text)
