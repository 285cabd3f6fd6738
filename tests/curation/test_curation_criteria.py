"""Which books stay, and under which reason the others are counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from curation_records import ENGLISH, record_of, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.curation.criteria import Criteria, choose
from transferset.curation.language import Vote
from transferset.errors import UsageError
from transferset.ledger import Reason

FRENCH = Vote("fr", 0.9, 30)
BASE = Criteria(min_words=50)


def decide(made, criteria=BASE):
    """The decision on (record, shingles) pairs, and reasons by index."""
    choice = choose([r for r, _ in made], criteria, lambda i: made[i][1])
    assert sorted([*choice.kept, *(d.index for d in choice.dropped)]) == list(range(len(made)))
    return choice, {d.index: d.reason for d in choice.dropped}


def book(start=0, size=100, doc_id=0, **members):
    """A book of its own words, from word number `start` on."""
    return record_of(text_of(range(start, start + size)), doc_id, **members)


def test_each_criterion_by_hand():
    made = [
        book(0, licence="Public domain in the USA."),
        book(1000, licence="Copyrighted. Read the copyright notice."),
        book(2000, vote=FRENCH),
        book(3000, size=49),
        book(0, size=95),  # 91 of 96 shingles of the first
        book(0, doc_id=1, licence="CC0"),  # the first again
    ]
    choice, reasons = decide(made)
    assert choice.kept == [0]
    assert reasons == {
        1: Reason.OTHER_LICENCE,
        2: Reason.OTHER_LANGUAGE,
        3: Reason.TOO_FEW_WORDS,
        4: Reason.NEAR_DUPLICATE,
        5: Reason.DUPLICATE_DOCUMENT,
    }
    near, exact = choice.dropped[3:]
    assert (near.of, near.jaccard) == (0, 91 / 96)
    assert (exact.of, exact.jaccard) == (0, 1.0)
    assert near.note == "they share 94.8% of their shingles"


def test_a_book_counts_under_the_first_reason():
    bad = {"licence": "All rights reserved", "vote": FRENCH}
    assert decide([book(size=10, **bad)])[1] == {0: Reason.OTHER_LICENCE}
    assert decide([book(size=10, vote=FRENCH)])[1] == {0: Reason.OTHER_LANGUAGE}
    twice = [book(size=10), book(size=10)]
    assert decide(twice)[1] == {0: Reason.TOO_FEW_WORDS, 1: Reason.TOO_FEW_WORDS}


def test_a_copy_that_may_not_be_used_keeps_no_other_out():
    made = [book(size=200, licence="All rights reserved"), book(size=190)]
    assert decide(made)[0].kept == [1]


def test_what_states_no_licence_stays_and_is_counted_and_what_is_not_understood_goes():
    made = [
        book(0),
        book(1000, licence=" "),
        book(2000, licence="see inside"),
        book(3000, licence="CC0"),
    ]
    choice, reasons = decide(made)
    assert (choice.kept, choice.unstated) == ([0, 1, 3], 2)
    assert reasons == {2: Reason.OTHER_LICENCE}
    every, _ = decide(made, replace(BASE, free_only=False))
    assert every.kept == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("vote", "stated", "stays"),
    [
        (ENGLISH, "", True),
        (ENGLISH, "fr", True),
        (FRENCH, "en", False),
        (Vote("", 0.0, 0), "en-GB", True),
        (Vote("", 0.5, 8), "fr; eng", True),
        (Vote("", 0.0, 0), "fr", False),
        (Vote("", 0.0, 0), "", False),
    ],
)
def test_the_vote_decides_and_where_there_is_none_the_source(vote, stated, stays):
    made = [book(vote=vote, stated_language=stated)]
    assert (decide(made)[0].kept == [0]) is stays
    assert decide(made, replace(BASE, language="any"))[0].kept == [0]


def test_words_at_the_limit_stay():
    assert decide([book(0, 50), book(1000, 49)])[0].kept == [0]


def test_an_author_has_so_many_books_and_the_longest_stay():
    jane = "Austen, Jane, 1775-1817"
    made = [
        book(0, 100, author=jane),
        book(1000, 120, author="Jane Austen"),
        book(2000, 110, author="Austen, Jane; Engels, Friedrich"),
        book(3000, 90, author="Engels, Friedrich"),
        *(book(n * 1000, 60, author="Various") for n in range(4, 8)),
    ]
    choice, reasons = decide(made, replace(BASE, per_author=1))
    # of Austen the one of 120 words; with her second goes what Engels wrote with her, not his own
    assert choice.kept == [1, 3, 4, 5, 6, 7]
    assert reasons == {0: Reason.AUTHOR_CAP, 2: Reason.AUTHOR_CAP}
    assert choice.dropped[0].note == "1 of jane austen stay"
    assert decide(made, replace(BASE, per_author=2))[0].kept == [1, 2, 3, 4, 5, 6, 7]
    assert len(decide(made)[0].kept) == 8


def test_duplicates_do_not_count_against_their_author():
    made = [book(0, author="A B"), book(0, doc_id=1, author="A B"), book(1000, author="A B")]
    _, reasons = decide(made, replace(BASE, per_author=2))
    assert reasons == {1: Reason.DUPLICATE_DOCUMENT}


def test_dedupe_off_and_exact():
    made = [book(0), book(0, 95), book(0, doc_id=1)]
    assert decide(made, replace(BASE, dedupe="off"))[0].kept == [0, 1, 2]
    assert decide(made, replace(BASE, dedupe="exact"))[0].kept == [0, 1]


def test_the_reasons_of_a_choice_are_of_the_ledger():
    made = [book(0), book(0, doc_id=1), book(0, doc_id=2)]
    choice, _ = decide(made)
    assert Counter(d.reason for d in choice.dropped) == {Reason.DUPLICATE_DOCUMENT: 2}
    assert [(j.book, j.of) for j in choice.duplicates.joined] == [(1, 0), (2, 0)]


def test_indices_are_those_of_all_books():
    made = [book(9000, vote=FRENCH), book(0, 90), book(8000, 10), book(0, 100)]
    choice, _ = decide(made)
    (dropped,) = [d for d in choice.dropped if d.reason is Reason.NEAR_DUPLICATE]
    assert (dropped.index, dropped.of, choice.kept) == (1, 3, [3])


BOOKS = st.lists(
    st.tuples(
        st.sampled_from([0, 5, 40, 1000]),  # first word: overlapping or not
        st.sampled_from([40, 60, 100]),
        st.integers(0, 3),
        st.sampled_from(["", "A B", "B, A", "C D", "A B; C D", "Various"]),
        st.sampled_from(["", "CC0", "In copyright"]),
        st.sampled_from([ENGLISH, FRENCH]),
    ),
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([None, 1, 2]), st.sampled_from(["near", "exact", "off"]))
def test_which_books_stay_does_not_depend_on_their_order(data, per_author, dedupe):
    made = [
        book(start, size, doc_id, author=author, licence=licence, vote=vote)
        for start, size, doc_id, author, licence, vote in data.draw(BOOKS)
    ]
    order = data.draw(st.permutations(range(len(made))))
    criteria = Criteria(min_words=50, per_author=per_author, dedupe=dedupe)
    seen = []
    for some in (made, [made[i] for i in order]):
        choice, reasons = decide(some, criteria)
        kept = sorted(_name(some[i][0]) for i in choice.kept)
        dropped = sorted((_name(some[i][0]), reason) for i, reason in reasons.items())
        seen.append((kept, dropped))
    assert seen[0] == seen[1]


def _name(record):
    return repr(replace(record, sketch=record.sketch.digest))


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("language", "english!", "--language"),
        ("min_words", -1, "--min-words"),
        ("per_author", 0, "--per-author"),
        ("dedupe", "fuzzy", "--dedupe"),
        ("threshold", 0.0, "threshold"),
        ("threshold", float("nan"), "threshold"),
    ],
)
def test_criteria_out_of_range_are_refused(member, value, name):
    with pytest.raises(UsageError, match=f"expected .*, found .* at {name}"):
        Criteria(**{member: value})


def test_notes_steer_no_terminal():
    choice, _ = decide([book(licence="\x1b[2J" + "x" * 500)])
    assert choice.dropped[0].note.isprintable()
    assert len(choice.dropped[0].note) < 200


def test_no_books():
    assert decide([])[0].kept == []


def test_memory_of_a_book_is_its_sketch():
    record, _ = book(size=5000)
    assert record.sketch.minhash.nbytes == 512
    assert record.sketch.minhash.dtype == np.uint32
