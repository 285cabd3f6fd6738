"""The lexicon tagger against a plain implementation, and on English."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise, product
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transferset.errors import InputError, UsageError
from transferset.tagging import hmm_choices, hmm_suffixes
from transferset.tagging.hmm import HmmTagger, load_hmm
from transferset.tagging.hmm_model import read, write
from transferset.tagging.hmm_scores import UNIT, moves, priors, sums

TAGS = ("A", "B", "C")
STATES = (*TAGS, "A^", "B^", "C^", "<>")


def _tags(tagger: HmmTagger, text: str) -> list[str]:
    words = text.split(" ")
    found = tagger.tag(words, np.array([0, len(words)], np.int64))
    return [tagger.tags[number] for number in found]


class Plain:
    """The tagger in plain Python: all paths, one after the other (ASCII words only)."""

    def __init__(self, words: dict[str, dict[str, int]], trigrams: np.ndarray) -> None:
        self.words = words
        self.moves = moves(sums(trigrams))
        self.priors = priors(sums(trigrams))
        total = sum(sum(counts.values()) for counts in words.values())
        self.whole = [sum(c.get(tag, 0) for c in words.values()) / total for tag in TAGS]

    def tag(self, words: list[str]) -> list[str]:
        choices = [self._choices(word) for word in words]
        # the highest score; of equal ones the lowest tags, from the last word back
        best = min(product(*choices), key=lambda path: (-self._score(path), path[::-1]))
        return [TAGS[state % 3] for state, _ in best]

    def _score(self, path: tuple[tuple[int, int], ...]) -> int:
        states = [6, 6, *(state for state, _ in path), 6]
        steps = zip(states, states[1:], states[2:], strict=False)
        return sum(score for _, score in path) + sum(int(self.moves[step]) for step in steps)

    def _choices(self, word: str) -> list[tuple[int, int]]:
        word = "".join("0" if c.isdigit() else c for c in word)
        small = word.lower()
        other = small if small != word else word[0].upper() + word[1:]
        shares = self._guess(small, _case(word))
        if other != word and other in self.words:
            shares = _mixed(shares, hmm_choices.ENDING_WEIGHT, self.words[other])
        if word in self.words:
            shares = _mixed(shares, hmm_choices.OTHER_WEIGHT, self.words[word])
        shift = 3 if _case(word) else 0
        return [
            (tag + shift, round(log(share / self.priors[tag + shift]) * UNIT))
            for tag, share in enumerate(shares)
            if share >= hmm_choices.FAINTEST * max(shares)
        ]

    def _guess(self, small: str, case: int) -> list[float]:
        shares = self.whole
        for size in range(min(len(small), hmm_suffixes.LONGEST_SUFFIX) + 1):
            ending = small[len(small) - size :]
            counts = self._ending(ending, case)
            total = sum(counts)
            if size and total < hmm_suffixes.LEAST:
                break
            weight = hmm_suffixes.SHORTER_WEIGHT
            own = [count / total for count in counts] if total else shares
            shares = [(o + weight * s) / (1 + weight) for o, s in zip(own, shares, strict=True)]
        return shares

    def _ending(self, ending: str, case: int) -> list[int]:
        rare = [
            counts
            for word, counts in self.words.items()
            if sum(counts.values()) <= hmm_suffixes.RARE
            and word.lower().endswith(ending)
            and _case(word) == case
        ]
        return [sum(counts.get(tag, 0) for counts in rare) for tag in TAGS]


def _case(word: str) -> int:
    if not word[0].isupper():
        return 0
    return 2 if word.isupper() and sum(c.isupper() for c in word) > 1 else 1


def _mixed(shares: list[float], weight: float, counts: dict[str, int]) -> list[float]:
    total = weight + sum(counts.values())
    pairs = zip(shares, TAGS, strict=True)
    return [(share * weight + counts.get(tag, 0)) / total for share, tag in pairs]


WORD = st.text("abAB7-", min_size=1, max_size=4)
COUNTS = st.dictionaries(st.sampled_from(TAGS), st.integers(1, 12), min_size=1)
LEXICON = st.dictionaries(WORD.map(lambda w: w.replace("7", "0")), COUNTS, min_size=1, max_size=12)
TRIPLES = st.dictionaries(st.tuples(*[st.sampled_from(STATES)] * 3), st.integers(1, 6), min_size=1)
TEXT = st.lists(WORD, min_size=1, max_size=5)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LEXICON, TRIPLES, st.lists(TEXT, min_size=1, max_size=3))
def test_tags_are_those_of_the_best_of_all_paths(
    tmp_path: Path,
    words: dict[str, dict[str, int]],
    triples: dict[tuple[str, str, str], int],
    texts: list[list[str]],
) -> None:
    write(tmp_path, TAGS, words, triples.items(), {})
    counts = read(tmp_path)
    plain = Plain(words, counts.trigrams)
    flat = [word for text in texts for word in text]
    found = HmmTagger(counts).tag(flat, _offsets(texts))
    expected = [tag for text in texts for tag in plain.tag(text)]
    assert [TAGS[number] for number in found] == expected


def _offsets(texts: list[list[str]]) -> np.ndarray:
    return np.cumsum([0, *map(len, texts)]).astype(np.int64)


def test_of_equal_paths_the_lowest_tags_are_taken(tmp_path: Path) -> None:
    # nothing tells the tags apart: every word and every move is as likely with each
    words = {"x": {"A": 4, "B": 4, "C": 4}}
    triples = dict.fromkeys(product(STATES, repeat=3), 1)
    write(tmp_path, TAGS, words, triples.items(), {})
    assert _tags(HmmTagger(read(tmp_path)), "x x y x") == ["A"] * 4


# Written for this test and tagged by hand after the Penn Treebank's guidelines.
SENTENCES = """
The/DT old/JJ clock/NN in/IN the/DT hall/NN struck/VBD nine/CD ./.
She/PRP does/VBZ n't/RB know/VB what/WP he/PRP wanted/VBD ./.
Where/WRB did/VBD they/PRP buy/VB those/DT cheap/JJ tickets/NNS ?/.
He/PRP has/VBZ been/VBN reading/VBG the/DT longest/JJS book/NN of/IN them/PRP all/DT ./.
My/PRP$ card/NN was/VBD declined/VBN twice/RB yesterday/NN ,/, but/CC it/PRP works/VBZ now/RB ./.
There/EX are/VBP 27/CD boats/NNS and/CC 1,204/CD people/NNS on/IN the/DT lake/NN ./.
Anna/NNP 's/POS brother/NN will/MD play/VB the/DT violin/NN in/IN London/NNP ./.
a/DT well-made/JJ and/CC surprisingly/RB funny/JJ film/NN
I/PRP would/MD rather/RB walk/VB home/NN than/IN wait/VB for/IN a/DT bus/NN ./.
The/DT walk/NN took/VBD us/PRP two/CD hours/NNS ./.
"""


def test_plain_english_is_tagged_as_by_hand() -> None:
    right = words = 0
    for line in SENTENCES.split("\n"):
        pairs = [pair.rsplit("/", 1) for pair in line.split(" ") if pair]
        if pairs:
            found = _tags(load_hmm(), " ".join(word for word, _ in pairs))
            right += sum(tag == own for tag, (_, own) in zip(found, pairs, strict=True))
            words += len(pairs)
    assert words == 93
    assert right / words > 0.93, right / words


def test_the_same_word_has_the_tag_of_its_place() -> None:
    found = _tags(load_hmm(), "They will walk to the end of the walk")
    assert (found[2], found[8]) == ("VB", "NN")


@pytest.mark.parametrize(
    ("word", "like"),
    [
        ("48,731", "12,345"),  # digits count as shape
        ("o’clock", "o'clock"),  # a typographic apostrophe is one
        ("TOGETHER", "Together"),
    ],
)
def test_writing_that_says_nothing_is_passed_over(word: str, like: str) -> None:
    assert _tags(load_hmm(), f"they sat {word} .") == _tags(load_hmm(), f"they sat {like} .")


def test_unknown_words_go_by_their_ending_and_their_capital() -> None:
    tags = dict(
        zip(
            ["gralfing", "blorked", "tromiously", "zindules", "Quarlbeck"],
            [
                _tags(load_hmm(), "he was gralfing it")[2],
                _tags(load_hmm(), "it was blorked by them")[2],
                _tags(load_hmm(), "she spoke tromiously to him")[2],
                _tags(load_hmm(), "the old zindules were sold")[2],
                _tags(load_hmm(), "we went to Quarlbeck in May")[3],
            ],
            strict=True,
        )
    )
    assert tags == {
        "gralfing": "VBG",
        "blorked": "VBN",
        "tromiously": "RB",
        "zindules": "NNS",
        "Quarlbeck": "NNP",
    }


@lru_cache
def _some_words() -> tuple[str, ...]:
    pairs = (pair.rsplit("/", 1)[0] for pair in SENTENCES.split() if pair)
    odd = (
        "",
        "🙂",
        "ÉTÉ",
        "𠀀",
        "\u200b",
        "'",
        "’",
        "-",
        "...",
        "x" * 5000,
        "é" * 40,
        "ß",
        "0" * 64,
    )
    return (*pairs, *filter(None, odd))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(_some_words()), max_size=12), max_size=8))
def test_a_text_is_tagged_the_same_in_any_company(texts: list[list[str]]) -> None:
    together = load_hmm().tag([word for text in texts for word in text], _offsets(texts))
    alone = [load_hmm().tag(text, np.array([0, len(text)])).tolist() for text in texts]
    offsets = _offsets(texts).tolist()
    assert [together[a:b].tolist() for a, b in pairwise(offsets)] == alone


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_words_have_tags(words: list[str]) -> None:
    found = load_hmm().tag(words, np.array([0, len(words)]))
    assert found.dtype == np.uint8
    assert len(found) == len(words)
    assert all(number < len(load_hmm().tags) for number in found)


def test_a_long_text_is_one_text() -> None:
    words = ["the", "dog", "barked", "."] * 50_000
    found = load_hmm().tag(words, np.array([0, len(words)]))
    names = [load_hmm().tags[number] for number in found[:4]]
    assert names == ["DT", "NN", "VBD", "."]
    assert (found.reshape(-1, 4) == found[:4]).all()


def test_the_tagger_is_kept_and_names_its_model() -> None:
    assert load_hmm() is load_hmm()
    assert len(load_hmm().version) == 16
    assert load_hmm().tags == tuple(sorted(load_hmm().tags))
    assert {"NN", "VBZ", "PRP$", "``", "HYPH"} <= set(load_hmm().tags)


@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 3], [0, 2, 1, 2], []])
def test_offsets_that_do_not_fit_are_refused(offsets: list[int]) -> None:
    with pytest.raises(UsageError, match="offsets that rise from 0"):
        load_hmm().tag(["a", "b"], np.array(offsets, np.int64))


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(InputError, match="an empty word"):
        load_hmm().tag(["a", ""], np.array([0, 2]))


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InputError, match="words that UTF-8 can hold"):
        load_hmm().tag(["\ud800"], np.array([0, 1]))
