"""What `build books` is going to do: books found and digested, nothing written yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final, cast

import pyarrow as pa

from transferset import rng, schema
from transferset.curation.criteria import Criteria
from transferset.curation.duplicates import How
from transferset.curation.language import check_language, normal_code
from transferset.errors import UsageError, sentence
from transferset.executor import default_workers
from transferset.ledger import Reason
from transferset.manifest import Json, fingerprint
from transferset.pipeline import books_clean, books_read
from transferset.pipeline.books_choice import Chosen, choose_books
from transferset.pipeline.corpus import READ, Reading, Run, statistics_of
from transferset.pipeline.options import BuildParams, check_seed, schema_of, tokenizer_json
from transferset.pipeline.planning import build_work
from transferset.pipeline.spill import RowOptions
from transferset.sentences import get_splitter
from transferset.tokens import WordPiece

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: How duplicates are looked for.
DEDUPE: Final = ("near", "exact", "off")

#: Any language.
ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class BooksParams(BuildParams):
    """The options of `build books` that determine bytes; defaults are those of the replica."""

    language: str = "en"
    min_words: int = 20_000
    per_author: int | None = None
    dedupe: str = "near"
    licence: str = ""

    def checked(self) -> BooksParams:
        """See `BuildParams.checked`."""
        BuildParams.checked(self)
        if self.dedupe not in DEDUPE:
            raise UsageError(sentence(f"--dedupe {' or '.join(DEDUPE)}", self.dedupe))
        if self.min_words < 0:
            raise UsageError(sentence("--min-words of at least 0", str(self.min_words)))
        if self.per_author is not None and self.per_author < 1:
            raise UsageError(sentence("--per-author of at least 1", str(self.per_author)))
        check_language(self.language)
        return self

    @property
    def criteria(self) -> Criteria:
        """What a book must be."""
        return Criteria(
            language=self.language,
            min_words=self.min_words,
            per_author=self.per_author,
            dedupe=cast(How, self.dedupe),  # `checked` has seen to it
        )


@dataclass(frozen=True, slots=True)
class BookSource:
    """One SOURCE of a build: a folder, files, or a manifest.

    Attributes:
        origin: As in recipe and manifest, with `code`.
        books: Tasks of the first pass, without ordinals.
        unavailable: Books of a manifest that no server had.
    """

    origin: Json
    books: tuple[Json, ...]
    unavailable: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class BooksPlan:
    """A build whose books are known; see `corpus.Corpus`."""

    name: str
    sources: tuple[BookSource, ...]
    tokenizer: WordPiece
    params: BooksParams
    seed: int
    engine: str
    preset: Json | None = None

    @property
    def op(self) -> str:
        """See `Corpus.op`."""
        return "build books"

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
            "language_votes": f"py3langid {version('py3langid')}",  # its model decides
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
        """See `Corpus.read`: all books are cleaned, then chosen among, then read."""
        tasks, params = self._tasks(), self.params
        context = books_clean.CleanContext(
            params.licence, params.dedupe != "off", params.dedupe == "near", params.skip_damaged
        )
        cleaned = run.stage(books_clean.CLEAN, books_clean.clean_book, tasks, context, "bytes")
        chosen = choose_books(run.root, params.criteria, tasks, cleaned)
        todo = books_read.read_tasks(chosen.books)
        reading = books_read.ReadContext(
            RowOptions.of(params, self.seed, self.engine), params.language
        )
        results = run.stage(READ, books_read.read_books, todo, reading, "bytes")
        unavailable = [one for source in self.sources for one in source.unavailable]
        chosen.ledger[Reason.UNAVAILABLE] += len(unavailable)
        skipped = [source.origin.get("skipped") or {} for source in self.sources]
        return Reading(
            results,
            self._origins(chosen),
            statistics_of(results, [task["source"] for task in todo]),
            chosen.ledger,
            {
                "_tables/books.json": {
                    **chosen.account,
                    "unavailable": unavailable,
                    "no_books": dict(sum(map(Counter, skipped), Counter[str]())),
                }
            },
            reason=chosen.first_reason,
            spent=[
                path(run.root, i)
                for i in range(len(tasks))
                for path in (books_clean.passages_path, books_clean.shingles_path)
            ],
        )

    def _origins(self, chosen: Chosen) -> list[Json]:
        """Sources, each with the licences that its chosen books have."""
        found = []
        for source in self.sources:
            mine = [b for b in chosen.books if b["source"] == source.origin["code"]]
            licences = sorted({book["about"]["licence"] or "unknown" for book in mine})
            found.append({**source.origin, "licence": " AND ".join(licences) or None})
        return found

    def _tasks(self) -> list[Json]:
        books = [
            {**book, "source": source.origin["code"]}
            for source in self.sources
            for book in source.books
        ]
        return [{"book": ordinal, **book} for ordinal, book in enumerate(books)]


def make_books_plan(
    sources: Sequence[BookSource],
    tokenizer: WordPiece,
    params: BooksParams,
    *,
    name: str,
    seed: int,
    engine: str,
) -> BooksPlan:
    """Check the options of a build.

    Args:
        sources: From `books_sources.locate`.
        tokenizer: Loaded tokenizer.
        params: Options that determine bytes.
        name: Name of the set, for people.
        seed: 0 ≤ seed < 2**64.
        engine: Which engine workers use; the ids are the same.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range, or there is no splitter for the language.
    """
    params = params.checked()
    check_seed(seed)
    if params.language != ANY:
        params = replace(params, language=normal_code(params.language))
    splitter = get_splitter(params.splitter, "" if params.language == ANY else params.language)
    made_by = f"{splitter.name} {splitter.version}"
    own = "of each book's language" if params.language == ANY and params.splitter is None else ""
    named = [
        replace(one, origin={**one.origin, "language": params.language, "splitter": own or made_by})
        for one in sources
    ]
    return BooksPlan(name, tuple(named), tokenizer, params, seed, engine)


def books_plan_json(plan: BooksPlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and about how much would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Sources, books and recipe, exact; what it comes to, estimated, if every book is chosen.
    """
    size = sum(book["bytes"] for source in plan.sources for book in source.books)
    books = sum(len(source.books) for source in plan.sources)
    # measured on novels: 5.7 bytes a word, 1.25 pieces a word, 20 words a sentence
    tokens = size / 5.7 * 1.25
    rows = size / 5.7 / 20 if plan.params.unit == "sentence" else books
    work = build_work(
        plan.op,
        plan.schema,
        rows,
        tokens,
        tasks=books + -(-size // books_read.TASK_BYTES),
        shards=plan.params.shards,
        shuffled=plan.params.shuffle,
        documents=books,
    )
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "seed": plan.seed,
        "tokenizer": tokenizer_json(plan.tokenizer),
        "sources": [source.origin for source in plan.sources],
        "books": books,
        "not_here": sum(len(source.unavailable) for source in plan.sources),  # to be fetched
        "workers": max(1, min(workers or default_workers(), books)),
        "stored_bytes": size,
        "estimated": work.estimate(workers),
    }
