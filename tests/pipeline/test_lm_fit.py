"""`lm fit` from a set to a model's directory."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from label_sets import ids, make_labelled

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import transferset  # noqa: E402
from transferset.cli import run as run_command  # noqa: E402
from transferset.errors import InputError, SetError, TransfersetError, UsageError  # noqa: E402
from transferset.models import RECORD, Model  # noqa: E402
from transferset.pipeline.lm_fit import fit_model  # noqa: E402
from transferset.stage import Quiet  # noqa: E402

TINY = {"model_type": "gpt2", "n_layer": 1, "n_embd": 16, "n_head": 2, "n_positions": 40,
        "vocab_size": 300}  # fmt: skip

OPTIONS = {"length": 24, "batch": 8, "lr": 1e-2, "seed": 3}


def texts(count: int, start: int = 0) -> list[str]:
    animals, places = ["cat", "dog", "old bird", "fish"], ["mat", "red house", "river", "tree"]
    return [
        f"the {animals[i % 4]} sat on the {places[i // 4 % 4]} {'again ' * (i % 3)}and slept"
        for i in range(start, start + count)
    ]


def make_set(root: Path, count: int = 60, start: int = 0, **members) -> Path:
    return make_labelled(root, {"text": texts(count, start)}, **members).root


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a set, another one held out, a config, and a model that was fitted."""
    root = tmp_path_factory.mktemp("fit")
    make_set(root / "set")
    make_set(root / "dev", 12, 100)
    (root / "tiny.json").write_text(json.dumps(TINY))
    transferset.lm_fit(
        root / "set", root / "base", config=root / "tiny.json", validation=root / "dev",
        epochs=2, **OPTIONS,
    )  # fmt: skip
    return root


def files(root: Path) -> dict[str, bytes]:
    """What a model is: all but the log, which has times."""
    return {p.name: p.read_bytes() for p in root.iterdir() if p.is_file() and p.suffix != ".jsonl"}


def test_the_directory_opens_with_transformers(made):
    model = transformers.AutoModelForCausalLM.from_pretrained(made / "base")
    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "base")
    row = tokenizer(texts(1)[0], return_tensors="pt")
    assert torch.isfinite(model(**row).logits).all()
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert {p.name for p in (made / "base").iterdir()} == {
        "README.md", "_run", "config.json", "generation_config.json", "log.jsonl",
        "model.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip


def test_the_record_says_what_it_is_and_from_what(made):
    record = Model.open(made / "base").verify().record
    assert (record.op, record.seed, record.params["epochs"]) == ("lm fit", 3, 2)
    assert [(one["name"], one["role"]) for one in record.parents] == [
        ("set", "source"), ("dev", "validation"),
    ]  # fmt: skip
    assert record.parents[0]["digest"] == transferset.open(made / "set").manifest.digest
    assert record.base is None
    assert record.licence == "CC0-1.0"
    train = record.examples["train"]
    assert (train["rows"], train["examples"], train["empty"]) == (60, 60, 0)
    assert record.metrics["steps"] == 2 * 8
    assert record.metrics["pieces"] == 2 * train["pieces"]
    assert [one["step"] for one in record.metrics["held_out"]] == [0, 8, 16]
    assert record.metrics["held_out"][0]["piece"] > record.metrics["held_out"][-1]["piece"]
    assert record.tokenizer["from"] == "fitted"


def test_the_log_has_each_step_once(made):
    lines = [json.loads(line) for line in (made / "base" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 17))
    assert all(line["lr"] > 0 for line in lines if "loss" in line)


def test_a_fitted_model_is_fitted_on_and_its_lineage_told(made, tmp_path):
    found = transferset.lm_fit(made / "dev", tmp_path / "on", model=made / "base", **OPTIONS)
    base = Model.open(made / "base").record
    assert found.record.base["digest"] == base.digest
    assert found.record.base["parents"][0]["name"] == "set"
    assert found.record.tokenizer["from"] == "the model"
    before = transformers.AutoModelForCausalLM.from_pretrained(made / "base").state_dict()
    after = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "on").state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_licences_of_set_and_base_are_joined(made, tmp_path):
    make_set(tmp_path / "set", 8, licence="MIT AND CC-BY-4.0")
    found = transferset.lm_fit(tmp_path / "set", tmp_path / "m", model=made / "base", **OPTIONS)
    assert found.record.licence == "CC-BY-4.0 AND CC0-1.0 AND MIT"
    (tmp_path / "m" / RECORD).unlink()  # from here on it is a stranger's
    found = transferset.lm_fit(tmp_path / "set", tmp_path / "n", model=tmp_path / "m", **OPTIONS)
    assert found.record.licence == "CC-BY-4.0 AND MIT AND unknown"


def test_a_base_that_was_changed_is_refused(made, tmp_path):
    import shutil

    shutil.copytree(made / "base", tmp_path / "base")
    path = tmp_path / "base" / "generation_config.json"
    path.write_text(path.read_text().replace("{", "{ ", 1).rstrip("\n"))
    with pytest.raises(SetError, match="generation_config"):
        transferset.lm_fit(made / "set", tmp_path / "m", model=tmp_path / "base", **OPTIONS)


def test_the_set_may_lend_its_tokenizer(tmp_path, tokenizer):
    source = tmp_path / "rows.tsv"
    source.write_text(
        "text\tlabel\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(texts(20)))
    )
    transferset.build_task(
        [str(source)], tmp_path / "set", text="text", label="label", tagger="none",
        tokenizer=str(tokenizer),
    )  # fmt: skip
    config = tmp_path / "c.json"
    config.write_text(json.dumps({k: v for k, v in TINY.items() if k != "vocab_size"}))
    found = transferset.lm_fit(
        tmp_path / "set", tmp_path / "m", config=config, tokenizer="set", **OPTIONS
    )
    assert (tmp_path / "m" / "tokenizer.json").read_bytes() == (
        tmp_path / "set" / "tokenizer.json"
    ).read_bytes()
    ids = found.record.tokenizer["pieces"]
    assert transformers.AutoConfig.from_pretrained(tmp_path / "m").vocab_size == ids


def test_pairs_are_fitted_with_a_separator(made, tmp_path):
    pairs = {"text": texts(8), "text_pair": texts(8, 20)}
    make_labelled(tmp_path / "pairs", pairs)
    found = transferset.lm_fit(
        tmp_path / "pairs", tmp_path / "m", config=made / "tiny.json", **{**OPTIONS, "length": 39}
    )
    assert found.record.examples["train"]["examples"] == 8
    with pytest.raises(UsageError, match=r"expected pairs, as in .* found single texts"):
        transferset.lm_fit(
            tmp_path / "pairs", tmp_path / "n", config=made / "tiny.json", validation=made / "dev"
        )


# Resuming

DRIVER = """
import sys
from pathlib import Path
import torch
from test_lm_fit import fit_long
torch.set_num_threads(1)
fit_long(Path(sys.argv[1]), Path(sys.argv[2]), 0.0)
"""


def fit_long(made: Path, out: Path, every: float) -> Model:
    """48 steps, a checkpoint after each if `every` is 0."""
    plan = transferset.plan_lm_fit(
        made / "set", config=made / "tiny.json", validation=made / "dev", epochs=6,
        evaluate_every=5, **OPTIONS,
    )  # fmt: skip
    return fit_model(plan, out, Quiet(), force=False, every=every)


def fit_and_kill(made: Path, out: Path, wait: int) -> bool:
    """Run in a process that is killed once the log has some lines; whether it was."""
    here = Path(__file__).parent
    paths = os.pathsep.join(map(str, (here, here.parent)))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    process = subprocess.Popen([sys.executable, "-c", DRIVER, str(made), str(out)], env=environment)
    log, recipe = out / "log.jsonl", out / "_run" / "recipe.json"
    while process.poll() is None:
        lines = log.read_bytes().count(b"\n") if log.exists() else 0
        if recipe.exists() and lines >= wait:
            process.kill()
            return process.wait() == -signal.SIGKILL
        time.sleep(0.002)
    return False


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_bytes(made, tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    fit_long(made, tmp_path / "whole", 1e9)
    assert [fit_and_kill(made, tmp_path / "broken", wait) for wait in (0, 27)] == [True] * 2
    assert not (tmp_path / "broken" / RECORD).exists()
    fit_long(made, tmp_path / "broken", 0.0)
    torch.set_num_threads(threads)
    assert files(tmp_path / "broken") == files(tmp_path / "whole")
    log = (tmp_path / "broken" / "log.jsonl").read_text().splitlines()
    assert [line["step"] for line in map(json.loads, log) if "loss" in line] == list(range(1, 49))


def test_what_is_there_is_returned_and_another_recipe_refused(made, tmp_path):
    before = (made / "base" / "model.safetensors").stat().st_mtime_ns
    same = {"config": made / "tiny.json", "validation": made / "dev", "epochs": 2, **OPTIONS}
    transferset.lm_fit(made / "set", made / "base", **same)
    assert (made / "base" / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(SetError, match=r"params\.lr was 0\.01, is 0\.02"):
        transferset.lm_fit(made / "set", made / "base", **{**same, "lr": 0.02})


def test_force_replaces_the_model_and_nothing_else(made, tmp_path):
    config = made / "tiny.json"
    transferset.lm_fit(made / "dev", tmp_path / "m", config=config, **OPTIONS)
    (tmp_path / "m" / "notes.txt").write_text("mine")
    found = transferset.lm_fit(
        made / "dev", tmp_path / "m", config=config, force=True, **{**OPTIONS, "seed": 4}
    )
    assert found.record.seed == 4
    assert (tmp_path / "m" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("force", [False, True])
def test_a_directory_that_is_not_ours_is_never_touched(made, tmp_path, force):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "model.safetensors").write_text("years of work")
    config = made / "tiny.json"
    with pytest.raises(SetError, match="not transferset's"):
        transferset.lm_fit(made / "dev", tmp_path / "theirs", config=config, force=force)
    make_set(tmp_path / "set", 4)
    with pytest.raises(SetError, match="expected no set there, found a set"):
        transferset.lm_fit(made / "dev", tmp_path / "set", config=config, force=force)
    assert (tmp_path / "theirs" / "model.safetensors").read_text() == "years of work"
    assert transferset.verify(tmp_path / "set")


def test_a_set_is_not_written_over_a_model(made, tmp_path):
    make_labelled(tmp_path / "rows", {"input_ids": ids(20)})
    steps = [transferset.Sample("50%")]
    with pytest.raises(SetError, match="expected no model there, found a model"):
        transferset.derive(tmp_path / "rows", made / "base", steps=steps, force=True)
    assert Model.open(made / "base").verify()


def test_it_does_not_write_where_it_reads(made):
    with pytest.raises(UsageError, match="--out beside the parents"):
        transferset.lm_fit(made / "set", made / "base" / "on", model=made / "base")


def test_force_does_not_destroy_what_is_read(made, tmp_path):
    """A config, or a tokenizer, that stands in --out would be gone before it is used."""
    shutil.copytree(made / "base", tmp_path / "base")
    for options in (
        {"config": tmp_path / "base" / "config.json"},
        {"config": made / "tiny.json", "tokenizer": tmp_path / "base" / "tokenizer.json"},
    ):
        with pytest.raises(UsageError, match="--out beside the parents"):
            transferset.lm_fit(made / "set", tmp_path / "base", force=True, **options, **OPTIONS)
    assert Model.open(tmp_path / "base").verify()


def test_a_full_disk_is_one_sentence_and_resumable(made, tmp_path, monkeypatch):
    from transferset.language_models import causal

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "model.safetensors")

    config = made / "tiny.json"
    monkeypatch.setattr(causal, "save_causal", full)
    with pytest.raises(TransfersetError, match="a writable output, found No space left"):
        transferset.lm_fit(made / "dev", tmp_path / "m", config=config, **OPTIONS)
    assert not (tmp_path / "m" / RECORD).exists()
    monkeypatch.undo()
    assert transferset.lm_fit(made / "dev", tmp_path / "m", config=config, **OPTIONS)


def test_a_loss_that_is_not_finite_frees_the_place(made, tmp_path):
    config = made / "tiny.json"
    with pytest.raises(TransfersetError, match=r"finite numbers, found .* lower --lr"):
        transferset.lm_fit(
            made / "dev", tmp_path / "m", config=config, **{**OPTIONS, "lr": 1e30, "epochs": 9}
        )
    assert transferset.lm_fit(made / "dev", tmp_path / "m", config=config, **OPTIONS)


# What cannot be done


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({}, UsageError, "one of --model and --config, found neither"),
        ({"config": "tiny.json", "model": "base"}, UsageError, "found both"),
        ({"config": "no.json"}, InputError, r"no\.json"),
        ({"model": "set"}, InputError, r"config\.json"),
        ({"config": "tiny.json", "lr": 0}, UsageError, "--lr above 0, found 0"),
        ({"config": "tiny.json", "batch": 0}, UsageError, "--batch from 1"),
        ({"config": "tiny.json", "warmup": 1.5}, UsageError, "--warmup from 0 to 1"),
        ({"config": "tiny.json", "weight_decay": -1.0}, UsageError, "--weight-decay of at least 0"),
        ({"config": "tiny.json", "seed": -1}, UsageError, "--seed"),
        ({"config": "tiny.json", "length": 128}, UsageError, "lower --length to 39"),
        ({"config": "tiny.json", "tokenizer": "set"}, UsageError, "a set with a tokenizer"),
        ({"config": "tiny.json", "tokenizer": "none"}, InputError, r"tokenizer\.json"),
        ({"model": "base", "tokenizer": "set"}, UsageError, "the tokenizer of the model"),
        ({"config": "tiny.json", "device": "nowhere"}, UsageError, "a device of torch's"),
        ({"config": "tiny.json", "device": "meta"}, UsageError, "a device of torch's"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(made, tmp_path, monkeypatch, options, error, told):
    monkeypatch.chdir(made)
    with pytest.raises(error, match=told):
        transferset.lm_fit(made / "set", tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_a_set_without_texts_is_refused(made, tmp_path):
    make_labelled(tmp_path / "bare", {"input_ids": ids(5)})
    with pytest.raises(UsageError, match=r"a column text, found input_ids.*--keep-text"):
        transferset.lm_fit(tmp_path / "bare", tmp_path / "m", config=made / "tiny.json")


def test_blank_texts_are_counted_and_nothing_else_is_an_error(made, tmp_path):
    make_labelled(tmp_path / "some", {"text": ["a cat", "", " \u00a0 ", "a dog"]})
    config = made / "tiny.json"
    found = transferset.lm_fit(tmp_path / "some", tmp_path / "m", config=config, **OPTIONS)
    assert found.record.examples["train"]["empty"] == 2
    make_labelled(tmp_path / "none", {"text": ["", " "]})
    with pytest.raises(TransfersetError, match="at least one text, found none"):
        transferset.lm_fit(tmp_path / "none", tmp_path / "n", model=made / "base", **OPTIONS)


def test_a_damaged_set_is_found_while_it_is_read(made, tmp_path):
    make_set(tmp_path / "set", 20)
    path = tmp_path / "set" / "data-00000-of-00001.arrow"
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"slept")] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SetError, match="bytes as written"):
        transferset.lm_fit(tmp_path / "set", tmp_path / "m", model=made / "base", **OPTIONS)


def test_a_vocabulary_that_does_not_fit_is_refused(made, tmp_path):
    config = tmp_path / "c.json"
    config.write_text(json.dumps({**TINY, "vocab_size": 280}))
    with pytest.raises(InputError, match="vocab_size of at least"):
        transferset.lm_fit(
            made / "set", tmp_path / "m", config=config, tokenizer=made / "base", **OPTIONS
        )


# The command


def test_the_command_tells_what_it_did(made, tmp_path, capsys):
    out = tmp_path / "m"
    arguments = ["lm", "fit", made / "set", "--config", made / "tiny.json", "--out", out]
    arguments += ["--validation", made / "dev", "--length", 24, "--batch", 16, "--lr", 0.01]
    assert run_command([str(one) for one in arguments]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{out}: 4 steps, ")
    assert " pieces, held-out perplexity " in told.out
    assert told.out.count("\n") == 1


def test_a_dry_run_writes_nothing_and_foretells(made, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("transferset.pipeline.lm_fit_probe._SECONDS", 0.1)
    monkeypatch.chdir(tmp_path)
    arguments = ["lm", "fit", made / "set", "--model", made / "base", "--batch", 8, "--epochs", 3]
    arguments += ["--length", 24, "--validation", made / "dev", "--dry-run"]
    assert run_command([str(one) for one in arguments]) == 0
    plan = json.loads(capsys.readouterr().out)
    record = Model.open(made / "base").record
    assert plan["estimates"]["train"]["pieces"] == record.examples["train"]["pieces"]
    assert plan["steps"] == 24
    assert plan["seconds"] > 0
    assert list(tmp_path.iterdir()) == []


def test_notes_tell_of_cut_texts_and_short_memory(made, capsys):
    from dataclasses import replace

    from transferset.cli.lm import _say_notes
    from transferset.cli.models import _rounded

    found = Model.open(made / "base")
    record = replace(
        found.record,
        metrics={
            **found.record.metrics,
            "rows_at_once": 6,
            "kept_step": 8,
            "held_out": [{"step": 0, "piece": 5.0}, {"step": 8, "piece": 6.0}],
        },
        examples={"train": {**found.record.examples["train"], "truncated": 1200}},
    )
    _say_notes(Model(found.root, record))
    told = capsys.readouterr().err
    assert "1,200 texts were cut" in told
    assert "memory was short, so 6 texts" in told
    assert "likelier before" in told
    assert [_rounded(n) for n in (7, 1234, 56_789, 1_234_567)] == ["7", "1.2 k", "57 k", "1.2 M"]
