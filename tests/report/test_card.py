from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from card_sets import MIXED, TABLE, composite, documents_of, manifest, statistics
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt
from report_sets import ORIGIN, as_parent

import transferset
from transferset import documents, schema
from transferset.ledger import UNIT, WHY, Reason
from transferset.manifest import FileEntry, Json, Manifest
from transferset.report.card import card
from transferset.report.card_columns import DOCUMENT_MEANINGS, MEANINGS
from transferset.report.card_header import size_category
from transferset.report.document_counts import count_documents
from transferset.report.markdown import code, link, md
from transferset.shards import ShardSet

AUSTEN = {"author": "Austen, Jane", "licence": "Public domain in the USA.", "language": "en"}
BOOKS = documents_of(
    *({**AUSTEN, "source": 1, "doc_id": i, "rows": 100, "retrieved": f"2026-11-0{i}"}
      for i in (1, 2, 3)),
    {"source": 1, "doc_id": 4, "author": "Anne, A", "licence": "CC0-1.0", "rows": 50},
    {"source": 0, "doc_id": 5, "licence": "CC BY-SA 4.0", "language": "de-AT", "rows": 650},
)  # fmt: skip


def data(text: str) -> dict[str, object]:
    return {k: v for k, v in DatasetCard(text).data.to_dict().items() if v is not None}


def rendered(text: str):
    """Tokens of the card as a reader of CommonMark with tables and HTML sees it."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(DatasetCard(text).text)


def headings(text: str) -> list[str]:
    tokens = rendered(text)
    return [tokens[i + 1].content for i, one in enumerate(tokens) if one.type == "heading_open"]


def cells_of(text: str, title: str) -> list[list[str]]:
    """Rows of the first table below a heading, as they read."""
    tokens, rows, below = rendered(text), [], False
    for i, one in enumerate(tokens):
        if one.type == "heading_open":
            if rows:
                break
            below = tokens[i + 1].content == title
        elif below and one.type == "tr_open":
            rows.append([])
        elif below and one.type == "inline" and tokens[i - 1].type in ("th_open", "td_open"):
            rows[-1].append("".join(child.content for child in one.children))
        elif rows and one.type == "table_close":
            break
    return rows


def plain(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.replace("\u00a0", " ") for cell in row] for row in rows]


def test_the_head_is_what_the_hub_reads():
    of = manifest(statistics=[statistics([[2, 1]])])
    assert data(card(of, None)) == {
        "pretty_name": "corpus",
        "language": ["en"],
        "license": "cc-by-sa-4.0",
        "size_categories": ["1K<n<10K"],
        "task_categories": ["fill-mask"],
        "tags": ["transferset", "knowledge-distillation", "language-modeling"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "data-*.arrow"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC BY-SA 4.0 and GFDL", {"license": ["cc-by-sa-4.0", "gfdl"]}),
        ("CC0-1.0 AND CC BY-SA 4.0", {"license": ["cc0-1.0", "cc-by-sa-4.0"]}),
        ("unknown", {"license": "unknown"}),
        ("", {"license": "unknown"}),
        (
            "Public domain in the USA.",
            {"license": "other", "license_name": "public-domain-in-the-usa"},
        ),
        ("CC0 AND unknown", {"license": "other", "license_name": "cc0-and-unknown"}),
        ("№ ] : {", {"license": "other", "license_name": "other"}),
    ],
)
def test_the_licence_is_one_that_the_hub_knows_or_other(licence, expected):
    found = data(card(manifest(licence=licence), None))
    assert {k: v for k, v in found.items() if k.startswith("license")} == expected


def test_documents_that_all_state_a_licence_make_an_unknown_one_of_the_set_known():
    of, stated = manifest(licence="unknown"), documents_of({"licence": "CC0-1.0", "rows": 9})
    assert data(card(of, [stated]))["license"] == "cc0-1.0"
    silent = documents_of({"licence": "CC0-1.0", "rows": 9}, {"rows": 1})
    assert data(card(of, [silent]))["license_name"] == "unknown-and-cc0-1.0"


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (9999, "1K<n<10K"), (10**8, "100M<n<1B"),
        (10**12 - 1, "100B<n<1T"), (10**12, "n>1T"), (1 << 62, "n>1T"),
    ],
)  # fmt: skip
def test_size_categories(rows, category):
    assert size_category(rows) == category


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["en-GB", "de_AT", "EN"], ["de", "en"]),
        (["simple", "", "und", "x", "zh-min-nan"], ["zh"]),
        (["simple"], None),
    ],
)
def test_languages_are_iso_codes(codes, expected):
    sources = [{**ORIGIN, "language": one} for one in codes]
    assert data(card(manifest(sources=sources), None)).get("language") == expected


def test_a_split_goes_by_its_name():
    of = manifest(params={"max_len": None, "split": "validation"})
    assert data(card(of, None))["configs"][0]["data_files"][0]["split"] == "validation"
    evil = manifest(params={"max_len": None, "split": 'x"\n  path: /etc'})
    assert data(card(evil, None))["configs"][0]["data_files"][0]["split"] == "train"


def test_all_columns_have_a_meaning():
    assert set(schema.COLUMNS) == set(MEANINGS)
    assert set(documents.MIXED.names) == set(DOCUMENT_MEANINGS)


def test_licences_authors_and_languages_are_counted():
    text = card(manifest(files=(TABLE,)), [BOOKS])
    head = ["documents", "rows", "of all rows"]
    assert plain(cells_of(text, "Licences")) == [
        ["licence", *head],
        ["CC BY-SA 4.0", "1", "650", "65.0 %"],
        ["Public domain in the USA.", "3", "300", "30.0 %"],
        ["CC0-1.0", "1", "50", "5.00 %"],
    ]
    assert plain(cells_of(text, "Authors")) == [
        ["author", *head],
        ["Austen, Jane", "3", "300", "30.0 %"],
        ["Anne, A", "1", "50", "5.00 %"],
        ["not stated", "1", "650", "65.0 %"],
    ]
    assert plain(cells_of(text, "Languages")) == [
        ["language", *head],
        ["de-AT", "1", "650", "65.0 %"],
        ["en", "3", "300", "30.0 %"],
        ["not stated", "1", "50", "5.00 %"],
    ]
    assert "Documents were retrieved from 2026-11-01 to 2026-11-03." in text
    assert "No author is stated for 1 document (65.0\u00a0% of the rows)." in text
    assert data(text)["language"] == ["de", "en"]


def test_only_the_ten_authors_with_most_rows_are_named():
    many = documents_of(*({"author": f"A{i:02}", "rows": i} for i in range(1, 31)))
    rows = plain(cells_of(card(manifest(), [many]), "Authors"))
    assert [row[0] for row in rows[1:11]] == [f"A{i:02}" for i in range(30, 20, -1)]
    assert rows[11:] == [["20 others", "20", "210", "21.0 %"]]  # 1 + … + 20


def test_rows_without_a_document_are_counted():
    text = card(manifest(), [documents_of({"licence": "CC0-1.0", "rows": 900})])
    assert "100 rows are of no document in the table (10.0\u00a0%)." in text


def test_what_licences_ask_for_is_said():
    text = card(manifest(licence="CC0-1.0"), None)
    assert "Attribution:" not in text
    text = card(manifest(licence="CC0-1.0"), [documents_of({"licence": "CC BY-NC 4.0"})])
    assert "Attribution: name the authors" in text
    assert "Non-commercial:" in text
    assert "Share-alike:" not in text
    assert "Share-alike:" in card(manifest(), None)
    assert "state it: Public domain." in card(manifest(licence="Public domain."), None)


def test_rows_lead_to_their_authors():
    base = {"base": "https://en.wikipedia.org/wiki/Main_Page"}
    text = card(manifest(sources=[{**ORIGIN, **base}], files=(TABLE,)), None)
    assert "`https://en.wikipedia.org/w/index.php?oldid=REV_ID`" in text
    assert "`_tables/documents.arrow` has title, author, licence" in text
    assert "wikipedia" in data(text)["tags"]
    generated = {"schema": {"input_ids": "list<uint16>"}}
    assert "do not say which document" in card(manifest(**generated), None)


@pytest.mark.parametrize(
    "base",
    ["https://en.wikipedia.org.evil.example/", "https://`x`.wikipedia.org/", "https://[", 7, None],
)
def test_addresses_are_made_for_wikimedia_only(base):
    assert "oldid=" not in card(manifest(sources=[{**ORIGIN, "base": base}]), None)


def test_the_ledger_says_what_was_dropped_and_why():
    ledger = [{"reason": str(r), "unit": UNIT[r], "count": 1000} for r in Reason]
    of = manifest(ledger=ledger, totals={**manifest().totals, "documents": 40})
    rows = plain(cells_of(card(of, None), "What was left out"))
    assert len(rows) == len(Reason) + 1
    for row, reason in zip(rows[1:], Reason, strict=True):
        assert row[0] == f"{reason.replace('_', ' ')}: {WHY[reason]}"
        assert row[1] == f"1,000 {UNIT[reason]}"


def test_a_derived_set_tells_its_steps_and_what_its_ancestors_left_out():
    parent = parent_of(manifest(ledger=[{"reason": "redirect", "unit": "pages", "count": 9}]))
    steps = [
        {"sample": {"size": "10%", "by": "rows", "with_replacement": False}},
        {"shuffle": {"words": True, "window": None}},
    ]
    of = manifest(
        op="derive", name="tenth", params={"max_len": 128, "steps": steps}, parents=[parent],
        ledger=[{"reason": "not_sampled", "unit": "rows", "count": 900}],
    )  # fmt: skip
    text = card(of, None).replace("\u00a0", " ")
    assert "Derived from corpus in these steps." in text
    assert "1. random sample of 10% of the rows\n2. words of each row shuffled" in text
    rows = cells_of(text, "What was left out")
    assert [row[0] for row in rows] == ["from", "this set", "corpus"]
    assert rows[1][2:] == ["900 rows", "90.0 %"]  # of the parent's 1,000
    built = "From corpus: built from the articles of a MediaWiki dump, 1,000 rows, manifest"
    assert f"{built} `{parent['digest']}`" in text
    assert "such rows are not sentences that somebody wrote" in text


def parent_of(of: Manifest, role: str = "source") -> Json:
    return as_parent(ShardSet(Path("/nowhere"), of), role)


def test_a_model_fitted_elsewhere_does_not_make_rows_unnatural():
    noise = parent_of(manifest(op="derive", params={"steps": [{"shuffle": {}}]}), "fit")
    steps = {"max_len": None, "steps": [{"dedupe": {}}]}
    text = card(manifest(op="derive", params=steps, parents=[noise]), None)
    assert "somebody wrote" not in text


SEARCH = "No search for duplicates is recorded"


def test_what_was_not_searched_for_duplicates_is_named():
    wiki = parent_of(manifest(name="wiki"), "part")
    books = parent_of(manifest(name="books", op="build books", params={"dedupe": "near"}), "part")
    assert f"{SEARCH}, neither of documents nor of rows." in card(manifest(), None)
    mixed = composite(parents=[wiki, books])
    assert f"{SEARCH} for rows from wiki, neither" in card(mixed, None)
    assert SEARCH not in card(composite(parents=[books]), None)
    once = {"max_len": None, "steps": [{"dedupe": {}}]}
    clean = manifest(op="derive", params=once, parents=[parent_of(mixed)])
    assert SEARCH not in card(clean, None)  # whatever was before
    kept = manifest(ledger=[{"reason": "duplicate", "unit": "rows", "count": 1}])
    assert SEARCH not in card(kept, None)
    assert f"{SEARCH}," in card(manifest(params={"max_len": 9, "dedupe": "off"}), None)


def test_a_composite_shows_parts_and_the_whole():
    text = card(composite(), None)
    assert plain(cells_of(text, "The text it was built from"))[1:] == [
        ["wiki", "144 B", "3", "4", "24", "6.0", "5"],
        ["books", "114 B", "2", "3", "19", "6.3", "9"],
        ["whole", "258 B", "5", "7", "43", "6.1", "5"],
    ]
    assert plain(cells_of(text, "Parts"))[1:] == [
        ["0", "wiki", "600", "60.0 %"],
        ["1", "books", "400", "40.0 %"],
    ]
    assert "`part`, `source` and `doc_id`" in card(composite(files=(TABLE,)), None)


EVIL = (
    "<script>alert(1)</script>", "a | b | c", "[x](javascript:alert(1))", "![x](http://e.example/x)",
    "x\n# Heading", "--- \n---", "\x1b[2J\u202e\x00", "`code` **bold** ~~no~~ $m$", "&lt;&copy;",
    "http://e.example www.e.example", "<https://e.example>", "# h", "- item", "1. one", "> quote",
    "\\", "\\| \\[x](y)", "[id]: http://e.example", "```", "=====", "x" * 10_000, '"\'{}: &a *b !t',
    "\ud7ff\ufffe", "|", "||", "<!--", "]]>", "*x*", "_x_", "</td></table>",
)  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_texts_are_only_text(evil):
    calm, hostile = (hostile_card(text) for text in ("calm", evil))
    assert headings(hostile)[1:] == headings(calm)[1:]
    assert shape(hostile) == shape(calm)
    for one in rendered(hostile):
        assert one.type != "html_block"
        for child in one.children or ():
            assert child.type not in ("html_inline", "image"), child
            assert child.type != "link_open" or child.attrs["href"] == ORIGIN["url"]
    assert hostile.replace("\n", "").replace("\u00a0", "").isprintable()
    assert len(hostile) < 100_000
    assert data(hostile)["pretty_name"][:20] == DatasetCard(hostile).data.pretty_name[:20]
    assert list(data(hostile)) == list(data(calm))


def hostile_card(text: str) -> str:
    """A card in which a text stands wherever a manifest or a catalogue has its say."""
    source = {**ORIGIN, "file": text, "licence": text, "date": text, "blake3": text, "url": text}
    of = composite(
        name=text, op=text, sources=[ORIGIN, {**source, "published": {}, "code": 1}], recipe=text,
        generator=text, code={text: text}, licence=text, files=(TABLE,),
        params={
            "parts": [text, text], text: text, "steps": [{text: {text: text}}], "max_len": 9,
            "preset": {"name": text, "deviations": [text]},
        },
        parents=[{
            "name": text, "role": "part", "op": text, "digest": text, "licence": text,
            "ledger": [{"reason": text, "unit": text, "count": 3}], "params": {"steps": [text]},
        }],
        schema={**schema.describe(MIXED), text: text},
        tokenizer={**manifest().tokenizer, "name": text, "sha256": text},
        ledger=[{"reason": text, "unit": text, "count": 3}],
    )  # fmt: skip
    every = {"title": text, "author": text, "language": text, "licence": text, "retrieved": text}
    return card(of, [documents_of({**every, "rows": 5}, of=documents.MIXED)])


def shape(text: str) -> list[str]:
    """Blocks of the body, so that no text has made one."""
    return [one.type for one in rendered(text) if one.type != "inline"]


@pytest.mark.parametrize("evil", EVIL)
def test_escaped_text_reads_as_it_was_given(evil):
    tokens = MarkdownIt("commonmark").enable("table").parseInline(md(evil, 20_000))
    (inline,) = tokens
    visible = "".join(c if c.isprintable() else ascii_of(c) for c in evil)
    assert "".join(child.content for child in inline.children).strip() == visible.strip()


def ascii_of(character: str) -> str:
    return character.encode("unicode_escape").decode()


def test_links_lead_to_the_web_only():
    assert link("https://example.org/a?b=1") == "<https://example.org/a?b=1>"
    for other in (
        "javascript:alert(1)",
        "https://e.example/a|b",
        "https://e.example/<",
        "http://a b",
    ):
        assert not link(other).startswith("<")
    assert code("ab:1.0") == "`ab:1.0`"
    assert code("a`b") == "a\\`b"


def test_the_same_set_has_the_same_card_however_its_documents_arrive():
    of = manifest(files=(TABLE,))
    whole = card(of, [BOOKS])
    assert card(of, (BOOKS.slice(i, 1) for i in range(len(BOOKS)))) == whole
    assert card(of, count_documents([BOOKS])) == whole
    listed = replace(of, files=(*of.files, FileEntry("README.md", 1, "0" * 64)))
    assert card(listed, [BOOKS]) == whole


def test_documents_are_read_once_and_not_kept():
    batch = documents_of(*[{"rows": 1}] * 1000)

    def stream():
        for i in range(300):
            authors = pa.array([f"author {i} {k}" for k in range(1000)])
            yield batch.set_column(batch.schema.get_field_index("author"), "author", authors)

    counts = count_documents(stream())
    assert (counts.documents, counts.rows) == (300_000, 300_000)
    assert counts.authors.distinct <= 1 << 15
    text = card(manifest(totals={**manifest().totals, "rows": 300_000}), counts)
    assert "There are too many to count each" in text
    assert "*others*" in text


def test_huge_counts_are_shown():
    most = (1 << 63) - 1
    totals = dict.fromkeys(("rows", "tokens", "content_tokens", "bytes", "documents"), most)
    text = card(manifest(totals=totals, statistics=[statistics([[9, most]])]), None)
    assert "9,223,372,036,854,775,807" in text
    assert data(text)["size_categories"] == ["n>1T"]


def test_very_many_sources_parts_ancestors_stay_bounded():
    parents = []
    for i in range(200):
        parents = [{"name": f"p{i}", "digest": str(i), "role": "source", "parents": parents}]
    of = composite(
        sources=[{**ORIGIN, "code": i} for i in range(5000)], parents=parents,
        params={"parts": [str(i) for i in range(5000)], "max_len": None},
    )  # fmt: skip
    text = card(of, None)
    assert "4,900 more sources stand in `manifest.json`." in text
    assert "4,800 more parts stand in `manifest.json`." in text
    assert "180 farther ancestors stand in `manifest.json`" in text
    assert len(text) < 100_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The packaged sample, half of it shuffled, and both mixed."""
    root = tmp_path_factory.mktemp("demo")
    wiki = transferset.build_wiki("demo", root / "wiki")
    steps = [transferset.Sample("50%"), transferset.Shuffle()]
    half = transferset.derive(wiki.root, root / "half", steps=steps, seed=7)
    return {"wiki": wiki, "half": half, "both": transferset.mix([wiki.root, half.root], root / "b")}


@pytest.mark.parametrize("name", ["wiki", "half", "both"])
def test_sets_as_they_are_built_have_a_card(demo, name):
    found = demo[name]
    text = card(found.manifest, documents.read_documents(found.root, found.manifest))
    assert data(text)["license"] == "cc0-1.0"
    assert data(text)["language"] == ["en"]
    assert f"{len(found):,} rows of token ids" in text
    assert plain(cells_of(text, "Licences"))[1][2:] == [f"{len(found):,}", "100 %"]
    for part in ("Columns", "Numbers", "Sources", "What was left out", "Known limits"):
        assert part in headings(text)
    assert str(found.root.parent) not in text
    assert not re.search(r"^ |\n{3}|\|\|", DatasetCard(text).text, re.M)
