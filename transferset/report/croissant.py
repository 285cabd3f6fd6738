"""Croissant 1.0: a set as JSON-LD that search engines and loaders read.

Format: http://mlcommons.org/croissant/1.0. Shards are a FileSet: a FileObject must have a SHA-256
or MD5, and ours have BLAKE3 digests, in `manifest.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa

from transferset.documents import DOCUMENTS, MIXED, SCHEMA
from transferset.manifest import Json, Manifest
from transferset.report.card_columns import DOCUMENT_MEANINGS, MEANINGS
from transferset.report.card_header import languages, licences, tags
from transferset.report.card_sections import MOST_SOURCES
from transferset.report.card_words import made_in_words
from transferset.report.document_counts import DocumentCounts, Documents, count_documents
from transferset.report.licences import spdx_names, spdx_url
from transferset.report.lineage import Origin
from transferset.report.markup import shown
from transferset.report.wording import counted, sentence_case

#: Where it stands in a set.
CROISSANT: Final = "croissant.json"

#: Authors that are named as creators.
MOST_CREATORS: Final = 10

#: Members of Croissant itself, by the prefix of their names.
_PLAIN: Final = """
citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes
isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace
samplingRate separator source subField transform
"""

_CONTEXT: Final[Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in _PLAIN.split()},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}

_ARROW: Final = "application/vnd.apache.arrow.stream"


def croissant(manifest: Manifest, schema: pa.Schema, documents: Documents) -> Json:
    """Describe a set as Croissant.

    Args:
        manifest: The set's.
        schema: Of its rows.
        documents: Batches of its documents table, or their counts; None if it has no table.

    Returns:
        JSON-LD, the same for the same set; whether the manifest lists it makes no difference.
    """
    counts = count_documents(documents)
    rows = counted(manifest.totals["rows"], "rows")
    made = sentence_case(made_in_words(manifest.op, manifest.params))
    members: Json = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": shown(manifest.name, 100),
        "description": f"{rows}. {made}. See README.md for sources, licences and limits.",
        "identifier": f"blake3:{shown(manifest.recipe, 80)}",
        "citeAs": f"{shown(manifest.name, 100)}, recipe {shown(manifest.recipe, 80)}",
        "license": _licences(manifest, counts),
        "creator": list(_creators(manifest, counts)),
        "inLanguage": languages(manifest, counts),
        "keywords": tags(manifest),
        "isBasedOn": list(_origins(manifest)),
        "distribution": list(_files(manifest, counts)),
        "recordSet": list(_record_sets(manifest, schema, counts)),
    }
    return {name: value for name, value in members.items() if value}


def _licences(manifest: Manifest, counts: DocumentCounts | None) -> list[str | Json]:
    """SPDX addresses where there are any, else works of a name."""
    found: list[str | Json] = []
    for words in licences(manifest, counts):
        names = spdx_names(words)
        named: list[str | Json] = [spdx_url(name) for name in names]
        if words and not names:
            named = [{"@type": "sc:CreativeWork", "name": shown(words)}]
        found += [one for one in named if one not in found]
    return found


def _creators(manifest: Manifest, counts: DocumentCounts | None) -> Iterator[Json]:
    """Who wrote the text: the contributors of its wikis, and the authors with most rows."""
    hosts = (_host(source.get("base")) for source in manifest.sources)
    for host in list(dict.fromkeys(host for host in hosts if host))[:MOST_CREATORS]:
        yield {"@type": "sc:Organization", "name": f"Contributors to {host}"}
    for one in counts.authors.top(MOST_CREATORS) if counts else ():
        yield {"@type": "sc:Person", "name": shown(one.text)}


def _host(base: object) -> str:
    try:
        host = urlsplit(base).hostname if isinstance(base, str) else None
    except ValueError:
        return ""
    return shown(host or "", 100)


def _origins(manifest: Manifest) -> Iterator[Json]:
    for source in manifest.sources[:MOST_SOURCES]:
        origin = Origin.of(source)
        web = origin.url.startswith(("https://", "http://")) and len(origin.url) <= 2000
        known = {
            "name": shown(origin.file),
            "url": shown(origin.url, 2000) if web else "",
            "identifier": shown(origin.digest, 160),
            "version": shown(origin.date, 20),
        }
        yield {"@type": "sc:CreativeWork", **{k: v for k, v in known.items() if v}}


def _files(manifest: Manifest, counts: DocumentCounts | None) -> Iterator[Json]:
    shards = counted(len(manifest.shards), "shards")
    yield _file_set("shards", "data-*.arrow", f"{shards}; BLAKE3 digests stand in manifest.json")
    if counts is not None:
        yield _file_set("documents", DOCUMENTS, "The documents that the rows come from")


def _file_set(name: str, includes: str, description: str) -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": description,
        "encodingFormat": _ARROW,
        "includes": includes,
    }


def _record_sets(
    manifest: Manifest, schema: pa.Schema, counts: DocumentCounts | None
) -> Iterator[Json]:
    rows = _record_set("rows", "shards", schema, MEANINGS)
    named = {column: names for column, names in manifest.names.items() if column in schema.names}
    for field in rows["field"]:
        column = field["name"]
        if column == "label" and column in named:
            field["dataType"] = [field["dataType"], "cr:Label"]
        if (of := column.removesuffix("_pair")) in named:
            field["references"] = {"field": {"@id": f"{of}_names/code"}}
    yield rows
    yield from (_names(column, names) for column, names in named.items())
    if counts is not None:
        table = MIXED if "part" in schema.names else SCHEMA
        yield _record_set("document", "documents", table, DOCUMENT_MEANINGS)


def _names(column: str, names: Sequence[str]) -> Json:
    """The names of the codes in a column, as an enumeration with its data in place."""
    name = f"{column}_names"
    fields = [
        {"@type": "cr:Field", "@id": f"{name}/{member}", "name": member, "dataType": kind}
        for member, kind in (("code", "sc:Integer"), ("name", "sc:Text"))
    ]
    codes = [{f"{name}/code": i, f"{name}/name": shown(one)} for i, one in enumerate(names)]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "dataType": "sc:Enumeration",
        "key": {"@id": f"{name}/code"},
        "field": fields,
        "data": codes,
    }


def _record_set(name: str, files: str, schema: pa.Schema, meanings: Mapping[str, str]) -> Json:
    fields: Sequence[Json] = [_field(name, files, field, meanings) for field in schema]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _field(record: str, files: str, field: pa.Field, meanings: Mapping[str, str]) -> Json:
    several = pa.types.is_list(field.type) or pa.types.is_fixed_size_list(field.type)
    kind = field.type.value_type if several else field.type
    return {
        "@type": "cr:Field",
        "@id": f"{record}/{field.name}",
        "name": field.name,
        "description": f"{meanings.get(field.name, field.name)} ({kind})",
        "dataType": _data_type(kind),
        **({"repeated": True} if several else {}),
        "source": {"fileSet": {"@id": files}, "extract": {"column": field.name}},
    }


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind):
        return "sc:Float"
    return "sc:Boolean" if pa.types.is_boolean(kind) else "sc:Text"
