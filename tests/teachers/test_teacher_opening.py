"""Classifiers of all kinds are opened; nothing in their directories is trusted."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from safetensors.torch import load_file  # noqa: E402
from tiny_encoders import (  # noqa: E402
    KINDS,
    ONE,
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

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.files import digest_file  # noqa: E402
from transferset.students.config import (  # noqa: E402
    BilstmSizes,
    Config,
    HeadSizes,
    Tables,
    Task,
    TransformerSizes,
    Vocabulary,
)
from transferset.students.saving import save_student  # noqa: E402
from transferset.students.student import new_student  # noqa: E402
from transferset.students.word_vocabulary import WordVocabulary  # noqa: E402
from transferset.teachers.describing import describe_classifier  # noqa: E402
from transferset.teachers.opening import new_encoder, open_classifier  # noqa: E402
from transferset.teachers.saving import save_encoder  # noqa: E402
from transferset.teachers.statement import read_statement  # noqa: E402


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def said(module, task=0, lists=None):
    with torch.no_grad():
        return module(rows(*(lists or random_lists(pair=True))), task).numpy()


# what is saved is opened again


@pytest.mark.parametrize(
    ("kind", "tasks"), [("bert", "score"), *((k, t) for k in KINDS for t in ("one", "two"))]
)
def test_an_encoder_comes_back_with_its_tasks(tmp_path, kind, tasks):
    base = write_model(tmp_path / "base", kind)
    encoder = new_encoder(base, TASKS[tasks], seed=5)
    files = save_encoder(encoder, tmp_path / "out", base / "tokenizer.json", ["Made of rows."])
    assert files == sorted((tmp_path / "out").iterdir())
    found = open_classifier(tmp_path / "out")
    assert found.module.tasks == TASKS[tasks] == read_statement(tmp_path / "out").tasks
    assert found.module.states_layout
    assert found.kind == ("heads" if tasks == "two" else "classifier")
    assert found.vocabulary == encoder.vocabulary
    assert found.tokenizer == tmp_path / "out" / "tokenizer.json"
    assert found.sha256 == sha256(base / "tokenizer.json")
    encoder.eval()
    lists = random_lists(kind, pair=True)
    for i in range(len(TASKS[tasks])):
        assert np.array_equal(said(found.module, i, lists), said(encoder, i, lists))
    assert "Made of rows." in (tmp_path / "out" / "README.md").read_text()


def test_an_encoder_of_one_task_opens_with_plain_transformers(kept):
    loader = transformers.AutoModelForSequenceClassification
    model = loader.from_pretrained(kept / "one").eval()
    lists = random_lists(pair=True)
    with torch.no_grad():
        wanted = model(**padded_arguments("bert", lists)).logits.numpy()
    assert said(open_classifier(kept / "one").module, 0, lists) == pytest.approx(wanted, abs=1e-5)
    assert model.config.id2label == {0: "bad", 1: "good"}
    score = loader.from_pretrained(kept / "score").config
    assert (score.problem_type, score.num_labels) == ("regression", 1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(kept / "one")
    assert tokenizer("the dog")["input_ids"] == [2, 5, 8, 3]
    assert (tokenizer.cls_token, tokenizer.mask_token) == ("[CLS]", "[MASK]")


@pytest.mark.parametrize("name", TASKS)
def test_the_lines_in_the_readme_run(kept, monkeypatch, capsys, name):
    monkeypatch.chdir(kept / name)
    readme = (kept / name / "README.md").read_text()
    exec(compile(readme.split("```")[1].removeprefix("python"), "README", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.count("tensor(") == len(TASKS[name])


def test_saving_over_another_model_leaves_nothing_of_it(kept, folder):
    out = folder("two")
    save_encoder(open_classifier(kept / "one").module, out, kept / "one" / "tokenizer.json")
    assert not {"heads.json", "heads.safetensors"} & {path.name for path in out.iterdir()}
    assert open_classifier(out).module.tasks == ONE


def test_saving_with_another_tokenizer_is_refused(kept, tmp_path):
    write_tokenizer(tmp_path, "roberta")
    encoder = open_classifier(kept / "one").module
    with pytest.raises(UsageError, match="the vocabulary that the encoder was made for, found"):
        save_encoder(encoder, tmp_path / "out", tmp_path / "tokenizer.json")


# ------------------------------------------------------------------------------------ new heads


def test_the_encoder_is_that_of_the_directory(kept):
    encoder = new_encoder(kept / "base", ONE, seed=1)
    stored = load_file(kept / "base" / "model.safetensors")
    own = encoder.base.base_model.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in stored.items())
    assert encoder.training
    assert all(p.requires_grad for p in encoder.parameters())


@pytest.mark.parametrize("tasks", TASKS)
def test_heads_are_a_function_of_the_seed(kept, tasks):
    def heads(seed):
        encoder = new_encoder(kept / "base", TASKS[tasks], seed)
        found = encoder.base.classifier if tasks != "two" else encoder.heads
        return torch.cat([p.detach().flatten() for p in found.parameters()])

    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = heads(7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(heads(7), first)
    assert not torch.equal(heads(8), first)


def test_a_classifier_gets_a_new_head_too(kept):
    encoder = new_encoder(kept / "classifier", ONE, seed=0)
    assert encoder.base.classifier.weight.shape == (2, 24)


def test_a_pooler_that_is_missing_is_drawn_from_the_seed(tmp_path):
    masked = write_model(tmp_path / "masked", loader="AutoModelForMaskedLM")
    first, same, other = (new_encoder(masked, TWO, seed).base.pooler for seed in (1, 1, 2))
    assert torch.equal(first.dense.weight, same.dense.weight)
    assert not torch.equal(first.dense.weight, other.dense.weight)


def test_seeds_and_names_out_of_range(kept):
    with pytest.raises(UsageError, match=r"a seed from 0 to 2\*\*64 − 1, found -1"):
        new_encoder(kept / "base", ONE, -1)
    with pytest.raises(UsageError, match="tasks of different names, found reviews, reviews"):
        new_encoder(kept / "base", ONE * 2, 0)


def test_directories_that_hold_no_encoder(folder, tmp_path):
    with pytest.raises(InputError, match=r"the directory of a model, found none at .*nowhere"):
        new_encoder(tmp_path / "nowhere", ONE, 0)
    base = folder("base")
    for kind in ("resnet", "clip"):
        change_json(base / "config.json", model_type=kind)
        with pytest.raises(InputError, match=f"an encoder, found .*{kind}"):
            new_encoder(base, ONE, 0)
    t5 = transformers.T5Config(
        vocab_size=SIZE, d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2
    )
    transformers.T5Model(t5).save_pretrained(tmp_path / "t5")
    write_tokenizer(tmp_path / "t5")
    with pytest.raises(InputError, match=r"an encoder, found an encoder with a decoder \(t5\)"):
        new_encoder(tmp_path / "t5", ONE, 0)
    change_json(base / "config.json", model_type="bert", num_labels=1 << 40)
    with pytest.raises(InputError, match="num_labels from 1 to 65,536"):
        new_encoder(base, ONE, 0)


# ----------------------------------------------------------------------- classifiers of others


def test_a_classifier_of_others_says_its_classes_but_not_its_layout(kept):
    found = open_classifier(kept / "classifier")
    assert found.module.tasks == (Task(classes=("LABEL_0", "LABEL_1", "LABEL_2")),)
    assert not found.module.states_layout
    assert not found.module.training
    assert not any(p.requires_grad for p in found.module.parameters())
    trained = open_classifier(kept / "classifier", train=True).module
    assert trained.training
    assert all(p.requires_grad for p in trained.parameters())


def test_one_output_is_a_score(tmp_path):
    folder = write_classifier(tmp_path / "score", num_labels=1)
    assert open_classifier(folder).module.tasks == (Task(classes=None),)


def test_who_opens_says_which_tokenizer_a_file_is(kept):
    found = open_classifier(kept / "classifier", identity=lambda path: f"that of {path.name}")
    assert found.sha256 == found.vocabulary.sha256 == "that of tokenizer.json"
    encoder = new_encoder(kept / "base", ONE, 0, identity=lambda _: "another")
    assert encoder.vocabulary.sha256 == "another"


# ------------------------------------------------------------------------------------- students


def student(tmp_path, encoder, head, vocabulary, given, width=12):
    config = Config(
        vocabulary=vocabulary,
        tasks=ONE,
        embeddings=Tables(width=width),
        encoder=encoder,
        head=head,
    )
    made = new_student(config, 0).eval()
    save_student(made, tmp_path / "student", given)
    return made, tmp_path / "student"


def test_a_student_is_opened_as_one(kept, tmp_path):
    file = kept / "base" / "tokenizer.json"
    vocabulary = Vocabulary(size=SIZE, sha256=sha256(file))
    made, folder = student(tmp_path, BilstmSizes(hidden=4), HeadSizes(hidden=5), vocabulary, file)
    found = open_classifier(folder)
    assert (found.kind, found.words, found.tokenizer) == (
        "student",
        None,
        folder / "tokenizer.json",
    )
    assert found.module.tasks == ONE == read_statement(folder).tasks
    assert found.sha256 == vocabulary.sha256
    assert np.array_equal(said(found.module), said(made))
    assert open_classifier(folder, train=True).module.training


def test_what_a_student_keeps_frozen_stays_so_in_training(kept, tmp_path):
    file = kept / "base" / "tokenizer.json"
    config = Config(
        vocabulary=Vocabulary(size=SIZE, sha256=sha256(file)),
        tasks=ONE,
        embeddings=Tables(width=6, channels="multichannel"),
        encoder=BilstmSizes(hidden=4),
    )
    save_student(new_student(config, 0), tmp_path / "student", file)
    trained = open_classifier(tmp_path / "student", train=True).module
    still = [name for name, p in trained.named_parameters() if not p.requires_grad]
    assert still == ["encoder.embeddings.frozen.weight"]


SMALL = TransformerSizes(layers=1, hidden=12, intermediate=20, heads=3, positions=24)


def test_a_student_of_words_that_is_a_plain_bert(tmp_path):
    words = WordVocabulary([f"w{i}" for i in range(30)], lowercase=True)
    made, folder = student(tmp_path, SMALL, HeadSizes(hidden=None), words.vocabulary, words)
    found = open_classifier(folder)
    assert (found.kind, found.tokenizer) == ("classifier", None)
    assert found.words.words == words.words
    assert found.vocabulary == words.vocabulary
    assert found.module.tasks[0].classes == ONE[0].classes
    assert said(found.module) == pytest.approx(said(made), abs=1e-6)
    assert describe_classifier(folder)["tokenizer"] == digest_file(folder / "words.json")
    # and is tuned on other tasks as any encoder
    encoder = new_encoder(folder, TWO, 0)
    save_encoder(encoder, tmp_path / "tuned", folder / "words.json")
    assert open_classifier(tmp_path / "tuned").words.words == words.words


# ----------------------------------------------------------------------------------- description


def test_a_recipe_records_every_file_that_matters(kept):
    found = describe_classifier(kept / "two")
    assert found["kind"] == "heads"
    assert found["heads"] == {
        name: digest_file(kept / "two" / name) for name in ("heads.json", "heads.safetensors")
    }
    for name, file in (("config", "config.json"), ("weights", "model.safetensors")):
        assert found[name] == digest_file(kept / "two" / file)
    assert describe_classifier(kept / "one")["kind"] == "classifier"
    assert "heads" not in describe_classifier(kept / "one")
