from __future__ import annotations

from dataclasses import replace

from row_sets import child_of, commit, make_rows, row

from transferset.manifest import MANIFEST
from transferset.report.relatives import find_parent
from transferset.shards import ShardSet


def family(folder, beside: bool = True):
    """A parent with a child, beside it or elsewhere."""
    parent = make_rows(folder / "parent", [row(5, 6)])
    place = folder if beside else folder / "elsewhere"
    return parent, make_rows(place / "child", [row(6, 5)], parents=[child_of(parent)])


def test_the_parent_is_found_beside_its_child(tmp_path):
    parent, child = family(tmp_path)
    found = find_parent(child)
    assert found is not None
    assert found.manifest.digest == parent.manifest.digest


def test_the_parent_is_found_among_the_sets_given(tmp_path):
    parent, child = family(tmp_path, beside=False)
    assert find_parent(child) is None
    assert find_parent(child, [child, parent]) is parent


def test_the_folder_of_the_child_may_be_named_in_any_way(tmp_path, monkeypatch):
    _, child = family(tmp_path)
    monkeypatch.chdir(child.root)
    found = find_parent(ShardSet.open("."))
    assert found is not None
    assert found.root.name == "parent"


def test_a_set_that_was_built_has_no_parent(tmp_path):
    parent, _ = family(tmp_path)
    assert find_parent(parent) is None


def test_sets_that_were_mixed_have_no_single_parent(tmp_path):
    parent, child = family(tmp_path)
    parts = [{**child_of(parent), "role": "part"}]
    assert find_parent(commit(child.root, replace(child.manifest, parents=parts))) is None


def test_another_set_of_the_same_name_is_not_the_parent(tmp_path):
    parent, child = family(tmp_path)
    commit(parent.root, replace(parent.manifest, seed=1))
    assert find_parent(child) is None


def test_damaged_siblings_are_passed_over(tmp_path):
    _, child = family(tmp_path)
    for name, content in (("a", b"{"), ("b", b"\xff"), ("zz", b"[" * 100_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST).write_bytes(content)
    (tmp_path / "c" / MANIFEST).mkdir(parents=True)
    (tmp_path / "d").symlink_to(tmp_path / "nowhere")
    found = find_parent(child)
    assert found is not None
    assert found.root.name == "parent"


def test_a_parent_whose_rows_are_gone_is_not_found(tmp_path):
    parent, child = family(tmp_path)
    next(parent.root.glob("*.arrow")).unlink()
    assert find_parent(child) is None


def test_a_digest_that_is_none_is_not_looked_for(tmp_path):
    _, child = family(tmp_path)
    for parents in ([{"role": "source", "name": "x"}], [{"role": 7, "name": "x"}]):
        assert find_parent(commit(child.root, replace(child.manifest, parents=parents))) is None
