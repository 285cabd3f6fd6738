from __future__ import annotations

import pytest
from token_texts import PROSE

from transferset.tokens import Vocabulary, WordPiece, fit_vocabulary


@pytest.fixture(scope="session")
def uncased() -> Vocabulary:
    return fit_vocabulary(PROSE * 3, 900, language="en")


@pytest.fixture(scope="session")
def cased() -> Vocabulary:
    return fit_vocabulary(PROSE * 3, 900, language="de")


@pytest.fixture(scope="session")
def small(uncased: Vocabulary) -> WordPiece:
    return uncased.tokenizer()
