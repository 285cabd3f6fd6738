from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasty_words import check, texts

from transferset.errors import InputError, UsageError
from transferset.tagging import load_tagger, nltk_tagger
from transferset.tagging.nltk_tagger import NltkTagger, Treebank
from transferset.tagging.tagger import _load
from transferset.tagging.words import Cut

nltk = pytest.importorskip("nltk")
PerceptronTagger = pytest.importorskip("nltk.tag.perceptron").PerceptronTagger
NLTKWordTokenizer = pytest.importorskip("nltk.tokenize.destructive").NLTKWordTokenizer

# By hand: what ends in `ing` is VBG, after DT comes NN, all else is JJ; `the` needs no weights.
WEIGHTS: Any = {
    "bias": {"JJ": 1.0},
    "i suffix ing": {"VBG": 3.0},
    "i-1 tag DT": {"NN": 5.0, "VBG": -1.0},
}
TAGDICT: Any = {"the": "DT", ".": "."}
CLASSES: Any = ["VBG", "NN", "JJ", "DT", "."]


def write(
    root: Path, weights: Any = WEIGHTS, tagdict: Any = TAGDICT, classes: Any = CLASSES
) -> None:
    """The weights, as NLTK's downloader leaves them."""
    folder = root / "taggers" / "averaged_perceptron_tagger_eng"
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (("weights", weights), ("tagdict", tagdict), ("classes", classes)):
        path = folder / f"averaged_perceptron_tagger_eng.{name}.json"
        path.write_text(json.dumps(value))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    _load.cache_clear()
    yield tmp_path
    _load.cache_clear()


def tags(tagger: NltkTagger, text: str) -> list[tuple[str, str]]:
    found = tagger.tag([text])
    return [(w, tagger.info.tags[c]) for w, c in zip(found.words, found.pos, strict=True)]


class TestTags:
    def test_they_are_the_perceptrons(self, data: Path) -> None:
        write(data)
        tagger = nltk_tagger.load("tagger")
        assert tags(tagger, "the running dog isn't running.") == [
            ("the", "DT"),
            ("running", "NN"),
            ("dog", "JJ"),
            ("is", "JJ"),
            ("n't", "JJ"),
            ("running", "VBG"),
            (".", "."),
        ]

    def test_of_quotation_marks_the_perceptron_sees_what_nltk_makes_of_them(
        self, data: Path
    ) -> None:
        write(data, tagdict={"``": "DT", "''": ".", '"': "VBG", "x": "NN"})
        tagger = nltk_tagger.load("tagger")
        assert tags(tagger, '"x"') == [('"', "DT"), ("x", "NN"), ('"', ".")]
        assert tags(tagger, "''x''") == [("''", "."), ("x", "NN"), ("''", ".")]
        assert tags(nltk_tagger.load("whitespace"), '" x "')[0] == ('"', "VBG")

    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    @given(given_texts=st.lists(texts, max_size=4))
    def test_they_are_those_of_nltks_own_functions(
        self, data: Path, given_texts: list[str]
    ) -> None:
        write(data, tagdict={"``": "DT", "''": ".", "'s": "NN"})
        tagger = nltk_tagger.load("tagger")
        found = tagger.tag(given_texts)
        tokens = [NLTKWordTokenizer().tokenize(text) for text in given_texts]
        expected = [tag for one in tokens for _, tag in PerceptronTagger().tag(one)]
        assert [tagger.info.tags[code] for code in found.pos] == expected

    def test_each_text_begins_anew(self, data: Path) -> None:
        write(data)
        found = nltk_tagger.load("tagger").tag(["the", "running", "", "the running"])
        assert found.offsets.tolist() == [0, 1, 2, 2, 4]
        names = [sorted(CLASSES)[code] for code in found.pos]
        assert names == ["DT", "VBG", "DT", "NN"]

    def test_what_it_is(self, data: Path) -> None:
        write(data)
        info = load_tagger("nltk").info
        assert info.tags == (".", "DT", "JJ", "NN", "VBG")
        assert info.version.startswith(f"{nltk.__version__}/")
        assert (info.name, info.language) == ("nltk", "en")

    def test_other_weights_are_another_version(self, data: Path) -> None:
        write(data)
        before = nltk_tagger.load("tagger").info.version
        write(data, {**WEIGHTS, "bias": {"JJ": 1.5}})
        assert nltk_tagger.load("tagger").info.version != before


class TestWords:
    def test_quotation_marks_stay_as_they_are(self) -> None:
        text = "He said \"it's ''fine''\", `` well'' and 'cannot' (or 3.5%)."
        found = Treebank()([text])
        check(found, [text])
        words = "He said \" it 's '' fine '' \" , `` well '' and ' can not ' ( or 3.5 % ) ."
        assert " ".join(found.words) == words

    def test_a_full_stop_inside_stays_with_its_word(self) -> None:
        assert Treebank()(["It ends. So."]).words == ["It", "ends.", "So", "."]

    def test_words_on_spaces(self, data: Path) -> None:
        write(data)
        assert nltk_tagger.load("whitespace").tag(["isn't it."]).words == ["isn't", "it."]

    @settings(max_examples=80)
    @given(st.lists(texts, max_size=6))
    def test_put_together_they_are_the_texts(self, given_texts: list[str]) -> None:
        found = Treebank()(given_texts)
        check(Cut(*found), given_texts)

    def test_a_text_that_nltk_gives_up_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def give_up(_: str) -> list[tuple[int, int]]:
            raise TimeoutError

        rule = Treebank()
        monkeypatch.setattr(rule._tokenizer, "span_tokenize", give_up)
        with pytest.raises(
            InputError, match="found one of 3 characters: a b; choose another --tagger"
        ):
            rule(["a b"])


class TestWhatIsMissing:
    def test_nltk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def version(name: str) -> str:
            raise PackageNotFoundError(name)

        monkeypatch.setattr("transferset.tagging.nltk_tagger.version", version)
        with pytest.raises(UsageError, match="found none; pip install 'transferset\\[nltk\\]', or"):
            nltk_tagger.load("tagger")

    def test_its_data(self, data: Path) -> None:
        with pytest.raises(UsageError) as caught:
            nltk_tagger.load("tagger")
        assert str(caught.value) == (
            "expected NLTK's averaged_perceptron_tagger_eng, found none in nltk_data; "
            "python -m nltk.downloader averaged_perceptron_tagger_eng, or choose --tagger lexicon"
        )

    def test_a_pickle_is_not_data(self, data: Path) -> None:
        folder = data / "taggers" / "averaged_perceptron_tagger"
        folder.mkdir(parents=True)
        (folder / "averaged_perceptron_tagger.pickle").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
        with pytest.raises(UsageError, match="found none in nltk_data"):
            nltk_tagger.load("tagger")

    @pytest.mark.parametrize(
        "damage",
        [
            {"weights": []},
            {"weights": {"bias": {"JJ": "x"}}},
            {"weights": {"bias": 1}},
            {"tagdict": {"the": "XX"}},
            {"tagdict": {"the": ["DT"]}},
            {"classes": []},
            {"classes": [1, 2]},
            {"classes": [f"T{n}" for n in range(256)], "tagdict": {}},
            {"classes": 5},
        ],
        ids=str,
    )
    def test_damaged_data(self, data: Path, damage: dict[str, Any]) -> None:
        write(data, **damage)
        with pytest.raises(InputError, match=r"found a damaged one: .*; python -m nltk"):
            nltk_tagger.load("tagger")

    def test_a_file_that_is_no_json(self, data: Path) -> None:
        write(data)
        path = data / "taggers" / "averaged_perceptron_tagger_eng"
        (path / "averaged_perceptron_tagger_eng.weights.json").write_text("{")
        with pytest.raises(InputError, match="found a damaged one"):
            nltk_tagger.load("tagger")
