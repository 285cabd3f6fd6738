"""Small BERTs against plain transformers."""

from __future__ import annotations

import numpy as np
import pytest
from small_students import SIZE, framed, lively, logits, random_rows

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from transferset.errors import InputError  # noqa: E402
from transferset.students.config import LIU, SUCIK, Config, Tables, Task, Vocabulary  # noqa: E402
from transferset.students.student import count_parameters, new_student  # noqa: E402

KINDS = ["transformer", "mean of layers", "projected transformer"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", [False, True])
def test_a_row_does_not_depend_on_those_beside_it(kind, pair):
    student = lively(kind, pair=pair)
    given = random_rows(20, pair=pair)
    alone = np.concatenate([logits(student, [row]) for row in given])
    # the weights of `lively` give logits of about 3: a few roundings of float32
    assert np.abs(logits(student, given) - alone).max() <= 5e-6
    calm = new_student(student.config, 0).eval()
    alone = np.concatenate([logits(calm, [row]) for row in given])
    assert np.abs(logits(calm, given) - alone).max() <= 1e-6


@pytest.mark.parametrize("pair", [False, True])
def test_the_mean_of_layers(pair):
    student = lively("mean of layers", pair=pair)
    row = random_rows(1, pair=pair)[0]
    first = row.index(3) + 1
    types = [0] * first + [1] * (len(row) - first)
    with torch.no_grad():
        found = student.encoder.bert(
            torch.tensor([row]),
            token_type_ids=torch.tensor([types if pair else [0] * len(row)]),
            output_hidden_states=True,
        ).hidden_states
        assert len(found) == 3  # the embeddings and two layers
        mean = (found[1][:, 0] + found[2][:, 0]) / 2
        wanted = student.heads[0](mean).numpy()
    assert logits(student, [row]) == pytest.approx(wanted, abs=1e-5)


def test_token_types_tell_texts_apart():
    student = lively("transformer", pair=True)
    with torch.no_grad():
        table = student.encoder.bert.embeddings.token_type_embeddings.weight
        before = logits(student, [framed([5], [6])])
        table[1] += torch.linspace(0, 1, table.shape[1])
    assert np.abs(logits(student, [framed([5], [6])]) - before).max() > 1e-2


def papers(preset, width):
    encoder, head = preset
    return Config(
        vocabulary=Vocabulary(size=100, sha256="0" * 64),
        tasks=(Task(classes=("negative", "positive")),),
        embeddings=Tables(width=width),
        encoder=encoder,
        head=head,
    )


def test_the_number_of_parameters_of_sucik():
    """Sučík 2020, § 4.2: 2.42 M beside the embeddings.

    By hand: 5 × (4·(204² + 204) + 2·204·750 + 750 + 204 + 4·204) = 2,375,250; pooler 204² + 204 =
    41,820; classifier 2·204 + 2 = 410.
    """
    found = count_parameters(new_student(papers(SUCIK, 204), 0))
    assert found["other"] == 2_375_250 + 41_820 + 410 == 2_417_480
    assert found["embedding"] == (100 + 512 + 2) * 204 + 2 * 204


def test_the_number_of_parameters_of_liu():
    """Liu 2020, table 4.1: 21.3 M, which is three layers of BERT-base, 7,087,872 each."""
    with torch.device("meta"):
        from transferset.students.student import Student

        found = count_parameters(Student(papers(LIU, 768)))
    head = 768 * 512 + 512 + 512 * 2 + 2
    assert found["other"] - head == 3 * 7_087_872 == 21_263_616


def test_rows_that_do_not_fit():
    student = lively("transformer")
    with pytest.raises(InputError, match="expected 1 to 24 ids, found 25"):
        logits(student, [framed([5] * 23)])
    with pytest.raises(InputError, match="expected 1 to 24 ids, found 0"):
        logits(student, [framed([5]), []])
    assert logits(student, [framed([5] * 22)]).shape == (1, 3)


def test_no_word_is_beyond_the_vocabulary():
    assert lively("transformer").encoder.bert.config.vocab_size == SIZE
