"""Students made for training as masked language models."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from choices import SINGLE, SIZE, Place, same  # noqa: E402

from transferset.distillation.choice.student import parameters  # noqa: E402
from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.students.saving import save_student  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def teacher(place):
    return place.encoder("masked", layers=4, model="BertForMaskedLM")


def layers(model):
    return model.bert.encoder.layer


def test_half_of_the_teachers_layers_unless_it_is_said_otherwise(place, teacher):
    made = place.make_masked(teacher=teacher)
    whole = transformers.BertForMaskedLM.from_pretrained(teacher)
    assert made.about["layers"] == [0, 3]
    assert made.about["new_head"] is False
    for new, old in enumerate([0, 3]):
        wanted = layers(whole)[old].output.dense.weight
        assert torch.equal(layers(made.model)[new].output.dense.weight, wanted)
    assert same(made.model.cls, whole.cls)
    assert made.model.training
    assert all(p.requires_grad for p in made.model.parameters())


def test_which_layers_can_be_said(place, teacher):
    def picked(**options):
        return place.make_masked(teacher=teacher, **options).about["layers"]

    assert picked(layers=3) == [0, 2, 3]  # 0, 1.5 to even, 3
    assert picked(init_layers="first", layers=3) == [0, 1, 2]
    assert picked(init_layers="1,2") == [1, 2]
    with pytest.raises(UsageError, match="1 to 4 layers of a student, found 6"):
        picked(layers=6)


def test_a_directorys_layers_are_picked_like_a_teachers(place, teacher):
    named = place.make_masked(teacher, init_layers="spread", layers=2, teacher=teacher)
    assert same(named.model, place.make_masked(teacher=teacher).model)
    whole = place.make_masked(teacher, teacher=teacher)
    assert "layers" not in whole.about
    assert same(whole.model, transformers.BertForMaskedLM.from_pretrained(teacher))


def test_an_encoder_without_a_head_gets_one_of_the_seed(place):
    bare = place.encoder("bare")
    one, again, other = (place.make_masked(bare, seed=seed) for seed in (1, 1, 2))
    assert one.about["new_head"] is True
    assert same(one.model, again.model)
    assert not same(one.model.cls, other.model.cls)
    assert same(one.model.bert.encoder, other.model.bert.encoder)


def test_sizes_that_are_stated_make_a_new_one(place, teacher):
    one, again = (place.make_masked(teacher=teacher, hidden=8, heads=2, seed=3) for _ in range(2))
    assert same(one.model, again.model)
    assert one.model.config.hidden_size == 8
    assert one.model.config.num_hidden_layers == 5
    assert one.model.config.vocab_size == SIZE
    without = place.make_masked(hidden=8, heads=2, seed=3)
    assert same(without.model, one.model)


def test_a_configuration_makes_a_new_one(place, tmp_path):
    path = tmp_path / "config.json"
    members = {"model_type": "distilbert", "dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 9}
    path.write_text(json.dumps(members))
    one, again = (place.make_masked(path, seed=3) for _ in range(2))
    assert same(one.model, again.model)
    assert type(one.model).__name__ == "DistilBertForMaskedLM"
    path.write_text(json.dumps({"model_type": "transferset-bilstm"}))
    with pytest.raises(UsageError, match="a configuration of a masked language model for --mlm"):
        place.make_masked(path)


def test_positions_may_be_frozen(place, teacher):
    made = place.make_masked(teacher=teacher, freeze_positions=True)
    frozen = [name for name, p in made.model.named_parameters() if not p.requires_grad]
    assert frozen == ["bert.embeddings.position_embeddings.weight"]
    sizes = made.about["parameters"]
    assert sizes["all"] - sizes["trained"] == 64 * 32


def test_what_is_shared_counts_once(place, teacher):
    model = place.make_masked(teacher=teacher).model
    sizes = parameters(model)
    assert sizes["all"] == sum(p.numel() for p in model.parameters())
    # tables of ids, positions and sides, and the norm's two vectors
    assert sizes["embedding"] == (SIZE + 64 + 2 + 2) * 32


def test_other_ids_are_refused(place, tmp_path):
    other = Place(
        tmp_path / "other", vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
    )
    with pytest.raises(InputError, match="a model that reads the sets' ids, found one with anoth"):
        place.make_masked(teacher=other.teacher)


def test_what_cannot_be_one(place, tmp_path, teacher):
    with pytest.raises(UsageError, match="a masked language model for --mlm, found bilstm"):
        place.make_masked("bilstm", teacher=teacher)
    student = place.make("bilstm", tasks=(SINGLE,), hidden=4)
    save_student(student.module, tmp_path / "student", student.vocabulary)
    with pytest.raises(InputError, match="a directory of transformers for --mlm, found a student"):
        place.make_masked(tmp_path / "student")


def test_a_configuration_that_asks_for_another_form_is_settled(tmp_path):
    from transferset.distillation.choice.given_models import new_model
    from transferset.students.config import Vocabulary

    path, ids = tmp_path / "config.json", Vocabulary(size=30, sha256="0" * 64)
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    members = {"model_type": "bert", "intermediate_size": 8, **small}
    path.write_text(json.dumps(members | {"output_attentions": True, "return_dict": False}))
    model = new_model(path, "AutoModelForMaskedLM", ids, 0)
    model.save_pretrained(tmp_path / "out")
    assert model(torch.tensor([[2, 5, 3]])).logits.shape == (1, 3, 30)
    path.write_text(json.dumps(members | {"is_decoder": True}))
    with pytest.raises(InputError, match=r"found is_decoder true at .*config\.json"):
        new_model(path, "AutoModelForMaskedLM", ids, 0)
