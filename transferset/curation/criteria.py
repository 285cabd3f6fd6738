"""Which books become part of a set, and why the others do not.

In this order, so that a book counts under the first reason that holds: licence, language, words,
duplicates, books of its author. Duplicates are looked for among books that passed so far: a copy
that may not be used keeps no other out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from transferset.curation.authors import known_authors
from transferset.curation.duplicates import THRESHOLD, Duplicates, How, Joined, find_duplicates
from transferset.curation.language import normal_code
from transferset.curation.licences import is_free
from transferset.curation.records import Record, preference
from transferset.curation.words import Hashes
from transferset.errors import UsageError, printable, sentence
from transferset.ledger import Reason

#: The replica's least number of words in a book.
MIN_WORDS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a book must satisfy.

    Args:
        language: Code of its language, or `any`.
        min_words: Words in its cleaned text, at least.
        per_author: Books of one author, at most; None for any number.
        dedupe: `near` (exact ones too), `exact` or `off`.
        free_only: Whether its licence, if stated, must be free.
        threshold: Jaccard similarity of near duplicates, above 0 and up to 1.

    Raises:
        UsageError: A value is out of its range.
    """

    language: str = "en"
    min_words: int = MIN_WORDS
    per_author: int | None = None
    dedupe: How = "near"
    free_only: bool = True
    threshold: float = THRESHOLD

    def __post_init__(self) -> None:
        """Check the ranges."""
        ranges = [
            (self.language == "any" or normal_code(self.language), "--language", "a code or any"),
            (self.min_words >= 0, "--min-words", "0 or more"),
            (self.per_author is None or self.per_author > 0, "--per-author", "1 or more"),
            (self.dedupe in ("near", "exact", "off"), "--dedupe", "near, exact or off"),
            (0 < self.threshold <= 1, "threshold", "a number above 0 and up to 1"),
        ]
        for holds, name, expected in ranges:
            if not holds:
                value = getattr(self, name.removeprefix("--").replace("-", "_"))
                raise UsageError(sentence(expected, str(value), name))


@dataclass(frozen=True, slots=True)
class Dropped:
    """A book that does not stay.

    Args:
        index: Of its record.
        reason: For the ledger.
        of: Index of the book that stays in its place, of a duplicate.
        jaccard: Similarity to that book.
        note: What was found, for people.
    """

    index: int
    reason: Reason
    of: int | None = None
    jaccard: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision on every book.

    Args:
        kept: Indices of those that stay, ascending.
        dropped: The others, by index.
        unstated: How many of those that stay state no licence.
        duplicates: What was found of them.
    """

    kept: list[int]
    dropped: list[Dropped]
    unstated: int = 0
    duplicates: Duplicates = field(default_factory=Duplicates)


def choose(
    records: Sequence[Record], criteria: Criteria, shingles_of: Callable[[int], Hashes]
) -> Choice:
    """Decide on all books of a corpus.

    Args:
        records: The books.
        criteria: What they must satisfy.
        shingles_of: Gives the shingles of the book of an index; see `find_duplicates`.

    Returns:
        The decision; which books stay does not depend on the order of the records.
    """
    dropped = {i: _alone(i, record, criteria) for i, record in enumerate(records)}
    left = [i for i, reason in dropped.items() if reason is None]
    found = _duplicates(records, left, criteria, shingles_of)
    dropped.update({each.book: _copy(each) for each in found.joined})
    left = [i for i in left if dropped[i] is None]
    dropped.update({each.index: each for each in _over_cap(records, left, criteria.per_author)})
    kept = [i for i in left if dropped[i] is None]
    unstated = sum(not records[i].licence.strip() for i in kept)
    return Choice(kept, [each for each in dropped.values() if each], unstated, found)


def _alone(index: int, record: Record, criteria: Criteria) -> Dropped | None:
    """Criteria that look at one book."""
    if criteria.free_only and record.licence.strip() and not is_free(record.licence):
        note = f"its licence is {printable(record.licence, 100)}"
        return Dropped(index, Reason.OTHER_LICENCE, note=note)
    if not _is_in(record, criteria.language):
        return Dropped(index, Reason.OTHER_LANGUAGE, note=_languages(record))
    if record.words < criteria.min_words:
        return Dropped(index, Reason.TOO_FEW_WORDS, note=f"it has {record.words:,} words")
    return None


def _is_in(record: Record, language: str) -> bool:
    """The vote decides, and where there is none what the source states."""
    if language == "any":
        return True
    stated = {normal_code(code) for code in record.stated_language.replace(",", ";").split(";")}
    return normal_code(language) in ({record.vote.language} if record.vote.language else stated)


def _languages(record: Record) -> str:
    vote = record.vote
    stated = printable(record.stated_language, 40) or "no language"
    votes = f"{vote.share:.0%} of {vote.votes} passages are {vote.language}"
    return f"{votes if vote.language else 'no language has most passages'}, stated is {stated}"


def _duplicates(
    records: Sequence[Record],
    left: Sequence[int],
    criteria: Criteria,
    shingles_of: Callable[[int], Hashes],
) -> Duplicates:
    """Duplicates among the books that are left, by the indices of all."""
    found = find_duplicates(
        [records[i] for i in left],
        lambda number: shingles_of(left[number]),
        criteria.dedupe,
        criteria.threshold,
    )
    joined = [replace(each, book=left[each.book], of=left[each.of]) for each in found.joined]
    return replace(found, joined=joined)


def _copy(each: Joined) -> Dropped:
    exact = each.kind == "exact"
    reason = Reason.DUPLICATE_DOCUMENT if exact else Reason.NEAR_DUPLICATE
    note = "its words are the same" if exact else f"they share {each.jaccard:.1%} of their shingles"
    return Dropped(each.book, reason, each.of, each.jaccard, note)


def _over_cap(records: Sequence[Record], left: Sequence[int], cap: int | None) -> list[Dropped]:
    """Books beyond the cap of one of their authors, the preferred ones first; unknown ones stay."""
    if cap is None:
        return []
    counts: Counter[str] = Counter()
    dropped = []
    for index in sorted(left, key=lambda i: preference(records[i])):
        authors = known_authors(records[index].author)
        full = sorted(author for author in authors if counts[author] >= cap)
        if full:
            note = f"{cap} of {printable(full[0], 100)} stay"
            dropped.append(Dropped(index, Reason.AUTHOR_CAP, note=note))
        else:
            counts.update(authors)
    return dropped
