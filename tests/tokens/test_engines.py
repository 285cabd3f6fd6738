"""The fast engine gives the oracle's ids, or does not run."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_texts import PROSE, TEXTS, needs_english

from transferset.errors import TransfersetError, UsageError
from transferset.tokens import Vocabulary, WordPiece, load_tokenizer
from transferset.tokens.definition import BERT_SPECIALS
from transferset.tokens.engines import Ids, Nanotoken, Offsets, Oracle, differing
from transferset.tokens.nasty import nasty, sweep

Pair = tuple[Nanotoken, Oracle]


@pytest.fixture(
    scope="session", params=["uncased", "cased", pytest.param("english", marks=needs_english)]
)
def pair(request: pytest.FixtureRequest) -> Pair:
    """Both engines of two vocabularies fitted here, and of BERT's where a package carries it."""
    pytest.importorskip("nanotoken")
    if request.param == "english":
        definition = load_tokenizer(None)._definition
    else:
        vocabulary: Vocabulary = request.getfixturevalue(request.param)
        definition = vocabulary.definition("fitted")
    return Nanotoken(definition), Oracle(definition)


def test_engines_agree_on_nasty_texts(pair: Pair) -> None:
    assert differing(*pair, nasty(BERT_SPECIALS)) is None


@given(texts=st.lists(TEXTS, max_size=6))
def test_engines_agree_on_any_unicode(pair: Pair, texts: list[str]) -> None:
    assert differing(*pair, texts) is None


@pytest.mark.slow
def test_engines_agree_on_every_code_point(pair: Pair) -> None:
    assert differing(*pair, list(sweep(step=1))) is None


def test_the_fast_engine_runs_where_it_is_installed(uncased: Vocabulary) -> None:
    pytest.importorskip("nanotoken")
    tokenizer = uncased.tokenizer()
    assert (tokenizer.engine, tokenizer.why_engine) == ("nanotoken", "")


def test_both_engines_can_be_asked_for(uncased: Vocabulary) -> None:
    definition = uncased.definition("fitted")
    slow = WordPiece(definition, engine="tokenizers")
    assert slow.engine == "tokenizers"
    np.testing.assert_array_equal(slow.encode(PROSE)[0], uncased.tokenizer().encode(PROSE)[0])


def test_an_unknown_engine_is_refused(uncased: Vocabulary) -> None:
    with pytest.raises(UsageError, match=r"one of auto, nanotoken, tokenizers, found spacy"):
        WordPiece(uncased.definition("fitted"), engine="spacy")


def with_version(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    def answer(name: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", answer)


@pytest.mark.parametrize(
    ("version", "why"), [(None, "nanotoken is not installed"), ("0.1.1", "nanotoken 0.1.1")]
)
def test_another_release_of_the_fast_engine_is_not_used(
    uncased: Vocabulary, monkeypatch: pytest.MonkeyPatch, version: str | None, why: str
) -> None:
    with_version(monkeypatch, version)
    tokenizer = uncased.tokenizer()
    assert (tokenizer.engine, tokenizer.why_engine) == ("tokenizers", why)
    with pytest.raises(UsageError, match=why):
        WordPiece(uncased.definition("fitted"), engine="nanotoken").encode(["a"])


class Wrong(Nanotoken):
    """Takes “harbour” for “the”; whether at start-up depends on `TRIGGER`."""

    TRIGGER = "harbour"

    def encode(self, texts: list[str]) -> tuple[Ids, Offsets]:
        return super().encode([text.replace(self.TRIGGER, "the") for text in texts])


def test_an_engine_that_fails_at_start_up_is_not_used(
    uncased: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nanotoken")
    monkeypatch.setattr(Wrong, "TRIGGER", "unaffable")
    monkeypatch.setattr("transferset.tokens.engines.Nanotoken", Wrong)
    tokenizer = uncased.tokenizer()
    right = WordPiece(uncased.definition("fitted"), engine="tokenizers")
    np.testing.assert_array_equal(
        tokenizer.encode(["unaffable"])[0], right.encode(["unaffable"])[0]
    )
    assert tokenizer.engine == "tokenizers"
    assert "unaffable" in tokenizer.why_engine


def encode_in_batches(tokenizer: WordPiece, texts: list[str], size: int) -> None:
    for i in range(0, len(texts), size):
        tokenizer.encode(texts[i : i + size])


@pytest.mark.parametrize("batch", [1, 7, 400])
def test_a_difference_while_running_ends_the_job(
    uncased: Vocabulary, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    pytest.importorskip("nanotoken")
    monkeypatch.setattr("transferset.tokens.engines.Nanotoken", Wrong)
    monkeypatch.setattr("transferset.tokens.wordpiece.CHECKED_SHARE", 16)
    tokenizer = uncased.tokenizer()
    texts = [f"the harbour of {n} boats" for n in range(400)]
    with pytest.raises(TransfersetError, match="run again with --engine tokenizers"):
        encode_in_batches(tokenizer, texts, batch)
    assert tokenizer.engine == "nanotoken"
    assert tokenizer.mismatches == 1


def test_what_is_checked_does_not_depend_on_batches(
    uncased: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nanotoken")
    monkeypatch.setattr("transferset.tokens.wordpiece.CHECKED_SHARE", 16)
    texts = [f"the harbour of {n} boats" for n in range(400)]
    one, many = uncased.tokenizer(), uncased.tokenizer()
    one.encode(texts)
    encode_in_batches(many, texts, 13)
    assert one.checked == many.checked
    assert 5 < one.checked < 100
    assert one.mismatches == many.mismatches == 0
