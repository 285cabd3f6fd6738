"""What a masked language model puts in the place of words (Jiao et al. 2019, § 4, algorithm 1).

A word that is one piece of the model is masked in its text, and the model proposes; for a word of
several pieces, its nearest neighbours among word vectors are proposed. The reference code gives the
model the unmasked text as a second segment, where it can read the word; here it sees the masked
text only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from transferset.language_models.checkpoint import load_model
from transferset.language_models.contexts import Spot, Texts, all_spots, by_length, masked_texts
from transferset.language_models.pieces import Pieces
from transferset.language_models.ranking import highest
from transferset.language_models.scoring import Scorer, one_thread
from transferset.language_models.vector_files import load_vectors
from transferset.language_models.vectors import PieceVectors, Vectors, nearest, without

#: TinyBERT's words: letters only. Of a lower-cased word.
LETTERS: Final = r"[^\W\d_]+"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was proposed.

    Attributes:
        candidates: Of each eligible word, in order of texts and words; none if it has no vector.
        masked: Words that were masked.
        looked_up: Words whose neighbours were looked for.
    """

    candidates: list[list[str]]
    masked: int
    looked_up: int


class MaskedLm:
    """A masked language model with its tokenizer and word vectors; `open_masked_lm` makes one."""

    def __init__(self, pieces: Pieces, scorer: Scorer, vectors: Vectors, batch: int) -> None:
        self._pieces, self._scorer, self._vectors = pieces, scorer, vectors
        self._batch = batch

    @property
    def gathers(self) -> bool:
        """Whether the model's head runs on the masked positions alone."""
        return self._scorer.gathers

    @property
    def positions(self) -> int:
        """Most ids of a text that the model is shown at once."""
        return self._scorer.positions

    def propose(
        self,
        texts: Sequence[Sequence[str]],
        spaces: Sequence[Sequence[bool]],
        eligible: Sequence[Sequence[bool]],
        count: int,
        pattern: str = LETTERS,
    ) -> Proposed:
        """Candidates for words.

        They are a function of the texts given together: which of them share a batch can move the
        last bits of a score. Only one thread runs, for the same reason.

        Args:
            texts: The words of each text.
            spaces: Whether a space follows each word.
            eligible: Whether a word is to be replaced.
            count: Most candidates of a word.
            pattern: What a lower-cased candidate must match.
        """
        given, spots = Texts(texts, spaces), all_spots(eligible)
        word_of = [texts[spot.text][spot.word] for spot in spots]
        different = sorted(set(word_of))
        spelled = dict(zip(different, self._pieces.spell_words(different), strict=True))
        several = [word for word in different if len(spelled[word]) != 1]
        single = [spot for spot in spots if len(spelled[word_of[spot.answer]]) == 1]
        with one_thread():
            near = nearest(self._vectors, several, count, pattern)
            found = [near.get(word, []) for word in word_of]
            order = by_length(self._pieces, given, single)
            for start in range(0, len(order), self._batch):
                some = order[start : start + self._batch]
                known = [(word_of[spot.answer], spelled[word_of[spot.answer]][0]) for spot in some]
                filled = self._fill(given, some, known, count, pattern)
                for spot, candidates in zip(some, filled, strict=True):
                    found[spot.answer] = candidates
        return Proposed(found, len(single), len(spots) - len(single))

    def _fill(
        self,
        texts: Texts,
        spots: Sequence[Spot],
        known: Sequence[tuple[str, int]],
        count: int,
        pattern: str,
    ) -> list[list[str]]:
        """Candidates of one batch; `known` are the masked words and their pieces."""
        import torch

        whole = self._pieces.whole_words(pattern)
        rows, masks = masked_texts(self._pieces, texts, spots, self._scorer.positions)
        scores = self._scorer.score(rows, masks)
        scores = scores.index_select(1, torch.from_numpy(whole.ids).to(scores.device))
        own = [{*whole.same.get(word.lower(), ()), int(whole.place[i])} for word, i in known]
        without(scores, [sorted(places - {-1}) for places in own])
        return [[whole.words[i] for i in best] for best in highest(scores, count)]


@lru_cache(maxsize=1)
def open_masked_lm(
    path: str | Path,
    *,
    batch: int = 64,
    device: str | None = None,
    vectors: str | None = None,
) -> MaskedLm:
    """Open a masked language model; the last one that was opened is kept.

    Args:
        path: A directory with `config.json`, `model.safetensors` and `tokenizer.json`.
        batch: Texts that go through the model at once; it takes about 12 bytes for each of them
            and each piece of the vocabulary.
        device: As torch names it; None is the processor.
        vectors: Where the neighbours of words of several pieces come from: a file of word vectors
            as text, `spacy:MODEL`, or None: the model's own embeddings.

    Raises:
        InputError: The directory does not hold a masked language model with a tokenizer, or a file
            of vectors is malformed.
        UsageError: torch, transformers or spaCy is not installed.
    """
    pieces = Pieces(path)
    model = load_model(path, device)
    scorer = Scorer(model, pieces.around, pieces.size, str(path))
    own = model.get_input_embeddings().weight.detach().cpu().numpy()
    found: Vectors = PieceVectors(pieces, own) if vectors is None else load_vectors(vectors)
    return MaskedLm(pieces, scorer, found, batch)
