"""Candidates one word at a time: the text with [MASK] in it, through the whole model."""

from __future__ import annotations

import math
import re
from functools import cache

from transferset.language_models.masked import LETTERS


class PlainLm:
    def __init__(self, folder, *, whole=lambda piece: not piece.startswith("##")):
        import transformers

        self.model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
        self.tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"), mask_token="[MASK]"
        )
        pieces = self.tokenizer.get_vocab()
        self.words = {i: p for p, i in pieces.items() if whole(p) and re.fullmatch(LETTERS, p)}
        self.scores = cache(self._scores)

    def pieces(self, word):
        return self.tokenizer(word, add_special_tokens=False)["input_ids"]

    def _scores(self, text):
        import torch

        ids = self.tokenizer(text)["input_ids"]
        with torch.no_grad():
            logits = self.model(input_ids=torch.tensor([ids])).logits[0]
        return logits[ids.index(self.tokenizer.mask_token_id)].tolist()

    def masked(self, words, space, place):
        shown = [*words[:place], "[MASK]", *words[place + 1 :]]
        return "".join(w + " " * s for w, s in zip(shown, space, strict=True))

    def allowed(self, word):
        own = set(self.pieces(word)) if len(self.pieces(word)) == 1 else set()
        return [i for i, w in self.words.items() if w.lower() != word.lower() and i not in own]

    def by_mask(self, words, space, place):
        """Scores of all candidates of one word, by piece."""
        scores = self.scores(self.masked(words, space, place))
        return {i: scores[i] for i in self.allowed(words[place])}

    def by_vector(self, word):
        """Cosines of all candidates of a word of several pieces; none if it cannot be spelled."""
        pieces = self.pieces(word)
        if self.tokenizer.unk_token_id in pieces or 1 in pieces or not pieces:
            return {}
        table = self.model.get_input_embeddings().weight.tolist()
        mean = [
            sum(column) / len(pieces) for column in zip(*(table[i] for i in pieces), strict=True)
        ]
        return {i: cosine(mean, table[i]) for i in self.allowed(word)}

    def best(self, scores, count):
        return [self.words[i] for i in sorted(scores, key=lambda i: (-scores[i], i))[:count]]


def cosine(a, b):
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))
