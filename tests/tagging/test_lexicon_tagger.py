from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_words import check, texts

from transferset.tagging import Tagger, load_tagger
from transferset.tagging.words import ENGLISH_WORD, Cut


@pytest.fixture(scope="module", params=["tagger", "whitespace"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    found = load_tagger("lexicon", words=request.param)
    found.tag(["compiled once"])
    return found


def tags(text: str, words: str = "tagger") -> str:
    tagger = load_tagger("lexicon", words=words)
    found = tagger.tag([text])
    pairs = zip(found.words, found.pos.tolist(), strict=True)
    return " ".join(f"{word}/{tagger.info.tags[code]}" for word, code in pairs)


def test_sentences_that_leave_no_doubt() -> None:
    # Penn Treebank tagging guidelines (Santorini 1990)
    assert tags("The dogs can't see him.") == "The/DT dogs/NNS ca/MD n't/RB see/VB him/PRP ./."
    assert tags("She's at John's house, isn't she?") == (
        "She/PRP 's/VBZ at/IN John/NNP 's/POS house/NN ,/, is/VBZ n't/RB she/PRP ?/."
    )


def test_texts_that_are_already_tokenised() -> None:
    assert tags("it 's a good film .", "whitespace") == "it/PRP 's/VBZ a/DT good/JJ film/NN ./."
    assert tags("can't", "whitespace").startswith("can't/")


def test_what_it_is() -> None:
    info = load_tagger("lexicon").info
    assert (info.spec, info.name, info.language, info.words) == (
        "lexicon",
        "lexicon",
        "en",
        "tagger",
    )
    assert info.version.startswith("english-1/")
    assert {"NN", "VBZ", "DT", "."} <= set(info.tags)
    assert "the" in info.stop_words
    assert info.word_pattern == ENGLISH_WORD
    assert load_tagger("lexicon", words="whitespace").info.words == "whitespace"


@settings(max_examples=60)
@given(given_texts=st.lists(texts, max_size=6))
def test_put_together_they_are_the_texts(tagger: Tagger, given_texts: list[str]) -> None:
    found = tagger.tag(given_texts)
    check(Cut(found.words, found.space, found.offsets), given_texts)
    assert found.pos.dtype == np.uint8
    assert len(found.pos) == len(found.words)
    assert all(found.pos < len(tagger.info.tags))


@settings(max_examples=60)
@given(given_texts=st.lists(texts, min_size=1, max_size=6))
def test_a_text_is_tagged_as_if_it_were_alone(tagger: Tagger, given_texts: list[str]) -> None:
    alone = np.concatenate([tagger.tag([text]).pos for text in given_texts])
    assert tagger.tag(given_texts).pos.tolist() == alone.tolist()


@pytest.mark.parametrize("nothing", [[], [""], ["", ""]])
def test_no_words(tagger: Tagger, nothing: list[str]) -> None:
    found = tagger.tag(nothing)
    assert (found.words, len(found.space), len(found.pos)) == ([], 0, 0)
    assert found.offsets.tolist() == [0] * (len(nothing) + 1)
