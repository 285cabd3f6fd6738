"""Texts in which one word is masked, as a model is shown them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from transferset.language_models.pieces import Pieces


class Texts(NamedTuple):
    """Texts as words.

    Attributes:
        words: Those of each text.
        space: Whether a space follows each.
    """

    words: Sequence[Sequence[str]]
    space: Sequence[Sequence[bool]]

    def joined(self, text: int, start: int, stop: int) -> str:
        """The part of a text from one word to another."""
        words, space = self.words[text][start:stop], self.space[text][start:stop]
        return "".join(w + " " if s else w for w, s in zip(words, space, strict=True))


class Spot(NamedTuple):
    """A word that is to be replaced.

    Attributes:
        answer: Its number among all of them.
        text: Its text.
        word: Its place in the text.
    """

    answer: int
    text: int
    word: int


def all_spots(eligible: Sequence[Sequence[bool]]) -> list[Spot]:
    """The eligible words, in order."""
    places = [(i, j) for i, row in enumerate(eligible) for j, wanted in enumerate(row) if wanted]
    return [Spot(answer, text, word) for answer, (text, word) in enumerate(places)]


def by_length(pieces: Pieces, texts: Texts, spots: Sequence[Spot]) -> list[Spot]:
    """The spots in order of the lengths of their texts, so that batches need little filling."""
    numbers = sorted({spot.text for spot in spots})
    whole = (texts.joined(i, 0, len(texts.words[i])) for i in numbers)
    length = {i: len(pieces.spell([text])[0]) for i, text in zip(numbers, whole, strict=True)}
    return sorted(spots, key=lambda spot: length[spot.text])


def masked_texts(
    pieces: Pieces, texts: Texts, spots: Sequence[Spot], positions: int
) -> tuple[list[list[int]], list[int]]:
    """The ids of texts with their spots masked.

    Args:
        pieces: The model's tokenizer.
        texts: All texts.
        spots: What is masked, one in each row that comes back.
        positions: Most ids of a row; of a longer text what is around the mask is shown.

    Returns:
        The rows, with the pieces around them, and where in each the mask stands.
    """
    before, after = [], []
    for _, text, word in spots:
        # more words than positions are never shown, so they are not spelled either
        before.append(texts.joined(text, max(0, word - positions), word).rstrip())
        after.append(_gap(texts, text, word) + texts.joined(text, word + 1, word + 1 + positions))
    first, last = pieces.around
    rows, masks = [], []
    for left, right in zip(pieces.spell(before), pieces.spell(after), strict=True):
        left, right = _window(left, right, positions - 3)
        rows.append([first, *left, pieces.mask, *right, last])
        masks.append(1 + len(left))
    return rows, masks


def _gap(texts: Texts, text: int, word: int) -> str:
    return " " if texts.space[text][word] else ""


def _window(left: list[int], right: list[int], room: int) -> tuple[list[int], list[int]]:
    """As much of both sides as there is room for, half of it on each if both are long."""
    before = min(len(left), max(room // 2, room - len(right)))
    return left[len(left) - before :], right[: room - before]
