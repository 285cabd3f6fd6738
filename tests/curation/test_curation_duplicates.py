"""Duplicates against brute force, and their cost when books are made to be alike."""

from __future__ import annotations

import random

import numpy as np
import pytest
from curation_records import plain_jaccard, plain_shingles, record_of, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.curation import bands
from transferset.curation.bands import NEIGHBOURS, candidates, rows_of
from transferset.curation.duplicates import FAILURES, Joined, find_duplicates
from transferset.curation.shingles import BINS


def find(texts, how="near", threshold=0.5, words=None):
    """Duplicates among texts, and the records."""
    made = [record_of(text, number) for number, text in enumerate(texts)]
    records = [record for record, _ in made]
    return find_duplicates(records, lambda i: made[i][1], how, threshold), records


def plain_clusters(texts, threshold):
    """Every pair compared as sets of tuples; the book of most words stays, then the first id."""
    sets = [plain_shingles(text) for text in texts]
    root = list(range(len(texts)))
    for a in range(len(texts)):
        for b in range(a):
            if sets[a] and plain_jaccard(sets[a], sets[b]) >= threshold:
                old, new = root[a], root[b]
                root = [new if each == old else each for each in root]
    sizes = [sum(len(line.split()) for line in text) for text in texts]
    stays = {}
    for number, cluster in enumerate(root):
        best = stays.get(cluster, number)
        stays[cluster] = min(best, number, key=lambda n: (-sizes[n], n))
    found = {number: stays[cluster] for number, cluster in enumerate(root)}
    return {n: (of, plain_jaccard(sets[n], sets[of])) for n, of in found.items() if n != of}


def families(seed, count, size=250):
    """Texts of which half are changed copies of others, changed by up to a tenth."""
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        if texts and rng.random() < 0.5:
            share = rng.random() ** 3 * 0.1
            numbers = [n if rng.random() > share else rng.randrange(10**9) for n in texts[-1]]
            numbers = numbers[: rng.randrange(size // 2, size)] if rng.random() < 0.3 else numbers
        else:
            numbers = [rng.randrange(10**9) for _ in range(size)]
        texts.append(numbers)
    rng.shuffle(texts)
    return [text_of(numbers) for numbers in texts]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clusters_are_those_of_comparing_every_pair(seed, threshold):
    texts = families(seed, 40)
    expected = plain_clusters(texts, threshold)
    found, _ = find(texts, threshold=threshold)
    assert len(expected) >= 3
    assert {j.book: (j.of, pytest.approx(j.jaccard)) for j in found.joined} == expected


TEXTS = st.lists(st.lists(st.integers(0, 2), max_size=14), max_size=8)


@settings(max_examples=80, deadline=None)
@given(TEXTS)
def test_copies_of_the_same_words_are_always_found(texts):
    texts = [text_of(numbers) for numbers in texts]
    found, records = find(texts, "exact")
    digests = [r.sketch.digest for r in records]
    assert len(found.joined) == sum(
        1 for n, text in enumerate(texts) if text and digests[n] in digests[:n]
    )
    assert all(j.kind == "exact" and j.jaccard == 1 for j in found.joined)


@settings(max_examples=50, deadline=None)
@given(st.data(), st.sampled_from(["near", "exact"]))
def test_which_books_stay_does_not_depend_on_their_order(data, how):
    texts = [text_of(n) for n in data.draw(TEXTS)]
    made = [record_of(text, number % 3) for number, text in enumerate(texts)]
    order = data.draw(st.permutations(range(len(made))))
    outcomes = []
    for chosen in (range(len(made)), order):
        some = [made[i] for i in chosen]
        found = find_duplicates([r for r, _ in some], lambda i, some=some: some[i][1], how)
        dropped = {j.book for j in found.joined}
        outcomes.append(
            (
                sorted(repr(some[i][0].doc_id) + some[i][0].sketch.digest for i in dropped),
                sorted(
                    (some[j.book][0].doc_id, some[j.of][0].doc_id, j.kind, j.jaccard)
                    for j in found.joined
                ),
            )
        )
    assert outcomes[0] == outcomes[1]


def test_clusters_by_hand():
    base = list(range(100))
    half = base[:60] + list(range(1000, 1040))  # shares 56 of 96 + 96 - 56 shingles
    texts = [
        text_of(base[:90]),
        text_of(half),
        text_of(base),
        text_of(base, 5),
        text_of(range(500, 560)),
    ]
    found, _ = find(texts, threshold=0.8)
    # texts 2 and 3 have the same words in other lines, and text 0 all but the last ten of them:
    # 86 of 96 shingles; 56 of 136 are too few for text 1
    assert found.joined == [Joined(0, 2, "near", 86 / 96), Joined(3, 2, "exact", 1.0)]


def test_a_third_book_connects_two_that_are_less_alike():
    # in a row of 100 words each shares 70 with the next: 66 of 96 + 96 - 66 shingles, 0.52; the
    # first and the last share 40 words, 36 of 156
    texts = [text_of(range(at, at + 100)) for at in (0, 30, 60)]
    found, _ = find(texts)
    assert found.joined == [Joined(1, 0, "near", 66 / 126), Joined(2, 0, "near", 36 / 156)]


def test_the_book_with_most_words_stays_and_then_the_smallest_id():
    short, long = text_of(range(90)), text_of(range(100))
    made = [record_of(short, 1), record_of(long, 9), record_of(long, 4)]
    found = find_duplicates([r for r, _ in made], lambda i: made[i][1])
    assert [(j.book, j.of) for j in found.joined] == [(0, 2), (1, 2)]


def test_books_without_words_are_no_duplicates():
    found, _ = find([[], ["—"], [], ["one"], ["One!"]])
    assert [(j.book, j.of, j.kind) for j in found.joined] == [(4, 3, "exact")]


def test_a_contained_book_stays():
    # a novella of 100 words in an anthology of 1,000: 96 of 996 shingles
    found, _ = find([text_of(range(100)), text_of(range(1000))])
    assert found.joined == []


def test_off_and_exact_read_no_shingles():
    made = [record_of(text_of(range(50)), n) for n in range(3)]
    records = [record for record, _ in made]

    def never(index):
        raise AssertionError(index)

    assert find_duplicates(records, never, "off").joined == []
    assert len(find_duplicates(records, never, "exact").joined) == 2


def counted(count, texts):
    """Duplicates among texts, and how often shingles were asked for."""
    made = [record_of(text, number) for number, text in enumerate(texts)]
    asked = []
    found = find_duplicates(
        [r for r, _ in made], lambda i: asked.append(i) or made[i][1], threshold=0.5
    )
    assert len(asked) <= 2 * found.compared + count
    return found


def test_many_equal_books_are_compared_by_their_digests():
    found = counted(500, [text_of(range(200))] * 500)
    assert len(found.joined) == 499
    assert found.compared == 0


def test_many_books_that_differ_in_a_word_are_compared_about_once_each():
    texts = [text_of([*range(n), 10_000 + n, *range(n + 1, 400)]) for n in range(400)]
    found = counted(400, texts)
    # n - 1 comparisons join them, and up to n - 1 say how alike each is to the one that stays
    assert len(found.joined) == 399
    assert found.compared <= 2 * 399


def test_many_books_with_a_licence_in_common_are_compared_a_bounded_number_of_times():
    # 300 words in common and 200 of their own: 296 of 496 + 496 - 296 shingles, J = 0.43
    texts = [text_of([*range(300), *range(n * 1000, n * 1000 + 200)]) for n in range(1, 401)]
    # and one pair of true duplicates in the crowd
    texts.append(text_of([*range(300), *range(5000, 5150), *range(900_000, 900_050)]))
    found = counted(401, texts)
    assert [(j.book, j.of) for j in found.joined] == [(400, 4)]
    assert found.compared <= (2 + FAILURES) * len(texts)
    assert found.compared + found.passed_over < len(texts) ** 2 * BINS
    assert found.passed_over > 0


def test_pairs_grow_linearly_when_every_sketch_is_equal():
    minhashes = np.zeros((3000, BINS), np.uint32)
    pairs, estimates, passed_over = candidates(minhashes, np.full(3000, 1000), 0.5)
    assert len(pairs) <= NEIGHBOURS * 3000
    assert (estimates == 1).all()
    per_band = 3000 * 2999 // 2 - len(pairs)
    assert passed_over == per_band * BINS // rows_of(0.5)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_pairs_at_the_threshold_are_seldom_missed(threshold):
    # bins that are equal with that probability: what sketches of such a pair are. With 3,000 pairs
    # and one in a thousand missed by the bands, more than 12 misses have probability < 1e-4 (and
    # estimates five standard errors low are rarer still); 10 in 1,000 would give 30.
    rng = np.random.default_rng(5)
    first = rng.integers(0, 1 << 30, (3000, BINS), np.uint32)
    other = rng.integers(1 << 30, 1 << 31, (3000, BINS), np.uint32)
    second = np.where(rng.random((3000, BINS)) < threshold, first, other)
    minhashes = np.stack([first, second], 1).reshape(6000, BINS)
    pairs, _, _ = candidates(minhashes, np.full(6000, 20_000), threshold)
    found = {tuple(pair) for pair in pairs.tolist()}
    assert sum((2 * n, 2 * n + 1) not in found for n in range(3000)) <= 12


def test_bands_are_as_wide_as_the_threshold_allows():
    # by hand: (1 - 0.5^4)^32 = 0.127, (1 - 0.5^2)^64 = 1e-8; (1 - 0.8^8)^16 = 0.053
    assert [rows_of(t) for t in (0.1, 0.5, 0.8, 0.95, 1.0)] == [1, 2, 4, 8, 8]
    assert bands.MISSED == 1e-3
