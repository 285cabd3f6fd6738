"""Texts as the pieces of a causal language model, and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from causal_folders import (
    END,
    gpt2,
    llama2,
    llama3,
    row,
    unigram,
    write_bert_pieces,
    write_config,
    write_tokenizer,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import PIECES, SPECIAL, WORDS
from tokenizers import Tokenizer, models, pre_tokenizers

from transferset.errors import InputError
from transferset.language_models.causal import CausalPieces

MADE = {"gpt2": gpt2, "llama3": llama3, "llama2": llama2, "unigram": unigram}


@pytest.fixture(scope="session")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")
    found = {name: CausalPieces(write_tokenizer(folder / name, m())) for name, m in MADE.items()}
    bert = write_bert_pieces(folder / "bert")
    return found | {"bert": CausalPieces(bert)}


def raw(path):
    """The tokenizer by itself."""
    return Tokenizer.from_file(str(path / "tokenizer.json"))


def normal(text):
    return " ".join(text.split())


# U+FFFD stands for broken bytes, so it is no text
characters = st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\ufffd")
#: What could be mistaken for something else, among any printable characters.
texts = st.lists(
    st.text(characters, max_size=8)
    | st.sampled_from(
        [" ", "  ", " n't", " .", "'", END, "<|eot_id|>", "</s>", "\n", "\t", "\xa0"]
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
@given(given_texts=st.lists(texts, min_size=1, max_size=4))
@settings(deadline=None)
def test_bytes_neither_come_nor_go(opened, name, given_texts):
    pieces = opened[name]
    ids, offsets = pieces.encode(given_texts)
    assert pieces.decode(ids, offsets) == [(normal(text),) for text in given_texts]
    assert not set(ids.tolist()) & {pieces.start, *pieces.ends, pieces.separator}


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
@given(pairs=st.lists(st.tuples(texts, texts), max_size=4))
@settings(deadline=None)
def test_pairs_come_back_as_pairs(opened, name, pairs):
    pieces = opened[name]
    ids, offsets = pieces.encode([a for a, _ in pairs], [b for _, b in pairs])
    assert pieces.decode(ids, offsets) == [(normal(a), normal(b)) for a, b in pairs]


@given(words=st.lists(st.sampled_from([*WORDS, *PIECES[:5], ".", "'", "don't"]), max_size=12))
@settings(deadline=None)
def test_what_word_pieces_spell_gives_the_same_word_pieces(opened, words):
    pieces = opened["bert"]
    first, offsets = pieces.encode([" ".join(words)])
    if (decoded := pieces.decode(first, offsets)[0]) is not None:
        again, _ = pieces.encode(decoded)
        assert again.tolist() == first.tolist()
    else:
        assert raw_unknown(pieces) in first


def raw_unknown(pieces):
    return SPECIAL.index("[UNK]")


def test_any_word_pieces_that_text_could_give_are_found_again(opened):
    pieces = opened["bert"]
    rng = np.random.default_rng(5)
    high = len(SPECIAL) + len(WORDS)  # words; the rest of words follow one
    rows = [rng.integers(len(SPECIAL), high, n).astype(np.int32) for n in range(1, 20)]
    for ids in rows:
        ((text,),) = pieces.decode(*row(*ids))
        assert pieces.encode([text])[0].tolist() == ids.tolist()


def test_rests_of_words_are_joined(opened):
    ids, offsets = opened["bert"].encode(["walking unhappy cats do not"])
    assert opened["bert"].spelled(ids)[:5] == ["walk", "##ing", "un", "##happy", "cat"]
    assert opened["bert"].decode(ids[:5], offsets * 0 + [0, 5]) == [("walking unhappy cat",)]


def test_nothing_is_contracted(tmp_path):
    # the usual decoder of BERT's makes "don't" of these
    folder = write_bert_pieces(tmp_path / "bert", vocabulary=[*SPECIAL, "do", "not", "'", "s", "."])
    pieces = CausalPieces(folder)
    ids, offsets = pieces.encode(["do not 's ."])
    assert pieces.decode(ids, offsets) == [("do not ' s .",)]


def test_the_rest_of_a_word_with_nothing_before_it_is_no_text(opened):
    pieces = opened["bert"]
    cat, rest = pieces.encode(["cats"])[0].tolist()
    assert pieces.decode(*row(rest, cat)) == [None]
    assert pieces.decode(*row(cat, pieces.separator, rest)) == [None]
    assert pieces.decode(*row(cat, pieces.separator, cat, rest)) == [("cat", "cats")]


@pytest.mark.parametrize(
    ("name", "text"),
    [("llama2", "the cat é 東京"), ("unigram", "the cat sat"), ("llama2", "a  the \n cat ")],
)
def test_a_mark_for_spaces_becomes_spaces(opened, name, text):
    pieces = opened[name]
    ids, offsets = pieces.encode([text, "", text])
    assert pieces.decode(ids, offsets) == [(normal(text),), ("",), (normal(text),)]


def test_no_space_is_put_before_a_text(opened):
    pieces = opened["gpt2"]
    ids, _ = pieces.encode(["the cat"])
    assert pieces.spelled(ids[:1]) == ["the"]
    assert pieces.spelled(ids[1:2])[0].startswith(" ")


@pytest.mark.parametrize("name", ["gpt2", "llama3", "llama2", "unigram", "bert"])
def test_a_special_piece_that_is_spelled_out_is_text(opened, name):
    pieces = opened[name]
    special = [END, "<|eot_id|>", "</s>", "<s>", "[SEP]", "[CLS]"]
    ids, _ = pieces.encode([f"the cat {piece} the {piece}{piece}" for piece in special])
    assert not set(ids.tolist()) & {pieces.start, pieces.padding, *pieces.ends}


def test_an_end_that_is_not_marked_as_special_is_no_text_either(tmp_path):
    made = gpt2().to_str().replace('"special":true', '"special":false')
    pieces = CausalPieces(write_tokenizer(tmp_path / "p", Tokenizer.from_str(made)))
    ids, offsets = pieces.encode([f"a {END} b"])
    assert pieces.end not in ids
    assert pieces.decode(ids, offsets) == [(f"a {END} b",)]
    assert pieces.decode(*row(pieces.end)) == [None]


def test_rows_with_a_special_piece_are_no_text(opened):
    for pieces in opened.values():
        word = pieces.encode(["the"])[0].tolist()
        rows = [
            [*word, pieces.end, *word],
            word,
            [pieces.end],
            [],
            [*word, pieces.size],
            [*word, -1],
        ]
        ids = np.array([i for r in rows for i in r], np.int32)
        offsets = np.cumsum([0, *map(len, rows)])
        assert pieces.decode(ids, offsets) == [None, ("the",), None, ("",), None, None]


def test_unknown_words_are_no_text(opened):
    pieces = opened["bert"]
    ids, offsets = pieces.encode(["the zebra", "the cat"])
    assert pieces.decode(ids, offsets) == [None, ("the cat",)]


@pytest.mark.parametrize("name", ["gpt2", "llama3", "llama2"])
def test_broken_utf8_is_no_text(opened, name):
    pieces = opened[name]
    first, second = pieces.encode(["\u0416"])[0].tolist()[-2:]  # Ж: two bytes, two pieces
    assert pieces.decode(*row(first, second)) == [("\u0416",)]
    assert pieces.decode(*row(first)) == [None]
    assert pieces.decode(*row(second, first)) == [None]
    assert pieces.decode(*row(first, pieces.separator, second)) == [None]


def test_rows_may_lie_anywhere_in_the_pieces(opened):
    pieces = opened["gpt2"]
    ids, offsets = pieces.encode(["the cat", "the dog", "a mat"])
    assert pieces.decode(ids, offsets[1:3]) == [("the dog",)]
    ids, offsets = pieces.encode(["the", "cat", "a"], ["b", "c", "d"])
    assert pieces.decode(ids, offsets[1:3]) == [("cat", "c")]
    assert pieces.decode(ids, offsets[:1]) == []


def test_rows_beyond_one_block_are_like_the_first(opened):
    pieces = opened["gpt2"]
    given_texts = [f"the cat {i}" for i in range(20_000)]
    ids, offsets = pieces.encode(given_texts, given_texts[::-1])
    found = pieces.decode(ids, offsets)
    assert found == list(zip(given_texts, given_texts[::-1], strict=True))
    assert (ids.dtype, offsets.dtype) == (np.int32, np.int64)


def test_separators_part_texts(opened):
    pieces = opened["gpt2"]
    the, new = pieces.encode(["the"])[0].tolist(), pieces.separator
    assert pieces.decode(*row(*the, new, new, *the)) == [("the", "", "the")]
    assert pieces.decode(*row(new)) == [("", "")]
    assert pieces.spelled([new]) == ["\n"]
    assert opened["bert"].separator == opened["bert"].start


def test_a_tokenizer_without_a_separator(opened):
    pieces = opened["unigram"]
    with pytest.raises(InputError, match=r"a piece for a newline, .* found none"):
        _ = pieces.separator
    with pytest.raises(InputError, match="a piece for a newline"):
        pieces.encode(["the"], ["the"])
    assert pieces.decode(*pieces.encode(["the"])) == [("the",)]


def test_as_many_second_texts(opened):
    with pytest.raises(ValueError, match="shorter"):
        opened["gpt2"].encode(["a", "b"], ["c"])


def test_pieces_for_people(opened):
    gpt, llama = opened["gpt2"], opened["llama2"]
    assert gpt.spelled(gpt.encode(["the Ж"])[0]) == ["the", " ", "Ð", "ĸ"]
    assert llama.spelled(llama.encode(["the"])[0]) == [" the"]
    assert gpt.spelled([gpt.end, 10**6]) == [END, "<1000000>"]


# Which pieces start and end texts.


def roles(folder):
    pieces = CausalPieces(folder)
    name = raw(folder).id_to_token
    return name(pieces.start), name(pieces.end), [name(i) for i in pieces.ends]


def test_without_a_word_the_usual_pieces_are_taken(opened, tmp_path):
    gpt = opened["gpt2"]
    assert gpt.start == gpt.end == gpt.padding == 0
    assert gpt.ends == (0,)
    assert roles(write_bert_pieces(tmp_path)) == ("[CLS]", "[SEP]", ["[SEP]"])
    assert roles(write_tokenizer(tmp_path, llama2()))[1] == "</s>"


def test_the_configuration_says_which_pieces_start_and_end(tmp_path):
    folder = write_tokenizer(tmp_path, llama3(), eos_token="<|begin_of_text|>")
    assert roles(folder) == ("<|begin_of_text|>", "<|begin_of_text|>", ["<|begin_of_text|>"])
    write_config(folder, bos_token_id=0, eos_token_id=[2, 1])
    write_config(folder, "generation_config.json", eos_token_id=[1, 2, 0])
    ends = ["<|eot_id|>", "<|end_of_text|>", "<|begin_of_text|>"]
    assert roles(folder) == ("<|begin_of_text|>", "<|eot_id|>", ends)


def test_tokens_may_be_objects(tmp_path):
    folder = write_tokenizer(tmp_path, llama3(), eos_token={"content": "<|eot_id|>"}, pad_token=3)
    assert roles(folder) == ("<|eot_id|>", "<|eot_id|>", ["<|eot_id|>"])


def test_numbers_that_are_no_special_piece_are_no_end(tmp_path):
    # transformers writes its defaults whatever the tokenizer is: 50256 for GPT-2, 1 and 2 for Llama
    folder = write_tokenizer(tmp_path, gpt2())
    for wrong in (50256, 2, -1, True, "0", None, [5, 6]):
        write_config(folder, bos_token_id=wrong, eos_token_id=wrong)
        assert roles(folder) == (END, END, [END])
    folder = write_tokenizer(tmp_path, llama3(), eos_token="<|eot_id|>")
    write_config(folder, eos_token_id=True)  # which Python takes for 1
    assert roles(folder)[1] == "<|eot_id|>"


def test_a_tokenizer_that_names_no_end(tmp_path):
    made = Tokenizer(models.WordLevel({"a": 0}))
    with pytest.raises(InputError, match=r'a piece that ends a text, found none .*add "eos_token"'):
        CausalPieces(write_tokenizer(tmp_path, made))


def test_a_tokenizer_without_a_decoder(tmp_path):
    made = gpt2()
    made.decoder = None
    with pytest.raises(InputError, match=r"a tokenizer\.json with a decoder, found none"):
        CausalPieces(write_tokenizer(tmp_path, made))


def test_words_by_themselves_need_no_decoder(tmp_path):
    made = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "a": 2, "b": 3}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    pieces = CausalPieces(write_tokenizer(tmp_path, made))
    assert pieces.decode(*pieces.encode(["a b", "b c"])) == [("a b",), None]
    assert pieces.end not in pieces.encode(["a </s> b"])[0]


def test_a_model_without_a_tokenizer(tmp_path):
    with pytest.raises(InputError, match=r"a file tokenizer\.json, .*AutoTokenizer\.from_pretr"):
        CausalPieces(tmp_path)


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_tokenizer_that_is_none(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(InputError, match=r"expected a tokenizer\.json"):
        CausalPieces(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_statement_that_is_no_json(tmp_path, name):
    folder = write_tokenizer(tmp_path, gpt2())
    (folder / name).write_text("{")
    with pytest.raises(InputError, match="expected JSON"):
        CausalPieces(folder)


def test_padding_and_truncation_of_the_file_are_not_applied(tmp_path):
    made = gpt2()
    made.enable_truncation(2)
    made.enable_padding(length=9)
    pieces = CausalPieces(write_tokenizer(tmp_path, made))
    assert pieces.decode(*pieces.encode(["the cat sat"])) == [("the cat sat",)]


def test_a_file_stands_for_its_directory(tmp_path):
    folder = write_tokenizer(tmp_path, llama3(), eos_token="<|eot_id|>")
    assert CausalPieces(folder / "tokenizer.json").end == CausalPieces(folder).end


def test_saved_pieces_open_alike(tmp_path):
    folder = write_tokenizer(tmp_path / "a", llama3())
    write_config(folder, eos_token_id=2)
    before, out = CausalPieces(folder), tmp_path / "b"
    out.mkdir()
    names = [path.name for path in before.save(out)]
    assert names == ["tokenizer.json", "tokenizer_config.json"]
    after = CausalPieces(out)
    assert (after.start, after.end, after.padding) == (before.start, before.end, before.padding)
    stated = json.loads((out / "tokenizer_config.json").read_text())
    assert stated["eos_token"] == "<|eot_id|>"


def test_saved_statements_are_as_they_were(tmp_path):
    folder = write_tokenizer(tmp_path / "a", gpt2(), eos_token=END, model_max_length=7)
    out = tmp_path / "b"
    out.mkdir()
    for path in CausalPieces(folder).save(out):
        assert path.read_bytes() == (folder / path.name).read_bytes()
