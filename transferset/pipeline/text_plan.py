"""What `build text` is going to do: files opened and checked, nothing written yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from transferset import rng, schema
from transferset.curation.language import normal_code
from transferset.errors import UsageError, sentence
from transferset.executor import default_workers
from transferset.files import digest_file
from transferset.manifest import Json, fingerprint
from transferset.pipeline import text_read
from transferset.pipeline.corpus import READ, Reading, Run, statistics_of
from transferset.pipeline.options import BuildParams, check_seed, schema_of, tokenizer_json
from transferset.pipeline.planning import build_work
from transferset.pipeline.spill import RowOptions
from transferset.sentences import get_splitter
from transferset.sources.records import RecordFile
from transferset.tokens import WordPiece

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: How plain text may be laid out.
LAYOUTS: Final = ("auto", "wrapped", "lines", "book")

#: Files that a manifest lists one by one; of more it has the number and a digest of digests.
_LISTED: Final = 100

#: Records that gave no document and are named in a set.
_NOTES: Final = 100


@dataclass(frozen=True, slots=True)
class TextParams(BuildParams):
    """The options of `build text` that determine bytes."""

    language: str = "en"
    layout: str = "auto"
    licence: str = ""

    def checked(self) -> TextParams:
        """See `BuildParams.checked`."""
        BuildParams.checked(self)
        if self.layout not in LAYOUTS:
            raise UsageError(sentence(f"--layout {' or '.join(LAYOUTS)}", self.layout))
        if not normal_code(self.language):
            raise UsageError(sentence("a language code like en", self.language, "--language"))
        return replace(self, language=normal_code(self.language))


@dataclass(frozen=True, slots=True)
class TextSource:
    """One SOURCE of a build: its files, and what recipe and manifest say of it."""

    origin: Json
    files: tuple[RecordFile, ...]


@dataclass(frozen=True, slots=True)
class TextPlan:
    """A build whose inputs are known and checked; see `corpus.Corpus`."""

    name: str
    sources: tuple[TextSource, ...]
    tokenizer: WordPiece
    params: TextParams
    seed: int
    engine: str
    tasks: tuple[Json, ...]
    preset: Json | None = None

    @property
    def op(self) -> str:
        """See `Corpus.op`."""
        return "build text"

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
            "sources": [source.origin for source in self.sources],
        }

    @property
    def schema(self) -> pa.Schema:
        """See `Corpus.schema`."""
        return schema_of(self.params, self.tokenizer)

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """See `Corpus.names`."""
        return {}

    @property
    def inputs(self) -> str:
        """See `Corpus.inputs`."""
        return ", ".join(source.origin["file"] for source in self.sources)

    def read(self, run: Run) -> Reading:
        """See `Corpus.read`."""
        params = self.params
        context = text_read.ReadContext(
            RowOptions.of(params, self.seed, self.engine),
            params.layout,
            params.language,
            params.licence,
            params.skip_damaged,
        )
        results = run.stage(READ, text_read.read_records, self.tasks, context, "bytes")
        checked = [file.check(summaries) for file, summaries in self._summaries(results)]
        notes = [note for notes in checked for note in notes]
        tables = {"_tables/notes.json": {"records": notes[:_NOTES]}} if notes else {}
        return Reading(
            results,
            [source.origin for source in self.sources],
            statistics_of(results, [task["source"] for task in self.tasks]),
            tables=tables,
        )

    def _summaries(self, results: Sequence[Json]) -> list[tuple[RecordFile, list[Json]]]:
        """What the readers of each file have said, in order."""
        found: dict[tuple[int, str], tuple[RecordFile, list[Json]]] = {}
        for task, result in zip(self.tasks, results, strict=True):
            for read, summary in zip(task["reads"], result["summaries"], strict=True):
                file = read["file"]
                key = task["source"], file["path"]
                found.setdefault(key, (text_read.file_of(file), []))[1].append(summary)
        return list(found.values())


def text_source(code: int, name: str, files: Sequence[RecordFile], language: str) -> TextSource:
    """What recipe and manifest say of a source.

    Args:
        code: Value of the `source` column.
        name: What the user called it, without the folders before it.
        files: Its files.
        language: Of documents that state none.

    Returns:
        The source.
    """
    listed = [
        {
            "file": file.name,
            "bytes": file.bytes,
            "blake3": digest_file(file.path),
            "field": file.field or None,
        }
        for file in files
    ]
    first = files[0].origin
    origin: Json = {
        "code": code,
        "file": name,
        "files": len(files),
        "bytes": sum(file.bytes for file in files),
        "blake3": fingerprint({"files": listed}),
        "listed": listed if len(listed) <= _LISTED else None,
        "url": first.get("url"),
        "revision": first.get("revision"),
        "licence": first.get("licence"),
        "language": language,
    }
    return TextSource(origin, tuple(files))


def make_text_plan(
    sources: Sequence[TextSource],
    tokenizer: WordPiece,
    params: TextParams,
    *,
    name: str,
    seed: int,
    engine: str,
) -> TextPlan:
    """Check the options of a build, and cut its files into tasks.

    Args:
        sources: From `text_source`.
        tokenizer: Loaded tokenizer.
        params: Options that determine bytes.
        name: Name of the set, for people.
        seed: 0 ≤ seed < 2**64.
        engine: Which engine workers use; the ids are the same.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range, or there is no splitter for the language.
        InputError: A file is damaged.
    """
    params = params.checked()
    check_seed(seed)
    splitter = get_splitter(params.splitter, params.language)
    made_by = f"{splitter.name} {splitter.version}"
    stated = {"splitter": made_by}
    named = tuple(
        replace(s, origin={**s.origin, **stated, "licence": s.origin["licence"] or params.licence})
        for s in sources
    )
    files = [(source.origin["code"], file) for source in sources for file in source.files]
    tasks = text_read.read_tasks(files, params.limit)
    return TextPlan(name, named, tokenizer, params, seed, engine, tuple(tasks))


def text_plan_json(plan: TextPlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and about how much would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Sources, files and recipe, exact; what it comes to, estimated.
    """
    size = sum(task["bytes"] for task in plan.tasks)
    # measured: 4.6 bytes of text a piece, 25 pieces a sentence. Parquet is packed two to one.
    packed = any(file.kind == "parquet" for source in plan.sources for file in source.files)
    tokens = size * (2 if packed else 1) / 4.6
    rows = tokens / (25 if plan.params.unit == "sentence" else 600)
    work = build_work(
        plan.op,
        plan.schema,
        rows,
        tokens,
        tasks=len(plan.tasks),
        shards=plan.params.shards,
        shuffled=plan.params.shuffle,
        documents=rows if plan.params.unit == "document" else tokens / 600,
    )
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "seed": plan.seed,
        "tokenizer": tokenizer_json(plan.tokenizer),
        "sources": [source.origin for source in plan.sources],
        "tasks": len(plan.tasks),
        "workers": max(1, min(workers or default_workers(), len(plan.tasks))),
        "stored_bytes": size,
        "estimated": work.estimate(workers),
    }
