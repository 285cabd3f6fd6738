"""Classifiers of all kinds are opened; nothing in their directories is trusted."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_encoders import (  # noqa: E402
    KINDS,
    SIZE,
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

ONE = (Task(classes=("bad", "good"), pair=True, name="reviews"),)
SCORE = (Task(classes=None, pair=True, name="likeness"),)
TWO = (Task(classes=("no", "perhaps", "yes"), name="first"), *SCORE)
TASKS = {"one": ONE, "score": SCORE, "two": TWO}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Directories that tests copy."""
    root = tmp_path_factory.mktemp("kept")
    base = write_model(root / "base")
    write_classifier(root / "classifier", num_labels=3)
    for name, tasks in TASKS.items():
        save_encoder(new_encoder(base, tasks, seed=3), root / name, base / "tokenizer.json")
    return root


@pytest.fixture
def folder(kept, tmp_path):
    """A function that copies one of them."""
    return lambda name: shutil.copytree(kept / name, tmp_path / name)


def said(module, task=0, lists=None):
    with torch.no_grad():
        return module(rows(*(lists or random_lists(pair=True))), task).numpy()


# ---------------------------------------------------------------- what is saved is opened again


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


# --------------------------------------------------------------------------------- what is refused


def refuse(folder, match):
    with pytest.raises(InputError, match=match) as told:
        open_classifier(folder)
    assert "\n" not in str(told.value)


def test_an_encoder_without_a_classifier(kept):
    refuse(
        kept / "base",
        "the classifier, found none for classifier.*; `transferset teacher fit` makes one",
    )


def test_a_masked_language_model_is_no_classifier(tmp_path):
    folder = write_model(tmp_path / "masked", loader="AutoModelForMaskedLM")
    refuse(folder, "`transferset teacher fit` makes one")


def test_no_directory_and_an_empty_one(tmp_path):
    refuse(tmp_path / "nowhere", "a file config.json, found none at .*nowhere")
    refuse(tmp_path, "a file config.json, found none")


def test_missing_files(folder):
    one = folder("one")
    (one / "tokenizer.json").unlink()
    refuse(one, "a file tokenizer.json, found none")
    two = folder("two")
    (two / "heads.safetensors").unlink()
    refuse(two, "safetensors file")
    score = folder("score")
    (score / "model.safetensors").unlink()
    refuse(score, "a file model.safetensors, found none")


def test_a_pickle_is_not_read(folder):
    one = folder("one")
    (one / "model.safetensors").rename(one / "pytorch_model.bin")
    refuse(one, "a file model.safetensors, found pytorch_model.bin.*a pickle can run code")


CONFIGS = {
    "code of others": ({"auto_map": {"AutoModel": "x.Model"}}, "a member auto_map"),
    "a kernel of others": ({"attn_implementation": "x/y"}, "a member attn_implementation"),
    "a huge vocabulary": ({"vocab_size": 1 << 40}, "vocab_size from 1 to"),
    "a huge model": ({"hidden_size": 49152, "intermediate_size": 1 << 18}, "weights for every"),
    "a huge number of types": ({"type_vocab_size": 1 << 40}, "weights for every part"),
    "no kind": ({"model_type": None}, "a classifier of texts, found no model_type"),
    "another kind": ({"model_type": "resnet"}, "a classifier of texts, found model_type resnet"),
    "an unknown kind": ({"model_type": "../x"}, "a classifier of texts, found model_type"),
    "an encoder with a decoder": ({"is_encoder_decoder": True}, "an encoder with a decoder"),
    "a dropout of text": ({"hidden_dropout_prob": "x"}, "a classifier of texts, found"),
    "many classes at once": (
        {"problem_type": "multi_label_classification"},
        "one class for a text",
    ),
    "a number of classes": ({"id2label": None, "num_labels": 1 << 40}, "num_labels from 1"),
    "numbers of classes": ({"num_labels": 7}, "num_labels 2, found 7"),
    "no names": ({"id2label": {}}, "id2label with a name for each"),
    "a list of names": ({"id2label": ["a", "b"]}, "id2label with a name for each"),
    "names without order": ({"id2label": {"0": "a", "2": "b"}}, "id2label with a name for each"),
    "names that are numbers": ({"id2label": {"0": 1, "1": 2}}, "id2label with a name for each"),
    "one name twice": ({"id2label": {"0": "a", "1": "a"}}, "different classes, found 1 of 2"),
    "more names than outputs": (
        {"id2label": {"0": "a", "1": "b", "2": "c"}},
        "a classifier of texts, found|weights for every part",
    ),
    "another statement": ({"transferset": {"name": 1}}, "expected"),
    "a pair that is none": (
        {"transferset": {"name": "a", "pair": 1, "tokenizer": "b"}},
        "true or false, found 1",
    ),
    "another vocabulary": (
        {"transferset": {"name": "a", "pair": True, "tokenizer": "0" * 64}},
        "the vocabulary of this model, found another",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations(folder, name):
    members, match = CONFIGS[name]
    one = folder("one")
    change_json(one / "config.json", **members)
    refuse(one, match)


def heads(*tasks):
    return {"tasks": list(tasks), "tokenizer": None}


def task(**members):
    return {"name": "a", "classes": ["x", "y"], "pair": False, **members}


STATEMENTS = {
    "a list": ([], "an object of JSON"),
    "no tasks": ({"tokenizer": "x"}, "a member tasks"),
    "one task": ({"tokenizer": "x", "tasks": [task()]}, "2 to 1,024 tasks, found 1"),
    "many tasks": (
        {"tokenizer": "x", "tasks": [task(name=str(i)) for i in range(1025)]},
        "2 to 1,024 tasks, found 1,025",
    ),
    "one name twice": ({"tokenizer": "x", "tasks": [task(), task()]}, "tasks of different names"),
    "one class": (
        {"tokenizer": "x", "tasks": [task(classes=["x"]), task(name="b")]},
        "2 to 65,536 different classes, found 1 of 1",
    ),
    "classes that are numbers": (
        {"tokenizer": "x", "tasks": [task(classes=[1, 2]), task(name="b")]},
        "a string, found 1",
    ),
    "another member": ({"tokenizer": "x", "tasks": [task(), task(code="x")]}, "members name"),
    "another vocabulary": (
        {"tokenizer": "x", "tasks": [task(), task(name="b")]},
        "the vocabulary of this model, found another",
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_of_several_heads(folder, name):
    content, match = STATEMENTS[name]
    two = folder("two")
    (two / "heads.json").write_text(json.dumps(content))
    refuse(two, match)


def test_heads_of_another_number_of_classes(folder):
    two = folder("two")
    stated = json.loads((two / "heads.json").read_text())
    stated["tasks"][0]["classes"].append("more")
    (two / "heads.json").write_text(json.dumps(stated))
    refuse(two, r"0.1.bias as \(\(4,\), 'F32'\), found \(\(3,\), 'F32'\)")


@pytest.mark.parametrize("file", ["model.safetensors", "heads.safetensors"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(folder, file, number):
    two = folder("two")
    stored = load_file(two / file)
    name = max(stored)
    stored[name].view(-1)[0] = number
    save_file(stored, two / file, {"format": "pt"})
    refuse(two, f"finite weights, found others in .*{name}")


def test_weights_of_other_shapes(folder):
    one = folder("one")
    stored = load_file(one / "model.safetensors")
    stored["classifier.weight"] = torch.zeros(2, 25)
    save_file(stored, one / "model.safetensors", {"format": "pt"})
    refuse(one, "expected")


def test_weights_cut_short(folder):
    one = folder("one")
    raw = (one / "model.safetensors").read_bytes()
    (one / "model.safetensors").write_bytes(raw[: len(raw) // 2])
    refuse(one, "a classifier of texts, found")


def test_a_tokenizer_of_another_model(folder):
    found = folder("classifier")
    raw = json.loads((found / "tokenizer.json").read_text())
    raw["model"]["vocab"]["zebra"] = SIZE
    (found / "tokenizer.json").write_text(json.dumps(raw))
    refuse(found, f"a tokenizer of up to {SIZE} ids, found {SIZE + 1}")


def test_a_tokenizer_without_a_frame(folder):
    found = folder("classifier")
    raw = json.loads((found / "tokenizer.json").read_text())
    raw["post_processor"] = None
    (found / "tokenizer.json").write_text(json.dumps(raw))
    refuse(found, "one piece before and one after a text, found 0 pieces")


def test_a_device_that_is_none(kept):
    with pytest.raises(UsageError, match="a device of torch's, found cuda:9"):
        open_classifier(kept / "one", "cuda:9")
    with pytest.raises(UsageError, match="a device of torch's, found cuda:9"):
        new_encoder(kept / "base", ONE, 0, "cuda:9")


def test_torch_is_not_installed(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"pip install 'transferset\[distill\]'"):
        open_classifier(kept / "one")


def test_tasks_are_read_without_torch(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert read_statement(kept / "two").tasks == TWO
    assert read_statement(kept / "one").tasks == ONE
    assert replace(read_statement(kept / "classifier").tasks[0], classes=None) == Task(classes=None)
