"""Building sets from plain text and records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.building import Inputs, carry_out, listed, longest
from transferset.api.sets import set_name
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.pipeline.text_plan import TextPlan
    from transferset.stage import Progress


def build_text(
    inputs: Inputs,
    out: str | Path | None = None,
    *,
    field: str | None = None,
    format: str | None = None,
    split: str | None = None,
    layout: str = "auto",
    language: str = "en",
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
    progress: Progress | None = None,
) -> ShardSet:
    """Build a corpus set from plain text, JSON lines, Parquet, Arrow, or a `datasets` folder.

    Args:
        inputs: Files, folders of them, `datasets` folders, or names on the hub; each is a source.
        out: Directory of the set; None is `sets/NAME`.
        field: The member or column that holds the text, `meta.text` inside of an object; None
            finds it.
        format: `txt`, `jsonl`, `parquet` or `arrow`; None goes by the names of files.
        split: Which split of a `datasets` folder or hub name.
        layout: Of plain text: `wrapped` (blank lines part paragraphs), `lines` (each line is
            one), `book`, or `auto`, which decides for each file.
        language: Code of the language of documents that state none.
        licence: Licence in words of documents that state none.
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
        limit: Read only the first documents, this many.
        skip_damaged: Count plain text files in no encoding instead of failing.
        force: Replace what is in `out`.
        engine: `auto`, `tokenizers` or `nanotoken`; the ids are the same.
        cache: Where downloads are kept; None is that of huggingface_hub.
        progress: Told of finished work.

    Returns:
        The finished set.

    Raises:
        UsageError: An option or a name is wrong, or it is not clear which field is the text.
        InputError: A file is damaged, or most of its records are malformed.
        SetError: `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, network, or no rows.
    """
    plan = plan_text(
        inputs,
        field=field,
        format=format,
        split=split,
        layout=layout,
        language=language,
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
    )
    how = (executor, address, workers)
    return carry_out(plan, out, how, progress, force=force)


def plan_text(
    inputs: Inputs,
    *,
    field: str | None = None,
    format: str | None = None,
    split: str | None = None,
    tokenizer: str | None = None,
    max_len: int | None = None,
    unit: str = "sentence",
    seed: int = 0,
    engine: str = "auto",
    cache: str | Path | None = None,
    **params: Any,
) -> TextPlan:
    """Open and check the files of `build_text` without writing a set (`--dry-run`).

    Args and errors are those of `build_text`.

    Returns:
        The plan; `pipeline.text_plan.text_plan_json` shows it.
    """
    from transferset.pipeline.remote import local
    from transferset.pipeline.text_plan import TextParams, make_text_plan, text_source
    from transferset.sources.records import open_records
    from transferset.tokens import load_tokenizer

    given, tokenizer = listed(inputs), local(tokenizer)
    checked = TextParams(unit=unit, max_len=longest(max_len, unit), **params).checked()
    loaded = load_tokenizer(tokenizer, engine=engine)
    place = Path(cache) if cache is not None else None
    opened = [
        open_records([one], field=field, format=format, cache=place, split=split) for one in given
    ]
    sources = [
        text_source(code, Path(one).name, files, checked.language)
        for code, (one, files) in enumerate(zip(given, opened, strict=True))
    ]
    name = set_name("text", given[0])
    return make_text_plan(sources, loaded, checked, name=name, seed=seed, engine=engine)
