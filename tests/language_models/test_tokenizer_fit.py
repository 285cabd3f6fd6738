"""Byte-level pieces fitted to texts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from transferset.errors import UsageError
from transferset.language_models.causal import CausalPieces, fit_bpe
from transferset.language_models.causal.tokenizer_fit import END, LEAST

TEXTS = [
    "low low low low low lower lower",
    "newest newest newest widest widest",
    "a naïve café <|endoftext|> in 1945 🙂",
    "wide and new are low",
]


def test_pieces_are_the_end_all_bytes_and_merges(tmp_path):
    size = fit_bpe(TEXTS, 300, tmp_path / "fitted")
    pieces = CausalPieces(tmp_path / "fitted")
    assert pieces.size == size
    assert LEAST < size <= 300
    assert pieces.start == pieces.end == pieces.padding == 0
    assert pieces.spelled([0]) == [END]
    ids, offsets = pieces.encode(["€ Ж \x07 never seen", END])
    assert pieces.decode(ids, offsets) == [("€ Ж \x07 never seen",), (END,)]
    assert pieces.encode([""], [""])[0].tolist() == [pieces.separator]


def merged(words, merges):
    """Pairs of pieces that merge first, by counting all pairs each time anew."""
    words = {tuple(word.replace(" ", "Ġ")): n for word, n in Counter(words).items()}
    found = []
    for _ in range(merges):
        pairs = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                pairs[pair] += n
        best = max(pairs.values())
        (pair,) = [p for p, n in pairs.items() if n == best]  # no ties in these words
        found.append("".join(pair))
        words = {_merge(word, pair): n for word, n in words.items()}
    return found


def _merge(word, pair):
    made = []
    for piece in word:
        if made and (made[-1], piece) == pair:
            made[-1] += piece
        else:
            made.append(piece)
    return tuple(made)


def test_the_most_frequent_pair_becomes_a_piece(tmp_path):
    words = ["ab"] * 9 + ["abc"] * 5 + ["zc"] * 4 + ["zcy"] * 3
    fit_bpe(words, LEAST + 4, tmp_path)
    pieces = CausalPieces(tmp_path)
    found = pieces.spelled(range(LEAST, LEAST + 4))
    assert found == merged(words, 4) == ["ab", "zc", "abc", "zcy"]


def test_fewer_texts_make_fewer_pieces(tmp_path):
    # what stands once is no piece
    assert fit_bpe(["xy xy once"], 5000, tmp_path) == CausalPieces(tmp_path).size == LEAST + 1
    assert CausalPieces(tmp_path).spelled([LEAST]) == ["xy"]
    assert fit_bpe([], 5000, tmp_path) == LEAST


@pytest.mark.parametrize("size", [0, LEAST - 1, 1_000_001])
def test_a_size_out_of_range(tmp_path, size):
    with pytest.raises(UsageError, match="a vocabulary size from 257 to 1,000,000"):
        fit_bpe(TEXTS, size, tmp_path)


def test_white_space_is_none_of_the_pieces(tmp_path):
    fit_bpe(["a\n\n\n\nb\t\t\t c    d"] * 50, 400, tmp_path)
    texts = CausalPieces(tmp_path).spelled(range(LEAST, CausalPieces(tmp_path).size))
    assert not any("\n" in text or "\t" in text or "  " in text for text in texts)


SCRIPT = """
import sys
from pathlib import Path
from transferset.language_models.causal import fit_bpe

words = [f"w{i % 97}x{i * i % 89}y" for i in range(3000)]  # many pairs are equally frequent
texts = [" ".join(words[i : i + 7]) for i in range(0, 3000, 7)]
fit_bpe(reversed(texts) if sys.argv[2] == "reversed" else texts, 600, Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Files by parallelism, threads, hash seed and order of texts."""
    ways = [
        ("false", "1", "1", "forward"),
        ("true", "1", "2", "forward"),
        ("true", "4", "3", "forward"),
        ("true", "3", "4", "reversed"),
    ]
    found = []
    for parallel, threads, seed, order in ways:
        out = tmp_path_factory.mktemp("fit")
        env = {
            **os.environ,
            "TOKENIZERS_PARALLELISM": parallel,
            "RAYON_NUM_THREADS": threads,
            "PYTHONHASHSEED": seed,
        }
        subprocess.run([sys.executable, "-c", SCRIPT, str(out), order], check=True, env=env)
        found.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    return found


def test_threads_and_order_do_not_matter(fitted):
    assert {*fitted[0]} == {"tokenizer.json", "tokenizer_config.json"}
    assert fitted.count(fitted[0]) == len(fitted)


def test_the_same_again(tmp_path):
    fit_bpe(TEXTS, 290, tmp_path / "a")
    fit_bpe(iter(TEXTS), 290, tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_transformers_opens_what_was_fitted(tmp_path):
    transformers = pytest.importorskip("transformers")
    fit_bpe(TEXTS, 300, tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ids, _ = CausalPieces(tmp_path).encode(TEXTS[:1])
    assert theirs(TEXTS[0]).input_ids == ids.tolist()
    assert theirs.eos_token_id == theirs.pad_token_id == 0
    assert theirs.decode(ids) == TEXTS[0]
