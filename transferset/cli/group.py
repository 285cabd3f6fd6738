"""The command group, and what commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from transferset.errors import UsageError, printable, sentence
from transferset.storage.urls import parse
from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.shards import ShardSet

_ONCE: Final = "it takes one value"

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    failed: disk, memory, network, a result of zero rows
  2    usage: wrong option, unknown tokenizer
  3    bad input: not a dump, damaged, wrong checksum
  4    a damaged set, or an existing one of another recipe
  130  interrupted; the same command resumes
"""


class Once(click.Command):
    """A command of whose options each is given once, unless it takes several values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; of two values click would take the last, and say nothing.

        Raises:
            UsageError: An option was given twice.
        """
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        known: set[str] = set()
        for one in given:
            if isinstance(one, click.Option) and not one.multiple:
                if one.name in known and not (one.is_flag and not one.secondary_opts):
                    raise UsageError(sentence(f"{one.opts[0]} once", "several", do=_ONCE))
                known.add(str(one.name))
        return super().parse_args(ctx, args)


class Commands(click.Group):
    """A group that lists its commands in the order of the pipeline, not of the alphabet."""

    command_class = Once

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of definition."""
        return list(self.commands)


@click.group(cls=Commands, epilog=_EXIT_CODES, context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="transferset")
def transferset() -> None:
    """Build the transfer sets that knowledge distillation trains on.

    \b
    First steps, without network:
      transferset build wiki        a corpus from the packaged sample
      transferset inspect           what it is
      transferset verify            whether every byte is right
    """  # noqa: D301  # click's mark for a paragraph that is not rewrapped


def example(*lines: str) -> str:
    """The examples below a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def named_set(path: Path | None) -> Path:
    """The set that is meant, said aloud when it was not named."""
    from transferset import api

    root = api.only_set(path)
    if path is None:
        say(f"Using {shown(root)}, the only set under {api.SETS}/.")
    return root


def shown(path: Path) -> str:
    """A path that may hold anything, for a terminal; whole, since it may be copied from there."""
    return printable(str(parse(path) or path), limit=4096)


def say(text: str) -> None:
    """Tell the user something that is not the result."""
    click.echo(text, err=True)


def say_earlier(earlier: Sequence[str]) -> None:
    """Tell whether a command went on with the work of an earlier run.

    Args:
        earlier: What `stage.Progress.resumed` was told.
    """
    from transferset.stage import ALL

    if ALL in earlier:
        say("Was already there; nothing was done.")
    elif earlier:
        say(f"Resumed {', '.join(earlier)}.")


def say_repeats(found: ShardSet, more: str = "") -> None:
    """Tell that rows of a task set are there several times.

    Args:
        found: The set.
        more: What it may lead to.
    """
    import json

    name = "_tables/repeats.json"
    if not any(entry.file == name for entry in found.manifest.files):
        return
    told = json.loads((found.root / name).read_bytes())
    several = told["contradicting"]
    both = f", {several:,} of these texts with several labels" if several else ""
    say(
        f"NOTE: {told['repeated']:,} rows repeat an earlier one{both}{more}; "
        "derive --dedupe exact keeps the first"
    )


def say_deviations(found: ShardSet) -> None:
    """Tell where a set is not as the publication had it whose name was given with `--as`."""
    preset = found.manifest.params.get("preset")
    if preset:
        say(f"As in {preset['name']}, except that:")
        for deviation in preset["deviations"]:
            say(f"- {deviation}")
