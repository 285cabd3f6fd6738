"""Names that a student's configuration may use."""

from __future__ import annotations

from typing import Final

#: Begins the `model_type` of all students that are not plain models of transformers.
PREFIX: Final = "transferset-"

#: How embeddings are trained (Kim 2014, § 3.1): frozen; trained; both side by side.
STATIC, NON_STATIC, MULTICHANNEL = CHANNELS = ("static", "non-static", "multichannel")

#: What a transformer's features are: [CLS] through BERT's pooler, or its mean over the layers.
POOLED, MEAN_OF_LAYERS = READINGS = ("pooled", "mean of layers")
