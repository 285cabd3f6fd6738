"""The peers of the augmentation benchmark do what they stand for, and its figures are right."""

from __future__ import annotations

import importlib
import json
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from transferset.tokens import load_tokenizer

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


@pytest.fixture
def task(script, tmp_path):
    """Three short sentences, varied twenty times."""
    (tmp_path / "words.txt").write_text("the cat sat\na dog ran\nthe cat sat down\n", "utf-8")
    (tmp_path / "tags.txt").write_text("D N V\nD N V\nD N V R\n", "utf-8")
    return script("augment_peers").Task(tmp_path / "words.txt", tmp_path / "tags.txt", 20, "none")


def test_the_reference_masks_replaces_by_tag_or_keeps(script):
    peers = script("augment_peers")
    by_tag = {"N": ["cat", "cat", "cat", "dog"], "V": ["sat"]}
    random.seed(0)
    rows = [peers.vary(["owl", "runs"], ["N", "V"], by_tag) for _ in range(20_000)]
    first, second = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    assert set(first) == {"owl", "[MASK]", "cat", "dog"}
    assert set(second) == {"runs", "[MASK]", "sat"}
    # 20,000 draws at 0.1 are 2,000, σ = 42.4; of 2,000 replacements a quarter, σ = 19.4 and more
    for count in (first["[MASK]"], second["[MASK]"], second["sat"], first["cat"] + first["dog"]):
        assert abs(count - 2000) < 5 * 42.4
    assert abs(first["dog"] - (first["cat"] + first["dog"]) / 4) < 5 * 20.4
    # the two words are drawn apart: both changed in 0.2 · 0.2 of the rows, σ = 27.7
    both = sum(row[0] != "owl" and row[1] != "runs" for row in rows)
    assert abs(both - 800) < 5 * 27.7


def test_the_reference_repeats_neither_the_input_nor_itself(script, task):
    random.seed(1)
    rows = list(script("augment_peers").WAYS["reference: tags given"](task))
    assert 10 < len(rows) == len(set(rows)) < 60
    assert not {"the cat sat", "a dog ran", "the cat sat down"} & set(rows)
    places = [{"the", "a"}, {"cat", "dog"}, {"sat", "ran"}, {"down"}]  # the words of each tag
    for row in rows:
        for word, known in zip(row.split(" "), places, strict=False):
            assert word == "[MASK]" or word in known


@pytest.mark.parametrize("tool", ["nlpaug", "fast-aug"])
@pytest.mark.parametrize("action", ["substitute", "delete"])
def test_other_peers_change_the_words_of_each_sentence(script, task, tool, action):
    pytest.importorskip(tool.replace("-", "_"))
    rows = list(script("augment_peers").WAYS[f"{tool}: {action}"](task))
    assert len(rows) == 3 * task.iterations
    known = {"the", "a", "cat", "dog", "sat", "ran", "down"} | {"[MASK]"}
    for row, before in zip(rows, task.sentences() * task.iterations, strict=True):
        words = row.split()  # fast-aug leaves the spaces of what it deletes
        assert set(words) <= known
        assert len(words) == len(before.split(" ")) - (action == "delete")


def test_a_peers_rows_become_ids_without_repeats(script, tmp_path):
    peers, sets = script("augment_peers"), script("augment_sets")
    tokenizer = sets.write_tokenizer("demo", tmp_path / "tokenizer.json")
    texts = list(peers.new(["a b", "a c", "a b", "x y"], ["x y", "z"]))
    assert texts == ["a b", "a c"]
    assert peers.ids_writer(tokenizer)(texts, tmp_path / "rows") == 2
    with pa.memory_map(str(tmp_path / "rows")) as file:
        made = pa.ipc.open_stream(file).read_all()
    assert made["text"].to_pylist() == texts
    ids, offsets = load_tokenizer("demo").encode(texts)
    assert made["input_ids"].to_pylist() == [
        ids[start:stop].tolist() for start, stop in pairwise(offsets)
    ]


def test_made_sentences_look_like_sst2(script, tmp_path):
    sets = script("augment_sets")
    tokenizer = sets.write_tokenizer("demo", tmp_path / "tokenizer.json")
    made = sets.make_sentences(tmp_path / "made.tsv", 3000, tokenizer, seed=3)
    head, *lines = made.read_text("utf-8").splitlines()
    assert head == "sentence\tlabel"
    texts, labels = zip(*(line.split("\t") for line in lines), strict=True)
    assert set(labels) == {"0", "1"}
    lengths = [len(text.split(" ")) for text in texts]
    assert 8 < np.mean(lengths) < 10  # SST-2 has 9.4, an eighth of its rows at most two
    assert 0.05 < np.mean(np.array(lengths) <= 2) < 0.25
    assert max(lengths) <= sets.LONGEST
    assert sets.first_rows(made, 2, tmp_path / "two").read_text("utf-8").count("\n") == 3
    again = sets.make_sentences(tmp_path / "again.tsv", 3000, tokenizer, seed=3)
    assert again.read_bytes() == made.read_bytes()


def test_a_set_with_repeats_is_refused(script):
    sets = script("augment_sets")
    new = np.array([False, True, True, False])

    def judge(*keys, originals=2):
        return sets.distinct(np.array(keys, np.int64), new, originals)

    assert judge(1, 2, 3, 1) == sets.Checked(rows=4, new=2)  # originals may be alike
    with pytest.raises(SystemExit, match="repeats"):
        judge(1, 2, 2, 4)  # two variants
    with pytest.raises(SystemExit, match="repeats"):
        judge(1, 4, 3, 4)  # a variant and an original
    with pytest.raises(SystemExit, match="expected 3 originals, found 2"):
        judge(1, 2, 3, 4, originals=3)


def row(new, cpu, startup):
    net = new / (cpu - startup)
    names = ("new", "cpu_s", "startup_cpu_s", "rows_per_cpu_s_without_startup")
    return dict(zip(names, (new, cpu, startup, net), strict=True))


def test_tools_are_compared_on_as_many_rows(script):
    against = script("augment_jobs").against
    ours, peer = row(900, 3, 2), row(10, 2, 1)
    # 1 s to start, and 900 rows at 10 a second; ours takes 3 s, one of them without start-up
    found = {"rows_per_cpu_s": 900 / 91, "times": 91 / 3, "times_without_startup": 900 / 10}
    assert against(ours, peer) == pytest.approx(found)
    assert against(ours, ours)["times"] == 1
    short = ours | {"rows_per_cpu_s_without_startup": None}  # hardly longer than its start-up
    assert against(short, peer)["times_without_startup"] is None


def test_every_peer_is_measured_as_it_comes_and_with_ids(script):
    jobs, peers = script("augment_jobs"), script("augment_peers")
    cases = [str(case) for case in jobs.make_cases(["reference", "nlpaug", "fast-aug"], True)]
    assert cases == [
        "transferset",
        *(name for way in peers.WAYS for name in (way, f"{way}, ids")),
    ]
    assert set(jobs.FAST) < set(peers.WAYS)
    assert [str(case) for case in jobs.make_cases(["reference"], False)] == ["transferset"]
    assert len(jobs.make_cases(["reference: tags"], True)) == 3


@pytest.mark.slow
def test_variants_are_measured_beside_the_reference(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(SCRIPTS / "augment.py"), "--work", str(tmp_path / "work")]
    peers = ["--peers-python", sys.executable, "--tools", "reference: tags given"]
    sizes = ["--sentences", "300", "--rows", "4k", "--runs", "1", "--tokenizer", "demo"]
    command += [*peers, *sizes, "--json", str(figures)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(figures.read_text())
    names = ["transferset", "reference: tags given", "reference: tags given, ids"]
    assert [one["tool"] for one in found["rows"]] == names
    for one in found["rows"]:
        assert one["sentences"] == 300
        assert 1500 < one["new"] < 3000  # of ten attempts each, some repeat
        assert one["cpu_s"] > 0
        assert f"| {one['tool']} |" in done.stdout
    assert found["rows"][0]["checked"] == 300 + found["rows"][0]["new"]
    (tagged,) = found["tagging"]
    assert tagged["words"] > 1500
    assert 3000 < found["large"]["checked"] == found["large"]["rows"] < 5000
    for part in ("## Rates", "## Tagging, and the whole job", "## A large set"):
        assert part in done.stdout


def test_the_program_explains_itself():
    command = [sys.executable, str(SCRIPTS / "augment.py"), "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("usage: ")
