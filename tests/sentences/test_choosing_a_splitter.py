from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_prose import texts

from transferset.errors import UsageError
from transferset.sentences import default_name, get_splitter

PAIRS = [("nupunkt", "en"), ("punkt", "en"), ("punkt", "el"), ("rules", "zh"), ("rules", "hu")]


@pytest.mark.parametrize(
    ("code", "name", "version"),
    [
        ("en", "nupunkt", "0.8.0/default"),
        ("simple", "nupunkt", "0.8.0/default"),
        ("en-GB", "nupunkt", "0.8.0/default"),
        ("de", "punkt", "2.2.1/german"),
        ("pt-br", "punkt", "2.2.1/portuguese"),
        ("no", "punkt", "2.2.1/norwegian"),
        ("nb", "punkt", "2.2.1/norwegian"),
        ("nn", "punkt", "2.2.1/norwegian"),
        ("zh-yue", "rules", "1"),
        ("hu", "rules", "1/hungarian-2.2.1"),
        ("nds-nl", "rules", "1"),
        ("tlh", "rules", "1"),
    ],
)
def test_the_language_chooses_the_default(code: str, name: str, version: str) -> None:
    splitter = get_splitter(None, code)
    assert (splitter.name, splitter.version) == (name, version)
    assert default_name(code) == name


def test_english_can_be_split_as_the_literature_did() -> None:
    splitter = get_splitter("punkt", "en")
    assert (splitter.name, splitter.version) == ("punkt", "2.2.1/english")


@pytest.mark.parametrize(
    ("name", "language", "message"),
    [
        ("moses", "en", r"expected one of nupunkt, punkt, spacy, rules, found splitter 'moses'"),
        ("punkt:x", "en", r"expected one of"),
        ("punkt", "zh", r"expected a language with a Punkt model: cs, da,.* --splitter rules"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(name: str, language: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        get_splitter(name, language)


@pytest.mark.skipif(importlib.util.find_spec("spacy") is not None, reason="spaCy is installed")
def test_missing_spacy_names_the_remedy() -> None:
    with pytest.raises(UsageError, match=r"pip install 'transferset\[spacy\]'"):
        get_splitter("spacy", "en")


def test_spacy_splits_when_it_is_installed() -> None:
    spacy = pytest.importorskip("spacy")
    splitter = get_splitter("spacy", "en")
    assert splitter.version == f"{spacy.__version__}/en-sentencizer"
    assert splitter.split(" One is here.  Two is. ") == ["One is here.", "Two is."]
    with pytest.raises(UsageError, match="python -m spacy download no_such_model"):
        get_splitter("spacy:no_such_model", "en")


@pytest.mark.parametrize(("name", "language"), PAIRS)
@settings(max_examples=100, deadline=None)
@given(passage=st.one_of(texts(), texts(line_breaks=True)))
def test_nothing_is_lost_but_space_at_the_cuts(name: str, language: str, passage: str) -> None:
    sentences = get_splitter(name, language).split(passage)
    assert all(sentences)
    assert [text.strip() for text in sentences] == sentences
    at = 0
    for text in sentences:
        start = passage.index(text, at)
        assert not passage[at:start].strip()
        at = start + len(text)
    assert not passage[at:].strip()


@pytest.mark.parametrize(("name", "language"), PAIRS)
def test_a_splitter_travels_as_its_name(name: str, language: str) -> None:
    splitter = get_splitter(name, language)
    travelled = pickle.dumps(splitter)
    assert len(travelled) < 200
    assert pickle.loads(travelled) is splitter


@pytest.mark.parametrize("name", ["nupunkt", "punkt", "rules"])
def test_decisions_do_not_depend_on_the_hash_seed(name: str) -> None:
    code = (
        "from transferset.sentences import get_splitter\n"
        f"s = get_splitter({name!r}, 'en')\n"
        "t = 'Mr. A. B. Smith of the U.S. Army Inc. The No. 5 etc. He... She?! \"It.\" Yes. '\n"
        "open(1, 'w', encoding='utf-8').write(ascii((s.version, s.split(t * 3))))"
    )
    out = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(out) == 1


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, transferset.sentences\n"
        "assert not {'nupunkt', 'punkt', 'spacy', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
