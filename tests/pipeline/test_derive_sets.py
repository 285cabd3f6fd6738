"""What derived sets are and say: columns, lineage, examples, fits, splits, presets."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from deriving import rows_of
from sets import make_set

import transferset
from transferset import (
    Dedupe,
    Delete,
    Filter,
    Generate,
    Mask,
    Pack,
    Replace,
    Sample,
    SetError,
    Shuffle,
    Split,
    TransfersetError,
    UsageError,
)
from transferset.verification import verify


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The packaged sample, with its text."""
    out = tmp_path_factory.mktemp("corpus") / "set"
    return transferset.build_wiki("demo", out, keep_text=True, workers=1)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("toy") / "set", [12_000], text=True)


def ids(found):
    return rows_of(found)["input_ids"].to_pylist()


def test_shuffled_rows_are_permutations_with_fixed_ends(toy, tmp_path):
    found = transferset.derive(toy.root, tmp_path / "set", steps=[Shuffle()], workers=1)
    for before, after in zip(ids(toy), ids(found), strict=True):
        assert (before[0], before[-1]) == (after[0], after[-1])
        assert sorted(before) == sorted(after)
    assert "text" not in found.schema.names
    assert rows_of(found)["doc_id"].equals(rows_of(toy)["doc_id"])


def test_samples_nest_and_keep_text_and_order(toy, tmp_path):
    chosen = []
    for size, rows in (("0.1%", 12), ("1%", 120), ("10%", 1200)):
        found = transferset.derive(toy.root, tmp_path / size, steps=[Sample(size)], workers=1)
        docs = rows_of(found)["doc_id"].to_pylist()
        assert len(docs) == rows
        assert docs == sorted(docs)
        assert rows_of(found)["text"].to_pylist() == [f"row {d}" for d in docs]
        chosen.append(set(docs))
    assert chosen[0] < chosen[1] < chosen[2]


def test_a_shuffled_sample_is_the_sample_of_the_shuffled(toy, tmp_path):
    # the step's place is part of the address, so the order of steps must be the same
    small = transferset.derive(
        toy.root, tmp_path / "small", steps=[Sample("1%"), Shuffle()], workers=1
    )
    large = transferset.derive(
        toy.root, tmp_path / "large", steps=[Sample("10%"), Shuffle()], workers=1
    )
    rows = dict(zip(rows_of(large)["doc_id"].to_pylist(), ids(large), strict=True))
    for doc, row in zip(rows_of(small)["doc_id"].to_pylist(), ids(small), strict=True):
        assert rows[doc] == row


def test_generated_rows_have_the_parents_size_within_sampling_error(corpus, tmp_path):
    found = transferset.derive(corpus.root, tmp_path / "set", steps=[Generate("100%")], workers=1)
    lengths = np.array([len(row) for row in ids(corpus)])
    spread = lengths.std() * np.sqrt(len(lengths))
    assert len(found) == len(corpus)
    assert abs(found.manifest.totals["tokens"] - lengths.sum()) < 4 * spread
    assert found.schema.names == ["input_ids"]
    fit = json.loads((found.root / "_fit" / "generate.json").read_bytes())
    assert sum(n for _, n in fit["lengths"]) == len(corpus)
    assert sum(n for _, n in fit["tokens"]) == corpus.manifest.totals["content_tokens"]
    assert {t for row in ids(found) for t in row[1:-1]} <= {t for t, _ in fit["tokens"]}


def test_the_first_generated_rows_are_the_same_whatever_their_number(corpus, tmp_path):
    few = transferset.derive(corpus.root, tmp_path / "few", steps=[Generate("100")], workers=1)
    many = transferset.derive(corpus.root, tmp_path / "many", steps=[Generate("1k")], workers=1)
    assert ids(many)[:100] == ids(few)


def test_fitting_on_another_set(corpus, tmp_path):
    steps = [Sample("50"), Generate("200")]
    other = transferset.derive(corpus.root, tmp_path / "other", steps=[Generate("10%")], workers=1)
    by_model = transferset.derive(
        corpus.root, tmp_path / "model", steps=steps, fit=other.root, workers=1
    )
    by_rows = transferset.derive(
        corpus.root, tmp_path / "rows", steps=steps, fit=corpus.root, workers=1
    )
    # the model of the generated set is that of its parent's rows, so both say the same
    assert ids(by_model) == ids(by_rows)
    assert [p["role"] for p in by_model.manifest.parents] == ["source", "fit"]
    plain = transferset.derive(corpus.root, tmp_path / "plain", steps=steps, workers=1)
    assert ids(plain) != ids(by_rows)
    noise = [Sample("50"), Replace(1.0)]
    found = transferset.derive(
        corpus.root, tmp_path / "noise", steps=noise, fit=other.root, workers=1
    )
    assert len(found) == 50


def test_a_damaged_fit_is_refused(corpus, tmp_path):
    other = transferset.derive(corpus.root, tmp_path / "other", steps=[Generate("10%")], workers=1)
    path = other.root / "_fit" / "generate.json"
    path.write_bytes(path.read_bytes().replace(b"[[", b"[ ", 1))
    with pytest.raises(SetError, match=r"_fit/generate\.json"):
        transferset.derive(
            corpus.root, tmp_path / "set", steps=[Generate("9")], fit=other.root, workers=1
        )
    with pytest.raises(SetError, match=r"_fit/generate\.json"):
        verify(other.root)


def test_masks_have_labels(corpus, tmp_path):
    found = transferset.derive(
        corpus.root, tmp_path / "set", steps=[Mask(0.15, rule="bert")], workers=1
    )
    verify(found.root)
    rows = rows_of(found)
    mask = found.manifest.tokenizer["special_ids"]["mask"]
    before = rows_of(corpus)["input_ids"].to_pylist()
    chosen = Counter()
    for old, new, labels in zip(
        before, rows["input_ids"].to_pylist(), rows["labels"].to_pylist(), strict=True
    ):
        for a, b, label in zip(old, new, labels, strict=True):
            if label == -100:
                assert a == b
            else:
                assert label == a
                chosen["mask" if b == mask else "same" if b == a else "other"] += 1
    total = sum(chosen.values())
    content = corpus.manifest.totals["content_tokens"]
    # five standard deviations of the binomials
    assert abs(total - 0.15 * content) < 5 * np.sqrt(content * 0.15 * 0.85)
    assert abs(chosen["mask"] - 0.8 * total) < 5 * np.sqrt(total * 0.16)
    assert abs(chosen["same"] - 0.1 * total) < 5 * np.sqrt(total * 0.09) + 2


def test_lineage_columns_name_the_parents_row(toy, tmp_path):
    found = transferset.derive(
        toy.root,
        tmp_path / "set",
        steps=[Sample("200%", with_replacement=True), Filter("length > 5")],
        lineage=True,
        workers=1,
    )
    rows, parent = rows_of(found), ids(toy)
    addresses = list(zip(rows["parent_row"].to_pylist(), rows["copy"].to_pylist(), strict=True))
    assert addresses == sorted(set(addresses))
    for (row, _), got in zip(addresses, rows["input_ids"].to_pylist(), strict=True):
        assert parent[row] == got
    # and deriving from it again numbers its own rows
    again = transferset.derive(
        found.root, tmp_path / "again", steps=[Sample("9")], lineage=True, workers=1
    )
    assert max(rows_of(again)["parent_row"].to_pylist()) < len(found)


def test_the_manifest_leads_back_to_the_corpus(corpus, tmp_path):
    ten = transferset.derive(corpus.root, tmp_path / "ten", steps=[Sample("10%")], workers=1)
    random = transferset.derive(ten.root, tmp_path / "random", steps=[Shuffle()], workers=1)
    parent = random.manifest.parents[0]
    assert parent["digest"] == ten.manifest.digest
    grandparent = parent["parents"][0]
    assert grandparent["digest"] == corpus.manifest.digest
    assert grandparent["sources"][0]["blake3"] == corpus.manifest.sources[0]["blake3"]
    assert random.manifest.licence == corpus.manifest.licence


def test_examples_show_rows_before_and_after_each_step(corpus, tmp_path):
    steps = [Sample("10%"), Delete(0.3), Shuffle()]
    found = transferset.derive(corpus.root, tmp_path / "set", steps=steps, workers=1)
    shown = json.loads((found.root / "_tables" / "examples.json").read_bytes())["rows"]
    assert len(shown) == 3
    for number, example in enumerate(shown):
        names = [step["step"] for step in example["steps"]]
        assert names == ["source", "sample", "delete", "shuffle"]
        source, sample, delete, shuffle = (step["input_ids"] for step in example["steps"])
        assert source == sample == ids(corpus)[example["parent_row"]]
        assert sorted(delete) == sorted(shuffle)
        assert shuffle == ids(found)[number]
    made = transferset.derive(corpus.root, tmp_path / "made", steps=[Generate("9")], workers=1)
    first = json.loads((made.root / "_tables" / "examples.json").read_bytes())["rows"][0]
    assert [s["input_ids"] for s in first["steps"]] == [None, ids(made)[0]]


def test_a_split_makes_sibling_sets_of_whole_documents(corpus, tmp_path):
    out = tmp_path / "parts"
    steps = [Dedupe(), Split("train=0.8,validation=0.1,test=0.1")]
    found = transferset.derive(corpus.root, out, steps=steps, seed=3, workers=1)
    assert sorted(found) == ["test", "train", "validation"]
    documents = {k: set(rows_of(s)["doc_id"].to_pylist()) for k, s in found.items()}
    assert not documents["train"] & documents["validation"]
    assert not documents["train"] & documents["test"]
    every = set(rows_of(corpus)["doc_id"].to_pylist())
    assert set().union(*documents.values()) == every
    for name, one in found.items():
        verify(one.root)
        assert one.root == out / name
        assert one.manifest.params["split"] == name
        state = json.loads((one.root / "state.json").read_bytes())
        assert state["_split"] == name
    assert json.loads((out / "dataset_dict.json").read_bytes())["splits"] == list(found)


def test_datasets_opens_the_splits_as_one(corpus, tmp_path):
    datasets = pytest.importorskip("datasets")
    steps = [Split("train=0.8,validation=0.2")]
    found = transferset.derive(corpus.root, tmp_path / "parts", steps=steps, workers=1)
    opened = datasets.load_from_disk(str(tmp_path / "parts"))
    assert {k: len(v) for k, v in opened.items()} == {k: len(v) for k, v in found.items()}


def test_a_split_does_not_go_into_a_set(corpus, tmp_path):
    out = tmp_path / "set"
    transferset.derive(corpus.root, out, steps=[Sample("10%")], workers=1)
    with pytest.raises(SetError, match="a directory without a set"):
        transferset.derive(corpus.root, out, steps=[Split("a=0.5,b=0.5")], workers=1)


def test_packed_rows_hold_all_content_in_order(toy, tmp_path):
    found = transferset.derive(toy.root, tmp_path / "set", steps=[Pack(64)], workers=1)
    special = {2, 3}
    before = [t for row in ids(toy) for t in row if t not in special]
    after = [t for row in ids(found) for t in row if t not in special]
    assert before == after
    assert max(map(len, ids(found))) <= 64
    assert found.manifest.params["max_len"] == 64


def test_words_move_whole(corpus, tmp_path):
    from transferset.tokens import load_tokenizer

    found = transferset.derive(
        corpus.root, tmp_path / "set", steps=[Shuffle(words=True)], workers=1
    )
    starts = load_tokenizer(str(corpus.root), engine="tokenizers").word_start

    def words(row):
        found = []
        for token in row[1:-1]:
            if starts[token] or not found:
                found.append([])
            found[-1].append(token)
        return sorted(map(tuple, found))

    assert all(words(a) == words(b) for a, b in zip(ids(corpus), ids(found), strict=True))


def test_presets_are_the_thesis_with_its_deviations(corpus, tmp_path):
    thesis = transferset.build_wiki("demo", tmp_path / "corpus", preset="vandegraaf2021", workers=1)
    assert thesis.manifest.params["min_len"] == 12
    assert thesis.manifest.params["max_len"] == 512
    assert thesis.manifest.params["splitter"] == "punkt"
    assert thesis.manifest.params["preset"]["deviations"]
    rows = {"10%": 0.1, "1%": 0.01, "0.1%": 0.001, "randomised": 0.1, "generated": 0.1}
    for condition, share in rows.items():
        found = transferset.derive(
            thesis.root, tmp_path / condition, preset=f"vandegraaf2021:{condition}", workers=1
        )
        assert len(found) == round(len(thesis) * share)
        assert found.manifest.params["preset"]["name"] == f"vandegraaf2021:{condition}"
        assert len(found.manifest.params["preset"]["deviations"]) > 3
    with pytest.raises(UsageError, match="steps, or --as"):
        transferset.derive(
            thesis.root, tmp_path / "x", steps=[Shuffle()], preset="vandegraaf2021:1%"
        )
    with pytest.raises(UsageError, match="vandegraaf2021:generated"):
        transferset.derive(thesis.root, tmp_path / "x", preset="vandegraaf2021")
    with pytest.raises(UsageError, match=r"--min-len 12 as in vandegraaf2021, found 5"):
        transferset.build_wiki("demo", tmp_path / "x", preset="vandegraaf2021", min_len=5)


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        ([], UsageError, "at least one step"),
        ([Mask(0.1), Shuffle()], UsageError, "no labels where ids are moved.*--shuffle before"),
        ([Split("a=0.5"), Sample("9")], UsageError, "--split as the last step"),
        ([Sample("20k")], UsageError, "20,000"),
        ([Sample("0.0001%")], TransfersetError, "at least one row"),
        ([Filter("length > 1000")], TransfersetError, r"none \(dropped: 12,000 filtered_out\)"),
        ([Filter("lenght > 3")], UsageError, "length"),
        ([Filter("part == 'x'")], UsageError, "part"),
        ([Shuffle(words=True)], TransfersetError, "tokenizer"),
    ],
)
def test_what_cannot_be_done_gets_one_sentence_and_leaves_nothing(
    toy, tmp_path, steps, error, message
):
    with pytest.raises(error, match=message) as caught:
        transferset.derive(toy.root, tmp_path / "set", steps=steps, workers=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_a_set_is_not_derived_into_itself(toy):
    with pytest.raises(UsageError, match="beside the parent"):
        transferset.derive(toy.root, toy.root, steps=[Shuffle()], workers=1)
    verify(toy.root)
