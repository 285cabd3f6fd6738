"""Links: what a reader sees of `[[…]]` and `[http://… …]`.

Files, categories and links to the same page in other languages vanish, captions and all; any other
link is its label. Innermost first over one pairing of brackets, no recursion. Brackets without a
partner vanish, the text between them stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from transferset.text.language_codes import FILE_ALIASES, INTERLANGUAGE
from transferset.text.marks import GAP, gap_at

_FILE, _CATEGORY = 6, 14

MAX_DEPTH = 20
"""Brackets nested deeper are no links; keeps the work linear in the page's length."""

_PLAIN = re.compile(r"\[\[(?:[^\[\]|:\n]++\|)?+((?<=\|)[^\[\]|]++|(?<=\[)[^\[\]|:\n]++)\]\]")
_OPENING, _CLOSING = re.compile(r"\[\["), re.compile(r"\]\]")
_BRACKETS = re.compile(r"\[\[|\]\]")
_SCHEME = (
    r"(?:(?:https?|ftps?|sftp|ircs?|git|svn|ssh|gopher|worldwind|xmpp|telnet):|(?=//))(?://)?"
    r"|(?:mailto|news|tel|geo|urn|magnet|bitcoin|sip|sips|sms):"
)
_EXTERNAL = re.compile(
    rf"\[(?:{_SCHEME})[^\s\[\]<>\"]*+(?:[ \t]++([^\[\]\n]*+(?:\[[^\[\]\n]*+\][^\[\]\n]*+)*+))?+\]"
)


def _external(match: re.Match[str]) -> str:
    label = (match[1] or "").strip()
    return label or gap_at(match.string, match.start())


def external_labels(text: str) -> str:
    """Replace `[http://… label]` by its label; a bare address is what a reader sees, and stays."""
    if "[" not in text:
        return text
    return _EXTERNAL.sub(_external, text)


def piped(target: str) -> str:
    """The label of `[[target|]]`: without namespace, and without what disambiguates it."""
    label = target.lstrip(":").rpartition(":")[2].strip()
    head, opening, _ = label.rpartition(" (")
    if opening and label.endswith(")"):
        return head
    return label.partition(", ")[0]


@dataclass(frozen=True, slots=True)
class LinkRules:
    """Which link targets a wiki treats specially.

    Args:
        files: Lower-case names of the namespaces whose links are pictures.
        categories: Lower-case names of the category namespace.
        language: The wiki's own language code.
    """

    files: frozenset[str]
    categories: frozenset[str]
    language: str

    @classmethod
    def of(cls, namespaces: Mapping[str, int], language: str) -> LinkRules:
        """The rules of a wiki whose namespaces have these local names."""
        aliases = FILE_ALIASES.get(language, "").split()
        local: dict[int, set[str]] = {_FILE: {"file", "image", *aliases}, _CATEGORY: {"category"}}
        for name, key in namespaces.items():
            if key in local and name:
                local[key].add(name.lower().replace("_", " "))
        return cls(frozenset(local[_FILE]), frozenset(local[_CATEGORY]), language)

    def opener(self) -> re.Pattern[str]:
        """Matches the start of a link to a file."""
        return re.compile(rf"\[\[[ _]*+(?i:{_either(self.files)})[ _]*+:")

    def simple(self) -> re.Pattern[str]:
        """Matches a whole link to a file or category with links at most one deep in its caption."""
        names = _either(self.files | self.categories)
        first = "".join(
            sorted({c for name in self.files | self.categories for c in name[0] + name[0].upper()})
        )
        inner = r"\[\[[^\[\]]*+\]\]|\[[^\[\]]*+\]"
        name = rf"(?=[ _{re.escape(first)}])[ _]*+(?i:{names})[ _]*+:"
        return re.compile(rf"\[\[{name}[^\[\]]*+(?:(?:{inner})[^\[\]]*+)*+\]\]")

    def vanishes(self, target: str) -> bool:
        """Whether a link to `target` shows nothing where it stands."""
        prefix, colon, _ = target.partition(":")
        prefix = prefix.replace("_", " ").strip().lower()
        if not colon or not prefix:
            return False
        if prefix in self.files or prefix in self.categories:
            return True
        return prefix in INTERLANGUAGE and prefix != self.language

    def label(self, content: str) -> str | None:
        """What a reader sees of `[[content]]`; None when it vanishes."""
        target, bar, rest = content.partition("|")
        if self.vanishes(target):
            return None
        if not bar:
            return target.strip().removeprefix(":")
        return rest if rest.strip() else piped(target)


def _either(names: frozenset[str]) -> str:
    return "|".join(
        re.escape(n).replace(r"\ ", "[ _]") for n in sorted(names, key=lambda n: (-len(n), n))
    )


def bracket_spans(text: str) -> list[tuple[int, int]]:
    """(start, stop) of every pair of double brackets, in the order of their starts."""
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    # two scans for plain characters are several times faster than one for either
    found = [match.start() for match in _OPENING.finditer(text)]
    found += [match.start() for match in _CLOSING.finditer(text)]
    for start in sorted(found):
        if text[start] == "[":
            opened.append(start)
        elif opened:
            spans.append((opened.pop(), start + 2))
    spans.sort()
    return spans


def _closing(text: str, start: int) -> int:
    """Where the brackets that open at `start` close; -1 when they do not."""
    depth = 0
    for match in _BRACKETS.finditer(text, start):
        depth += 1 if text[match.start()] == "[" else -1
        if depth == 0:
            return match.end()
    return -1


class Links:
    """Resolves the links of pages of one wiki."""

    def __init__(self, rules: LinkRules) -> None:
        self.rules = rules

    @cached_property
    def _simple(self) -> re.Pattern[str]:
        return self.rules.simple()

    @cached_property
    def _opener(self) -> re.Pattern[str]:
        return self.rules.opener()

    def without_files(self, text: str) -> str:
        """Cut files and categories out, before lines are looked at: captions may have several."""
        if "[[" not in text:
            return text
        text = self._simple.sub(_gap, text)
        return self._nested_files(text) if self._opener.search(text) else text

    def _nested_files(self, text: str) -> str:
        out: list[str] = []
        done, match = 0, self._opener.search(text)
        while match:
            start = match.start()
            stop = _closing(text, start)
            if stop < 0:  # never closed, and the search has seen all that follows
                break
            out += (text[done:start], gap_at(text, start))
            done = stop
            match = self._opener.search(text, done)
        if match:
            out.append(self._files_after_unclosed(text, done, match.start()))
        else:
            out.append(text[done:])
        return "".join(out)

    def _files_after_unclosed(self, text: str, done: int, unclosed: int) -> str:
        """The rest from a file that is never closed on: pair all brackets, cut complete files."""
        out: list[str] = []
        for start, stop in bracket_spans(text[unclosed:]):
            first = unclosed + start
            if first >= done and self._opener.match(text, first):
                out += (text[done:first], gap_at(text, first))
                done = unclosed + stop
        out.append(text[done:])
        return "".join(out)

    def labels(self, text: str) -> str:
        """Replace links by their labels, and `[http://… label]` by its label; stray brackets go."""
        if "[[" in text:
            # split, not sub: the labels are groups, and the whole step stays in C
            text = "".join(_PLAIN.split(text))
            if "[[" in text:
                text = self._unusual(text)
        text = external_labels(text)
        return text.replace("]]", "") if "]]" in text else text

    def _unusual(self, text: str) -> str:
        """Links with a namespace, several bars or links inside; stray brackets go."""
        out: list[str] = []
        done = 0
        opened: list[tuple[int, int]] = []
        for start, stop in [*bracket_spans(text), (len(text), len(text))]:
            while opened and opened[-1][0] <= start:
                end, base = opened.pop()
                out.append(text[done : end - 2])
                shown = self.rules.label("".join(out[base:]))
                del out[base:]
                out.append(GAP if shown is None else shown)
                done = end
            if len(opened) < MAX_DEPTH:
                out.append(text[done:start])
                opened.append((stop, len(out)))
                done = start + 2
        return "".join(out).replace("[[", "")


def _gap(match: re.Match[str]) -> str:
    return gap_at(match.string, match.start())
