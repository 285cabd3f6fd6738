"""Students made for tasks: of a kind, beginning with vectors or layers."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from choices import PAIR, SINGLE, SIZE, Place, same, state  # noqa: E402
from tiny_models import VOCABULARY, WORDS  # noqa: E402

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.students.rows import Rows  # noqa: E402
from transferset.students.saving import save_student  # noqa: E402
from transferset.students.word_vocabulary import WordVocabulary  # noqa: E402
from transferset.teachers.opening import new_encoder, open_classifier  # noqa: E402

SMALL = {"hidden": 6, "head": 5, "width": 8}
ROW = Rows(np.array([2, 9, 10, 3], np.int64), np.array([0, 4], np.int64))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def encoder(place):
    return place.encoder()


def table(module):
    return module.encoder.embeddings.trained.weight.detach().numpy()


def logits(module, task=0):
    with torch.no_grad():
        return module.eval()(ROW, task)


@pytest.mark.parametrize("kind", ["bilstm", "biattentive", "transformer"])
def test_a_student_is_a_function_of_its_options_and_seed(place, kind):
    options = {"hidden": 6, "heads": 2} if kind == "transformer" else {"hidden": 6}
    before = torch.get_rng_state()
    one, again = (place.make(kind, seed=5, **options) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert same(one.module, again.module)
    assert not same(one.module, place.make(kind, seed=6, **options).module)
    assert one.vocabulary == place.file
    assert one.module.training
    assert one.module.tasks == (SINGLE,)
    sizes = one.about["parameters"]
    assert sizes["all"] == sum(p.numel() for p in one.module.parameters())
    assert sizes["all"] == sizes["embedding"] + sizes["other"] == sizes["trained"]


def test_the_papers_count_what_stands_beside_the_embeddings(place):
    """2.42 M (Sučík 2020, § 4.2); its LSTM of 2.41 M reads two channels of 300 numbers each."""
    assert place.make("transformer").about["parameters"]["other"] == pytest.approx(2.42e6, rel=2e-3)


def test_several_tasks_have_a_head_each(place):
    made = place.make("bilstm", tasks=(SINGLE, PAIR), **SMALL)
    assert [head.output.out_features for head in made.module.heads] == [2, 1]


def test_a_student_is_saved_with_the_vocabulary_that_comes_with_it(place, tmp_path):
    made = place.make("bilstm", **SMALL)
    save_student(made.module, tmp_path / "saved", made.vocabulary)
    opened = open_classifier(tmp_path / "saved")
    assert torch.equal(logits(opened.module), logits(made.module))


class TestGivenVectors:
    def test_a_teachers_embeddings(self, place):
        teacher = transformers.BertModel.from_pretrained(place.teacher)
        wanted = teacher.get_input_embeddings().weight.detach().numpy()
        made = place.make("bilstm", embeddings="teacher", teacher=place.teacher, hidden=6)
        assert np.array_equal(table(made.module), wanted)
        assert made.about["embeddings"] == {"from": "teacher"}
        assert made.module.config.embeddings.width == 32

    def test_a_projection_brings_them_to_a_students_width(self, place):
        made = place.make(
            "transformer", embeddings="teacher", projection=True, hidden=6, heads=2,
            teacher=place.teacher, channels="multichannel",
        )  # fmt: skip
        own = made.module.encoder.bert.embeddings.word_embeddings
        assert own.projection.weight.shape == (6, 64)
        assert own.projection.weight.requires_grad
        assert not own.frozen.weight.requires_grad
        assert torch.equal(own.frozen.weight, own.trained.weight)
        sizes = made.about["parameters"]
        assert sizes["all"] - sizes["trained"] == SIZE * 32

    def test_of_a_module_and_of_a_student(self, place):
        teacher = new_encoder(place.teacher, (SINGLE,), 0, identity=lambda _: sha256(place))
        made = place.make("bilstm", embeddings="teacher", teacher=teacher, hidden=6)
        further = place.make("biattentive", embeddings="teacher", teacher=made.module, hidden=4)
        assert np.array_equal(table(further.module), table(made.module))

    def test_a_teacher_of_other_ids_is_refused(self, place, tmp_path):
        other = Place(tmp_path / "other", vocabulary=[*VOCABULARY, "more"])
        told = "a teacher that reads the student's ids, found one with another tokenizer"
        with pytest.raises(InputError, match=told):
            place.make("bilstm", embeddings="teacher", teacher=other.teacher)
        with pytest.raises(InputError, match=told):
            place.make("transformer", init_layers="first", layers=1, teacher=other.teacher)
        with pytest.raises(UsageError, match="a teacher to begin with, found none"):
            place.make("bilstm", embeddings="teacher")

    @pytest.fixture
    def vectors(self, tmp_path):
        rows = {"cat": "3 4", "dog": "0 2", "walk": "-1 0", "nobody": "1 1", "##s": "5 5"}
        path = tmp_path / "vectors.txt"
        path.write_text("".join(f"{word} {numbers}\n" for word, numbers in rows.items()))
        return f"vectors:{path}"

    def test_words_that_the_file_has(self, place, vectors):
        words = WordVocabulary(["cat", "bird", "dog"], lowercase=True)
        made = place_words(place, words, vectors)
        found = table(made.module)
        # of length 1, then of the root mean square that random vectors have: 0.25/√3
        scale = 0.25 / np.sqrt(3) * np.sqrt(2)
        assert found[4] == pytest.approx(np.array([0.6, 0.8]) * scale, abs=1e-6)
        assert found[6] == pytest.approx(np.array([0.0, 1.0]) * scale, abs=1e-6)
        assert np.abs(found[5]).max() > 0
        assert np.abs(found).max() <= 1.0 * scale + 1e-6
        assert not found[0].any()
        assert made.about["embeddings"]["found"] == 2
        assert made.vocabulary is words

    def test_a_word_without_a_vector_has_the_same_in_any_vocabulary(self, place, vectors):
        one = place_words(place, WordVocabulary(["cat", "bird", "dog"], lowercase=True), vectors)
        two = place_words(place, WordVocabulary(["dog", "cat", "bird"], lowercase=True), vectors)
        assert np.array_equal(table(one.module)[5], table(two.module)[6])

    def test_pieces_that_are_whole_words(self, place, vectors):
        """`##s` is no word, although the file has it."""
        made = place.make("bilstm", embeddings=vectors, hidden=6)
        about = made.about["embeddings"]
        assert about["found"] == 3
        assert len(WORDS) < about["of"] < SIZE - 5
        found, scale = table(made.module), 0.25 / np.sqrt(3) * np.sqrt(2)
        walk, s = VOCABULARY.index("walk"), VOCABULARY.index("##s")
        assert found[walk] == pytest.approx(np.array([-1.0, 0.0]) * scale, abs=1e-6)
        assert abs(found[s][0] - found[s][1]) > 1e-6

    def test_a_file_without_any_word_of_the_student(self, place, tmp_path):
        (tmp_path / "foreign.txt").write_text("chat 1 2\nchien 2 1\n")
        with pytest.raises(UsageError, match="vectors of some of the student's words, found none"):
            place.make("bilstm", embeddings=f"vectors:{tmp_path / 'foreign.txt'}")


def place_words(place, words, vectors):
    return place.make("bilstm", words=True, embeddings=vectors, hidden=6, fitted=words)


def sha256(place):
    from transferset.teachers.vocabulary import file_digest

    return file_digest(place.file)


class TestLayersOfATeacher:
    def test_the_first_three_with_the_mean_of_cls(self, place, encoder):
        made = place.make("transformer-cls-mean", init_layers="first", head=7, teacher=encoder)
        teacher = transformers.BertModel.from_pretrained(encoder)
        bert = made.module.encoder.bert
        for new, old in enumerate([0, 1, 2]):
            given = teacher.encoder.layer[old].state_dict()
            own = bert.encoder.layer[new].state_dict()
            assert all(torch.equal(own[name], given[name]) for name in given)
        assert torch.equal(
            bert.embeddings.word_embeddings.weight, teacher.embeddings.word_embeddings.weight
        )
        assert made.about["layers"] == [0, 1, 2]
        assert made.module.config.encoder.reading == "mean of layers"
        assert made.module.config.head.hidden == 7

    def test_listed_and_spread(self, place, encoder):
        def layers(**options):
            return place.make("transformer", teacher=encoder, **options).about["layers"]

        assert layers(init_layers="1,3") == [1, 3]
        assert layers(init_layers="spread", layers=2) == [0, 3]

    def test_of_a_module(self, place, encoder):
        teacher = new_encoder(encoder, (SINGLE,), 0, identity=lambda _: sha256(place))
        one = place.make("transformer", init_layers="first", layers=2, teacher=teacher)
        two = place.make("transformer", init_layers="first", layers=2, teacher=encoder)
        names = [name for name in state(one.module) if "pooler" not in name]
        assert all(torch.equal(state(one.module)[n], state(two.module)[n]) for n in names)

    def test_more_layers_than_the_teacher_has(self, place, encoder):
        with pytest.raises(UsageError, match="1 to 4 layers of a student, found 5"):
            place.make("transformer", init_layers="first", layers=5, teacher=encoder)
        with pytest.raises(UsageError, match="rising numbers from 0 to 3, found 2,9"):
            place.make("transformer", init_layers="2,9", teacher=encoder)

    def test_positions_may_be_frozen(self, place, encoder):
        made = place.make(
            "transformer", init_layers="first", layers=1, teacher=encoder, freeze_positions=True
        )
        frozen = [n for n, p in made.module.named_parameters() if not p.requires_grad]
        assert frozen == ["encoder.bert.embeddings.position_embeddings.weight"]
