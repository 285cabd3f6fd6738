"""The command group, and what commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.shards import ShardSet

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    failed: disk, memory, network, a result of zero rows
  2    usage: wrong option, unknown tokenizer
  3    bad input: not a dump, damaged, wrong checksum
  4    a damaged set, or an existing one of another recipe
  130  interrupted; the same command resumes
"""


class Commands(click.Group):
    """A group that lists its commands in the order of the pipeline, not of the alphabet."""

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
        say(f"Using {root}, the only set under {api.SETS}/.")
    return root


def say(text: str) -> None:
    """Tell the user something that is not the result."""
    click.echo(text, err=True)


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
