"""Steps with modifiers: options of their own that give a parameter to the step before them."""

from __future__ import annotations

import pytest

from transferset import Augment, ReplaceLm, Sample, Split, UsageError
from transferset.cli.step_options import read_steps
from transferset.manifest import digest_json
from transferset.steps import parse_steps, step_from_text, step_json

GIVEN = [
    (
        [("--augment", "mask=0.1,pos=0.1,iterations=10"), ("--originals", "none")],
        Augment(mask=0.1, pos=0.1, iterations=10, originals="none"),
    ),
    (
        [("--augment", "mask=0.1,target=10x,pairs=random,match_case=yes")],
        Augment(mask=0.1, target="10x", pairs="random", match_case=True),
    ),
    (
        [("--replace-lm", "model=models/bert,candidates=9,p=0.3"), ("--originals", "none")],
        ReplaceLm(model="models/bert", candidates=9, p=0.3, originals="none"),
    ),
    (
        [("--split", "train=0.9,validation=0.1"), ("--stratify", "label")],
        Split("train=0.9,validation=0.1", stratify="label"),
    ),
    ([("--split", "train=0.9,validation=0.1")], Split("train=0.9,validation=0.1")),
    (
        [("--sample", "150%"), ("--by", "rows"), ("--with-replacement", None)],
        Sample("150%", with_replacement=True),
    ),
]


@pytest.mark.parametrize(("options", "step"), GIVEN)
def test_the_command_line_says_the_same_as_python(options, step):
    assert read_steps(options) == [step]


@pytest.mark.parametrize(("options", "step"), GIVEN)
def test_recipes_say_the_same_as_python(options, step):
    assert parse_steps([step_json(step)]) == (step,)


def test_each_modifier_belongs_to_the_step_before_it():
    steps = read_steps(
        [
            ("--sample", "10%"),
            ("--augment", "mask=0.1"),
            ("--originals", "none"),
            ("--augment", "pos=0.2"),
            ("--split", "a=0.5,b=0.5"),
            ("--stratify", "label"),
        ]
    )
    assert steps == [
        Sample("10%"),
        Augment(mask=0.1, originals="none"),
        Augment(pos=0.2),
        Split("a=0.5,b=0.5", stratify="label"),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([("--originals", "none")], "expected --augment or --replace-lm right before --originals"),
        ([("--sample", "1%"), ("--originals", "none")], "before --originals, found --sample"),
        ([("--sample", "1%"), ("--stratify", "label")], "--split right before --stratify"),
        ([("--augment", "mask=0.1"), ("--by", "rows")], "--sample right before --by"),
        ([("--split", "a=1"), ("--stratify", "source")], "--stratify label, found source"),
        ([("--augment", "mask=0.1"), ("--originals", "last")], "--originals first or none"),
        (
            [("--augment", "mask=0.1,originals=first"), ("--originals", "none")],
            "--augment with one originals, found first and none",
        ),
        (
            [("--split", "a=1"), ("--stratify", "label"), ("--stratify", "label")],
            "--split with one --stratify, found two",
        ),
    ],
)
def test_a_modifier_out_of_place_gets_one_sentence(options, message):
    with pytest.raises(UsageError, match=message):
        read_steps(options)


def test_a_split_may_have_the_name_of_a_parameter():
    assert step_from_text("split", "stratify=0.5,b=0.5") == Split("stratify=0.5,b=0.5")


def test_a_split_without_classes_is_the_recipe_that_it_always_was():
    assert step_json(Split("a=0.5,b=0.5")) == {"split": {"shares": "a=0.5,b=0.5"}}
    stratified = Split("a=0.5,b=0.5", stratify="label")
    assert digest_json(step_json(stratified)) != digest_json(step_json(Split("a=0.5,b=0.5")))


@pytest.mark.parametrize("name", ["augment", "replace-lm"])
def test_a_value_without_a_name_says_nothing(name):
    with pytest.raises(UsageError, match=rf"--{name} key=value"):
        step_from_text(name, "0.1")


@pytest.mark.parametrize("value", ["10/3x", "1e400000000x", "x", "", "-1x", "0x", "20000x"])
def test_a_target_is_a_plain_multiple(value):
    with pytest.raises(UsageError, match="target like 10x"):
        Augment(mask=0.1, target=value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("mask=0.1,mask=0.2", "one mask"),
        ("mask=1e-12", "mask of 0"),
        ("mask=0.6,pos=0.6", "up to 1"),
    ],
)
def test_values_that_cannot_be_meant(value, told):
    with pytest.raises(UsageError, match=told):
        step_from_text("augment", value)
