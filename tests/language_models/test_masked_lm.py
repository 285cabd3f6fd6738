"""What a model proposes, against one masked text at a time through the whole model."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

from plain_proposing import PlainLm
from tiny_models import PIECES, VOCABULARY, WORDS, bert_config, write_bert, write_word_pieces

from transferset.language_models.masked import open_masked_lm

TEXTS = [
    (["The", "cat", "sat", "on", "the", "mat", "."], [1, 1, 1, 1, 1, 0, 0]),
    (["She", "is", "n't", "unhappy", ",", "walks", "slowly"], [1, 0, 1, 0, 1, 1, 0]),
    (["[MASK]", "dog", "zebra", "[SEP]", "dogs"], [1, 1, 1, 1, 0]),
    (["king"], [0]),
    ([], []),
    (["a", "small", "bird", "sees", "the", "moon", "and", "the", "red", "stone"], [1] * 10),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert") / "tiny")


@pytest.fixture(scope="module")
def plain(folder):
    return PlainLm(folder)


def propose(model, texts, count=15, eligible=None):
    words, spaces = [list(w) for w, _ in texts], [[bool(s) for s in space] for _, space in texts]
    asked = eligible or [[True] * len(w) for w in words]
    return model.propose(words, spaces, asked, count)


def expected(plain, texts, count=15):
    found = []
    for words, space in texts:
        for place, word in enumerate(words):
            single = len(plain.pieces(word)) == 1 and plain.pieces(word) != [1]
            scores = plain.by_mask(words, space, place) if single else plain.by_vector(word)
            found.append(plain.best(scores, count))
    return found


def test_candidates_are_those_of_one_masked_text_at_a_time(folder, plain):
    texts = [text for text in TEXTS if "[MASK]" not in text[0]]
    found = propose(open_masked_lm(folder, batch=4), texts)
    assert found.candidates == expected(plain, texts)


# "unhappy" is un ##happy, "walks" walk ##s, "slowly" not in the vocabulary at all
def test_words_of_one_piece_are_masked_and_others_are_looked_up(folder):
    found = propose(open_masked_lm(folder), [(["unhappy", "dog", "walks", "slowly"], [1, 1, 1, 0])])
    assert (found.masked, found.looked_up) == (1, 3)
    assert [len(words) for words in found.candidates] == [15, 15, 15, 0]


WORD = st.sampled_from([*WORDS, "unhappy", "dogs", "walking", ".", ",", "n't", "Cat", "THE", "q"])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.lists(st.tuples(WORD, st.booleans()), max_size=8), min_size=1, max_size=6),
    st.integers(1, 5),
    st.integers(1, 60),
)
def test_any_texts_in_any_batches_up_to_the_last_bits_of_scores(folder, plain, rows, batch, count):
    texts = [([w for w, _ in row], [s for _, s in row]) for row in rows]
    model = open_masked_lm(folder, batch=batch)
    answers = iter(propose(model, texts, count).candidates)
    number = {word: i for i, word in plain.words.items()}
    for words, space in texts:
        for place, word in enumerate(words):
            single = len(plain.pieces(word)) == 1 and plain.pieces(word) != [1]
            scores = plain.by_mask(words, space, place) if single else plain.by_vector(word)
            proposed = [number[candidate] for candidate in next(answers)]
            assert len(proposed) == len(set(proposed)) == min(count, len(scores))
            assert set(proposed) <= set(scores)
            mine = [scores[i] for i in proposed]
            assert all(a >= b - 1e-4 for a, b in pairwise(mine))
            others = [s for i, s in scores.items() if i not in proposed]
            assert not others or not mine or mine[-1] >= max(others) - 1e-4


def test_a_word_is_never_its_own_candidate_and_candidates_are_whole_words(folder):
    texts = [text for text in TEXTS if text[0]]
    found = iter(propose(open_masked_lm(folder), texts, count=1000).candidates)
    for word in (word for words, _ in texts for word in words):
        candidates = next(found)
        assert word.lower() not in candidates
        assert set(candidates) <= {*WORDS, *(p for p in PIECES if p.isalpha())}


def test_only_eligible_words_are_answered_in_order(folder):
    model = open_masked_lm(folder)
    texts = [TEXTS[0], TEXTS[3]]
    every = propose(model, texts).candidates
    some = propose(model, texts, eligible=[[False, True, True, *[False] * 4], [True]]).candidates
    assert some == [every[1], every[2], every[7]]


def test_what_spells_a_special_piece_is_text(folder):
    found = propose(open_masked_lm(folder), [TEXTS[2]]).candidates
    # "[MASK]" is three pieces of punctuation and letters here, and one of them is unknown
    assert [len(words) for words in found] == [0, 15, 0, 0, 15]


def test_nothing_is_proposed_of_nothing(folder):
    assert propose(open_masked_lm(folder), []).candidates == []
    assert propose(open_masked_lm(folder), [TEXTS[4]]).candidates == []


def test_candidates_match_the_pattern(folder):
    model = open_masked_lm(folder)
    words, spaces = ["the", "dogs"], [True, False]
    found = model.propose([words], [spaces], [[True, True]], 100, "[a-c]+t")
    assert [sorted(candidates) for candidates in found.candidates] == [["cat"], ["cat"]]


def test_a_long_text_is_shown_around_the_mask(tmp_path):
    folder = write_bert(tmp_path / "short", positions=12)
    words = [random.Random(1).choice(WORDS) for _ in range(40)]
    model, plain = open_masked_lm(folder, batch=7), PlainLm(folder)
    found = propose(model, [(words, [1] * 39 + [0])]).candidates
    for place, candidates in enumerate(found):
        # ten words fit: the mask, and of others four before it and five after it
        start = min(max(place - 4, 0), 30)
        window, at = words[start : start + 10], place - start
        assert candidates == plain.best(plain.by_mask(window, [1] * 9 + [0], at), 15)


def test_a_cased_model_proposes_words_as_they_are(tmp_path):
    vocabulary = [*VOCABULARY, "Dog", "Paris"]
    folder = write_bert(tmp_path / "cased", vocabulary=vocabulary, lowercase=False)
    found = propose(open_masked_lm(folder), [(["dog", "Paris"], [1, 0])], count=1000).candidates
    assert "Paris" in found[0]
    assert not {"dog", "Dog"} & set(found[0])
    assert {"dog", "Dog"} <= set(found[1])


def test_equal_scores_are_in_order_of_ids(tmp_path):
    import torch
    import transformers

    folder = write_bert(tmp_path / "even")
    model = transformers.BertForMaskedLM.from_pretrained(folder)
    with torch.no_grad():  # every score is exactly 0, and no vector has a direction
        model.bert.embeddings.word_embeddings.weight[:] = 0
        model.cls.predictions.bias[:] = 0
    model.save_pretrained(folder)
    found = propose(open_masked_lm(folder), [(["cat", "dogs"], [1, 0])], count=5).candidates
    assert found == [["the", "a", "an", "of", "to"], []]


@pytest.mark.parametrize("kind", ["Roberta", "DistilBert", "Electra", "Albert"])
def test_heads_of_other_models_see_the_masked_positions_alone(tmp_path, kind):
    import torch
    import transformers

    torch.manual_seed(1)
    own = {"dim": 32, "hidden_dim": 64, "n_heads": 2, "n_layers": 2, "embedding_size": 32}
    base = bert_config().to_dict()
    base = {k: base[k] for k in base if k.startswith(("hid", "num", "int", "vocab", "init", "max"))}
    config = getattr(transformers, f"{kind}Config")(**base, **own, pad_token_id=0)
    folder = tmp_path / kind
    folder.mkdir()
    getattr(transformers, f"{kind}ForMaskedLM")(config).save_pretrained(folder)
    write_word_pieces(folder)
    model = open_masked_lm(folder, batch=3)
    assert model.gathers
    texts = [text for text in TEXTS if "[MASK]" not in text[0]]
    if kind == "Roberta":
        assert model.positions == 63  # its first position is that of padding, whose id is 0
    assert propose(model, texts).candidates == expected(PlainLm(folder), texts)


def test_the_threads_of_torch_are_given_back(folder):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        propose(open_masked_lm(folder), TEXTS)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
