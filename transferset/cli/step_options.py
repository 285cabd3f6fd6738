"""Steps as options: the order of the flags is the order of the steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import click

from transferset.errors import UsageError, sentence
from transferset.steps import Step, step_from_text
from transferset.steps.plugins import GROUP, offered

#: Flags without a value: option, step, its parameters.
_FLAGS: Final = {
    "--shuffle": ("shuffle", None, "Permute the tokens of each row; [CLS] and [SEP] stay."),
    "--shuffle-words": ("shuffle", "words=true", "Permute words with all their pieces."),
    "--with-replacement": ("", None, "Of the --sample before it: a bootstrap."),
}

#: Options with a value: option, step, metavar, help.
_VALUED: Final = {
    "--sample": ("sample", "SIZE", "Keep 10%, 0.001 or 100k rows, chosen at random."),
    "--by": ("", "rows|tokens", "Of the --sample before it: what SIZE counts."),
    "--shuffle-window": ("shuffle", "K", "Permute tokens, each moving K places at most."),
    "--generate": ("generate", "N|100%", "New rows from the unigram and length distributions."),
    "--mask": ("mask", "P", "Mask tokens statically: 0.15 or 0.15,rule=bert,words=true."),
    "--delete": ("delete", "P", "Delete tokens: 0.1 or 0.1,words=true."),
    "--replace": ("replace", "P", "Replace tokens by draws from the unigram distribution."),
    "--augment": (
        "augment",
        "CHANGES",
        "Variants of each row: mask=0.1,pos=0.1,iterations=10, or target=10x instead of "
        "iterations; also delete, swap, window, pairs=cycle|random|both, match_case, output.",
    ),
    "--replace-lm": (
        "replace-lm",
        "model=DIR,…",
        "Variants with words that a masked language model proposes: "
        "model=DIR,candidates=15,p=0.4,iterations=10.",
    ),
    "--originals": (
        "",
        "first|none",
        "Of the --augment or --replace-lm before it: whether rows stand before their variants.",
    ),
    "--lengths": ("lengths", "A:B", "Keep rows of A to B ids, [CLS] and [SEP] included."),
    "--filter": ("filter", "EXPR", "Keep rows that satisfy 'unknown < 0.1 and length > 5'."),
    "--dedupe": ("dedupe", "exact|contained", "Keep the first of equal rows; or whole rows only."),
    "--pack": ("pack", "N", "Fill rows of up to N ids from consecutive rows."),
    "--split": ("split", "NAME=SHARE,…", "Write sibling sets: train=0.98,validation=0.02."),
    "--stratify": ("", "label", "Of the --split before it: the same shares of each class."),
}

#: Options that give a parameter to the step before them: the steps that have it, and its name.
_MODIFIERS: Final = {
    "--by": (("sample",), "by"),
    "--with-replacement": (("sample",), "with_replacement"),
    "--originals": (("augment", "replace-lm"), "originals"),
    "--stratify": (("split",), "stratify"),
}


class StepOption(click.Option):
    """An option that is a step."""


class DeriveCommand(click.Command):
    """A command that remembers the order of its step options."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, and the transforms that installed packages offer."""
        return [*super().get_params(ctx), *_plugins()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note the steps, in order, before click forgets it."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        remaining = {k: list(v) for k, v in values.items() if isinstance(v, list)}
        ctx.meta["steps"] = [
            (param.opts[0], remaining[str(param.name)].pop(0) if param.name in remaining else None)
            for param in order
            if isinstance(param, StepOption)
        ]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Steps first, then what is about the whole."""
        params = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        for title, wanted in (("Steps, in the order given", True), ("Options", False)):
            records = [
                p.get_help_record(ctx) for p in params if isinstance(p, StepOption) is wanted
            ]
            with formatter.section(title):
                formatter.write_dl([record for record in records if record])


def step_options() -> list[StepOption]:
    """One option for each built-in step."""
    flags: dict[str, StepOption] = {
        name: StepOption([name], count=True, help=text, expose_value=False)
        for name, (_, _, text) in _FLAGS.items()
    }
    valued = {
        name: StepOption([name], multiple=True, metavar=metavar, help=text, expose_value=False)
        for name, (_, metavar, text) in _VALUED.items()
    }
    every = {**flags, **valued}
    order = [
        "--sample", "--by", "--with-replacement", "--shuffle", "--shuffle-words",
        "--shuffle-window", "--generate", "--mask", "--delete", "--replace", "--augment",
        "--replace-lm", "--originals", "--lengths", "--filter", "--dedupe", "--pack", "--split",
        "--stratify",
    ]  # fmt: skip
    return [every[name] for name in order]


def _plugins() -> list[StepOption]:
    return [
        StepOption(
            [f"--{name}"],
            multiple=True,
            is_flag=False,
            flag_value="",
            metavar="[VALUE]",
            help=f"Transform of {point.value} (entry point {GROUP}).",
            expose_value=False,
        )
        for name, point in offered().items()
    ]


def read_steps(given: list[tuple[str, Any]]) -> list[Step]:
    """Steps from options in their order.

    Args:
        given: Option and value (None for a flag).

    Returns:
        The steps.

    Raises:
        UsageError: A wrong value, or a modifier without its step.
    """
    found: list[_Given] = []
    for option, value in given:
        if option in _MODIFIERS:
            _modify(found[-1:], option, value)
        elif option in _FLAGS:
            step, fixed, _ = _FLAGS[option]
            found.append(_Given(step, fixed))
        elif option == "--shuffle-window":
            found.append(_Given("shuffle", f"window={value}"))
        else:
            # an option whose value was left out has a mark of click's own there
            text = value if isinstance(value, str) else None
            found.append(_Given(option.removeprefix("--"), text))
    return [step_from_text(one.step, one.value, one.modifiers) for one in found]


@dataclass(slots=True)
class _Given:
    """A step as it was given: its value, and what later options say of it."""

    step: str
    value: str | None
    modifiers: dict[str, str] = field(default_factory=dict)


def _modify(last: list[_Given], option: str, value: str | None) -> None:
    steps, parameter = _MODIFIERS[option]
    if not last or last[0].step not in steps:
        expected = " or ".join(f"--{step}" for step in steps)
        found = f"--{last[0].step}" if last else "nothing"
        raise UsageError(sentence(f"{expected} right before {option}", found))
    if parameter in last[0].modifiers:
        raise UsageError(sentence(f"--{last[0].step} with one {option}", "two"))
    last[0].modifiers[parameter] = value or "true"
