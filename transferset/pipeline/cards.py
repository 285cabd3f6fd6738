"""The data cards of a set: `README.md` for people and the hub, `croissant.json` for machines.

They say nothing that the manifest and its tables do not, and may be edited: neither is listed in
the manifest.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from transferset.documents import has_documents, read_documents
from transferset.files import write_atomic
from transferset.manifest import Manifest, pretty
from transferset.report.card import CARD, card
from transferset.report.croissant import CROISSANT, croissant
from transferset.report.document_counts import count_documents
from transferset.report.inspect import row_facts
from transferset.shards import ShardSet


def write_cards(root: Path, manifest: Manifest, schema: pa.Schema) -> None:
    """Write both.

    Args:
        root: The set's directory; its shards and tables are there.
        manifest: As it is going to be committed.
        schema: Of its rows.
    """
    table = read_documents(root, manifest) if has_documents(manifest) else None
    counts = count_documents(table)
    facts = row_facts(ShardSet(root, manifest))
    write_atomic(root / CARD, card(manifest, counts, facts).encode())
    write_atomic(root / CROISSANT, pretty(croissant(manifest, schema, counts)))
