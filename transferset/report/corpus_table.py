"""The table of corpus statistics: each source or part of a set, and the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from transferset.manifest import Json, Manifest
from transferset.report.wording import number, size

#: Rows of a table; parts and sources beyond are counted together.
MOST_ROWS: Final = 200

#: What `cells` gives beside a row's name.
HEADS: Final = ("text", "documents", "sentences", "words", "words/sentence", "median")

#: Name of the last row where there are several.
WHOLE: Final = "whole"

Histogram = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """Statistics of the text that a source, a part or a whole set was built from.

    Attributes:
        name: Of the part or source.
        whole: It is all there is: the last row of a table, and only that.
        text_bytes: Size of the text in UTF-8; None here and below where it is not known.
        documents: Pages, books, records.
        sentences: As the splitter found them.
        words: What stands between white space.
        mean: Words per sentence.
        median: Words per sentence, exact, from the merged histograms.
    """

    name: str
    whole: bool
    text_bytes: int | None
    documents: int | None
    sentences: int | None
    words: int | None
    mean: float | None
    median: float | None

    def to_json(self) -> Json:
        """Its members by name."""
        return asdict(self)


def corpus_rows(manifest: Manifest) -> list[CorpusRow]:
    """Statistics of each part of a mix, or of each source, and of the whole.

    Args:
        manifest: Of any set.

    Returns:
        One row a part or source, then the whole, which is unknown if a part is; a lone source is
        the whole. Nothing where no statistics were kept.
    """
    groups = _abridged(_by_part(manifest) or _by_source(manifest))
    known = [one for _, found in groups for one in found]
    if not known:
        return []
    if len(groups) == 1:
        return [_row(groups[0][0], known, whole=True)]
    complete = all(found for _, found in groups)
    rows = [_row(name, found) for name, found in groups]
    return [*rows, _row(WHOLE, known if complete else [], whole=True)]


def cells(row: CorpusRow) -> tuple[str, ...]:
    """What stands below `HEADS`; a dash for what is not known."""
    mean = "–" if row.mean is None else f"{row.mean:,.1f}"
    known = (row.documents, row.sentences, row.words)
    counts = ("–" if n is None else f"{n:,}" for n in known)
    return (size(row.text_bytes), *counts, mean, number(row.median))


def histogram_of(statistics: Iterable[Json]) -> Histogram | None:
    """Histograms of words per sentence merged; None if one is not made of pairs."""
    merged: dict[int, int] = {}
    for one in statistics:
        for pair in one["words_per_sentence"]:
            if len(pair) != 2:
                return None
            merged[pair[0]] = merged.get(pair[0], 0) + pair[1]
    return sorted(merged.items())


def median(histogram: Iterable[Sequence[int]]) -> float:
    """Median of a histogram of [value, count] pairs in ascending order of value; 0 of nothing."""
    pairs = list(histogram)
    total = sum(count for _, count in pairs)
    if not total:
        return 0.0
    return (_nth(pairs, (total + 1) // 2) + _nth(pairs, total // 2 + 1)) / 2


def _nth(pairs: Iterable[Sequence[int]], place: int) -> int:
    """The value at a place, counted from 1."""
    seen = 0
    for value, count in pairs:
        seen += count
        if seen >= place:
            return value
    return 0


_Groups = list[tuple[str, list[Json]]]


def _by_part(manifest: Manifest) -> _Groups:
    """Statistics by part: also parts without any; nothing if none is of a part."""
    parts = {one["part"] for one in manifest.statistics if one.get("part") is not None}
    if not parts:
        return []
    names = manifest.params.get("parts")
    named = dict(enumerate(map(str, names))) if isinstance(names, list) else {}
    found: dict[int, list[Json]] = {code: [] for code in sorted({*named, *parts})}
    strays = [one for one in manifest.statistics if one.get("part") is None]
    for one in manifest.statistics:
        if one.get("part") is not None:
            found[one["part"]].append(one)
    groups = [(named.get(code, f"part {code}"), some) for code, some in found.items()]
    return [*groups, *([("of no part", strays)] if strays else [])]


def _by_source(manifest: Manifest) -> _Groups:
    found: dict[int, list[Json]] = {}
    for one in manifest.statistics:
        found.setdefault(one["source"], []).append(one)
    files: dict[int, list[Mapping[str, Any]]] = {}
    for source in manifest.sources:
        files.setdefault(source["code"], []).append(source)
    return [(_source_name(code, files.get(code, [])), found[code]) for code in sorted(found)]


def _source_name(code: int, files: Sequence[Mapping[str, Any]]) -> str:
    """The file of a source; of several files the wiki that they share, or how many they are."""
    if not files:
        return f"source {code}"
    if len(files) == 1:
        return str(files[0]["file"])
    wikis = {file.get("wiki") for file in files}
    if len(wikis) == 1 and isinstance(wiki := wikis.pop(), str) and wiki:
        return wiki
    return f"{files[0]['file']} and {len(files) - 1:,} more"


def _abridged(groups: _Groups) -> _Groups:
    if len(groups) <= MOST_ROWS:
        return groups
    rest = groups[MOST_ROWS - 1 :]
    # together they are known only if each of them is
    others = [one for _, found in rest for one in found] if all(f for _, f in rest) else []
    return [*groups[: MOST_ROWS - 1], (f"{len(rest):,} others", others)]


def _row(name: str, statistics: Sequence[Json], *, whole: bool = False) -> CorpusRow:
    if not statistics:
        return CorpusRow(name, whole, None, None, None, None, None, None)
    total = {
        member: sum(one[member] for one in statistics)
        for member in ("text_bytes", "documents", "sentences", "words")
    }
    histogram = histogram_of(statistics)
    return CorpusRow(
        name,
        whole,
        **total,
        mean=total["words"] / total["sentences"] if total["sentences"] else None,
        median=median(histogram) if histogram else None,
    )
