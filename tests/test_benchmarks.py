"""The benchmarks themselves run, and judge rightly what they measure."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from sets import make_set, reshard

import transferset
from transferset import demo
from transferset.steps import Shuffle

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def test_the_sample_is_clean_by_the_benchmarks_own_metrics(tmp_path):
    wiki = SCRIPTS / "build_wiki.py"
    command = [sys.executable, str(wiki), str(demo.path()), "--work", str(tmp_path / "work")]
    chosen = ["--parts", "cleaning,quality", "--tools", "transferset"]
    sizes = ["--size", "1MB", "--clean-size", "1MB", "--runs", "1"]
    figures = tmp_path / "figures.json"
    subprocess.run([*command, *chosen, *sizes, "--json", str(figures)], check=True)
    (one,) = json.loads(figures.read_text())["quality"].values()
    assert one["prose_kept_percent"] >= 99.5
    assert one["values_kept_percent"] >= 99
    assert one["leftovers_per_1000_words"] < 0.2
    assert max(one["leaked_percent"].values()) < 1


@pytest.mark.slow
def test_derive_is_measured_beside_the_limits(tmp_path):
    source, figures = tmp_path / "source", tmp_path / "figures.json"
    build = [sys.executable, "-m", "transferset", "build", "wiki", "demo", "--out", str(source)]
    subprocess.run(build, check=True, capture_output=True)
    command = [sys.executable, str(SCRIPTS / "derive.py"), "--source", str(source)]
    chosen = ["--jobs", "sample 10%", "--workers", "1", "--runs", "1"]
    sizes = ["--tokens", "200k", "--work", str(tmp_path / "work"), "--json", str(figures)]
    done = subprocess.run([*command, *chosen, *sizes], check=True, capture_output=True, text=True)
    found = json.loads(figures.read_text())
    assert [(row["job"], row["cold"]) for row in found["jobs"]] == [
        ("sample 10%", False),
        ("sample 10%", True),
    ]
    whole = found["sets"]["whole"]
    assert whole["tokens"] == pytest.approx(200_000, rel=0.05)
    for row in found["jobs"]:
        assert row["mtok"] == whole["tokens"] / 1e6
        assert row["cpu_s"] > row["limits"]["floor_cpu_s"] > 0
        assert row["peak_mb"] > 50  # a Python with Arrow: the watch saw it
    assert all(rate["mb_per_s"] > 0 for rate in found["limits"].values())
    assert "## Beside the limits" in done.stdout


def ids(*rows):
    return pa.array(rows, pa.list_(pa.uint16()))


@pytest.mark.parametrize(
    ("after", "right"),
    [
        (ids([2, 6, 7, 5, 3], [2, 9, 8, 3]), True),
        (ids([2, 5, 6, 7, 3], [2, 8, 9, 3]), False),  # nothing moved
        (ids([2, 7, 6, 8, 3], [2, 9, 5, 3]), False),  # tokens changed rows
        (ids([2, 7, 6, 6, 3], [2, 9, 8, 3]), False),  # another token
        (ids([7, 6, 5, 3, 2], [9, 8, 2, 3]), False),  # ends moved
        (ids([2, 7, 6, 5], [3, 2, 9, 8, 3]), False),  # rows cut elsewhere
    ],
)
def test_only_a_permutation_of_each_rows_content_is_a_shuffle(script, after, right):
    before = ids([2, 5, 6, 7, 3], [2, 8, 9, 3])
    assert script("derive_sets")._permuted(before, after) is right


def test_a_shuffle_is_recognised_wherever_its_shards_are_cut(script, tmp_path):
    sets = script("derive_sets")
    parent = make_set(tmp_path / "parent", [1500, 1000])
    shuffled = transferset.derive(parent.root, tmp_path / "shuffled", steps=[Shuffle()], workers=1)
    other = reshard(shuffled, tmp_path / "other", [400, 900, 1200])
    before, *after = [sets.Made.open(one.root) for one in (parent, shuffled, other)]
    assert all(sets._is_shuffled(before, made, "shuffle") for made in after)
    assert not sets._is_shuffled(before, before, "shuffle")  # nothing moved
    assert sets._between(after[0], 300, 700).equals(sets._between(after[1], 300, 700))
    assert len(sets._between(after[1], 2400)) == 100  # to the end


def test_a_sample_has_its_exact_size_and_the_order_of_its_parent(script, tmp_path):
    sets = script("derive_sets")
    parent = sets.Made.open(make_set(tmp_path / "parent", [15, 10]).root)
    tenth = sets.Made.open(make_set(tmp_path / "tenth", [2]).root)  # the parent's first rows
    assert sets._is_sampled(parent, tenth, "sample 10%")  # round(2.5) is 2, half to even
    assert not sets._is_sampled(parent, tenth, "sample 16%")  # that would be 4
    assert not sets._is_sampled(tenth, parent, "sample 1250%")  # rows that the parent lacks


def test_a_rate_without_start_up_needs_more_than_the_start_up(script):
    net_rate = script("derive_jobs").net_rate
    assert net_rate(12, 4, 1) == 4
    assert net_rate(12, 1.1, 1) is None


def test_the_fastest_way_of_each_kind_is_the_peer(script):
    rates = [("row by row", "random", 2.5), ("row by row", "numpy", 3), ("whole batches", "a", 9)]
    entries = [
        {"job": "shuffle", "kind": kind, "way": way, "mtok_per_cpu_s": rate}
        for kind, way, rate in rates
    ]
    assert [entry["way"] for entry in script("derive_jobs").winners(entries)] == ["numpy", "a"]


def test_bytes_alone_are_counted_by_hand(script):
    limits = {
        "read + BLAKE3, page cache": {"mb_per_cpu_s": 100, "mb_per_s": 50},
        "BLAKE3": {"mb_per_cpu_s": 200, "mb_per_s": 200},
        "write + fsync": {"mb_per_cpu_s": 10, "mb_per_s": 5},
        "memcpy": {"mb_per_cpu_s": 1000, "mb_per_s": 1000},
    }
    row = {"cold": False, "parent_mb": 1000, "made": {"mb": 100}, "cpu_s": 110, "wall_s": 55}
    found = script("derive_jobs").beside_limits(row, limits)
    assert found["floor_cpu_s"] == pytest.approx(1000 / 100 + 2 * 100 / 200 + 100 / 10)
    assert found["floor_wall_s"] == pytest.approx(1000 / 50 + 2 * 100 / 200 + 100 / 5)
    assert found["share_of_memcpy"] == pytest.approx((1000 + 100) / 110 / 1000)


@pytest.mark.parametrize("program", ["augment", "derive", "build_wiki", "inflate", "books"])
def test_every_program_explains_itself(program):
    command = [sys.executable, str(SCRIPTS / f"{program}.py"), "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("usage: ")


@pytest.mark.slow
def test_books_are_measured_and_their_sentences_judged(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(SCRIPTS / "books.py"), "--work", str(tmp_path / "work")]
    sizes = ["--size", "40kB", "--stage-size", "40kB", "--runs", "1", "--json", str(figures)]
    done = subprocess.run([*command, *sizes], check=True, capture_output=True, text=True)
    found = json.loads(figures.read_text())
    plain, default = found["whole"]
    assert plain["rows"] == default["rows"] > 300  # 40 kB of sentences of some 90 characters
    assert plain["cpu_s"] > 0
    (judged,) = found["quality"].values()  # the default set has no text to judge by
    assert judged["cut_at_lines"] == judged["headings_joined"] == 0
    assert judged["f1"] > 0.95
    assert found["stages"]["clean"]["mb_per_cpu_s"] < found["stages"]["memcpy"]["mb_per_cpu_s"]
    assert "## Limits and stages" in done.stdout


# In letters and digits: the heading ends at 8, "He ran." at 13, "She sat" at 19, all at 23.
UNITS = [("heading", "CHAPTER I"), ("sentence", "He ran."), ("sentence", "She sat down.")]
LINES = ["CHAPTER I", "He ran. She sat", "down."]


@pytest.mark.parametrize(
    ("rows", "precision", "recall", "f1", "at_lines", "inside", "headings"),
    [
        (["CHAPTER I", "He ran.", "She sat down."], 1, 1, 1, 0, 0, 0),
        (["CHAPTER I He ran.", "She sat", "down."], 1 / 2, 1 / 2, 1 / 2, 1 / 2, 0, 1),
        (["CHAPTER I", "He", "ran.", "She sat down."], 2 / 3, 1, 4 / 5, 0, 1 / 2, 0),
        (["CHAPTER I", '"He ran. She sat', 'down."'], 1 / 2, 1 / 2, 1 / 2, 1 / 2, 0, 0),
        (["CHAPTER", "I", "He ran.", "She sat down."], 2 / 3, 1, 4 / 5, 0, 0, 0),  # no sentence
        (["CHAPTER I He ran. She sat down."], 1, 0, 0, 0, 0, 1),  # nothing found, nothing wrong
    ],
)
def test_boundaries_are_judged_by_hand(
    script, rows, precision, recall, f1, at_lines, inside, headings
):
    assert script("books_quality").judge(UNITS, rows, LINES) == pytest.approx(
        {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "cut_at_lines": at_lines,
            "cut_inside": inside,
            "headings_joined": headings,
        }
    )


def test_rows_of_another_text_are_not_judged(script):
    with pytest.raises(SystemExit, match="at letter 15"):  # CHAPTERI Heran Sh|esatdown
        script("books_quality").judge(UNITS, ["CHAPTER I", "He ran.", "Sha sat down."], LINES)


def test_a_made_book_is_its_sentences_wrapped(script):
    made = script("books_made")
    words = ["the", "a", "house", "river", "mr", "of"]
    text, units = made.Author(words, seed=3).book(30_000)
    assert text.split() == " ".join(unit for _, unit in units).split()
    assert max(map(len, text.split("\n"))) == made.WIDTH
    assert {kind for kind, _ in units} == {"heading", "sentence"}
    assert not any(unit.endswith("mr.") for _, unit in units)
    assert made.Author(words, seed=3).book(30_000) == (text, units)
    assert made.Author(words, seed=4).book(30_000) != (text, units)


def test_a_line_is_cut_where_the_next_word_does_not_fit(script):
    made = script("books_made")
    full = "a" * 35 + " " + "b" * 36  # exactly the width
    assert made.wrapped(f"{full} c") == f"{full}\nc"
    assert made.wrapped(f"{full}b c") == f"{'a' * 35}\n{'b' * 37} c"


def test_a_repeated_book_keeps_its_lines_and_changes_a_word_in_five(script):
    made = script("books_made")
    words = [first + second for first in "abcdefghij" for second in "klmnopqrst"]
    text = "\n".join(["Mr. Bennet I", *(" ".join(words) for _ in range(50))])
    other = made.reworded(text, made.np.random.default_rng(0))
    assert [*map(len, other.split("\n"))] == [*map(len, text.split("\n"))]
    assert other.startswith("Mr. Bennet I\n")
    changed = sum(a != b for a, b in zip(text.split(), other.split(), strict=True))
    # 5,000 words, 0.2 exchanged, 0.99 of those for another: 990, σ = 28
    assert abs(changed - 990) < 5 * 28


def test_the_recipe_joins_lines_up_to_a_blank_one(script, tmp_path):
    book = tmp_path / "book.txt"
    book.write_text("One\n  two.\n\n \nThree\nfour", encoding="utf-8")
    peers = script("books_peers")
    assert list(peers.paragraphs(book)) == ["One two.", "Three four"]  # the last one too
    assert list(peers.lines(book)) == ["One", "two.", "Three", "four"]
    assert script("books_jobs").RECIPE == "blingfire, paragraphs"


def test_tools_are_compared_on_as_much_text_as_each_other(script):
    tables = script("books_tables")
    row = {"mb": 8, "cpu_s": 13, "startup_cpu_s": 3, "mb_per_cpu_s_without_startup": 0.8}
    assert tables.cpu_for(row, 8) == 13
    assert tables.cpu_for(row, 40) == pytest.approx(3 + 40 / 0.8)
    assert tables.cpu_for(row | {"mb_per_cpu_s_without_startup": None}, 40) is None
    assert tables.cpu_for(None, 40) is None
    assert tables.ratio(3, 2) == "1.50×"
    assert tables.ratio(3, None) == tables.ratio(None, 3) == "–"
