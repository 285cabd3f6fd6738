"""Entry of the command line: `transferset` and `python -m transferset`."""

from __future__ import annotations

from transferset.cli import run


def main() -> None:
    """Run the command line and exit with its code."""
    raise SystemExit(run())


if __name__ == "__main__":  # workers import this module too
    main()
