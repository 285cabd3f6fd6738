"""The table of all words of a step."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from word_texts import WRITTEN, bert, careless_disk

from transferset.errors import InputError, SetError
from transferset.tokens.spelling import WordSpelling
from transferset.transforms import word_table
from transferset.transforms.word_table import (
    OPEN_AFTER,
    OPEN_BEFORE,
    WordTable,
    build_table,
    open_table,
    utf8,
)

TINY = WordSpelling(bert(lowercase=True))


def ordered(words: set[str] | list[str]) -> pa.StringArray:
    return pa.array(sorted(set(words), key=str.encode), pa.string())


def table_of(words: set[str] | list[str], folder: Path) -> WordTable:
    build_table(folder, ordered(words), TINY)
    return open_table(folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> WordTable:
    return table_of(list(WRITTEN), tmp_path_factory.mktemp("written"))


def test_a_code_is_the_place_among_the_words(tmp_path: Path) -> None:
    table = table_of(["the", "did", "中", "."], tmp_path)
    assert table.words.to_pylist() == [".", "did", "the", "中"]
    assert table.codes(pa.array(["中", ".", "the", "the"])).tolist() == [3, 0, 2, 2]
    assert table.codes(pa.array(["did"])).dtype == np.int32
    assert len(table) == 4


def test_the_pieces_of_each_word_are_the_tokenizers(written: WordTable) -> None:
    ids, _ = TINY.spell(written.words.to_pylist())
    assert written.pieces.tolist() == ids.tolist()
    for word, (begin, end) in zip(
        written.words.to_pylist(), pairwise(written.piece_at), strict=True
    ):
        assert written.pieces[begin:end].tolist() == TINY.spell([word])[0].tolist()


def test_the_edges_of_each_word_are_the_tokenizers(written: WordTable) -> None:
    before, after = TINY.edges(written.words.to_pylist())
    assert ((written.edges & OPEN_BEFORE) != 0).tolist() == before.tolist()
    assert ((written.edges & OPEN_AFTER) != 0).tolist() == after.tolist()
    assert written.edges.max() == OPEN_BEFORE | OPEN_AFTER


def test_words_are_spelled_some_at_a_time(
    tmp_path: Path, written: WordTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_table, "_AT_ONCE", 7)
    other = table_of(list(WRITTEN), tmp_path)
    for name in ("text", "text_at", "pieces", "piece_at", "edges"):
        assert getattr(other, name).tolist() == getattr(written, name).tolist()


def test_every_word_finds_its_code(written: WordTable) -> None:
    assert written.codes(written.words).tolist() == list(range(len(written)))


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), min_size=1),
    st.data(),
)
def test_codes_are_those_of_a_dictionary(words: set[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, careless_disk():
        table = table_of(words, Path(folder))
        plain = {word: code for code, word in enumerate(sorted(words, key=str.encode))}
        asked = data.draw(st.lists(st.sampled_from(sorted(words))))
        assert table.codes(pa.array(asked, pa.string())).tolist() == [plain[w] for w in asked]


def test_lists_are_taken_one_after_the_other(written: WordTable) -> None:
    lists = pa.array([["a"], ["the", "a"], [], ["did", "."]])
    flat = ["the", "a", "did", "."]
    assert written.codes(lists.slice(1)).tolist() == written.codes(pa.array(flat)).tolist()
    assert written.codes(pa.array(["x", *flat], pa.string()).slice(1)).tolist() == (
        written.codes(pa.array(flat)).tolist()
    )
    assert written.codes(pa.array([], pa.list_(pa.string()))).tolist() == []


@pytest.mark.parametrize("word", ["thee", "th", "", "\u00ff", "tha", "zz", "A"])
def test_a_word_that_is_missing_is_named(word: str, tmp_path: Path) -> None:
    table = table_of(["the", "did", "a"], tmp_path)
    with pytest.raises(InputError, match=f"found {word!r} at the column words"):
        table.codes(pa.array(["the", word]))


def test_a_null_is_no_word(written: WordTable) -> None:
    with pytest.raises(InputError, match="a null"):
        written.codes(pa.array(["the", None]))


def test_a_table_may_be_empty(tmp_path: Path) -> None:
    table = table_of([], tmp_path)
    assert (len(table), table.codes(pa.array([], pa.string())).tolist()) == (0, [])
    with pytest.raises(InputError):
        table.codes(pa.array(["a"]))


def test_a_table_may_hold_the_empty_word_alone(tmp_path: Path) -> None:
    table = table_of([""], tmp_path)
    assert table.codes(pa.array(["", ""])).tolist() == [0, 0]


FILES = ("text", "text-at", "pieces", "piece-at", "edges")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_table(tmp_path, ordered(["the", "did", "中"]), TINY)
    return tmp_path


def test_there_are_five_files(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == sorted(f"words-{n}.npy" for n in FILES)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other type", "more"])
def test_a_damaged_file_is_named(folder: Path, name: str, damage: str) -> None:
    path = folder / f"words-{name}.npy"
    array = np.load(path)
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "other type":
        np.save(path, array.astype(np.float32))
    else:
        np.save(path, np.append(array, array[-1:] + 1))
    with pytest.raises(SetError, match="words-"):
        open_table(folder)


def test_a_pickle_is_not_loaded(folder: Path) -> None:
    np.save(folder / "words-edges.npy", np.array([None]), allow_pickle=True)
    with pytest.raises(SetError, match="words-edges"):
        open_table(folder)


@pytest.mark.parametrize("offsets", [[0, 5, 3, 9], [1, 3, 6, 9], [0, 3, 6, 8], [-4, 3, 6, 9]])
def test_offsets_that_lead_astray_are_refused(folder: Path, offsets: list[int]) -> None:
    np.save(folder / "words-text-at.npy", np.array(offsets, np.int32))
    with pytest.raises(SetError, match="words-text-at"):
        open_table(folder)


def test_words_that_are_not_utf8_are_refused(folder: Path) -> None:
    text = np.load(folder / "words-text.npy")
    text[-1] = 0x41  # the third byte of 中
    np.save(folder / "words-text.npy", text)
    with pytest.raises(SetError, match="words-text"):
        open_table(folder)


def test_bytes_of_strings_begin_at_0() -> None:
    text, at = utf8(pa.array(["ab", "c", "中", ""]).slice(1))
    assert (text.tobytes().decode(), at.tolist()) == ("c中", [0, 1, 4, 4])
    text, at = utf8(pa.array([], pa.string()))
    assert (text.tolist(), at.tolist()) == ([], [0])
