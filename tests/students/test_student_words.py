"""Vocabularies of words: fitted by count, read back, and hostile ones refused."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError, UsageError
from transferset.students.word_vocabulary import CLS, SEP, UNK, WordVocabulary

TEXTS = pa.array(["a good film", "A bad  film .", " [MASK] film [MASK], a "])


def fitted(*arrays, **settings):
    return WordVocabulary.fit(arrays or [TEXTS], **settings)


def rows(vocabulary, texts, pairs=None):
    ids, offsets = vocabulary.encode(texts, pairs)
    words = vocabulary.all_words
    return [[words[i] for i in ids[a:b]] for a, b in pairwise(offsets)]


def test_words_by_count_and_ties_by_word():
    assert fitted().words == ["a", "film", ".", "bad", "good"]
    assert fitted(lowercase=False).words == ["film", "a", ".", "A", "bad", "good"]


def test_rare_words_and_those_beyond_the_most_are_unknown():
    assert fitted(least=2).words == ["a", "film"]
    assert fitted(most=4).words == ["a", "film", ".", "bad"]
    assert rows(fitted(least=2), TEXTS)[0] == ["[CLS]", "a", "[UNK]", "film", "[SEP]"]


def test_masked_words_read_as_unknown():
    wanted = ["[CLS]", "[UNK]", "film", "[UNK]", "a", "[SEP]"]
    assert rows(fitted(), TEXTS)[2] == wanted


def test_pairs_are_one_row():
    found = rows(fitted(), pa.array(["a film", ""]), pa.array(["good", None]))
    assert found == [["[CLS]", "a", "film", "[SEP]", "good", "[SEP]"], ["[CLS]", "[SEP]", "[SEP]"]]


def test_words_of_a_set_are_taken_as_they_are():
    words = pa.array([["New York", "is"], [], None, ["is", ""]], pa.list_(pa.string()))
    vocabulary = fitted(words, lowercase=False)
    assert vocabulary.words == ["is", "New York"]
    assert [len(row) - 2 for row in rows(vocabulary, words)] == [2, 0, 0, 1]


def test_slices_read_as_what_they_are():
    words = pa.array([["a"], ["film", "good"], ["bad"]])
    vocabulary = fitted()
    for array in (TEXTS, words):
        assert rows(vocabulary, array[1:]) == rows(vocabulary, array)[1:]
        assert rows(vocabulary, array[:0]) == []


WORD = st.text(st.sampled_from("aAbBéÉ.ß"), min_size=1, max_size=3)


@settings(max_examples=40)
@given(st.lists(st.lists(WORD, max_size=6), min_size=1, max_size=8), st.booleans())
def test_fitting_and_reading_in_plain_python(texts, lowercase):
    def low(word):
        return word.lower() if lowercase else word

    counts = Counter(low(word) for text in texts for word in text)
    if not counts:
        with pytest.raises(InputError, match="words that occur"):
            fitted(pa.array([" ".join(text) for text in texts]))
        return
    array = pa.array([" ".join(text) for text in texts])
    vocabulary = fitted(array[:1], array[1:], lowercase=lowercase)
    assert vocabulary.words == sorted(counts, key=lambda word: (-counts[word], word))
    wanted = [["[CLS]", *map(low, text), "[SEP]"] for text in texts]
    assert rows(vocabulary, array) == wanted
    assert rows(vocabulary, pa.array(texts, pa.list_(pa.string()))) == wanted


def test_what_a_text_spells_is_never_special():
    vocabulary = fitted(pa.array(["[CLS] [PAD] x"]), lowercase=False)
    ids, _ = vocabulary.encode(pa.array(["[CLS] [PAD] [SEP] x"]))
    assert vocabulary.words == ["[CLS]", "[PAD]", "x"]
    assert ids.tolist() == [CLS, 4, 5, UNK, 6, SEP]


def test_saved_and_read_back(tmp_path):
    vocabulary = fitted(pa.array(["naïve “film” 映画 😀"]))
    path = vocabulary.save(tmp_path)
    again = WordVocabulary.open(path)
    assert (again.words, again.lowercase) == (vocabulary.words, True)
    assert again.vocabulary == vocabulary.vocabulary
    assert vocabulary.vocabulary.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert vocabulary.vocabulary.size == len(vocabulary) == 4 + 4


@pytest.mark.parametrize(
    "change",
    [
        {"words": []},
        {"words": ["a", "a"]},
        {"words": ["a", 1]},
        {"words": [""]},
        {"words": ["a\u001b[2J"]},
        {"words": {"a": 4}},
        {"lowercase": "yes"},
        {"special": ["[UNK]", "[PAD]", "[CLS]", "[SEP]"]},
        {"surplus": 1},
    ],
)
def test_a_hostile_file_is_refused(tmp_path, change):
    path = fitted().save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=r"expected .* found .*words\.json"):
        WordVocabulary.open(path)


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"[" * 100_000, b"{}"])
def test_another_file_is_refused(tmp_path, raw):
    (tmp_path / "words.json").write_bytes(raw)
    with pytest.raises(InputError, match="expected"):
        WordVocabulary.open(tmp_path / "words.json")


@pytest.mark.parametrize("settings", [{"least": 0}, {"most": 0}, {"most": 1 << 21}])
def test_numbers_out_of_range(settings):
    with pytest.raises(UsageError, match="expected"):
        fitted(**settings)
