"""What is refused of a student's options before anything is made; no torch."""

from __future__ import annotations

import json

import pytest

from transferset.distillation.choice.config import design_from, designed, is_ours, read_config
from transferset.distillation.choice.params import StudentParams, check_student, describe_student
from transferset.errors import InputError, UsageError
from transferset.students.config import (
    LIU,
    SUCIK,
    BiattentiveSizes,
    BilstmSizes,
    HeadSizes,
    Tables,
    Task,
    Vocabulary,
)

VOCABULARY = Vocabulary(size=30, sha256="0" * 64)


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("cat 1 2\n")
    return f"vectors:{path}"


def test_a_kind_has_the_sizes_of_its_publication():
    assert designed(StudentParams(kind="bilstm"))[:2] == (BilstmSizes(), HeadSizes())
    assert designed(StudentParams(kind="biattentive"))[:2] == (
        BiattentiveSizes(),
        HeadSizes(hidden=512),
    )
    assert designed(StudentParams(kind="transformer"))[:2] == SUCIK
    assert designed(StudentParams(kind="transformer-cls-mean"))[:2] == LIU


def test_stated_sizes_take_their_place():
    found = designed(StudentParams(kind="bilstm", hidden=7, layers=2, head=0, width=5))
    assert found == (BilstmSizes(hidden=7, layers=2), HeadSizes(hidden=None), Tables(width=5))
    found = designed(StudentParams(kind="transformer", hidden=8, heads=2, feed=9, layers=1))
    assert (found.encoder.hidden, found.encoder.heads, found.encoder.intermediate) == (8, 2, 9)
    assert found.encoder.layers == 1
    assert found.tables == Tables(width=8)
    assert found.config(VOCABULARY, (Task(classes=None),)).kind == "transformer"


def test_given_vectors_say_how_wide_embeddings_are(vectors):
    recurrent = StudentParams(kind="bilstm", embeddings=vectors, channels="multichannel")
    assert designed(recurrent, 2).tables == Tables(width=2, channels="multichannel")
    projected = StudentParams(kind="bilstm", embeddings=vectors, projection=True, width=9)
    assert designed(projected, 2).tables == Tables(width=2, projection=9)
    wide = StudentParams(kind="transformer", embeddings=vectors, projection=True)
    assert designed(wide, 2).tables == Tables(width=2, projection=204)
    with pytest.raises(UsageError, match=r"vectors of 204 numbers, found 2; add --projection"):
        designed(StudentParams(kind="transformer", embeddings=vectors), 2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "bilstn"}, r"found bilstn; did you mean bilstm\?"),
        ({"kind": "nowhere/at/all"}, r"a directory or a file of configuration, found nowhere"),
        ({"kind": "bilstm", "hidden": 0}, "--hidden from 1 to"),
        ({"kind": "bilstm", "head": -1}, "--head from 0 to"),
        ({"kind": "bilstm", "head_dropout": 1.0}, "--head-dropout from 0 to below 1"),
        ({"kind": "bilstm", "heads": 3}, "a bilstm student without --heads, found --heads 3"),
        ({"kind": "bilstm", "feed": 3}, "a bilstm student without --feed"),
        ({"kind": "biattentive", "layers": 3}, "a biattentive student without --layers"),
        ({"kind": "transformer", "width": 3}, "as wide as a transformer's layers"),
        ({"kind": "bilstm", "freeze_positions": True}, "without --freeze-positions, found --fr"),
        ({"kind": "bilstm", "projection": True}, "given vectors for it.* found --projection"),
        ({"kind": "bilstm", "channels": "multichannel"}, "given vectors for it.* multichannel"),
        ({"kind": "bilstm", "channels": "multichanel"}, r"did you mean multichannel\?"),
        ({"kind": "bilstm", "embeddings": "teachers"}, r"did you mean teacher\?"),
        ({"kind": "bilstm", "embeddings": "teacher", "width": 9}, "found --width 9; add --proj"),
        ({"kind": "bilstm", "embeddings": "teacher", "words": True}, "vectors of words for --wor"),
        ({"kind": "bilstm", "least": 2}, "a vocabulary of words for its options, found pieces"),
        ({"kind": "bilstm", "words": True, "least": 0}, "--least from 1"),
        ({"kind": "bilstm", "init_layers": "first"}, "a transformer for --init-layers"),
        ({"kind": "transformer", "init_layers": "first", "words": True}, "without --words"),
        ({"kind": "transformer", "init_layers": "first", "hidden": 8}, "without --hidden"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(options, told):
    with pytest.raises(UsageError, match=told) as caught:
        StudentParams(**options)
    assert "\n" not in str(caught.value)


def test_a_file_of_vectors_must_be_there():
    with pytest.raises(InputError, match="a file of word vectors, found none at no/such"):
        StudentParams(kind="bilstm", embeddings="vectors:no/such")


def test_hidden_units_are_shared_by_heads():
    with pytest.raises(UsageError, match="hidden units for 3 attention heads, found 100"):
        designed(StudentParams(kind="transformer", hidden=100))


def test_words_and_a_transformer_go_together(vectors):
    """Sučík 2020, § 5.4, has such students."""
    params = StudentParams(
        kind="transformer", words=True, embeddings=vectors, channels="multichannel", projection=True
    )
    assert designed(params, 2).tables.outputs == 204


@pytest.mark.parametrize(
    ("options", "mlm", "told"),
    [
        ({"kind": "bilstm", "embeddings": "teacher"}, False, "a teacher for --embeddings teacher"),
        ({"kind": "transformer", "init_layers": "first"}, False, "a teacher for --init-layers fir"),
        ({"kind": "bilstm"}, True, "a masked language model for --mlm, found bilstm"),
        ({"kind": "transformer-cls-mean"}, True, "found transformer-cls-mean"),
        ({"kind": "transformer", "words": True}, True, "--mlm without --words"),
        ({"kind": "transformer", "head": 3}, True, "--mlm without --head"),
    ],
)
def test_what_a_training_needs_of_a_student(options, mlm, told):
    with pytest.raises(UsageError, match=told):
        check_student(StudentParams(**options), mlm=mlm, teacher=False)


def test_a_masked_language_model_takes_layers_and_not_embeddings():
    params = StudentParams(kind="transformer", embeddings="teacher")
    with pytest.raises(UsageError, match="without --embeddings, found --embeddings teacher"):
        check_student(params, mlm=True, teacher=True)
    check_student(StudentParams(kind="transformer", init_layers="0,1"), mlm=True, teacher=True)


def test_a_directory_has_sizes_of_its_own(tmp_path):
    for options in ({"hidden": 3}, {"head": 0}, {"channels": "static"}):
        with pytest.raises(UsageError, match="a student from a directory, which says them"):
            StudentParams(kind=str(tmp_path), **options)
    with pytest.raises(UsageError, match="the vocabulary of a directory's student, found --words"):
        StudentParams(kind=str(tmp_path), words=True)
    with pytest.raises(UsageError, match="the embeddings of a directory's student"):
        StudentParams(kind=str(tmp_path), embeddings="teacher")
    assert StudentParams(kind=str(tmp_path), layers=2).picks
    assert not StudentParams(kind=str(tmp_path)).picks


def test_layers_that_are_listed_are_counted():
    def picked(**options):
        return StudentParams(kind="transformer", **options).picked

    assert picked(init_layers="0,2,5") == 3
    assert picked(init_layers="spread") is None
    assert picked(init_layers="spread", layers=4) == 4


class TestConfigurations:
    def design(self, tmp_path, found, **options):
        path = tmp_path / "student.json"
        path.write_text(json.dumps(found))
        made = read_config(path)
        assert is_ours(made)
        return design_from(made, StudentParams(kind=str(path), **options), str(path))

    def test_what_a_file_leaves_out_is_as_the_kind_has_it(self, tmp_path):
        found = {"model_type": "transferset-bilstm", "encoder": {"hidden": 8}}
        assert self.design(tmp_path, found) == (BilstmSizes(hidden=8), HeadSizes(), Tables())

    def test_embeddings_of_a_transformer_are_as_wide_as_its_layers(self, tmp_path):
        found = {"model_type": "transferset-transformer", "encoder": {"hidden": 12, "heads": 2}}
        assert self.design(tmp_path, found).tables.width == 12

    @pytest.mark.parametrize(
        ("found", "told"),
        [
            ({"model_type": "transferset-bilstn"}, r"did you mean bilstm\?"),
            ({"model_type": "transferset-bilstm", "vocabulary": {}}, "members .* found vocabulary"),
            (
                {"model_type": "transferset-bilstm", "encoder": {"hiden": 8}},
                r"found hiden; did you mean hidden\?",
            ),
            ({"model_type": "transferset-bilstm", "head": 4}, "an object, found int"),
        ],
    )
    def test_a_member_that_is_none_is_refused(self, tmp_path, found, told):
        with pytest.raises(InputError, match=told):
            self.design(tmp_path, found)

    def test_values_are_checked_when_the_student_is_whole(self, tmp_path):
        found = {"model_type": "transferset-bilstm", "encoder": {"hidden": "many"}}
        with pytest.raises(UsageError, match=r"found 'many' at encoder\.hidden"):
            self.design(tmp_path, found).config(VOCABULARY, (Task(classes=None),))

    def test_a_file_that_is_none(self, tmp_path):
        path = tmp_path / "student.json"
        for content, told in (("[]", "an object"), ("{", "JSON"), ("{}", "a model_type")):
            path.write_text(content)
            with pytest.raises(InputError, match=told):
                read_config(path)

    def test_other_options_do_not_change_it(self, tmp_path):
        path = tmp_path / "student.json"
        path.write_text("{}")
        for options in ({"hidden": 3}, {"layers": 3}, {"init_layers": "first"}):
            with pytest.raises(UsageError, match=r"a student from a configuration|for --init-l"):
                StudentParams(kind=str(path), **options)


def test_a_recipe_has_no_path_in_it(tmp_path, vectors):
    def described(folder):
        folder.mkdir()
        (folder / "c.json").write_text("{}")
        (folder / "v.txt").write_text("cat 1 2\n")
        embeddings = f"vectors:{folder / 'v.txt'}"
        return describe_student(StudentParams(kind=str(folder / "c.json"), embeddings=embeddings))

    one = described(tmp_path / "one")
    assert one == described(tmp_path / "two")
    assert one["kind"]["name"] == "c.json"
    assert one["embeddings"]["name"] == "v.txt"
    assert str(tmp_path) not in json.dumps(one)
