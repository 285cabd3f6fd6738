"""`augment` in plain Python, written from what is promised of it: slow, without kernels."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
from driving import CLS, MASK, SEP
from driving_rounds import text_of
from plain_noise import below
from plain_random import philox, row_key

from transferset.transforms.unigram import alias_table, draw_token

WHOLE = 1 << 32
MASKED = "[MASK]"


def limits(step):
    """Where the draw of a word begins to mean the next thing: mask, pos, delete, swap, nothing."""
    total, found = Fraction(0), []
    for p in (step.mask, step.pos, step.delete, step.swap):
        total += Fraction(str(p))
        found.append(round(min(total, Fraction(1)) * WHOLE))
    return found


def words_of(block, address, key):
    row, copy = address
    return philox((row % WHOLE, row // WHOLE, copy, block), key)


class Drawing:
    """What replacements are drawn from: counts of words by tag."""

    def __init__(self, counts):
        self.words = {tag: sorted(of, key=str.encode) for tag, of in counts.items()}
        self.tables = {
            tag: alias_table(np.array([of[w] for w in self.words[tag]], np.int64))
            for tag, of in counts.items()
        }

    def draw(self, tag, w0, w1):
        return self.words[tag][int(draw_token(np.uint32(w0), np.uint32(w1), *self.tables[tag]))]


def shape(word):
    if word == "I":
        return None
    if word.islower():
        return str.lower
    if word[:1].isupper() and (len(word) == 1 or word[1:].islower()):
        return lambda w: w[:1].title() + w[1:].lower()
    return str.upper if word.isupper() else None


def changed_sides(step, k, sides, address, key):
    if sides == 1 or step.pairs == "both":
        return list(range(sides))
    if step.pairs == "cycle":
        return [[0, 1], [0], [1]][k % 3]
    drawn = below(3, 2, [4 * ((1 << 31) + (1 << 30))], *address, key)
    return [[0], [1], [0, 1]][drawn]


def replaced(step, word, tag, block, address, key, drawing):
    """A draw from the words of a tag; the word itself if there are none."""
    if tag not in drawing.words:
        return word
    new = drawing.draw(tag, *words_of(block, address, key)[:2])
    like = shape(word) if step.match_case else None
    return like(new) if like else new


def reworded(step, words, space, tags, first, address, key, drawing):
    """Words and spaces of a side, changed one by one; and where each was, None if it is new."""
    draws = [words_of(first + 1 + j // 4, address, key)[j % 4] for j in range(len(words))]
    mask, pos, delete, swap = limits(step)
    out, j = [], 0
    while j < len(words):
        word, gap = words[j], space[j]
        if draws[j] < mask:
            out.append([MASKED, gap, None])
        elif draws[j] < pos:
            block = first + (1 << 29) + j
            new = replaced(step, word, tags[j], block, address, key, drawing)
            out.append([new, gap, j if new == word else None])
        elif draws[j] < delete:
            for last in out[-1:]:
                last[1] |= gap
        elif draws[j] < swap and min(draws[j + 1 : j + 2], default=0) >= swap:
            places = [j + 1, j] if words[j + 1] != word else [j, j + 1]
            out += [[words[j + 1], gap, places[0]], [word, space[j + 1], places[1]]]
            j += 1
        else:
            out.append([word, gap, j])
        j += 1
    return kept_apart(out)


def kept_apart(out):
    """The same words, with a space where two that were not neighbours would read as one."""
    for left, right in pairwise(out):
        (word, gap, place), (following, _, after) = left, right
        neighbours = place is not None and after == place + 1
        one = word != MASKED != following and (word[-1:] + following[:1]).isalnum()
        left[1] = gap or (one and bool(word and following) and not neighbours)
    return out


def varied_side(step, words, space, tags, side, address, key, drawing):
    """One side of an attempt: words and spaces."""
    first, n = side << 30, len(words)
    out = reworded(step, words, space, tags, first, address, key, drawing)
    last, spare = first + (1 << 30) - 1, [4 * ((1 << 31) + (side << 29))]
    if n and not out:
        kept = below(n, 4 * last + 3, spare, *address, key)
        out = [[words[kept], space[kept], kept]]
    if out and words_of(last, address, key)[0] < round(Fraction(str(step.window)) * WHOLE):
        size = 1 + below(min(5, len(out)), 4 * last + 1, spare, *address, key)
        start = below(len(out) - size + 1, 4 * last + 2, spare, *address, key)
        out = out[start : start + size]
    return [w for w, _, _ in out], [bool(s) for _, s, _ in out]


def counted(rows):
    """Counts by tag of all sides of rows (words, spaces, tags for each side)."""
    counts = {}
    for row in rows:
        for words, _, tags in row:
            for word, tag in zip(words, tags, strict=True):
                counts.setdefault(tag, Counter())[word] += 1
    return counts


def spelled(sides, spelling):
    ids = [CLS]
    for words, _ in sides:
        ids += [MASK if w == MASKED else spelling.ids.get(w, spelling.unknown) for w in words]
        ids.append(SEP)
    return ids


def augmented(step, rows, addresses, key, spelling, counts=None, leaks=()):
    """All rows that come out: (parent, copy, ids, texts); `leaks` are rows of ids.

    Args:
        rows: Of each row each side's words, spaces and tags.
        addresses: (row, copy) of each.
        counts: By tag; None counts the rows.
    """
    drawing, stride = Drawing(counted(rows) if counts is None else counts), step.attempts + 1
    original = [spelled([side[:2] for side in row], spelling) for row in rows]
    known = [tuple(ids) for ids in leaks]
    kept = {}
    for (parent, copy), ids, row in zip(addresses, original, rows, strict=True):
        if tuple(ids) not in known and step.originals == "first":
            kept[parent, copy * stride] = (ids, [text_of(*side[:2]) for side in row])
    seen = {*known, *map(tuple, original)}
    goal = None if step.multiple is None else round(step.multiple * len(rows))
    for k in range(1, step.attempts + 1):
        if goal is not None and len(kept) >= goal:
            break
        new = {}
        for (parent, copy), ids, row in zip(addresses, original, rows, strict=True):
            address = parent, copy * stride + k
            changes = changed_sides(step, k, len(row), address, key)
            sides = [
                varied_side(step, *side, s, address, key, drawing) if s in changes else side[:2]
                for s, side in enumerate(row)
            ]
            made = spelled(sides, spelling)
            if made != ids and tuple(made) not in seen:
                seen.add(tuple(made))
                new[address] = (made, [text_of(*side) for side in sides])
        if goal is not None and len(kept) + len(new) > goal:
            wanted = sorted(new, key=lambda a: row_key(*a, key))[: goal - len(kept)]
            new = {address: new[address] for address in wanted}
        kept.update(new)
    return [(*address, *kept[address]) for address in sorted(kept)]
