"""The Python API; each command of the CLI is one of these functions with the same parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.executor import LocalExecutor, default_workers
from transferset.manifest import MANIFEST, Json
from transferset.shards import ShardSet
from transferset.stage import Progress, Quiet

#: Where sets go, and are looked for, when no directory is named.
SETS: Final = Path("sets")

#: The source that needs no network: the articles that the package carries.
DEMO: Final = "demo"

#: Longest row, specials included, when rows are sentences.
MAX_LEN: Final = 512


def open(path: str | Path) -> ShardSet:  # noqa: A001  # reads as transferset.open(path)
    """Open a shard set.

    Args:
        path: Its directory.

    Returns:
        The set; sizes and row counts are checked against its manifest.

    Raises:
        SetError: There is no set, or it is unfinished or damaged.
    """
    return ShardSet.open(path)


def build_wiki(
    source: str | Path | None = None,
    out: str | Path | None = None,
    *,
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
    limit: int | None = None,
    skip_damaged: bool = False,
    force: bool = False,
    engine: str = "auto",
    cache: str | Path | None = None,
    mirror: str | None = None,
    contact: str | None = None,
    progress: Progress | None = None,
) -> ShardSet:
    """Build a corpus set from a Wikipedia dump.

    Args:
        source: A dump (`.xml`, `.xml.bz2`), a corpora manifest (`.toml`), a wiki with a date
            (`simplewiki@20261101`, `simplewiki@latest`), or `demo`, the packaged sample; None
            is `demo`.
        out: Directory of the set; None is `sets/NAME`.
        tokenizer: `tokenizer.json`, `vocab.txt`, a directory, an installed package, or a hub
            name; None is the uncased English BERT vocabulary (for `demo`: the sample's own).
        splitter: `nupunkt`, `punkt`, `spacy` or `rules`; None is the language's default.
        keep_text: Keep each row's text beside its ids.
        shuffle: Put rows in a global random order; otherwise in the source's order.
        unit: `sentence` or `document`: what a row is.
        min_len: Rows of fewer ids (specials included) are dropped and counted.
        max_len: Rows of more ids (specials included) are split into near-equal parts; None is
            512 for sentences and no limit for documents; 0 is no limit.
        shards: Number of shards; None is one per 256 MB.
        seed: Seed of the shuffle, 0 ≤ seed < 2**64.
        workers: Worker processes; None is the number of processors.
        limit: Read only the first articles.
        skip_damaged: Skip damaged blocks of a dump, counted in the ledger, instead of failing.
        force: Replace what is in `out`.
        engine: `auto`, `tokenizers` or `nanotoken`; the ids are the same.
        cache: Where downloads are kept.
        mirror: Base URL of a mirror of the dumps.
        contact: Mail or URL put in the User-Agent of downloads.
        progress: Told of finished work.

    Returns:
        The finished set. The same arguments give the same bytes at any number of workers; a set
        that is there already is opened, an unfinished one is finished.

    Raises:
        UsageError: An option or name is wrong.
        InputError: The dump is not one, or is damaged.
        SetError: `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, network, or no rows.
    """
    from transferset.pipeline.build import build
    from transferset.pipeline.plan import WikiParams, make_plan
    from transferset.sources.resolve import resolve_source
    from transferset.tokens import load_tokenizer

    if workers is not None and workers < 1:
        raise UsageError(sentence("--workers of at least 1", str(workers)))
    demo = source is None or str(source) == DEMO
    loaded = load_tokenizer(tokenizer or (DEMO if demo else None), engine=engine)
    if demo:
        files = _demo_files()
    else:
        files = resolve_source(str(source), cache=cache, mirror=mirror, contact=contact)
    params = WikiParams(
        splitter=splitter,
        unit=unit,
        min_len=min_len,
        max_len=_max_len(max_len, unit),
        keep_text=keep_text,
        shuffle=shuffle,
        shards=shards,
        limit=limit,
        skip_damaged=skip_damaged,
    )
    name = "wiki-demo" if demo else _set_name(files[0].path, limit, unit)
    plan = make_plan(files, loaded, params, name=name, seed=seed)
    executor = LocalExecutor(workers or default_workers())
    return build(plan, Path(out or SETS / name), executor, progress or Quiet(), force=force)
