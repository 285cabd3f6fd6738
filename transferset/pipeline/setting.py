"""What transforms are told of the set that they work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from transferset.documents import has_documents, read_documents
from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import MANIFEST, Manifest
from transferset.pipeline.leaks import digests_of, read_leaks
from transferset.pipeline.word_rules import read_word_rules
from transferset.schema import ids_type
from transferset.shards import REMEDY, ShardSet, stated_schema
from transferset.steps import ReplaceLm, Step, Vary
from transferset.transforms import Setting
from transferset.transforms.protocol import LanguageModel, Spelling

if TYPE_CHECKING:
    from transferset.tokens import WordPiece

#: Largest vocabulary: the largest in use have a quarter of it.
MOST_PIECES: Final = 1 << 21

#: Tags have codes of a byte.
MOST_TAGS: Final = 255

#: [CLS], a piece, [SEP].
LEAST_LENGTH: Final = 3


def setting_of(found: ShardSet, steps: Sequence[Step], *, keep_label: bool = False) -> Setting:
    """The setting in which steps act on the rows of a set.

    Args:
        found: The set.
        steps: What is going to be done.
        keep_label: Rows that are changed keep their label.

    Returns:
        Its vocabulary, and where words begin if a step moves whole words.

    Raises:
        UsageError: The set has no ids, or no tokenizer.
        SetError: Its tokenizer cannot be one: so many pieces, or special ones that are none.
    """
    manifest = found.manifest
    tokenizer = manifest.tokenizer
    if tokenizer is None or "input_ids" not in manifest.schema:
        columns = ", ".join(manifest.schema)
        raise UsageError(sentence("a set of ids with their tokenizer", columns, str(found.root)))
    words = any(getattr(step, "words", False) for step in steps)
    special = tokenizer["special_ids"]
    _check_vocabulary(found, tokenizer["vocab_size"], special)
    setting = Setting(
        tokenizer["vocab_size"],
        cls=special["cls"],
        sep=special["sep"],
        pad=special["pad"],
        unk=special["unk"],
        mask=special["mask"],
        word_start=word_starts(found.root, tokenizer["sha256"]) if words else None,
        sources=tuple(manifest.sources),
        parts=parts_of(manifest),
        documents=partial(read_documents, found.root, manifest)
        if has_documents(manifest)
        else None,
        max_len=manifest.params.get("max_len"),
        tags=tuple(manifest.names.get("pos", ())),
        keep_label=keep_label,
    )
    varying = [step for step in steps if isinstance(step, Vary)]
    return _for_words(found, setting, varying) if varying else setting


def _for_words(found: ShardSet, setting: Setting, steps: Sequence[Vary]) -> Setting:
    """What steps that vary texts need besides."""
    table = read_leaks(found.root, found.manifest)
    _check_words(found, setting)
    words = read_word_rules(found)
    models = [step for step in steps if isinstance(step, ReplaceLm)]
    return replace(
        setting,
        spelling=_spelling(found.root, (found.manifest.tokenizer or {})["sha256"]),
        leaks=digests_of(table) if table is not None else None,
        stop_words=frozenset(words["stop_words"]),
        word_pattern=words["word_pattern"],
        language_model=partial(open_language_model, models[0]) if models else None,
    )


def _check_vocabulary(found: ShardSet, size: int, special: Mapping[str, int]) -> None:
    """Refuse a vocabulary before tables of its size are made."""
    where = str(found.root / MANIFEST)
    if size > MOST_PIECES:
        raise SetError(sentence(f"a vocabulary of at most {MOST_PIECES:,}", f"{size:,}", where))
    if wrong := [name for name, piece in special.items() if piece >= size]:
        raise SetError(sentence(f"special ids below {size:,}", f"[{wrong[0].upper()}]", where))
    stated = stated_schema(found).field("input_ids").type.value_type
    if stated != ids_type(size):
        expected = f"ids as {ids_type(size)} in a vocabulary of {size:,}"
        raise SetError(sentence(expected, str(stated), where))


def parts_of(manifest: Manifest) -> tuple[str, ...]:
    """Names of the parts of a mix, by code."""
    names = manifest.params.get("parts", [])
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _check_words(found: ShardSet, setting: Setting) -> None:
    """Refuse a manifest that says of tags, lengths or pieces what cannot be.

    Raises:
        SetError: At the first such member.
    """
    where = str(found.root / MANIFEST)
    if len(setting.tags) > MOST_TAGS:
        told = f"at most {MOST_TAGS} names of tags"
        raise SetError(sentence(told, f"{len(setting.tags):,}", where, REMEDY))
    if setting.max_len is not None and setting.max_len < LEAST_LENGTH:
        told = f"rows of at least {LEAST_LENGTH} ids"
        raise SetError(sentence(told, f"max_len {setting.max_len}", where, REMEDY))
    info = _tokenizer(found.root, (found.manifest.tokenizer or {})["sha256"]).info
    known = (info.cls_id, info.sep_id, info.mask_id, info.vocab_size)
    if (setting.cls, setting.sep, setting.mask, setting.vocab_size) != known:
        told = f"special ids {', '.join(map(str, known[:3]))} as in its tokenizer"
        stated = ", ".join(map(str, (setting.cls, setting.sep, setting.mask)))
        raise SetError(sentence(told, stated, where, REMEDY))


def open_language_model(step: ReplaceLm) -> LanguageModel:
    """The model of a step, loaded."""
    from transferset.language_models import open_masked_lm

    return open_masked_lm(step.model, batch=step.batch, vectors=step.vectors)


@lru_cache(maxsize=4)
def _spelling(root: Path, digest: str) -> Spelling:
    from transferset.tokens.spelling import WordSpelling

    return WordSpelling(_tokenizer(root, digest))


@lru_cache(maxsize=4)
def _tokenizer(root: Path, digest: str) -> WordPiece:
    from transferset.tokens import load_tokenizer

    return load_tokenizer(str(root))


@lru_cache(maxsize=4)
def word_starts(root: Path, digest: str) -> npt.NDArray[np.bool_]:
    """For each id of a set's tokenizer whether a word begins there.

    Args:
        root: The set; it carries its tokenizer.
        digest: SHA-256 of the tokenizer, for the cache.

    Returns:
        Shape [vocab_size].
    """
    from transferset.tokens import load_tokenizer

    return load_tokenizer(str(root), engine="tokenizers").word_start
