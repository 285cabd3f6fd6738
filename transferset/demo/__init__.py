"""The embedded sample: a small MediaWiki dump, two small books and a task, made for this project.

They are CC0-1.0, and what `transferset build wiki demo`, `books demo` and `task demo` read. The
dump's sources and the script that makes it are in `tools/sample` of the repository.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def path() -> Path:
    """Find the sample dump.

    Returns:
        Path of the multistream `.xml.bz2`; its index lies beside it.
    """
    return _folder() / "demowiki-20261101-pages-articles-multistream.xml.bz2"


def books() -> Path:
    """Find the sample books.

    Returns:
        Their folder.
    """
    return _folder() / "books"


def task() -> Path:
    """Find the sample task: 60 sentences, positive and negative.

    Returns:
        Path of a `.tsv` with the columns `sentence` and `label`.
    """
    return _folder() / "task.tsv"


def _folder() -> Path:
    return Path(str(files(__name__)))
