"""The model's files, and the model that the package carries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import transferset
from transferset.errors import InputError
from transferset.tagging.hmm_model import read, states, write
from transferset.tagging.hmm_words import LONGEST

SHIPPED = Path(transferset.__file__).parent / "tagging" / "lexicon"
WORDS = {
    "the": {"DT": 5},
    "'s": {"VBZ": 2, "POS": 3},
    '"': {"''": 1},
    "#": {"#": 1},
    "NA": {"NN": 1},
}
TAGS = ("#", "''", "DT", "NN", "POS", "VBZ")
TRIGRAMS = {("<>", "<>", "DT^"): 4, ("<>", "DT^", "#"): 3, ("<>", "DT^", "''"): 1}


def _write(folder: Path) -> Path:
    write(folder, TAGS, WORDS, TRIGRAMS.items(), {"name": "small"})
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    counts = read(_write(tmp_path))
    found = {
        word: {
            counts.tags[counts.word_tags[at]]: int(counts.word_counts[at])
            for at in range(counts.starts[place], counts.starts[place + 1])
        }
        for place, word in enumerate(counts.words.to_pylist())
    }
    assert found == WORDS
    assert counts.tags == TAGS
    names = states(TAGS)
    places = zip(*np.nonzero(counts.trigrams), strict=True)
    triples = {tuple(names[s] for s in at): int(counts.trigrams[at]) for at in places}
    assert triples == TRIGRAMS
    assert counts.about["name"] == "small"


def test_the_order_of_counting_does_not_show_in_the_bytes(tmp_path: Path) -> None:
    _write(tmp_path / "a")
    words = {word: dict(reversed(tags.items())) for word, tags in reversed(WORDS.items())}
    write(tmp_path / "b", TAGS, words, reversed(TRIGRAMS.items()), {"name": "small"})
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_the_version_follows_the_counts_and_the_tags(tmp_path: Path) -> None:
    first = read(_write(tmp_path)).version
    write(tmp_path, TAGS, {**WORDS, "the": {"DT": 6}}, TRIGRAMS.items(), {"name": "small"})
    second = read(tmp_path).version
    write(tmp_path, (*TAGS, "ZZ"), WORDS, TRIGRAMS.items(), {"name": "other name"})
    assert len({first, second, read(tmp_path).version}) == 3
    assert read(_write(tmp_path)).version == first


@pytest.mark.parametrize("name", ["words.tsv", "trigrams.tsv"])
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path) / name
    path.write_bytes(path.read_bytes().replace(b"5", b"6").replace(b"4", b"5"))
    with pytest.raises(InputError, match=rf"expected the digest .*{name}"):
        read(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path) / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}), encoding="utf-8")
    with pytest.raises(InputError, match="expected format 1, found 2"):
        read(tmp_path)


def test_more_tags_than_a_byte_has_states_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at most 127 tags, found 128"):
        write(tmp_path, tuple(f"T{n}" for n in range(128)), {}, [], {})


def test_the_package_carries_counts_and_says_where_they_are_from() -> None:
    about = json.loads((SHIPPED / "model.json").read_text(encoding="utf-8"))
    assert about["teacher"]["license"] == "MIT"
    assert "no person checked the tags" in about["note"]
    assert {source["name"] for source in about["sources"]} >= {"book", "wiki", "sst2", "trec"}
    # these have no part that nobody evaluates on
    assert not {source["name"] for source in about["sources"]} & {"subj", "sara"}
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1_300_000


def test_the_words_of_the_package_fit_the_table() -> None:
    counts = read(SHIPPED)
    words = counts.words.to_pylist()
    assert words == sorted(set(words))
    assert all(0 < len(word.encode()) < LONGEST for word in words)
    assert not any(character in "123456789 \t" for word in words for character in word)
    assert (counts.word_counts > 0).all()
    assert (np.diff(counts.starts) > 0).all()
    # every word and text end followed two others exactly once
    edge = len(states(counts.tags)) - 1
    assert counts.trigrams[edge, edge, :edge].sum() == counts.trigrams[:, :, edge].sum()
