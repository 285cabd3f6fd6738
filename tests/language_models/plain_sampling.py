"""Sampling from small causal models written plainly: one row, one piece at a time.

The whole row goes through the model for each piece, what is kept is found by the warpers of
transformers, and the sum of probabilities is made in float64.
"""

from __future__ import annotations

import numpy as np

from transferset import rng

SIZE = 40
START, END = 0, 1


def gpt2(size=SIZE, positions=32, seed=0, **members):
    import torch
    import transformers

    torch.manual_seed(seed)
    known = {"bos_token_id": START, "eos_token_id": END, "pad_token_id": END}
    config = transformers.GPT2Config(
        vocab_size=size,
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=positions,
        initializer_range=0.5,  # so that what a piece follows matters
        **known | members,
    )
    return transformers.GPT2LMHeadModel(config).eval()


def other(kind, size=SIZE, seed=0, **members):
    import torch
    import transformers

    torch.manual_seed(seed)
    known = {
        "vocab_size": size,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32,
        "initializer_range": 0.3,
        "bos_token_id": START,
        "eos_token_id": END,
        "pad_token_id": END,
    }
    config = getattr(transformers, f"{kind.removesuffix('Text')}TextConfig", None)
    if config is None or not kind.endswith("Text"):
        config = getattr(transformers, f"{kind}Config")
    name = f"{kind.removesuffix('Text')}ForCausalLM"
    return getattr(transformers, name)(config(**known | members)).eval()


def numbers(row, pieces, key):
    """The random numbers of a row."""
    return numbers_at([row] * pieces, np.arange(pieces), key)


def numbers_at(rows, pieces, key):
    """The random numbers at addresses."""
    words = np.array([row % 2**32 for row in rows]), np.array([row >> 32 for row in rows])
    counter = [one.astype(np.uint32) for one in (*words, 0 * words[0], pieces + 0 * words[0])]
    a, b, _, _ = rng.philox(tuple(counter), key)
    whole = (a.astype(np.uint64) >> np.uint64(5)) * np.uint64(2**26)
    return (whole + (b.astype(np.uint64) >> np.uint64(6))) / 2.0**53


def probabilities(logits, sampling):
    """float64[vocabulary]: what transformers' warpers leave of a row of scores."""
    import torch
    from transformers.generation import logits_process

    scores = torch.as_tensor(logits, dtype=torch.float32)[None]
    warpers = [
        logits_process.TemperatureLogitsWarper(float(sampling.temperature)),
        *([logits_process.TopKLogitsWarper(sampling.top_k)] if sampling.top_k else []),
        *([logits_process.TopPLogitsWarper(sampling.top_p)] if sampling.top_p < 1 else []),
    ]
    for warper in warpers:
        scores = warper(None, scores)
    return torch.softmax(scores[0].double(), 0).numpy()


def scores_after(model, ids):
    """float32[vocabulary]."""
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).logits[0, -1].numpy()


def inverted(weights, number):
    """The first place at which the sum of weights passes a share of the whole."""
    passed = np.cumsum(weights)
    return int(np.searchsorted(passed, number * passed[-1], side="right"))


def sample_row(model, row, sampling, key, *, prefixes=None, ends=(END,)):
    """A row as (pieces, whether it ended)."""
    ids, drawn = [START], numbers(row, sampling.max_length + 1, key)
    for piece, number in enumerate(drawn):
        if piece == 0 and prefixes is not None:
            found = int(prefixes.ids[inverted(prefixes.counts, number)])
        else:
            found = inverted(probabilities(scores_after(model, ids), sampling), number)
        if found in ends:
            return ids[1:], True
        ids.append(found)
    return ids[1:-1], False
