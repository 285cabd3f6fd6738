"""Nearest neighbours among word vectors, against cosines in plain Python."""

from __future__ import annotations

import math
import sys
from importlib.metadata import PackageNotFoundError
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_proposing import cosine

from transferset.errors import InputError, UsageError
from transferset.files import digest_file
from transferset.language_models.masked import LETTERS
from transferset.language_models.vector_files import describe_vectors, load_vectors
from transferset.language_models.vectors import nearest

pytest.importorskip("torch")

GLOVE = """the 1 0 0
cat 0 1 0
dog 0 0.9 0.1
mouse 0 0.5 0.5
. 0 1 0.01
nothing 0 0 0
car 0 -1 0
. . 0 0 1
"""


def written(tmp_path, text, name="vectors.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


# cosines with dog (0, 0.9, 0.1): cat 0.994, mouse 0.781, the 0, car −0.994; "." is no word
def test_neighbours_are_in_order_of_cosines(tmp_path):
    vectors = load_vectors(written(tmp_path, GLOVE))
    assert nearest(vectors, ["dog"], 10, LETTERS) == {"dog": ["cat", "mouse", "the", "car"]}
    assert nearest(vectors, ["dog"], 2, LETTERS) == {"dog": ["cat", "mouse"]}
    assert nearest(vectors, ["dog"], 9, "c.*") == {"dog": ["cat", "car"]}


def test_a_word_takes_the_vector_of_its_lower_case(tmp_path):
    vectors = load_vectors(written(tmp_path, GLOVE))
    assert nearest(vectors, ["Dog"], 1, LETTERS) == {"Dog": ["cat"]}


def test_words_without_a_vector_or_a_direction_have_none(tmp_path):
    vectors = load_vectors(written(tmp_path, GLOVE))
    assert nearest(vectors, ["zebra", "nothing"], 3, LETTERS) == {}
    assert nearest(vectors, [], 3, LETTERS) == {}


def test_the_first_vector_of_a_word_counts(tmp_path):
    vectors = load_vectors(written(tmp_path, "cat 1 0\ndog 0.8 0.2\ncat 0 1\nsun 0 1\n"))
    assert nearest(vectors, ["cat"], 1, LETTERS) == {"cat": ["dog"]}


def test_files_may_begin_with_two_counts_as_word2vec_writes_them(tmp_path):
    vectors = load_vectors(written(tmp_path, "3 2\ncat 1 0\ndog 1 1\nsun 0 1\n"))
    assert nearest(vectors, ["cat"], 2, LETTERS) == {"cat": ["dog", "sun"]}


def test_only_the_first_words_of_a_file_are_read(tmp_path):
    path = written(tmp_path, "cat 1 0\ndog 0 1\nsun 1 0\nmoon bad\n")
    vectors = load_vectors(path, most_words=2)
    assert nearest(vectors, ["cat"], 5, LETTERS) == {"cat": ["dog"]}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"dog 1", "1 numbers"),
        (b"", "0 numbers"),
        (b"dog 1 two 3", "could not convert"),
        (b"dog 1 nan 3", "others"),
        (b"dog 1 1e39 3", "others"),
        (b"d\xffg 1 2 3", "can't decode byte"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, found):
    path = written(tmp_path, b"cat 1 2 3\nsun 1 1 1\n" + line + b"\nmoon 1 0 0\n")
    with pytest.raises(InputError, match=rf"found .*{found}.* at .*vectors\.txt:3$"):
        load_vectors(path)


def test_the_line_of_counts_is_counted_too(tmp_path):
    path = written(tmp_path, "2 3\ncat 1 2 3\ndog 1\n")
    with pytest.raises(InputError, match=r"vectors\.txt:3"):
        load_vectors(path)


@pytest.mark.parametrize("text", ["", "cat\n", "cat" + " 1" * 5000 + "\n", "1 0\n"])
def test_a_file_that_holds_no_vectors(tmp_path, text):
    with pytest.raises(InputError, match="expected a word and 1 to 4096 numbers"):
        load_vectors(written(tmp_path, text))


def test_a_line_without_end_is_not_read_whole(tmp_path):
    path = written(tmp_path, "cat 1 2\n" + "x" * (1 << 20))
    with pytest.raises(InputError, match="expected a word and 2 numbers"):
        load_vectors(path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="a file of word vectors, found none"):
        load_vectors(str(tmp_path / "nowhere.txt"))
    with pytest.raises(InputError, match="a file of word vectors, found none"):
        describe_vectors(str(tmp_path / "nowhere.txt"))


def test_a_recipe_records_the_file(tmp_path):
    path = written(tmp_path, GLOVE)
    digest = digest_file(tmp_path / "vectors.txt")
    assert describe_vectors(path) == {"name": "vectors.txt", "blake3": digest}
    assert describe_vectors(None) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 50), st.integers(0, 10**6))
def test_neighbours_are_those_of_plain_cosines(tmp_path_factory, words, width, count, seed):
    random = np.random.default_rng(seed)
    rows = {
        "".join(random.choice(list("abcd"), 5)): random.normal(size=width) for _ in range(words)
    }
    text = "".join(f"{w} {' '.join(map(repr, v.tolist()))}\n" for w, v in rows.items())
    vectors = load_vectors(written(tmp_path_factory.mktemp("v"), text))
    found = nearest(vectors, list(rows), count, LETTERS)
    for word, neighbours in found.items():
        near = {w: cosine(rows[word], v) for w, v in rows.items() if w != word}
        assert len(neighbours) == len(set(neighbours)) == min(count, len(near))
        mine = [near[w] for w in neighbours]
        assert all(a >= b - 1e-5 for a, b in pairwise(mine))
        rest = [c for w, c in near.items() if w not in neighbours]
        assert not rest or mine[-1] >= max(rest) - 1e-5
    assert set(found) == set(rows)
    assert all(math.hypot(*v) > 0 for v in rows.values())


def a_pipeline(tmp_path, words):
    spacy = pytest.importorskip("spacy")
    nlp = spacy.blank("en")
    for word, vector in words.items():
        nlp.vocab.set_vector(word, np.array(vector, np.float32))
    nlp.to_disk(tmp_path / "pipeline")
    return f"spacy:{tmp_path / 'pipeline'}"


def test_vectors_of_a_spacy_pipeline(tmp_path):
    spec = a_pipeline(tmp_path, {"cat": [1, 0], "dog": [2, 1], "Sun": [0, 3], "7": [1, 0]})
    assert nearest(load_vectors(spec), ["cat", "sun"], 5, LETTERS) == {"cat": ["dog", "Sun"]}
    assert describe_vectors(spec)["name"].startswith(f"{spec}-")


def test_a_spacy_pipeline_without_vectors(tmp_path):
    with pytest.raises(UsageError, match="a spaCy pipeline with word vectors"):
        load_vectors(a_pipeline(tmp_path, {}))


def test_a_spacy_pipeline_that_is_not_installed():
    pytest.importorskip("spacy")
    with pytest.raises(UsageError, match="python -m spacy download no_such_model"):
        load_vectors("spacy:no_such_model")


def test_spacy_is_not_installed(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    module = sys.modules["transferset.language_models.vector_files"]
    monkeypatch.setattr(module, "version", missing)
    with pytest.raises(UsageError, match=r"pip install 'transferset\[spacy\]'"):
        describe_vectors("spacy:en_core_web_md")
