from __future__ import annotations

import subprocess
import sys

import pytest

from transferset.errors import UsageError
from transferset.tagging import load_tagger
from transferset.tagging.stop_words import ENGLISH


@pytest.mark.parametrize("spec", ["", "spacy:", "lexicon:x", "nltk:eng", "flair", "Spacy"])
def test_an_unknown_tagger_is_a_use_error(spec: str) -> None:
    with pytest.raises(UsageError, match="expected a tagger spacy, spacy:MODEL, lexicon or nltk"):
        load_tagger(spec)


def test_an_unknown_word_rule_is_a_use_error() -> None:
    with pytest.raises(UsageError, match="expected --words tagger or whitespace, found bert"):
        load_tagger("lexicon", words="bert")


@pytest.mark.parametrize("spec", ["lexicon", "nltk"])
def test_taggers_of_english_say_so(spec: str) -> None:
    with pytest.raises(UsageError, match="found de; name a spaCy pipeline of de"):
        load_tagger(spec, language="de")


def test_choosing_imports_nothing_heavy() -> None:
    code = (
        "import sys, transferset.tagging as t\n"
        "try: t.load_tagger('flair')\n"
        "except Exception: pass\n"
        "print(sorted({'spacy', 'nltk', 'torch', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_stop_words_are_sorted_lower_case_function_words() -> None:
    assert list(ENGLISH) == sorted(set(ENGLISH))
    assert all(word == word.lower() for word in ENGLISH)
    assert {"the", "of", "not", "n't", "herself", "would"} <= set(ENGLISH)
    assert not {"good", "time", "film", "people"} & set(ENGLISH)
