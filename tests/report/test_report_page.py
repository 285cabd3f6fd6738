from __future__ import annotations

import dataclasses
import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_reading import check_safe
from report_sets import ORIGIN, as_parent, measured, thesis_sets, write_examples, write_rows

from transferset.errors import SetError, TransfersetError, UsageError
from transferset.report.examples import MOST_PIECES, examples
from transferset.report.page import write_report
from transferset.shards import ShardSet


@pytest.fixture(scope="module")
def thesis(tmp_path_factory) -> list[ShardSet]:
    return thesis_sets(tmp_path_factory.mktemp("thesis"))


@pytest.fixture(scope="module")
def known(thesis) -> dict[str, list]:
    return measured(thesis)


@pytest.fixture(scope="module")
def page(thesis, known, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "report.html"
    assert write_report(thesis, out, **known) == out
    return check_safe(out.read_text("utf-8"))


def rows_of(text: str, title: str) -> dict[str, list[str]]:
    """Cells of a table by the name in their row."""
    table = text.split(title)[1].split("</table>")[0]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]:
        cells = [re.sub("<[^>]*>", "", c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        found[cells[0].split("\u00a0")[-1]] = cells[1:]
    return found


def plain(cells: list[str]) -> list[str]:
    return [cell.replace("\u00a0", " ") for cell in cells]


def test_the_page_answers_what_where_from_how_much_what_is_missing_and_whose(page):
    for heading in ("The sets", "Where they come from", "Size and composition", "What was left out",
                    "Lengths and frequencies", "Example rows", "Licence and sources"):  # fmt: skip
        assert heading in page.text
    assert "From set\u00a02: tokens of each row shuffled. Seed\u00a07." in page.text
    assert "Compared with set\u00a02: exactly the same token frequencies" in page.text
    assert ORIGIN["url"] in page.text
    assert "SHA-1 " + "ab" * 20 in page.text
    assert "CC BY-SA 4.0" in page.text


def test_tables_of_the_thesis_have_the_sets_numbers(thesis, known, tmp_path):
    out = tmp_path / "r.html"
    write_report(thesis, out, **known)
    text = out.read_text("utf-8")
    tokens = [one.manifest.totals["tokens"] for one in thesis]
    size = rows_of(text, "as in Table 5.1")
    assert plain(size["corpus"])[:4] == ["2,000", "–", f"{tokens[0]:,}", "–"]
    assert plain(size["natural-10"])[:3] == ["200", "10.0 %", f"{tokens[1]:,}"]
    assert plain(size["shuffled-10"])[:4] == ["200", "100 %", f"{tokens[1]:,}", "100 %"]
    composition = rows_of(text, "as in Table 5.4")
    assert composition["shuffled-10"][6] == "0"  # the same tokens in another order
    assert composition["natural-10"][8].startswith("100")  # a sample has only its parent's bigrams
    # statistics of the build: 3 sentences of 10 words and 1 of 20
    words = rows_of(text, "as in Table 4.4")
    assert plain(words["corpus"])[:6] == ["2.6 MB", "103", "4", "50", "12.5", "10"]
    assert plain(words["natural-10"])[:6] == ["–"] * 6


def test_arrow_bytes_are_called_what_they_are(page, thesis):
    assert "not comparable with the sizes in the thesis" in page.text
    assert "Arrow files" in page.text


def test_ancestors_of_a_lone_set_bring_their_ledgers(thesis, known, tmp_path):
    out = tmp_path / "r.html"
    write_report(thesis[1:2], out, **{key: value[1:2] for key, value in known.items()})
    text = check_safe(out.read_text("utf-8")).text
    assert "below min len" in text  # dropped when the corpus was built
    assert "1,800 rows90.0\u00a0%" in text  # not sampled, of the 2,000 rows of the corpus


def test_rows_stand_before_and_after_each_step(page):
    assert "Row 17 of the parent" in page.text
    assert "&lt;script&gt;" not in page.text  # escaped once, not twice
    assert "<script>alert(1)</script>" in page.text
    assert "\\x1b[2J" in page.text


def test_the_same_sets_give_the_same_bytes(thesis, known, tmp_path):
    outs = [tmp_path / name for name in ("a.html", "b.html")]
    for out in outs:
        write_report(thesis, out, **known)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert str(tmp_path.parent.parent).encode() not in outs[0].read_bytes()  # no place of ours


def test_accessible_as_far_as_markup_tells(page):
    assert page.named("html")[0]["lang"] == "en"
    assert all({"scope"} <= set(cell) for cell in page.named("th"))
    assert len(page.named("title")) == 1 + len(page.named("svg"))
    assert len(page.named("desc")) == len(page.named("svg"))
    assert all(image["role"] == "img" for image in page.named("svg"))
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    hrefs = [a["href"] for a in page.named("a")]
    assert {h[1:] for h in hrefs if h.startswith("#")} <= set(page.ids)


def test_the_policy_forbids_everything_but_our_own_style(page):
    (policy,) = [m["content"] for m in page.named("meta") if m.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


# what is not overwritten


def test_an_older_report_is_replaced_and_nothing_else(thesis, known, tmp_path):
    out = tmp_path / "report.html"
    write_report(thesis, out, **known)
    whole = out.read_bytes()
    one = {key: value[:1] for key, value in known.items()}
    write_report(thesis[:1], out, **one)
    assert out.read_bytes() != whole
    out.write_text("<!doctype html><p>mine, though it quotes: " + " " * 300 + "transferset report")
    with pytest.raises(UsageError, match="an older report"):
        write_report(thesis[:1], out, **one)
    assert out.read_text().startswith("<!doctype html><p>mine")


def test_a_directory_is_no_file(thesis, known, tmp_path):
    with pytest.raises(UsageError, match="found no file"):
        write_report(thesis, tmp_path, **known)


def test_nothing_is_written_where_a_figure_of_the_users_would_be_replaced(thesis, known, tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "tokens.svg").write_text("<svg/>")
    with pytest.raises(UsageError, match=r"tokens\.svg"):
        write_report(thesis, tmp_path / "r.html", figures=tmp_path / "figures", **known)
    assert [p.name for p in tmp_path.rglob("*.*")] == ["tokens.svg"]


def test_a_place_that_does_not_exist_is_one_sentence(thesis, known, tmp_path):
    with pytest.raises(TransfersetError, match="expected a writable output"):
        write_report(thesis, tmp_path / "no" / "r.html", **known)


def test_no_sets_no_report(tmp_path):
    with pytest.raises(UsageError):
        write_report([], tmp_path / "r.html", measures=[], stats=[], decode=[])


def test_a_set_named_twice_is_refused(thesis, known, tmp_path):
    twice = {key: value[:1] * 2 for key, value in known.items()}
    with pytest.raises(UsageError, match="each set once"):
        write_report(thesis[:1] * 2, tmp_path / "r.html", **twice)


# examples


def with_examples(root: Path, rows: object) -> ShardSet:
    one = write_rows(root / "set", [[2, 9, 8, 3], [2, 3]])
    entry = write_examples(one.root, rows if isinstance(rows, bytes) else {"rows": rows})
    return ShardSet(one.root, replace(one.manifest, files=[entry]))


def report_of(one: ShardSet, tmp_path: Path, **known: object) -> str:
    out = tmp_path / "r.html"
    write_report([one], out, **{**measured([one]), **known})
    return check_safe(out.read_text("utf-8")).text


def test_changed_pieces_are_marked_and_moved_ones_are_not(tmp_path):
    steps = [
        {"step": "source", "input_ids": [2, 9, 8, 3]},
        {"step": "mask", "input_ids": [2, 4, 8, 3]},
        {"step": "shuffle", "input_ids": [2, 8, 4, 3]},
        {"step": "lengths", "input_ids": [2, 8, 4, 3]},
        {"step": "filter", "input_ids": None},
    ]
    one = with_examples(tmp_path, [{"parent_row": 4, "copy": 1, "steps": steps}])
    out = tmp_path / "r.html"
    write_report([one], out, **measured([one]))
    text = out.read_text("utf-8")
    assert re.findall("<mark>(.*?)</mark>", text) == ["[MASK]"]
    told = check_safe(text).text
    assert "Row 4 of the parent, copy 1" in told
    assert "lengthsas before" in told
    assert "filterno longer there" in told


def test_generated_rows_were_not_there_before(tmp_path):
    steps = [
        {"step": "source", "input_ids": None}, {"step": "generate", "input_ids": [2, 9, 3]},
    ]  # fmt: skip
    told = report_of(
        with_examples(tmp_path, [{"parent_row": 4, "copy": 0, "steps": steps}]), tmp_path
    )
    assert "New row 4beforenot there yetgenerate[CLS] piece9 [SEP]" in told


def test_examples_without_any_ids_give_way_to_the_first_rows(tmp_path):
    steps = [{"step": "source", "input_ids": None}]
    told = report_of(
        with_examples(tmp_path, [{"parent_row": 4, "copy": 0, "steps": steps}]), tmp_path
    )
    assert "Row 0[CLS] piece9 piece8 [SEP]Row 1[CLS] [SEP]" in told


def test_without_a_tokenizer_rows_are_ids(tmp_path):
    one = write_rows(tmp_path / "set", [[2, 9, 3]])
    assert "Row 02 9 3" in report_of(one, tmp_path, decode=[None])


def test_long_rows_are_cut_with_their_length(tmp_path):
    one = write_rows(tmp_path / "set", [[2, *[9] * 5000, 3]])
    told = report_of(one, tmp_path)
    assert f"… and {5002 - MOST_PIECES:,} more" in told
    assert told.count("piece9") == MOST_PIECES - 1


@pytest.mark.parametrize(
    "rows",
    [
        b"{", b"\xff", b"[" * 100_000, b'{"rows": 7}', b'{"rows": [{}]}',
        b'{"rows": [], "more": 1}',
        [{"parent_row": -1, "copy": 0, "steps": []}],
        [{"parent_row": 0, "copy": 0, "steps": [{"step": "x", "input_ids": [1.5]}]}],
        [{"parent_row": 0, "copy": 0, "steps": [{"step": "x", "input_ids": [1000]}]}],  # vocabulary
    ],
)  # fmt: skip
def test_damaged_examples_are_named(tmp_path, rows):
    with pytest.raises(SetError, match=r"examples\.json"):
        examples(with_examples(tmp_path, rows))


def test_examples_changed_after_the_set_was_made_are_named(tmp_path):
    one = with_examples(tmp_path, [])
    (one.root / "_tables" / "examples.json").write_text('{"rows": [ ]}')
    with pytest.raises(SetError, match="other bytes than its manifest says"):
        examples(one)


def test_a_file_that_the_manifest_does_not_list_is_not_read(tmp_path):
    one = write_rows(tmp_path / "set", [[2, 9, 3]])
    write_examples(one.root, b"{")
    assert len(examples(one)) == 1


# hostile manifests

EVIL = [
    "<script>alert(1)</script>",
    "</style></svg></title><img src=x onerror=alert(1)>",
    "x" * 1_000_000,
    "\u202e\x00\x1b[2J\ud7ff\ufeff\u2028\n<!--",
    "]]></desc><a xlink:href='javascript:alert(1)'>",
    "\u0301" * 500,
    "𒐫" * 200,
    "",
]


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_names_licences_and_addresses_of_any_kind_are_only_text(tmp_path, evil):
    corpus = write_rows(
        tmp_path / "a", [[2, 9, 3]] * 3, name=evil, licence=evil, op=evil,
        sources=[{**ORIGIN, "file": evil, "url": evil, "language": evil, "licence": evil,
                  "published": {"sha256": evil}}],
        ledger=[{"reason": evil, "unit": evil, "count": 3}],
        params={"steps": [{evil: {evil: evil}}, evil, {"filter": {"expression": evil}}]},
        tokenizer={"name": evil, "sha256": evil, "vocab_size": 1000,
                   "special_ids": {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}},
    )  # fmt: skip
    child = write_rows(tmp_path / "b", [[2, 9, 3]], parents=[as_parent(corpus)], name=evil)
    sets = [corpus, child]
    known = measured(sets)
    known["decode"] = [lambda ids: ([evil] * len(ids), evil)] * 2
    out = tmp_path / "r.html"
    write_report(sets, out, figures=tmp_path / "f", **known)
    check_safe(out.read_text("utf-8"))
    assert out.stat().st_size < 300_000


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "HTTPS://x\n", " https:x"]
)
def test_only_web_addresses_become_links(tmp_path, url):
    one = write_rows(tmp_path / "set", [[2, 9, 3]], sources=[{**ORIGIN, "url": url}])
    report_of(one, tmp_path)
    assert f'href="{url}' not in (tmp_path / "r.html").read_text("utf-8")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


MEMBERS = dict.fromkeys(
    ("digest", "op", "params", "totals", "ledger", "sources", "parents", "role"), PLAIN
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parents=st.lists(st.fixed_dictionaries({"name": st.text()}, optional=MEMBERS), max_size=3),
    params=st.dictionaries(st.sampled_from(["steps", "counts", "max_len"]), PLAIN),
    licence=st.text(), name=st.text(), op=st.text() | st.just("mix"),
)  # fmt: skip
def test_any_manifest_that_opens_gives_a_page(thesis, known, tmp_path, parents, params, **texts):
    manifest = replace(thesis[0].manifest, parents=parents, params=params, **texts)

    class Undigested(type(manifest)):
        digest = property(lambda self: "of itself")

    fields = {one.name: getattr(manifest, one.name) for one in dataclasses.fields(manifest)}
    one = ShardSet(thesis[0].root, Undigested(**fields))
    out = tmp_path / "r.html"
    write_report([one], out, **{key: value[:1] for key, value in known.items()})
    check_safe(out.read_text("utf-8"))


def test_sets_without_a_content_token_are_reported(tmp_path):
    one = write_rows(tmp_path / "set", [[2, 3], [2, 3]])
    told = report_of(one, tmp_path)
    assert "tokens a row2.0" in told
    assert "Cumulative distribution of sequence lengths" in told


def test_sets_of_two_vocabularies_stand_beside_each_other(tmp_path):
    other = {
        "name": "other", "sha256": "1" * 64, "vocab_size": 500,
        "special_ids": {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4},
    }  # fmt: skip
    sets = [
        write_rows(tmp_path / "a", [[2, 9, 3]]),
        write_rows(tmp_path / "b", [[2, 9, 3]], tokenizer=other),
    ]
    out = tmp_path / "r.html"
    write_report(sets, out, **measured(sets))
    told = check_safe(out.read_text("utf-8")).text
    assert "vocabulary other (500 pieces) and toy (1,000 pieces)" in told


def test_thirty_sets_fit_a_page(tmp_path):
    sets = [write_rows(tmp_path / f"set-{i}", [[2, *[9] * (i + 1), 3]]) for i in range(30)]
    out = tmp_path / "r.html"
    write_report(sets, out, **measured(sets))
    told = check_safe(out.read_text("utf-8")).text
    assert all(f"set-{i}" in told for i in range(30))
    assert told.count("tokens a row") == 30 + 1  # and the head of a table
