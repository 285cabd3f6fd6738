"""Labels, pairs, tags and attempts where sets are shown: inspect, stats, page, card, Croissant."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from label_sets import SENTIMENT, TAGS, ids, make_labelled, words_of
from report_sets import measured, spelt
from test_label_counts import ACCOUNT

from transferset.report.card import card
from transferset.report.croissant import croissant
from transferset.report.inspect import head, row_facts, summary
from transferset.report.page import write_report
from transferset.report.stats import rows_to_read, stats
from transferset.report.terminal import show
from transferset.report.terminal_stats import show_stats

TEXTS = ["a silly, empty film", "funny", "film"]
PAIRS = ["second one", "second two", "second three"]
EVIL = {"label": ["<script>", "[red]x\x1b[2J|`"]}


@pytest.fixture
def pairs(tmp_path):
    columns = {"input_ids": ids(3), "text": TEXTS, "text_pair": PAIRS, "label": [0, None, 1],
               **words_of(TEXTS)}  # fmt: skip
    return make_labelled(
        tmp_path / "pairs", columns, names={**SENTIMENT, **TAGS}, tables={"augment.json": ACCOUNT}
    )


@pytest.fixture
def texts(tmp_path):
    return make_labelled(tmp_path / "texts", {"text": TEXTS, "label": [0.5, None, 5.0]}, score=True)


def inspected(found, decode=None):
    out = io.StringIO()
    show(summary(found), head(found, 3, decode), out)
    return out.getvalue()


def compared(*sets):
    out = io.StringIO()
    show_stats([stats(one, None, None) for one in sets], out, 120)
    return out.getvalue()


def page(tmp_path, *sets):
    known = {**measured(list(sets)), "decode": [spelt if "input_ids" in s.schema.names else None
                                                for s in sets]}  # fmt: skip
    return write_report(list(sets), tmp_path / "report.html", **known).read_text()


def words(text):
    return " ".join(text.split())


def test_inspect_shows_classes_tags_attempts_and_both_texts(pairs):
    text = words(inspected(pairs, spelt))
    assert "negative 1 33.3 %" in text.replace("\u00a0", " ")
    assert "no label 1 33.3 %" in text.replace("\u00a0", " ")
    assert "NN 3" in text
    assert "all 30 1 2 1 0 26" in text
    assert "second text" in text
    for shown in ("second", "three", "positive"):
        assert shown in text


def test_inspect_of_texts_shows_no_empty_columns(texts):
    text = words(inspected(texts))
    assert "From 0.5 to 5, mean 2.75." in text
    assert "pieces" not in text
    assert "funny │ no label" in text


def test_rows_have_the_names_of_their_labels(pairs, texts):
    assert [row.get("label_name") for row in head(pairs, 3, None)] == ["negative", None, "positive"]
    assert [row["label"] for row in head(texts, 3, None)] == [0.5, None, 5.0]


def test_facts_are_json(pairs, texts):
    facts = json.loads(json.dumps(summary(pairs), allow_nan=False))
    assert facts["names"] == {**SENTIMENT, **TAGS}
    assert facts["labels"]["classes"][1] == {
        "code": 1, "name": "positive", "rows": 1, "share": 1 / 3,
    }  # fmt: skip
    assert json.dumps(stats(texts, None, None), allow_nan=False)


def test_stats_count_what_they_can_without_ids(pairs, texts):
    facts = stats(texts, pairs, None)
    assert facts["rows"] == 3
    assert facts["text_bytes"] == len("".join(TEXTS))
    counted = ("tokens", "content_tokens", "types", "unknown", "length", "divergence")
    assert [facts[name] for name in counted] == [None] * 6
    assert facts["type_token"] == []
    reason = "texts has no ids, only text and label: nothing can be said of tokens"
    assert facts["ids_reason"] == facts["divergence_reason"] == reason
    assert stats(pairs, texts, None)["divergence_reason"] == reason
    assert stats(pairs, texts, None)["ids_reason"] is None


def test_progress_without_ids_ends_at_the_rows_to_read(texts, pairs):
    told: list[int] = []
    stats(texts, pairs, None, told.append)
    assert sum(told) == rows_to_read(texts, pairs) == 3


def test_stats_put_labels_side_by_side(pairs, texts, tmp_path):
    other = make_labelled(
        tmp_path / "other", {"input_ids": ids(4), "label": [0, 0, 1, 0]},
        names={"label": ["positive", "neutral"]},
    )  # fmt: skip
    text = compared(pairs, other, texts).replace("\u00a0", " ")
    lines = {line.split("  ")[0]: words(line) for line in text.splitlines()}
    assert lines["positive"] == "positive 1 (33.3 %) 3 (75.0 %) –"
    assert lines["neutral"] == "neutral 0 (0 %) 1 (25.0 %) –"
    assert lines["no label"] == "no label 1 (33.3 %) 0 (0 %) 1 (33.3 %)"
    assert lines["score, mean"] == "score, mean – – 2.75"
    assert words(text).count("has no ids, only text and label") == 1


def test_lengths_of_labelled_sets_are_measured(pairs):
    facts = stats(pairs, None, np.ones(1000, np.bool_))
    assert facts["length"]["max"] == 5
    assert facts["tokens"] == pairs.manifest.totals["tokens"]


def test_the_page_has_labels_and_pairs(tmp_path, pairs, texts):
    html = page(tmp_path, pairs, texts)
    assert '<a href="#labels">Labels</a>' in html
    for shown in ("negative", "Labels of set 2", "Attempts of augment of set 1", "second three"):
        assert shown in html
    assert page(tmp_path, texts).count("no ids") > 0


def test_a_page_without_labels_has_no_such_section(tmp_path):
    html = page(tmp_path, make_labelled(tmp_path / "plain", {"input_ids": ids(4)}))
    assert "#labels" not in html


def test_hostile_names_are_text_everywhere(tmp_path):
    found = make_labelled(
        tmp_path / "evil", {"input_ids": ids(2), "text": ["", ""], "label": [0, 1]}, names=EVIL
    )
    assert "<script>" not in page(tmp_path, found)
    for shown in (
        inspected(found, spelt),
        compared(found),
        card(found.manifest, None, row_facts(found)),
    ):
        assert "\x1b[2J" not in shown
    assert "[red]x" in inspected(found, spelt)
    assert "<script>" not in card(found.manifest, None, row_facts(found))


def test_the_card_has_a_table_of_classes(pairs):
    text = card(pairs.manifest, None, row_facts(pairs)).replace("\u00a0", " ")
    assert "## Labels\n\n| label | rows | of all rows |\n| --- | ---: | ---: |\n" in text
    assert "| positive | 1 | 33.3 % |" in text
    assert "| no label | 1 | 33.3 % |" in text
    assert "## Words by tag" in text
    assert "10 rows became 3.6 times as many." in text
    assert '- "text-classification"' in text
    assert "token ids, text, second text and labels" in text
    assert "`_tables/augment.json`: what came of each attempt" in text


def test_a_card_without_counts_says_nothing_of_them(pairs):
    assert "## Labels" not in card(pairs.manifest, None)


def test_croissant_names_the_codes(pairs):
    rows, label, pos = croissant(pairs.manifest, pairs.schema, None)["recordSet"]
    field = {f["name"]: f for f in rows["field"]}
    assert field["label"]["dataType"] == ["sc:Integer", "cr:Label"]
    assert field["label"]["references"] == {"field": {"@id": "label_names/code"}}
    assert field["pos"]["references"] == {"field": {"@id": "pos_names/code"}}
    assert label["data"][1] == {"label_names/code": 1, "label_names/name": "positive"}
    assert (label["dataType"], pos["@id"]) == ("sc:Enumeration", "pos_names")
