"""`derive --augment` through the whole pipeline: no repeats, exact targets, the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from deriving import files_of
from small_tasks import sentences, write_pairs, write_task

import transferset
from transferset import Augment, Dedupe, Sample, Shuffle, UsageError
from transferset.pipeline import chain, derive
from transferset.verification import verify

SINGLE = Augment(mask=0.1, pos=0.2, target="6x")
EVERYTHING = Augment(
    mask=0.1, pos=0.2, delete=0.1, swap=0.1, window=0.3, match_case=True, iterations=7
)
PAIRS = Augment(mask=0.2, pos=0.2, iterations=9)


@pytest.fixture(scope="module")
def task(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    path = write_task(folder / "train.tsv", sentences(300))
    dev = write_task(folder / "dev.tsv", sentences(400, seed=1))
    options = {"text": "sentence", "label": "label", "tagger": "lexicon", "workers": 1}
    return transferset.build_task(
        path, folder / "set", eval=[dev], tokenizer=str(tokenizer), **options
    )


@pytest.fixture(scope="module")
def pairs(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    path = write_pairs(folder / "train.tsv", sentences(200))
    options = {"text": "one", "text_pair": "two", "label": "score", "tagger": "lexicon"}
    return transferset.build_task(
        path, folder / "set", tokenizer=str(tokenizer), workers=1, **options
    )


def rows(found):
    return pa.Table.from_batches(list(found.batches())).to_pylist()


def ids_of(found):
    return [tuple(row["input_ids"]) for row in rows(found)]


def oracle_ids(found, tokenizer):
    """What the tokenizers library gives for the texts of a set, [MASK] recognised."""
    from tokenizers import Tokenizer

    oracle = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    oracle.no_padding()
    oracle.no_truncation()
    return [tuple(oracle.encode(row["text"], row.get("text_pair")).ids) for row in rows(found)]


@pytest.mark.parametrize("step", [SINGLE, EVERYTHING])
def test_no_row_repeats_another_one_and_none_leaks(task, tmp_path, step, tokenizer):
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    ids = ids_of(found)
    assert len(set(ids)) == len(ids)
    dev = task.root.parent / "dev.tsv"
    other = transferset.build_task(
        dev, tmp_path / "dev", text="sentence", tagger="none", tokenizer=str(tokenizer), workers=1
    )
    assert not set(ids) & set(ids_of(other))
    assert set(ids_of(task)) <= set(ids)
    verify(found.root)


def test_the_target_is_met_exactly_and_accounted_for(task, tmp_path):
    found = transferset.derive(task.root, tmp_path / "set", steps=[SINGLE], workers=1)
    assert len(found) == 6 * len(task)
    told = json.loads((found.root / "_tables/augment.json").read_bytes())
    sums = dict(zip(told["columns"], map(sum, zip(*told["table"], strict=True)), strict=True))
    assert sums.pop("made") == sum(sums.values())
    assert sums["accepted"] == len(found) - len(task)
    ledger = {entry["reason"]: entry["count"] for entry in found.manifest.ledger}
    assert ledger == {name: n for name, n in sums.items() if n and name != "accepted"}
    assert (told["multiple"], told["reached"]) == (6.0, True)


def test_a_target_out_of_reach_is_said_to_be(task, tmp_path):
    step = Augment(mask=0.001, target="50x", max_iterations=3)
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    told = json.loads((found.root / "_tables/augment.json").read_bytes())
    assert not told["reached"]
    assert len(found) < 50 * len(task)


def test_a_target_that_the_originals_reach_needs_no_attempt(task, tmp_path):
    step = Augment(mask=0.1, target="1x")
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    assert ids_of(found) == ids_of(task)


@pytest.mark.parametrize("step", [SINGLE, EVERYTHING])
def test_ids_equal_the_tokenizers_on_every_row(task, tmp_path, step, tokenizer):
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    assert ids_of(found) == oracle_ids(found, tokenizer)
    assert any("[MASK]" in row["text"] for row in rows(found))


def test_ids_of_pairs_equal_the_tokenizers(pairs, tmp_path, tokenizer):
    found = transferset.derive(pairs.root, tmp_path / "set", steps=[PAIRS], workers=1)
    assert ids_of(found) == oracle_ids(found, tokenizer)


def test_pairs_cycle_through_first_second_and_both(pairs, tmp_path):
    found = transferset.derive(pairs.root, tmp_path / "set", steps=[PAIRS], lineage=True, workers=1)
    original = {row["parent_row"]: row for row in rows(found) if row["copy"] == 0}
    for row in rows(found):
        turn = row["copy"] % (PAIRS.attempts + 1) % 3
        if row["copy"] and turn:
            kept = {1: "text_pair", 2: "text"}[turn]
            assert row[kept] == original[row["parent_row"]][kept]


def test_only_originals_have_labels_unless_they_are_kept(task, tmp_path):
    step = Augment(mask=0.3, iterations=2)
    plain = transferset.derive(task.root, tmp_path / "plain", steps=[step], workers=1)
    kept = transferset.derive(
        task.root, tmp_path / "kept", steps=[step], keep_label=True, lineage=True, workers=1
    )
    labels = [row["label"] for row in rows(task)]
    for row, same in zip(rows(plain), rows(kept), strict=True):
        original = same["copy"] == 0
        assert row["label"] == (labels[same["parent_row"]] if original else None)
        assert same["label"] == labels[same["parent_row"]]


def test_a_step_that_changes_all_rows_drops_the_label(task, tmp_path):
    found = transferset.derive(task.root, tmp_path / "set", steps=[Shuffle()], workers=1)
    assert set(found.manifest.schema) == {"input_ids", "source"}
    assert "label" not in found.manifest.names
    kept = transferset.derive(
        task.root, tmp_path / "kept", steps=[Shuffle()], keep_label=True, workers=1
    )
    assert [row["label"] for row in rows(kept)] == [row["label"] for row in rows(task)]


@pytest.mark.parametrize(
    ("output", "columns"),
    [("ids", {"input_ids"}), ("text", {"text"}), ("both", {"input_ids", "text"})],
)
def test_output_as_text_as_ids_or_both(task, tmp_path, output, columns):
    step = Augment(mask=0.3, iterations=2, output=output)
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    assert set(found.manifest.schema) - {"label", "source"} == columns
    verify(found.root)


def test_originals_may_be_left_out(task, tmp_path):
    step = Augment(mask=0.3, iterations=2, originals="none")
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    assert not set(ids_of(found)) & set(ids_of(task))
    ledger = {entry["reason"]: entry["count"] for entry in found.manifest.ledger}
    assert ledger["varied"] == len(task)


STEPS = {
    "single": [SINGLE],
    "after a sample": [Sample("50%"), EVERYTHING],
    "after a bootstrap": [Sample("150%", with_replacement=True), SINGLE, Dedupe()],
    "twice removed": [Augment(mask=0.3, iterations=3), Sample("30%"), Shuffle()],
}


@pytest.mark.parametrize("name", STEPS)
def test_workers_ranges_and_batches_make_no_difference(task, tmp_path, monkeypatch, name):
    one = transferset.derive(
        task.root, tmp_path / "one", steps=STEPS[name], seed=3, shards=3, workers=1
    )
    # processes take their time to start
    workers = {"after a sample": 2}.get(name, 1)
    three = transferset.derive(
        task.root, tmp_path / "three", steps=STEPS[name], seed=3, shards=3, workers=workers
    )
    whole = chain.read_rows

    def crumbs(found, start, stop, columns):
        for first, batch in whole(found, start, stop, columns):
            for at in range(0, batch.num_rows, 7):
                yield first + at, batch.slice(at, 7)

    monkeypatch.setattr(chain, "read_rows", crumbs)
    monkeypatch.setattr(derive, "_VARIED_ROWS", 31)
    small = transferset.derive(
        task.root, tmp_path / "small", steps=STEPS[name], seed=3, shards=3, workers=1
    )
    assert files_of(one.root) == files_of(three.root) == files_of(small.root)


def test_counts_of_another_set(task, pairs, tmp_path):
    step = Augment(pos=0.5, iterations=2)
    by_rows = transferset.derive(
        task.root, tmp_path / "rows", steps=[step], fit=pairs.root, workers=1
    )
    made = transferset.derive(pairs.root, tmp_path / "made", steps=[step], workers=1)
    by_counts = transferset.derive(
        task.root, tmp_path / "counts", steps=[step], fit=made.root, workers=1
    )
    assert ids_of(by_rows) == ids_of(by_counts)
    assert by_rows.manifest.parents[1]["role"] == "fit"


def test_a_set_without_words_is_refused(task, tmp_path):
    plain = transferset.derive(task.root, tmp_path / "plain", steps=[Shuffle()], workers=1)
    with pytest.raises(UsageError, match="build task"):
        transferset.derive(plain.root, tmp_path / "set", steps=[SINGLE], workers=1)
    with pytest.raises(UsageError, match="before those that change"):
        transferset.derive(task.root, tmp_path / "set", steps=[Shuffle(), SINGLE], workers=1)


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again(task, tmp_path):
    command = [sys.executable, "-m", "transferset", "derive", str(task.root), "--augment",
               "mask=0.1,pos=0.2,target=12x,max_iterations=90", "--shards", "4"]  # fmt: skip
    start = time.monotonic()
    subprocess.run([*command, "--out", str(tmp_path / "whole")], check=True, timeout=120)
    took = time.monotonic() - start
    for part in (0.6, 0.9):
        process = subprocess.Popen([*command, "--out", str(tmp_path / "killed")])
        time.sleep(took * part)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, "--out", str(tmp_path / "killed")], check=True, timeout=120)
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")


def test_datasets_opens_rows_without_a_label(task, tmp_path):
    datasets = pytest.importorskip("datasets")
    found = transferset.derive(task.root, tmp_path / "set", steps=[SINGLE], workers=1)
    opened = datasets.load_from_disk(str(found.root))
    assert opened.features["label"].names == ["bad", "good"]
    assert opened["label"][:3] == [0, None, None]
    assert opened[1]["input_ids"] == list(ids_of(found)[1])
