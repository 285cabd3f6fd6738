"""Building corpora and vocabularies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.api.executors import executing
from transferset.api.sets import SETS, set_name
from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.pipeline.corpus import Corpus
    from transferset.pipeline.wiki_plan import WikiPlan
    from transferset.sources.local import LocalFile
    from transferset.stage import Progress
    from transferset.tokens import Vocabulary

#: The source that needs no network: the articles that the package carries.
DEMO: Final = "demo"

#: The sample is ours and free.
DEMO_LICENCE: Final = "CC0-1.0"

#: Longest row, specials included, when rows are sentences.
MAX_LEN: Final = 512

#: Files of a vocabulary that are not replaced unasked.
_VOCABULARY: Final = ("tokenizer.json", "vocab.txt")

#: One SOURCE of a build, or several.
Inputs = str | Path | Sequence[str | Path]


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
    executor: str = "processes",
    address: str | None = None,
    limit: int | None = None,
    skip_damaged: bool = False,
    force: bool = False,
    engine: str = "auto",
    cache: str | Path | None = None,
    mirror: str | None = None,
    contact: str | None = None,
    preset: str | None = None,
    progress: Progress | None = None,
) -> ShardSet:
    """Build a corpus set from a Wikipedia dump.

    The same arguments give the same bytes at any number of workers. A set that is there already
    is opened; an unfinished one is finished.

    Args:
        source: A dump (`.xml`, `.xml.bz2`), a corpora manifest (`.toml`), a wiki at a date
            (`simplewiki@20261101`, `simplewiki@latest`), or `demo`, the packaged sample; None
            is `demo`.
        out: Directory of the set; None is `sets/NAME`.
        tokenizer: `tokenizer.json`, `vocab.txt`, a directory, an installed package, or a hub
            name; None is the uncased English BERT vocabulary (for `demo`: the sample's own).
        splitter: `nupunkt`, `punkt`, `rules`, `spacy` or `spacy:MODEL`; None is the language's
            default.
        keep_text: Keep each row's text beside its ids.
        shuffle: Put rows in a global random order; otherwise in the source's order.
        unit: `sentence` or `document`: what a row is.
        min_len: Rows of fewer ids (specials included) are dropped and counted.
        max_len: Rows of more ids (specials included) are split into near-equal parts; None is
            512 for sentences and no limit for documents; 0 is no limit.
        shards: Number of shards; None is one per 256 MB.
        seed: Seed of the shuffle, 0 ≤ seed < 2**64.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        limit: Read only the first articles, this many.
        skip_damaged: Skip damaged blocks of a dump, counted in the ledger, instead of failing.
        force: Replace what is in `out`.
        engine: `auto`, `tokenizers` or `nanotoken`; the ids are the same.
        cache: Where downloads are kept; None is the platform's cache folder.
        mirror: Base URL of a mirror of the dumps.
        contact: Mail or URL put in the User-Agent of downloads.
        preset: Parameters exactly as a publication had them: `vandegraaf2021`.
        progress: Told of finished work.

    Returns:
        The finished set.

    Raises:
        UsageError: An option or a name is wrong.
        InputError: The dump is not one, or is damaged.
        SetError: `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, network, or no rows.
    """
    plan = plan_wiki(
        source,
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
        preset=preset,
        progress=progress,
    )
    how = (executor, address, workers)
    return carry_out(plan, out, how, progress, force=force)


def listed(inputs: Inputs) -> list[str]:
    """Inputs as a list; those at URLs are brought here.

    Raises:
        UsageError: There are none.
    """
    from transferset.pipeline.remote import local

    given = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    if not given:
        raise UsageError(sentence("a SOURCE", "none", do="name a file or a folder"))
    return [str(local(one)) for one in given]


def longest(max_len: int | None, unit: str) -> int | None:
    """Most ids in a row: by default 512 for sentences, and any number for documents."""
    if max_len is None:
        return MAX_LEN if unit == "sentence" else None
    return max_len or None


def carry_out(
    plan: Corpus,
    out: str | Path | None,
    how: tuple[str, str | None, int | None],
    progress: Progress | None,
    *,
    force: bool,
) -> ShardSet:
    """Build what was planned.

    Args:
        plan: The plan.
        out: Directory of the set; None is `sets/NAME`.
        how: Executor, address and workers, see `executors.executing`.
        progress: Told of finished work.
        force: Replace what is there.

    Returns:
        The finished set.

    Raises:
        UsageError: There is no such executor, or there are fewer workers than one.
        TransfersetError: As `pipeline.build.build`.
    """
    from transferset.pipeline.build import build
    from transferset.pipeline.remote import output
    from transferset.stage import Quiet

    root = output(out or SETS / plan.name, force=force)
    with executing(*how) as run:
        return build(plan, root, run, progress or Quiet(), force=force)


def plan_wiki(
    source: str | Path | None = None,
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
    limit: int | None = None,
    skip_damaged: bool = False,
    engine: str = "auto",
    cache: str | Path | None = None,
    mirror: str | None = None,
    contact: str | None = None,
    preset: str | None = None,
    progress: Progress | None = None,
) -> WikiPlan:
    """Open and check the inputs of `build_wiki` without writing a set (`--dry-run`).

    Args and errors are those of `build_wiki`; a wiki at a date is downloaded.

    Returns:
        The plan; `pipeline.wiki_plan.plan_json` shows it.
    """
    from transferset.pipeline.options import BuildParams
    from transferset.pipeline.presets import build_preset
    from transferset.pipeline.remote import local
    from transferset.pipeline.wiki_plan import make_plan
    from transferset.tokens import load_tokenizer

    demo = source is None or str(source) == DEMO
    source, tokenizer = local(source), local(tokenizer)
    loaded = load_tokenizer(tokenizer or (DEMO if demo else None), engine=engine)
    files = _demo_files() if demo else _dump_files(str(source), cache, mirror, contact, progress)
    given: dict[str, Any] = {
        "splitter": splitter,
        "unit": unit,
        "min_len": min_len,
        "max_len": longest(max_len, unit),
        "shuffle": shuffle,
    }
    record = None
    if preset is not None:
        given, record = build_preset(preset, given)
    params = BuildParams(
        **given, keep_text=keep_text, shards=shards, limit=limit, skip_damaged=skip_damaged
    )
    name = set_name("wiki", DEMO if demo else str(source), files[0].date)
    return make_plan(files, loaded, params, name=name, seed=seed, engine=engine, preset=record)


def _demo_files() -> list[LocalFile]:
    from transferset import demo
    from transferset.sources.local import LocalFile

    return [LocalFile(demo.path(), licence=DEMO_LICENCE)]


def _dump_files(
    source: str,
    cache: str | Path | None,
    mirror: str | None,
    contact: str | None,
    progress: Progress | None,
) -> list[LocalFile]:
    from transferset.sources.local import LocalFile, is_file

    if is_file(Path(source)) and not source.endswith(".toml"):
        return [LocalFile(Path(source))]  # and no HTTP client is loaded
    from transferset.sources.resolve import resolve_source

    return resolve_source(
        source,
        cache=Path(cache) if cache is not None else None,
        mirror=mirror,
        contact=contact,
        progress=progress.download if progress is not None else None,
    )


def vocab_fit(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    size: int = 30_522,
    language: str = "en",
    lowercase: bool | None = None,
    min_count: int = 2,
    force: bool = False,
) -> Vocabulary:
    """Fit a WordPiece vocabulary and write it as a tokenizer's directory.

    Args:
        sources: Text files (UTF-8), or sets built with `keep_text`.
        out: Directory for `tokenizer.json`, `vocab.txt` and `tokenizer_config.json`.
        size: Most pieces.
        language: Code of the language; English loses accents with capitals, as in BERT.
        lowercase: Whether text is lower-cased; None: only English is.
        min_count: Occurrences that a learnt piece must have.
        force: Replace a vocabulary that is in `out`.

    Returns:
        The vocabulary.

    Raises:
        UsageError: An option is out of range, or there is nothing to read.
        InputError: A file is not UTF-8 text, or holds no word.
        SetError: `out` holds a set, or a vocabulary and force is not given.
        TransfersetError: `out` cannot be written.
    """
    from transferset.files import writing
    from transferset.pipeline.remote import local, written_folder
    from transferset.pipeline.texts import read_texts
    from transferset.tokens import fit_vocabulary

    with written_folder(out, (MANIFEST, *_VOCABULARY)) as folder:
        _require_no_vocabulary(folder, force=force)
        texts = read_texts([Path(local(source)) for source in sources])
        vocabulary = fit_vocabulary(
            texts, size, language=language, lowercase=lowercase, min_count=min_count
        )
        with writing(folder):
            vocabulary.save(folder)
    return vocabulary


def _require_no_vocabulary(out: Path, *, force: bool) -> None:
    there = [name for name in _VOCABULARY if (out / name).exists()]
    a_set = (out / MANIFEST).exists()
    if a_set or (there and not force):
        do = "choose another --out" if a_set else "choose another --out, or --force to replace it"
        found = "a set" if a_set else ", ".join(there)
        raise SetError(sentence("a directory without a tokenizer", found, str(out), do))
