"""`lm sample`: what the set holds, what is left out and counted, same bytes, resuming."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from lm_writers import END, task_set, writer

import transferset
from transferset.errors import InputError, SetError, TransfersetError, UsageError
from transferset.shards import ShardSet

pytest.importorskip("torch")
pytest.importorskip("transformers")

ROWS = [("good film", "1"), ("bad plot", "0"), ("good plot a cast", "1"), ("a film", "0")]
SOME = {END: 0.3, "Ġfilm": 0.3, "Ġbad": 0.2, "Ġplot": 0.1, "Ġa": 0.1}


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> ShardSet:
    return task_set(tmp_path_factory.mktemp("task"), ROWS, evaluation=[("good bad", "0")])


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return writer(tmp_path_factory.mktemp("model") / "writer", SOME)


def sample(task: ShardSet, out: Path, model: Path, **options) -> ShardSet:
    options = {"rows": 50, "workers": 1, "seed": 3, **options}
    return transferset.lm_sample(task.root, out, model=model, **options)


def rows_of(found: ShardSet) -> list[dict]:
    return [row for batch in found.batches() for row in batch.to_pylist()]


def facts_of(found: ShardSet) -> dict:
    return json.loads((found.root / "_tables" / "sampling.json").read_bytes())


def data_of(found: ShardSet) -> list[str]:
    return [entry.blake3 for entry in found.manifest.shards]


@pytest.fixture(scope="module")
def written(task, model, tmp_path_factory) -> ShardSet:
    return sample(task, tmp_path_factory.mktemp("out") / "written", model)


def test_the_originals_come_first_with_their_labels(task, written) -> None:
    rows, originals = rows_of(written), rows_of(task)
    for row, original in zip(rows, originals, strict=False):
        assert {k: row[k] for k in ("input_ids", "text", "label", "source")} == {
            k: original[k] for k in ("input_ids", "text", "label", "source")
        }
    assert [row["label"] for row in rows[len(ROWS) :]] == [None] * 50
    assert all(row["finished"] for row in rows)
    assert {row["source"] for row in rows[len(ROWS) :]} == {1}
    assert written.manifest.sources[1]["kind"] == "language model"


def test_the_set_is_valid(written) -> None:
    assert len(transferset.verify(written.root)) == 54
    assert written.manifest.parents[0]["role"] == "source"


def test_ids_are_those_of_the_text(task, written) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(task.root / "tokenizer.json"))
    for row in rows_of(written):
        assert row["input_ids"] == tokenizer.encode(row["text"]).ids


def test_no_row_is_there_twice_or_copied(written) -> None:
    texts = Counter(row["text"] for row in rows_of(written))
    assert set(texts.values()) == {1}
    assert "good bad" not in texts  # it stands in the evaluation file


def test_attempts_are_rows_and_the_ledger(written) -> None:
    facts = facts_of(written)
    ledger = {entry["reason"]: entry["count"] for entry in written.manifest.ledger}
    assert facts["kept"] == 50
    assert facts["attempts"] == 50 + sum(ledger.values())
    assert facts["outcomes"] == {"kept": 50, **ledger}
    assert facts["multiple"] == 54 / 4
    # most short rows come again and again
    assert ledger["repeated"] > 20
    assert ledger["copied"] > 0
    assert ledger["copied_evaluation"] > 0


def test_texts_begin_with_first_pieces_of_the_set(written) -> None:
    fitted = json.loads((written.root / "_fit" / "prefixes.json").read_bytes())
    # "good" is a piece; "bad" and "a" are not: without a space before them they are letters
    assert dict(zip(fitted["pieces"], fitted["counts"], strict=True)) == {"a": 1, "b": 1, "good": 2}
    assert {row["text"][0] for row in rows_of(written)[len(ROWS) :]} <= set("abg")
    facts = facts_of(written)
    assert sum(facts["drawn"]) == facts["attempts"]
    shares = np.array(facts["drawn"]) / facts["attempts"]
    assert shares == pytest.approx([1 / 4, 1 / 4, 1 / 2], abs=4 * 0.5 / facts["attempts"] ** 0.5)


@pytest.mark.parametrize(
    "options", [{"workers": 2}, {"batch": 1}, {"batch": 300}, {"shards": 1, "engine": "tokenizers"}]
)
def test_the_same_bytes_at_any_number_of_workers_and_any_batch(
    task, model, written, tmp_path, options
) -> None:
    assert data_of(sample(task, tmp_path / "again", model, **options)) == data_of(written)


def test_another_seed_gives_other_rows(task, model, written, tmp_path) -> None:
    assert data_of(sample(task, tmp_path / "other", model, seed=4)) != data_of(written)


def test_fewer_rows_are_the_first_of_more(task, model, written, tmp_path) -> None:
    fewer = sample(task, tmp_path / "fewer", model, rows=20)
    assert rows_of(fewer) == rows_of(written)[:24]


def test_a_stopped_run_goes_on_without_sampling_a_row_again(
    task, model, written, tmp_path, monkeypatch
) -> None:
    from transferset.language_models.causal import Sampler
    from transferset.pipeline.lm_sample import attempts

    sampled = Counter()
    real, stop = Sampler.sample, [0]

    def counting(self, rows):
        for number, one in enumerate(real(self, rows)):
            if number == stop[0]:
                raise KeyboardInterrupt
            sampled[one.row] += 1
            yield one

    monkeypatch.setattr(Sampler, "sample", counting)
    monkeypatch.setattr(attempts, "_EVERY", -1.0)  # each row at once
    for stop[0] in (5, 11, 3):
        with pytest.raises(KeyboardInterrupt):
            sample(task, tmp_path / "out", model)
        assert not (tmp_path / "out" / "manifest.json").exists()
    stop[0] = -1
    found = sample(task, tmp_path / "out", model)
    assert data_of(found) == data_of(written)
    assert (found.root / "manifest.json").read_bytes() == (
        written.root / "manifest.json"
    ).read_bytes()
    assert set(sampled.values()) == {1}
    assert not list(found.root.glob("_run/*/*.journal"))


def test_keeping_everything_keeps_the_models_distribution(task, model, tmp_path) -> None:
    found = sample(task, tmp_path / "sucik", model, rows=2000, preset="sucik2020")
    facts, rows = facts_of(found), rows_of(found)[len(ROWS) :]
    assert facts["attempts"] == facts["kept"] == 2000
    words = Counter(word for row in rows for word in row["text"].split()[1:])
    # prefixes of one letter may be continued within the word, so only whole words are counted
    shares = [
        words[w] / sum(words[v] for v in ("film", "bad", "plot", "a")) for w in ("film", "bad")
    ]
    assert shares == pytest.approx([3 / 7, 2 / 7], abs=0.03)
    # a row ends with probability 0.3 after each piece: the prefix and on average 7/3 more
    lengths = [1 + len(row["text"].split()[1:]) for row in rows]
    assert np.mean(lengths) == pytest.approx(1 + 7 / 3, abs=0.25)
    preset = found.manifest.params["preset"]
    assert preset["name"] == "sucik2020"
    assert preset["deviations"][0].startswith("2,000 rows instead of 800,000")


def test_the_preset_fixes_its_options(task, model) -> None:
    with pytest.raises(UsageError, match="--as sucik2020 without --top-k"):
        transferset.plan_lm_sample(task.root, model=model, preset="sucik2020", top_k=5)


def test_unfinished_rows_are_left_out_or_marked(task, tmp_path) -> None:
    endless = writer(tmp_path / "endless", {END: 0.2, "Ġfilm": 0.5, "Ġbad": 0.3})
    options = {"max_length": 4, "rows": 20, "originals": "none"}
    without = sample(task, tmp_path / "without", endless, **options)
    assert all(row["finished"] for row in rows_of(without))
    reasons = {entry["reason"] for entry in without.manifest.ledger}
    assert {"unfinished", "varied"} <= reasons
    kept = sample(task, tmp_path / "with", endless, unfinished="keep", duplicates="keep", **options)
    assert {row["finished"] for row in rows_of(kept)} == {True, False}
    assert all(len(row["text"].split()) == 4 for row in rows_of(kept) if not row["finished"])
    assert len(kept) == 20


def test_a_model_that_never_ends_is_an_error(task, tmp_path) -> None:
    never = writer(tmp_path / "never", {"Ġfilm": 1.0})
    with pytest.raises(TransfersetError, match=r"at least one row.*500 unfinished") as error:
        sample(task, tmp_path / "out", never, max_length=3)
    assert error.value.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_a_model_that_writes_nothing_else_is_an_error(task, tmp_path) -> None:
    parrot = writer(tmp_path / "parrot", {END: 1.0})
    with pytest.raises(TransfersetError, match="found none in"):
        sample(task, tmp_path / "out", parrot, prefix="bos")


def test_attempts_are_bounded(task, tmp_path) -> None:
    dull = writer(tmp_path / "dull", {END: 0.5, "Ġfilm": 0.5})
    found = sample(task, tmp_path / "out", dull, rows=1000, max_attempts=300)
    facts = facts_of(found)
    assert facts["attempts"] == 300
    assert 0 < facts["kept"] < 100
    assert len(found) == 4 + facts["kept"]


def test_the_models_own_first_pieces(task, model, tmp_path) -> None:
    found = sample(task, tmp_path / "bos", model, prefix="bos", rows=300, duplicates="keep")
    first = Counter(row["text"].split()[0] for row in rows_of(found)[len(ROWS) :])
    assert set(first) <= {"film", "bad", "plot", "a"}
    assert not (found.root / "_fit").exists()


def test_a_line_break_in_a_single_text_is_white_space(task, tmp_path) -> None:
    model = writer(tmp_path / "lines", {END: 0.3, "Ċ": 0.3, "Ġfilm": 0.4})
    found = sample(task, tmp_path / "out", model, rows=10, prefix="bos")
    assert "film film" in {row["text"] for row in rows_of(found)}
    assert "not_a_pair" not in {entry["reason"] for entry in found.manifest.ledger}


def test_pairs_have_one_separator(tmp_path) -> None:
    pairs = task_set(tmp_path, [("good film", "a plot", "1"), ("bad film", "a cast", "0")])
    model = writer(tmp_path / "pairs", {END: 0.3, "Ċ": 0.3, "Ġfilm": 0.4})
    found = sample(pairs, tmp_path / "out", model, rows=10)
    rows = rows_of(found)[2:]
    assert all(row["text"] and row["text_pair"] for row in rows)
    assert {"blank", "not_a_pair"} <= {entry["reason"] for entry in found.manifest.ledger}
    sep = found.manifest.tokenizer["special_ids"]["sep"]
    assert all(row["input_ids"].count(sep) == 2 for row in rows)


def test_what_is_no_text_is_counted(task, tmp_path) -> None:
    broken = writer(tmp_path / "broken", {END: 0.4, "Ġfilm": 0.3, "Ã": 0.3})  # half a character
    found = sample(task, tmp_path / "out", broken, rows=5)
    assert "undecodable" in {entry["reason"] for entry in found.manifest.ledger}
    assert all("\ufffd" not in row["text"] for row in rows_of(found))


def test_perplexities_under_the_base_model(task, model, tmp_path) -> None:
    found = sample(task, tmp_path / "out", model, rows=200, duplicates="keep", base=model)
    base = facts_of(found)["base"]
    assert base["written"]["rows"] == 200
    assert base["natural"]["rows"] == 4
    # the writer's own words are as likely as it draws them; letters of the originals are not
    assert base["written"]["perplexity"] < base["natural"]["perplexity"]


def test_a_changed_option_is_told(task, model, written) -> None:
    with pytest.raises(SetError, match=r"params.top_k was 0, is 3"):
        sample(task, written.root, model, top_k=3)


def test_bad_input_is_one_sentence(task, model, tmp_path) -> None:
    with pytest.raises(UsageError, match="--rows"):
        transferset.lm_sample(task.root, tmp_path / "a", model=model)
    with pytest.raises(InputError, match="model"):
        sample(task, tmp_path / "b", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="--max-length of at most 139"):
        sample(task, tmp_path / "c", model, max_length=400)
    bare = transferset.build_wiki("demo", tmp_path / "wiki", limit=2, workers=1)
    with pytest.raises(UsageError, match="a set with a column text"):
        sample(bare, tmp_path / "d", model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["wiki"]


def test_a_model_that_was_replaced_is_another_model(task, tmp_path) -> None:
    place = tmp_path / "writer"
    writer(place, SOME)
    first = sample(task, tmp_path / "first", place)
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    writer(place, {END: 0.4, "Ġcast": 0.6})  # in the same process, in the same place
    second = sample(task, tmp_path / "second", place, rows=3)
    assert {row["text"].split()[-1] for row in rows_of(second)[len(ROWS) :]} <= {
        "cast",
        "a",
        "b",
        "good",
    }
    names = [key for key in first.manifest.code if key.startswith("model ")]
    assert first.manifest.code[names[0]] != second.manifest.code[names[0]]


def test_what_only_another_recipe_helps_leaves_the_place_free(task, model, tmp_path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = writer(tmp_path / "broken", SOME)
    weights = load_file(broken / "model.safetensors")
    weights["transformer.wte.weight"][:, 0] = torch.nan
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="finite"):
        sample(task, tmp_path / "out", broken)
    assert len(sample(task, tmp_path / "out", model, rows=3)) == 7


def test_pairs_want_a_separator_before_any_work(tmp_path) -> None:
    pairs = task_set(tmp_path, [("good film", "a plot", "1"), ("bad film", "a cast", "0")])
    place = writer(tmp_path / "model", SOME)
    tokenizer = json.loads((place / "tokenizer.json").read_text())
    del tokenizer["model"]["vocab"]["Ċ"]
    tokenizer["model"]["vocab"]["ĊĊ"] = 11
    (place / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises((InputError, UsageError), match=r"line break|separator|newline|\\n"):
        sample(pairs, tmp_path / "out", place)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [{"temperature": 1e-46}, {"top_k": 10**20}, {"device": "meta"}, {"device": "x"}]
)
def test_options_out_of_range(task, model, tmp_path, options) -> None:
    with pytest.raises(UsageError):
        sample(task, tmp_path / "out", model, **options)
    assert not (tmp_path / "out").exists()


def test_longrope_is_not_sampled_beyond_its_first_length() -> None:
    from transferset.language_models.causal.sampler import check_positions

    rope = {"rope_type": "longrope", "original_max_position_embeddings": 32}
    config = {"max_position_embeddings": 128, "rope_parameters": rope}
    check_positions(config, 31)
    with pytest.raises(UsageError, match="--max-length of at most 31"):
        check_positions(config, 32)
