from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest

import transferset
from transferset import Filter, Lengths, Mask, Pack, Sample, Shuffle, Split, UsageError
from transferset.steps import STEPS, parse_steps, step_from_text, step_json

EXAMPLES = [
    ("sample", "10%", Sample("10%")),
    ("sample", "1M,by=tokens", Sample("1M", by="tokens")),
    ("sample", "5,with_replacement=true", Sample("5", with_replacement=True)),
    ("shuffle", None, Shuffle()),
    ("shuffle", "words=yes,window=3", Shuffle(words=True, window=3)),
    ("mask", "0.15,rule=bert,labels=false", Mask(0.15, rule="bert", labels=False)),
    ("lengths", "12:512", Lengths("12:512")),
    (
        "filter",
        "length in (1, 2) or source == 'a=b'",
        Filter("length in (1, 2) or source == 'a=b'"),
    ),
    ("pack", "512,by=document", Pack(512, by="document")),
    ("split", "train=0.98,validation=0.02", Split("train=98%,validation=2%")),
]


@pytest.mark.parametrize(("name", "text", "step"), EXAMPLES)
def test_the_command_line_says_the_same_as_python(name, text, step):
    assert step_from_text(name, text) == step


@pytest.mark.parametrize(("name", "text", "step"), EXAMPLES)
def test_recipes_say_the_same_as_python(name, text, step):
    assert parse_steps([step_json(step)]) == (step,)


def test_toml_forms():
    steps = parse_steps(
        [{"sample": 0.1}, {"shuffle": True}, {"shuffle": {"window": 2}}, {"pack": 64}]
    )
    assert steps == (Sample("10%"), Shuffle(), Shuffle(window=2), Pack(64))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("sample", "a list of steps"),
        ([{"sample": "1%", "shuffle": True}], r"a step like .* \(steps|steps\[0\]"),
        ([{"sampel": "1%"}], "did you mean 'sample'.*steps\\[0\\]"),
        ([{"mask": {"p": 0.1, "rul": "bert"}}], "did you mean 'rule'"),
        ([{"mask": {}}], "with its p"),
        ([{"mask": 2}], "0 < p"),
        ([{"mask": True}], "with its p"),
        (
            [{"shuffle": False}],
            r"\{shuffle = true\}.*found \{shuffle = false\}.*leave it out",
        ),
        ([{"sample": False}], "leave it out"),
        ([{"shuffle": {"window": 0}}], "from 1 to"),
        ([{"shuffle": {"words": 3}}], "as yes or no"),
        ([{"pack": "many"}], "as a whole number"),
        ([{"sample": "200%"}], "up to 100%"),
        ([{"sample": {"size": "1%", "by": "tokens", "with_replacement": True}}], "by rows"),
        ([{"dedupe": "nearly"}], "exact"),
        ([5], "a step like"),
    ],
)
def test_wrong_steps_get_one_sentence(items, message):
    with pytest.raises(UsageError, match=message):
        parse_steps(items)


@pytest.mark.parametrize("text", ["10%,by", "10%,size=3", "10%,x=1", ",", "by=tokens"])
def test_wrong_values_on_the_command_line(text):
    with pytest.raises(UsageError, match="--sample"):
        step_from_text("sample", text)


def test_a_step_is_a_value():
    step = Sample("10%")
    assert {step: 1}[Sample("0.1")] == 1
    assert pickle.loads(pickle.dumps(step)) == step
    with pytest.raises(FrozenInstanceError):
        step.size = "1%"


def test_every_step_is_public():
    for kind in STEPS.values():
        assert getattr(transferset, kind.__name__) is kind
