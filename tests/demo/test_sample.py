"""The embedded sample is what its sources say, in the official layout of a dump."""

from __future__ import annotations

import bz2
import hashlib
import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from transferset import demo

ROOT = Path(__file__).resolve().parents[2]
INDEX = "demowiki-20261101-pages-articles-multistream-index.txt.bz2"
EXPORT = "{http://www.mediawiki.org/xml/export-0.11/}"


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_build", ROOT / "tools/sample/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tree() -> ElementTree.Element:
    return ElementTree.fromstring(bz2.decompress(demo.path().read_bytes()))


def revisions(tree: ElementTree.Element) -> list[ElementTree.Element]:
    return tree.findall(f"{EXPORT}page/{EXPORT}revision")


def test_building_again_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = load_build()
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    dump, index = build.build(tmp_path)
    assert dump.read_bytes() == demo.path().read_bytes()
    assert index.read_bytes() == demo.path().with_name(INDEX).read_bytes()


def test_every_source_is_used_once() -> None:
    build = load_build()
    named = Counter(r.source for r in build.revisions() if r.source and r.source[0] != "#")
    folder = ROOT / "tools/sample"
    present = [p for d in ("articles", "pages") for p in (folder / d).iterdir()]
    assert named == Counter(p.relative_to(folder).as_posix() for p in present)


def test_the_index_points_at_streams_that_hold_their_pages() -> None:
    data = demo.path().read_bytes()
    lines = bz2.decompress(demo.path().with_name(INDEX).read_bytes()).decode().splitlines()
    entries = [line.split(":", 2) for line in lines]
    offsets = sorted({int(offset) for offset, _, _ in entries})
    assert len(offsets) > 5
    for offset in offsets:
        stream = bz2.BZ2Decompressor().decompress(data[offset:]).decode()
        found = re.findall(r"<title>(.*)</title>\n    <ns>\d+</ns>\n    <id>(\d+)</id>", stream)
        assert found == [(title, number) for at, number, title in entries if int(at) == offset]
    first = bz2.BZ2Decompressor().decompress(data).decode()
    assert first.endswith("</siteinfo>\n")


def test_bytes_and_sha1_of_every_text_are_right(tree: ElementTree.Element) -> None:
    for revision in revisions(tree):
        text = revision.find(f"{EXPORT}text")
        assert text is not None
        raw = (text.text or "").encode()
        assert text.get("bytes") == str(len(raw))
        digest = text.get("sha1") or ""
        assert len(digest) == 31
        assert int(digest, 36) == int.from_bytes(hashlib.sha1(raw).digest())
        assert revision.findtext(f"{EXPORT}sha1") == digest


def test_ids_rise_and_are_unique(tree: ElementTree.Element) -> None:
    pages = [int(page.findtext(f"{EXPORT}id") or 0) for page in tree.findall(f"{EXPORT}page")]
    assert pages == sorted(set(pages))
    numbers = [int(revision.findtext(f"{EXPORT}id") or 0) for revision in revisions(tree)]
    assert len(numbers) == len(set(numbers))


def test_it_contains_what_a_real_dump_contains(tree: ElementTree.Element) -> None:
    pages = tree.findall(f"{EXPORT}page")
    spaces = Counter(page.findtext(f"{EXPORT}ns") for page in pages)
    models = Counter(r.findtext(f"{EXPORT}model") for r in revisions(tree))
    redirects = [r.get("title") for r in tree.iter(f"{EXPORT}redirect")]
    assert spaces == {"0": 73, "1": 5, "2": 1, "10": 1, "828": 1}
    assert models == {"wikitext": 80, "Scribunto": 1, "json": 1}
    assert len(redirects) == 8
    assert {"Aurora", "Halley's Comet"} <= set(redirects)
    assert Counter(len(page.findall(f"{EXPORT}revision")) for page in pages) == {1: 80, 2: 1}
    assert sum(1 for r in revisions(tree) if not r.findtext(f"{EXPORT}text")) == 1


def test_it_is_small() -> None:
    assert demo.path().stat().st_size < 400_000


def test_the_licence_is_stated_beside_it() -> None:
    assert "CC0 1.0" in demo.path().with_name("README.md").read_text(encoding="utf-8")
