"""Students that begin with a teacher's layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_students import SIZE, config, framed, lively, logits

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from transferset.errors import InputError  # noqa: E402
from transferset.students.initialising import copy_layers, smaller  # noqa: E402
from transferset.students.student import new_student  # noqa: E402

IDS = torch.tensor([[2, 5, 9, 3], [2, 7, 7, 3]])


def settings(layers=4, **others):
    return {
        "vocab_size": SIZE,
        "hidden_size": 12,
        "num_hidden_layers": layers,
        "num_attention_heads": 3,
        "intermediate_size": 20,
        "max_position_embeddings": 24,
        "initializer_range": 0.4,
        **others,
    }


def bert(name="BertForMaskedLM", **others):
    torch.manual_seed(0)
    made = transformers.BertConfig(**settings(**others))
    return getattr(transformers, name)(made).eval()


def distilbert():
    torch.manual_seed(0)
    made = transformers.DistilBertConfig(
        vocab_size=SIZE, dim=12, n_layers=4, n_heads=3, hidden_dim=20, initializer_range=0.4
    )
    return transformers.DistilBertForMaskedLM(made).eval()


def said(model):
    with torch.no_grad():
        return model.eval()(IDS).logits


@pytest.mark.parametrize("teacher", [bert, distilbert])
def test_a_student_with_all_layers_says_what_its_teacher_says(teacher):
    teacher = teacher()
    student = smaller(teacher, [0, 1, 2, 3])
    assert torch.equal(said(student), said(teacher))
    assert all(p.requires_grad for p in student.parameters())


@pytest.mark.parametrize("teacher", [bert, distilbert])
def test_a_smaller_student_is_its_teacher_without_the_other_layers(teacher):
    teacher = teacher()
    student = smaller(teacher, [0, 3])
    assert type(student) is type(teacher)
    assert student.config.num_hidden_layers == 2
    # the same by another way: the layers between are taken out of the teacher
    body = teacher.bert.encoder if hasattr(teacher, "bert") else teacher.distilbert.transformer
    del body.layer[1:3]
    assert torch.equal(said(student), said(teacher))


def test_the_teacher_keeps_its_weights():
    teacher = bert()
    before = said(teacher)
    student = smaller(teacher, [1, 2])
    with torch.no_grad():
        for weight in student.parameters():
            weight.zero_()
    assert torch.equal(said(teacher), before)


def test_the_generator_stays():
    teacher = bert()
    before = torch.get_rng_state()
    smaller(teacher, [1])
    assert torch.equal(torch.get_rng_state(), before)


def test_layers_that_the_teacher_lacks():
    with pytest.raises(InputError, match="a teacher with layers"):
        smaller(bert(), [0, 4])
    other = transformers.GPT2Config(vocab_size=30, n_positions=24, n_embd=12, n_layer=2, n_head=3)
    with pytest.raises(InputError, match="a teacher with layers"):
        smaller(transformers.GPT2LMHeadModel(other), [0])


def test_a_transformer_of_ours_begins_with_a_teachers_layers():
    """Two of two: [CLS] of each layer is the teacher's, so the mean over them is."""
    teacher = bert("BertForSequenceClassification", layers=2)
    student = lively("mean of layers")
    copy_layers(student, teacher, [0, 1])
    row = framed([5, 9, 6])
    with torch.no_grad():
        states = teacher.bert(torch.tensor([row]), output_hidden_states=True).hidden_states
        wanted = student.heads[0]((states[1] + states[2])[:, 0] / 2).numpy()
    assert logits(student, [row]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("name", ["BertModel", "BertForMaskedLM"])
def test_a_pooler_comes_along_where_there_is_one(name):
    teacher = bert(name)
    student = new_student(config("transformer"), 0)
    before = student.encoder.bert.pooler.dense.weight.clone()
    copy_layers(student, teacher, [0, 3])
    after = student.encoder.bert.pooler.dense.weight
    if name == "BertModel":
        assert torch.equal(after, teacher.pooler.dense.weight)
    else:
        assert torch.equal(after, before)
    third = teacher.base_model.encoder.layer[3].output.dense.weight
    assert torch.equal(student.encoder.bert.encoder.layer[1].output.dense.weight, third)


def test_a_teacher_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"a teacher with .* of shape"):
        copy_layers(new_student(config("transformer"), 0), bert(intermediate_size=21), [0, 1])
    with pytest.raises(InputError, match="a transformer for a teacher's layers, found bilstm"):
        copy_layers(new_student(config("bilstm"), 0), bert(), [0])


def test_heads_stay_as_they_are():
    student = new_student(replace(config("transformer")), 0)
    before = {n: x.clone() for n, x in student.heads.state_dict().items()}
    copy_layers(student, bert(), [0, 1])
    for name, one in student.heads.state_dict().items():
        assert np.array_equal(one.numpy(), before[name].numpy())
