"""What a user writes as SOURCE becomes local files that are what they should be."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Stage, cut_after, serving, status

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.sources.local import LocalFile
from transferset.sources.resolve import resolve_source

CONTENT = b"BZh9 not really a dump" * 1000
NAME = "simplewiki-20261101-pages-articles-multistream.xml.bz2"
FOLDER = "/simplewiki/20261101"


@pytest.fixture
def stage() -> Iterator[Stage]:
    sha1 = hashlib.sha1(CONTENT).hexdigest()
    files = {NAME: {"size": len(CONTENT), "url": f"{FOLDER}/{NAME}", "sha1": sha1}}
    listing = {"jobs": {"articlesmultistreamdump": {"status": "done", "files": files}}}
    with serving() as stage:
        stage.files["/simplewiki/"] = b'<a href="20261101/">20261101/</a>'
        stage.files[f"{FOLDER}/dumpstatus.json"] = json.dumps(listing).encode()
        stage.files[f"{FOLDER}/{NAME}"] = CONTENT
        yield stage


def manifest(folder: Path, parts: str, rules: str = "") -> str:
    path = folder / "mine.toml"
    head = '[corpus]\nname = "mine"\ntitle = "Mine"\nlanguage = "de"\nlicence = "CC0"\n'
    path.write_text(f"{head}{rules}\n{parts}")
    return str(path)


def test_a_dump_file_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text("<mediawiki/>")
    assert resolve_source(str(path), cache=tmp_path / "cache") == [LocalFile(path)]
    assert not (tmp_path / "cache").exists()


def test_a_wiki_at_a_date(stage: Stage, tmp_path: Path) -> None:
    seen: list[int] = []
    [file] = resolve_source(
        "simplewiki@20261101",
        cache=tmp_path,
        mirror=stage.root,
        contact="me@example.org",
        progress=lambda _name, there, _total: seen.append(there),
    )
    assert file == LocalFile(
        path=tmp_path / "wikimedia/simplewiki/20261101" / NAME,
        url=f"{stage.root}{FOLDER}/{NAME}",
        licence="CC BY-SA 4.0 and GFDL",
        digests={"sha1": hashlib.sha1(CONTENT).hexdigest()},
        date="20261101",
        wiki="simplewiki",
    )
    assert file.path.read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT)
    assert {asked.headers["user-agent"] for asked in stage.asked} == {
        stage.asked[0].headers["user-agent"]
    }
    assert "me@example.org" in stage.asked[0].headers["user-agent"]


def test_the_second_time_nothing_is_asked_for(stage: Stage, tmp_path: Path) -> None:
    first = resolve_source("simplewiki@20261101", cache=tmp_path, mirror=stage.root)
    asked = len(stage.asked)
    assert resolve_source("simplewiki@20261101", cache=tmp_path, mirror=stage.root) == first
    assert (asked, len(stage.asked)) == (2, 2)
    first[0].path.write_bytes(CONTENT[:-1] + b"!")  # damaged: asked for again
    assert resolve_source("simplewiki@20261101", cache=tmp_path, mirror=stage.root) == first
    assert first[0].path.read_bytes() == CONTENT


def test_latest_is_recorded_as_its_date(stage: Stage, tmp_path: Path) -> None:
    [file] = resolve_source("simplewiki@latest", cache=tmp_path, mirror=stage.root)
    assert file.date == "20261101"


def test_an_interrupted_dump_is_resumed(stage: Stage, tmp_path: Path) -> None:
    listing_first = cut_after(10**9)
    stage.script.extend([listing_first, cut_after(9000), status(403)])
    with pytest.raises(TransfersetError, match="403"):
        resolve_source("simplewiki@20261101", cache=tmp_path, mirror=stage.root)
    [file] = resolve_source("simplewiki@20261101", cache=tmp_path, mirror=stage.root)
    assert file.path.read_bytes() == CONTENT
    assert stage.ranges[-1] == "bytes=9000-"


def test_a_manifest_of_all_kinds(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "own.xml").write_bytes(b"own")
    stage.files["/far.xml"] = b"far"
    far, own = hashlib.sha256(b"far").hexdigest(), hashlib.sha256(b"own").hexdigest()
    source = manifest(
        tmp_path,
        f'[[part]]\npath = "own.xml"\nsize = 3\nsha256 = "{own}"\n'
        f'[[part]]\nurl = "{stage.root}/far.xml"\nsha256 = "{far}"\nlicence = "CC BY 4.0"\n'
        '[[part]]\nwiki = "simplewiki"\ndate = "latest"\n',
    )
    files = resolve_source(source, cache=tmp_path / "cache", mirror=stage.root)
    assert [file.path.name for file in files] == ["own.xml", "far.xml", NAME]
    assert [file.licence for file in files] == ["CC0", "CC BY 4.0", "CC0"]
    assert [file.language for file in files] == ["de"] * 3
    assert [file.date for file in files] == [None, None, "20261101"]
    assert files[1].path == tmp_path / "cache/corpora/mine/far.xml"
    assert files[1].digests == {"sha256": far}
    assert [file.path.read_bytes() for file in files] == [b"own", b"far", CONTENT]


@pytest.mark.parametrize("stated", ["size = 4", f'sha256 = "{"0" * 64}"'])
def test_a_local_file_that_is_not_the_stated_one(tmp_path: Path, stated: str) -> None:
    (tmp_path / "own.xml").write_bytes(b"own")
    source = manifest(tmp_path, f'[[part]]\npath = "own.xml"\n{stated}')
    with pytest.raises(InputError, match=r"own\.xml; get the right file"):
        resolve_source(source, cache=tmp_path)


def test_a_local_file_that_is_missing(tmp_path: Path) -> None:
    source = manifest(tmp_path, '[[part]]\npath = "own.xml"')
    with pytest.raises(UsageError, match="no such file"):
        resolve_source(source, cache=tmp_path)


def test_a_manifest_cannot_vouch_for_a_private_server(stage: Stage, tmp_path: Path) -> None:
    rules = f'[retrieval]\nmirror = "{stage.root}"'
    by_rule = manifest(tmp_path, '[[part]]\nwiki = "simplewiki"\ndate = "latest"', rules)
    with pytest.raises(UsageError, match="--mirror"):
        resolve_source(by_rule, cache=tmp_path)
    digest = hashlib.sha256(CONTENT).hexdigest()
    by_part = manifest(tmp_path, f'[[part]]\nurl = "{stage.root}/x.bz2"\nsha256 = "{digest}"')
    with pytest.raises(UsageError, match="--mirror"):
        resolve_source(by_part, cache=tmp_path)
    assert stage.asked == []


def test_a_wrong_checksum_is_exit_code_3_and_leaves_no_dump(stage: Stage, tmp_path: Path) -> None:
    stage.files[f"{FOLDER}/{NAME}"] = CONTENT[:-1] + b"!"
    with pytest.raises(InputError) as error:
        resolve_source("simplewiki@20261101", cache=tmp_path, mirror=stage.root)
    assert error.value.exit_code == 3
    assert not (tmp_path / "wikimedia/simplewiki/20261101" / NAME).exists()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("simplewiki", "write simplewiki@latest"),
        ("nowhere/x.xml", "no such file"),
        ("x.xml.bz2", "no such file"),
        ("", "a folder"),
        ("what is this", "a corpora manifest"),
        ("no.toml", "a corpora manifest"),
        ("simplewiki@yesterday", "a date YYYYMMDD"),
        ("x" * 5000, "a corpora manifest"),
        ("a\0b", "a corpora manifest"),
    ],
)
def test_other_sources_are_usage_errors(source: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=expected):
        resolve_source(source, cache=tmp_path)


def test_a_folder_is_not_a_source(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file in it"):
        resolve_source(str(tmp_path), cache=tmp_path)


def test_without_network_the_error_comes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> object:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(TransfersetError, match="no address for the host") as error:
        resolve_source("simplewiki@latest", cache=tmp_path)
    assert error.value.exit_code == 1
