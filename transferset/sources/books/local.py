"""Books on disk: which there are, and one book read.

Files are found by their suffixes, in folders, in the order of their names: the same folder gives
the same books on every machine. Whatever is not a book is counted.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.books.archives import MOST_UNPACKED, Member, members, unpack
from transferset.sources.books.epub import MOST_TEXT, read_epub
from transferset.sources.books.text_header import read_header

#: Most bytes of an EPUB inside another archive: it is unpacked into memory.
MOST_NESTED: Final = 256 << 20

BOOKS: Final = (".txt", ".epub")
ARCHIVE: Final = ".zip"

#: What is not looked at, besides files of other kinds, which are counted by their suffixes.
HIDDEN: Final = "(hidden)"
LINK: Final = "(symbolic link)"
NO_FILE: Final = "(not a file)"
NO_SUFFIX: Final = "(no suffix)"
REPEATED: Final = "(found before)"

_BLOCK: Final = 1 << 20
_LONGEST_SUFFIX: Final = 16


@dataclass(frozen=True, slots=True)
class BookFile:
    """A book that can be read.

    Args:
        path: The file it is in.
        member: Its name in that file, if that is an archive of books.
        name: For messages and the recipe: its path from the folder in which it was found.
        bytes: Its size, in an archive as that declares it.
        packed: Where it stands in the archive; without it the archive's directory is read.
    """

    path: Path
    member: str | None
    name: str
    bytes: int
    packed: Member | None = None


@dataclass(frozen=True, slots=True)
class RawBook:
    """What a file holds of a book, before it is cleaned; texts are empty where nothing is known.

    Args:
        raw: The bytes of a plain text.
        text: The text of an EPUB, a paragraph, heading or line of verse a line.
        title: Title.
        author: Authors, joined by `; `.
        language: BCP 47 code.
        rights: What the file says of rights, in words.
        identifier: Number of the work at Project Gutenberg.
        sha256: Of the book's own bytes, in hexadecimal.
        layout: How it is cleaned: `book` a plain text, `lines` an EPUB.
        removed: Characters that an EPUB has beyond its text, white space aside, by what they are.
        pictures: How many pictures an EPUB has.
    """

    raw: bytes | None
    text: str | None
    title: str
    author: str
    language: str
    rights: str
    identifier: str
    sha256: str
    layout: str
    removed: Mapping[str, int] = field(default_factory=dict)
    pictures: int = 0


def find_books(paths: Sequence[Path], skipped: Counter[str] | None = None) -> list[BookFile]:
    """Find the books in folders and files.

    Folders are walked to any depth. Symbolic links in them are not followed: what one means
    inside the folder is found by its own name, what it means outside is not in the folder.

    Args:
        paths: Folders, and files `.txt`, `.epub`, `.zip`.
        skipped: Counts what is no book: by suffix, or by `HIDDEN`, `LINK`, …

    Returns:
        Books in the order of `paths`, in a folder or archive in the order of the bytes of their
        names (with slashes). A file that several of `paths` lead to is there once.

    Raises:
        UsageError: There is no such file or folder; it is no book and has none in it.
        InputError: A folder cannot be read; an archive is damaged, hostile or too large.
    """
    counts: Counter[str] = Counter() if skipped is None else skipped
    found: list[BookFile] = []
    seen: set[Path] = set()
    for path in paths:
        here: Counter[str] = Counter()
        books = list(_books_at(path, seen, here))
        counts.update(here)
        if not books and not here[REPEATED]:
            raise UsageError(
                sentence("books (.txt, .epub, .zip)", _listed(here), str(path), "name others")
            )
        found += books
    return found


def _listed(counts: Counter[str]) -> str:
    kinds = [f"{count} {kind}" for kind, count in sorted(counts.items(), key=lambda c: -c[1])]
    return f"only {', '.join(kinds[:8])}" if kinds else "nothing"


def _books_at(path: Path, seen: set[Path], counts: Counter[str]) -> Iterator[BookFile]:
    try:
        if path.is_dir():
            files = sorted(_files_below(path, counts))
        elif path.is_file():
            files = [(os.fsencode(path.name), path)]
        else:
            found = "something else" if path.exists() else "none"
            raise UsageError(sentence("a file or folder", found, str(path)))
        for raw_name, file in files:
            resolved = file.resolve()
            if resolved in seen:
                counts[REPEATED] += 1
                continue
            seen.add(resolved)
            yield from _books_in(file, raw_name.decode("utf-8", "backslashreplace"), counts)
    except OSError as error:
        at = str(error.filename or path)
        raise InputError(sentence("readable files", error.strerror or str(error), at)) from None


def _files_below(folder: Path, counts: Counter[str]) -> Iterator[tuple[bytes, Path]]:
    """Files in a folder, with the bytes of their paths from it; a stack, however deep they are."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                path = Path(entry.path)
                if entry.name.startswith("."):
                    counts[HIDDEN] += 1
                elif entry.is_symlink():
                    counts[LINK] += 1
                elif entry.is_dir():
                    waiting.append(path)
                elif entry.is_file():
                    yield os.fsencode(path.relative_to(folder).as_posix()), path
                else:
                    counts[NO_FILE] += 1


def _books_in(path: Path, name: str, counts: Counter[str]) -> Iterator[BookFile]:
    suffix = path.suffix.lower()
    if suffix in BOOKS:
        yield BookFile(path, None, name, path.stat().st_size)
    elif suffix == ARCHIVE:
        yield from _books_in_archive(path, name, counts)
    else:
        counts[_kind(suffix)] += 1


def _kind(suffix: str) -> str:
    return suffix[:_LONGEST_SUFFIX] or NO_SUFFIX


def _books_in_archive(path: Path, name: str, counts: Counter[str]) -> Iterator[BookFile]:
    total = 0
    with path.open("rb") as file:
        inside = members(file, str(path))
    for member in sorted(inside.values(), key=lambda member: member.name.encode()):
        kind = _kind_of_member(member)
        if kind == ARCHIVE:
            at, do = f"{path}, {member.name}", "unpack the outer one"
            raise InputError(sentence("books in the archive", "another archive", at, do))
        if kind not in BOOKS:
            counts[kind] += 1
            continue
        total += member.size
        if total > MOST_UNPACKED:
            expected = f"at most {MOST_UNPACKED:,} bytes of books"
            raise InputError(sentence(expected, "more", str(path), "unpack it to a folder"))
        yield BookFile(path, member.name, f"{name}/{member.name}", member.size, member)


def _kind_of_member(member: Member) -> str:
    name = PurePosixPath(member.name)
    if any(part.startswith(".") or part == "__MACOSX" for part in name.parts):
        return HIDDEN
    return LINK if member.link else _kind(name.suffix.lower())


def read_book(book: BookFile) -> RawBook:
    """Read one book.

    Args:
        book: As `find_books` gave it.

    Returns:
        Its bytes or text, and what it says of itself.

    Raises:
        InputError: It cannot be read, is damaged, too large, encrypted or hostile.
    """
    try:
        with _opened(book) as (file, at):
            if PurePosixPath(book.member or book.path.name).suffix.lower() == ".epub":
                return _epub(file, at)
            return _plain_text(file, at)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(sentence("a readable file", found, str(book.path))) from None


@contextmanager
def _opened(book: BookFile) -> Iterator[tuple[BinaryIO, str]]:
    """Open the book, and tell what messages call it."""
    with book.path.open("rb") as file:
        if book.member is None:
            yield file, str(book.path)
            return
        packed = book.packed or _directory(book.path, *_version(file)).get(book.member)
        if packed is None:
            at = f"{book.path}, {book.member}"
            raise InputError(sentence("the book in the archive", "none", at))
        most = MOST_NESTED if book.member.lower().endswith(".epub") else MOST_TEXT
        data = unpack(file, packed, most, str(book.path))
    yield BytesIO(data), f"{book.path}, {book.member}"


def _version(file: BinaryIO) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=1)
def _directory(path: Path, _size: int, _changed: int) -> dict[str, Member]:
    """Remembered: the books of an archive are read one after the other."""
    with path.open("rb") as file:
        return members(file, str(path))


def _epub(file: BinaryIO, at: str) -> RawBook:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    epub = read_epub(file, at)
    package = epub.package
    return RawBook(
        raw=None,
        text=epub.text,
        title=package.title,
        author=package.author,
        language=package.language,
        rights=package.rights,
        identifier=package.identifier,
        sha256=digest.hexdigest(),
        layout="lines",
        removed=epub.removed,
        pictures=epub.pictures,
    )


def _plain_text(file: BinaryIO, at: str) -> RawBook:
    raw = file.read(MOST_TEXT + 1)
    if len(raw) > MOST_TEXT:
        raise InputError(sentence(f"a text of at most {MOST_TEXT:,} bytes", "a longer one", at))
    header = read_header(raw)
    return RawBook(
        raw=raw,
        text=None,
        title=header.title,
        author=header.author,
        language=header.language,
        rights=header.rights,
        identifier=header.identifier,
        sha256=hashlib.sha256(raw).hexdigest(),
        layout="book",
    )
