"""Rows that a language model wrote, where sets are shown; what a model writes is hostile."""

from __future__ import annotations

import io

import pytest
from generated_sets import PREFIXES, SAMPLING, SOURCES, make_generated
from label_sets import ids, make_labelled
from page_reading import check_safe
from report_sets import measured, spelt

from transferset.report.card import card
from transferset.report.comparing import diff
from transferset.report.inspect import head, row_facts, summary
from transferset.report.page import write_report
from transferset.report.stats import stats
from transferset.report.terminal import show
from transferset.report.terminal_diff import show_diff
from transferset.report.terminal_stats import show_stats

NATURAL = [[5, 6, 7, 8, 9], [5, 6], [10, 11, 12, 13]]
GENERATED = [[5, 6, 7, 8, 20], [10, 11, 12, 13], [30, 31, 32, 33, 30, 31, 32, 33], [9]]
EVIL = "</td><script>alert(1)</script>[red]x[/red]\x1b[2J\u202e|`_<b>"


@pytest.fixture
def found(tmp_path):
    columns = {"finished": [True] * 6 + [False]}
    return make_generated(tmp_path / "set", NATURAL, GENERATED, columns=columns)


@pytest.fixture
def evil(tmp_path):
    return make_generated(
        tmp_path / "evil", NATURAL, GENERATED, texts=[EVIL] * 7,
        columns={"text_pair": [EVIL] * 7}, sources=[SOURCES[0], {**SOURCES[1], "file": EVIL}],
        prefixes={**PREFIXES, "pieces": [EVIL] * 3},
        sampling={**SAMPLING, "base": {**SAMPLING["base"], "model": EVIL}},
    )  # fmt: skip


def inspected(one):
    out = io.StringIO()
    show(summary(one), head(one, 2, spelt), out)
    return words(out.getvalue())


def compared(*sets, parent=None):
    out = io.StringIO()
    show_stats([stats(one, parent, None) for one in sets], out, 120)
    return out.getvalue().replace("\u00a0", " ")


def page(tmp_path, *sets):
    given = list(sets)
    return write_report(given, tmp_path / "report.html", **measured(given)).read_text()


def words(text):
    return " ".join(text.replace("\u00a0", " ").split())


def carded(one):
    return card(one.manifest, None, row_facts(one)).replace("\u00a0", " ")


def test_inspect_says_it_in_two_lines(found):
    text = inspected(found)
    assert "written 4 of 7 rows by gpt2-toy, 1 of them not finished attempts 4 of 10" in text
    assert "attempts kept; 1 not finished, 3 repeated and 2 copies of given rows" in text


def test_stats_put_natural_rows_in_brackets(found):
    text = compared(found)
    lines = {line.split("  ")[0]: words(line) for line in text.splitlines()}
    assert "written by a language model (natural rows)" in lines
    assert lines["distinct-1"].startswith("distinct-1 0.")
    assert lines["4-grams of natural rows"] == "4-grams of natural rows 28.6 % (0 %)"
    assert lines["copies of natural rows"] == "copies of natural rows 1 (25.0 %)"
    assert lines["perplexity of a piece"] == "perplexity of a piece 20.5 (40.2)"
    assert lines["finished"] == "finished 90.0 %"
    assert lines["kept"] == "kept 40.0 %"
    assert lines["copies, dropped"] == "copies, dropped 20.0 %"
    assert lines["rows for each original"] == "rows for each original 3"
    assert words(text).count("row 3") == words(text).count("row 6") == 1
    assert "row 6 … (not finished)" in text
    assert "of 11 content tokens of either side" in words(text)


def test_stats_of_a_set_beside_one_without_such_rows(tmp_path, found):
    plain = make_labelled(tmp_path / "plain", {"input_ids": ids(4)})
    lines = {line.split("  ")[0]: words(line) for line in compared(found, plain).splitlines()}
    assert lines["copies of natural rows"] == "copies of natural rows 1 (25.0 %) –"
    assert "written by a language model" not in compared(plain)


def test_without_natural_rows_or_ids_stats_say_what_they_can(tmp_path, found):
    alone = make_generated(tmp_path / "alone", [], GENERATED)
    assert "There are no natural rows to compare them with." in words(compared(alone))
    texts = make_generated(
        tmp_path / "texts", [], [[5], [6]], columns={"input_ids": None}, tokenizer=None
    )
    facts = stats(texts, None, None)["generated"]
    assert (facts["measures"], facts["rows"]) == (None, 2)
    assert "kept" in compared(texts)
    assert "Attempts of set 1" in write_page_of_texts(tmp_path, texts)


def write_page_of_texts(tmp_path, one):
    known = {**measured([one]), "decode": [None]}
    return write_report([one], tmp_path / "texts.html", **known).read_text()


def test_a_parent_with_another_tokenizer_is_not_compared_with(tmp_path, found):
    alone = make_generated(tmp_path / "alone", [], GENERATED)
    other = {**found.manifest.tokenizer, "sha256": "1" * 64}
    parent = make_labelled(tmp_path / "parent", {"input_ids": ids(4)}, tokenizer=other)
    assert stats(alone, parent, None)["generated"]["measures"]["natural"] is None
    same = make_labelled(tmp_path / "same", {"input_ids": ids(4)})
    text = words(compared(alone, parent=same))
    assert "Natural rows are those of same." in text


def test_the_page_has_a_section_with_tables_pictures_and_rows(tmp_path, found):
    plain = make_labelled(tmp_path / "plain", {"input_ids": ids(4)})
    html = page(tmp_path, plain, found)
    read = check_safe(html)
    assert '<a href="#written">Written rows</a>' in html
    text = words(read.text)
    for shown in ("Written by a language model", "Written rows of set 2", "Attempts of set 2",
                  "First pieces of set 2", "What came of the attempts of set 2",
                  "The model ended 90.0 % of its rows itself. The set has 3 times as many rows as "
                  "the one that it was sampled from.",
                  "Perplexity is that of gpt2-base, on 4 written and 2 natural rows.",
                  "2 different pieces begin the rows that it learnt from.",
                  "row 6 (not finished)"):  # fmt: skip
        assert shown in text
    assert "Written rows of set 1" not in text
    images = [a["aria-labelledby"] for a in read.named("svg")]
    assert images.count("written-2-720-title") == images.count("outcomes-2-344-title") == 1


def test_a_page_without_such_rows_has_no_such_section(tmp_path):
    html = page(tmp_path, make_labelled(tmp_path / "plain", {"input_ids": ids(4)}))
    assert "#written" not in html.replace("#written h3", "")


def test_a_set_without_text_shows_decoded_ids(tmp_path):
    found = make_generated(tmp_path / "set", NATURAL, [[5, 9]], columns={"text": None})
    assert "[CLS] piece5 piece9 [SEP]" in words(check_safe(page(tmp_path, found)).text)
    assert "2 5 9 3" in compared(found)


def test_what_a_model_writes_is_text_everywhere(tmp_path, evil):
    html = page(tmp_path, evil)
    text = check_safe(html).text
    assert "<script>" not in html
    assert "</td><script>alert(1)</script>[red]x" in text
    for shown in (inspected(evil), compared(evil), carded(evil), text):
        assert not any(c in shown for c in "\x1b\u202e")
    assert "[red]x[/red]" in inspected(evil)
    assert "[red]x[/red]" in compared(evil)
    assert "<script>" not in carded(evil)
    assert "<b>" not in carded(evil)


def test_long_texts_are_cut_on_the_terminal(tmp_path):
    found = make_generated(tmp_path / "set", NATURAL, [[5]], texts=["a"] * 3 + ["x" * 900])
    text = compared(found)
    assert text.count("x" * 100) >= 1
    assert sum(line.count("x") for line in text.splitlines() if "xxx" in line) == 199
    assert "…" in text


def test_the_card_has_a_section_and_limits(found):
    text = carded(found)
    assert "## Written by a language model\n\n4 of 7 rows by gpt2-toy, 1 of them not" in text
    assert "| repeated | 3 | 30.0 % |" in text
    assert "The model ended 90.0 % of its rows itself. The set has 3 times as many" in text
    assert '- "synthetic"' in text
    limits = text[text.index("## Known limits") :]
    assert "may be false, offensive or without sense" in limits
    assert "Under which licence such text may be used is not stated" in limits
    assert "`_tables/sampling.json`: what came of the attempts" in text
    assert "| `finished` | bool | false where the language model" in text


@pytest.mark.parametrize("copies", ["drop", "keep"])
def test_the_card_says_whether_copies_were_looked_for(tmp_path, copies):
    params = {"max_len": None, "copies": copies}
    text = carded(make_generated(tmp_path / "set", NATURAL, GENERATED, params=params))
    assert ("were looked for" in text) is (copies == "drop")


def test_the_card_states_no_doubt_about_a_licence_that_is_stated(tmp_path):
    sources = [SOURCES[0], {**SOURCES[1], "licence": "MIT"}]
    text = carded(make_generated(tmp_path / "set", NATURAL, GENERATED, sources=sources))
    assert "may be false" in text
    assert "Under which licence" not in text


def test_the_card_of_another_set_says_nothing_of_models(tmp_path):
    plain = make_labelled(tmp_path / "plain", {"input_ids": ids(4)})
    assert "language model" not in carded(plain)
    assert "synthetic" not in carded(plain)


def test_diff_tells_how_many_rows_were_written(tmp_path, found):
    natural = make_labelled(tmp_path / "natural", {"input_ids": [[2, *one, 3] for one in NATURAL]})
    facts = diff(natural, found)
    assert (facts["a"]["generated"], facts["b"]["generated"]) == (None, 4)
    assert facts["relation"] == "selected"
    out = io.StringIO()
    show_diff(facts, out, 120)
    assert "written by a model 0 4" in words(out.getvalue())


def test_diff_compares_whether_rows_are_finished(tmp_path, found):
    other = make_generated(tmp_path / "other", NATURAL, GENERATED)
    same = make_generated(tmp_path / "same", NATURAL, GENERATED)
    assert "finished" not in diff(found, other)["columns"]["equal"]
    assert "finished" in diff(other, same)["columns"]["equal"]
    assert diff(other, same)["relation"] == "same_rows"
