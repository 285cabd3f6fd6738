"""Files that look like tokenizers, load as such, and cannot encode a word."""

from __future__ import annotations

import json

import pytest
from corpus import write_tokenizer

from transferset.errors import TransfersetError, UsageError
from transferset.tokens import load_tokenizer


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (("model", "vocab"), {}),
        (("model", "vocab"), {"a": 1}),
        (("model", "unk_token"), "nowhere"),
        (("post_processor",), None),
        (("post_processor",), {"type": "x"}),
    ],
)
def test_they_are_refused_in_one_sentence(tmp_path, member, value):
    folder = write_tokenizer(tmp_path / "good")
    body = json.loads((folder / "tokenizer.json").read_bytes())
    place = body
    for key in member[:-1]:
        place = place[key]
    place[member[-1]] = value
    (tmp_path / "tokenizer.json").write_text(json.dumps(body))
    with pytest.raises(TransfersetError, match="expected"):
        load_tokenizer(str(tmp_path / "tokenizer.json"))


def test_a_name_too_long_for_a_file_is_a_usage_error():
    with pytest.raises(UsageError):
        load_tokenizer("x/" * 3000)
