"""Directories that are models, and those that are not: one sentence each."""

from __future__ import annotations

import json
import sys

import pytest
from tiny_models import VOCABULARY, bert_config, change_config, write_bert, write_word_pieces

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.files import digest_file
from transferset.language_models import describe, open_masked_lm


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return write_bert(tmp_path / "tiny")


def files_without_weights(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    write_word_pieces(folder)
    return folder


def test_a_recipe_records_what_the_model_is(folder):
    found = describe(folder)
    assert found["name"] == "tiny"
    for name, file in (
        ("config", "config.json"),
        ("weights", "model.safetensors"),
        ("tokenizer", "tokenizer.json"),
    ):
        assert found[name] == digest_file(folder / file)
    assert found["vectors"] is None
    assert {"torch", "transformers"} < set(found)


def test_no_directory(tmp_path):
    with pytest.raises(InputError, match=r"the directory of a model, found none at .*nowhere"):
        open_masked_lm(tmp_path / "nowhere")
    with pytest.raises(InputError, match="the directory of a model"):
        describe(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path, file):
    folder = files_without_weights(tmp_path / "tiny")
    (folder / file).unlink()
    with pytest.raises(InputError, match=f"expected a file {file}, found none"):
        open_masked_lm(folder)


def test_torch_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    folder = files_without_weights(tmp_path / "tiny")
    with pytest.raises(UsageError, match=r"found none; pip install 'transferset\[distill\]'"):
        open_masked_lm(folder)


def test_a_model_without_a_masked_lm_head(folder):
    import transformers

    transformers.BertModel(bert_config()).save_pretrained(folder)
    with pytest.raises(InputError, match=r"the masked-LM head, found none for cls\.predictions"):
        open_masked_lm(folder)


def test_a_model_that_lacks_a_layer(folder):
    change_config(folder, num_hidden_layers=3)
    with pytest.raises(InputError, match=r"found none for bert\.encoder\.layer\.2.* and 15 others"):
        open_masked_lm(folder)


def test_weights_of_another_shape(folder):
    change_config(folder, vocab_size=len(VOCABULARY) + 1)
    with pytest.raises(InputError, match=r"expected (a masked language model|weights)"):
        open_masked_lm(folder)


def test_damaged_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="expected a masked language model"):
        open_masked_lm(folder)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_a_configuration_that_is_none(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match="JSON"):
        open_masked_lm(folder)


def test_a_configuration_that_asks_for_much(folder):
    change_config(folder, num_hidden_layers=10**9)
    with pytest.raises(InputError, match="num_hidden_layers from 1 to 1,024, found 1000000000"):
        open_masked_lm(folder)


@pytest.mark.parametrize("name", ["auto_map", "quantization_config"])
def test_a_configuration_that_names_foreign_code(folder, name):
    change_config(folder, **{name: {"AutoModelForMaskedLM": "elsewhere--modeling.Model"}})
    with pytest.raises(InputError, match=f"a plain model in float, found a member {name}"):
        open_masked_lm(folder)


# transformers obeys these members even where its caller names another implementation
@pytest.mark.parametrize(
    "members",
    [
        {"attn_implementation": "someone/kernels"},
        {"_attn_implementation": "someone/kernels"},
        {"text_config": {"attn_implementation": "someone/kernels"}},
    ],
)
def test_a_kernel_that_would_be_fetched_is_refused(folder, members):
    change_config(folder, **members)
    with pytest.raises(InputError, match=r"a plain model in float, found a member _?attn_impl"):
        open_masked_lm(folder)


def test_an_adapter_is_not_followed(folder):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere"}')
    with pytest.raises(InputError, match="a whole model, found an adapter"):
        open_masked_lm(folder)


def test_a_tokenizer_without_a_mask(folder):
    write_word_pieces(folder, [piece for piece in VOCABULARY if piece != "[MASK]"])
    with pytest.raises(InputError, match=r"expected a mask piece, found none at .*tokenizer\.json"):
        open_masked_lm(folder)


def test_a_mask_with_a_name_of_its_own(folder):
    write_word_pieces(folder, [p if p != "[MASK]" else "moon*" for p in VOCABULARY])
    (folder / "special_tokens_map.json").write_text(json.dumps({"mask_token": "moon*"}))
    model = open_masked_lm(folder)
    found = model.propose([["cat"]], [[False]], [[True]], 3)
    assert len(found.candidates[0]) == 3


def test_a_damaged_tokenizer(folder):
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"expected a tokenizer\.json"):
        open_masked_lm(folder)


def test_a_tokenizer_that_puts_nothing_around_a_text(folder):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "post_processor": None}))
    with pytest.raises(InputError, match="one piece before and one after a text, found 0 pieces"):
        open_masked_lm(folder)


def test_a_tokenizer_of_another_model(folder):
    write_word_pieces(folder, [*VOCABULARY, "paris"])
    expected = f"up to {len(VOCABULARY)} ids, found {len(VOCABULARY) + 1}"
    with pytest.raises(InputError, match=expected):
        open_masked_lm(folder)


def test_scores_that_are_no_numbers(folder):
    import torch
    import transformers

    model = transformers.BertForMaskedLM.from_pretrained(folder)
    with torch.no_grad():
        model.bert.embeddings.LayerNorm.weight[0] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(InputError, match="finite scores of the model"):
        open_masked_lm(folder)


def test_no_such_device(folder):
    with pytest.raises(UsageError, match="a device of torch's, found moon"):
        open_masked_lm(folder, device="moon")


def test_memory_that_ends_while_a_model_is_loaded_is_no_mistake_of_the_model(folder, monkeypatch):
    import transformers

    def full(*_, **__):
        raise RuntimeError("[enforce fail] can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(transformers.BertForMaskedLM, "forward", full)
    monkeypatch.setattr(transformers.AutoModelForMaskedLM, "from_pretrained", full)
    with pytest.raises(TransfersetError, match="enough memory, found none left for 9") as found:
        open_masked_lm(folder)
    assert found.value.exit_code == 1


def test_notes_of_transformers_are_as_before(folder, capfd):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    capfd.readouterr()
    open_masked_lm(folder)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")
