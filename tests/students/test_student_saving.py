"""Students on disk: read back the same, and opened by the lines of their README."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json

import numpy as np
import pyarrow as pa
import pytest
from small_students import CLASSES, KINDS, lively, logits, random_rows, rows
from tokenizers import Tokenizer, models, pre_tokenizers

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("safetensors")

from transferset.errors import UsageError  # noqa: E402
from transferset.students.config import Task, Vocabulary  # noqa: E402
from transferset.students.opening import is_student, open_student  # noqa: E402
from transferset.students.reading_lines import ReadAs  # noqa: E402
from transferset.students.saving import save_student  # noqa: E402
from transferset.students.word_vocabulary import WordVocabulary  # noqa: E402

TEXT = " ".join(f"w{i}" for i in range(26))
WORDS = WordVocabulary.fit([pa.array([TEXT, "a text another"])])
OURS = [kind for kind in KINDS if not kind.endswith("transformer")]
PLAIN = ["transformer", "projected transformer"]


def tokenizer(folder):
    """A tokenizer of whole words, and a student's view of it."""
    known = {word: i for i, word in enumerate(WORDS.all_words)}
    made = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    path = folder / "source.json"
    made.save(str(path))
    return path, Vocabulary(size=len(known), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def saved(folder, kind, *, pair=False, words=True, **settings):
    given, vocabulary = (WORDS, WORDS.vocabulary) if words else tokenizer(folder)
    student = lively(kind, pair=pair, vocabulary=vocabulary, **settings)
    files = save_student(student, folder / "student", given, ["From nowhere."])
    return student, folder / "student", files


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize("words", [True, False])
def test_a_student_reads_back_the_same(tmp_path, kind, words):
    student, folder, files = saved(tmp_path, kind, words=words)
    name = "words.json" if words else "tokenizer.json"
    wanted = sorted(["README.md", "config.json", "model.safetensors", name])
    assert [path.name for path in files] == wanted
    assert sorted(path.name for path in folder.iterdir()) == wanted
    assert is_student(folder)
    opened = open_student(folder)
    assert opened.student.config == student.config
    given = random_rows()
    assert np.array_equal(logits(opened.student, given), logits(student, given))
    assert (opened.words is None) is not words
    if words:
        assert opened.words.words == WORDS.words
    for name, weight in student.named_parameters():
        assert dict(opened.student.named_parameters())[name].requires_grad == weight.requires_grad


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("classes", [CLASSES, None])
def test_a_pooled_transformer_is_a_plain_model_of_transformers(tmp_path, kind, classes):
    student, folder, _ = saved(tmp_path, kind, pair=True, classes=classes)
    assert not is_student(folder)
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert type(model).__name__ == "BertForSequenceClassification"
    assert not any(report.values())
    if classes:
        assert model.config.id2label == dict(enumerate(CLASSES))
    else:
        assert model.config.num_labels == 1
    row = random_rows(1, pair=True)[0]
    first = row.index(3) + 1
    types = torch.tensor([[0] * first + [1] * (len(row) - first)])
    with torch.no_grad():
        found = model(torch.tensor([row]), token_type_ids=types).logits.numpy()
    assert found == pytest.approx(logits(student, [row]), abs=1e-5)


def lines_of(folder):
    readme = (folder / "README.md").read_text()
    assert "From nowhere." in readme
    return readme.split("```python\n")[1].split("```")[0]


def run(code, folder, monkeypatch):
    """What the lines print, of plain torch alone, where the student lies."""
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"json", "torch", "safetensors", "tokenizers", "transformers"}
    monkeypatch.chdir(folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), torch.no_grad():
        exec(compile(code, "README.md", "exec"), {})
    return [
        ast.literal_eval(line.removeprefix("tensor(").removesuffix(")"))
        for line in printed.getvalue().strip().splitlines()
    ]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("words", [True, False])
def test_the_lines_of_the_readme_open_it(tmp_path, monkeypatch, kind, pair, words):
    student, folder, _ = saved(tmp_path, kind, pair=pair, words=words)
    code = lines_of(folder)
    work = [line for line in code.splitlines() if "import" not in line]
    assert len(work) <= (15 if kind == "biattentive" else 11)
    second = pa.array(["another"]) if pair else None
    ids, _ = WORDS.encode(pa.array(["a text"]), second)
    (found,) = run(code, folder, monkeypatch)
    # four digits are what torch prints
    assert found == pytest.approx(logits(student, [ids.tolist()])[0], rel=1e-3, abs=2e-4)


#: Read differently by `text.lower().split()`, by white space, and by a tagger.
ODD = "don't STOP [MASK], ΑΣ İ  now.\x1cEND"
TAGGED = ["do", "n't", "STOP", "[MASK]", "ΑΣ", "İ", "now", ".", "END", ""]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("kind", ["bilstm", "transformer"])
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("column", ["text", "words"])
def test_the_lines_read_words_as_the_training_did(tmp_path, monkeypatch, kind, lowercase, column):
    given = ODD if column == "text" else TAGGED
    words = WordVocabulary.fit([pa.array([given]), pa.array([ODD.lower()])], lowercase=lowercase)
    student = lively(kind, vocabulary=words.vocabulary)
    read = ReadAs(column=column, taggers=("spacy:some_model",))
    save_student(student, tmp_path, words, ["From nowhere."], read)
    code = lines_of(tmp_path)
    example = '"a text"' if column == "text" else '["a", "text"]'
    assert code.count(example) == 1
    (found,) = run(code.replace(example, repr(given)), tmp_path, monkeypatch)
    ids, _ = words.encode(pa.array([given]))
    assert found == pytest.approx(logits(student, [ids.tolist()])[0], rel=1e-3, abs=2e-4)
    naive = words.encode(pa.array([ODD.lower().split()]))[0]
    assert naive.tolist() != ids.tolist()
    readme = (tmp_path / "README.md").read_text()
    assert ("spacy:some_model" in readme) is (column == "words")


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("kind", ["bilstm", "biattentive", "transformer", "mean of layers"])
def test_the_lines_give_the_logits_of_every_head(tmp_path, monkeypatch, kind):
    path, vocabulary = tokenizer(tmp_path)
    tasks = (
        Task(classes=CLASSES, name="one\nimport os"),
        Task(classes=None, pair=True, name="two"),
    )
    student = lively(kind, vocabulary=vocabulary, tasks=tasks)
    read = ReadAs(ranges=(None, (0.5, 5.0)))
    save_student(student, tmp_path / "m", path, ["From nowhere."], read)
    code = lines_of(tmp_path / "m")
    assert "\nimport os" not in code
    assert "# two: a score, 0.5 to 5 in training, of two texts\n" in code
    first, second = run(code, tmp_path / "m", monkeypatch)
    ids = [WORDS.encode(pa.array(["a text"]), other)[0] for other in (None, pa.array(["another"]))]
    with torch.no_grad():
        wanted = [student(rows(one.tolist()), task).numpy()[0] for task, one in enumerate(ids)]
    assert first == pytest.approx(wanted[0], rel=1e-3, abs=2e-4)
    assert second == pytest.approx(wanted[1], rel=1e-3, abs=2e-4)


def test_saving_again_replaces_what_was_there(tmp_path):
    _, folder, _ = saved(tmp_path, "bilstm", words=True)
    student, folder, files = saved(tmp_path, "bilstm", words=False, seed=5)
    assert sorted(folder.iterdir()) == files
    given = random_rows()
    assert np.array_equal(logits(open_student(folder).student, given), logits(student, given))


def test_another_vocabulary_is_refused(tmp_path):
    other = WordVocabulary.fit([pa.array(["one two"])])
    with pytest.raises(UsageError, match="the vocabulary that the student was made for"):
        save_student(lively(vocabulary=WORDS.vocabulary), tmp_path, other)


def test_equal_students_have_equal_bytes(tmp_path):
    _, first, files = saved(tmp_path, "biattentive")
    (tmp_path / "b").mkdir()
    _, second, _ = saved(tmp_path / "b", "biattentive")
    for path in files:
        assert path.read_bytes() == (second / path.name).read_bytes()
    assert (
        json.loads((first / "config.json").read_text())["model_type"] == "transferset-biattentive"
    )
