"""A wiki at a date becomes the checked list of its dump's files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.sources.wikimedia import (
    LICENCE,
    WikiDump,
    dates_of,
    is_wiki,
    licence_of,
    parse_wiki,
    resolve_wiki,
)

ROOT = "https://dumps.wikimedia.org"
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
NAME = "simplewiki-20261101-pages-articles-multistream.xml.bz2"
INDEX = "simplewiki-20261101-pages-articles-multistream-index.txt.bz2"


def facts(name: str, **changes: object) -> dict[str, Any]:
    wiki, date = name.split("-")[:2]
    return {"size": 7, "url": f"/{wiki}/{date}/{name}", "md5": "0" * 32, "sha1": SHA1} | changes


def listing(*names: str, job: str = "articlesmultistreamdump", status: str = "done") -> str:
    files = {name: facts(name) for name in names}
    job_facts = {"status": status, "updated": "2026-11-02 10:37:39", "files": files}
    return json.dumps(
        {"version": "0.8", "jobs": {"xmlstubsdump": {"status": "done"}, job: job_facts}}
    )


class Mirror:
    def __init__(self, **documents: str) -> None:
        self.documents = {f"{ROOT}/{path}": text for path, text in documents.items()}
        self.asked: list[str] = []

    def __call__(self, url: str) -> str | None:
        self.asked.append(url)
        return self.documents.get(url)


def resolve(text: str, source: str = "simplewiki@20261101") -> WikiDump:
    return resolve_wiki(source, fetch=lambda _: text)


def with_file(name: str = NAME, **changes: object) -> str:
    files = {name: facts(NAME) | changes}
    return json.dumps({"jobs": {"articlesmultistreamdump": {"status": "done", "files": files}}})


def test_a_small_wiki_is_one_file() -> None:
    mirror = Mirror(**{"simplewiki/20261101/dumpstatus.json": listing(NAME, INDEX)})
    dump = resolve_wiki("simplewiki@20261101", fetch=mirror)
    assert (dump.wiki, dump.date, dump.job) == ("simplewiki", "20261101", "articlesmultistreamdump")
    [file] = dump.files
    assert file.url == f"{ROOT}/simplewiki/20261101/{NAME}"
    assert (file.name, file.size, dict(file.digests)) == (NAME, 7, {"sha1": SHA1})
    assert dump.licence == "CC BY-SA 4.0 and GFDL"
    assert len(mirror.asked) == 1


def test_a_large_wiki_is_its_parts_in_page_order() -> None:
    ends = ["1.xml-p1p41242", "2.xml-p41243p151573", "10.xml-p4045403p5399366"]
    ends += ["27.xml-p71000000p72000000", "27.xml-p9000000p9000001"]
    pages = [f"enwiki-20261101-pages-articles-multistream{end}.bz2" for end in ends]
    index = "enwiki-20261101-pages-articles-multistream-index1.txt-p1p41242.bz2"
    dump = resolve(listing(index, *reversed(pages)), "enwiki@20261101")
    assert [file.name for file in dump.files] == [*pages[:3], pages[4], pages[3]]


def test_the_plain_dump_is_taken_when_multistream_is_not_done() -> None:
    jobs = json.loads(listing(NAME, status="in-progress"))["jobs"]
    plain = "simplewiki-20261101-pages-articles.xml.bz2"
    jobs |= json.loads(listing(plain, job="articlesdump"))["jobs"]
    dump = resolve(json.dumps({"jobs": jobs}))
    assert [file.name for file in dump.files] == [plain]
    assert dump.job == "articlesdump"


def test_multistream_is_preferred() -> None:
    jobs = json.loads(listing("simplewiki-20261101-pages-articles.xml.bz2", job="articlesdump"))
    jobs["jobs"] |= json.loads(listing(NAME))["jobs"]
    assert resolve(json.dumps(jobs)).files[0].name == NAME


def test_a_mirror_below_a_path() -> None:
    asked: list[str] = []

    def fetch(url: str) -> str:
        asked.append(url)
        return listing(NAME)

    mirror = "https://mirror.example/pub/wikimedia/"
    [file] = resolve_wiki("simplewiki@20261101", mirror=mirror, fetch=fetch).files
    assert asked == [f"{mirror}simplewiki/20261101/dumpstatus.json"]
    assert file.url == f"{mirror}simplewiki/20261101/{NAME}"


def test_latest_is_the_newest_date_that_is_done_and_its_date_is_recorded() -> None:
    index = "".join(
        f'<a href="{to}">{to}</a>'
        for to in ("../", "20261020/", "20261101/", "20261120/", "20269999/", "latest/")
    )
    running = listing("simplewiki-20261120-pages-articles-multistream.xml.bz2", status="waiting")
    mirror = Mirror(
        **{
            "simplewiki/": index,
            "simplewiki/20261120/dumpstatus.json": running,
            "simplewiki/20261101/dumpstatus.json": listing(NAME),
        }
    )
    assert resolve_wiki("simplewiki@latest", fetch=mirror).date == "20261101"
    assert [url.removeprefix(f"{ROOT}/simplewiki/") for url in mirror.asked] == [
        "",
        "20261120/dumpstatus.json",
        "20261101/dumpstatus.json",
    ]


def test_latest_does_not_ask_for_ever() -> None:
    index = "".join(f'<a href="2026{month:02}01/">' for month in range(1, 13))
    mirror = Mirror(**{"simplewiki/": index})
    with pytest.raises(InputError, match="expected a finished article dump, found none among"):
        resolve_wiki("simplewiki@latest", fetch=mirror)
    assert len(mirror.asked) == 7


def test_index_pages_of_several_servers() -> None:
    nginx = '<a href="20261101/">20261101/</a>   02-Nov-2026 10:00    -'
    apache = '<td><a href="20261020/">20261020/</a></td>'
    bare = "<li><a href='./20261001'>20261001</a>"
    other = '<a href="/enwiki/20260101/x.bz2"> 20260202 <a href="20261332/">'
    assert dates_of(nginx + apache + bare + other) == ["20261101", "20261020", "20261001"]


def test_an_unknown_wiki_is_a_usage_error_that_says_what_codes_look_like() -> None:
    with pytest.raises(UsageError, match="codes look like enwiki"):
        resolve_wiki("simplwiki@latest", fetch=Mirror())


def test_an_unknown_date_says_where_dates_are_listed() -> None:
    with pytest.raises(UsageError, match=r"see https://dumps\.wikimedia\.org/simplewiki/"):
        resolve_wiki("simplewiki@20200101", fetch=Mirror())


def test_a_dump_in_progress_is_not_taken() -> None:
    with pytest.raises(InputError, match="wait, name an earlier date, or write simplewiki@latest"):
        resolve(listing(NAME, status="in-progress"))


@pytest.mark.parametrize(
    "source",
    [
        "simplewiki",
        "@latest",
        "simplewiki@",
        "simplewiki@2026",
        "simplewiki@20261301",
        "Simple@latest",
        "zh-min-nan@latest",
        "a/b@latest",
        "../x@20261101",
        "simplewiki@newest",
        "simplewiki@20261101\n",
        "simplewiki@٢٠٢٦١١٠١",
    ],
)
def test_misspelt_sources_are_usage_errors_and_nothing_is_asked(source: str) -> None:
    mirror = Mirror()
    with pytest.raises(UsageError):
        resolve_wiki(source, fetch=mirror)
    assert mirror.asked == []


@pytest.mark.parametrize(
    "mirror",
    ["ftp://x.example", "x.example", "", "https://u:p@x.example", "https://x.example/?a=1"],
)
def test_a_mirror_is_a_plain_address(mirror: str) -> None:
    with pytest.raises(UsageError, match="http or https"):
        resolve_wiki("simplewiki@20261101", mirror=mirror, fetch=Mirror())


def test_forms() -> None:
    assert is_wiki("simplewiki@latest")
    assert not is_wiki("dumps/simplewiki@latest")
    assert not is_wiki("simplewiki.xml.bz2")
    assert parse_wiki("be_x_oldwiki@20261101") == ("be_x_oldwiki", "20261101")


def test_licences_by_project() -> None:
    assert licence_of("enwiktionary") == LICENCE
    assert licence_of("dewikivoyage") == "CC BY-SA 4.0"
    assert "legal.html" in licence_of("enwikinews")


@pytest.mark.parametrize(
    "size",
    [
        "-1",
        "1099511627777",
        "1.5",
        '"7"',
        "null",
        "true",
        "[]",
        pytest.param("9" * 5000, id="huge"),
    ],
)
def test_impossible_sizes_are_refused(size: str) -> None:
    assert resolve(with_file(size=1)).files[0].size == 1
    with pytest.raises(InputError):
        resolve(with_file(size=1).replace('"size": 1', f'"size": {size}'))


@pytest.mark.parametrize("sha1", ["", SHA1[:-1], SHA1 + "0", "g" * 40, SHA1.upper(), None, 5])
def test_impossible_digests_are_refused(sha1: object) -> None:
    with pytest.raises(InputError, match="a sha1 of 40 digits"):
        resolve(with_file(sha1=sha1))


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example/{NAME}",
        f"//evil.example/{NAME}",
        f"/simplewiki/../../{NAME}",
        f"/simplewiki/./20261101/{NAME}",
        f"/simplewiki//{NAME}",
        f"/simplewiki/20261101/{NAME}?x=1",
        f"/simplewiki\\{NAME}",
        f"/a%2f/{NAME}",
        f"/x/{NAME}.gz",
        NAME,
        "",
        None,
        7,
    ],
)
def test_addresses_that_lead_elsewhere_are_refused(url: object) -> None:
    with pytest.raises(InputError, match="a path below the mirror"):
        resolve(with_file(url=url))


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        f"x/{NAME}",
        "",
        "enwiki-20261101-pages-articles-multistream.xml.bz2",
        "simplewiki-20261102-pages-articles-multistream.xml.bz2",
        "simplewiki-20261101-pages-meta-history.xml.bz2",
        NAME + ".torrent",
        f"simplewiki-20261101-pages-articles-multistream{'1' * 5000}.xml.bz2",
    ],
)
def test_names_out_of_the_layout_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="names of article dumps"):
        resolve(with_file(name))


def test_a_whole_file_beside_its_parts_would_count_pages_twice() -> None:
    part = "simplewiki-20261101-pages-articles-multistream1.xml-p1p5.bz2"
    with pytest.raises(InputError, match="one file or numbered parts, found both"):
        resolve(listing(NAME, part))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        "{}",
        "NaN",
        '{"jobs": []}',
        '{"jobs": {"articlesdump": {"status": "done"}}}',
        '{"jobs": {"articlesdump": {"status": "done", "files": {}}}}',
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_what_is_not_a_listing_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        resolve(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(json_values)
def test_any_json_is_a_dump_or_one_of_our_errors(value: object) -> None:
    for text in (
        json.dumps(value),
        json.dumps({"jobs": {"articlesdump": value}}),
        json.dumps({"jobs": {"articlesdump": {"status": "done", "files": value}}}),
        json.dumps({"jobs": {"articlesdump": {"status": "done", "files": {NAME: value}}}}),
    ):
        with pytest.raises(TransfersetError):
            resolve(text)
