"""Small sets with a lineage, as `derive` leaves them, for tests of the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from sets import TOKENIZER

from transferset import schema
from transferset.files import write_atomic
from transferset.manifest import MANIFEST, FileEntry, Manifest
from transferset.shards import ShardSet, ShardWriter, shard_name

ORIGIN = {
    "code": 0,
    "file": "xxwiki-20261101-pages-articles.xml.bz2",
    "language": "en",
    "licence": "CC BY-SA 4.0",
    "url": "https://example.org/xxwiki-20261101-pages-articles.xml.bz2",
    "base": "https://example.org/wiki/",
    "blake3": "3f" * 32,
    "published": {"sha1": "ab" * 20},
    "bytes": 1_695_871,
    "date": "20261101",
}


def as_parent(one: ShardSet, role: str = "source") -> dict[str, object]:
    """What a child's manifest says of a set."""
    m = one.manifest
    return {
        "role": role, "name": m.name, "digest": m.digest, "op": m.op, "params": m.params,
        "seed": m.seed, "recipe": m.recipe, "licence": m.licence, "totals": dict(m.totals),
        "ledger": list(m.ledger), "sources": list(m.sources), "parents": list(m.parents),
    }  # fmt: skip


def write_examples(root: Path, body: object) -> FileEntry:
    """`_tables/examples.json`, and its entry in the manifest."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    (root / "_tables").mkdir(exist_ok=True)
    digest = write_atomic(root / "_tables" / "examples.json", raw)
    return FileEntry("_tables/examples.json", len(raw), digest)


def write_rows(
    root: Path,
    rows: list[list[int]],
    *,
    examples: list[dict[str, object]] | None = None,
    tokenizer: dict[str, object] | None = TOKENIZER,
    **manifest: object,
) -> ShardSet:
    """A committed set of these rows; `manifest` replaces members of its manifest."""
    root.mkdir(parents=True)
    of_set = schema.make_schema(["input_ids"], pa.uint16())
    with ShardWriter(root / shard_name(0, 1), of_set) as writer:
        lengths = np.cumsum([0, *map(len, rows)]).astype(np.int32)
        flat = np.array([i for row in rows for i in row], np.uint16)
        ids = pa.ListArray.from_arrays(pa.array(lengths), pa.array(flat))
        writer.write(pa.table([ids], schema=of_set))
        entry = writer.commit()
    if examples is not None:
        manifest["files"] = [write_examples(root, {"rows": examples})]
    members: dict[str, object] = {
        "format": 1, "name": root.name, "op": "build wiki", "params": {}, "seed": 0,
        "generator": "philox4x32-10", "recipe": "0" * 64, "code": {}, "tokenizer": tokenizer,
        "parents": [], "sources": [], "licence": "CC BY-SA 4.0",
        "schema": schema.describe(of_set),
        "totals": {
            "rows": len(rows), "tokens": entry.tokens, "bytes": entry.bytes,
            "content_tokens": entry.tokens - 2 * len(rows),
        },
        "statistics": [], "ledger": [], "shards": (entry,),
    }  # fmt: skip
    made = Manifest(**{**members, **manifest})
    made.params.setdefault("max_len", 512)
    write_atomic(root / MANIFEST, made.to_bytes())
    return ShardSet.open(root)


def zipf_rows(count: int, seed: int = 7, vocabulary: int = 900) -> list[list[int]]:
    """Rows [CLS] … [SEP] of 3 to 60 ids whose frequencies fall with the rank."""
    draw = np.random.default_rng(seed)
    chances = 1 / np.arange(2, vocabulary + 2)
    chances /= chances.sum()
    return [
        [2, *(5 + draw.choice(vocabulary, 1 + int(draw.gamma(3, 6)) % 58, p=chances)).tolist(), 3]
        for _ in range(count)
    ]


def thesis_sets(root: Path, corpus_rows: list[list[int]] | None = None, **of_all) -> list[ShardSet]:
    """A corpus, a tenth of it, that shuffled, and rows generated from it."""
    draw = np.random.default_rng(3)
    rows = corpus_rows or zipf_rows(2000)
    corpus = write_rows(
        root / "corpus", rows, sources=[ORIGIN], **of_all,
        ledger=[
            {"reason": "redirect", "unit": "pages", "count": 99},
            {"reason": "below_min_len", "unit": "rows", "count": 3},
        ],
        statistics=[
            {
                "source": 0, "pages": 106, "documents": 103, "sentences": 4, "words": 50,
                "text_bytes": 2_567_634, "words_per_sentence": [[10, 3], [20, 1]],
            }
        ],
    )  # fmt: skip
    kept = rows[::10]
    sample = {"sample": {"size": "10%", "by": "rows", "with_replacement": False}}
    tenth = write_rows(
        root / "natural-10", kept, op="derive", params={"steps": [sample]}, seed=7, **of_all,
        parents=[as_parent(corpus)],
        ledger=[{"reason": "not_sampled", "unit": "rows", "count": len(rows) - len(kept)}],
    )  # fmt: skip
    mixed = [[r[0], *draw.permutation(r[1:-1]).tolist(), r[-1]] for r in kept]
    shuffle = {"shuffle": {"words": False, "window": None}}
    shuffled = write_rows(
        root / "shuffled-10", mixed, op="derive", params={"steps": [shuffle]}, seed=7, **of_all,
        parents=[as_parent(tenth)],
        examples=[
            {"parent_row": i, "copy": 0, "steps": [
                {"step": "source", "input_ids": kept[i]}, {"step": "shuffle", "input_ids": mixed[i]}
            ]} for i in (0, 5, 17)
        ],
    )  # fmt: skip
    content = np.array([i for r in kept for i in r[1:-1]])
    lengths = draw.permutation([len(r) - 2 for r in kept])
    made = [[kept[0][0], *draw.choice(content, n).tolist(), kept[0][-1]] for n in lengths]
    generate = {"generate": {"size": "100%"}}
    generated = write_rows(
        root / "generated-10", made, op="derive", params={"steps": [generate]}, seed=7, **of_all,
        parents=[as_parent(tenth)],
        ledger=[{"reason": "replaced", "unit": "rows", "count": len(kept)}],
    )  # fmt: skip
    return [corpus, tenth, shuffled, generated]


def measured(sets: list[ShardSet]) -> dict[str, list]:
    """What `write_report` is told of the sets, words counted at even ids."""
    from transferset.report.measures import measure
    from transferset.report.relatives import find_parent
    from transferset.report.stats import stats

    starts = np.arange(1000) % 2 == 0
    return {
        "measures": [measure(one, starts) for one in sets],
        "stats": [stats(one, find_parent(one, sets), starts) for one in sets],
        "decode": [spelt] * len(sets),
    }


def spelt(ids: list[int]) -> tuple[list[str], str]:
    """Pieces and text of ids; one piece is hostile."""
    names = {2: "[CLS]", 3: "[SEP]", 4: "[MASK]", 6: "<script>alert(1)</script>", 7: "\x1b[2J"}
    pieces = [names.get(i, f"piece{i}") for i in ids]
    return pieces, " ".join(pieces)
