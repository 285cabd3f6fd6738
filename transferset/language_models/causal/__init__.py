"""Causal language models: fitting them to a set's texts, and sampling new texts from them."""

from transferset.language_models.causal.new import new_causal, stated_vocabulary
from transferset.language_models.causal.opening import describe_causal, load_causal
from transferset.language_models.causal.pieces import CausalPieces
from transferset.language_models.causal.sampler import Prefixes, Sampler, Sampling
from transferset.language_models.causal.saving import save_causal
from transferset.language_models.causal.tokenizer_fit import fit_bpe

__all__ = [
    "CausalPieces",
    "Prefixes",
    "Sampler",
    "Sampling",
    "describe_causal",
    "fit_bpe",
    "load_causal",
    "new_causal",
    "save_causal",
    "stated_vocabulary",
]
