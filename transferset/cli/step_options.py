"""Steps as options: the order of the flags is the order of the steps."""

from __future__ import annotations

from typing import Any, Final

import click

from transferset.errors import UsageError, sentence
from transferset.steps import Step, step_from_text
from transferset.steps.plugins import GROUP, offered

#: Flags without a value: option, step, its parameters.
_FLAGS: Final = {
    "--shuffle": ("shuffle", None, "Permute the tokens of each row; [CLS] and [SEP] stay."),
    "--shuffle-words": ("shuffle", "words=true", "Permute words with all their pieces."),
    "--with-replacement": ("", "with_replacement=true", "Of the --sample before it: a bootstrap."),
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
    "--lengths": ("lengths", "A:B", "Keep rows of A to B ids, [CLS] and [SEP] included."),
    "--filter": ("filter", "EXPR", "Keep rows that satisfy 'unknown < 0.1 and length > 5'."),
    "--dedupe": ("dedupe", "exact", "Keep the first of equal rows."),
    "--pack": ("pack", "N", "Fill rows of up to N ids from consecutive rows."),
    "--split": ("split", "NAME=SHARE,…", "Write sibling sets: train=0.98,validation=0.02."),
}

#: Modifiers: they change the sample before them.
_OF_SAMPLE: Final = {"--by": "by", "--with-replacement": "with_replacement"}


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
        "--shuffle-window", "--generate", "--mask", "--delete", "--replace", "--lengths",
        "--filter", "--dedupe", "--pack", "--split",
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
    texts: list[tuple[str, str | None]] = []
    for option, value in given:
        if option in _OF_SAMPLE:
            texts[-1:] = [_modified(texts[-1:], option, value)]
        elif option in _FLAGS:
            step, fixed, _ = _FLAGS[option]
            texts.append((step, fixed))
        elif option == "--shuffle-window":
            texts.append(("shuffle", f"window={value}"))
        else:
            # an option whose value was left out has a mark of click's own there
            texts.append((option.removeprefix("--"), value if isinstance(value, str) else None))
    return [step_from_text(name, value) for name, value in texts]


def _modified(
    last: list[tuple[str, str | None]], option: str, value: str | None
) -> tuple[str, str]:
    if not last or last[0][0] != "sample":
        found = f"--{last[0][0]}" if last else "nothing"
        raise UsageError(sentence(f"--sample right before {option}", found))
    return "sample", f"{last[0][1]},{_OF_SAMPLE[option]}={value or 'true'}"
