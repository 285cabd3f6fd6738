"""`verify` on task sets: labels, words and tags that contradict each other are found, by row."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_sets import SENTIMENT, TAGS, ids, make_labelled, words_of

import transferset.verification_columns as checks
from transferset.errors import SetError
from transferset.verification import verify

TEXTS = ["a silly, empty film", "funny", "", "a lovely story, truly"]
PAIRS = ["it was silly", "so it was", "an empty row before", "lovely"]


def columns(**changed):
    sides = {f"{name}_pair": values for name, values in words_of(PAIRS).items()}
    found = {
        "input_ids": ids(4), "text": TEXTS, "text_pair": PAIRS, "label": [0, 1, None, 1],
        **words_of(TEXTS), **sides,
    }  # fmt: skip
    return {k: v for k, v in {**found, **changed}.items() if v is not None}


def changed(name, row, value):
    """The columns with another value of one of them in one row."""
    values = list(columns()[name])
    values[row] = value
    return columns(**{name: values})


@pytest.mark.parametrize("given_columns", [
    columns(),
    columns(text_pair=None, words_pair=None, space_pair=None, pos_pair=None),
    columns(words=None, space=None, pos=None, words_pair=None, space_pair=None, pos_pair=None),
    columns(input_ids=None),
    columns(label=[None] * 4),
])  # fmt: skip
def test_a_right_task_set_passes(tmp_path, given_columns):
    names = {**SENTIMENT, **TAGS}
    assert len(verify(make_labelled(tmp_path / "set", given_columns, names=names).root)) == 4


WRONG = [
    (changed("label", 1, 2), "a label of the 2 classes in the manifest's names.*row 1"),
    (changed("label", 3, -1), "a label of the 2 classes.*row 3"),
    (changed("pos", 3, [2, 1, 2, 0, 3]), "pos of the 3 tags in the manifest's names.*row 3"),
    (changed("pos_pair", 0, [2, 2, 77]), "pos_pair of the 3 tags.*row 0"),
    (changed("space", 1, []), "as many space as words.*row 1"),
    (changed("pos", 0, [2] * 6), "as many pos as words.*row 0"),
    (changed("space_pair", 3, [False, False]), "as many space_pair as words_pair.*row 3"),
    (changed("text", 1, "Funny"), "words that joined are its text.*row 1"),
    (changed("text", 1, "funny "), "words that joined are its text.*row 1"),
    (changed("text", 2, " "), "words that joined are its text.*row 2"),
    (changed("space", 0, [True] * 5), "words that joined are its text.*row 0"),
    (changed("text_pair", 2, "an emptyrow before "), "words_pair that joined are its text_pair"),
    (changed("words_pair", 1, ["so", "it", "wa"]), "words_pair that joined.*row 1"),
    (columns(words_pair=None), "a column words_pair for both sides of pairs, found .*manifest"),
    (columns(text=None), "a column text for both sides of pairs"),
    (columns(pos=None), "a column pos for both sides of pairs"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_what_contradicts_itself_is_named_with_its_row(tmp_path, wrong, message):
    found = make_labelled(tmp_path / "set", wrong, names={**SENTIMENT, **TAGS})
    with pytest.raises(SetError, match=message) as caught:
        verify(found.root)
    assert caught.value.exit_code == 4
    assert str(found.root) in str(caught.value)


def test_the_row_is_counted_over_batches(tmp_path):
    many = {"text": ["a film"] * 20_003, "label": [0] * 20_001 + [5, 0], **words_of([])}
    many |= words_of(["a film"] * 20_003)
    found = make_labelled(tmp_path / "set", many, names={**SENTIMENT, **TAGS})
    with pytest.raises(SetError, match="row 20001; "):
        verify(found.root)


def test_tags_without_names_are_refused_and_codes_of_unnamed_classes_are_not(tmp_path):
    found = make_labelled(tmp_path / "a", {"text": ["x"], "label": [17]})
    assert len(verify(found.root)) == 1
    found = make_labelled(tmp_path / "b", {"text": TEXTS, **words_of(TEXTS)})
    with pytest.raises(SetError, match="pos of the 0 tags"):
        verify(found.root)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_is_a_number(tmp_path, score):
    right = {"text": ["x", "y", "z"], "label": [0.5, None, 5.0]}
    assert len(verify(make_labelled(tmp_path / "a", right, score=True).root)) == 3
    wrong = {"text": ["x", "y"], "label": [0.5, score]}
    found = make_labelled(tmp_path / "b", wrong, score=True)
    with pytest.raises(SetError, match=r"a finite label or none.*row 1"):
        verify(found.root)


WORDS = st.lists(st.tuples(st.text("aé漢😀'", min_size=1, max_size=4), st.booleans()), max_size=6)


def joined(words):
    text = "".join(word + (" " if space else "") for word, space in words)
    return text[:-1] if words and words[-1][1] else text


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=8), st.integers(1, 40))
def test_words_are_joined_as_they_are_by_hand(monkeypatch, rows, together):
    import pyarrow as pa

    monkeypatch.setattr(checks, "_TOGETHER", together)
    texts = [joined(words) + ("!" if wrong else "") for words, wrong in rows]
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(["", *texts]),
            pa.array([[], *([w for w, _ in words] for words, _ in rows)], pa.list_(pa.string())),
            pa.array([[], *([s for _, s in words] for words, _ in rows)], pa.list_(pa.bool_())),
        ],
        names=["text", "words", "space"],
    ).slice(1)
    wrong = [i for i, (_, is_wrong) in enumerate(rows) if is_wrong]
    if not wrong:
        checks.check_columns(batch, {}, "x, row", 5)
        return
    with pytest.raises(SetError, match=rf"words that joined are its text.*row {wrong[0] + 5};"):
        checks.check_columns(batch, {}, "x, row", 5)
