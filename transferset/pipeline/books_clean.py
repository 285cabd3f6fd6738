"""The first pass of `build books`: one book becomes passages, and a record to choose by."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from transferset.curation.language import vote_language
from transferset.curation.licences import is_free
from transferset.curation.shingles import shingle, write_shingles
from transferset.curation.words import count_words
from transferset.documents import About
from transferset.errors import InputError
from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.manifest import Json
from transferset.sources.books.archives import Member
from transferset.sources.books.local import BookFile, RawBook, read_book
from transferset.stage import Done, Output
from transferset.storage.mounts import present
from transferset.text.books import Cleaned, Decoded, TextCleaner, decode

#: The stage's name.
CLEAN: Final = "clean"


@dataclass(frozen=True, slots=True)
class CleanContext:
    """What all tasks of the pass share.

    Attributes:
        licence: Of files that state none.
        compared: Whether duplicates are looked for at all.
        near: Whether shingles are needed to compare books.
        skip_damaged: Whether a book that cannot be read is counted instead of ending the build.
    """

    licence: str
    compared: bool
    near: bool
    skip_damaged: bool


def clean_book(root: Path, context: CleanContext, task: Json) -> Done:
    """Turn one book into passages.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `book` (ordinal), `path`, `member`, `packed`, `name`, `bytes`, and `about` of a
            manifest.

    Returns:
        Passages and shingles as outputs; what is known of the book as result.

    Raises:
        InputError: The book is damaged and damaged ones are not to be skipped.
    """
    packed = Member(**task["packed"]) if task["packed"] is not None else None
    book = BookFile(Path(task["path"]), task["member"], task["name"], task["bytes"], packed)
    try:
        raw = read_book(book)
        cleaned, decoded = _clean(raw, book)
    except InputError as error:
        if not context.skip_damaged:
            raise InputError(f"{error}; or leave such books out: --skip-damaged --force") from None
        return Done([], {"rows": 0, "unreadable": str(error)})
    passages = cleaned.passages
    shingled = shingle(passages if context.compared else [])
    outputs = [_write(root, task["book"], passages)]
    if context.near:
        path = shingles_path(root, task["book"])
        size, digest = write_shingles(path, shingled.hashes)
        outputs.append(Output(f"{RUN}/{CLEAN}/{path.name}", size, digest))
    about = _about(task["about"], raw, Path(book.name).stem, context.licence)
    result = {
        "rows": 0,
        "bytes": outputs[0].bytes,
        "doc_id": _doc_id(task["about"], raw),
        "about": asdict(about),
        "words": count_words(passages),
        "passages": len(passages),
        "vote": asdict(vote_language(passages)),
        "sketch": shingled.sketch.to_json(),
        "removed": _removed(raw, decoded, cleaned),
        "warnings": cleaned.warnings,
        "licence_share": round(cleaned.licence_share, 6),
        "encoding": decoded.encoding if decoded is not None else "epub",
        "layout": cleaned.layout,
    }
    return Done(outputs, result)


def _removed(raw: RawBook, decoded: Decoded | None, cleaned: Cleaned) -> dict[str, int]:
    """Characters that are not in the passages, by what they are."""
    found = Counter(cleaned.removed)
    found.update(raw.removed)
    if decoded is not None and decoded.removed:
        found["control_character"] += decoded.removed
    return dict(found)


def _clean(raw: RawBook, book: BookFile) -> tuple[Cleaned, Decoded | None]:
    if raw.text is not None:
        return _cleaner(raw.layout).clean(raw.text), None
    try:
        decoded = decode(raw.raw or b"")
    except InputError as error:
        raise InputError(f"{book.name}: {error}") from None
    return _cleaner(raw.layout).clean(decoded.text), decoded


@lru_cache(maxsize=4)
def _cleaner(layout: str) -> TextCleaner:
    return TextCleaner(layout)


def _about(stated: Json, raw: RawBook, name: str, licence: str) -> About:
    """What the manifest says goes before what the file says of itself."""
    return About(
        title=stated.get("title") or raw.title or name,
        author=stated.get("author") or raw.author,
        language=stated.get("language") or raw.language,
        licence=_licence(stated.get("licence") or "", raw.rights, licence),
        url=stated.get("url") or "",
        sha256=raw.sha256,
        retrieved=stated.get("retrieved") or "",
        subjects=stated.get("subjects") or "",
    )


def _licence(stated: str, own: str, default: str) -> str:
    """What the manifest says, unless the book itself says that it is not free."""
    restricted = bool(own) and is_free(own) is False
    found = own if restricted else stated or own or default
    # publishers write it with a full stop or without: one licence must have one name
    return found.strip().rstrip(".")


def _doc_id(stated: Json, raw: RawBook) -> int:
    if stated.get("id") is not None:
        return int(stated["id"])
    if raw.identifier.isdecimal() and int(raw.identifier) < 1 << 64:
        return int(raw.identifier)
    return int(raw.sha256[:16], 16)


def passages_path(root: Path, book: int) -> Path:
    """Where the cleaned text of a book is kept until its rows are written."""
    return root / RUN / CLEAN / f"{book:05d}.txt"


def shingles_path(root: Path, book: int) -> Path:
    """Where the shingles of a book are kept until it is compared with others."""
    return root / RUN / CLEAN / f"{book:05d}.shingles"


def read_passages(root: Path, book: int) -> list[str]:
    """The cleaned text of a book."""
    text = present(passages_path(root, book)).read_bytes().decode()
    return text.split("\n") if text else []


def _write(root: Path, book: int, passages: list[str]) -> Output:
    with HashingFile(passages_path(root, book)) as sink:
        sink.write("\n".join(passages).encode())
        return Output(f"{RUN}/{CLEAN}/{sink.path.name}", sink.size, sink.commit())
