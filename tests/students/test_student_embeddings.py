"""Tables of embeddings: frozen, trained, both, projected, sparse, and where they begin."""

from __future__ import annotations

import numpy as np
import pytest
from small_students import SIZE, config, framed, lively, random_rows, rows

torch = pytest.importorskip("torch")

from transferset.errors import InputError  # noqa: E402
from transferset.students.config import Tables  # noqa: E402
from transferset.students.embeddings import (  # noqa: E402
    Embeddings,
    use_sparse_gradients,
    word_table,
)
from transferset.students.student import fill_embeddings, new_student  # noqa: E402

VECTORS = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
IDS = torch.tensor([[1, 0], [8, 1]])


def made(channels, projection=None):
    torch.manual_seed(0)
    found = Embeddings(9, Tables(width=4, channels=channels, projection=projection), 0)
    found.fill(VECTORS)
    return found


@pytest.mark.parametrize("channels", ["static", "non-static"])
def test_one_channel(channels):
    found = made(channels)(IDS)
    assert found.detach().numpy() == pytest.approx(VECTORS[IDS.numpy()])
    assert found.requires_grad == (channels == "non-static")


def test_two_channels_begin_alike_and_one_moves():
    table = made("multichannel")
    assert torch.equal(table(IDS)[..., :4], table(IDS)[..., 4:])
    optimizer = torch.optim.SGD([p for p in table.parameters() if p.requires_grad], 0.1)
    table(IDS).square().sum().backward()
    optimizer.step()
    frozen, trained = table(IDS)[..., :4], table(IDS)[..., 4:]
    assert frozen.detach().numpy() == pytest.approx(VECTORS[IDS.numpy()])
    assert (trained - frozen).abs()[0, 0].min() > 1e-3
    # what stands for nothing does not learn
    assert torch.equal(trained[0, 1], frozen[0, 1])


@pytest.mark.parametrize("channels", ["static", "non-static", "multichannel"])
def test_a_projection_is_trained_and_folds_into_one_table(channels):
    table = made(channels, projection=3)
    weight, bias = table.projection.weight, table.projection.bias
    wide = np.tile(VECTORS, 2) if channels == "multichannel" else VECTORS
    wanted = wide @ weight.detach().numpy().T + bias.detach().numpy()
    assert table.folded().numpy() == pytest.approx(wanted, abs=1e-6)
    assert table(IDS).detach().numpy() == pytest.approx(wanted[IDS.numpy()], abs=1e-6)
    table(IDS).sum().backward()
    assert weight.grad.abs().sum() > 0


def test_vectors_of_another_shape_are_refused():
    with pytest.raises(InputError, match="vectors of 9×4, found 9×5"):
        made("static").fill(np.zeros((9, 5), np.float32))
    with pytest.raises(InputError, match="finite vectors"):
        made("static").fill(np.full((9, 4), np.nan, np.float32))


@pytest.mark.parametrize("kind", ["bilstm", "multichannel", "transformer", "projected transformer"])
def test_a_students_embeddings_are_filled(kind):
    student = new_student(config(kind), 0)
    width = student.config.embeddings.width
    given = np.random.default_rng(1).normal(size=(SIZE, width)).astype(np.float32)
    fill_embeddings(student, given)
    tables = [x for n, x in student.state_dict().items() if tuple(x.shape) == given.shape]
    assert len(tables) == (2 if student.config.embeddings.channels == "multichannel" else 1)
    assert all(np.array_equal(table.numpy(), given) for table in tables)


@pytest.mark.parametrize("kind", ["multichannel", "transformer", "projected transformer"])
def test_sparse_gradients_are_the_dense_ones(kind):
    given = rows(*random_rows())
    dense, sparse = lively(kind), lively(kind)
    tables = use_sparse_gradients(sparse, SIZE)
    assert len(tables) == 1
    for student in (dense, sparse):
        student(given).square().sum().backward()
    (name,) = [n for n, p in sparse.named_parameters() if p is tables[0]]
    assert tables[0].grad.is_sparse
    wanted = dict(dense.named_parameters())[name].grad
    assert not wanted.is_sparse
    assert tables[0].grad.to_dense().numpy() == pytest.approx(wanted.numpy(), abs=1e-5)
    torch.optim.SparseAdam(tables, lr=0.1).step()


def test_positions_stay_dense():
    student = lively("transformer")
    use_sparse_gradients(student, SIZE)
    student(rows(framed([5, 6]))).sum().backward()
    assert not student.encoder.bert.embeddings.position_embeddings.weight.grad.is_sparse


WORDS = ["[PAD]", "[UNK]", *(f"word{i}" for i in range(2000))]


def test_known_words_keep_their_vectors():
    vectors = np.random.default_rng(0).normal(0, 0.3, (3, 7)).astype(np.float32)
    found = word_table(WORDS, [5, 9, 2], vectors, seed=3)
    assert np.array_equal(found[[5, 9, 2]], vectors)
    assert not found[0].any()


def test_unknown_words_have_the_variance_of_the_known():
    """Kim 2014, § 4.1; 2,000 words × 50 numbers: the variance is known to about 0.4 %."""
    vectors = np.random.default_rng(0).normal(0, 0.3, (500, 50)).astype(np.float32)
    found = word_table(WORDS, range(2, 502), vectors, seed=3)[502:]
    assert found.var() == pytest.approx(vectors.var(), rel=0.03)
    assert abs(found).max() == pytest.approx(np.sqrt(3 * vectors.var()), rel=0.01)
    assert found.mean() == pytest.approx(0, abs=0.01)


def test_a_word_has_the_same_vector_in_any_vocabulary():
    vectors = np.ones((1, 6), np.float32) * np.float32([1, -1, 1, -1, 1, -1])
    first = word_table(WORDS, [2], vectors, seed=3)
    other = word_table(["[PAD]", "word7", "word2", "word0"], [3], vectors, seed=3)
    assert np.array_equal(other[1], first[WORDS.index("word7")])
    assert np.array_equal(other[2], first[WORDS.index("word2")])
    assert not np.array_equal(word_table(WORDS, [2], vectors, seed=4)[3], first[3])
    assert len(np.unique(first[3:], axis=0)) == len(WORDS) - 3


def test_without_any_vectors():
    found = word_table(WORDS, [], np.empty((0, 5), np.float32), seed=0)
    assert found.shape == (len(WORDS), 5)
    assert abs(found).max() == pytest.approx(0.25, rel=0.01)
