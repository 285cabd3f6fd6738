"""Sentence ends by rule, for the languages that no trained model covers.

Scripts with a sentence mark of their own (。 ।  ። ។ ။ ։ ۔ …) need no statistics: the marks are
those with the property Sentence_Terminal in Unicode's PropList, less those that separate clauses.
The full stop needs care: it ends a sentence before white space unless a lower-case letter
follows, or a number of one or two digits (an ordinal), an initial, or a dotted or listed
abbreviation precedes. Thai and Lao mark no sentence ends; their passages stay whole.
"""

from __future__ import annotations

import re

from transferset.sentences.languages import ABBREVIATIONS

#: Changes whenever a decision does.
VERSION = "1"

# Marks that need no white space behind them.
_HARD = "。｡！？︒‼⁇⁈⁉।॥။។៕።፧፨։᠃᠉꘎꘏꛳꛷᱾᱿꧉᭟᭞꯫꫰꫱꤯߹܀܁܂𑁇𑁈"
# Marks that white space must follow, since they also stand inside words and numbers.
_SOFT = ".!?…؟۔．‽།༎"
_CLOSERS = "\"')]}’”»›」』）］｝〕〉》】〗"
_OPENERS = "\"'([{¿¡‘“„«‹「『（［｛〔〈《【〖"
# A sentence starts with none of these.
_INNER = frozenset(",;:、，；：・،؛" + _HARD + _SOFT)
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_CANDIDATE = re.compile(
    rf"[{re.escape(_HARD + _SOFT)}]+([{re.escape(_CLOSERS)}]*)(\s*)",
)
_HARD_MARK = re.compile(f"[{_HARD}]")
# 「…。」と言った: a Japanese particle goes on after a quotation, or after a title in ！ or ？.
_PARTICLE = re.compile(r"[とをはがにのもでへや]|って")
_KHMER_AND_SO_ON = "ល។"
_LONGEST_WORD = 40


class RulesSplitter:
    """Splits by marks and a few rules.

    Args:
        abbreviations: Words whose period ends no sentence; lower case, without the period.
        before_numbers: The same, but only before a number.
    """

    def __init__(self, abbreviations: frozenset[str], before_numbers: frozenset[str]) -> None:
        self._abbreviations = abbreviations
        self._before_numbers = before_numbers

    def split(self, passage: str) -> list[str]:
        """Split a passage.

        Args:
            passage: Any text.

        Returns:
            The sentences in order, stripped, none empty.
        """
        sentences = []
        start = seen = 0
        for match in _CANDIDATE.finditer(passage):
            after = match.end()
            if after < len(passage) and self._ends(passage, match, seen):
                sentences.append(passage[start : match.end(1)].strip())
                start = after
            if match.group(2):
                seen = after
        rest = passage[start:].strip()
        if rest:
            sentences.append(rest)
        return sentences

    def _ends(self, text: str, match: re.Match[str], seen: int) -> bool:
        after = match.end()
        marks = text[match.start() : match.start(1)]
        following = text[after]
        if following in _INNER:
            return False
        if _HARD_MARK.search(marks):
            return not _goes_on(text, match, marks)
        if not match.group(2):
            return marks[-1] in "!?" and _WIDE.match(following) is not None
        word = text[after : after + _LONGEST_WORD].lstrip(_OPENERS)
        if word and _is_lower(word[0]):
            return False
        return marks != "." or not self._abbreviates(
            text[max(seen, match.start() - _LONGEST_WORD) : match.start()], word
        )

    def _abbreviates(self, before: str, following: str) -> bool:
        """Whether the word before a period stands for another, or the two are an ordinal."""
        words = before.split()
        word = words[-1].lstrip(_OPENERS).lower() if words else ""
        if len(word) <= 2 and ((len(word) == 1 and word.isalpha()) or word.isdecimal()):
            return True
        parts = word.split(".")
        if len(parts) > 1 and all(0 < len(part) < 4 and part.isalpha() for part in parts):
            return True
        number = following[:1].isdecimal()
        return word in self._abbreviations or (number and word in self._before_numbers)


def load(language: str) -> tuple[RulesSplitter, str]:
    """Make the splitter for a language.

    Args:
        language: A normalised code, see `languages`.

    Returns:
        The splitter, with the abbreviations that the Punkt package lists for the language, and
        the version of both.
    """
    name = ABBREVIATIONS.get(language)
    if name is None:
        return RulesSplitter(frozenset(), frozenset()), VERSION
    import punkt

    splitter = RulesSplitter(*punkt.nonbreaking_prefixes(name))
    return splitter, f"{VERSION}/{name}-{punkt.__version__}"


def _goes_on(text: str, match: re.Match[str], marks: str) -> bool:
    """Whether the sentence goes on behind a mark that needs no white space."""
    after = match.end()
    if marks == "។":
        return text.startswith(_KHMER_AND_SO_ON, after)
    quoted = bool(match.group(1)) or marks[-1] in "！？"
    return quoted and not match.group(2) and _PARTICLE.match(text, after) is not None


def _is_lower(character: str) -> bool:
    # Georgian has no capitals in running text, but Unicode calls its letters lower case.
    return character.islower() and not "ა" <= character <= "ჿ"
