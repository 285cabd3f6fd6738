"""The two engines that turn text into ids: the oracle, and a fast one that must equal it.

`tokenizers` defines what is right. `nanotoken` is some 30 times faster and has one author and one
release, so it is pinned, tried on a set of nasty texts before it is used, and compared with the
oracle while it runs.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import os
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from transferset.errors import InputError, UsageError, sentence
from transferset.tokens.definition import Definition
from transferset.tokens.nasty import nasty

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]
#: The only release of nanotoken whose output is known to us.
NANOTOKEN = "0.1.0"
#: More than ten times the largest vocabulary we know.
MOST_IDS = 4_000_000
#: Words that nanotoken remembers, 50 MB at most; its own default may take 200 MB a worker.
CACHED_WORDS = 2**17
ENGINES = ("auto", "nanotoken", "tokenizers")


class Engine(Protocol):
    """Encodes whole rows: [CLS] … [SEP], never cut, never padded."""

    @property
    def name(self) -> str:
        """What the manifest calls it."""

    def encode(self, texts: list[str]) -> tuple[Ids, Offsets]:
        """Return flat ids and len(texts) + 1 offsets."""


class Oracle:
    """The `tokenizers` package; special pieces in prose are text to it."""

    name = "tokenizers"

    def __init__(self, definition: Definition) -> None:
        # One process a core is how transferset is parallel; a thread pool inside each would only
        # fight the others, and hangs after a fork.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            self.tokenizer = Tokenizer.from_str(definition.text)
        except Exception as error:  # `tokenizers` raises nothing more exact
            expected = "a tokenizer that `tokenizers` can run"
            raise InputError(sentence(expected, f"{error}", definition.name)) from error
        self.tokenizer.encode_special_tokens = True
        self._name = definition.name

    def vocabulary(self) -> tuple[str, ...]:
        """Return the piece of each id; empty for an id that has none."""
        numbers = self.tokenizer.get_vocab(with_added_tokens=True)
        size = max(numbers.values(), default=-1) + 1
        if size > MOST_IDS:  # a few bytes of JSON could otherwise ask for gigabytes
            raise InputError(sentence(f"ids below {MOST_IDS}", str(size - 1), self._name))
        pieces = [""] * size
        for piece, number in numbers.items():
            pieces[number] = piece
        return tuple(pieces)

    def encode(self, texts: list[str]) -> tuple[Ids, Offsets]:
        """See `Engine`."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        ids = np.fromiter(itertools.chain.from_iterable(rows), np.uint32, int(offsets[-1]))
        return ids, offsets


class Nanotoken:
    """The `nanotoken` package, on the calling thread."""

    name = "nanotoken"

    def __init__(self, definition: Definition) -> None:
        from nanotoken import WordPieceTokenizer, set_cache_entries

        set_cache_entries(CACHED_WORDS)
        # It matches special pieces in prose; without them it splits prose as the oracle does.
        self._tokenizer = WordPieceTokenizer.from_json(definition.for_prose())

    def encode(self, texts: list[str]) -> tuple[Ids, Offsets]:
        """See `Engine`."""
        ids, offsets = self._tokenizer.encode_batch(texts, parallel=False)
        return ids, offsets


def choose(wish: str, definition: Definition, oracle: Oracle) -> tuple[Engine, str]:
    """Pick the engine for a tokenizer.

    Args:
        wish: One of `ENGINES`; `auto`: the fast one where it proves equal.
        definition: The tokenizer.
        oracle: Its oracle.

    Returns:
        The engine, and why it is not the fast one (or an empty string).

    Raises:
        UsageError: `wish` names an engine that cannot be used here.
    """
    if wish == "tokenizers":
        return oracle, "asked for"
    engine, why = _fast(definition, oracle)
    if engine is None and wish == "nanotoken":
        expected = f"nanotoken {NANOTOKEN} to be usable"
        raise UsageError(sentence(expected, why, "--engine", "leave --engine out"))
    return engine or oracle, why


def _fast(definition: Definition, oracle: Oracle) -> tuple[Engine | None, str]:
    if definition.kind != "WordPiece":
        return None, f"a {definition.kind} model"
    try:
        version = importlib.metadata.version("nanotoken")
    except importlib.metadata.PackageNotFoundError:
        return None, "nanotoken is not installed"
    if version != NANOTOKEN:
        return None, f"nanotoken {version}"
    try:
        engine = Nanotoken(definition)
    except (ImportError, ValueError) as error:
        return None, f"nanotoken: {error}"
    if (wrong := differing(engine, oracle, nasty(definition.specials))) is not None:
        return None, f"other ids for {wrong!r}"
    return engine, ""


def differing(engine: Engine, oracle: Engine, texts: list[str]) -> str | None:
    """Return the first text that two engines encode differently.

    Args:
        engine: The one in doubt.
        oracle: The one that is right.
        texts: What both encode.
    """
    ids, offsets = engine.encode(texts)
    right_ids, right_offsets = oracle.encode(texts)
    if np.array_equal(offsets, right_offsets) and np.array_equal(ids, right_ids):
        return None
    for i, text in enumerate(texts):
        right = right_ids[right_offsets[i] : right_offsets[i + 1]]
        if not np.array_equal(ids[offsets[i] : offsets[i + 1]], right):
            return text
    return None
