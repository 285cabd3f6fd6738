"""No command writes onto, around or into a set that it reads; names from sets are no paths."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sets import make_set

import transferset
from transferset import Generate, Sample, Shuffle, Split, UsageError, cli
from transferset.manifest import MANIFEST
from transferset.pipeline.places import folder_name
from transferset.verification import verify


@pytest.fixture
def parted(tmp_path):
    """A split set, `x/train` and `x/dev`."""
    src = make_set(tmp_path / "src", [600])
    return transferset.derive(
        src.root, tmp_path / "x", steps=[Split("train=0.8,dev=0.2")], workers=1
    )


@pytest.fixture
def two(tmp_path):
    return make_set(tmp_path / "a", [300]), make_set(tmp_path / "b", [200])


def bytes_of(root):
    return {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and "_run" not in p.parts}


@pytest.mark.parametrize("force", [False, True])
def test_a_split_does_not_replace_the_split_that_it_is_made_from(parted, tmp_path, force):
    before = bytes_of(tmp_path)
    for steps in ([Split("train=0.5,dev=0.5")], [Split("more=0.5,rest=0.5")], [Shuffle()]):
        with pytest.raises(UsageError, match=r"a place that (is|holds) .*train, which is read"):
            transferset.derive(
                parted["train"].root, tmp_path / "x", steps=steps, workers=1, force=force
            )
    assert bytes_of(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
def test_a_fit_is_not_written_over(parted, two, tmp_path, force):
    src, fit = two
    before = bytes_of(tmp_path)
    for place, of, steps in (
        (fit.root, fit.root, [Generate()]),
        (fit.root / "inside", fit.root, [Generate()]),
        (tmp_path / "x", parted["dev"].root, [Generate(), Split("train=0.5,dev=0.5")]),
    ):
        with pytest.raises(UsageError, match="--out beside the parents"):
            transferset.derive(src.root, place, steps=steps, fit=of, workers=1, force=force)
    assert bytes_of(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
def test_no_set_of_a_mix_is_written_over(two, tmp_path, force):
    before = bytes_of(tmp_path)
    for place in (two[1].root, two[1].root / "inside", tmp_path, two[0].root / ".." / "b"):
        with pytest.raises(UsageError, match="--out beside the parents"):
            transferset.mix([one.root for one in two], place, workers=1, force=force)
    assert bytes_of(tmp_path) == before


def test_links_do_not_hide_a_parent(two, tmp_path):
    (tmp_path / "link").symlink_to(two[0].root)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(two[0].root)
    for place, steps in (("link", [Shuffle()]), ("out", [Split("a=0.5,b=0.5")])):
        with pytest.raises(UsageError, match="beside the parents"):
            transferset.derive(two[0].root, tmp_path / place, steps=steps, workers=1, force=True)
    verify(two[0].root)


def test_a_set_beside_its_parent_is_no_harm(parted, tmp_path):
    found = transferset.derive(
        parted["train"].root, tmp_path / "x" / "small", steps=[Sample("10%")], workers=1
    )
    verify(found.root)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "table",
    [
        'command = "derive"\nfrom = "a"\nfit = "out/g"\nsteps = [{generate = "100%"}]',
        'command = "derive"\nfrom = "out/g"\nsteps = [{shuffle = true}]',
        'command = "mix"\nfrom = ["a:0.5", "out/g:0.5"]',
        # an earlier job would destroy what a later one reads
        'command = "derive"\nfrom = "a"\nsteps = [{shuffle = true}]\n'
        '[set.h]\ncommand = "derive"\nfrom = "out/g"\nsteps = [{shuffle = true}]',
    ],
)
def test_a_run_makes_nothing_where_a_place_is_read(two, tmp_path, table, force):
    shutil.copytree(two[1].root, tmp_path / "out" / "g")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"[set.g]\n{table}\n")
    before = bytes_of(tmp_path)
    with pytest.raises(UsageError, match="--out beside the parents"):
        transferset.run(recipe, tmp_path / "out", force=force, workers=1)
    assert bytes_of(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("wiki-demo@2026+x=1_a.b", "wiki-demo@2026+x=1_a.b"),
        ("../../etc", "-..-etc"),
        ("/etc/passwd", "-etc-passwd"),
        ("..", "set"),
        ("", "set"),
        (".hidden", "hidden"),
        ("a\x1b[31m\n\0b", "a--31m--b"),
        ("x" * 400, "x" * 100),
        ("é" * 200, "-" * 100),
    ],
)
def test_a_name_becomes_one_plain_folder(name, folder):
    assert folder_name(name) == folder


def test_a_hostile_name_leads_nowhere_and_is_not_printed(two, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    manifest = replace(two[0].manifest, name="../../\x1b[31mevil")
    (two[0].root / MANIFEST).write_bytes(manifest.to_bytes())
    assert cli.run(["derive", "a", "--shuffle"]) == 0
    assert [p.name for p in (tmp_path / "sets").iterdir()] == ["-..---31mevil-shuffle"]
    odd = tmp_path / "o\x1b[31m"
    assert cli.run(["derive", "a", "--shuffle", "--out", str(odd)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert odd.is_dir()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["mix"], "expected sets to mix, found none; write transferset mix"),
        (["derive", "a", "--split", "train"], "like train=0.98,validation=0.02, found train"),
        (["derive", "a", "--split", ""], "like train=0.98,validation=0.02, found nothing"),
        (["derive", "a", "--shuffle", "--out", "x" * 300], "--out as a path, found File name too"),
        (["mix", "a", "b", "--out", "x" * 300], "--out as a path, found File name too"),
        (["run", "r.toml", "--out", "x" * 300], "--out as a path, found File name too"),
    ],
)
def test_what_is_no_request_gets_one_clear_sentence(
    two, tmp_path, monkeypatch, capsys, command, message
):
    monkeypatch.chdir(tmp_path)
    Path("r.toml").write_text('[set.s]\ncommand = "derive"\nfrom = "a"\nsteps = [{shuffle = true}]')
    assert cli.run(command) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Errno" not in said
    assert said.count("\n") == 1
