"""Building sets from books, and finding books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.building import DEMO, Inputs, carry_out, listed, longest
from transferset.api.sets import set_name
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.pipeline.books_plan import BooksPlan
    from transferset.sources.books.find import Found
    from transferset.stage import Progress


def build_books(
    inputs: Inputs,
    out: str | Path | None = None,
    *,
    min_words: int = 20_000,
    language: str = "en",
    per_author: int | None = None,
    dedupe: str = "near",
    licence: str = "",
    tokenizer: str | None = None,
    splitter: str | None = None,
    keep_text: bool = False,
    shuffle: bool = True,
    unit: str = "sentence",
    min_len: int = 0,
    max_len: int | None = None,
    shards: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    limit: int | None = None,
    skip_damaged: bool = False,
    force: bool = False,
    engine: str = "auto",
    cache: str | Path | None = None,
    mirror: str | None = None,
    contact: str | None = None,
    revalidate: bool = False,
    progress: Progress | None = None,
) -> ShardSet:
    """Build a corpus set from books: a substitute for the Toronto BookCorpus.

    Books of manifests are fetched, all are cleaned, those that satisfy the criteria are chosen,
    and their sentences become rows. The same books give the same bytes at any number of workers
    and in any order of files.

    Args:
        inputs: Folders, files (`.txt`, `.epub`, `.zip` of those), or manifests (`.toml`, `.csv`)
            of addresses; each is a source. `demo` is two small books that the package carries.
        out: Directory of the set; None is `sets/NAME`.
        min_words: Words that a book must have, counted on the cleaned text.
        language: Code of the language that most passages of a book must be in, or `any`.
        per_author: Books of one author that are kept, the longest; None is any number.
        dedupe: `near` (and exact), `exact` or `off`: which duplicates are left out.
        licence: Licence in words of files that state none.
        tokenizer: As for `build_wiki`, as are the further arguments.
        splitter: Sentence splitter; None is the language's default.
        keep_text: Keep each row's text beside its ids.
        shuffle: Put rows in a global random order.
        unit: `sentence` or `document`: what a row is.
        min_len: Rows of fewer ids (specials included) are dropped and counted.
        max_len: Rows of more ids (specials included) are split.
        shards: Number of shards; None is one per 256 MB.
        seed: Seed of the shuffle, 0 ≤ seed < 2**64.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        limit: Read only the first books, this many.
        skip_damaged: Count books that cannot be read instead of failing.
        force: Replace what is in `out`.
        engine: `auto`, `tokenizers` or `nanotoken`; the ids are the same.
        cache: Where downloads are kept; None is the platform's cache folder.
        mirror: Root of a server that the user vouches for: it may be a private address.
        contact: Mail or URL put in the User-Agent; needed to fetch.
        revalidate: Ask servers whether books in the cache have changed (RFC 9110, 13.1).
        progress: Told of finished work.

    Returns:
        The finished set; `_tables/books.json` says what became of every other book.

    Raises:
        UsageError: An option or a name is wrong, or there is no book.
        InputError: A book is damaged, or a manifest is.
        SetError: `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, network, or no book satisfies the criteria.
    """
    plan = plan_books(
        inputs,
        min_words=min_words,
        language=language,
        per_author=per_author,
        dedupe=dedupe,
        licence=licence,
        tokenizer=tokenizer,
        splitter=splitter,
        keep_text=keep_text,
        shuffle=shuffle,
        unit=unit,
        min_len=min_len,
        max_len=max_len,
        shards=shards,
        seed=seed,
        limit=limit,
        skip_damaged=skip_damaged,
        engine=engine,
        cache=cache,
        mirror=mirror,
        contact=contact,
        revalidate=revalidate,
        progress=progress,
    )
    how = (executor, address, workers)
    return carry_out(plan, out, how, progress, force=force)


def plan_books(
    inputs: Inputs,
    *,
    tokenizer: str | None = None,
    max_len: int | None = None,
    unit: str = "sentence",
    seed: int = 0,
    engine: str = "auto",
    cache: str | Path | None = None,
    mirror: str | None = None,
    contact: str | None = None,
    revalidate: bool = False,
    progress: Progress | None = None,
    offline: bool = False,
    **params: Any,
) -> BooksPlan:
    """Find (and fetch) the books of `build_books` without writing a set.

    Args and errors are those of `build_books`; with `offline` (`--dry-run`) no server is asked, and
    books that are not in the cache count as unavailable.

    Returns:
        The plan; `pipeline.books_plan.books_plan_json` shows it.
    """
    from transferset.pipeline.books_plan import BooksParams, make_books_plan
    from transferset.pipeline.books_sources import Place, locate
    from transferset.pipeline.remote import local
    from transferset.sources.cache import default_cache
    from transferset.tokens import load_tokenizer

    given, tokenizer = listed(inputs), local(tokenizer)
    checked = BooksParams(unit=unit, max_len=longest(max_len, unit), **params).checked()
    only_demo = set(given) == {DEMO}
    loaded = load_tokenizer(tokenizer or (DEMO if only_demo else None), engine=engine)
    place = Place(
        Path(cache) if cache is not None else default_cache(),
        contact,
        (mirror,) if mirror is not None else (),
        progress.download if progress is not None else None,
        offline,
        revalidate,
    )
    sources = locate(given, place, checked.language, checked.limit)
    name = set_name("books", given[0])
    return make_books_plan(sources, loaded, checked, name=name, seed=seed, engine=engine)


def books_find(
    catalog: str | Path,
    out: str | Path,
    *,
    language: str = "en",
    rights: str = "public-domain",
    subjects: Sequence[str] = (),
    exclude_subjects: Sequence[str] = (),
    authors: Sequence[str] = (),
    formats: Sequence[str] = ("text/plain",),
    min_words: int = 20_000,
    limit: int | None = None,
    rdf: str | Path | None = None,
    mirror: str | None = None,
    cache: str | Path | None = None,
    contact: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Found:
    """Make a manifest of books out of a catalogue of Project Gutenberg.

    Args:
        catalog: `pg_catalog.csv` (or `.csv.gz`), a file or an address.
        out: The manifest to write, a `.toml`.
        language: Code that is among a book's languages, or `any`.
        rights: `public-domain` (in the USA) or `any`.
        subjects: One of these texts must be part of a subject or bookshelf; none is all books.
        exclude_subjects: None of these may be.
        authors: One of these texts must be part of an author's name; none is all books.
        formats: `text/plain`, `application/epub+zip`, the preferred one first.
        min_words: Words of a book, as far as sizes in the RDF tell; `build_books` counts them.
        limit: The first books only, this many; None is all.
        rdf: Folder or archive of the catalogue's RDF files, which state rights and sizes.
        mirror: Server that the addresses lead to.
        cache: Where a catalogue is kept that is downloaded.
        contact: Mail or URL put in the User-Agent of that download.
        force: Replace a manifest that is there.
        progress: Told of the download.

    Returns:
        The manifest, and how many rows were dropped by reason.

    Raises:
        UsageError: An option is wrong, or `out` is there.
        InputError: The catalogue is damaged.
        TransfersetError: Network or disk failed.
    """
    from transferset.pipeline.books_catalogs import find_to_file
    from transferset.pipeline.remote import local, written
    from transferset.sources.books.select import BookFilters

    filters = BookFilters(
        language=language,
        rights=rights,
        subjects=tuple(subjects),
        exclude_subjects=tuple(exclude_subjects),
        authors=tuple(authors),
        formats=tuple(formats),
        min_words=min_words,
        limit=limit,
    )
    with written(out) as path:
        return find_to_file(
            str(local(catalog)),
            path,
            filters,
            rdf=str(local(rdf)) if rdf is not None else None,
            mirror=mirror,
            cache=Path(cache) if cache is not None else None,
            contact=contact,
            force=force,
            progress=progress.download if progress is not None else None,
        )
