from __future__ import annotations

import io
import statistics as plain
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from card_sets import composite, manifest, statistics
from hypothesis import given
from hypothesis import strategies as st
from report_sets import ORIGIN, write_rows

from transferset.report.card import card
from transferset.report.corpus_table import MOST_ROWS, CorpusRow, cells, corpus_rows
from transferset.report.inspect import summary
from transferset.report.measures import measure
from transferset.report.stats import stats
from transferset.report.tables import Subject, text_table
from transferset.report.terminal import show
from transferset.report.terminal_stats import show_stats


def test_parts_come_first_and_the_whole_last():
    # [5 5 5 9] and [1 9 9]: together 1 5 5 5 9 9 9, 43 words in 7 sentences
    assert corpus_rows(composite()) == [
        CorpusRow("wiki", False, 144, 3, 4, 24, 6.0, 5.0),
        CorpusRow("books", False, 114, 2, 3, 19, 19 / 3, 9.0),
        CorpusRow("whole", True, 258, 5, 7, 43, 43 / 7, 5.0),
    ]


def test_a_lone_source_is_the_whole():
    (row,) = corpus_rows(manifest(statistics=[statistics([[2, 1], [3, 1]])]))
    assert row == CorpusRow(ORIGIN["file"], True, 30, 3, 2, 5, 2.5, 2.5)


def test_a_set_without_statistics_has_no_table():
    assert corpus_rows(manifest()) == []
    assert corpus_rows(composite(statistics=[])) == []


def test_what_a_part_does_not_say_the_whole_does_not_know():
    known = composite().statistics[0]
    wiki, books, whole = corpus_rows(composite(statistics=[known]))
    assert wiki.sentences == 4
    assert (books.name, books.sentences, books.median) == ("books", None, None)
    assert (whole.whole, whole.words, whole.mean) == (True, None, None)
    assert cells(books) == ("–",) * 6


def test_sources_of_one_part_are_counted_together():
    more = [*composite().statistics, statistics([[7, 4]], part=0, source=2)]
    wiki, _, whole = corpus_rows(composite(statistics=more))
    assert (wiki.sentences, wiki.words, wiki.median) == (8, 52, 7.0)
    assert whole.sentences == 11


@pytest.mark.parametrize(
    ("wikis", "name"),
    [(["xxwiki", "xxwiki"], "xxwiki"), (["xxwiki", None], "a.bz2 and 1 more"), ([], "source 0")],
)
def test_a_source_of_several_files_goes_by_its_wiki(wikis, name):
    files = [{**ORIGIN, "file": f"{x}.bz2", "wiki": w} for x, w in zip("ab", wikis, strict=False)]
    (row,) = corpus_rows(manifest(sources=files, statistics=[statistics([[2, 1]])]))
    assert row.name == name


histograms = st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=30), min_size=2, max_size=5)


@given(histograms)
def test_the_whole_is_that_of_all_sentences_together(lengths):
    parts = [
        statistics([[k, n] for k, n in sorted(Counter(some).items())], part=code)
        for code, some in enumerate(lengths)
    ]
    names = [f"p{i}" for i in range(len(parts))]
    *rows, whole = corpus_rows(composite(statistics=parts, params={"parts": names}))
    together = [n for some in lengths for n in some]
    assert whole.median == plain.median(together)
    assert whole.mean == pytest.approx(plain.mean(together))
    assert whole.text_bytes == sum(row.text_bytes for row in rows)
    assert [row.median for row in rows] == [plain.median(some) for some in lengths]


def test_a_histogram_that_is_none_leaves_only_the_median_out():
    (row,) = corpus_rows(
        manifest(statistics=[{**statistics([[2, 1]]), "words_per_sentence": [[1], [2, 3, 4]]}])
    )
    assert (row.sentences, row.mean, row.median) == (1, 2.0, None)


def test_a_source_of_nothing_has_no_mean():
    (row,) = corpus_rows(manifest(statistics=[statistics([])]))
    assert (row.sentences, row.mean, row.median) == (0, None, None)


def test_very_many_parts_become_one_row():
    many = [statistics([[i % 9, 1]], part=i) for i in range(1000)]
    rows = corpus_rows(composite(statistics=many, params={"parts": [str(i) for i in range(1000)]}))
    assert len(rows) == MOST_ROWS + 1
    assert rows[-2].name == "801 others"
    assert rows[-1].sentences == 1000 == sum(row.sentences for row in rows[:-1])


def test_parts_are_named_by_their_code_where_the_manifest_names_none():
    rows = corpus_rows(composite(params={"parts": "wiki"}))
    assert [row.name for row in rows] == ["part 0", "part 1", "whole"]


def test_huge_counts_stay_exact():
    most = (1 << 63) - 1
    one = {**statistics([[9, most]]), "words": most, "text_bytes": most, "sentences": most}
    rows = corpus_rows(composite(statistics=[{**one, "part": 0}, {**one, "part": 1}]))
    assert (rows[-1].words, rows[-1].median, rows[-1].mean) == (2 * most, 9.0, 1.0)
    assert "18,446,744,073,709,551,614" in cells(rows[-1])


@pytest.fixture
def mixed(tmp_path):
    of = composite()
    return write_rows(
        tmp_path / "mixed", [[2, 5, 6, 3], [2, 6, 3]], op="mix", statistics=of.statistics,
        sources=of.sources, params=dict(of.params),
    )  # fmt: skip


#: text, documents, sentences, words, mean and median; 43 words of 7 sentences are 6.1 each
WHOLE = ["258 B", "5", "7", "43", "6.1", "5"]
BOOKS = ["114 B", "2", "3", "19", "6.3", "9"]


def test_all_four_places_show_the_same_table(mixed):
    measured = stats(mixed, None, np.ones(1000, np.bool_))
    out, also = io.StringIO(), io.StringIO()
    show(summary(mixed), [], out)
    show_stats([measured], also, 80)
    subject = Subject(1, mixed, measure(mixed, None), {**measured, "words_per_row": None})
    page, readme = text_table([subject]), card(mixed.manifest, None)
    for text in (out.getvalue(), also.getvalue(), readme):
        for name, expected in (("books", BOOKS), ("whole", WHOLE)):
            lines = text.replace("\u00a0", " ").replace("**", "").replace("| ", "").splitlines()
            found = [cut(x) for x in lines if x.split()[:1] == [name]]
            assert " ".join(expected) in found
    for expected in (BOOKS, WHOLE):
        assert "".join(f"<td>{x}</td>" for x in expected) in page.replace("\u00a0", " ")


def cut(line: str) -> str:
    return " ".join(line.replace(" |", "").split()[1:])


def test_stats_of_a_set_show_the_whole_beside_those_of_others(mixed):
    out = io.StringIO()
    measured = stats(mixed, None, None)
    show_stats([measured, {**measured, "corpus": []}], out, 80)
    text = out.getvalue()
    line = next(x for x in text.splitlines() if x.startswith("words a sentence, median"))
    assert line.split()[-2:] == ["5", "–"]
    assert text.count("text of mixed") == 1  # one table of parts, for the set that has parts


def test_names_cannot_steer_a_terminal(mixed):
    evil = replace(mixed.manifest, params={"max_len": 9, "parts": ["\x1b[2J", "[red]x[/red]"]})
    out = io.StringIO()
    show({**summary(mixed), "corpus": [row.to_json() for row in corpus_rows(evil)]}, [], out)
    assert "\x1b" not in out.getvalue()
    assert "[red]x[/red]" in out.getvalue()
