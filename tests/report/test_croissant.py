from __future__ import annotations

import json

import pyarrow as pa
import pytest
from card_sets import MIXED, SCHEMA, TABLE, composite, documents_of, manifest
from report_sets import ORIGIN
from test_card import BOOKS, EVIL

from transferset import documents, schema
from transferset.report.croissant import croissant
from transferset.report.document_counts import count_documents

WIKI = {**ORIGIN, "base": "https://en.wikipedia.org/wiki/Main_Page"}


def test_it_says_that_it_is_croissant():
    found = croissant(manifest(), SCHEMA, None)
    assert found["@type"] == "sc:Dataset"
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert found["@context"]["cr"] == "http://mlcommons.org/croissant/"
    assert found["name"] == "corpus"
    assert found["description"].startswith("1,000 rows. Built from the articles of a ")
    assert found["license"] == ["https://spdx.org/licenses/CC-BY-SA-4.0"]
    assert found["inLanguage"] == ["en"]
    assert "datePublished" not in found  # nobody knows it here


def test_shards_are_a_set_of_files():
    shards, *others = croissant(manifest(), SCHEMA, None)["distribution"]
    assert (shards["@type"], shards["includes"]) == ("cr:FileSet", "data-*.arrow")
    assert others == []


def test_fields_are_the_columns_with_their_types():
    found = croissant(manifest(), MIXED, None)
    (rows,) = found["recordSet"]
    assert [field["name"] for field in rows["field"]] == list(MIXED.names)
    ids, doc_id, *_ = rows["field"]
    assert (ids["dataType"], ids["repeated"]) == ("sc:Integer", True)
    assert "repeated" not in doc_id
    assert ids["source"] == {
        "fileSet": {"@id": found["distribution"][0]["@id"]}, "extract": {"column": "input_ids"}
    }  # fmt: skip


def test_every_column_of_the_format_has_a_type():
    of = schema.make_schema(schema.COLUMNS, pa.int32(), logits=schema.logits_type(3))
    fields = croissant(manifest(), of, None)["recordSet"][0]["field"]
    types = {field["name"]: field["dataType"] for field in fields}
    assert types["text"] == "sc:Text"
    assert types["parent_row"] == types["labels"] == "sc:Integer"
    assert types["logits"] == types["tail"] == "sc:Float"
    more = pa.schema([("label", pa.float32()), ("logits", pa.list_(pa.float32(), 3)),
                      ("finished", pa.bool_())])  # fmt: skip
    fields = croissant(manifest(), more, None)["recordSet"][0]["field"]
    assert [f["dataType"] for f in fields] == ["sc:Float", "sc:Float", "sc:Boolean"]
    assert fields[1]["repeated"] is True


@pytest.mark.parametrize(("of", "table"), [(SCHEMA, documents.SCHEMA), (MIXED, documents.MIXED)])
def test_the_documents_table_is_a_record_set_of_its_own(of, table):
    found = croissant(manifest(), of, [documents_of({"rows": 1})])
    assert [one["includes"] for one in found["distribution"]] == ["data-*.arrow", TABLE.file]
    assert [f["name"] for f in found["recordSet"][1]["field"]] == list(table.names)


def test_all_ids_are_different_and_all_references_lead_somewhere():
    found = croissant(composite(), MIXED, [BOOKS])
    parts = [*found["distribution"], *found["recordSet"]]
    ids = [one["@id"] for one in parts]
    ids += [field["@id"] for record in found["recordSet"] for field in record["field"]]
    assert len(ids) == len(set(ids))
    for record in found["recordSet"]:
        assert all(field["source"]["fileSet"]["@id"] in ids for field in record["field"])


def test_licences_without_a_name_of_spdx_are_works():
    found = croissant(manifest(), SCHEMA, [BOOKS])["license"]
    assert found == [
        "https://spdx.org/licenses/CC-BY-SA-4.0",
        {"@type": "sc:CreativeWork", "name": "Public domain in the USA."},
        "https://spdx.org/licenses/CC0-1.0",
    ]
    assert "license" not in croissant(manifest(licence="unknown"), SCHEMA, None)


def test_creators_are_those_who_wrote_the_text():
    found = croissant(manifest(sources=[WIKI, WIKI]), SCHEMA, [BOOKS])["creator"]
    assert found == [
        {"@type": "sc:Organization", "name": "Contributors to en.wikipedia.org"},
        {"@type": "sc:Person", "name": "Austen, Jane"},
        {"@type": "sc:Person", "name": "Anne, A"},
    ]
    assert "creator" not in croissant(manifest(sources=[]), SCHEMA, None)


def test_sources_are_what_it_is_based_on():
    (one,) = croissant(manifest(), SCHEMA, None)["isBasedOn"]
    assert one == {
        "@type": "sc:CreativeWork", "name": ORIGIN["file"], "url": ORIGIN["url"],
        "identifier": "SHA-1 " + "ab" * 20, "version": "20261101",
    }  # fmt: skip
    evil = [{**ORIGIN, "url": "javascript:alert(1)"}]
    (one,) = croissant(manifest(sources=evil), SCHEMA, None)["isBasedOn"]
    assert "url" not in one


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_texts_stay_short_and_printable(evil):
    source = {"code": 0, "file": evil, "language": evil, "url": evil, "base": evil, "date": evil}
    of = manifest(name=evil, op=evil, licence=evil, recipe=evil, sources=[source])
    found = croissant(of, SCHEMA, [documents_of({"author": evil, "licence": evil, "rows": 1})])
    text = json.dumps(found, ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 20_000
    assert [one["@id"] for one in found["distribution"]] == ["shards", "documents"]


def test_the_same_set_has_the_same_description():
    one = croissant(composite(), MIXED, [BOOKS])
    assert one == croissant(composite(), MIXED, count_documents(iter([BOOKS])))
    assert json.loads(json.dumps(one)) == one
