"""Masking, replacing, deleting, swapping and n-grams: word by word as defined."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, SEP
from driving_rounds import PlainSpelling, run_rounds, setting_for, slices, tagged_rows
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_augment import augmented, changed_sides

from transferset.steps.augmenting import Augment
from transferset.transforms import Position
from transferset.transforms.augment import AugmentRows
from transferset.transforms.word_counts import count_words, merge_word_counts

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=40, deadline=None)

WORDS = ["a", "an", "dog", "Dog", "DOG", "runs", "Runs", "x1", "the", "The", "über", "Über"]
WORDS += ["n't", "'s", ".", "co.", "(2", "I"]
SPELLING = PlainSpelling(WORDS)
TAGS = ["DET", "NOUN", "VERB", "X"]

SIDE = st.lists(
    st.tuples(st.sampled_from(WORDS), st.booleans(), st.integers(0, 3)), max_size=9
).map(lambda side: tuple(list(column) for column in zip(*side, strict=True)) or ([], [], []))
ROWS = st.lists(SIDE.map(lambda a: (a,)), max_size=6) | st.lists(st.tuples(SIDE, SIDE), max_size=6)
P = st.sampled_from([0.0, 0.1, 0.25])
STEPS = st.builds(
    Augment,
    mask=P,
    pos=P,
    delete=P,
    swap=P,
    window=st.sampled_from([0.1, 0.5, 1.0]) | st.just(0.0001),
    match_case=st.booleans(),
    pairs=st.sampled_from(["cycle", "random", "both"]),
    originals=st.just("first"),
    iterations=st.integers(1, 7),
)


def batch_of(rows, addresses=None, **columns):
    return tagged_rows(
        [[(words, tags) for words, _, tags in row] for row in rows],
        SPELLING,
        spaces=[[space for _, space, _ in row] for row in rows],
        addresses=addresses,
        **columns,
    )


def rows_out(varied):
    return [
        (
            row["parent_row"],
            row["copy"],
            row["input_ids"],
            [row[name] for name in ("text", "text_pair") if name in row],
        )
        for row in varied.rows()
    ]


@EXAMPLES
@given(ROWS, STEPS, st.integers(0, 2**64 - 1), st.lists(st.integers(1, 5)))
@example([((["a"], [True], [0]),)], Augment(delete=1.0, iterations=2), 0, [])
def test_rows_are_those_of_the_plain_definition(rows, step, seed, bounds):
    batch = batch_of(rows)
    varied = run_rounds(step, slices(batch, bounds), setting_for(SPELLING, TAGS), seed=seed)
    addresses = [(i, 0) for i in range(len(rows))]
    expected = augmented(step, rows, addresses, Position(seed, 0).key, SPELLING)
    assert rows_out(varied) == expected


@EXAMPLES
@given(ROWS, STEPS, st.data())
def test_rows_of_copies_are_numbered_after_their_original(rows, step, data):
    where = st.tuples(st.integers(0, 9) | st.just(1 << 40), st.integers(0, 3))
    size = len(rows)
    addresses = data.draw(
        st.lists(where, min_size=size, max_size=size, unique=True).map(sorted), "addresses"
    )
    batch = batch_of(rows, addresses)
    varied = run_rounds(step, [batch], setting_for(SPELLING, TAGS), seed=3, ordinal=2)
    expected = augmented(step, rows, addresses, Position(3, 2).key, SPELLING)
    assert rows_out(varied) == expected


def one_row(step, words, spaces=None, seed=0, spelling=SPELLING):
    side = (words, spaces or [True] * len(words), [0] * len(words))
    batch = tagged_rows([[side[::2]]], spelling, spaces=[[side[1]]])
    return [row["text"] for row in run_rounds(step, [batch], setting_for(spelling, TAGS)).rows()]


def test_everything_masked_is_one_piece_each():
    # the second attempt gives the same row again
    batch = batch_of([((["the", "dog", "runs"], [True, False, True], [0, 1, 2]),)])
    varied = run_rounds(Augment(mask=1.0, iterations=2), [batch], setting_for(SPELLING, TAGS))
    original, masked = varied.rows()
    assert masked["input_ids"] == [CLS, MASK, MASK, MASK, SEP]
    assert masked["text"] == "[MASK] [MASK][MASK]"
    assert original["text"] == "the dogruns"


def test_all_words_swapped_is_nothing_for_the_next_one_is_changed_itself():
    assert one_row(Augment(swap=1.0, iterations=5), ["the", "dog", "runs"]) == ["the dog runs"]


def test_swapped_words_leave_the_spaces_where_they_are():
    # a swap of the words 0 and 1, or 1 and 2; never both in one attempt, for 1 can move only once
    found = one_row(Augment(swap=0.4, iterations=60), ["a", ".", "runs"], [False, True, False])
    assert sorted(found) == [".a runs", "a runs .", "a. runs"]


def test_a_deleted_words_space_goes_to_the_word_before():
    found = one_row(Augment(delete=0.4, iterations=60), ["a", "dog", "runs"], [False, True, False])
    assert sorted(found) == sorted(["adog runs", "a runs", "adog", "dog runs", "a", "dog", "runs"])


def drawn_from(words, step, spaces, drawn):
    """Variants of one text of words of the tags 0, 1, … whose replacements are `drawn`."""
    spelling = PlainSpelling(WORDS)
    tags = list(range(len(words)))
    batch = tagged_rows([[(words, tags)]], spelling, spaces=[[spaces]])
    arrays = pa.array([w for w, _ in drawn], pa.string()), np.array([t for _, t in drawn], np.uint8)
    fit = merge_word_counts([count_words(*arrays)], TAGS)

    def make(step, setting):
        return AugmentRows(step, setting, fit)

    rows = run_rounds(step, [batch], setting_for(spelling, TAGS), make=make).rows()
    return {row["text"] for row in rows if row["copy"]}


@pytest.mark.parametrize(
    ("words", "drawn", "expected"),
    [
        # "dogn't" is one word; other words in its place must not look like one
        (["dog", "n't"], [("runs", 0), ("n't", 1)], {"runs n't"}),
        (["dog", "n't"], [("dog", 0), ("the", 1)], {"dog the"}),
        (["dog", "n't"], [("runs", 0), ("the", 1)], {"runs n't", "dog the", "runs the"}),
        # a point at either side of the boundary holds words apart
        (["dog", "."], [("runs", 0), (".", 1)], {"runs."}),
        (["dog", "."], [("dog", 0), ("'s", 1)], {"dog's"}),
        (["dog", "."], [("dog", 0), ("n't", 1)], {"dog n't"}),
        (["a", "(2"], [("an", 0), ("(2", 1)], {"an(2"}),
        (["a", "(2"], [("co.", 0), ("x1", 1)], {"co.(2", "a x1", "co.x1"}),
        # a word that is not changed keeps its neighbour, also beside one that is
        (["a", "dog", "n't"], [("a", 0), ("dog", 1), ("x1", 2)], {"adog x1"}),
        # and letters are those of any script
        (["Über", "a"], [("über", 0), ("a", 1)], {"über a"}),
    ],
)
def test_words_that_are_replaced_are_kept_apart_from_those_that_they_touch(words, drawn, expected):
    step = Augment(pos=0.7, iterations=60)
    assert drawn_from(words, step, [False] * len(words), drawn) == expected
    moving = Augment(pos=0.7, delete=1e-9, iterations=60)  # the way of deletions, without any
    assert drawn_from(words, moving, [False] * len(words), drawn) == expected


def test_masks_touch_words_as_before():
    found = one_row(Augment(mask=0.5, iterations=60), ["dog", "n't"], [False, False])
    assert sorted(found) == ["[MASK][MASK]", "[MASK]n't", "dog[MASK]", "dogn't"]


def test_words_between_which_one_was_deleted_are_kept_apart():
    found = one_row(Augment(delete=0.4, iterations=99), ["dog", "(2", "x1"], [False] * 3)
    assert sorted(found) == sorted(["dog(2x1", "(2x1", "dog x1", "dog(2", "dog", "(2", "x1"])
    # a space that the rule would have put before a word that is gone does not stay
    found = one_row(Augment(delete=0.4, iterations=99), ["dog", "n't", "."], [False] * 3)
    assert sorted(found) == sorted(["dogn't.", "n't.", "dog.", "dogn't", "dog", "n't", "."])


def test_words_that_change_places_are_kept_apart():
    step = Augment(swap=0.4, iterations=99)
    assert sorted(one_row(step, ["a", "dog", "runs"], [False] * 3)) == [
        "a runs dog",
        "adogruns",
        "dog a runs",
    ]
    # equal words that change places are the same text
    assert one_row(step, ["a", "a"], [False, False]) == ["aa"]


def test_an_n_gram_keeps_the_spaces_that_it_had():
    found = one_row(Augment(window=1.0, iterations=99), ["a", "dog", "n't"], [False] * 3)
    assert sorted(found) == sorted(["adogn't", "adog", "dogn't", "a", "dog", "n't"])


def test_of_a_text_that_is_deleted_one_word_stays_drawn():
    found = one_row(Augment(delete=1.0, iterations=60), ["a", "dog", "runs"])
    assert sorted(found) == ["a", "a dog runs", "dog", "runs"]


def test_windows_are_all_n_grams_up_to_five_words():
    words = ["a", "an", "dog", "runs", "x1", "the", "über"]
    found = one_row(Augment(window=1.0, iterations=600), words)
    grams = {" ".join(words[i : i + n]) for n in range(1, 6) for i in range(8 - n)}
    assert set(found) == {" ".join(words), *grams}


def test_replacements_come_from_words_of_the_tag_with_their_own_case():
    sides = [((["The", "dog"], [True, True], [0, 1]),), ((["an", "DOG"], [True, True], [0, 1]),)]
    varied = run_rounds(
        Augment(pos=1.0, iterations=80), [batch_of(sides)], setting_for(SPELLING, TAGS)
    )
    texts = {row["text"] for row in varied.rows()}
    assert texts == {f"{d} {n}" for d in ("The", "an") for n in ("dog", "DOG")}


def test_replacements_take_the_case_of_what_they_replace():
    sides = [
        ((["The", "x1"], [True, True], [0, 0]),),
        ((["über", "DOG"], [True, True], [0, 0]),),
    ]
    words = ["The", "the", "THE", "Über", "über", "ÜBER", "Dog", "dog", "DOG", "x1", "X1"]
    spelling = PlainSpelling(words)
    rows = [[(side[0], side[2])] for (side,) in sides]
    batch = tagged_rows(rows, spelling)
    step = Augment(pos=1.0, match_case=True, iterations=200)
    varied = run_rounds(step, [batch], setting_for(spelling, TAGS)).rows()
    titles = ["The", "X1", "Über", "Dog"]
    lower, upper = [t.lower() for t in titles], [t.upper() for t in titles]
    assert {r["text"].split()[0] for r in varied if r["parent_row"] == 0} == set(titles)
    # `x1` is lower case, as Python has it
    assert {r["text"].split()[1] for r in varied if r["parent_row"] == 0} == set(lower)
    assert {r["text"].split()[0] for r in varied if r["parent_row"] == 1} == set(lower)
    assert {r["text"].split()[1] for r in varied if r["parent_row"] == 1} == set(upper)


@pytest.mark.parametrize(
    ("k", "changed"), [(1, [0]), (2, [1]), (3, [0, 1]), (4, [0]), (5, [1]), (6, [0, 1])]
)
def test_pairs_cycle_first_second_both(k, changed):
    side = (["a", "dog", "runs"], [True] * 3, [0, 1, 2])
    varied = run_rounds(
        Augment(mask=1.0, iterations=k), [batch_of([(side, side)])], setting_for(SPELLING, TAGS)
    )
    found = [row for row in varied.rows() if row["copy"] == k]
    masks = "[MASK] [MASK] [MASK]"
    expected = [masks if s in changed else "a dog runs" for s in (0, 1)]
    assert [[row["text"], row["text_pair"]] for row in found] == ([expected] if k < 4 else [])


def test_empty_sides_stay_empty():
    nothing = ([], [], [])
    step = Augment(mask=0.5, delete=0.5, window=1.0, pairs="both", iterations=5)
    rows = [(nothing, nothing), (nothing, (["a"], [True], [0]))]
    found = run_rounds(step, [batch_of(rows)], setting_for(SPELLING, TAGS)).rows()
    assert [row["input_ids"] for row in found if row["parent_row"] == 0] == [[CLS, SEP, SEP]]
    assert all(row["text"] == "" for row in found)


def test_sides_are_chosen_by_the_third_word_of_block_0():
    # Philox's known answer for counter and key 0: 6627e8d5 e169c58d bc57ac4c 9b00dbd8 (Salmon et
    # al. 2011, kat_vectors); bc57ac4c · 3 >> 32 = 2, which is both
    assert changed_sides(Augment(mask=0.1, pairs="random"), 1, 2, (0, 0), (0, 0)) == [0, 1]


def test_columns_are_carried_and_labels_of_variants_are_null():
    rows = [((["the", "dog", "runs"], [True] * 3, [0, 1, 2]),)] * 2
    batch = batch_of(rows, label=[1, 0], doc_id=[7, 8], source=[0, 1])
    setting = setting_for(SPELLING, TAGS)
    step = Augment(mask=0.3, iterations=3)
    (found,) = run_rounds(step, [batch], setting).batches
    names = ["input_ids", "text", "label", "doc_id", "source", "parent_row", "copy"]
    assert found.schema.names == names
    assert found.schema.field("label").type == pa.int64()
    table = found.to_pylist()
    assert {(r["label"], r["doc_id"]) for r in table if r["copy"] == 0} == {(1, 7), (0, 8)}
    assert {r["label"] for r in table if r["copy"] > 0} == {None}
    assert all(r["doc_id"] == 7 + r["parent_row"] == 7 + r["source"] for r in table)
    kept = run_rounds(step, [batch], setting_for(SPELLING, TAGS, keep_label=True)).rows()
    assert [r["label"] for r in kept] == [1 - r["parent_row"] for r in kept]
    assert any(r["copy"] for r in kept)


@pytest.mark.parametrize(("output", "gone"), [("ids", "text"), ("text", "input_ids")])
def test_only_the_columns_that_are_asked_for_are_made(output, gone):
    batch = batch_of([((["the", "dog", "runs"], [True] * 3, [0, 1, 2]),)])
    step = Augment(mask=0.3, iterations=9, output=output)
    (found,) = run_rounds(step, [batch], setting_for(SPELLING, TAGS)).batches
    both = run_rounds(Augment(mask=0.3, iterations=9), [batch], setting_for(SPELLING, TAGS))
    assert gone not in found.schema.names
    assert found.to_pylist() == [{k: v for k, v in r.items() if k != gone} for r in both.rows()]


def test_ids_are_of_the_sets_type():
    batch = batch_of([((["the", "dog"], [True] * 2, [0, 1]),)])
    setting = setting_for(SPELLING, TAGS)
    (found,) = run_rounds(Augment(mask=0.5, iterations=9), [batch], setting).batches
    assert found.column("input_ids").type == pa.list_(pa.uint16())
    assert np.array_equal(found.column("copy")[:1], [0])
