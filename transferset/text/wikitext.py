"""Wikitext to prose: the stages, in the order in which MediaWiki would expand them.

comments, nowiki, references → templates and parser functions → HTML tags → files and categories →
tables, lists, headings → links → apostrophes → entities → repair → passages. Every stage is one or
a few linear scans; unclosed markup never swallows the text behind it (the stray marks go, the
text stays), except a comment, which runs to the end of the page as in MediaWiki.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from transferset.text.blocks import paragraphs
from transferset.text.braces import expanded
from transferset.text.entities import decode, printable
from transferset.text.expansion import Expander
from transferset.text.extensions import without_extensions
from transferset.text.links import LinkRules, Links
from transferset.text.marks import GAP, with_literals, without_marks
from transferset.text.passages import prose, without_holes
from transferset.text.quotes import without_quotes
from transferset.text.repair import repaired
from transferset.text.tags import without_tags

_SWITCH = re.compile(r"__([^\W\d_]{3,40}+)__")
_SIGNATURE = re.compile("~~~~?~?")
_VARIANT = re.compile(r"-\{([^{}\n]*+)\}-")


def _switch(match: re.Match[str]) -> str:
    return GAP if match[1] == match[1].upper() else match[0]


def _variant(match: re.Match[str]) -> str:
    """`-{zh-hans:甲;zh-hant:乙}-`: the first variant; `-{text}-` and `-{H|…}-`: text, nothing."""
    content = match[1]
    flags, bar, rest = content.partition("|")
    if bar:
        if not set(flags) <= set("ARTDN;"):
            return GAP
        content = rest
    first = content.split(";")[0]
    code, colon, text = first.partition(":")
    return text if colon and code.strip().replace("-", "").isalpha() else content


class WikitextCleaner:
    """Turns articles of one wiki into passages of running prose.

    Args:
        language: The wiki's language code, such as `en`.
        namespaces: Local namespace names and their keys, from the dump's `<siteinfo>`.
    """

    def __init__(self, *, language: str, namespaces: Mapping[str, int]) -> None:
        self._expander = Expander(language)
        self._links = Links(LinkRules.of(namespaces, language))

    def clean(self, text: str, title: str = "") -> list[str]:
        """Extract the running prose of one article.

        Args:
            text: The page's wikitext.
            title: The page's title, for {{PAGENAME}}.

        Returns:
            One string a paragraph, in order, without line breaks. Lists, tables, headings,
            captions, references and galleries are not in it. A paragraph is kept when
            `passages.is_prose` holds; a sentence is dropped when a value in it cannot be told (a
            formula or a computed amount, see `passages.without_holes`).
        """
        literals: list[str] = []
        text = without_extensions(without_marks(text), literals)
        self._expander.title = without_marks(title)
        text = expanded(text, self._expander.find, self._expander.expand)
        text = self._links.without_files(without_tags(text))
        text = self._inline(_without_switches(paragraphs(text)))
        passages = [self._passage(line, literals) for line in text.split("\n")]
        return [passage for passage in passages if passage]

    def _inline(self, text: str) -> str:
        return decode(without_quotes(self._links.labels(text)))

    @staticmethod
    def _passage(line: str, literals: list[str]) -> str:
        if not line.isprintable():  # no mark and no odd space is printable, and few lines have any
            line = printable(with_literals(without_holes(repaired(line)), literals))
        line = " ".join(line.split()) if "  " in line else line.strip()
        return prose(line)


def _without_switches(text: str) -> str:
    # one character first: that search is several times faster, and mostly the last one
    if "_" in text and "__" in text:
        text = _SWITCH.sub(_switch, text)
    if "~" in text and "~~~" in text:
        text = _SIGNATURE.sub("", text)
    return _VARIANT.sub(_variant, text) if "{" in text and "-{" in text else text
