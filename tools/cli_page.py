"""Writes docs/cli.md from the commands' own help; `--check` fails if it is out of date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from transferset.cli import transferset

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, parents first."""
    yield name, command
    if isinstance(command, click.Group):
        for child in command.list_commands(click.Context(command)):
            found = command.commands[child]
            yield from commands(found, f"{name} {child}")


def page() -> str:
    """The whole page."""
    parts = ["# Command line\n\nGenerated from `--help` by `tools/cli_page.py`.\n"]
    for name, command in commands(transferset, "transferset"):
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        parts.append(f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def main() -> int:
    """Write or check the page."""
    text = page()
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") != text:
            sys.stderr.write("docs/cli.md is out of date; run python tools/cli_page.py\n")
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
