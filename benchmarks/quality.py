"""What a cleaner left in, lost and leaked: judged from the wikitext alone, by no cleaner's parser.

Everything is compared as sequences of words (letters and digits, no punctuation), so that a cleaner
may set quotes, dashes and spaces as it likes.

- **leftovers**: markup and holes in the output, per 1,000 words, by kind (`LEFTOVERS`).
- **prose**: of the lines that are running prose (`prose_runs`), the share whose last run of plain
  words is in the output, in order; and, as "prose words", the share of words in all runs that are.
- **values**: of templates in running prose that show a value as it stands (`VALUE`: convert, lang,
  nowrap, …), the share whose value follows the same word in the output.
- **leaks**: of list items, headers, table cells, captions and references that have a run of words
  found nowhere else on the page (`page_keys`), the share whose run is in the output. A header leaks
  when it is a line of its own in the output.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

LEFTOVERS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "{{": r"\{\{",
        "}}": r"\}\}",
        "[[": r"\[\[",
        "]]": r"\]\]",
        "{|": r"\{\|",
        "|": r"\|",
        "''": r"''",
        "==": r"==",
        "<tag": r"</?[A-Za-z][^<>\n]*>|<!--|-->",
        "&xx;": r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]\w*);",
        "thumb/px": r"\bthumb(?:nail)?\s*\||\|\s*thumb|\b\d+px\b",
        "()": r"(?<!\w)\([\s,;:]*\)",
        "( ": r"\( |\([,;:]",
        " )": r" \)",
        " ,": r" ,|,,|, ,",
        " .": r" [.;](?=\s|$)",
        "url": r"https?://",
        "__X__": r"__[A-Z]+__",
    }.items()
}
# A hole that stands in the wikitext with the same characters around it is the author's own.
_HOLES = ("()", "( ", " )", " ,", " .")
_AROUND = 6
LEAKS = ("lists", "headers", "tables", "captions", "references")
MIN_RUN, MAX_PROSE_KEY, MAX_LEAK_KEY, MIN_PROSE_WORDS = 4, 5, 6, 8

_GAP = "\x00"  # stands where markup was: no run of words goes over it
_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\ufeff]")
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(nowiki|math|pre|source|syntaxhighlight|code|gallery|timeline|score|chem|imagemap|poem)\b"
    r"[^<>]*(?<!/)>.*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
_REFERENCE = re.compile(r"<ref\b[^<>]*/>|<ref\b[^<>]*>(.*?)</ref\s*>", re.DOTALL | re.IGNORECASE)
_BRACKET = re.compile(r"\{\{|\}\}|^[ :]*\{\|(?![{|])|^\s*\|\}(?!\})|\[\[|\]\]", re.MULTILINE)
_CLOSER = {"{{": "}}", "{|": "|}", "[[": "]]"}
_INLINE = re.compile(
    r"\[\[[^\[\]]*\]\]|\[[^\[\]\n]*\]|\{\{[^{}]*\}\}|<[^<>]*>|&#?\w+;|'{2,}|[a-z]+://[^\s|\]}<]+"
)
_PLAIN = re.compile(r"[^\x00\[\]{}|<>&=*#~\n]+")
_HEADER = re.compile(r"^(=+)\s*(.+?)\s*\1\s*$", re.MULTILINE)
_PROSE_START = re.compile(r"(?:'{2,5}|[\"“‘«])*(?:\[\[)?[^\W\d_]")
_PROSE_END = re.compile(r"[.!?]['\"”’)»]*$")
_TRAILING = re.compile(r"(?:\s|\x00|<[^<>]*>)+$")
_CELL_BREAK = re.compile(r"\|\||!!|\n")


# The word before a template, then its value: text, or a number that readers see without commas.
VALUE = re.compile(
    r"(?<![\w\x00])(\w+) \{\{(?![^{}]*flip)"
    r"(?:(?:convert|cvt)\|(\d{1,3}(?:\.\d+)?)\||transl\|[\w-]+\|([^{}|=\[\]<&]+)\}"
    r"|(?:lang\|[\w-]+|nowrap|nobr|small|nihongo)\|([^{}|=\[\]<&]+)[|}])",
    re.IGNORECASE,
)
_VALUED = re.compile(
    r"\{\{(?:convert|cvt|lang|transl|nowrap|nobr|small|nihongo)\|[^{}\n]*\}\}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class PageKeys:
    """Runs of words by which a page's output is judged, each as words joined by a space."""

    text: str
    prose: list[list[str]]  # a list of runs for each line
    values: list[str]
    leaks: dict[str, list[str]]


def words_of(text: str) -> str:
    """The words of `text` with one space between and around them."""
    return f" {' '.join(_WORD.findall(_INVISIBLE.sub('', text)))} "


def runs(markup: str) -> list[list[str]]:
    """Runs of words with no markup between them, of at least `MIN_RUN` words.

    A word that touches markup is left out: `[[bus]]es` is one word for a reader.
    """
    count = 1
    while count:
        markup, count = _INLINE.subn(_GAP, markup)
    found = []
    for plain in _PLAIN.finditer(markup):
        words = _WORD.findall(_INVISIBLE.sub("", plain[0]))
        touches_left = markup[plain.start() - 1 : plain.start()] == _GAP and plain[0][0].isalnum()
        touches_right = markup[plain.end() : plain.end() + 1] == _GAP and plain[0][-1].isalnum()
        words = words[touches_left : len(words) - touches_right]
        if len(words) >= MIN_RUN:
            found.append(words)
    return found


def _longest(markup: str) -> list[str]:
    return max(runs(markup), key=len, default=[])[:MAX_LEAK_KEY]


def _longest_of_cell(cell: str) -> list[str]:
    # Four words can be a unit that a template spells out in the prose ("thousand barrels per day").
    return words if len(words := _longest(cell)) > MIN_RUN else []


def balanced(text: str) -> list[tuple[int, int, str]]:
    """Balanced `{{ }}`, `{| |}` and `[[ ]]` as (start, stop, opener), inner ones before outer."""
    stack: list[tuple[str, int]] = []
    spans = []
    for found in _BRACKET.finditer(text):
        token = found[0].strip(" :\n")
        if token in _CLOSER:
            stack.append((token, found.end() - len(token)))
            continue
        while any(_CLOSER[opener] == token for opener, _ in stack):
            opener, start = stack.pop()
            if _CLOSER[opener] == token:
                spans.append((start, found.end(), opener))
                break
    return spans


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """`text` with a gap for each outermost span."""
    pieces, at = [], 0
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            pieces += [text[at:start], _GAP]
            at = stop
    return "".join([*pieces, text[at:]])


def prose_runs(line: str) -> list[str]:
    """The runs of plain words of a line of running prose; none for any other line.

    Running prose starts with a letter, quote, bold or link, ends a sentence when references and
    tags after it are taken off, and has at least `MIN_PROSE_WORDS` words in runs.
    """
    line = _TRAILING.sub("", line if line.startswith(" ") else line.lstrip(" \x00"))
    found = runs(line) if _PROSE_START.match(line) and _PROSE_END.search(line) else []
    enough = sum(map(len, found)) >= MIN_PROSE_WORDS
    return [" ".join(words) for words in found] if enough else []


def _cells(table: str) -> Iterator[str]:
    for cell in _CELL_BREAK.split(table):
        if not cell.startswith(("{|", "|-", "|}")):
            yield cell.lstrip("|!+").rpartition("|")[2]


def page_keys(text: str, file_names: Sequence[str] = ()) -> PageKeys:
    """What to look for in the output of a page; `file_names`: how its wiki calls files."""
    names = "|".join(map(re.escape, ["File", "Image", *file_names]))
    is_file = re.compile(rf"\[\[\s*(?:{names})\s*:", re.IGNORECASE).match
    visible = _HIDDEN.sub(_GAP, text)
    # The parameters of citation templates are a reference's text too.
    references = [re.sub(r"[{}]", _GAP, found[1] or "") for found in _REFERENCE.finditer(visible)]
    visible = _REFERENCE.sub(_GAP, visible)
    spans = balanced(visible)
    blocks = [
        (start, stop) for start, stop, opener in spans if opener != "[[" or is_file(visible, start)
    ]
    body = _without(visible, blocks)
    valued = _without(visible, [span for span in blocks if not _VALUED.match(visible, span[0])])
    files = [visible[start + 2 : stop - 2] for start, stop, _ in spans if is_file(visible, start)]
    tables = [visible[start:stop] for start, stop, opener in spans if opener == "{|"]
    items = {
        "lists": re.findall(r"^[*#](?!REDIRECT)[^\n]*", body, re.MULTILINE),
        "tables": [cell for table in tables for cell in _cells(table)],
        "captions": [_INLINE.sub(_GAP, file).rpartition("|")[2] for file in files],
        "references": references,
    }
    # A run that stands anywhere else on the page proves nothing.
    raw, read = words_of(text), words_of(re.sub(r"\[\[[^\[\]|]*\|", "", text).replace("''", ""))
    leaks = {}
    for kind, markup in items.items():
        longest = _longest_of_cell if kind == "tables" else _longest
        leaks[kind] = list(_distinct(map(longest, markup), raw, read))
    lines = {words_of(line) for line in body.split("\n") if not line.startswith("=")}
    titles = (words_of(found[2]) for found in _HEADER.finditer(body))
    leaks["headers"] = [title for title in titles if title.strip() and title not in lines]
    prose = [found for found in map(prose_runs, body.split("\n")) if found]
    values = [
        f"{value[1]} {' '.join(words_of(seen).split()[:MIN_RUN])}"
        for line in valued.split("\n")
        if "{{" in line and prose_runs(line)
        for value in VALUE.finditer(line)
        if words_of(seen := re.sub("'{2,}", "", value[2] or value[3] or value[4])).strip()
    ]
    return PageKeys(text, prose, values, leaks)


def _distinct(found: Iterable[list[str]], *texts: str) -> Iterator[str]:
    for words in found:
        key = " ".join(words)
        if key and all(text.count(f" {key} ") <= 1 for text in texts):
            yield key


@dataclass
class Quality:
    """Totals over pages; `examples` holds (page, kind, key) of what was lost or leaked."""

    words: int = 0
    leftovers: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, number: int, keys: PageKeys, lines: list[str]) -> None:
        """Judge the output `lines` of page `number`."""
        text = "\n".join(lines)
        self.words += len(text.split())
        for kind, pattern in LEFTOVERS.items():
            hits = [
                around
                for hit in pattern.finditer(text)
                if (around := text[max(0, hit.start() - _AROUND) : hit.end() + _AROUND])
                and not (kind in _HOLES and around in keys.text)
            ]
            self.leftovers[kind] += len(hits)
            self.examples += [(number, kind, around) for around in hits]
        all_words, whole_lines = words_of(text), set(map(words_of, lines))
        for line in keys.prose:
            key = " ".join(line[-1].split()[-MAX_PROSE_KEY:])
            self._count("prose", number, key, f" {key} " in all_words, example_if=False)
            for run in line:
                size, there = len(run.split()), f" {run} " in all_words
                self._count("prose words", number, run, there, example_if=False, times=size)
        for key in keys.values:
            self._count("values", number, key, f" {key} " in all_words, example_if=False)
        for kind in LEAKS:
            for key in keys.leaks[kind]:
                there = key in whole_lines if kind == "headers" else f" {key} " in all_words
                self._count(kind, number, key, there, example_if=True)

    def _count(
        self, kind: str, number: int, key: str, there: bool, *, example_if: bool, times: int = 1
    ) -> None:
        self.asked[kind] += times
        self.found[kind] += times * there
        if there is example_if:
            self.examples.append((number, kind, key))

    def percent(self, kind: str) -> float:
        """Share of `prose`, `prose words` or `values` kept, or of a kind in `LEAKS` leaked."""
        return 100 * self.found[kind] / max(1, self.asked[kind])

    def per_thousand(self, kind: str | None = None) -> float:
        """Leftovers per 1,000 words of output, of a kind or of all."""
        hits = self.leftovers.total() if kind is None else self.leftovers[kind]
        return 1000 * hits / max(1, self.words)

    def as_json(self) -> dict[str, object]:
        """All figures, without the examples."""
        return {
            "words": self.words,
            "leftovers_per_1000_words": self.per_thousand(),
            "leftovers_by_kind": {kind: count for kind, count in self.leftovers.items() if count},
            "prose_lines": self.asked["prose"],
            "prose_kept_percent": self.percent("prose"),
            "prose_words": self.asked["prose words"],
            "prose_words_kept_percent": self.percent("prose words"),
            "values": self.asked["values"],
            "values_kept_percent": self.percent("values"),
            "leaked_percent": {kind: self.percent(kind) for kind in LEAKS},
            "leak_keys": {kind: self.asked[kind] for kind in LEAKS},
        }
