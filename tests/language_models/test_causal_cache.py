"""Pieces shown one by one, against the whole row at once; and what texts are worth to a model."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from plain_sampling import END, SIZE, START, gpt2, other

from transferset.errors import InputError
from transferset.language_models.causal import attention, packing
from transferset.language_models.causal.agreeing import open_forward
from transferset.language_models.causal.forward import Forward
from transferset.language_models.causal.gpt2 import Gpt2
from transferset.language_models.causal.likelihood import perplexity

LONGEST = 24

#: Scores agree to this share of the highest: rounding in float32.
TOLERANCE = 1e-4

HEAD = {"head_dim": 4}
MODELS = {
    "GPT2": ({}, attention.NAME),
    "Llama": ({}, attention.NAME),
    "Mistral": (HEAD | {"sliding_window": None}, attention.NAME),
    "Qwen2": ({}, attention.NAME),
    "Qwen3": (HEAD, attention.NAME),
    "GPTNeoX": ({}, attention.NAME),
    "OPT": ({"ffn_dim": 24, "word_embed_proj_dim": 16}, attention.NAME),
    # windows, soft caps, sinks, attention of another kind: by a mask
    "Mistral, window": (HEAD | {"sliding_window": 6}, "sdpa"),
    "Gemma2": (HEAD | {"sliding_window": 6, "attn_implementation": "eager"}, "eager"),
    "Gemma3Text": (HEAD | {"sliding_window": 6}, "sdpa"),
    "GPTJ": ({"n_embd": 16, "n_layer": 2, "n_head": 2, "rotary_dim": 4, "n_positions": 32}, "sdpa"),
}


def make(name):
    kind, members = name.split(",")[0], MODELS[name][0]
    return gpt2() if kind == "GPT2" else other(kind, **members)


def test_all_rows_have_the_scores_of_the_whole_rows_whatever_was_in_their_places_before():
    for name, (_, way) in MODELS.items():
        model = make(name)
        forward = open_forward(model, START, 8, LONGEST)
        assert forward.way == way, name
        ids = torch.from_numpy(np.random.default_rng(0).integers(0, SIZE, (8, LONGEST)))
        ids[:, 0] = START
        with torch.inference_mode():
            whole = model(input_ids=ids).logits
        forward.begin(START)
        at = torch.ones(8, dtype=torch.int64)
        for step in range(26):
            found = forward.show(ids[torch.arange(8), at], at)
            wanted = whole[torch.arange(8), at]
            assert (found - wanted).abs().max() <= TOLERANCE * wanted.abs().max(), (name, step)
            # one after the other, places begin again with the row that they had
            at = torch.where((at == LONGEST - 1) | (torch.arange(8) == step), 1, at + 1)


def test_scores_behind_the_start_are_those_of_the_start_alone():
    model = gpt2()
    with torch.inference_mode():
        wanted = model(input_ids=torch.tensor([[START]])).logits[0]
    found = open_forward(model, START, 64, LONGEST).begin(START)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_gpt2_has_a_way_of_its_own_which_changes_no_bit_of_weights():
    model = gpt2()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    forward = open_forward(model, START, 8, LONGEST)
    assert type(forward) is Gpt2
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())


def test_a_gpt2_that_computes_something_else_takes_the_common_way():
    model = gpt2()
    model.lm_head.register_forward_hook(lambda module, given, found: found + 1)
    for one in (model, gpt2(add_cross_attention=True)):
        assert type(open_forward(one, START, 8, LONGEST)) is Forward
    # these it knows from the modules
    for members in ({"activation_function": "relu"}, {"scale_attn_by_inverse_layer_idx": True}):
        assert type(open_forward(gpt2(**members), START, 8, LONGEST)) is Gpt2


def test_models_that_keep_something_else_are_refused():
    import transformers

    torch.manual_seed(0)
    config = transformers.MambaConfig(vocab_size=SIZE, hidden_size=16, num_hidden_layers=2)
    for model in (transformers.MambaForCausalLM(config), other("Bloom", n_head=2, n_layer=2)):
        with pytest.raises(InputError, match="expected a "):
            open_forward(model, START, 8, LONGEST)


def test_without_mkl_the_models_own_products_are_used(monkeypatch):
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: False)
    model = gpt2()
    assert packing.Packed(model, 64)[model.lm_head] is model.lm_head
    assert type(open_forward(model, START, 8, LONGEST)) is Gpt2


def test_packed_products_are_those_of_the_modules():
    if not hasattr(torch.ops.mkl, "_mkl_linear") or not torch.backends.mkl.is_available():
        pytest.skip("this torch has no MKL")
    model = gpt2()
    packed = packing.Packed(model, 64)
    for module, size in [(model.lm_head, 16), (model.transformer.h[0].mlp.c_proj, 64)]:
        for shape in [(64, 1, size), (64, size), (3, size)]:  # of three rows by the module itself
            given = torch.randn(shape)
            with torch.inference_mode(), packed.used():
                found = module(given)
            assert torch.allclose(found, module(given), atol=1e-5)
    assert "forward" not in vars(model.lm_head)


def test_a_model_in_16_bits_is_shown_pieces_too():
    model = gpt2().to(torch.bfloat16)
    forward = open_forward(model, START, 4, LONGEST)
    assert forward.way == "sdpa"
    assert forward.begin(START).dtype == torch.float32


def test_places_are_fewer_where_their_number_changes_bits(monkeypatch):
    from transferset.language_models.causal import agreeing

    def steady(forward, whole):
        return forward.places <= 16

    monkeypatch.setattr(agreeing, "_is_steady", steady)
    assert open_forward(gpt2(), START, 64, LONGEST).places == 16


@pytest.mark.parametrize("batch", [1, 3, 100])
@pytest.mark.parametrize("make", [gpt2, lambda: other("Llama")], ids=["GPT-2", "Llama"])
def test_the_likelihood_of_texts_is_that_of_each_piece_after_those_before(make, batch):
    model = make()
    texts = [[5, 6, 7], [], [8], [9, 3, 3, 3, 2, 30], [5, 6, 7]]
    offsets = np.cumsum([0, *map(len, texts)])
    ids = np.concatenate(texts).astype(np.int32)
    total, pieces = perplexity(model, ids, offsets, START, END, batch)
    wanted = 0.0
    for text in texts:
        row = [START, *text, END]
        with torch.inference_mode():
            scores = model(input_ids=torch.tensor([row])).logits[0].double().numpy()
        logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
        wanted -= sum(logs[i, piece] for i, piece in enumerate(row[1:]))
    assert pieces == 13 + 5
    assert total == pytest.approx(wanted, rel=1e-5)


def test_of_no_texts_the_likelihood_is_one():
    assert perplexity(gpt2(), np.zeros(0, np.int32), np.zeros(1, np.int64), START, END) == (0.0, 0)


def test_a_likelihood_that_is_no_number_is_an_error():
    model = gpt2()
    with torch.no_grad():
        model.transformer.wpe.weight[0] = np.nan
    with pytest.raises(InputError, match="finite scores"):
        perplexity(model, np.array([5], np.int32), np.array([0, 1]), START, END)
