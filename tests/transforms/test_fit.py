"""The fitted model as a file: what is written, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from driving import CLS, MASK, make_setting
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import SetError
from transferset.transforms import fit as fits
from transferset.transforms.fit import FIT_FILE, Fit, fit_surveyed, read_fit
from transferset.transforms.unigram import LENGTHS, TOKENS, tallied

SETTING = make_setting(12)
GOOD = {"lengths": [[0, 3], [2, 5]], "tokens": [[1, 4], [7, 6]], "vocab_size": 12}


def pairs(*values):
    return np.array(values, np.int64).reshape(-1, 2)


def read(tmp_path, body, setting=SETTING):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = tmp_path / FIT_FILE
    path.write_bytes(raw)
    return read_fit(path, setting)


def test_a_fit_is_canonical_json_and_comes_back(tmp_path):
    fit = Fit(12, pairs((0, 3), (2, 5)), pairs((1, 4), (7, 6)))
    fit.write(tmp_path)
    raw = (tmp_path / FIT_FILE).read_bytes()
    assert raw == b'{"lengths":[[0,3],[2,5]],"tokens":[[1,4],[7,6]],"vocab_size":12}\n'
    back = read_fit(tmp_path / FIT_FILE, SETTING)
    assert back.to_bytes() == raw
    assert back.counts().tolist() == [0, 4, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0]
    assert back.mean_length == 10 / 8


def test_surveys_add_up_whatever_the_ranges_were():
    first = [
        tallied(LENGTHS, np.array([2, 9]), np.array([1, 4])),
        tallied(TOKENS, np.array([7]), np.array([2])),
    ]
    second = [
        tallied(LENGTHS, np.array([0, 9]), np.array([5, 1])),
        tallied(TOKENS, np.array([1, 7]), np.array([1, 1])),
    ]
    expected = Fit(12, pairs((0, 5), (2, 1), (9, 5)), pairs((1, 1), (7, 3))).to_bytes()
    assert fit_surveyed([*first, *second], 12).to_bytes() == expected
    assert fit_surveyed([*second, *first], 12).to_bytes() == expected


def test_no_surveys_make_an_empty_fit():
    fit = fit_surveyed([], 12)
    assert fit.to_bytes() == b'{"lengths":[],"tokens":[],"vocab_size":12}\n'


def test_rows_without_content_need_no_tokens(tmp_path):
    assert len(read(tmp_path, {**GOOD, "lengths": [[0, 2]], "tokens": []}).tokens) == 0


HUGE = 1 << 62

WRONG = {
    "another vocabulary": ({**GOOD, "vocab_size": 13}, "vocabulary size 12, found 13"),
    "no vocabulary": ({"lengths": [], "tokens": []}, "member vocab_size"),
    "a member more": ({**GOOD, "extra": 1}, "found extra"),
    "not an object": ([GOOD], "an object"),
    "no list": ({**GOOD, "tokens": {"1": 4}}, "a list"),
    "no pair": ({**GOOD, "tokens": [[1, 4, 2]]}, "pairs"),
    "no lists inside": ({**GOOD, "tokens": [7]}, "pairs"),
    "two letters": ({**GOOD, "tokens": ["17"]}, "pairs"),
    "a fraction": ({**GOOD, "tokens": [[1, 4.0]]}, "whole numbers"),
    "a truth value": ({**GOOD, "tokens": [[1, True]]}, "whole numbers"),
    "nothing in a pair": ({**GOOD, "lengths": [[None, 1]]}, "whole numbers"),
    "a negative id": ({**GOOD, "tokens": [[-1, 4]]}, "whole numbers"),
    "a huge count": ({**GOOD, "tokens": [[1, HUGE]]}, "whole numbers"),
    "an endless count": ({**GOOD, "tokens": [[1, 10**400]]}, "whole numbers"),
    "a huge sum": ({**GOOD, "tokens": [[1, HUGE - 1], [7, 1]]}, "below 2\\*\\*62 together"),
    "a count of 0": ({**GOOD, "lengths": [[1, 0]]}, "counts from 1"),
    "an id out of range": ({**GOOD, "tokens": [[12, 1]]}, "up to 11"),
    "an id twice": ({**GOOD, "tokens": [[7, 1], [7, 1]]}, "ascending"),
    "ids descending": ({**GOOD, "tokens": [[7, 1], [1, 1]]}, "ascending"),
    "a length beyond a list": ({**GOOD, "lengths": [[1 << 31, 1]]}, "ascending values up to"),
    "[CLS] as a token": ({**GOOD, "tokens": [[CLS, 1]]}, f"special id {CLS}"),
    "[MASK] as a token": ({**GOOD, "tokens": [[1, 1], [MASK, 1]]}, f"special id {MASK}"),
    "no rows": ({**GOOD, "lengths": []}, "at least one row"),
    "rows but no tokens": ({**GOOD, "tokens": []}, "tokens for rows"),
    "cut short": (json.dumps(GOOD).encode()[:-3], "expected JSON"),
    "not a number": (b'{"lengths": NaN}', "member vocab_size|a list"),
    "no text": (b"\xff\xfe", "expected JSON"),
    "nested without end": (b"[" * 100_000, "endless nesting"),
    "digits without end": (b"1" * 5000, "expected JSON"),
    "empty": (b"", "expected JSON"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_fit_is_refused_in_one_sentence(tmp_path, name):
    body, message = WRONG[name]
    with pytest.raises(SetError, match=message) as caught:
        read(tmp_path, body)
    assert FIT_FILE in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_enormous_file_is_not_even_read(tmp_path, monkeypatch):
    monkeypatch.setattr(fits, "MOST_BYTES", 10)
    with pytest.raises(SetError, match="at most 10 bytes"):
        read(tmp_path, GOOD)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetError, match=FIT_FILE):
        read_fit(tmp_path / FIT_FILE, SETTING)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 3)), max_size=4) | JSONS


@settings(deadline=None)  # the first call may have to compile
@given(MEMBERS, MEMBERS)
def test_any_members_are_either_refused_or_a_sound_fit(tmp_path_factory, lengths, tokens):
    body = {"lengths": lengths, "tokens": tokens, "vocab_size": 12}
    try:
        fit = read(tmp_path_factory.getbasetemp(), body)
    except SetError:
        return
    assert fit.to_bytes() == json.dumps(body, separators=(",", ":")).encode() + b"\n"
    content = SETTING.is_content()
    assert all(content[i] and n > 0 for i, n in fit.tokens.tolist())
    assert all(n > 0 for _, n in fit.lengths.tolist())
    assert fit.counts().sum() > 0 or not fit.lengths[:, 0].any()
