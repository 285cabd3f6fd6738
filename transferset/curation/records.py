"""What is known of a book when it is decided whether it stays."""

from __future__ import annotations

from dataclasses import dataclass

from transferset.curation.language import Vote
from transferset.curation.shingles import Sketch


@dataclass(frozen=True, slots=True)
class Record:
    """A cleaned book, less its text.

    Args:
        doc_id: As in the documents table.
        author: As its source states; several are parted by `;`.
        licence: As its source states; empty if it states none.
        words: Between white space, in the cleaned text.
        vote: On its language.
        sketch: Of its shingles.
        stated_language: As its source states; several are parted by `;`.
    """

    doc_id: int
    author: str
    licence: str
    words: int
    vote: Vote
    sketch: Sketch
    stated_language: str = ""


Preference = tuple[int, int, str, str, str]


def preference(record: Record) -> Preference:
    """Sorts first whichever book stays where only some can: most words, then the smallest id.

    Nothing of it depends on the order in which books are read; what is equal in all of it is the
    same book.
    """
    return -record.words, record.doc_id, record.sketch.digest, record.author, record.licence
