"""Variants without repeats, up to a target, whatever the rounds and ranges are."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, SEP, make_rows
from driving_rounds import PlainSpelling, run_rounds, setting_for, slices, tagged_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_augment import augmented

from transferset.errors import InputError, UsageError
from transferset.ledger import Reason
from transferset.schema import ids_type
from transferset.steps.augmenting import Augment
from transferset.transforms import Position, attempts, variants, variation
from transferset.transforms.attempts import SURVEYED, Round, judge
from transferset.transforms.variation import digest

EXAMPLES = settings(max_examples=25, deadline=None)

WORDS = ["a", "b", "c", "d", "e", "f"]
SPELLING = PlainSpelling(WORDS)
TAGS = ["T"]

TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=5), max_size=8)
STEPS = st.builds(
    Augment,
    mask=st.sampled_from([0.1, 0.4]),
    pos=st.sampled_from([0.1, 0.4]),
    delete=st.sampled_from([0.0, 0.2]),
    target=st.sampled_from(["1x", "1.5x", "2.5x", "4x", "30x"]),
    max_iterations=st.integers(1, 12),
    originals=st.sampled_from(["first", "none"]),
)


def batch_of(texts, addresses=None, **columns):
    rows = [[(words, [0] * len(words))] for words in texts]
    return tagged_rows(rows, SPELLING, addresses=addresses, **columns)


def plain_rows(texts):
    return [((words, [True] * len(words), [0] * len(words)),) for words in texts]


def ids_of(words):
    return [CLS, *(SPELLING.ids[w] for w in words), SEP]


def leaks_of(rows):
    """Digests of evaluation rows as the pipeline has them."""
    batch = make_rows(rows)
    offsets = batch.column("input_ids").offsets.to_numpy()
    return np.ascontiguousarray(digest(batch.column("input_ids").values.to_numpy(), offsets).T)


def out(varied):
    return [(r["parent_row"], r["copy"], r["input_ids"], [r["text"]]) for r in varied.rows()]


@EXAMPLES
@given(TEXTS, STEPS, st.lists(st.integers(1, 7)), st.lists(st.sampled_from(WORDS), max_size=2))
def test_the_plain_definition_gives_the_same_rows(texts, step, bounds, leak):
    leaks = [ids_of(leak), ids_of(["a"]), ids_of(["b", "c"])]
    setting = setting_for(SPELLING, TAGS, leaks=leaks_of(leaks))
    varied = run_rounds(step, slices(batch_of(texts), bounds), setting)
    addresses = [(i, 0) for i in range(len(texts))]
    key = Position(0, 0).key
    expected = augmented(step, plain_rows(texts), addresses, key, SPELLING, leaks=leaks)
    assert out(varied) == expected
    assert varied.model["rows"] == len(expected)
    assert varied.model["tokens"] == sum(len(ids) for _, _, ids, _ in expected)
    goal = round(step.multiple * len(texts))
    assert varied.model["reached"] == (len(expected) >= goal)
    if varied.model["reached"] and step.target != "1x":
        assert len(expected) == goal


@EXAMPLES
@given(TEXTS, STEPS, st.integers(1, 4), st.lists(st.integers(1, 7)))
def test_how_rounds_and_ranges_are_cut_makes_no_difference(texts, step, most, bounds):
    setting = setting_for(SPELLING, TAGS)
    whole = run_rounds(step, [batch_of(texts)], setting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variation, "_MOST_AT_ONCE", most)
        patch.setattr(attempts, "_ROWS", 3)
        patch.setattr(variants, "WORDS_AT_ONCE", 10)
        cut = run_rounds(step, slices(batch_of(texts), bounds), setting)
    assert out(cut) == out(whole)
    assert cut.model == whole.model
    assert +cut.ledger == +whole.ledger
    assert cut.files["table-augment.json"] == whole.files["table-augment.json"]


@EXAMPLES
@given(TEXTS, STEPS)
def test_everything_is_accounted_for(texts, step):
    setting = setting_for(SPELLING, TAGS, leaks=leaks_of([ids_of(["a"]), ids_of(["c", "c"])]))
    varied = run_rounds(step, [batch_of(texts)], setting)
    model, ledger, rows = varied.model, varied.ledger, len(varied.rows())
    assert json.loads(varied.files["table-augment.json"]) == model
    assert model["columns"] == ["made", "unchanged", "repeated", "leaked", "surplus", "accepted"]
    assert all(line[0] == sum(line[1:]) == len(texts) for line in model["table"])
    made, unchanged, repeated, _, surplus, _ = np.reshape(model["table"], (-1, 6)).sum(axis=0)
    assert ledger[Reason.UNCHANGED] == unchanged
    assert ledger[Reason.REPEATED] == repeated
    assert ledger[Reason.SURPLUS] == surplus
    assert rows == len(texts) + made - ledger.total()
    assert len(model["table"]) == model["attempts"]
    assert model["multiple"] == (round(rows / len(texts), 6) if texts else 0)


def test_no_row_equals_another_an_original_or_an_evaluation_row():
    random = np.random.default_rng(1)
    texts = [random.choice(WORDS, size).tolist() for size in random.integers(1, 6, 300)]
    leaks = [ids_of(random.choice(WORDS, 3)) for _ in range(60)]
    setting = setting_for(SPELLING, TAGS, leaks=leaks_of(leaks))
    varied = run_rounds(Augment(mask=0.1, pos=0.4, iterations=20), [batch_of(texts)], setting)
    rows = varied.rows()
    new = [tuple(r["input_ids"]) for r in rows if r["copy"]]
    old = {tuple(ids_of(words)) for words in texts}
    assert len(set(new)) == len(new) > 2_000
    assert not set(new) & old
    assert not {tuple(r["input_ids"]) for r in rows} & set(map(tuple, leaks))
    leaked = sum(ids_of(words) in leaks for words in texts)
    assert leaked > 0
    assert varied.ledger[Reason.LEAKED] == leaked + sum(line[3] for line in varied.model["table"])


def test_equal_originals_all_stay():
    varied = run_rounds(
        Augment(mask=1.0), [batch_of([["a"], ["a"], ["b"]])], setting_for(SPELLING, TAGS)
    )
    assert out(varied) == [
        (0, 0, ids_of(["a"]), ["a"]),
        (0, 1, [CLS, 4, SEP], ["[MASK]"]),
        (1, 0, ids_of(["a"]), ["a"]),
        (2, 0, ids_of(["b"]), ["b"]),
    ]


def test_of_attempts_that_give_the_same_the_lowest_number_is_kept_then_the_earliest_row():
    # masks of two words: attempts 1 of both rows are the first; in the same attempt row 0 is
    texts = [["a", "b"], ["c", "d"]]
    found = out(
        run_rounds(Augment(mask=0.5, iterations=30), [batch_of(texts)], setting_for(SPELLING, TAGS))
    )
    both = [(row, copy) for row, copy, ids, _ in found if ids == [CLS, 4, 4, SEP]]
    one = out(
        run_rounds(
            Augment(mask=0.5, iterations=30), [batch_of(texts[:1])], setting_for(SPELLING, TAGS)
        )
    )
    alone = [copy for _, copy, ids, _ in one if ids == [CLS, 4, 4, SEP]]
    assert len(both) == len(alone) == 1
    assert both[0][1] <= alone[0]
    assert both == [(0, alone[0])] or both[0][0] == 1


def test_ten_times_a_set_is_exactly_ten_times_it():
    random = np.random.default_rng(2)
    texts = [random.choice(WORDS, size).tolist() for size in random.integers(4, 9, 151)]
    step = Augment(mask=0.1, pos=0.1, target="10.5x")
    setting = setting_for(SPELLING, TAGS)
    varied = run_rounds(step, slices(batch_of(texts), [50, 100]), setting)
    # 1585.5 is rounded to the even number
    assert len(varied.rows()) == varied.model["rows"] == 1586
    assert varied.model["reached"]
    assert varied.rounds > 1
    again = run_rounds(Augment(mask=0.1, pos=0.1, target="12x"), [batch_of(texts)], setting)
    # the last attempt number aside, a larger target only adds rows
    last = varied.model["attempts"]
    kept = {r[:2] for r in out(varied) if r[1] < last}
    assert kept <= {r[:2] for r in out(again)}


def test_a_target_that_cannot_be_reached_is_told():
    step = Augment(mask=0.5, target="10x", max_iterations=20)
    varied = run_rounds(step, [batch_of([["a"], ["b"]])], setting_for(SPELLING, TAGS))
    assert [row["text"] for row in varied.rows()] == ["a", "[MASK]", "b"]
    assert not varied.model["reached"]
    assert varied.model["attempts"] == 20
    assert varied.model["multiple"] == 1.5


def test_the_last_attempts_rows_are_chosen_evenly():
    # of 1000 rows 500 keep the variant of attempt 1: about as many of each half, and of those
    # whose first word is masked (the key is not a word that decides anything)
    texts = [["a", "b", "c", "d"]] * 1000
    spelling = PlainSpelling([f"{w}{i}" for w in WORDS for i in range(1000)])
    rows = [[([f"{w}{i}" for w in words], [0] * 4)] for i, words in enumerate(texts)]
    step = Augment(mask=0.5, target="1.5x")
    varied = run_rounds(step, [tagged_rows(rows, spelling)], setting_for(spelling, TAGS)).rows()
    kept = [row for row in varied if row["copy"] == 1]
    assert len(kept) == 500
    # 15/16 change; standard deviation of a half of 500 is 8 without replacement
    assert abs(sum(row["parent_row"] < 500 for row in kept) - 250) < 6 * 8
    masked = sum(row["text"].startswith("[MASK]") for row in kept)
    assert abs(masked - 500 * 8 / 15) < 6 * 8


def test_originals_may_be_left_out():
    texts = [["a", "b"], ["c"]]
    step = Augment(mask=0.6, iterations=8, originals="none")
    varied = run_rounds(step, [batch_of(texts)], setting_for(SPELLING, TAGS))
    first = run_rounds(
        Augment(mask=0.6, iterations=8), [batch_of(texts)], setting_for(SPELLING, TAGS)
    )
    assert out(varied) == [row for row in out(first) if row[1] > 0]
    assert varied.ledger[Reason.VARIED] == 2


def test_fewer_rows_than_the_originals_need_them_to_go():
    setting = setting_for(SPELLING, TAGS)
    with pytest.raises(
        UsageError, match=r"target of at least 1x, for originals are kept, found 0.5x"
    ):
        run_rounds(Augment(mask=0.5, target="0.5x"), [batch_of([["a"]])], setting)
    step = Augment(mask=1.0, target="0.5x", originals="none")
    varied = run_rounds(step, [batch_of([["a"], ["a", "b"], ["c"] * 3, ["d"] * 4])], setting)
    assert len(varied.rows()) == 2


@pytest.mark.parametrize("gone", ["words", "space", "pos", "text", "text_pair", "words_pair"])
def test_rows_without_words_and_tags_are_a_use_error(gone):
    side = (["a"], [0])
    batch = tagged_rows([[side, side]], SPELLING)
    batch = batch.select([n for n in batch.schema.names if n != gone])
    with pytest.raises(UsageError, match=f"found none of {gone}.*build task --tagger"):
        run_rounds(Augment(mask=0.5), [batch], setting_for(SPELLING, TAGS))


def with_column(batch, name, values):
    column = pa.array(values, batch.schema.field(name).type)
    return batch.set_column(batch.schema.get_field_index(name), name, column)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("space", [[True], [True]], "as many words as spaces and tags"),
        ("pos", [[0, 0], [0, 0]], "as many words as spaces and tags"),
        ("pos", [[0, 1], [0]], "tags below 1, found 1"),
        ("words", [["a", None], ["a"]], "null"),
    ],
)
def test_words_that_do_not_fit_their_tags_are_bad_input(name, values, message):
    batch = with_column(batch_of([["a", "b"], ["a"]]), name, values)
    with pytest.raises(InputError, match=message):
        run_rounds(Augment(mask=0.5), [batch], setting_for(SPELLING, TAGS))


def test_copies_beyond_32_bits_are_a_use_error():
    batch = batch_of([["a", "b"]], addresses=[(0, 1 << 31)])
    with pytest.raises(UsageError, match=r"addresses of copies below 2\*\*32"):
        run_rounds(Augment(mask=0.5, iterations=1), [batch], setting_for(SPELLING, TAGS))


def test_no_rows_give_no_rows():
    varied = run_rounds(Augment(mask=0.5), [batch_of([])], setting_for(SPELLING, TAGS))
    assert varied.rows() == []
    assert varied.model["rows"] == varied.model["tokens"] == 0


def test_lists_and_offsets_of_slices_are_read_from_their_beginning():
    batch = batch_of([["a", "b"], ["c", "d", "e"], ["f"]])
    setting = setting_for(SPELLING, TAGS)
    step = Augment(pos=0.5, iterations=6)
    parts = [batch.slice(0, 1), batch.slice(1, 1), batch.slice(2)]
    assert out(run_rounds(step, parts, setting)) == out(run_rounds(step, [batch], setting))


class Records:
    """Attempts as surveys set them down: (digest, row, copy, ids)."""

    def __init__(self, records):
        self.records = records

    def batches(self):
        for high, row, copy, ids in self.records:  # each in a batch of its own
            columns = [[high], [7], [row], [copy], [ids]]
            yield pa.record_batch(
                [pa.array(c, f.type) for c, f in zip(columns, SURVEYED, strict=True)],
                schema=SURVEYED,
            )


@given(
    st.permutations(
        [(9, 0, 1, 5), (9, 1, 1, 5), (9, 2, 0, 5), (3, 3, 2, 6), (3, 0, 2, 6), (3, 5, 1, 6)]
    )
)
def test_who_is_first_does_not_depend_on_the_order(tmp_path_factory, records):
    # digest 9 is the original's of row 2; digest 3 row 5's, of attempt 1
    of = Round(1, 1, 3, 3, 2, last=True, choose=True)
    counts = judge(Records(records), of, None, tmp_path_factory.mktemp("rounds"))
    assert counts.tolist() == [[1, 0, 0, 0, 5], [1, 2, 0, 0, 6], [0, 2, 0, 0, 0]]


def test_digests_are_of_32_bit_numbers_whatever_the_type():
    ids, offsets = [2, 700, 3], np.array([0, 3], np.int32)
    made = [digest(np.array(ids, t), offsets).tolist() for t in (np.uint16, np.int32)]
    assert made[0] == made[1]
    assert ids_type(10) == pa.uint16()
