"""A wiki's name and date, such as `simplewiki@20261101`, to the files of its dump.

Official layout (https://dumps.wikimedia.org, documented on meta.wikimedia.org under
"Data dumps"), the same on mirrors:

    MIRROR/WIKI/                          an index page with a link to each date
    MIRROR/WIKI/DATE/dumpstatus.json      jobs: name → status, files: name → size, url, sha1
    MIRROR/WIKI/DATE/WIKI-DATE-pages-articles-multistream.xml.bz2
    MIRROR/WIKI/DATE/WIKI-DATE-pages-articles-multistream1.xml-p1p41242.bz2   (large wikis)

What a mirror says is not trusted: names, sizes, digests and addresses are checked before
anything is asked for.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.slots import RemoteFile
from transferset.sources.web import parsed

MIRROR = "https://dumps.wikimedia.org"
LICENCE = "CC BY-SA 4.0 and GFDL"
#: Most bytes read of an index page and of a dumpstatus.json (that of enwiki has about 1 MB).
MOST_TEXT = 16 << 20

#: In order of preference: multistream files can be read by several workers at once.
JOBS = ("articlesmultistreamdump", "articlesdump")
_WIKI = re.compile(r"[a-z][a-z0-9_]{1,62}")
_SOURCE = re.compile(r"([^@/\\]+)@(.*)", re.DOTALL)
_MOST_FILES = 10_000
_LARGEST = 1 << 40
#: So many dates are looked at for `@latest`; a running dump is followed by a finished one.
_LOOK_BACK = 6
#: Other projects have other licences, or more than one.
_OTHER_LICENCES = {
    "wikivoyage": "CC BY-SA 4.0",
    "wikinews": "see https://dumps.wikimedia.org/legal.html",
    "wikidatawiki": "see https://dumps.wikimedia.org/legal.html",
    "wikifunctionswiki": "see https://dumps.wikimedia.org/legal.html",
}

#: Text of the document at an address, or None when there is none.
Fetch = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class WikiDump:
    """The files of one wiki at one date.

    Args:
        wiki: Code, such as `enwiki`.
        date: `YYYYMMDD`; never `latest`.
        job: Which of `JOBS` made the files.
        files: In page order.
        listing: The dumpstatus.json they were read from.
    """

    wiki: str
    date: str
    job: str
    files: tuple[RemoteFile, ...]
    listing: str

    @property
    def licence(self) -> str:
        """Licence of the text, in words."""
        return licence_of(self.wiki)


def is_wiki(source: str) -> bool:
    """Whether a source is written `WIKI@DATE`, however wrong wiki and date may be."""
    return _SOURCE.fullmatch(source) is not None


def parse_wiki(source: str) -> tuple[str, str]:
    """Split `simplewiki@20261101` or `simplewiki@latest`.

    Raises:
        UsageError: The wiki's code or the date is not one.
    """
    match = _SOURCE.fullmatch(source)
    if match is None:
        do = "write for example simplewiki@20261101 or simplewiki@latest"
        raise UsageError(sentence("WIKI@DATE", source, do=do))
    return check_wiki(match[1]), check_date(match[2])


def check_wiki(wiki: str) -> str:
    """Return a wiki's code.

    Raises:
        UsageError: It cannot be one.
    """
    if _WIKI.fullmatch(wiki):
        return wiki
    do = "codes look like enwiki, simplewiki, zh_min_nanwiki or enwiktionary"
    raise UsageError(sentence("a wiki's code", wiki, do=do))


def check_date(date: str) -> str:
    """Return `latest` or a date `YYYYMMDD`.

    Raises:
        UsageError: It is neither.
    """
    if date == "latest" or _is_date(date):
        return date
    raise UsageError(sentence("a date YYYYMMDD, or latest", date, do="write for example 20261101"))


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{8}", text):
        return False
    try:
        datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def licence_of(wiki: str) -> str:
    """Licence of a wiki's text, in words, as far as it is the same for the whole project."""
    for ending, licence in _OTHER_LICENCES.items():
        if wiki.endswith(ending):
            return licence
    return LICENCE


def resolve_wiki(source: str, *, fetch: Fetch, mirror: str = MIRROR) -> WikiDump:
    """Find the files of `WIKI@DATE`.

    Args:
        source: A wiki's code, `@`, and `YYYYMMDD` or `latest`: the newest date whose
            article dump is finished.
        fetch: Gets a small document; None when the server has none.
        mirror: Root of the official layout.

    Returns:
        The dump; its date is the real one.

    Raises:
        UsageError: Wiki or date is misspelt, or the mirror does not have it.
        InputError: The mirror's listing is not what it should be, or not finished.
    """
    wiki, date = parse_wiki(source)
    root = check_mirror(mirror)
    if date == "latest":
        return _latest(wiki, root, fetch)
    url = f"{root}/{wiki}/{date}/dumpstatus.json"
    listing = fetch(url)
    if listing is None:
        do = f"see {root}/{wiki}/ for its dates (old ones are deleted), or write {wiki}@latest"
        raise UsageError(sentence(f"a dump of {wiki} at {date}", "none", url, do))
    dump = read_listing(listing, wiki, date, root)
    if dump is None:
        do = f"wait, name an earlier date, or write {wiki}@latest"
        raise InputError(sentence("a finished article dump", "no job that is done", url, do))
    return dump


def _latest(wiki: str, root: str, fetch: Fetch) -> WikiDump:
    index = fetch(f"{root}/{wiki}/")
    if index is None:
        do = "codes look like enwiki, simplewiki or enwiktionary; see " + root
        raise UsageError(sentence("a wiki that the mirror has", wiki, f"{root}/{wiki}/", do))
    dates = dates_of(index)
    for date in dates[:_LOOK_BACK]:
        listing = fetch(f"{root}/{wiki}/{date}/dumpstatus.json")
        dump = None if listing is None else read_listing(listing, wiki, date, root)
        if dump is not None:
            return dump
    found = f"none among {', '.join(dates[:_LOOK_BACK]) or 'no dates'}"
    do = f"name a date, as in {wiki}@20261101, or another --mirror"
    raise InputError(sentence("a finished article dump", found, f"{root}/{wiki}/", do))


def dates_of(index: str) -> list[str]:
    """The dates that a wiki's index page links to, newest first."""
    linked = set(re.findall(r"""href=["']?(?:\./)?([0-9]{8})/?["'>\s]""", index))
    return sorted(filter(_is_date, linked), reverse=True)


def check_mirror(mirror: str) -> str:
    """Return a mirror's root without a slash at its end.

    Raises:
        UsageError: It is not a plain http or https address.
    """
    url = parsed(mirror)
    plain = url.scheme in ("http", "https") and url.host and not url.userinfo
    if not plain or url.query or url.fragment:
        raise UsageError(sentence("an http or https address", mirror, do=f"write {MIRROR}"))
    return mirror.rstrip("/")


def read_listing(listing: str, wiki: str, date: str, root: str) -> WikiDump | None:
    """Read a dumpstatus.json.

    Args:
        listing: Its text.
        wiki: Code of the wiki.
        date: `YYYYMMDD`.
        root: The mirror.

    Returns:
        The dump of the first of `JOBS` that is done; None while none is.

    Raises:
        InputError: Something in it is not as the layout says.
    """
    at = f"{root}/{wiki}/{date}/dumpstatus.json"
    try:
        jobs = _member(json.loads(listing), "jobs", at)
    except (ValueError, RecursionError) as error:
        found = str(error) or "text nested too deep"
        raise InputError(sentence("JSON", found, at, "name another --mirror")) from None
    for name in JOBS:
        job = jobs.get(name)
        if isinstance(job, dict) and job.get("status") == "done":
            files = _files(_member(job, "files", f"{at}, job {name}"), wiki, date, root, at)
            return WikiDump(wiki, date, name, files, listing)
    return None


def _member(value: object, key: str, at: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    if not isinstance(inner, dict):
        found = type(inner).__name__
        raise InputError(sentence(f"an object {key!r}", found, at, "name another --mirror"))
    return inner


def _files(
    listed: Mapping[str, Any], wiki: str, date: str, root: str, at: str
) -> tuple[RemoteFile, ...]:
    if len(listed) > _MOST_FILES:
        raise InputError(sentence(f"at most {_MOST_FILES} files", str(len(listed)), at))
    stem = rf"{wiki}-{date}-pages-articles(?:-multistream)?"
    pages = re.compile(rf"{stem}([0-9]{{0,4}})\.xml(?:-p([0-9]{{1,12}})p[0-9]{{1,12}})?\.bz2")
    index = re.compile(rf"{stem}-index[0-9]{{0,4}}\.txt(?:-p[0-9]{{1,12}}p[0-9]{{1,12}})?\.bz2")
    found: list[tuple[int, int, RemoteFile]] = []
    for name, facts in listed.items():
        match = pages.fullmatch(name)
        if match is not None:
            order = int(match[1] or 0), int(match[2] or 0)
            found.append((*order, _remote(name, facts, root, at)))
        elif index.fullmatch(name) is None:
            # Passing over what we do not know could silently lose a part of the wiki.
            raise InputError(sentence("names of article dumps", repr(name), at))
    found.sort(key=lambda entry: entry[:2])
    if not found:
        raise InputError(sentence("an article dump", "no such file", at, "name another date"))
    if len(found) > 1 and found[0][:2] == (0, 0):
        raise InputError(sentence("one file or numbered parts", "both", at, "name another date"))
    return tuple(file for *_, file in found)


def _remote(name: str, facts: object, root: str, at: str) -> RemoteFile:
    entry = facts if isinstance(facts, dict) else {}
    size, sha1, url = entry.get("size"), entry.get("sha1"), entry.get("url")
    at = f"{at}, file {name}"
    if type(size) is not int or not 0 <= size <= _LARGEST:
        raise InputError(sentence(f"a size from 0 to {_LARGEST} bytes", repr(size), at))
    if not isinstance(sha1, str) or not re.fullmatch(r"[0-9a-f]{40}", sha1):
        raise InputError(sentence("a sha1 of 40 digits", repr(sha1), at, "name another date"))
    return RemoteFile(root + _path(url, name, at), name, size, {"sha1": sha1})


def _path(url: object, name: str, at: str) -> str:
    """The path of a file below the mirror's root; nothing that could lead elsewhere."""
    steps = url.split("/") if isinstance(url, str) else []
    plain = all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", step) for step in steps[1:])
    if len(steps) < 2 or steps[0] or not plain or steps[-1] != name:
        raise InputError(sentence(f"a path below the mirror to {name}", repr(url), at))
    return "/".join(steps)
