"""All commands read from URLs and write to them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from deriving import files_of
from label_sets import SENTIMENT, ids, make_labelled
from lm_writers import task_set
from sets import make_set
from small_tasks import sentences

import transferset
from transferset import api
from transferset.errors import InputError, SetError, TransfersetError
from transferset.shards import ShardSet


def below(bucket, prefix: str) -> dict[str, bytes]:
    """Objects below a prefix, but those of the run."""
    start = f"{prefix}/"
    found = {k[len(start) :]: raw for k, raw in bucket.objects().items() if k.startswith(start)}
    return {name: raw for name, raw in found.items() if not name.startswith("_run/")}


@pytest.fixture
def corpus(bucket, tmp_path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, seed in (("one.txt", 1), ("two.txt", 2)):
        (folder / name).write_text("\n\n".join(sentences(20, seed)) + "\n")
    bucket.upload(folder, "texts")
    return folder


@pytest.fixture
def task(tmp_path) -> ShardSet:
    rows = [(text, ("bad", "good")[i % 2]) for i, text in enumerate(sentences(24))]
    return task_set(tmp_path, rows)


def test_a_build_reads_sources_and_tokenizer_from_a_store(bucket, corpus, tokenizer, tmp_path):
    bucket.upload(tokenizer, tokenizer.name)
    options = {"workers": 1, "seed": 3}
    there = transferset.build_text(
        f"{bucket.url}/texts",
        f"{bucket.url}/corpus",
        tokenizer=f"{bucket.url}/{tokenizer.name}",
        **options,
    )
    here = transferset.build_text(corpus, tmp_path / "corpus", tokenizer=str(tokenizer), **options)
    assert there.manifest == here.manifest
    assert below(bucket, "corpus") == files_of(here.root)
    assert not any(
        "bucket" in raw.decode("utf-8", "ignore") for raw in files_of(here.root).values()
    )


def test_a_source_that_has_changed_is_brought_anew(bucket, tokenizer):
    def built(text: str, out: str) -> ShardSet:
        bucket.put("texts/one.txt", text.encode())
        return transferset.build_text(
            f"{bucket.url}/texts/one.txt",
            f"{bucket.url}/{out}",
            tokenizer=str(tokenizer),
            keep_text=True,
            workers=1,
        )

    first, second = (built(f"{one}\n", f"set{i}") for i, one in enumerate(sentences(2)))
    assert first.rows([0]).column("text") != second.rows([0]).column("text")


def test_a_source_that_is_not_there_is_named(bucket, tokenizer):
    with pytest.raises(InputError, match=rf"found nothing at {bucket.url}/none"):
        transferset.build_text(f"{bucket.url}/none", "out", tokenizer=str(tokenizer))


def test_looking_at_sets_reads_them_where_they_are(bucket, task, tmp_path):
    parent = task
    child = transferset.derive(
        parent.root, tmp_path / "child", steps=[transferset.Sample("50%")], workers=1
    )
    one, two = (bucket.upload(found.root, found.root.name) for found in (parent, child))

    def told(found: object) -> str:
        text = json.dumps(found)
        for there, here in ((one, parent.root), (two, child.root)):
            text = text.replace(there, str(here))
        return text

    assert told(api.diff(one, two)) == told(api.diff(parent.root, child.root))
    of_two = api.stats([two], parent=one)
    assert told(of_two) == told(api.stats([child.root], parent=parent.root))
    assert of_two[0]["root"] == two
    assert api.inspect(one, head=0).facts == api.inspect(parent.root, head=0).facts


def test_a_report_is_put_to_a_store_and_replaces_only_reports(bucket, task, tmp_path):
    found = task
    api.report([found.root], f"{bucket.url}/page.html", figures=f"{bucket.url}/figures")
    api.report([found.root], tmp_path / "page.html")
    objects = bucket.objects()
    assert objects["page.html"] == (tmp_path / "page.html").read_bytes()
    assert any(name.startswith("figures/") for name in objects)
    bucket.put("thesis.html", b"<p>years of work</p>")
    with pytest.raises(TransfersetError, match=r"s3://.*thesis.html"):
        api.report([found.root], f"{bucket.url}/thesis.html")
    assert bucket.objects()["thesis.html"] == b"<p>years of work</p>"


def test_a_vocabulary_is_put_to_a_store_and_not_replaced_unasked(bucket, corpus, tmp_path):
    source = f"{bucket.url}/texts/one.txt"
    api.vocab_fit([source], f"{bucket.url}/vocabulary", size=600)
    api.vocab_fit([corpus / "one.txt"], tmp_path / "vocabulary", size=600)
    assert below(bucket, "vocabulary") == files_of(tmp_path / "vocabulary")
    with pytest.raises(SetError, match=r"found .*vocab.txt at s3://"):
        api.vocab_fit([source], f"{bucket.url}/vocabulary", size=500)


def test_an_export_has_the_bytes_of_a_local_one(bucket, task, tmp_path, monkeypatch):
    source = bucket.upload(task.root, "task")
    api.export(source, f"{bucket.url}/rows", to="parquet", workers=1)
    api.export(task.root, tmp_path / "rows", to="parquet", workers=1)
    assert below(bucket, "rows") == files_of(tmp_path / "rows")
    monkeypatch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another machine"))
    again = api.export(source, f"{bucket.url}/rows", to="parquet", workers=1)
    assert not list(again.root.rglob("*.parquet"))  # nothing is read of one that is there
    assert api.verify_export(f"{bucket.url}/rows").record == again.record


def test_recipes_name_sets_at_urls_and_make_sets_there(bucket, task, tmp_path):
    bucket.upload(task.root, "task")
    body = """
        [set.small]
        command = "derive"
        from = "{}"
        steps = [{{sample = "50%"}}]

        [set.tiny]
        command = "derive"
        from = "small"
        steps = [{{shuffle = true}}]

        [report]
        sets = ["tiny"]
    """
    for name, source in (("there", f"{bucket.url}/task"), ("here", "task")):
        (tmp_path / f"{name}.toml").write_text(body.format(source))
    there = api.run(tmp_path / "there.toml", f"{bucket.url}/run", workers=1)
    here = api.run(tmp_path / "here.toml", tmp_path / "run", workers=1)
    assert {k: v.manifest for k, v in there.items()} == {k: v.manifest for k, v in here.items()}
    assert below(bucket, "run/tiny") == files_of(tmp_path / "run" / "tiny")
    assert {"run/report.html", "run/small/manifest.json"} <= bucket.objects().keys()


def test_the_command_line_takes_and_shows_urls(bucket, tmp_path, capsys):
    from transferset.cli import run

    parent = make_set(tmp_path / "parent", [300])
    source = bucket.upload(parent.root, "parent")
    made = ["derive", source, "--sample", "50%", "--out", f"{bucket.url}/small"]
    assert run(made) == 0
    assert f"{bucket.url}/small: 150 rows" in capsys.readouterr().out
    assert run(["verify", f"{bucket.url}/small"]) == 0
    assert f"{bucket.url}/small: right; 150 rows" in capsys.readouterr().out
    assert run(["derive", source, "--sample", "10%", "--out", f"{bucket.url}/small"]) == 4
    assert f"at {bucket.url}/small; choose another --out" in capsys.readouterr().err


def test_teachers_and_students_live_in_stores_too(bucket, task, tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=task.manifest.tokenizer["vocab_size"],
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=40,
        id2label={0: "bad", 1: "good"},
        label2id={"bad": 0, "good": 1},
    )
    teacher = tmp_path / "teacher"
    transformers.BertForSequenceClassification(config).save_pretrained(teacher)
    shutil.copy(task.root / "tokenizer.json", teacher)
    source, model = bucket.upload(task.root, "task"), bucket.upload(teacher, "teacher")

    there = transferset.label(source, f"{bucket.url}/labelled", teacher=model, workers=1)
    here = transferset.label(task.root, tmp_path / "labelled", teacher=teacher, workers=1)
    assert there.manifest == here.manifest
    assert below(bucket, "labelled") == files_of(here.root)

    student = f"{bucket.url}/student"
    options = {"student": "transformer", "layers": 1, "hidden": 8, "heads": 1, "feed": 8}
    made = transferset.distill(f"{bucket.url}/labelled", student, steps=2, **options)
    assert api.verify_model(student).record == made.record
    assert {"model.json", "model.safetensors"} <= below(bucket, "student").keys()
    found = transferset.evaluate(student, source, f"{bucket.url}/scores.json", resamples=39)
    told = json.loads(bucket.objects()["scores.json"])
    assert told.keys() == found.keys()
    tuned = transferset.finetune(student, source, f"{bucket.url}/tuned", steps=1)
    assert api.inspect_model(f"{bucket.url}/tuned")["name"] == tuned.record.name


def test_labelled_sets_bring_their_tables(bucket, tmp_path):
    columns = {"input_ids": ids(40), "label": [i % 2 for i in range(40)]}
    made = make_labelled(
        tmp_path / "made", columns, names=SENTIMENT, tables={"examples.json": {"rows": []}}
    )
    found = transferset.open(bucket.upload(made.root, "made"))
    assert files_of(found.root).keys() >= {"_tables/examples.json", "manifest.json"}
