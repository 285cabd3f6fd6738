"""Configurations that ask for another form of a forward: legal, and without effect here."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_encoders import (  # noqa: E402
    ONE,
    POSITIONS,
    SIZE,
    TASKS,
    TWO,
    change_json,
    padded_arguments,
    random_lists,
    rows,
    write_classifier,
    write_model,
    write_tokenizer,
)

from transferset.errors import InputError  # noqa: E402
from transferset.language_models.saving import require_savable  # noqa: E402
from transferset.teachers.describing import describe_classifier  # noqa: E402
from transferset.teachers.masked import new_masked_head, open_masked, save_masked  # noqa: E402
from transferset.teachers.opening import new_encoder, open_classifier  # noqa: E402
from transferset.teachers.saving import save_encoder  # noqa: E402

MEMBERS = {
    "attentions": {"output_attentions": True},
    "hidden states": {"output_hidden_states": True},
    "some hidden states": {"output_hidden_states": [0, 1]},
    "tuples": {"return_dict": False},
    "parts of rows": {"chunk_size_feed_forward": 7},
    "another choice between memory and time": {"gradient_checkpointing": True},
    "a form that is no more": {"torchscript": True},
}

ALL = {name: value for members in MEMBERS.values() for name, value in members.items()}

CASES = {
    **{name: ("bert", members) for name, members in MEMBERS.items()},
    "all": ("distilbert", ALL),
}

KINDS = ("bert", "distilbert")


def of(found, kind):
    with torch.no_grad():
        return found.eval()(rows(*random_lists(kind)))


def masked(model, kind):
    with torch.no_grad():
        return model.eval()(**padded_arguments(kind, random_lists(kind))).logits


@pytest.mark.parametrize("case", CASES)
def test_a_classifier_says_the_same_and_is_saved(tmp_path, case):
    kind, members = CASES[case]
    folder = write_classifier(tmp_path / "tiny", kind)
    wanted = of(open_classifier(folder).module, kind)
    change_json(folder / "config.json", **members)
    assert torch.equal(of(open_classifier(folder).module, kind), wanted)
    trained = open_classifier(folder, train=True).module
    save_encoder(trained, tmp_path / "out", folder / "tokenizer.json")
    assert torch.equal(of(open_classifier(tmp_path / "out").module, kind), wanted)


@pytest.mark.parametrize("tasks", TASKS)
def test_new_heads_over_an_encoder_say_the_same_and_are_saved(tmp_path, tasks):
    folder = write_model(tmp_path / "tiny")
    wanted = new_encoder(folder, TASKS[tasks], 1).state_dict()
    change_json(folder / "config.json", **ALL)
    found = new_encoder(folder, TASKS[tasks], 1)
    assert all(torch.equal(wanted[name], one) for name, one in found.state_dict().items())
    given = rows(*random_lists("bert", pair=True))
    found.train()(given).sum().backward()
    save_encoder(found, tmp_path / "out", folder / "tokenizer.json")
    with torch.no_grad():
        again = open_classifier(tmp_path / "out").module(given)
        assert torch.equal(found.eval()(given), again)


@pytest.mark.parametrize("kind", KINDS)
def test_a_masked_language_model_says_the_same_and_is_saved(tmp_path, kind):
    folder = write_model(tmp_path / "tiny", kind, "AutoModelForMaskedLM")
    wanted = masked(open_masked(folder), kind)
    change_json(folder / "config.json", **ALL)
    trained = open_masked(folder, train=True)
    assert torch.equal(masked(trained, kind), wanted)
    trained.set_attn_implementation("sdpa")
    save_masked(trained, tmp_path / "out", folder / "tokenizer.json")
    plain = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "out")
    assert torch.equal(masked(plain, kind), wanted)
    made = new_masked_head(folder, 1)
    save_masked(made, tmp_path / "out", folder / "tokenizer.json")
    assert torch.equal(masked(open_masked(tmp_path / "out"), kind), masked(made, kind))


def test_what_would_hide_later_pieces_is_refused(tmp_path):
    folder = write_classifier(tmp_path / "tiny")
    change_json(folder / "config.json", is_decoder=True)
    for act in (open_classifier, open_masked, lambda path: new_encoder(path, ONE, 0)):
        with pytest.raises(InputError, match=r"found is_decoder true at .*config\.json; set it"):
            act(folder)


@pytest.mark.parametrize("tasks", [ONE, TWO])
def test_new_heads_over_weights_that_are_no_numbers(tmp_path, tasks):
    folder = write_model(tmp_path / "tiny")
    stored = load_file(folder / "model.safetensors")
    stored["embeddings.LayerNorm.bias"][3] = float("nan")
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    match = r"finite weights, found others in embeddings\.LayerNorm\.bias at .*tiny; the file is"
    with pytest.raises(InputError, match=match):
        new_encoder(folder, tasks, 0)
    with pytest.raises(InputError, match=r"finite weights, found others in bert\.embeddings"):
        new_masked_head(folder, 0)


def test_what_cannot_be_saved_is_told_before_a_training(tmp_path):
    model = new_masked_head(write_model(tmp_path / "tiny"), 0)
    before = model.config.to_dict()
    require_savable(model, "here")
    assert model.config.to_dict() == before
    model.set_attn_implementation("sdpa")
    model.config._output_attentions = True
    with pytest.raises(
        InputError, match=r"a model that can be saved, found .*at here; take"
    ) as told:
        require_savable(model, "here")
    assert "\n" not in str(told.value)


def write_other(folder, config, loader="AutoModel"):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        getattr(transformers, loader).from_config(config).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


SIZES = {"hidden_size": 24, "num_hidden_layers": 2, "intermediate_size": 40}


def test_a_model_that_sees_padding_is_refused(tmp_path):
    more = {"max_position_embeddings": POSITIONS, "pad_token_id": 0}
    config = transformers.FNetConfig(vocab_size=SIZE, **more, **SIZES)
    folder = write_other(tmp_path / "fnet", config)
    match = "reads each row by itself, found fnet, which sees padding at .*fnet; take"
    for tasks in (ONE, TWO):
        with pytest.raises(InputError, match=match):
            new_encoder(folder, tasks, 0)
    write_other(folder, config, "AutoModelForSequenceClassification")
    with pytest.raises(InputError, match=match):
        open_classifier(folder)


def test_a_model_that_reads_from_left_to_right_has_one_head_of_its_own(tmp_path):
    small = {"n_embd": 24, "n_layer": 2, "n_head": 2, "n_positions": POSITIONS}
    folder = write_other(tmp_path / "gpt", transformers.GPT2Config(vocab_size=SIZE, **small))
    change_json(folder / "config.json", pad_token_id=None, bos_token_id=None, eos_token_id=None)
    with pytest.raises(InputError, match=r"whose first piece sees the others.*found gpt2 at"):
        new_encoder(folder, TWO, 0)
    encoder, lists = new_encoder(folder, ONE, 0), random_lists(pair=True)
    found = of_rows(encoder, lists)
    alone = torch.cat([of_rows(encoder, [one]) for one in lists])
    assert torch.allclose(found, alone, atol=1e-5)
    # what it says follows from the last piece but padding, which has seen them all
    with torch.no_grad():
        states = encoder.base.base_model(torch.tensor(lists[:1])).last_hidden_state[:, -1]
        assert torch.allclose(found[:1], encoder.base.score(states), atol=1e-5)


def of_rows(encoder, lists):
    with torch.no_grad():
        return encoder.eval()(rows(*lists))


def test_relative_positions_are_not_left_out_in_silence(tmp_path):
    folder = write_classifier(tmp_path / "tiny")
    stored = load_file(folder / "model.safetensors")
    stored["bert.encoder.layer.0.attention.self.distance_embedding.weight"] = torch.ones(39, 12)
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"found relative ones, bert.*; take a model whose"):
        open_classifier(folder)


def test_weights_of_another_shape_are_told_by_name(tmp_path):
    folder = write_classifier(tmp_path / "tiny")
    change_json(folder / "config.json", max_position_embeddings=POSITIONS + 1)
    match = r"those of another shape for bert\.embeddings\.position_embeddings\.weight at"
    with pytest.raises(InputError, match=match):
        open_classifier(folder)


def test_numbers_that_are_none(tmp_path):
    folder = write_classifier(tmp_path / "tiny")
    change_json(folder / "config.json", hidden_dropout_prob=float("nan"))
    with pytest.raises(InputError, match=r"JSON, found a member that is NaN at .*config\.json"):
        open_classifier(folder)
    change_json(folder / "config.json", hidden_dropout_prob={"__float__": "NaN"})
    with pytest.raises(InputError, match="a plain model in float, found a member __float__"):
        open_classifier(folder)


def test_the_head_of_a_model_that_is_begun_with_may_be_any(tmp_path):
    folder = write_classifier(tmp_path / "tiny")
    change_json(folder / "config.json", problem_type="multi_label_classification")
    assert describe_classifier(folder, headless=True)["kind"] == "classifier"
    assert new_encoder(folder, ONE, 0).base.config.problem_type == "single_label_classification"
    with pytest.raises(InputError, match="one class for a text"):
        describe_classifier(folder)
