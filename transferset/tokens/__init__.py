"""Sentences become word pieces: finding, running and fitting tokenizers."""

from __future__ import annotations

from transferset.tokens.definition import TokenizerInfo
from transferset.tokens.load import load_tokenizer
from transferset.tokens.rows import Rows
from transferset.tokens.vocabulary import Vocabulary, fit_vocabulary
from transferset.tokens.wordpiece import WordPiece

__all__ = [
    "Rows",
    "TokenizerInfo",
    "Vocabulary",
    "WordPiece",
    "fit_vocabulary",
    "load_tokenizer",
]
