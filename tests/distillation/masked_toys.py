"""Masked language models of two layers and 24 numbers, and rows for them."""

from __future__ import annotations

import numpy as np

from transferset.distillation.masked.batches import DynamicMasks
from transferset.masking import Masking, rates_of
from transferset.students.config import Vocabulary
from transferset.students.rows import rows_of, take

PAD, UNK, CLS, SEP, MASK = SPECIAL = range(5)
SIZE, HIDDEN, POSITIONS = 40, 24, 32
VOCABULARY = Vocabulary(size=SIZE, sha256="0" * 64)

_BERT = {
    "vocab_size": SIZE,
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": POSITIONS,
    "initializer_range": 0.3,  # so that logits differ
    "pad_token_id": PAD,
}
_DISTILBERT = {
    "vocab_size": SIZE,
    "dim": HIDDEN,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 32,
    "max_position_embeddings": POSITIONS,
    "initializer_range": 0.3,
    "pad_token_id": PAD,
}
KINDS = {
    "Bert": _BERT,
    "DistilBert": _DISTILBERT,
    "Roberta": {**_BERT, "type_vocab_size": 1, "max_position_embeddings": POSITIONS + 1},
    "Electra": {**_BERT, "embedding_size": 16},
    "MPNet": {**_BERT, "max_position_embeddings": POSITIONS + 2},
    "Albert": {**_BERT, "embedding_size": 16},
}


def plain_model(kind="Bert", seed=0, **members):
    """As transformers makes it, in evaluation; untied names are their own."""
    import torch
    import transformers

    config = getattr(transformers, f"{kind}Config")(**{**KINDS[kind], **members})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, f"{kind}ForMaskedLM")(config)
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter.data, std=0.3)
    return model.eval()


def masked_model(kind="Bert", seed=0, **members):
    from transferset.distillation.masked.model import MaskedModel

    return MaskedModel(plain_model(kind, seed, **members), VOCABULARY)


class ToyRows:
    """Rows in memory."""

    def __init__(self, count=24, seed=0, longest=14):
        random = np.random.default_rng(seed)
        lengths = random.integers(3, longest + 1, count)
        offsets = np.append(0, np.cumsum(lengths))
        ids = random.integers(len(SPECIAL), SIZE, offsets[-1])
        ids[offsets[:-1]], ids[offsets[1:] - 1] = CLS, SEP
        self.rows = rows_of(ids, offsets)
        self.lengths = lengths.astype(np.int32)

    def take(self, which):
        return take(self.rows, which)


def masking(seed=7, share=0.3):
    return Masking(rates_of(SIZE, list(SPECIAL), share=share), MASK, seed)


def masks(count=24, seed=0, share=0.3, longest=14):
    return DynamicMasks(ToyRows(count, seed, longest), masking(share=share))
