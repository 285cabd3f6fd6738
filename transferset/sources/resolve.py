"""What a user writes as SOURCE → local files, downloaded and checked if need be.

SOURCE is the path of a dump, the path of a corpora manifest (`.toml`), or a wiki at a
date (`simplewiki@20261101`, `simplewiki@latest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.cache import default_cache, digest_of, on_disk, write_atomically
from transferset.sources.corpora import Corpus, CorpusPart, load_corpus
from transferset.sources.downloads import Progress, download_all
from transferset.sources.local import LocalFile, is_file
from transferset.sources.manners import Manners
from transferset.sources.slots import RemoteFile, Slot
from transferset.sources.web import Web
from transferset.sources.wikimedia import (
    MIRROR,
    MOST_TEXT,
    WikiDump,
    check_mirror,
    is_wiki,
    parse_wiki,
    read_listing,
    resolve_wiki,
)

FORMS = (
    "a dump file (.xml, .xml.bz2), a corpora manifest (.toml), "
    "or a wiki at a date (simplewiki@20261101, simplewiki@latest)"
)


def resolve_source(
    source: str,
    *,
    cache: Path | None = None,
    mirror: str | None = None,
    contact: str | None = None,
    progress: Progress | None = None,
) -> list[LocalFile]:
    """Make a source's files local.

    Args:
        source: See the module's text.
        cache: Where downloads go; the platform's cache folder unless given.
        mirror: Root of the server to ask, instead of the manifest's or the official one.
            It alone may be a private address: by naming it the user vouches for it.
        contact: E-mail or web address of the user, sent to servers.
        progress: Told of every block that arrives, from several threads.

    Returns:
        The files in reading order.

    Raises:
        UsageError: The source is none of the accepted forms, or there is no such file.
        InputError: A file is not what its size or digest says.
        TransfersetError: Network or disk failed; run again to resume.
    """
    path = Path(source)
    at = Place(cache or default_cache(), mirror, contact, progress)
    if source.endswith(".toml"):
        return _corpus_files(load_corpus(path), at)
    if is_file(path):
        return [LocalFile(path)]
    if is_wiki(source):
        parse_wiki(source)
        with at.web(Manners()) as web:
            return _wiki_files(source, at, web, mirror or MIRROR)
    raise _not_a_source(source, path)


@dataclass(frozen=True, slots=True)
class Place:
    """Where downloads come from and go to; see `resolve_source`."""

    cache: Path
    mirror: str | None
    contact: str | None
    progress: Progress | None

    def web(self, manners: Manners) -> Web:
        """A client with these manners that trusts only the mirror that the user named."""
        named = () if self.mirror is None else (check_mirror(self.mirror),)
        return Web(contact=self.contact, named=named, manners=manners)


def _not_a_source(source: str, path: Path) -> UsageError:
    if len(source) < 256 and path.is_dir():
        return UsageError(sentence(FORMS, "a folder", source, "name a file in it"))
    if "/" in source or path.suffix:
        return UsageError(sentence(FORMS, "no such file", source, "check the spelling"))
    do = f"write {source}@latest" if source.isidentifier() else "check the spelling"
    return UsageError(sentence(FORMS, repr(source), do=do))


def _wiki_files(source: str, at: Place, web: Web, mirror: str) -> list[LocalFile]:
    dump = _dump_at_hand(source, at.cache, mirror)
    if dump is None:
        dump = resolve_wiki(source, fetch=lambda url: web.text(url, MOST_TEXT), mirror=mirror)
        download_all(dump.files, _folder(at.cache, dump.wiki, dump.date), web, at.progress)
        _keep_listing(dump, at.cache)
    folder = _folder(at.cache, dump.wiki, dump.date)
    return [
        LocalFile(folder / file.name, file.url, dump.licence, file.digests, dump.date, dump.wiki)
        for file in dump.files
    ]


def _folder(cache: Path, wiki: str, date: str) -> Path:
    return cache / "wikimedia" / wiki / date


def _dump_at_hand(source: str, cache: Path, mirror: str) -> WikiDump | None:
    """The dump of a named date if all of it is in the cache: then nothing is asked for."""
    wiki, date = parse_wiki(source)
    folder = _folder(cache, wiki, date)
    try:
        listing = (folder / "dumpstatus.json").read_text(encoding="utf-8")
        dump = read_listing(listing, wiki, date, check_mirror(mirror))
    except (OSError, ValueError, InputError):
        return None  # ask the mirror
    if dump is None or not all(Slot(folder, file).is_good() for file in dump.files):
        return None
    return dump


def _keep_listing(dump: WikiDump, cache: Path) -> None:
    write_atomically(_folder(cache, dump.wiki, dump.date) / "dumpstatus.json", dump.listing)


def _corpus_files(corpus: Corpus, at: Place) -> list[LocalFile]:
    rules = corpus.retrieval
    folder = at.cache / "corpora" / corpus.name
    remote = [_remote(part) for part in corpus.parts if part.url is not None]
    files: list[LocalFile] = []
    with at.web(Manners(connections=rules.connections, pause=rules.pause)) as web:
        if remote:
            download_all(remote, folder, web, at.progress)
        for part in corpus.parts:
            files += _part_files(part, folder, at, web, at.mirror or rules.mirror or MIRROR)
    return [replace(file, language=corpus.language) for file in files]


def _remote(part: CorpusPart) -> RemoteFile:
    return RemoteFile(part.url or "", part.name or "", part.size, part.digests)


def _part_files(
    part: CorpusPart, folder: Path, at: Place, web: Web, mirror: str
) -> Sequence[LocalFile]:
    if part.wiki is not None:
        dumped = _wiki_files(f"{part.wiki}@{part.date}", at, web, mirror)
        return [replace(file, licence=part.licence) for file in dumped]
    if part.path is not None:
        check_local(part.path, part)
        return [LocalFile(part.path, None, part.licence, part.digests, part.date)]
    slot = Slot(folder, _remote(part))
    return [LocalFile(slot.path, part.url, part.licence, slot.digests(), part.date)]


def check_local(path: Path, part: CorpusPart) -> None:
    """Check a file of the user against what the manifest says of it.

    Raises:
        UsageError: There is no such file.
        InputError: Size or digest differ.
    """
    if not path.is_file():
        raise UsageError(sentence("a file", "no such file", str(path), "correct the manifest"))
    with on_disk(path):
        size = path.stat().st_size
    stated = {"size": part.size, **part.digests}
    for name, expected in stated.items():
        found = size if name == "size" else digest_of(path, name)
        if expected is not None and found != expected:
            do = "get the right file, or correct the manifest"
            raise InputError(sentence(f"{name} {expected}", str(found), str(path), do))
