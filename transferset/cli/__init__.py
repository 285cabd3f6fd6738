"""The command line: parse, call one function of the API, render."""

from __future__ import annotations

import io
import signal
import sys
from typing import Final

import click

from transferset.cli import (  # their commands join the group
    building,
    deriving,
    distilling,
    evaluating,
    exporting,
    label,
    lm,
    lm_sample,
    showing,
    tasks,
    texts,
    training,
)
from transferset.cli.group import say, transferset
from transferset.errors import RESUMABLE, TransfersetError, printable

__all__ = [
    "building",
    "deriving",
    "distilling",
    "evaluating",
    "exporting",
    "label",
    "lm",
    "lm_sample",
    "run",
    "showing",
    "tasks",
    "texts",
    "training",
    "transferset",
]

INTERRUPTED: Final = 130


def run(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; None takes them from the process.

    Returns:
        The exit code, see `--help`.
    """
    # a scheduler's SIGTERM ends a run as Ctrl-C does: cleanly, and resumable
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text of any script, terminal of any locale
            stream.reconfigure(errors="backslashreplace")
    try:
        transferset.main(arguments, prog_name="transferset", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away: nothing to tell it
        return 1
    except (KeyboardInterrupt, click.Abort, TransfersetError, MemoryError, OSError) as error:
        code, text = _failure(error)
        say(text)
        return code
    return 0


def _failure(error: BaseException) -> tuple[int, str]:
    if isinstance(error, TransfersetError):
        return error.exit_code, f"transferset: {printable(str(error), 2000)}"
    if isinstance(error, MemoryError):
        return 1, "transferset: expected enough memory, found none left; use fewer --workers"
    if isinstance(error, OSError):
        return 1, f"transferset: expected files to read and write, found {printable(str(error))}"
    # click raises an Abort of its own from Ctrl-C
    if RESUMABLE in getattr(error.__cause__ or error, "__notes__", ()):
        return INTERRUPTED, "Interrupted; run the same command again to resume."
    return INTERRUPTED, "Interrupted with nothing of the result kept; the same command begins anew."


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
