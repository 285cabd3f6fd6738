from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from corpus import articles
from hypothesis import given
from hypothesis import strategies as st
from making_dumps import export, page, parsed
from tokenizers import Tokenizer
from web_server import serving

import transferset
from transferset.errors import InputError, SetError, TransfersetError, UsageError
from transferset.pipeline import order, rows, spill
from transferset.sentences import get_splitter
from transferset.shards import ShardSet
from transferset.sources import dump as dump_module
from transferset.text.wikitext import WikitextCleaner


@pytest.fixture(scope="session")
def build(tokenizer, tmp_path_factory):
    """Builds in this process, into a new directory, with the small tokenizer."""

    def build(source: Path, out: Path | None = None, **options) -> ShardSet:
        out = out or tmp_path_factory.mktemp("built") / "set"
        options = {"tokenizer": str(tokenizer), "workers": 1, **options}
        return transferset.build_wiki(source, out, **options)

    return build


@pytest.fixture(scope="session")
def built(build, dumps) -> ShardSet:
    return build(dumps["single"], keep_text=True)


@pytest.fixture
def small_parts(monkeypatch):
    """Cut dumps into parts of a few thousand bytes, so that small ones have many."""

    def small(size: int) -> None:
        monkeypatch.setattr(dump_module, "_BZIP2_PART", size)
        monkeypatch.setattr(dump_module, "_PLAIN_PART", size)

    return small


def table(found: ShardSet) -> pa.Table:
    return pa.Table.from_batches(list(found.batches()))


def shard_digests(found: ShardSet) -> list[str]:
    return [shard.blake3 for shard in found.manifest.shards]


# What the rows are: worked out a second time, row by row, without the pipeline.


def expected_rows(
    dump: Path, tokenizer: Path
) -> Counter[tuple[int, int, int, str, tuple[int, ...]]]:
    oracle = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    namespaces = {"": 0, "Special": -1, "Talk": 1, "Template": 10}
    cleaner = WikitextCleaner(language="en", namespaces=namespaces)
    splitter = get_splitter(None, "en")
    found = []
    for one in parsed(dump.read_bytes()):
        passages = cleaner.clean(one.text, one.title)
        texts = [text for passage in passages for text in splitter.split(passage)]
        found += [
            (one.doc_id, one.rev_id, n, text, tuple(oracle.encode(text).ids))
            for n, text in enumerate(texts)
        ]
    return Counter(found)


def test_the_set_holds_every_sentence_of_every_article_once(built, dumps, tokenizer):
    found = Counter(
        (r["doc_id"], r["rev_id"], r["sentence"], r["text"], tuple(r["input_ids"]))
        for r in table(built).to_pylist()
    )
    expected = expected_rows(dumps["plain"], tokenizer)
    assert len(expected) > 1000
    assert found == expected


def test_rows_lead_back_to_their_page(built):
    texts = articles(120)
    for row in built.rows(range(0, len(built), 97)).to_pylist():
        assert row["rev_id"] == row["doc_id"] + 1000
        last = row["text"].split()[-1].strip(".!?")
        assert last == "mi)" or last in texts[row["doc_id"] - 10]  # (20 mi): from a template


def test_the_order_is_shuffled_and_depends_on_the_seed(built, build, dumps):
    def order_of(found):
        columns = table(found).select(["doc_id", "sentence"]).to_pydict()
        return list(zip(columns["doc_id"], columns["sentence"], strict=True))

    other = build(dumps["single"], seed=1)
    assert sorted(order_of(built)) == sorted(order_of(other))
    assert order_of(built) != order_of(other)
    # neighbours in the source are no neighbours here, beyond chance
    documents = [doc for doc, _ in order_of(built)]
    near = sum(a == b for a, b in itertools.pairwise(documents))
    assert near < 3 * len(documents) / 120


def test_without_shuffle_rows_keep_the_order_of_the_source(build, dumps):
    found = table(build(dumps["multi"], shuffle=False))
    order_of = list(zip(found["doc_id"].to_pylist(), found["sentence"].to_pylist(), strict=True))
    assert order_of == sorted(order_of)


# Guarantee 1: same recipe, same bytes.


def test_bytes_do_not_depend_on_how_the_dump_is_stored_or_cut(build, built, dumps, small_parts):
    for kind, size in [("single", 3000), ("multi", 5000), ("plain", 7000), ("multi", 1 << 20)]:
        small_parts(size)
        again = build(dumps[kind], keep_text=True)
        assert shard_digests(again) == shard_digests(built), (kind, size)


def test_bytes_do_not_depend_on_the_order_that_no_shuffle_keeps_being_cut(
    build, dumps, small_parts
):
    whole = build(dumps["plain"], shuffle=False, shards=3)
    small_parts(4000)
    cut = build(dumps["single"], shuffle=False, shards=3)
    assert shard_digests(whole) == shard_digests(cut)


def test_the_whole_set_is_the_same_at_any_number_of_workers(build, dumps, small_parts, tmp_path):
    small_parts(4000)
    options = {"keep_text": True, "shards": 3}
    one = build(dumps["multi"], tmp_path / "one", **options)
    many = build(dumps["multi"], tmp_path / "many", workers=3, **options)
    names = sorted(p.name for p in one.root.iterdir() if p.is_file())
    assert "manifest.json" in names
    for name in names:
        assert (one.root / name).read_bytes() == (many.root / name).read_bytes(), name


@pytest.mark.parametrize("flush", [1, 100])
def test_bytes_do_not_depend_on_batch_sizes(build, built, dumps, monkeypatch, flush):
    monkeypatch.setattr(rows, "FLUSH_ROWS", flush)
    monkeypatch.setattr(spill, "PORTION", flush)
    monkeypatch.setattr(order, "SORT_BYTES", flush * 1000)
    assert shard_digests(build(dumps["single"], keep_text=True)) == shard_digests(built)


def test_shards_hold_the_same_rows_however_many_they_are(build, built, dumps):
    many = build(dumps["single"], keep_text=True, shards=7)
    assert len(many.manifest.shards) == 7
    assert table(many).equals(table(built))
    unshuffled = build(dumps["single"], shuffle=False, shards=7)
    sizes = [shard.rows for shard in unshuffled.manifest.shards]
    assert max(sizes) - min(sizes) <= 1


# Options.


def test_a_long_sentence_becomes_near_equal_rows_and_no_token_is_lost(build, built, dumps):
    short = build(dumps["single"], max_len=12, keep_text=True, shuffle=False)
    lengths = [len(ids) for ids in table(short)["input_ids"].to_pylist()]
    assert max(lengths) <= 12
    content = lambda found: sum(len(i) - 2 for i in table(found)["input_ids"].to_pylist())  # noqa: E731
    assert content(short) == content(built)
    characters = lambda found: Counter("".join("".join(table(found)["text"].to_pylist()).split()))  # noqa: E731
    assert characters(short) == characters(built)
    numbers: dict[int, list[int]] = {}
    for row in table(short).to_pylist():
        numbers.setdefault(row["doc_id"], []).append(row["sentence"])
    assert all(n == list(range(len(n))) for n in numbers.values())


@given(st.lists(st.sampled_from(["a", "bb", " ", "ccc ", "dddd "]), max_size=60).map("".join))
def test_what_no_splitter_could_cut_is_cut_at_white_space(text):
    text = text.strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "LONGEST", 10)
        parts = spill.shorter(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= 10 and part == part.strip() for part in parts if text)
    if all(len(word) <= 10 for word in text.split()):
        assert " ".join(parts).split() == text.split()


def test_min_len_drops_rows_and_counts_them(build, built, dumps):
    found = build(dumps["single"], min_len=15)
    lengths = [len(ids) for ids in table(built)["input_ids"].to_pylist()]
    assert len(found) == sum(n >= 15 for n in lengths)
    entry = next(e for e in found.manifest.ledger if e["reason"] == "below_min_len")
    assert entry["count"] == sum(n < 15 for n in lengths)


def test_documents_stay_whole_when_asked(build, built, dumps):
    found = build(dumps["single"], unit="document", keep_text=True)
    assert len(found) == 120
    by_page = {r["doc_id"]: r["text"] for r in table(found).to_pylist()}
    joined: dict[int, dict[int, str]] = {}
    for row in table(built).to_pylist():
        joined.setdefault(row["doc_id"], {})[row["sentence"]] = row["text"]
    for doc, texts in joined.items():
        assert by_page[doc].split() == " ".join(texts[n] for n in sorted(texts)).split()
    assert max(len(ids) for ids in table(found)["input_ids"].to_pylist()) > 100


@pytest.mark.parametrize("limit", [1, 17, 120, 1000])
def test_limit_takes_the_first_articles_however_the_dump_is_cut(
    build, built, dumps, small_parts, limit
):
    first = build(dumps["plain"], limit=limit)
    assert set(table(first)["doc_id"].to_pylist()) == set(range(10, 10 + min(limit, 120)))
    small_parts(3000)
    assert shard_digests(build(dumps["single"], limit=limit)) == shard_digests(first)


# What the manifest says.


def test_the_books_balance(built, dumps):
    manifest = built.manifest
    ledger = {e["reason"]: e["count"] for e in manifest.ledger}
    assert ledger == {"redirect": 12, "other_namespace": 12}
    assert manifest.totals["documents"] + sum(ledger.values()) == 144
    rows_of = table(built)
    ids = rows_of["input_ids"].to_pylist()
    assert manifest.totals["tokens"] == sum(map(len, ids))
    assert manifest.totals["content_tokens"] == sum(len(i) - 2 for i in ids)
    texts = rows_of["text"].to_pylist()
    (one,) = manifest.statistics
    assert one["documents"] == 120
    assert one["pages"] == 120
    assert one["sentences"] == len(texts)
    assert one["words"] == sum(len(t.split()) for t in texts)
    assert one["text_bytes"] == sum(len(t.encode()) for t in texts)
    histogram = Counter(len(t.split()) for t in texts)
    assert [tuple(p) for p in one["words_per_sentence"]] == sorted(histogram.items())
    assert manifest.sources[0]["wiki"] == "enwiki"
    assert manifest.sources[0]["language"] == "en"


def test_the_manifest_tells_nothing_of_the_machine(built, dumps):
    text = (built.root / "manifest.json").read_text()
    assert str(dumps["single"].parent) not in text
    assert str(built.root) not in text


def test_verify_and_inspect_agree_with_the_manifest(built):
    promised = {"rows", "tokens", "content_tokens", "columns", "totals", "ledger"}
    promised |= {"parents", "op", "params", "seed", "shards"}
    assert transferset.verify(built.root).manifest == built.manifest
    found = transferset.inspect(built.root, head=4)
    assert promised <= found.facts.keys()
    assert found.facts["rows"] == len(built)
    assert next(iter(found.facts["columns"])) == "input_ids"
    first = found.rows[0]
    assert first["pieces"][0] == "[CLS]"
    assert first["decoded"].replace(" ", "") == first["text"].lower().replace(" ", "")


# Guarantee 2: an existing set.


def test_building_again_does_nothing(build, dumps, tmp_path):
    build(dumps["plain"], tmp_path / "set")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "set").glob("*.*")}
    build(dumps["plain"], tmp_path / "set", workers=2)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "set").glob("*.*")} == before


def test_another_recipe_in_the_same_place_is_refused_unless_forced(build, dumps, tmp_path):
    one = build(dumps["plain"], tmp_path / "set")
    with pytest.raises(SetError, match="seed was 0, is 5"):
        build(dumps["plain"], tmp_path / "set", seed=5)
    with pytest.raises(SetError, match=r"params\.keep_text was false, is true"):
        build(dumps["plain"], tmp_path / "set", keep_text=True)
    assert ShardSet.open(tmp_path / "set").manifest == one.manifest
    assert build(dumps["plain"], tmp_path / "set", seed=5, force=True).manifest.seed == 5


def test_spills_are_removed_and_receipts_kept(built):
    assert not list((built.root / "_run").rglob("*.arrow"))
    assert list((built.root / "_run" / "read").glob("*.json"))


# Bad input: one sentence, nothing published.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "dump"),
        (b"hello there, I am a text file\n" * 50, "byte 0"),
        (b"<!DOCTYPE html><html><body>No mirror</body></html>", "HTML"),
    ],
)
def test_what_is_not_a_dump_is_refused(build, tmp_path, content, message):
    bad = tmp_path / "bad.xml"
    bad.write_bytes(content)
    with pytest.raises(InputError, match=message):
        build(bad, tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("kind", ["single", "multi", "plain"])
def test_a_truncated_dump_is_refused_and_nothing_is_published(build, dumps, tmp_path, kind):
    cut = tmp_path / dumps[kind].name
    cut.write_bytes(dumps[kind].read_bytes()[:-200])
    with pytest.raises(InputError, match=r"byte \d+"):
        build(cut, tmp_path / "set")
    assert not (tmp_path / "set" / "manifest.json").exists()
    assert not list(tmp_path.glob("set/data-*"))


def test_damage_in_the_middle_is_refused_or_skipped_on_request(build, dumps, tmp_path, small_parts):
    small_parts(6000)
    data = bytearray(dumps["multi"].read_bytes())
    data[len(data) // 2] ^= 0x10
    bad = tmp_path / "bad.xml.bz2"
    bad.write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.xml\.bz2, .*byte \d+"):
        build(bad, tmp_path / "set")
    assert not (tmp_path / "set" / "manifest.json").exists()
    found = build(bad, tmp_path / "skipped", skip_damaged=True)
    ledger = {e["reason"]: e["count"] for e in found.manifest.ledger}
    assert ledger["damaged_block"] >= 1
    assert 60 < found.manifest.totals["documents"] < 120
    assert found.manifest.sources[0]["damage"]
    transferset.verify(found.root)


def test_a_dump_without_prose_is_an_error_not_an_empty_set(build, tmp_path):
    empty = tmp_path / "empty.xml"
    empty.write_bytes(export(page("A list", "* one\n* two\n")))
    with pytest.raises(TransfersetError, match="no_prose") as caught:
        build(empty, tmp_path / "set")
    assert caught.value.exit_code == 1
    assert not (tmp_path / "set" / "manifest.json").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"tokenizer": "no-such-tokenizer-anywhere.json"},
        {"min_len": -1},
        {"max_len": 2},
        {"min_len": 20, "max_len": 10},
        {"shards": 0},
        {"workers": 0},
        {"limit": 0},
        {"seed": -1},
        {"seed": 1 << 64},
        {"unit": "page"},
        {"splitter": "magic"},
    ],
)
def test_wrong_options_are_usage_errors(build, dumps, tmp_path, options):
    with pytest.raises(UsageError, match=r"expected .*, found "):
        build(dumps["plain"], tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


# What other software makes of it.


def test_datasets_opens_it_without_a_copy(built):
    datasets = pytest.importorskip("datasets")
    expected = table(built)
    whole = datasets.load_from_disk(str(built.root))
    assert whole.num_rows == len(built)
    assert whole.data.table.to_pydict() == expected.to_pydict()
    one = datasets.Dataset.from_file(str(built.root / built.manifest.shards[0].file))
    assert one[0]["input_ids"] == expected["input_ids"][0].as_py()
    assert one.features["input_ids"].feature.dtype == "uint16"


def test_a_masked_lm_collator_consumes_it(built):
    pytest.importorskip("datasets")
    transformers = pytest.importorskip("transformers")
    import datasets

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(built.root))
    collate = transformers.DataCollatorForLanguageModeling(tokenizer, return_tensors="np")
    rows_of = datasets.load_from_disk(str(built.root)).select_columns(["input_ids"])
    batch = collate([rows_of[i] for i in range(16)])
    assert batch["input_ids"].shape == batch["labels"].shape
    assert np.issubdtype(batch["input_ids"].dtype, np.integer)
    assert (batch["labels"] != -100).any()


def test_a_failed_option_does_not_block_the_place(build, dumps, tmp_path):
    with pytest.raises(TransfersetError, match="below_min_len"):
        build(dumps["plain"], tmp_path / "set", min_len=500)
    assert len(build(dumps["plain"], tmp_path / "set")) > 1000


def test_the_recipe_is_recorded_beside_the_work(built):
    recipe = json.loads((built.root / "_run" / "recipe.json").read_bytes())
    assert recipe["params"] == built.manifest.params
    assert recipe["tokenizer"]["sha256"] == built.manifest.tokenizer["sha256"]


# From a mirror to a set.


@pytest.fixture
def mirror(dumps):
    """A loopback server with the official layout that offers the multistream dump."""
    content = dumps["multi"].read_bytes()
    name = "townwiki-20261101-pages-articles-multistream.xml.bz2"
    sha1 = hashlib.sha1(content).hexdigest()
    files = {name: {"size": len(content), "url": f"/townwiki/20261101/{name}", "sha1": sha1}}
    listing = {"jobs": {"articlesmultistreamdump": {"status": "done", "files": files}}}
    with serving() as stage:
        stage.files["/townwiki/"] = b'<a href="20261101/">20261101/</a>'
        stage.files["/townwiki/20261101/dumpstatus.json"] = json.dumps(listing).encode()
        stage.files[f"/townwiki/20261101/{name}"] = content
        yield stage


def test_a_wiki_at_a_date_is_downloaded_once_and_built(build, built, mirror, tmp_path):
    options = {"cache": tmp_path / "cache", "mirror": mirror.root, "keep_text": True}
    found = build("townwiki@latest", tmp_path / "set", **options)
    assert shard_digests(found) == shard_digests(built)
    (origin,) = found.manifest.sources
    assert origin["date"] == "20261101"
    assert origin["url"].endswith("/townwiki/20261101/" + origin["file"])
    assert origin["published"]["sha1"]
    asked = len(mirror.asked)
    again = build("townwiki@20261101", tmp_path / "again", **options)
    assert again.manifest == found.manifest
    assert len(mirror.asked) == asked


def test_a_wrong_checksum_is_bad_input_and_nothing_is_built(build, mirror, tmp_path):
    path = next(p for p in mirror.files if p.endswith(".bz2"))
    mirror.files[path] = mirror.files[path][:-1] + b"!"
    options = {"cache": tmp_path / "cache", "mirror": mirror.root}
    with pytest.raises(InputError, match=r"(?i)sha-?1") as caught:
        build("townwiki@20261101", tmp_path / "set", **options)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "set").exists()


def test_a_corpora_manifest_names_several_dumps(build, built, dumps, tmp_path):
    manifest = tmp_path / "both.toml"
    parts = "".join(f'[[part]]\npath = "{dumps[kind]}"\n' for kind in ("multi", "plain"))
    head = '[corpus]\nname = "both"\ntitle = "Both"\nlanguage = "en"\nlicence = "CC0-1.0"\n'
    manifest.write_text(head + parts)
    found = build(manifest, tmp_path / "set")
    assert len(found) == 2 * len(built)
    assert [s["file"] for s in found.manifest.sources] == ["multi.xml.bz2", "plain.xml"]
    assert found.manifest.licence == "CC0-1.0"
