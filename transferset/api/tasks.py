"""Building task sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.api.building import DEMO, DEMO_LICENCE, Inputs, carry_out, listed
from transferset.api.sets import set_name
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.pipeline.task_plan import TaskPlan
    from transferset.stage import Progress

#: The tagger unless another one is named, and the one that the package carries.
USUAL: Final = "spacy"
SHIPPED: Final = "lexicon"


def build_task(
    inputs: Inputs,
    out: str | Path | None = None,
    *,
    layout: str | None = None,
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = None,
    eval: Inputs = (),
    tagger: str | None = None,
    words: str = "tagger",
    language: str | None = None,
    label_type: str = "auto",
    entities: str = "strip",
    format: str | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    quoting: bool | None = None,
    encoding: str | None = None,
    split: str | None = None,
    licence: str = "",
    tokenizer: str | None = None,
    max_len: int | None = 512,
    shards: int | None = None,
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
    """Build a task set: labelled or unlabelled examples, with words and part-of-speech tags.

    Rows stay in the order of their files. The same arguments give the same bytes at any number of
    workers.

    Args:
        inputs: TSV, CSV, JSON lines, Parquet, Arrow, Rasa NLU files, `datasets` folders, or names
            on the hub; each is a source. `demo` is a small file that the package carries.
        out: Directory of the set; None is `sets/NAME`.
        layout: A known layout: `glue-sst2`, `cola`, `mrpc`, `stsb`, `qqp`, `mnli`, `qnli`, `rte`,
            `wnli`, `trec`, `label-text` or `rasa`; instead of columns.
        text: Column of the text, by name or by number from 1.
        text_pair: Column of the second text of pairs.
        label: Column of the label; None is no label.
        eval: Files of evaluation in the same layout: rows that also stand there are left out.
        tagger: `spacy`, `spacy:MODEL`, `lexicon`, `nltk`, or `none`, for sets of texts and ids;
            None is `spacy`, for `demo` `lexicon`.
        words: What a word is: what the `tagger` says, or what stands between `whitespace`.
        language: Code of the texts' language; None is the tagger's, or English.
        label_type: `class`, `regression`, or `auto`, which looks at the labels.
        entities: What becomes of Rasa's annotations: `strip` or `placeholder`.
        format: `tsv`, `csv`, `jsonl`, `parquet`, `arrow`, `rasa-md` or `rasa-yaml`; None goes by
            layout and names.
        header: Whether the first row names the columns; None finds out.
        delimiter: What parts fields, one character; None is a tab, in `csv` a comma.
        quoting: Whether fields may be quoted; None goes by layout and format.
        encoding: Of texts; None is the layout's, else UTF-8.
        split: Which split of a `datasets` folder or hub name.
        licence: Licence in words of files that state none.
        tokenizer: As for `build_wiki`.
        max_len: Rows of more ids (specials included) are cut at the end; None is no limit.
        shards: Number of shards; None is one per 256 MB.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        limit: Read only the first examples of each file, this many.
        skip_damaged: Leave malformed rows out, counted and named, instead of failing.
        force: Replace what is in `out`.
        engine: `auto`, `tokenizers` or `nanotoken`; the ids are the same.
        cache: Where downloads are kept; None is that of huggingface_hub.
        progress: Told of finished work.

    Returns:
        The finished set.

    Raises:
        UsageError: An option, a column or a tagger is wrong or not there.
        InputError: A row is malformed; the message names file and row.
        SetError: `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, network, or no rows.
    """
    plan = plan_task(
        inputs,
        layout=layout,
        text=text,
        text_pair=text_pair,
        label=label,
        eval=eval,
        tagger=tagger,
        words=words,
        language=language,
        label_type=label_type,
        entities=entities,
        format=format,
        header=header,
        delimiter=delimiter,
        quoting=quoting,
        encoding=encoding,
        split=split,
        licence=licence,
        tokenizer=tokenizer,
        max_len=max_len,
        shards=shards,
        limit=limit,
        skip_damaged=skip_damaged,
        engine=engine,
        cache=cache,
    )
    how = (executor, address, workers)
    return carry_out(plan, out, how, progress, force=force)


def plan_task(
    inputs: Inputs,
    *,
    eval: Inputs = (),
    tagger: str | None = None,
    text: str | None = None,
    label: str | None = None,
    licence: str = "",
    tokenizer: str | None = None,
    engine: str = "auto",
    cache: str | Path | None = None,
    max_len: int | None = 512,
    **params: Any,
) -> TaskPlan:
    """Open and check the files of `build_task` without writing a set (`--dry-run`).

    Args and errors are those of `build_task`.

    Returns:
        The plan; `pipeline.task_plan.task_plan_json` shows it.
    """
    from transferset.demo import task as sample
    from transferset.pipeline.remote import local
    from transferset.pipeline.task_plan import ENGLISH, NO_TAGGER, TaskParams, make_task_plan
    from transferset.sources.tasks import label_names, open_tasks
    from transferset.tagging import load_tagger
    from transferset.tokens import load_tokenizer

    given, tokenizer = listed(inputs), local(tokenizer)
    demo = given == [DEMO]
    if demo:
        given = [str(sample())]
        text, label, licence = text or "sentence", label or "label", licence or DEMO_LICENCE
    checked = TaskParams(
        text=text,
        label=label,
        licence=licence,
        tagger=tagger or (SHIPPED if demo else USUAL),
        max_len=max_len or None,
        **params,
    ).checked()
    options, place = checked.options(), Path(cache) if cache is not None else None
    files = open_tasks(given, options, place)
    labels = label_names(files, options)
    if labels.kind == "regression":  # from here on what is no number is malformed
        options = replace(options, label_type="regression")
        files = open_tasks(given, options, place)
    evals: Sequence[str] = listed(eval) if eval else ()
    unlabelled = replace(options, label=None)
    eval_files = open_tasks(evals, unlabelled, place) if evals else []
    loaded = (
        None
        if checked.tagger == NO_TAGGER
        else load_tagger(checked.tagger, language=checked.language or ENGLISH, words=checked.words)
    )
    return make_task_plan(
        files,
        eval_files,
        labels,
        loaded,
        load_tokenizer(tokenizer or (DEMO if demo else None), engine=engine),
        checked,
        name=set_name("task", DEMO if demo else given[0]),
        engine=engine,
    )
