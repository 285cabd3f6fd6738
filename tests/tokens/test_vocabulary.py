"""Fitting a vocabulary."""

from __future__ import annotations

import hashlib
import json
import os
import string
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from token_texts import PROSE

from transferset.errors import InputError, UsageError
from transferset.tokens import Vocabulary, fit_vocabulary, load_tokenizer
from transferset.tokens.vocabulary import choose_alphabet


def test_special_pieces_have_the_ids_of_bert(uncased: Vocabulary) -> None:
    info = uncased.tokenizer().info
    found = (info.pad_id, info.unk_id, info.cls_id, info.sep_id, info.mask_id)
    assert found == (0, 100, 101, 102, 103)
    assert uncased.pieces[1:100] == tuple(f"[unused{i}]" for i in range(99))


def test_frequent_words_become_pieces(uncased: Vocabulary) -> None:
    tokenizer = uncased.tokenizer()
    assert tokenizer.pieces(tokenizer.encode(["The harbour"])[0])[1:3] == ["the", "harbour"]
    assert len(uncased.pieces) == len(set(uncased.pieces)) <= 900
    assert (uncased.forgotten, uncased.coverage) == (0, 1.0)


def test_every_text_it_was_fitted_to_can_be_spelt(uncased: Vocabulary, cased: Vocabulary) -> None:
    for vocabulary in (uncased, cased):
        tokenizer = vocabulary.tokenizer()
        assert tokenizer.info.unk_id not in tokenizer.encode(PROSE)[0]


@pytest.mark.parametrize("fixture", ["uncased", "cased"])
def test_ascii_can_be_spelt_whatever_it_was_fitted_to(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(fixture).tokenizer()
    words = [f"{a}{b}" for a in string.ascii_letters for b in string.ascii_letters + string.digits]
    assert tokenizer.info.unk_id not in tokenizer.encode([*words, string.punctuation])[0]


def test_only_english_loses_capitals_and_accents(uncased: Vocabulary, cased: Vocabulary) -> None:
    assert (uncased.lowercase, uncased.strip_accents) == (True, None)
    assert (cased.lowercase, cased.strip_accents) == (False, False)
    letters = {"é", "##é", "##ö", "N", "М"}
    assert letters.isdisjoint(uncased.pieces)
    assert letters <= set(cased.pieces)


def test_accents_stay_where_capitals_go_in_other_languages() -> None:
    vocabulary = fit_vocabulary(PROSE, 900, language="hi", lowercase=True)
    tokenizer = vocabulary.tokenizer()
    assert tokenizer.info.lowercase
    assert tokenizer.decode(tokenizer.encode(["Été प्रकाशस्तंभ"])[0]) == "été प्रकाशस्तंभ"


def test_chinese_characters_are_words(cased: Vocabulary) -> None:
    tokenizer = cased.tokenizer()
    assert tokenizer.pieces(tokenizer.encode(["灯塔在"])[0])[1:-1] == ["灯", "塔", "在"]


SCRIPT = """
import hashlib, sys
from token_texts import PROSE
from transferset.tokens import fit_vocabulary
pieces = fit_vocabulary(PROSE, 1200, language="de").pieces
print(hashlib.sha256("\\n".join(pieces).encode()).hexdigest())
"""


def test_every_process_fits_the_same_vocabulary() -> None:
    here = Path(__file__)
    paths = os.pathsep.join(map(str, (here.parent, here.parents[2])))
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": n},
            check=True,
            capture_output=True,
        ).stdout
        for seed, n in (("0", "1"), ("1", "2"), ("77", "4"))
    }
    pieces = fit_vocabulary(PROSE, 1200, language="de").pieces
    expected = hashlib.sha256("\n".join(pieces).encode()).hexdigest()
    assert digests == {f"{expected}\n".encode()}


def test_the_order_of_texts_does_not_matter_while_memory_lasts() -> None:
    assert fit_vocabulary(PROSE, 900).pieces == fit_vocabulary(PROSE[::-1], 900).pieces


def test_what_is_saved_loads_as_the_same_tokenizer(cased: Vocabulary, tmp_path: Path) -> None:
    cased.save(tmp_path / "new" / "vocabulary")
    folder = tmp_path / "new" / "vocabulary"
    assert sorted(path.name for path in folder.iterdir()) == [
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    fitted = cased.tokenizer().info.sha256
    for path in (folder, folder / "tokenizer.json", folder / "vocab.txt"):
        assert load_tokenizer(str(path)).info.sha256 == fitted
    config = json.loads((folder / "tokenizer_config.json").read_text())
    assert (config["do_lower_case"], config["strip_accents"]) == (False, False)


def test_rare_words_are_not_learnt() -> None:
    texts = ["common common", "singular"]
    assert "common" in fit_vocabulary(texts, 600).pieces
    assert "singular" not in fit_vocabulary(texts, 600).pieces
    assert "singular" in fit_vocabulary(texts, 600, min_count=1).pieces


def test_a_vocabulary_never_exceeds_its_size() -> None:
    texts = ["".join(map(chr, range(0x4E00, 0x6E00))), *PROSE]
    vocabulary = fit_vocabulary(texts, 500, language="zh", min_count=1)
    assert len(vocabulary.pieces) <= 500
    assert vocabulary.coverage < 1


def test_rare_characters_are_left_out_of_a_large_alphabet() -> None:
    words = Counter({chr(0x4E00 + i): 10_000 for i in range(2000)} | {"ж": 1})
    characters, coverage = choose_alphabet(words, 30_000)
    assert len(characters) == 2000
    assert "ж" not in characters
    assert coverage == pytest.approx(1 - 1 / 20_000_001)


@pytest.mark.parametrize("size", [0, 499, 1_000_001])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="a vocabulary size from 500 to 1000000"):
        fit_vocabulary(PROSE, size)


@pytest.mark.parametrize("texts", [[], [" \n"], ["\x00"]])
def test_no_words_are_bad_input(texts: list[str]) -> None:
    with pytest.raises(InputError, match="not one word"):
        fit_vocabulary(texts, 600)


def test_a_lone_surrogate_is_bad_input() -> None:
    with pytest.raises(InputError, match=r"U\+D800"):
        fit_vocabulary(["fine", "a\ud800"], 600)
