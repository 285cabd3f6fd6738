"""What `build task` is going to do: files opened, labels known, the tagger loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import pyarrow as pa

from transferset import rng, schema
from transferset.errors import UsageError, sentence
from transferset.files import digest_file
from transferset.ledger import Ledger
from transferset.manifest import Json, fingerprint
from transferset.pipeline import task_read
from transferset.pipeline.corpus import Reading, Run
from transferset.pipeline.options import MOST_SHARDS, tokenizer_json
from transferset.pipeline.planning import build_work
from transferset.sources.tasks import LabelKind, TaskFile, TaskOptions
from transferset.tagging import Tagger, code_of
from transferset.tokens import WordPiece

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: No tagger: texts and ids only.
NO_TAGGER: Final = "none"

WORDS: Final = ("tagger", "whitespace")

#: What spaCy calls pipelines of no one language.
_ANY_LANGUAGE: Final = "xx"

#: The language of texts of which nobody says anything.
ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class TaskParams:
    """The options of `build task` that determine bytes; names as on the command line."""

    layout: str | None = None
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    format: str | None = None
    header: bool | None = None
    delimiter: str | None = None
    quoting: bool | None = None
    encoding: str | None = None
    label_type: str = "auto"
    entities: str = "strip"
    split: str | None = None
    tagger: str = "spacy"
    words: str = "tagger"
    language: str | None = None
    licence: str = ""
    max_len: int | None = 512
    shards: int | None = None
    limit: int | None = None
    skip_damaged: bool = False

    @property
    def keep_text(self) -> bool:
        """See `Params.keep_text`."""
        return True

    @property
    def shuffle(self) -> bool:
        """See `Params.shuffle`: rows stay in the order of their files."""
        return False

    def checked(self) -> TaskParams:
        """The parameters, if they are possible.

        Raises:
            UsageError: A value is out of range.
        """
        for name, value, least in (
            ("max-len", self.max_len, 5),
            ("shards", self.shards, 1),
            ("limit", self.limit, 1),
        ):
            if value is not None and value < least:
                raise UsageError(sentence(f"--{name} of at least {least}", str(value)))
        if self.shards is not None and self.shards > MOST_SHARDS:
            raise UsageError(sentence(f"--shards up to {MOST_SHARDS:,}", f"{self.shards:,}"))
        if self.words not in WORDS:
            raise UsageError(sentence(f"--words {' or '.join(WORDS)}", self.words))
        return self

    def options(self) -> TaskOptions:
        """Those that say how files are read."""
        return TaskOptions(**{f.name: getattr(self, f.name) for f in fields(TaskOptions)})

    def to_json(self) -> Json:
        """The parameters as they stand in recipe and manifest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A build whose inputs are known and checked; see `corpus.Corpus`.

    Attributes:
        sources: What recipe and manifest say of each file.
        files: The files, and those of evaluation.
        labels: Kind and names of the labels.
        spec: The tagger as the user named it; `params` has no place of this machine.
    """

    name: str
    sources: tuple[Json, ...]
    evals: tuple[Json, ...]
    files: tuple[TaskFile, ...]
    eval_files: tuple[TaskFile, ...]
    labels: LabelKind
    tagger: Tagger | None
    tokenizer: WordPiece
    params: TaskParams
    engine: str
    spec: str = NO_TAGGER
    seed: int = 0
    preset: Json | None = None

    @property
    def op(self) -> str:
        """See `Corpus.op`."""
        return "build task"

    @property
    def pair(self) -> bool:
        """Whether rows are pairs."""
        return self.files[0].pair

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """See `Corpus.names`."""
        label = {"label": list(self.labels.names)} if self.labels.kind == "class" else {}
        return {**label, **({"pos": list(self.tagger.info.tags)} if self.tagger else {})}

    @property
    def recipe(self) -> Json:
        """See `Corpus.recipe`."""
        return {
            "op": self.op,
            "data_version": DATA_VERSION,
            "format": schema.FORMAT_VERSION,
            "params": self.params.to_json(),
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "tokenizer": tokenizer_json(self.tokenizer),
            "tagger": f"{self.tagger.info.name} {self.tagger.info.version}"
            if self.tagger
            else None,
            "names": dict(self.names),
            "sources": list(self.sources),
            "eval": list(self.evals),
        }

    @property
    def schema(self) -> pa.Schema:
        """See `Corpus.schema`."""
        label = {"none": None, "class": pa.int64(), "regression": schema.SCORE}[self.labels.kind]
        sides = ("", "_pair") if self.pair else ("",)
        tagged = ("words", "space", "pos") if self.tagger else ()
        columns = ["input_ids", "source", *(["label"] if label is not None else [])]
        columns += [f"{name}{side}" for name in ("text", *tagged) for side in sides]
        ids = schema.ids_type(self.tokenizer.info.vocab_size)
        return schema.make_schema(columns, ids, label, self.names)

    @property
    def inputs(self) -> str:
        """See `Corpus.inputs`."""
        return ", ".join(source["file"] for source in self.sources)

    def read(self, run: Run) -> Reading:
        """See `Corpus.read`."""
        return task_read.read_tasks(self, run)


def source_json(code: int, file: TaskFile, params: TaskParams) -> Json:
    """What recipe and manifest say of a file.

    Args:
        code: Value of the `source` column.
        file: The file.
        params: Options.
    """
    return {
        "code": code,
        "file": file.name,
        "bytes": file.bytes,
        "blake3": digest_file(file.path),
        "url": file.origin.get("url"),
        "revision": file.origin.get("revision"),
        "licence": file.origin.get("licence") or params.licence,
        "language": params.language or ENGLISH,
    }


def make_task_plan(
    files: Sequence[TaskFile],
    eval_files: Sequence[TaskFile],
    labels: LabelKind,
    tagger: Tagger | None,
    tokenizer: WordPiece,
    params: TaskParams,
    *,
    name: str,
    engine: str,
) -> TaskPlan:
    """Put a plan together.

    Args:
        files: With the rows.
        eval_files: With rows that must not be among them.
        labels: Of the files.
        tagger: Loaded, or None.
        tokenizer: Loaded.
        params: Checked.
        name: Of the set, for people.
        engine: Which engine workers use; the ids are the same.

    Returns:
        The plan.

    Raises:
        UsageError: Single texts and pairs come together.
    """
    spec = params.tagger
    if tagger is not None:
        _check_language(tagger, params.language)
        language = params.language or tagger.info.language
        params = replace(params, tagger=tagger.info.spec, language=language)
    for file in (*files, *eval_files):
        if file.pair != files[0].pair:
            kinds = {True: "pairs", False: "single texts"}
            expected = f"{kinds[files[0].pair]}, as in {files[0].name}"
            raise UsageError(sentence(expected, kinds[file.pair], str(file.path)))
    return TaskPlan(
        name,
        tuple(source_json(code, file, params) for code, file in enumerate(files)),
        tuple(source_json(code, file, params) for code, file in enumerate(eval_files)),
        tuple(files),
        tuple(eval_files),
        labels,
        tagger,
        tokenizer,
        params,
        engine,
        spec,
    )


def _check_language(tagger: Tagger, language: str | None) -> None:
    known = tagger.info.language
    if language is not None and known not in (code_of(language), _ANY_LANGUAGE):
        do = f"name a pipeline of {language} with --tagger spacy:MODEL, or say --tagger none"
        raise UsageError(sentence(f"--language {known} of the tagger", language, do=do))


def task_plan_json(plan: TaskPlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and what would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Sources, labels, columns and rows, exact; what it comes to, estimated.
    """
    ledger = Ledger()
    rows = sum(sum(1 for _ in file.read(ledger)) for file in plan.files)
    # measured: 4.6 bytes of text a piece, and two for [CLS] and [SEP]; labels are among the bytes
    tokens = 2 * rows + sum(file.bytes for file in plan.files) / 4.6
    work = build_work(
        plan.op,
        plan.schema,
        rows,
        tokens,
        tasks=len(plan.files),
        shards=plan.params.shards,
        shuffled=False,
    )
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "tokenizer": tokenizer_json(plan.tokenizer),
        "tagger": plan.recipe["tagger"],
        "sources": list(plan.sources),
        "eval": list(plan.evals),
        "labels": {"kind": plan.labels.kind, "names": list(plan.labels.names)},
        "columns": plan.schema.names,
        "rows": rows,
        "left_out": {str(reason): count for reason, count in sorted(ledger.items())},
        "estimated": work.estimate(workers),
    }
