"""Rates and distributions of what `augment` does, against their definition.

Seeds are fixed. A chi-square beyond its mean by 6 standard deviations fails: what is right passes
with a chance above 99.99 %.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from driving_rounds import PlainSpelling, setting_for
from plain_noise import chi_square

from transferset.steps.augmenting import Augment
from transferset.transforms import Position
from transferset.transforms.augment import Augmenter, Augmenting
from transferset.transforms.augment_words import SHAPES, Alnum, Tables
from transferset.transforms.unigram import alias_table
from transferset.transforms.wording import MASKED, Rows, Words

LIMIT = 6
LENGTH, ROWS, EACH = 8, 2_000, 20
AT = Position(5, 1)


def side_of(codes):
    count, length = codes.shape
    offsets = np.arange(count + 1, dtype=np.int64) * length
    return Words(codes.ravel().astype(np.int32), np.ones(codes.size, np.uint8), offsets)


def rows_of(*sides):
    tags = tuple((side % 3).astype(np.uint8).ravel() for side in sides)
    row = np.arange(len(sides[0]), dtype=np.uint64)
    return Rows(tuple(map(side_of, sides)), tags, row, np.zeros(len(row), np.uint32))


#: Word c has the tag c mod 3; its place says which word of its tag it is.
PLACES = np.tile(np.arange(LENGTH), (ROWS, 1))


def tables(counts):
    """Of each tag's counts, of words 1000 · tag + 100, …; none for an empty list."""
    found = [alias_table(np.array(of, np.int64)) if of else None for of in counts]
    columns = [t.columns if t else np.zeros(0, np.uint64) for t in found]
    codes = [1000 * tag + 100 + np.arange(len(of)) for tag, of in enumerate(counts)]
    return Tables(
        np.concatenate(columns),
        np.append(0, np.cumsum([len(c) for c in columns])),
        np.array([t.bits if t else 0 for t in found], np.uint64),
        np.concatenate(codes).astype(np.int32),
        np.append(0, np.cumsum([len(of) for of in counts]))[:-1],
        np.zeros(0, np.uint8),
        np.zeros((0, SHAPES), np.int32),
    )


#: All words have a space, so none is looked up.
SPACED = Alnum(np.zeros(1, np.bool_), np.zeros(1, np.bool_))

COUNTS = [[1, 2, 3, 94], [5], list(range(1, 40))]


def attempts(step, rows, counts=COUNTS):
    return Augmenter(step, tables(counts), SPACED).variants(rows, 1, 1 + EACH, 1 + EACH, AT)


def test_words_are_masked_replaced_or_kept_as_often_as_they_should():
    # 320,000 words: a rate that is off by 0.0025 is found with a chance above 99 %
    (side,) = attempts(Augment(mask=0.1, pos=0.15), rows_of(PLACES))
    made = side.codes.reshape(-1, LENGTH)
    kinds = np.where(made == MASKED, 0, np.where(made >= 100, 1, 2))
    size = kinds.size
    shares = np.array([0.1, 0.15, 0.75])
    assert abs(chi_square(np.bincount(kinds.ravel(), minlength=3), shares * size)) < LIMIT
    for place in range(LENGTH):
        found = np.bincount(kinds[:, place], minlength=3)
        assert abs(chi_square(found, shares * len(kinds))) < LIMIT
    # one draw each: exclusive, and independent of the neighbour, the row and the attempt
    for other in (np.roll(kinds, 1, 1), np.roll(kinds, 1, 0), np.roll(kinds, EACH, 0)):
        both = np.bincount((kinds * 3 + other).ravel(), minlength=9)
        assert abs(chi_square(both, np.outer(shares, shares).ravel() * size)) < LIMIT


def test_replacements_have_the_distribution_of_their_tag():
    (side,) = attempts(Augment(pos=1.0), rows_of(PLACES))
    made = side.codes.reshape(-1, LENGTH)
    assert (made // 1000 == np.arange(LENGTH) % 3).all()
    for tag, of in enumerate(COUNTS):
        words = made[:, np.arange(LENGTH) % 3 == tag] - 1000 * tag - 100
        expected = np.array(of) / sum(of)
        found = np.bincount(words.ravel(), minlength=len(of))
        if len(of) > 1:
            assert abs(chi_square(found, expected * words.size)) < LIMIT
        else:
            assert (words == 0).all()


def test_replacements_do_not_depend_on_the_draws_that_chose_them():
    step = Augment(mask=0.3, pos=0.4)
    (side,) = attempts(step, rows_of(np.full((ROWS, LENGTH), 2)))
    made = side.codes.reshape(-1, LENGTH)
    share = np.array(COUNTS[2]) / sum(COUNTS[2])
    after_mask = made[:, 1:][(made[:, :-1] == MASKED) & (made[:, 1:] >= 2100)] - 2100
    found = np.bincount(after_mask, minlength=len(share))
    assert after_mask.size > 30_000
    assert abs(chi_square(found, share * after_mask.size)) < LIMIT


def test_a_tag_without_counts_keeps_its_words():
    (side,) = attempts(Augment(pos=1.0), rows_of(PLACES), [[1], [], [1]])
    made = side.codes.reshape(-1, LENGTH)
    kept = np.arange(LENGTH) % 3 == 1
    assert (made[:, kept] == PLACES[0, kept]).all()
    assert (made[:, ~kept] >= 100).all()


def test_words_are_deleted_and_swapped_as_often_as_they_should():
    # with 8 words nothing is emptied but with the chance 2e-6
    (side,) = attempts(Augment(delete=0.2), rows_of(PLACES))
    gone = ROWS * EACH * LENGTH - len(side.codes)
    size = ROWS * EACH * LENGTH
    assert abs(chi_square(np.array([gone, size - gone]), np.array([0.2, 0.8]) * size)) < LIMIT
    # the first word moves if it swaps and the second one draws nothing: 0.3 · 0.7
    (side,) = attempts(Augment(swap=0.3), rows_of(PLACES))
    made = side.codes.reshape(-1, LENGTH)
    moved = int((made[:, 0] != 0).sum())
    rows = len(made)
    assert abs(chi_square(np.array([moved, rows - moved]), np.array([0.21, 0.79]) * rows)) < LIMIT
    assert (np.sort(made, axis=1) == np.arange(LENGTH)).all()


def test_windows_have_uniform_lengths_and_starts():
    (side,) = attempts(Augment(window=0.5), rows_of(PLACES))
    lengths = np.diff(side.offsets)
    rows = len(lengths)
    # 0.5 keep 8 words, the others have 1 to 5
    expected = np.array([0, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0, 0.5]) * rows
    found = np.bincount(lengths, minlength=9)
    assert not found[expected == 0].any()
    assert abs(chi_square(found[expected > 0], expected[expected > 0])) < LIMIT
    for size in range(1, 6):
        starts = side.codes[side.offsets[:-1][lengths == size]]
        count = LENGTH - size + 1
        even = np.full(count, len(starts) / count)
        assert abs(chi_square(np.bincount(starts, minlength=count), even)) < LIMIT


def test_the_word_that_stays_is_each_equally_likely():
    (side,) = attempts(Augment(delete=1.0), rows_of(PLACES))
    rows = ROWS * EACH
    assert len(side.codes) == rows
    found = np.bincount(side.codes, minlength=LENGTH)
    assert abs(chi_square(found, np.full(LENGTH, rows / LENGTH))) < LIMIT


def test_pairs_at_random_change_first_second_or_both_equally_often():
    sides = attempts(Augment(mask=1.0, pairs="random"), rows_of(PLACES, PLACES))
    changed = [side.codes.reshape(-1, LENGTH)[:, 0] == MASKED for side in sides]
    rows = ROWS * EACH
    assert (changed[0] | changed[1]).all()
    found = np.bincount(changed[0] + 2 * changed[1], minlength=4)[1:]
    assert abs(chi_square(found, np.full(3, rows / 3))) < LIMIT
    # whichever the attempt is
    by_attempt = Counter(zip((np.arange(rows) % EACH).tolist(), changed[0].tolist(), strict=True))
    found = np.array([by_attempt[k, True] for k in range(EACH)])
    misses = ROWS - found
    two_thirds = np.full(EACH, ROWS * 2 / 3)
    both = np.append(found, misses), np.append(two_thirds, ROWS - two_thirds)
    assert abs(chi_square(*both)) < LIMIT


def test_both_sides_of_a_pair_are_drawn_apart():
    first, second = attempts(Augment(mask=0.5, pairs="both"), rows_of(PLACES, PLACES))
    masks = [(side.codes == MASKED).astype(int) for side in (first, second)]
    found = np.bincount(masks[0] + 2 * masks[1], minlength=4)
    assert abs(chi_square(found, np.full(4, len(masks[0]) / 4))) < LIMIT


@pytest.mark.parametrize("p", [1e-9, 1.0])
def test_the_ends_of_probability_are_never_and_always(p):
    (side,) = attempts(Augment(mask=p), rows_of(PLACES))
    assert ((side.codes == MASKED) == (p == 1.0)).all()


def test_probabilities_that_add_up_to_one_leave_nothing_as_it_is():
    step = Augment(mask=0.1, pos=0.2, delete=0.7)
    (side,) = attempts(step, rows_of(PLACES[:, :2]))
    (many,) = attempts(step, rows_of(np.tile(PLACES, 4)))
    assert not ((many.codes >= 0) & (many.codes < 100)).any()
    assert len(side.offsets) == ROWS * EACH + 1
    assert Augmenting(step, setting_for(PlainSpelling([]), []))
