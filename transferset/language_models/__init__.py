"""Masked language models: what they would put in the place of a word."""

from transferset.language_models.describing import describe
from transferset.language_models.masked import MaskedLm, open_masked_lm

__all__ = ["MaskedLm", "describe", "open_masked_lm"]
