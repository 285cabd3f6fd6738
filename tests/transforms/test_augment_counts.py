"""Counts of words by tag: summed whatever the ranges, saved, and read back with suspicion."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from driving_rounds import PlainSpelling, run_rounds, setting_for, slices, tagged_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_augment import augmented

from transferset.errors import SetError, UsageError
from transferset.steps.augmenting import Augment
from transferset.transforms import Position, word_counts
from transferset.transforms.augment import AugmentRows, shape_of, shaped
from transferset.transforms.word_counts import (
    FIT_FILE,
    count_words,
    merge_word_counts,
    read_word_counts,
    sorted_words,
)

EXAMPLES = settings(max_examples=40, deadline=None)
TAGS = ("ADJ", "NOUN", "VERB")
WORDS = ["ab", "b", "é", "zz", "Z", "𝒳", "\uffff"]

SIDES = st.lists(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 2)), max_size=9))


def counts_of(sides, tags=TAGS):
    batches = [
        count_words(
            pa.array([w for w, _ in side], pa.string()), np.array([t for _, t in side], np.uint8)
        )
        for side in sides
    ]
    return merge_word_counts(batches, tags)


@EXAMPLES
@given(SIDES, st.integers(1, 5))
def test_counts_are_sums_over_all_sides(sides, held):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "_HELD", held)
        found = counts_of(sides)
    plain = Counter(pair for side in sides for pair in side)
    words = sorted({w for w, _ in plain}, key=str.encode)
    assert found.words.to_pylist() == words
    pairs = sorted((t, words.index(w), n) for (w, t), n in plain.items())
    assert list(zip(found.tag, found.word, found.count, strict=True)) == pairs


@EXAMPLES
@given(SIDES)
def test_what_is_written_is_read_again(tmp_path_factory, sides):
    folder, counts = tmp_path_factory.mktemp("fit"), counts_of(sides)
    counts.write(folder)
    found = read_word_counts(folder / FIT_FILE, TAGS)
    assert found.to_bytes() == counts.to_bytes() == (folder / FIT_FILE).read_bytes()


def test_the_file_is_plain_json():
    counts = counts_of([[("b", 1), ("ab", 1), ("b", 1)], [("b", 2)]])
    assert json.loads(counts.to_bytes()) == {
        "tags": ["ADJ", "NOUN", "VERB"],
        "words": ["ab", "b"],
        "counts": [[], [[0, 1], [1, 2]], [[1, 1]]],
    }


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=3))), st.integers(1, 4))
def test_words_are_sorted_by_their_bytes(arrays, held):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "_HELD", held)
        found = sorted_words([pa.array(words, pa.string()) for words in arrays])
    assert found.to_pylist() == sorted({w for words in arrays for w in words}, key=str.encode)


GOOD = {"tags": ["A", "B"], "words": ["a", "b"], "counts": [[[0, 1]], [[0, 2], [1, 3]]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tags": ["A"]}, "counts for each of up to 256 tags"),
        ({"tags": [1, 2]}, "a string"),
        ({"words": ["b", "a"]}, "ascending words"),
        ({"words": ["a", "a"]}, "ascending words"),
        ({"words": ["a", 1]}, "expected words"),
        ({"words": ["a", "\ud800"]}, "UTF-8"),
        ({"words": "ab"}, "a list"),
        ({"counts": [[[0, 1]], [[0, 2], [2, 3]]]}, "ascending places of 2 words"),
        ({"counts": [[[0, 1]], [[1, 2], [0, 3]]]}, "ascending places of 2 words"),
        ({"counts": [[[0, 0]], []]}, "counts from 1"),
        ({"counts": [[[0, -1]], []]}, "whole numbers from 0"),
        ({"counts": [[[0, True]], []]}, "whole numbers from 0"),
        ({"counts": [[[0, 1.5]], []]}, "whole numbers from 0"),
        ({"counts": [[[0, 1 << 62]], []]}, "whole numbers from 0"),
        ({"counts": [[[0, (1 << 62) - 1], [1, 1]], []]}, "below 2\\*\\*62 together"),
        ({"counts": [[[0, 1, 2]], []]}, "pairs of a word and its count"),
        ({"counts": [[0], []]}, "pairs of a word and its count"),
        ({"counts": [[], {}]}, "a list"),
        ({"more": 1}, "members tags, words, counts"),
    ],
)
def test_other_content_is_refused(tmp_path, change, message):
    path = tmp_path / "counts.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(SetError, match=message):
        read_word_counts(path, ["A", "B"])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[" * 100_000, "endless nesting|JSON"),
        (b"\xff", "JSON"),
        (b"{", "JSON"),
        (b"[]", "an object"),
        (b'{"words":[],"counts":[]}', "a member tags"),
        (b'{"tags":[],"words":[],"counts":[' + b"9" * 5_000 + b"]}", "JSON"),
    ],
)
def test_what_is_no_json_of_counts_is_refused(tmp_path, raw, message):
    path = tmp_path / "counts.json"
    path.write_bytes(raw)
    with pytest.raises(SetError, match=message):
        read_word_counts(path, [])


def test_no_file_and_a_huge_one_are_refused(tmp_path, monkeypatch):
    with pytest.raises(SetError, match="No such file"):
        read_word_counts(tmp_path / "none.json", [])
    (tmp_path / "large.json").write_bytes(b" " * 100)
    monkeypatch.setattr(word_counts, "MOST_BYTES", 99)
    with pytest.raises(SetError, match="at most 99 bytes, found 100"):
        read_word_counts(tmp_path / "large.json", [])


def test_counts_by_other_tags_are_a_use_error(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text(json.dumps(GOOD))
    assert read_word_counts(path, ["A", "B"]).tags == ("A", "B")
    with pytest.raises(UsageError, match=r"counts by the tags NN, VB, found A, B.*same tagger"):
        read_word_counts(path, ["NN", "VB"])


SPELLING = PlainSpelling(["a", "b", "c", "d"])


def rows():
    texts = [(["a", "b"], [0, 1]), (["b"], [2]), (["a", "a", "b"], [0, 0, 1])]
    plain = [((words, [True] * len(words), tags),) for words, tags in texts]
    return plain, tagged_rows([[side] for side in texts], SPELLING)


def test_the_fit_of_the_set_is_published_whatever_the_ranges_are():
    _, batch = rows()
    setting = setting_for(SPELLING, TAGS)
    step = Augment(pos=0.5, iterations=3)
    files = [run_rounds(step, slices(batch, cuts), setting).files for cuts in ([], [1, 2])]
    assert files[0][FIT_FILE] == files[1][FIT_FILE]
    assert json.loads(files[0][FIT_FILE])["counts"] == [[[0, 3]], [[1, 2]], [[1, 1]]]


def test_replacements_may_come_from_the_counts_of_another_set():
    plain, batch = rows()
    fit = counts_of([[("c", 0), ("d", 0), ("d", 0)], [("a", 1)]])
    step = Augment(pos=0.7, iterations=9)

    def make(step, setting):
        return AugmentRows(step, setting, fit)

    varied = run_rounds(step, [batch], setting_for(SPELLING, TAGS), make=make)
    counts = {0: Counter(c=1, d=2), 1: Counter(a=1)}  # none of tag 2
    addresses = [(i, 0) for i in range(3)]
    expected = augmented(step, plain, addresses, Position(0, 0).key, SPELLING, counts)
    found = [(r["parent_row"], r["copy"], r["input_ids"], [r["text"]]) for r in varied.rows()]
    assert found == expected
    assert varied.files[FIT_FILE] == fit.to_bytes()
    assert [row["text"] for row in varied.rows() if row["parent_row"] == 1] == ["b"]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        *[
            ("dog", 0),
            ("Dog", 1),
            ("DOG", 2),
            ("dOg", 3),
            ("I", 3),
            ("A", 1),
            ("é", 0),
            ("É", 1),
            ("7", 3),
        ],
        *[("don't", 0), ("U.S.", 2), ("U.s.", 1), ("", 3), ("7th", 0), ("McDonald", 3), ("中", 3)],
    ],
)
def test_words_have_shapes(word, shape):
    assert shape_of(word) == shape


def test_words_are_given_shapes():
    assert [shaped("straße", i) for i in range(3)] == ["straße", "Straße", "STRASSE"]
    assert [shaped("ǆ", i) for i in range(3)] == ["ǆ", "ǅ", "Ǆ"]
    assert [shaped("U.S.", i) for i in range(3)] == ["u.s.", "U.s.", "U.S."]
