"""Words and tags of the teacher, in the form of words that the lexicon tagger meets.

spaCy's tokenizer cuts compounds at hyphens (`well - known`) and `cannot` in two; running text and
tokenised tasks have them whole. So the teacher tags the parts, and both forms are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lexicon_texts import Text

#: A part of a compound, the hyphen, what is between.
_INSIDE = re.compile(r"(?<=[^\W\d_])(-)(?=[^\W\d_])")
_BRACKETS = {"-lrb-": "-LRB-", "-rrb-": "-RRB-", "-lcb-": "-LRB-", "-rcb-": "-RRB-"}
_LONGEST = 100_000


class Tagged(NamedTuple):
    """A text with the teacher's tags; `whole`: the same with compounds as one word."""

    source: Text
    parts: list[tuple[str, str]]
    whole: list[tuple[str, str]]


def load(model: str) -> Any:
    """Load the teacher with nothing but what tags."""
    import spacy

    return spacy.load(model, exclude=["parser", "ner", "lemmatizer"])


def tagged(texts: Iterable[Text], teacher: Any) -> Iterator[Tagged]:
    """Tag texts, in their order."""
    pairs = ((_document(text, teacher), text) for text in texts if len(text.text) < _LONGEST)
    for document, text in teacher.pipe(pairs, as_tuples=True, batch_size=256):
        words = [(_word(w), w.tag_, bool(w.whitespace_)) for w in document if not w.is_space]
        parts = [(word, _tag(word, tag)) for word, tag, _ in words]
        tight = [not space for _, _, space in words]
        yield Tagged(text, parts, list(joined(parts, tight)))


def _tag(word: str, tag: str) -> str:
    # its tag of white space, on marks that are none, would be one more to carry
    return _BRACKETS.get(word.lower(), "NFP" if tag == "_SP" else tag)


def _word(token: Any) -> str:
    return "".join(token.text.split())  # a cell of a number may hold a no-break space


def _document(text: Text, teacher: Any) -> Any:
    from spacy.tokens import Doc

    if not text.tokenised:
        return teacher.make_doc(text.text)
    words, spaces = [], []
    for word in text.text.split(" "):
        parts = [word] if word.lower() in _BRACKETS else _INSIDE.split(word)
        words += parts
        spaces += [False] * (len(parts) - 1) + [True]
    return Doc(teacher.vocab, words=words, spaces=spaces)


def joined(parts: list[tuple[str, str]], tight: list[bool]) -> Iterator[tuple[str, str]]:
    """Put compounds together again.

    Args:
        parts: Words and tags.
        tight: For each word, whether nothing is between it and the next.
    """
    at = 0
    while at < len(parts):
        stop = at + 1
        while _goes_on(parts, tight, stop):
            stop += 2
        if stop - at > 1:
            after = parts[stop][1] if stop < len(parts) else ""
            yield "".join(word for word, _ in parts[at:stop]), compound(parts[at:stop:2], after)
        elif stop < len(parts) and tight[at] and _is_cannot(parts[at], parts[stop]):
            yield parts[at][0] + parts[stop][0], "MD"
            stop += 1
        else:
            yield parts[at]
        at = stop


def _goes_on(parts: list[tuple[str, str]], tight: list[bool], at: int) -> bool:
    return (
        at + 1 < len(parts)
        and parts[at][0] == "-"
        and tight[at - 1]
        and tight[at]
        and parts[at - 1][0][-1:].isalnum()
        and parts[at + 1][0][:1].isalnum()
    )


def _is_cannot(first: tuple[str, str], second: tuple[str, str]) -> bool:
    return first[0].lower() == "can" and second[0].lower() == "not"


def compound(parts: list[tuple[str, str]], after: str) -> str:
    """Tag a compound as the Penn Treebank does: an adjective before a noun.

    Args:
        parts: Its parts with their tags, without the hyphens.
        after: Tag of the next word.
    """
    first, last = parts[0][1], parts[-1][1]
    if first == "AFX" or last in ("CD", "NNP", "NNPS", "NNS", "RB", "VB", "VBP", "VBZ"):
        return last
    if last in ("VBN", "VBD", "JJ", "JJR", "JJS"):
        return "JJ"
    if last in ("IN", "RP", "VBG", "NN"):
        return "JJ" if after in ("NN", "NNS") or first == "VBN" else "NN"
    return last


def forms(text: Tagged) -> list[list[tuple[str, str]]]:
    """Give the forms of a text that differ."""
    return [text.whole, text.parts] if len(text.parts) != len(text.whole) else [text.whole]
