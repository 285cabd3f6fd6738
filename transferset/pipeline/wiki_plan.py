"""What `build wiki` is going to do: inputs opened and checked, nothing written yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa

from transferset import rng, schema
from transferset.executor import default_workers
from transferset.files import digest_file
from transferset.ledger import Ledger
from transferset.manifest import Json, fingerprint
from transferset.pipeline import wiki_read
from transferset.pipeline.corpus import READ, Reading, Run, statistics_of
from transferset.pipeline.options import BuildParams, check_seed, schema_of, tokenizer_json
from transferset.pipeline.planning import build_work
from transferset.pipeline.spill import RowOptions
from transferset.sentences import get_splitter
from transferset.sources.dump import Dump, Part
from transferset.sources.local import LocalFile
from transferset.tokens import WordPiece

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class WikiSource:
    """One dump file and where it comes from.

    Attributes:
        dump: The opened file.
        code: Value of the `source` column: files of one wiki share it.
        origin: Name, URL, date, licence and digest, as in recipe and manifest.
    """

    dump: Dump
    code: int
    origin: Json


@dataclass(frozen=True, slots=True)
class WikiPlan:
    """A build whose inputs are known and checked; see `corpus.Corpus`."""

    name: str
    sources: tuple[WikiSource, ...]
    tokenizer: WordPiece
    params: BuildParams
    seed: int
    engine: str
    parts: tuple[tuple[int, Part], ...]
    preset: Json | None = None

    @property
    def op(self) -> str:
        """See `Corpus.op`."""
        return "build wiki"

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
        return ", ".join(source.dump.path.name for source in self.sources)

    def read(self, run: Run) -> Reading:
        """See `Corpus.read`; damage is byte ranges that were skipped on request."""
        context = wiki_read.ReadContext(
            dumps=tuple(source.dump for source in self.sources),
            sources=tuple(source.code for source in self.sources),
            origins=tuple(source.origin for source in self.sources),
            rows=RowOptions.of(self.params, self.seed, self.engine),
            skip_damaged=self.params.skip_damaged,
        )
        results = run.stage(READ, wiki_read.read_part, self._tasks(), context, "bytes")
        sources = []
        for i, source in enumerate(self.sources):
            mine = [r["summary"] for r, (of, _) in zip(results, self.parts, strict=True) if of == i]
            # what no part can see alone: that the parts of each file make a whole file
            source.dump.check(mine, skip_damaged=self.params.skip_damaged)
            damage = [one for summary in mine for one in summary.get("damage", [])]
            sources.append({**source.origin, "damage": damage})
        codes = [self.sources[file].code for file, _ in self.parts]
        return Reading(results, sources, statistics_of(results, codes))

    def _tasks(self) -> list[Json]:
        return [
            {
                "spill": ordinal,
                "file": file,
                "ordinal": part.ordinal,
                "start": part.start,
                "stop": part.stop,
                "max_pages": part.max_pages,
                "bytes": part.stop - part.start,
            }
            for ordinal, (file, part) in enumerate(self.parts)
        ]


def make_plan(
    files: Sequence[LocalFile],
    tokenizer: WordPiece,
    params: BuildParams,
    *,
    name: str,
    seed: int,
    engine: str,
    preset: Json | None = None,
) -> WikiPlan:
    """Open and check the inputs of a build.

    Args:
        files: Dump files, from `sources.resolve`.
        tokenizer: Loaded tokenizer.
        params: Options that determine bytes.
        name: Name of the set, for people.
        seed: 0 ≤ seed < 2**64.
        engine: Which engine workers use; the ids are the same.
        preset: Name and deviations of a preset, for the manifest.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range.
        InputError: A file is not a dump.
    """
    params = params.checked()
    check_seed(seed)
    sources = []
    codes: dict[str, int] = {}
    for file in files:
        dump = Dump.open(file.path, skip_damaged=params.skip_damaged)
        code = codes.setdefault(dump.site.dbname or file.path.name, len(codes))
        language = dump.site.language or file.language or ""
        splitter = get_splitter(params.splitter, language)
        made_by = f"{splitter.name} {splitter.version}"
        origin = {**_origin(file, dump, code), "language": language, "splitter": made_by}
        sources.append(WikiSource(dump, code, origin))
    return WikiPlan(
        name,
        tuple(sources),
        tokenizer,
        params,
        seed,
        engine,
        _parts(sources, params.limit, skip_damaged=params.skip_damaged),
        preset,
    )


def _origin(file: LocalFile, dump: Dump, code: int) -> Json:
    return {
        "code": code,
        "file": file.path.name,
        "bytes": file.path.stat().st_size,
        "blake3": digest_file(file.path),
        "published": dict(file.digests),
        "url": file.url,
        "date": file.date,
        "licence": file.licence or _licence(dump),
        "wiki": dump.site.dbname,
        "base": dump.site.base,
    }


def _licence(dump: Dump) -> str | None:
    # a dump does not state its licence, but these wikis have one for all of their text
    host = urlsplit(dump.site.base).hostname or ""
    wikipedia = host == "wikipedia.org" or host.endswith(".wikipedia.org")
    return "CC BY-SA (the wiki's; the file does not say which version)" if wikipedia else None


def _parts(
    sources: Sequence[WikiSource], limit: int | None, *, skip_damaged: bool
) -> tuple[tuple[int, Part], ...]:
    found: list[tuple[int, Part]] = []
    for i, source in enumerate(sources):
        if limit is None:
            found += [(i, part) for part in source.dump.parts()]
            continue
        parts = source.dump.locate(limit, skip_damaged=skip_damaged)
        found += [(i, part) for part in parts]
        if parts[-1].max_pages is not None:
            break
        limit -= sum(1 for p in parts for _ in source.dump.read(p, Ledger()))
    return tuple(found)


def plan_json(plan: WikiPlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and about how much would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Sources, parts and recipe, exact; what it comes to, estimated.
    """
    # measured on English Wikipedia: a byte of bzip2 gives 3.6 of XML, one of XML 0.4 of prose,
    # 4.4 bytes of prose are a piece, a sentence has 27 pieces, an article 600
    xml = sum(
        (p.stop - p.start) * (3.6 if plan.sources[f].dump.bzip2 else 1) for f, p in plan.parts
    )
    tokens = xml * 0.4 / 4.4
    rows = tokens / (27 if plan.params.unit == "sentence" else 600)
    work = build_work(
        plan.op,
        plan.schema,
        rows,
        tokens,
        tasks=len(plan.parts),
        shards=plan.params.shards,
        shuffled=plan.params.shuffle,
        documents=tokens / 600,
    )
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "seed": plan.seed,
        "tokenizer": tokenizer_json(plan.tokenizer),
        "sources": [source.origin for source in plan.sources],
        "parts": len(plan.parts),
        "workers": min(workers or default_workers(), len(plan.parts)),
        "stored_bytes": sum(part.stop - part.start for _, part in plan.parts),
        # what --limit reads of its last part is not known before it is read
        "estimated": work.estimate(workers) if plan.params.limit is None else None,
    }
