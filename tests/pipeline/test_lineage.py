"""What a manifest remembers of the sets that a set comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from sets import make_set

import transferset
from transferset import Sample, Shuffle
from transferset.manifest import Manifest
from transferset.pipeline.generations import known_generation
from transferset.pipeline.lineage import MOST_ANCESTORS, ancestors
from transferset.report.lineage import lineage


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("corpus") / "set", [50])


def child(name, *parents, role="part"):
    """A manifest of a set made from others, as the pipeline would write it."""
    told = ancestors([(parent, role) for parent in parents])
    made = replace(parents[0], name=name, op="mix", parents=told)
    return Manifest.from_bytes(made.to_bytes(), "here")


def mentions(entries, depth=1):
    """All entries, depth first, with their depth."""
    for entry in entries:
        yield depth, entry
        yield from mentions(entry["parents"], depth + 1)


def test_diamonds_do_not_double_a_manifest(corpus):
    # each mix has the one before twice, by two ways: 2**12 mentions if all of them stood there
    made, sizes = corpus.manifest, []
    for i in range(12):
        made = child(f"m{i}", child(f"left{i}", made), child(f"right{i}", made))
        sizes.append(len(made.to_bytes()))
    growth = [b - a for a, b in pairwise(sizes)]
    # by two sets and a mention, which stand the further to the right the higher the tower is
    assert max(growth) < 12_000
    assert known_generation(made) == 24


def test_each_ancestor_stands_in_full_once_where_it_is_met_first(corpus):
    base = corpus.manifest
    left, right = child("left", base), child("right", base)
    both = child("both", left, right, base)
    told = [(entry["name"], "params" in entry) for _, entry in mentions(both.parents)]
    assert told == [
        ("left", True), ("toy", True), ("right", True), ("toy", False), ("toy", True),
    ]  # fmt: skip
    short = both.parents[1]["parents"][0]
    assert short == {
        "role": "part", "digest": base.digest, "name": "toy", "op": "test", "generation": 0,
        "parents": [],
    }  # fmt: skip
    direct = both.parents[2]
    assert direct["totals"] == base.totals, "a parent itself is told of in any case"


def test_nothing_is_lost_where_the_first_mention_was_a_short_one(corpus):
    # the mix of a mix: what is short in one parent's manifest is in full in the other's
    base, other = corpus.manifest, replace(corpus.manifest, name="other")
    left, right = child("left", base), child("right", base)
    both = child("both", left, right)
    last = child("last", child("first", other, both), right)
    full = [e["name"] for _, e in mentions(last.parents) if "params" in e]
    assert sorted(full) == ["both", "first", "left", "other", "right", "right", "toy"]
    seen = set()
    for _, entry in mentions(last.parents):
        assert entry["digest"] in seen or "params" in entry
        seen.add(entry["digest"])


def test_the_number_of_ancestors_is_bounded_and_near_ones_stay(corpus):
    many = [
        child(f"p{i}", *(replace(corpus.manifest, name=f"g{i}.{k}") for k in range(40)))
        for i in range(40)
    ]
    made = child("all", *many)
    depths = [depth for depth, _ in mentions(made.parents)]
    assert depths.count(1) == 40
    assert depths.count(2) == MOST_ANCESTORS
    last = child("last", made)
    depths = [depth for depth, _ in mentions(last.parents)]
    assert (depths.count(1), depths.count(2), depths.count(3)) == (1, 40, MOST_ANCESTORS - 40)


def test_a_long_line_is_cut_but_its_generations_are_not(corpus):
    made = corpus.manifest
    for i in range(60):
        made = child(f"d{i}", made, role="source")
    assert known_generation(made) == 60
    assert max(depth for depth, _ in mentions(made.parents)) <= 51
    assert made.parents[0]["generation"] == 59


def test_a_stranger_cannot_speak_for_a_set_that_is_here(corpus):
    lie = {
        "role": "part", "digest": corpus.manifest.digest, "name": "a lie", "params": {},
        "parents": [{"name": "another", "digest": "0", "parents": []}],
    }  # fmt: skip
    stranger = replace(corpus.manifest, name="stranger", parents=[lie])
    told = ancestors([(corpus.manifest, "part"), (stranger, "part")])
    assert told[0]["name"] == "toy"
    assert told[0]["parents"] == []
    assert [e["name"] for _, e in mentions(told[1]["parents"])] == ["a lie"]


@pytest.mark.parametrize(
    "parents",
    [
        [{"name": "a", "parents": {"not": "a list"}}],
        [{"name": "a", "parents": [1, None, "x", {"parents": [{}]}]}],
        [{"name": "a", "digest": 7}, {"name": "b", "digest": ["x"]}],
        # two that claim to come from each other
        [{"name": "a", "digest": "1", "parents": [{"digest": "2", "parents": [{"digest": "1"}]}]}],
    ],
)
def test_lineages_of_strangers_do_no_harm(corpus, parents):
    strange = replace(corpus.manifest, parents=parents)
    told = ancestors([(strange, "source"), (strange, "fit")])
    assert len(json.dumps(told)) < 5000
    assert [entry["role"] for entry in told] == ["source", "fit"]


def test_a_deep_lineage_of_a_stranger_is_read_in_time(corpus):
    deep = {"name": "end", "parents": []}
    for i in range(150):
        deep = {"name": f"n{i}", "digest": str(i), "parents": [deep]}
    told = ancestors([(replace(corpus.manifest, parents=[deep]), "source")])
    assert told[0]["generation"] == 151
    assert max(depth for depth, _ in mentions(told)) <= 51


def test_a_report_finds_the_whole_lineage_of_a_mix_of_relatives(corpus, tmp_path):
    small = transferset.derive(corpus.root, tmp_path / "s", steps=[Sample("50%")], workers=1)
    noisy = transferset.derive(small.root, tmp_path / "n", steps=[Shuffle()], workers=1)
    mixed = transferset.mix([noisy.root, small.root, corpus.root], tmp_path / "m", workers=1)
    graph = lineage([mixed])
    digests = {one.manifest.digest for one in (corpus, small, noisy, mixed)}
    assert set(graph.nodes) == digests
    assert all(graph.nodes[one.manifest.digest].totals["rows"] for one in (corpus, small, noisy))
    assert graph.nodes[corpus.manifest.digest].origins
