"""Books on disk: in folders, as files, in archives."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.books.archive import Archive
from transferset.sources.books.raw import BOOKS, BookFile


@dataclass(frozen=True, slots=True)
class Located:
    """What was found.

    Args:
        books: In order of their names, those of each path together.
        skipped: Files that are no books, by ending.
    """

    books: tuple[BookFile, ...]
    skipped: Mapping[str, int]


def find_books(paths: Sequence[Path]) -> Located:
    """Find the books in folders, files and archives.

    Args:
        paths: Folders (with those in them), `.txt`, `.epub`, or `.zip` of those. Hidden files
            and links that lead out of their folder are skipped and counted.

    Returns:
        The books; a folder's are sorted by the bytes of their relative names.

    Raises:
        UsageError: There is no such path, a file is of another kind, or there is no book.
        InputError: An archive is damaged or not one.
    """
    skipped: Counter[str] = Counter()
    books: list[BookFile] = []
    for path in paths:
        before = len(books)
        if path.is_dir():
            for file, name in _walk(path, skipped):
                books += _of_file(file, name, skipped)
        elif path.is_file():
            if path.suffix.lower() not in (*BOOKS, ".zip"):
                found = path.suffix or "no ending"
                expected = f"a folder, or a file out of {', '.join((*BOOKS, '.zip'))}"
                raise UsageError(sentence(expected, found, str(path)))
            books += _of_file(path, path.name, skipped)
        else:
            raise UsageError(sentence("a file or folder", "none", str(path), "check the name"))
        if len(books) == before:
            others = ", ".join(f"{count} {kind}" for kind, count in sorted(skipped.items()))
            expected = f"books ({', '.join(BOOKS)})"
            raise UsageError(sentence(expected, others or "nothing", str(path)))
    return Located(tuple(books), dict(skipped))


def _walk(root: Path, skipped: Counter[str]) -> Iterator[tuple[Path, str]]:
    inside = root.resolve()
    found: list[tuple[bytes, Path, str]] = []

    def unreadable(error: OSError) -> None:
        where = str(error.filename or root)
        raise InputError(sentence("a readable folder", error.strerror or "an error", where))

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if name.startswith("."):
                skipped["hidden"] += 1
            elif not path.resolve().is_relative_to(inside):
                skipped["link"] += 1
            elif path.is_file():
                relative = path.relative_to(root).as_posix()
                found.append((os.fsencode(relative), path, relative))
    for _, path, relative in sorted(found):
        yield path, relative


def _of_file(path: Path, name: str, skipped: Counter[str]) -> list[BookFile]:
    suffix = path.suffix.lower()
    if suffix in BOOKS:
        return [BookFile(path, None, name, path.stat().st_size)]
    if suffix != ".zip":
        skipped[suffix or "no ending"] += 1
        return []
    books = []
    with Archive(path) as archive:
        for member in archive.members():
            kind = Path(member.name).suffix.lower()
            if kind in BOOKS and not Path(member.name).name.startswith("."):
                books.append(BookFile(path, member.name, f"{name}/{member.name}", member.bytes))
            else:
                skipped[f"{kind or 'no ending'} in {suffix}"] += 1
    return books
