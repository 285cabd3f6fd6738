"""The data card of a set: README.md as the Hugging Face hub shows it, and people read it."""

from __future__ import annotations

from transferset.manifest import Json, Manifest
from transferset.report.card_documents import (
    attribution_section,
    authors_section,
    languages_section,
    licence_section,
)
from transferset.report.card_generated import written
from transferset.report.card_header import header
from transferset.report.card_labels import labels
from transferset.report.card_limits import limits
from transferset.report.card_making import graph_of, how_made, left_out
from transferset.report.card_opening import columns, how_to_open, opening
from transferset.report.card_sections import numbers, parts_of, section, sources
from transferset.report.document_counts import Documents, count_documents
from transferset.report.markdown import items

#: Where it stands in a set.
CARD = "README.md"


def card(manifest: Manifest, documents: Documents, facts: Json | None = None) -> str:
    """Write the card of a set.

    Nothing stands in it that manifest, documents and rows do not prove, no date of today and no
    place on a disk: equal sets have equal cards. Whether the manifest lists the card makes no
    difference.

    Args:
        manifest: The set's.
        documents: Batches of its documents table, read once and in bounded memory, or their
            counts; None if it has no table.
        facts: What `inspect.row_facts` found in its rows; None leaves labels uncounted.

    Returns:
        Markdown with YAML at its head, ending in a line feed.
    """
    counts = count_documents(documents)
    graph = graph_of(manifest)
    retrieved = counts.retrieved if counts else ("", "")
    parts = [
        header(manifest, counts),
        opening(manifest),
        how_to_open(manifest),
        columns(manifest),
        numbers(manifest),
        parts_of(manifest),
        *labels(facts),
        written(facts),
        sources(manifest, retrieved),
        section("Licences", *licence_section(manifest, counts)),
        section("Attribution", *attribution_section(manifest)),
        section("Authors", *authors_section(manifest, counts)),
        section("Languages", *languages_section(manifest, counts)),
        left_out(manifest, graph),
        how_made(manifest, graph),
        section("Known limits", items(limits(manifest, graph, counts))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
