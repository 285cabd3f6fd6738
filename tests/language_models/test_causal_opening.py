"""Directories that are causal language models, and those that are not: one sentence each."""

from __future__ import annotations

import errno
import json
import re
import sys

import pytest
from causal_folders import (
    GPT2,
    LLAMA,
    TEXTS,
    gpt2,
    llama2,
    llama3,
    write_bert_pieces,
    write_causal,
    write_config,
    write_tokenizer,
)
from tiny_models import bert_config, change_config, write_bert

from transferset.errors import InputError, UsageError
from transferset.files import digest_file
from transferset.language_models.causal import (
    CausalPieces,
    describe_causal,
    load_causal,
    new_causal,
    save_causal,
    stated_vocabulary,
)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return write_causal(tmp_path_factory.mktemp("causal") / "tiny")


@pytest.fixture
def folder(made, tmp_path):
    """A copy that a test may spoil."""
    out = tmp_path / "tiny"
    out.mkdir()
    for path in made.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    return out


@pytest.fixture
def pieces(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return CausalPieces(write_tokenizer(tmp_path / "pieces", gpt2()))


def parameters(model):
    return {name: part.detach().numpy().tobytes() for name, part in model.named_parameters()}


def test_what_asks_for_another_form_is_settled(folder, tmp_path):
    import torch

    ids = torch.tensor([[3, 4, 5]])
    wanted = load_causal(folder)(ids).logits
    change_config(folder, output_attentions=True, output_hidden_states=True, return_dict=False)
    model = load_causal(folder, train=True)
    with torch.no_grad():
        assert torch.equal(model.eval()(ids).logits, wanted)
    save_causal(model, CausalPieces(folder), tmp_path / "out")
    assert torch.equal(load_causal(tmp_path / "out")(ids).logits, wanted)


def test_weights_that_are_no_numbers_are_told_before_a_training(folder):
    from safetensors.torch import load_file, save_file

    stored = load_file(folder / "model.safetensors")
    name = sorted(stored)[0]
    stored[name].view(-1)[0] = float("nan")
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=f"finite weights, found others in {re.escape(name)} at"):
        load_causal(folder, train=True)


# New models.


@pytest.mark.parametrize("config", [GPT2, LLAMA], ids=["gpt2", "llama"])
def test_the_seed_determines_the_weights(pieces, tmp_path, config):
    import torch

    path = write_config(tmp_path, **config)
    torch.manual_seed(1)
    first = parameters(new_causal(path, pieces, 7))
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), drawn)  # no other generator was moved
    torch.rand(1)
    assert parameters(new_causal(path, pieces, 7)) == first
    assert parameters(new_causal(path, pieces, 8)) != first
    assert parameters(new_causal(path, pieces, 2**64 - 1)) != first


def test_a_new_model_has_the_ids_of_the_tokenizer(tmp_path):
    pytest.importorskip("torch")
    pieces = CausalPieces(write_tokenizer(tmp_path, llama3(), eos_token="<|end_of_text|>"))
    path = write_config(tmp_path, **LLAMA, bos_token_id=9, eos_token_id=9, pad_token_id=9)
    model = new_causal(path, pieces, 0)
    config = model.config
    assert config.vocab_size == model.lm_head.out_features == pieces.size
    assert (config.bos_token_id, config.eos_token_id) == (pieces.start, pieces.end) == (1, 1)
    assert model.training
    assert {str(part.dtype) for part in model.parameters()} == {"torch.float32"}
    assert all(part.requires_grad for part in model.parameters())


def test_a_larger_vocabulary_is_kept_and_a_smaller_one_refused(pieces, tmp_path):
    larger = write_config(tmp_path, **GPT2, vocab_size=pieces.size + 3)
    assert new_causal(larger, pieces, 0).config.vocab_size == pieces.size + 3
    assert stated_vocabulary(larger) == pieces.size + 3
    assert stated_vocabulary(write_config(tmp_path, **GPT2)) is None
    smaller = write_config(tmp_path, **GPT2, vocab_size=pieces.size - 1)
    expected = f"at least the tokenizer's {pieces.size} ids, found {pieces.size - 1}"
    with pytest.raises(InputError, match=expected):
        new_causal(smaller, pieces, 0)


def test_weights_are_float32_whatever_the_configuration_says(pieces, tmp_path):
    path = write_config(tmp_path, **LLAMA, dtype="bfloat16", torch_dtype="bfloat16")
    model = new_causal(path, pieces, 0)
    assert {str(part.dtype) for part in model.parameters()} == {"torch.float32"}


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"model_type": "t5"}, "expected a causal language model, found model_type t5"),
        ({"model_type": "bert"}, "a causal language model, found one that sees later pieces"),
        ({"n_layer": 4}, "a causal language model, found no model_type"),
        ({"model_type": 3}, "found model_type 3"),
        (GPT2 | {"is_encoder_decoder": True}, "an encoder with a decoder"),
        (GPT2 | {"n_layers": 3}, "found n_layers .*did you mean n_layer?"),
        (GPT2 | {"n_head": 3}, "expected a causal language model, found .*head"),
        (GPT2 | {"n_layer": "many"}, "n_layer from 1 to 1,024, found 'many'"),
        (GPT2 | {"n_embd": 1 << 20}, "n_embd from 1 to 65,536"),
        (GPT2 | {"vocab_size": None}, "vocab_size from 1 to"),
        (GPT2 | {"n_embd": 1 << 15, "n_layer": 96}, "a model of up to 4,294,967,296 numbers"),
        (GPT2 | {"auto_map": {"AutoModelForCausalLM": "x.Y"}}, "found a member auto_map"),
        (GPT2 | {"more": [{"_attn_implementation": "a/b"}]}, "found a member _attn_impl"),
    ],
)
def test_configurations_that_make_no_model(pieces, tmp_path, members, found):
    if members.get("model_type") == "bert":
        members = {**bert_config().to_dict(), "vocab_size": pieces.size}
    with pytest.raises(InputError, match=found):
        new_causal(write_config(tmp_path, **members), pieces, 0)


def test_members_that_are_known_under_either_name(pieces, tmp_path):
    members = {"model_type": "gpt2", "num_hidden_layers": 1, "hidden_size": 16, "n_head": 2}
    model = new_causal(write_config(tmp_path, **members, n_ctx=32, task="x"), pieces, 0)
    assert (model.config.n_layer, model.config.n_embd) == (1, 16)


def test_a_seed_out_of_range(pieces, tmp_path):
    with pytest.raises(UsageError, match="a seed from 0"):
        new_causal(write_config(tmp_path, **GPT2), pieces, -1)


# Saving and opening.


@pytest.mark.parametrize(("config", "tokenizer"), [(GPT2, gpt2), (LLAMA, llama3), (LLAMA, llama2)])
def test_what_is_saved_opens_here_and_in_plain_transformers(tmp_path, config, tokenizer):
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    out = write_causal(tmp_path / "out", config, tokenizer())
    model, pieces = load_causal(out), CausalPieces(out)
    plain = transformers.AutoModelForCausalLM.from_pretrained(out)
    assert parameters(plain) == parameters(model)
    theirs = transformers.AutoTokenizer.from_pretrained(out)
    ids, offsets = pieces.encode(TEXTS)
    for i, text in enumerate(TEXTS):
        expected = theirs(text, add_special_tokens=False).input_ids
        assert ids[offsets[i] : offsets[i + 1]].tolist() == expected
    assert theirs.eos_token_id == plain.generation_config.eos_token_id == pieces.end


def test_word_pieces_can_be_those_of_a_causal_model(tmp_path):
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    pieces = CausalPieces(write_bert_pieces(tmp_path / "bert"))
    model = new_causal(write_config(tmp_path, "new.json", **GPT2), pieces, 0)
    save_causal(model, pieces, tmp_path / "out")
    again = CausalPieces(tmp_path / "out")
    assert (again.start, again.end, again.padding) == (pieces.start, pieces.end, pieces.padding)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    ids, _ = again.encode(["the unhappy cat"])
    assert theirs("the unhappy cat", add_special_tokens=False).input_ids == ids.tolist()


def test_the_files_are_listed_and_all_can_read_them(made):
    import torch

    model = load_causal(made)
    out = made.with_name("again")
    files = save_causal(model, CausalPieces(made), out)
    assert sorted(out.iterdir()) == files
    assert len({path.stat().st_mode for path in files}) == 1
    for path in files:
        assert path.read_bytes() == (made / path.name).read_bytes()
    assert str(made) not in (out / "config.json").read_text()
    assert torch.equal(load_causal(out).lm_head.weight, model.lm_head.weight)


def test_settings_of_generate_that_contradict_are_left_out(made, tmp_path):
    model = load_causal(made)
    model.generation_config.temperature = 0.5  # without do_sample
    save_causal(model, CausalPieces(made), tmp_path / "out")
    assert load_causal(tmp_path / "out").generation_config.eos_token_id == 0


def test_a_refusal_of_the_system_is_an_oserror(made, tmp_path, monkeypatch):
    from safetensors import SafetensorError

    model = load_causal(made)

    def refuse(*_, **__):
        raise SafetensorError("Error while serializing: I/O error: No room (os error 28)")

    monkeypatch.setattr(model, "save_pretrained", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        save_causal(model, CausalPieces(made), tmp_path / "out")
    assert caught.value.errno == errno.ENOSPC


def test_inference_and_training(made):
    model = load_causal(made)
    assert not model.training
    assert not any(part.requires_grad for part in model.parameters())
    trained = load_causal(made, train=True)
    assert trained.training
    assert trained.config.resid_pdrop == 0.1
    assert all(part.requires_grad for part in trained.parameters())
    assert {str(part.dtype) for part in trained.parameters()} == {"torch.float32"}


def test_half_the_bits(made):
    model = load_causal(made, dtype="bfloat16")
    assert {str(part.dtype) for part in model.parameters()} == {"torch.bfloat16"}
    with pytest.raises(UsageError, match="expected float32 for training, found bfloat16"):
        load_causal(made, dtype="bfloat16", train=True)
    with pytest.raises(UsageError, match="expected float32 or bfloat16, found float16"):
        load_causal(made, dtype="float16")


def test_no_such_device(made):
    with pytest.raises(UsageError, match="a device of torch's, found moon"):
        load_causal(made, "moon")


def shard(folder, names=("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")):
    """The same weights in two files."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    order, where = sorted(weights), {}
    for name, keys in zip(names, (order[::2], order[1::2]), strict=True):
        save_file({key: weights[key] for key in keys}, folder / name, {"format": "pt"})
        where |= dict.fromkeys(keys, name)
    write_index(folder, where)
    return where


def write_index(folder, where):
    index = {"metadata": {"total_size": 1}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_weights_in_several_files(folder):
    whole = parameters(load_causal(folder))
    before = describe_causal(folder)
    shard(folder)
    assert parameters(load_causal(folder)) == whole
    after = describe_causal(folder)
    assert after["weights"] != before["weights"]
    assert {**after, "weights": 0} == {**before, "weights": 0}
    path = folder / "model-00002-of-00002.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert describe_causal(folder)["weights"] != after["weights"]


def test_large_models_are_saved_in_several_files(made, tmp_path, monkeypatch):
    model, out = load_causal(made), tmp_path / "out"
    one = save_causal(model, CausalPieces(made), out)
    monkeypatch.setattr("transferset.language_models.saving._SHARD", "20KB")
    files = save_causal(model, CausalPieces(made), out)
    assert sum(path.name.startswith("model-0") for path in files) >= 2
    assert sorted(out.iterdir()) == files
    assert parameters(load_causal(out)) == parameters(model)
    monkeypatch.undo()
    assert save_causal(model, CausalPieces(made), out) == one == sorted(out.iterdir())


@pytest.mark.parametrize(
    "name", ["../model.safetensors", "/etc/model.safetensors", "a/b.safetensors", "x.bin", "", 3]
)
def test_an_index_that_leads_elsewhere(folder, name):
    where = shard(folder)
    write_index(folder, dict.fromkeys(where, name))
    with pytest.raises(InputError, match="names of safetensors files beside it"):
        load_causal(folder)
    with pytest.raises(InputError, match="names of safetensors files beside it"):
        describe_causal(folder)


@pytest.mark.parametrize("content", ["{}", '{"weight_map": {}}', '{"weight_map": [1]}'])
def test_an_index_that_is_none(folder, content):
    shard(folder)
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(InputError, match="an index of weights"):
        load_causal(folder)


def test_a_missing_file_of_several(folder):
    shard(folder)
    (folder / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(InputError, match=r"a file model-00001-of-00002\.safetensors, found none"):
        load_causal(folder)


def test_an_index_that_leaves_a_part_out(folder):
    where = shard(folder)
    kept = {k: v for k, v in where.items() if v.startswith("model-00001")}
    write_index(folder, kept)
    with pytest.raises(InputError, match="weights for every part, the LM head, found none for"):
        load_causal(folder)


# What is refused.


def test_pickled_weights_are_not_opened(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")
    expected = r"found pytorch_model\.bin at .*; save the model as safetensors"
    with pytest.raises(InputError, match=expected):
        load_causal(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"expected a file {name}, found none"):
        load_causal(folder)
    with pytest.raises(InputError, match=f"expected a file {name}, found none"):
        describe_causal(folder)


def test_weights_of_processes(folder):
    (folder / "shard-00000-model-00000-of-00001.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="expected whole weights"):
        load_causal(folder)


def test_an_encoder(tmp_path):
    pytest.importorskip("torch")
    folder = write_bert(tmp_path / "bert")
    with pytest.raises(InputError, match="a causal language model, found one that sees later"):
        load_causal(folder)


def test_an_encoder_without_a_head(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    folder = write_bert(tmp_path / "bert")
    transformers.BertModel(bert_config()).save_pretrained(folder)
    with pytest.raises(InputError, match=r"the LM head, found none for cls\.predictions"):
        load_causal(folder)


def test_a_model_of_two_parts(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    folder = write_bert_pieces(tmp_path / "t5")
    config = transformers.T5Config(
        vocab_size=80, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(folder)
    with pytest.raises(InputError, match="a causal language model, found model_type t5"):
        load_causal(folder)
    change_config(folder, model_type="bart")
    with pytest.raises(InputError, match=r"found an encoder with a decoder \(bart\)"):
        load_causal(folder)


def test_an_adapter_is_not_followed(folder):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere"}')
    with pytest.raises(InputError, match="a whole model, found an adapter"):
        load_causal(folder)


@pytest.mark.parametrize(
    "members",
    [
        {"quantization_config": {"quant_method": "bitsandbytes"}},
        {"auto_map": {"AutoModelForCausalLM": "elsewhere--modeling.Model"}},
        {"attn_implementation": "someone/kernels"},
        {"text_config": {"_attn_implementation": {"": "someone/kernels"}}},
        {"layers": [{"_experts_implementation": "sonicmoe"}]},
        {"transformers_weights": "other.safetensors"},
    ],
)
def test_what_would_run_or_read_something_else(folder, members):
    change_config(folder, **members)
    with pytest.raises(InputError, match="a plain model in float, found a member"):
        load_causal(folder)


def test_generation_settings_are_checked_too(folder):
    write_config(folder, "generation_config.json", auto_map={"x": "y"})
    with pytest.raises(InputError, match="found a member auto_map"):
        load_causal(folder)


def test_a_configuration_that_nests_deeply(folder):
    text = (folder / "config.json").read_text().rstrip().removesuffix("}")
    (folder / "config.json").write_text(f'{text}, "x": {"[" * 900}{"]" * 900}}}')
    with pytest.raises(InputError, match="a causal language model, found maximum recursion"):
        load_causal(folder)


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"n_layer": 10**9}, "n_layer from 1 to 1,024, found 1000000000"),
        ({"n_layer": True, "n_embd": -1}, "n_embd from 1 to 65,536, found -1"),
        ({"n_embd": 1 << 16, "n_layer": 64}, "found .* bytes for 3,.* numbers"),
        ({"n_layer": 3}, r"found none for transformer\.h\.2.* and 11 others"),
        ({"n_positions": 64}, r"those of another shape for transformer\.wpe"),
    ],
)
def test_a_configuration_of_a_larger_model(folder, members, found):
    change_config(folder, **members)
    with pytest.raises(InputError, match=found):
        load_causal(folder)


def test_a_tokenizer_of_another_model(folder):
    path = folder / "tokenizer.json"
    members = json.loads(path.read_text())
    new = {"id": 500, "content": "<|more|>", "special": True}
    rest = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    members["added_tokens"].append(new | rest)
    members["model"]["vocab"]["<|more|>"] = 500
    path.write_text(json.dumps(members))
    with pytest.raises(InputError, match=r"a tokenizer of up to \d+ ids, found 501"):
        load_causal(folder)


def test_damaged_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="expected a causal language model"):
        load_causal(folder)


def test_no_directory(tmp_path):
    with pytest.raises(InputError, match="the directory of a model"):
        load_causal(tmp_path / "nowhere")


def test_torch_is_not_installed(tmp_path, monkeypatch):
    folder = write_tokenizer(tmp_path, gpt2())
    write_config(folder, **GPT2)
    (folder / "model.safetensors").write_bytes(b"")
    for name in ("torch", "transformers", "transformers.models.auto.modeling_auto"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"pip install 'transferset\[distill\]'"):
        load_causal(folder)
    with pytest.raises(UsageError, match=r"pip install 'transferset\[distill\]'"):
        new_causal(folder / "config.json", CausalPieces(folder), 0)


def test_a_recipe_records_what_the_model_is(folder):
    found = describe_causal(folder)
    assert found["name"] == "tiny"
    names = {
        "config": "config.json",
        "weights": "model.safetensors",
        "tokenizer": "tokenizer.json",
    }
    assert {n: found[n] for n in names} == {n: digest_file(folder / f) for n, f in names.items()}
    # another end is another model, though all else is the same
    write_config(folder, "generation_config.json", eos_token_id=5)
    after = describe_causal(folder)
    assert after["statements"] != found["statements"]
    assert {*found["statements"]} == {"generation_config.json", "tokenizer_config.json"}
    assert {"torch", "transformers"} < set(found)


def test_notes_of_transformers_are_as_before(made, capfd):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    capfd.readouterr()
    load_causal(made)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")
