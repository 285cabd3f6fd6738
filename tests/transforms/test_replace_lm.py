"""`replace-lm`: candidates asked for once, variants drawn from them, against plain Python."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from driving import Found
from driving_rounds import PlainSpelling, run_rounds, setting_for, slices, tagged_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_random import philox, step_key

from transferset.errors import InputError, SetError, UsageError
from transferset.ledger import Reason
from transferset.steps import ReplaceLm
from transferset.transforms import Position
from transferset.transforms.candidate_files import CandidateFiles, CandidateWriter
from transferset.transforms.replace_lm import LETTERS, CandidateSurvey, Eligible, ReplaceByModel
from transferset.transforms.variants import rows_of as rows_as_words
from transferset.transforms.word_table import open_table

#: What the model below proposes for each word; for any other nothing.
LEXICON = {
    "cat": ["dog", "mouse", "bird"],
    "sat": ["lay"],
    "mat": ["rug", "bed", "floor", "sofa", "chair"],
    "red": ["blue", "green"],
    "the": ["a"],
    "Paris": ["Rome", "Lyon"],
    "7": ["8"],
}
WORDS = sorted({*LEXICON, *(w for ws in LEXICON.values() for w in ws), "on", ".", "zebra", "The"})
SPELLING = PlainSpelling(WORDS)


class Answer(NamedTuple):
    candidates: list[list[str]]


class Lexicon:
    """A language model without a model; remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def propose(self, texts, spaces, eligible, count, pattern):
        self.asked.append((texts, spaces, eligible, count, pattern))
        pairs = [
            zip(words, wanted, strict=True) for words, wanted in zip(texts, eligible, strict=True)
        ]
        return Answer([LEXICON.get(w, [])[:count] for pair in pairs for w, yes in pair if yes])


def setting(**known):
    defaults = {"language_model": Lexicon, "stop_words": frozenset({"the", "on"})}
    return setting_for(SPELLING, ["X"], **{**defaults, **known})


def rows_of(texts, **more):
    """Rows out of texts, or pairs of them; words are parted by spaces."""
    sides = [[(t.split(), [0] * len(t.split())) for t in row] for row in texts]
    return tagged_rows(sides, SPELLING, **more)


def varied(step, batches, *, seed=0, **known):
    return run_rounds(step, batches, setting(**known), seed=seed)


def plain_side(words, p, k, side, where, key, pairs, stop_words=frozenset({"the", "on"})):
    """One attempt on one side, from the text of `replace_lm_kernels`."""
    if pairs == "cycle" and k % 3 not in (0, side + 1):
        return list(words)
    if pairs == "random":
        drawn = philox((*where, 0), key)[2] * 3 >> 32
        if drawn not in (2, side):
            return list(words)
    base, found = side << 30, []
    for j, word in enumerate(words):
        decides = philox((*where, base + 1 + j // 4), key)[j % 4]
        known = LEXICON.get(word, [])
        ok = word.isalpha() and word.lower() not in stop_words and known
        if ok and decides < round(p * 2**32):
            chosen = philox((*where, base + 2**29 + j), key)[0] * len(known) >> 32
            found.append(known[chosen])
        else:
            found.append(word)
    return found


def plain_text(before, words, spaces):
    """Words with their spaces, and one where a change would make two of them one."""
    found = ""
    for j, word in enumerate(words):
        new = words[max(0, j - 1) : j + 1] != before[max(0, j - 1) : j + 1]
        touches = j > 0 and not spaces[j - 1]
        glued = touches and new and (words[j - 1][-1] + word[0]).isalnum()
        found += " " * (j > 0 and (glued or not touches)) + word
    return found


def plain_rows(batch, step, seed=0, ordinal=0):
    """Originals and variants, without repeats, as (row, copy, text of each side)."""
    key, found, stride = step_key(seed, ordinal), [], step.attempts + 1
    rows, sides = batch.to_pylist(), ["", "_pair"]
    sides = [end for end in sides if f"words{end}" in batch.schema.names]
    seen = {tuple(" ".join(row[f"words{end}"]) for end in sides) for row in rows}
    for k in range(step.attempts + 1):  # an earlier attempt on any row goes before a later one
        for row in rows:
            row_number, copy = row["parent_row"], row["copy"] * stride + k
            where = (row_number & 0xFFFFFFFF, row_number >> 32, copy)
            pairs = step.pairs if len(sides) > 1 else "both"
            before = [row[f"words{end}"] for end in sides]
            made = [
                plain_side(words, step.p, k, s, where, key, pairs) if k else words
                for s, words in enumerate(before)
            ]
            words = tuple(map(" ".join, made))
            if k == 0 or words not in seen:
                spaces = [row[f"space{end}"] for end in sides]
                found.append((row_number, copy, tuple(map(plain_text, before, made, spaces))))
            seen.add(words)
    return sorted(found)


def as_plain(rows):
    texts = [tuple(row[n] for n in ("text", "text_pair") if n in row) for row in rows]
    return [(row["parent_row"], row["copy"], t) for row, t in zip(rows, texts, strict=True)]


TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
STEP = {"model": "m", "iterations": 5}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(TEXT, min_size=1, max_size=8, unique=True),
    st.sampled_from([0.1, 0.4, 1.0]),
    st.integers(0, 2**64 - 1),
    st.lists(st.integers(1, 7), max_size=3),
    st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_variants_are_those_of_plain_python_however_rows_are_cut(texts, p, seed, bounds, space):
    spaces = [[space[: len(t.split())]] for t in texts]
    step, batch = ReplaceLm(**STEP, p=p), rows_of([[t] for t in texts], spaces=spaces)
    found = varied(step, slices(batch, bounds), seed=seed)
    assert as_plain(found.rows()) == plain_rows(batch, step, seed)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5, unique=True),
    st.sampled_from(["cycle", "random", "both"]),
    st.lists(st.integers(1, 4), max_size=2),
)
def test_pairs_are_those_of_plain_python(texts, pairs, bounds):
    step = ReplaceLm(**STEP, p=0.5, pairs=pairs)
    batch = rows_of([list(pair) for pair in texts])
    assert as_plain(varied(step, slices(batch, bounds)).rows()) == plain_rows(batch, step)


def test_rows_of_a_bootstrap_have_addresses_of_their_own():
    where = [(2, 0), (2, 1), (2**33, 0), (2**33, 7)]
    texts = ["cat sat", "red cat", "the mat sat", "cat on mat"]
    batch, step = rows_of([[t] for t in texts], addresses=where), ReplaceLm(**STEP, p=0.6)
    assert as_plain(varied(step, [batch]).rows()) == plain_rows(batch, step)


def test_ids_and_texts_agree_and_candidates_keep_their_case():
    found = varied(ReplaceLm(**STEP, p=1.0), [rows_of([["The cat sat in Paris . 7"]])])
    for row in found.rows():
        assert row["input_ids"][1:-1] == SPELLING.spell(row["text"].split())[0].tolist()
        first, cat, sat, _, city, *rest = row["text"].split()
        assert (first, rest) == ("The", [".", "7"])  # a stop word, and no letters
        if row["copy"]:
            assert cat in LEXICON["cat"]
            assert (sat, city in LEXICON["Paris"]) == ("lay", True)


def test_spaces_stay_where_they_are():
    spaces = [[[False, True, False]]]
    batch = tagged_rows([[(["cat", ".", "mat"], [0] * 3)]], SPELLING, spaces=spaces)
    rows = varied(ReplaceLm(**STEP, p=1.0), [batch]).rows()
    assert len(rows) > 2
    assert all(row["text"].count(" ") == 1 and ". " in row["text"] for row in rows)


def test_words_that_are_replaced_are_kept_apart_from_those_that_they_touch():
    spaces = [[[False] * 4]]
    batch = tagged_rows([[(["zebra", "on", "cat", "."], [0] * 4)]], SPELLING, spaces=spaces)
    rows = varied(ReplaceLm(model="m", p=1.0, iterations=40), [batch]).rows()
    # "zebraon" was there before
    expected = {"zebraoncat."} | {f"zebraon {word}." for word in LEXICON["cat"]}
    assert {row["text"] for row in rows} == expected
    both = tagged_rows([[(["cat", "red"], [0] * 2)]], SPELLING, spaces=[[[False] * 2]])
    rows = varied(ReplaceLm(model="m", p=0.5, iterations=300), [both]).rows()
    words = [[w, *LEXICON[w]] for w in ("cat", "red")]
    apart = {f"{a} {b}" for a in words[0] for b in words[1]} - {"cat red"}
    assert {row["text"] for row in rows} == {"catred", *apart}


def test_of_words_without_candidates_there_are_no_variants():
    found = varied(ReplaceLm(**STEP, p=1.0), [rows_of([["zebra on the ."]])])
    assert [row["copy"] for row in found.rows()] == [0]
    assert found.ledger[Reason.UNCHANGED] == 5


def test_what_was_asked_is_counted():
    texts = [["cat zebra on ."], ["the red mat"]]
    found = varied(ReplaceLm(**STEP, candidates=2), slices(rows_of(texts), [1]))
    # eligible: cat, zebra; red, mat. Two candidates of each, but none of zebra.
    assert json.loads(found.files["table-candidates.json"]) == {
        "words": 7,
        "eligible": 4,
        "with_candidates": 3,
        "candidates": 6,
    }


# 300 rows of 8 words, 12 attempts: 28,800 draws; alpha = 0.0001 for each of the two tests
def test_rates_and_choices_are_as_defined():
    step = ReplaceLm(model="m", p=0.4, iterations=12)
    batch = rows_of([["cat mat " * 4 + "zebra" * (i % 2)] for i in range(2)])
    rows = pa.concat_batches([batch] * 150)
    addresses = np.arange(300, dtype=np.uint64)
    rows = rows.set_column(rows.schema.names.index("parent_row"), "parent_row", pa.array(addresses))
    made = variants_of(step, rows, 12)
    for j, word in enumerate(["cat", "mat"]):
        came = [w for text in made for w in text.split()[j:8:2]]
        counts = Counter(came)
        n = len(came)
        assert n == 300 * 12 * 4
        expected = {word: 0.6 * n}
        expected |= {c: 0.4 * n / len(LEXICON[word]) for c in LEXICON[word]}
        assert set(counts) == set(expected)
        statistic = sum((counts[w] - e) ** 2 / e for w, e in expected.items())
        assert statistic < {3: 21.11, 5: 25.74}[len(expected) - 1]  # χ² at 0.0001


def variants_of(step, rows, attempts):
    """The texts of all attempts, repeats too."""
    implementation = ReplaceByModel(step, setting())
    at = Position(3, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        survey = implementation.survey(at)
        kept = [b for b in (survey.add(rows), survey.finish()) if b is not None]
        path = folder / "survey.arrow"
        with pa.ipc.new_file(str(path), kept[0].schema) as sink:
            sink.write_batch(kept[0])
        implementation.conclude(
            Found(len(rows), 0, [0, len(rows)], [path]), at, folder, intact=True
        )
        table = open_table(folder)
        varier = implementation._strategy.open(table, folder)
        words = rows_as_words(rows, table, 1)
        (side,) = varier.variants(words, 1, attempts + 1, attempts + 1, at)
        spelled = table.words.take(pa.array(side.codes)).to_pylist()
    ends = side.offsets
    return [" ".join(spelled[a:b]) for a, b in pairwise(ends)]


def test_the_model_is_asked_about_a_whole_range_at_once():
    model = Lexicon()
    survey = CandidateSurvey(model, Eligible(LETTERS, frozenset({"on"})), 4)
    first, second = slices(rows_of([["cat on mat", "red"], ["the Paris", "7 cat"]]), [1])
    assert survey.add(first) is None
    assert survey.add(second) is None
    found = survey.finish()
    ((texts, spaces, eligible, count, pattern),) = model.asked
    # a side is a text of its own: a pair is never shown together
    assert texts == [["cat", "on", "mat"], ["the", "Paris"], ["red"], ["7", "cat"]]
    assert spaces == [[True] * len(words) for words in texts]
    assert eligible == [[True, False, True], [True, True], [True], [False, True]]
    assert (count, pattern) == (4, LETTERS)
    assert found.column("candidates-0").to_pylist() == [
        [["dog", "mouse", "bird"], None, ["rug", "bed", "floor", "sofa"]],
        [["a"], ["Rome", "Lyon"]],
    ]
    assert found.column("candidates-1").to_pylist() == [
        [["blue", "green"]],
        [None, ["dog", "mouse", "bird"]],
    ]


def test_of_many_words_it_is_asked_before_the_range_ends():
    model = Lexicon()
    survey = CandidateSurvey(model, Eligible(LETTERS, frozenset()), 1 << 20)
    assert survey.add(rows_of([["cat on mat"]])) is None
    assert survey.add(rows_of([["red"]])).num_rows == 2
    assert survey.finish() is None
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [("cat", True), ("Cat", True), ("was", False), ("WAS", False), ("n't", False), ("é", True),
     ("don", True), ("x1", False), ("a_b", False), ("東京", True), ("", False)],
)  # fmt: skip
def test_words_that_may_be_replaced(word, expected):
    assert (
        Eligible(LETTERS, frozenset({"was"})).of(pa.array([word, word])).tolist() == [expected] * 2
    )


def test_the_set_says_what_a_word_is():
    found = varied(ReplaceLm(**STEP, p=1.0), [rows_of([["7 cat"]])], word_pattern="[0-9]+")
    assert {row["text"] for row in found.rows()} == {"7 cat", "8 cat"}


def test_a_pattern_that_is_none():
    with pytest.raises(UsageError, match="a pattern of words"):
        ReplaceByModel(ReplaceLm(**STEP), setting(word_pattern="["))


def test_no_model():
    with pytest.raises(UsageError, match="a language model for --replace-lm, found none"):
        ReplaceByModel(ReplaceLm(**STEP), setting(language_model=None)).survey(Position(0, 0))


def test_a_target_is_met_exactly():
    step = ReplaceLm(model="m", p=0.8, target="3x", max_iterations=40)
    found = varied(step, [rows_of([["cat on mat"], ["red cat"], ["zebra"], ["Paris mat red"]])])
    assert len(found.rows()) == 12
    assert found.model["reached"]


# candidate files


SIDE = st.lists(st.lists(st.lists(st.integers(0, 99), max_size=3), max_size=4), max_size=12)


@settings(max_examples=60, deadline=None)
@given(SIDE, st.data())
def test_candidates_are_read_as_they_were_written(tmp_path_factory, rows, data):
    folder = tmp_path_factory.mktemp("candidates")
    n = len(rows)
    row = np.array([i // 2 * 3 for i in range(n)], np.uint64)
    copy = np.array([i % 2 * 5 for i in range(n)], np.uint32)
    words = [len(side) for side in rows]
    cut = data.draw(st.integers(0, n))
    with CandidateWriter(folder, 1) as writer:
        for a, b in ((0, cut), (cut, n)):
            flat = [one for side in rows[a:b] for one in side]
            writer.add(row[a:b], copy[a:b])
            codes = np.array([c for one in flat for c in one], np.int32)
            writer.add_side(0, words[a:b], [len(one) for one in flat], codes)
    files = CandidateFiles(folder)
    a = data.draw(st.integers(0, n))
    b = data.draw(st.integers(a, n))
    (found,) = files.of(row[a:b], copy[a:b], [np.array(words[a:b], np.int64)])
    expected = [one for side in rows[a:b] for one in side]
    ends = found.offsets.tolist()
    assert [found.codes[i:j].tolist() for i, j in pairwise(ends)] == expected


@pytest.fixture
def files(tmp_path):
    with CandidateWriter(tmp_path, 1) as writer:
        writer.add(np.arange(3, dtype=np.uint64), np.zeros(3, np.uint32))
        writer.add_side(0, [1, 2, 1], [2, 0, 1, 1], np.array([4, 5, 6, 7], np.int32))
    return tmp_path


def of(folder, rows, copies, words):
    arrays = np.array(rows, np.uint64), np.array(copies, np.uint32)
    return CandidateFiles(folder).of(*arrays, [np.array(words, np.int64)])


@pytest.mark.parametrize(
    ("rows", "copies", "words"),
    [
        ([3], [0], [1]),
        ([1], [1], [2]),
        ([0, 2], [0, 0], [1, 1]),
        ([1], [0], [1]),
        ([2, 3], [0, 0], [1, 1]),
    ],
)
def test_other_rows_are_refused(files, rows, copies, words):
    with pytest.raises(SetError, match="candidates of these rows, found others"):
        of(files, rows, copies, words)


@pytest.mark.parametrize("name", ["row", "copy", "word-at-0", "code-at-0", "codes-0"])
def test_files_that_were_cut_are_refused(files, name):
    path = files / f"candidates-{name}"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(SetError):
        of(files, [0, 1, 2], [0, 0, 0], [1, 2, 1])


def test_offsets_that_lead_elsewhere_are_refused(files):
    np.array([0, 2, -8, 3, 4], np.int64).tofile(files / "candidates-code-at-0")
    with pytest.raises(SetError):
        of(files, [0, 1, 2], [0, 0, 0], [1, 2, 1])


def test_a_model_s_candidates_become_variants(tmp_path):
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    from transferset.language_models import open_masked_lm

    pieces = {p: i for i, p in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    made = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    around = [("[CLS]", 2), ("[SEP]", 3)]
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=around)
    config = transformers.BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    folder = tmp_path / "model"
    transformers.BertForMaskedLM(config).save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    known = {"language_model": lambda: open_masked_lm(folder)}
    step, batch = (
        ReplaceLm(model=str(folder), iterations=4),
        rows_of([["cat on mat"], ["red Paris"]]),
    )
    found = varied(step, [batch], **known)
    assert found.files == varied(step, [batch], **known).files
    rows = found.rows()
    assert len(rows) > 2
    for row in rows:
        assert set(row["text"].split(" ")) <= set(WORDS)
    with pytest.raises(InputError, match="the directory of a model"):
        varied(step, [batch], language_model=lambda: open_masked_lm(tmp_path / "nowhere"))
