"""What a recipe records of a classifier, so that another one makes another recipe."""

from __future__ import annotations

from pathlib import Path

from transferset.files import digest_file
from transferset.language_models.describing import describe_files
from transferset.manifest import Json
from transferset.teachers.statement import (
    HEAD_WEIGHTS,
    HEADS,
    SEQUENCE,
    SEVERAL,
    read_statement,
)


def describe_classifier(path: str | Path, *, headless: bool = False) -> Json:
    """What a recipe records of a student, or of a teacher with one head or several.

    Args:
        path: Its directory.
        headless: See `statement.read_statement`.

    Returns:
        See `language_models.describing.describe_files`, with `kind` (of `statement`); of several
        heads the digests of their files as `heads`.

    Raises:
        InputError: There is no such directory or file.
        UsageError: torch or transformers is not installed.
    """
    stated, folder = read_statement(path, headless=headless), Path(path)
    kind = SEQUENCE._replace(vocabulary=stated.vocabulary)
    found = describe_files(folder, kind) | {"kind": stated.kind}
    if stated.kind == SEVERAL:
        found["heads"] = {n: digest_file(folder / n) for n in (HEADS, HEAD_WEIGHTS)}
    return found
