"""Words, shingles and sketches against plain Python."""

from __future__ import annotations

import json

import numpy as np
import pytest
from blake3 import blake3
from curation_records import plain_jaccard, plain_shingles, plain_words, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.curation import words as words_module
from transferset.curation.bands import _estimates
from transferset.curation.shingles import (
    BINS,
    EMPTY,
    Sketch,
    jaccard,
    read_shingles,
    shingle,
    sketch,
    write_shingles,
)
from transferset.curation.words import count_words, hash_words
from transferset.errors import InputError, SetError

# letters that fold to several, marks, digits, dashes, apostrophes, unspaced scripts, soft hyphens
INVISIBLE = "\u00ad\u200d\ufe0f\U000e0020\U000e0101\U000f0000"
LETTERS = "aAbB ßİǅΐéé’'ʼ-–_.,0٣Ⅳ²½吾輩はキไทย\u00a0\n\t𐐀𠀀😀" + INVISIBLE
TEXTS = st.lists(st.text(LETTERS, max_size=30) | st.text(max_size=10), max_size=6)


@settings(max_examples=200, deadline=None)
@given(passages=TEXTS)
def test_words_are_those_of_the_definition(passages):
    words = plain_words(passages)
    hashes, digest = hash_words(passages)
    assert len(hashes) == len(words)
    assert len(set(hashes.tolist())) == len(set(words))
    written = "".join(word + " " for word in words).encode("utf-32-le", "surrogatepass")
    assert digest == blake3(written).hexdigest()


def test_what_editions_differ_in_does_not_count():
    one = ["_Don't_ stop--she said: “co\u00adoperate!”", "CHAPTER II"]
    other = ["don’t stop — she said,", "'cooperate'. Chapter  II"]
    assert plain_words(one) == ["dont", "stop", "she", "said", "cooperate", "chapter", "ii"]
    assert sketch(one) == sketch(other)


def test_scripts_without_spaces_have_a_word_in_every_character():
    assert len(hash_words(["吾輩は猫 cat"])[0]) == 5


@settings(max_examples=100, deadline=None)
@given(passages=TEXTS, block=st.integers(1, 9))
def test_long_texts_are_read_in_blocks_that_nobody_can_see(passages, block):
    with pytest.MonkeyPatch.context() as patch:
        whole = hash_words(passages), count_words(passages)
        patch.setattr(words_module, "BLOCK", block)
        cut = hash_words(passages), count_words(passages)
    assert whole[0][0].tolist() == cut[0][0].tolist()
    assert whole[0][1] == cut[0][1]
    assert whole[1] == cut[1] == sum(len(passage.split()) for passage in passages)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=40))
def test_similarity_is_that_of_sets_of_shingles(first, second):
    one, two = text_of(first, 7), text_of(second, 5)
    a, b = shingle(one), shingle(two)
    assert a.sketch.shingles == len(a.hashes) == len(plain_shingles(one))
    assert (np.diff(a.hashes.astype(object)) > 0).all()
    assert jaccard(a.hashes, b.hashes) == plain_jaccard(plain_shingles(one), plain_shingles(two))


def test_a_similarity_by_hand():
    # six words have two shingles; the second of one text is the first of the other
    a, b = shingle(["a b c d e f"]), shingle(["b c d e f g"])
    assert jaccard(a.hashes, b.hashes) == 1 / 3


def test_short_texts_are_one_shingle_and_empty_ones_none():
    assert sketch(["one two"]).shingles == 1
    assert sketch(["one two"]) != sketch(["one"])
    assert sketch([]) == sketch(["—", "* * *"])
    assert sketch([]).shingles == 0
    assert (sketch([]).minhash == EMPTY).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=300))
def test_a_sketch_holds_the_smallest_hash_of_each_bin(numbers):
    found = shingle(text_of(numbers))
    smallest: dict[int, int] = {}
    for value in found.hashes.tolist():
        smallest.setdefault(value >> 57, value >> 25 & 0xFFFFFFFF)
    assert {i: v for i, v in enumerate(found.sketch.minhash.tolist()) if v != EMPTY} == smallest


def test_sketches_are_the_same_on_every_machine():
    # made once and pinned: receipts and sets of other machines must agree with them
    found = sketch(["It is a truth universally acknowledged, that a single man"])
    assert found.shingles == 6
    used = np.flatnonzero(found.minhash != EMPTY).tolist()
    assert used == [9, 25, 33, 93, 94, 100]
    assert found.minhash[used].tolist() == [
        *(1719035710, 1341638185, 3071979999, 2700523897, 1489618789, 423124193)
    ]


def test_estimates_have_the_error_of_their_theory():
    # 400 pairs of texts of different words, of 3,000 shingles each, 2,000 in both: J = 1/2. The
    # mean of the estimates has a standard error of sqrt(1/4/128/400) = 0.0022, so at 4 of them a
    # bias of 0.02 is found with power > 0.9999; their variance has one of 7 %.
    starts = range(0, 400 * 5000, 5000)
    texts = [text_of(range(at + k, at + k + 3004)) for at in starts for k in (0, 1000)]
    minhashes = np.stack([sketch(text).minhash for text in texts])
    estimates, bins = _estimates(minhashes, np.arange(800).reshape(400, 2))
    assert (bins == BINS).all()
    assert abs(estimates.mean() - 0.5) < 4 * np.sqrt(0.25 / BINS / 400)
    assert 0.7 < estimates.var() / (0.25 / BINS) < 1.3


def test_files_of_shingles_come_back(tmp_path):
    found = shingle(text_of(range(100)))
    size, digest = write_shingles(tmp_path / "a", found.hashes)
    assert size == 8 * 96 == (tmp_path / "a").stat().st_size
    assert digest == blake3((tmp_path / "a").read_bytes()).hexdigest()
    assert read_shingles(tmp_path / "a").tolist() == found.hashes.tolist()
    write_shingles(tmp_path / "none", shingle([]).hashes)
    assert len(read_shingles(tmp_path / "none")) == 0


@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b[8:] + b[:8], lambda b: b + b])
def test_damaged_files_of_shingles_are_refused(tmp_path, damage):
    write_shingles(tmp_path / "a", shingle(text_of(range(100))).hashes)
    (tmp_path / "a").write_bytes(damage((tmp_path / "a").read_bytes()))
    with pytest.raises(InputError, match="expected"):
        read_shingles(tmp_path / "a")


def test_a_missing_file_of_shingles_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_shingles(tmp_path / "missing")


def test_sketches_pass_through_json():
    found = sketch(text_of(range(50)))
    again = Sketch.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found
    assert again.minhash.dtype == np.uint32


@pytest.mark.parametrize("value", [{}, {"minhash": "zz", "shingles": 1, "digest": ""}, []])
def test_other_json_is_refused(value):
    with pytest.raises(SetError, match="expected a sketch"):
        Sketch.from_json(value)
