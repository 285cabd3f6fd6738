from __future__ import annotations

import dataclasses
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reading import Page
from report_sets import ORIGIN, as_parent, thesis_sets, write_rows

from transferset.report import rails
from transferset.report.figures import NARROW, WIDE
from transferset.report.lineage import Lineage, Node, abridged, lineage
from transferset.shards import ShardSet


@pytest.fixture(scope="module")
def thesis(tmp_path_factory) -> list[ShardSet]:
    return thesis_sets(tmp_path_factory.mktemp("thesis"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> ShardSet:
    return write_rows(tmp_path_factory.mktemp("plain") / "plain", [[2, 9, 3]])


def with_parents(one: ShardSet, parents: list[object], **changes: object) -> ShardSet:
    return ShardSet(one.root, replace(one.manifest, parents=parents, **changes))


def titles(graph: Lineage) -> list[str]:
    return [entry.title for entry in rails.entries(graph)[0]]


def test_ancestors_stand_above_and_each_set_stands_once(thesis):
    assert titles(lineage(thesis)) == [ORIGIN["file"], "corpus", "natural-10", "shuffled-10",
                                       "generated-10"]  # fmt: skip


def test_ancestors_come_from_the_manifest_alone(thesis):
    graph = lineage(thesis[2:3])
    assert titles(graph) == [ORIGIN["file"], "corpus", "natural-10", "shuffled-10"]
    assert [node.number for node in graph.nodes.values()] == [None, None, 1]
    (origin,) = graph.origins
    assert (origin.url, origin.licence) == (ORIGIN["url"], ORIGIN["licence"])
    assert origin.digest == "SHA-1 " + "ab" * 20  # the publisher's, which others can look up


def test_sources_that_a_child_repeats_are_not_its_own(thesis):
    child = with_parents(thesis[0], [as_parent(thesis[0])], name="child")
    nodes = lineage([child]).nodes.values()
    assert [len(node.origins) for node in nodes] == [1, 0]


def chain(length: int) -> dict[str, object]:
    """An ancestry of sets, each made from the one before."""
    entry: dict[str, object] = {"name": "first", "digest": "d0", "parents": [], "op": "build wiki"}
    for i in range(1, length):
        entry = {"name": f"set {i}", "digest": f"d{i}", "parents": [entry], "op": "derive"}
    return entry


def test_ten_thousand_generations_are_walked_and_drawn_as_a_gap(plain):
    start = time.process_time()
    graph = lineage([with_parents_unhashed(plain, [chain(10_000)])])
    assert len(graph.nodes) == 10_001
    assert titles(graph) == ["first", "… 9,999 sets in between", "plain"]
    assert len(str(rails.draw(graph))) < 10_000
    assert time.process_time() - start < 5


def test_a_set_that_is_its_own_ancestor_loses_that_link(plain):
    loop = {"name": "b", "digest": "b", "parents": [{"name": "a", "digest": "a", "parents": []}]}
    top = {"name": "a", "digest": "a", "parents": [loop]}
    graph = lineage([with_parents(plain, [top])])
    assert graph.cycles == 1
    assert titles(graph) == ["b", "a", "plain"]


def test_an_ancestor_may_have_many_children_and_parents(plain):
    # every generation has two sets, each made from both of the one before: 2**40 ways up
    left, right = ({"name": n, "digest": n, "parents": []} for n in "ab")
    for i in range(40):
        left, right = (
            {"name": f"{n}{i}", "digest": f"{n}{i}", "parents": [left, right]} for n in "ab"
        )
    graph = lineage([with_parents_unhashed(plain, [left, right])])
    assert len(graph.nodes) == 83
    listing, left_out = rails.entries(graph)
    assert len(listing) == rails.MOST_DRAWN
    assert left_out == 83 - rails.MOST_DRAWN
    assert listing[-1].title == "plain"


def with_parents_unhashed(one: ShardSet, parents: list[object]) -> ShardSet:
    """For ancestries that JSON could not hold: too deep, or one object many times."""

    class Unhashed(type(one.manifest)):
        digest = property(lambda self: "unhashed")

    fields = {it.name: getattr(one.manifest, it.name) for it in dataclasses.fields(one.manifest)}
    return ShardSet(one.root, Unhashed(**{**fields, "parents": parents}))


def test_a_mix_of_hundreds_keeps_the_nearest(plain):
    parts = [{"name": f"part {i}", "digest": f"p{i}", "role": "part"} for i in range(300)]
    listing, left_out = rails.entries(lineage([with_parents(plain, parts)]))
    assert (len(listing), left_out) == (rails.MOST_DRAWN, 301 - rails.MOST_DRAWN)


def test_gaps_stand_for_as_many_sets_as_they_say():
    nodes = {"0": Node("0", "0", "", {}, {}, "")}
    for i in range(1, 60):
        nodes[str(i)] = Node(str(i), str(i), "", {}, {}, "", parents={str(i - 1): ""})
    for name, parent in (("x", "30"), ("y", "59")):
        nodes[name] = Node(name, name, "", {}, {}, "", number=1, parents={parent: ""})
    drawn, left_out = abridged(Lineage(nodes), 40)
    assert left_out == 0
    assert [(node.name, node.hidden) for node in drawn] == [
        ("0", 0), ("", 29), ("30", 0), ("", 29), ("x", 0), ("y", 0),
    ]  # fmt: skip
    assert sum(node.hidden or 1 for node in drawn) == len(nodes)


def test_many_files_become_one_line(plain):
    sources = [{**ORIGIN, "code": i, "file": f"part{i}.bz2"} for i in range(70)]
    one = ShardSet(plain.root, replace(plain.manifest, sources=sources))
    listing, _ = rails.entries(lineage([one]))
    assert [entry.title for entry in listing] == ["70 files, 118.7\u00a0MB", "plain"]


def test_rails_never_lie_on_each_other(thesis):
    """Corpus 1 with samples 2 and 3, a child of 2, and a mix of 1 and 3."""
    parents = {"1": [], "2": ["1"], "4": ["2"], "3": ["1"], "5": ["1", "3"]}
    nodes = {
        key: Node(key, key, "", {}, {}, "", parents=dict.fromkeys(above, ""))
        for key, above in parents.items()
    }
    listing, _ = rails.entries(Lineage(nodes))
    # 1 keeps its rail down to its last child 5; 2 hands its own on to 4, 3 to 5
    assert rails._lanes(listing) == {"1": 0, "2": 1, "4": 1, "3": 1, "5": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "digest", "op", "params", "totals", "rows", "parents", "sources", "role",
             "url", "file", "ledger", "count", "unit", "reason", "published", "steps", "licence"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(["parents", "sources", "totals"]), JSON)))
def test_ancestors_of_any_shape_are_drawn(plain, parents):
    entries = [{"name": "x", **entry} for entry in parents]
    graph = lineage([with_parents_unhashed(plain, entries)])
    for width in (WIDE, NARROW):
        Page(rails.draw(graph, width))
