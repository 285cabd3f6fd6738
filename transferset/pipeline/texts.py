"""Texts to fit something on, from files and sets alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from transferset.errors import InputError, UsageError, sentence
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet

#: Longest line that is held in memory; a longer one is read in pieces.
_LINE = 1 << 20


def read_texts(sources: Sequence[Path]) -> Iterator[str]:
    """The texts of sources, one after the other.

    Args:
        sources: UTF-8 text files (each line a text), or sets with a `text` column.

    Yields:
        Lines, or rows.

    Raises:
        UsageError: There is no such source, or a set without text.
        InputError: A file is not UTF-8.
    """
    if not sources:
        raise UsageError(sentence("a text file or a set", "nothing"))
    for source in sources:
        if (source / MANIFEST).exists():
            yield from _rows(source)
        elif source.is_file():
            yield from _lines(source)
        else:
            found = "no such file" if not source.exists() else "a folder without a set in it"
            raise UsageError(sentence("a text file or a set", found, str(source)))


def _rows(root: Path) -> Iterator[str]:
    found = ShardSet.open(root)
    if "text" not in found.manifest.schema:
        have = ", ".join(found.manifest.schema)
        do = "build it with --keep-text"
        raise UsageError(sentence("a set with a text column", have, str(root), do))
    for batch in found.batches():
        yield from batch.column("text").to_pylist()


def _lines(path: Path) -> Iterator[str]:
    position = 0
    with path.open("rb") as file:
        while line := file.readline(_LINE):
            while len(line) >= _LINE and line[-1] & 0xC0 == 0x80:
                line += file.read(1)  # never cut inside a character
            try:
                yield line.decode("utf-8-sig" if position == 0 else "utf-8")
            except UnicodeDecodeError as error:
                at = f"{path}, byte {position + error.start}"
                found = f"byte 0x{line[error.start]:02x}"
                raise InputError(sentence("UTF-8 text", found, at, "convert the file")) from None
            position += len(line)
