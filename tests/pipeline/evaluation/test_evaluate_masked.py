"""`evaluate --mlm`, against transformers row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from judged import (  # noqa: E402
    ids_of,
    make_set,
    texts,
    write_classifier,
    write_masked,
    write_tokenizer,
)
from tiny_models import VOCABULARY  # noqa: E402

import transferset  # noqa: E402
from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.masking import Masking, rates_of  # noqa: E402

TEXTS = texts(30, seed=9)

#: The epoch whose masks held-out rows have.
HELD_OUT = 2**32 - 1


@pytest.fixture(scope="module")
def models(pieces, tmp_path_factory):
    root = tmp_path_factory.mktemp("masked")
    return [write_masked(root / str(seed), pieces, seed=seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def corpus(pieces, tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("corpus") / "set", pieces, TEXTS, None)


def by_hand(folder, rows, masks):
    """Log-probabilities at masked positions: of the piece that stood there, and of all."""
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    found = []
    for read, places in masks:
        with torch.inference_mode():
            found.append(model(torch.tensor([read])).logits[0][places].log_softmax(1))
    told = torch.cat(found)
    gold = [row[place] for row, (_, places) in zip(rows, masks, strict=True) for place in places]
    return told, torch.tensor(gold)


def masked_rows(pieces, seed=0):
    """Each row after masking, and where something was masked."""
    rows = ids_of(pieces, TEXTS)
    masking = Masking(rates_of(len(VOCABULARY), list(range(5))), 4, seed)
    found = []
    for number, row in enumerate(rows):
        one = masking(
            np.array(row, np.int32), np.array([0, len(row)]), np.array([number]), HELD_OUT
        )
        found.append((one.ids.tolist(), one.positions.tolist()))
    return rows, found


def test_loss_perplexity_and_accuracy_of_masked_pieces(models, corpus, pieces):
    rows, masks = masked_rows(pieces)
    found = transferset.evaluate(models[0], corpus.root, mlm=True)["masked"]
    told, gold = by_hand(models[0], rows, masks)
    assert (found["rows"], found["masked"], found["share"]) == (30, len(gold), 0.15)
    loss, perplexity, accuracy = found["metrics"]
    mean = -told.gather(1, gold[:, None]).mean().item()
    assert loss["value"] == pytest.approx(mean, rel=1e-5)
    assert perplexity["value"] == pytest.approx(math.exp(mean), rel=1e-5)
    assert accuracy["value"] == pytest.approx((told.argmax(1) == gold).double().mean().item())
    assert loss["low"] < loss["value"] < loss["high"]
    assert perplexity["low"] == pytest.approx(math.exp(loss["low"]))
    assert found["agreement"] is None


def test_a_teacher_is_asked_at_the_same_places(models, corpus, pieces):
    rows, masks = masked_rows(pieces)
    result = transferset.evaluate(models[0], corpus.root, mlm=True, teacher=models[1])
    found = result["masked"]
    (ours, gold), (theirs, _) = (by_hand(one, rows, masks) for one in models)
    loss, perplexity, accuracy = found["metrics"]
    theirs_loss = -theirs.gather(1, gold[:, None]).mean().item()
    assert loss["teacher"]["value"] == pytest.approx(theirs_loss, rel=1e-5)
    assert loss["difference"]["value"] == pytest.approx(loss["value"] - theirs_loss, rel=1e-4)
    assert loss["retention"] is perplexity["retention"] is None  # less is better
    hits = [(one.argmax(1) == gold).double().mean().item() for one in (ours, theirs)]
    assert accuracy["teacher"]["value"] == pytest.approx(hits[1])
    kl = (theirs.exp() * (theirs - ours)).sum(1).mean().item()
    assert found["agreement"]["kl"]["value"] == pytest.approx(kl, rel=1e-4)
    same = (theirs.argmax(1) == ours.argmax(1)).double().mean().item()
    assert found["agreement"]["decisions"]["value"] == pytest.approx(same)
    assert result["speed"]["teacher"]["rows"] == result["speed"]["model"]["rows"]
    assert result["size"]["teacher"] == result["size"]["model"]


def test_a_model_beside_itself(models, corpus):
    found = transferset.evaluate(models[0], corpus.root, mlm=True, teacher=models[0])["masked"]
    loss, _, accuracy = found["metrics"]
    assert {loss["difference"][end] for end in ("value", "low", "high")} == {0.0}
    assert accuracy["difference"]["value"] == 0
    assert found["agreement"]["decisions"]["value"] == 1
    assert found["agreement"]["kl"]["value"] == 0


def test_masks_are_those_of_the_seed(models, corpus):
    one, same, other = (
        transferset.evaluate(models[0], corpus.root, mlm=True, seed=seed)["masked"]
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one["metrics"][0]["value"] != other["metrics"][0]["value"]


def test_a_set_that_is_masked_already(models, pieces, tmp_path):
    rows = ids_of(pieces, TEXTS)
    read = [[*row[:1], 4, *row[2:]] for row in rows]  # the first piece of each
    labels = [[-100, row[1], *[-100] * (len(row) - 2)] for row in rows]
    made = make_set(tmp_path / "set", pieces, TEXTS, None, text=False)
    shown = make_masked(tmp_path / "masked", made, read, labels)
    found = transferset.evaluate(models[0], shown.root, mlm=True)["masked"]
    told, gold = by_hand(models[0], rows, [(row, [1]) for row in read])
    assert (found["masked"], found["share"]) == (30, None)
    mean = -told.gather(1, gold[:, None]).mean().item()
    assert found["metrics"][0]["value"] == pytest.approx(mean, rel=1e-5)


def make_masked(root, parent, read, labels):
    from label_sets import make_labelled

    columns = {"input_ids": read, "labels": labels}
    return make_labelled(root, columns, tokenizer=parent.manifest.tokenizer)


def test_what_cannot_be_judged(models, corpus, pieces, tmp_path):
    with pytest.raises(UsageError, match=r"a masked language model .*judge it with --mlm"):
        transferset.evaluate(models[0], corpus.root)
    with pytest.raises(UsageError, match="one set with --mlm"):
        transferset.evaluate(models[0], [corpus.root, corpus.root], mlm=True)
    classifier = write_classifier(tmp_path / "classifier", pieces)
    with pytest.raises(InputError, match="masked-LM head"):
        transferset.evaluate(classifier, corpus.root, mlm=True)
    others = write_tokenizer(tmp_path / "others", [*VOCABULARY[:5], *VOCABULARY[:4:-1]])
    teacher = write_masked(tmp_path / "teacher", others)
    with pytest.raises(UsageError, match="a teacher that reads the model's pieces"):
        transferset.evaluate(models[0], corpus.root, mlm=True, teacher=teacher)
    empty = make_set(tmp_path / "short", pieces, ["cat"], None)
    with pytest.raises(UsageError, match="a masked position"):
        transferset.evaluate(models[0], empty.root, mlm=True, seed=1)


def test_ids_of_another_tokenizer_are_made_anew(models, pieces, tmp_path):
    others = write_tokenizer(tmp_path / "others", [*VOCABULARY[:5], *VOCABULARY[:4:-1]])
    made = make_set(tmp_path / "set", others, TEXTS, None)
    own = make_set(tmp_path / "own", pieces, TEXTS, None)
    anew, plain = (
        transferset.evaluate(models[0], one.root, mlm=True)["masked"] for one in (made, own)
    )
    assert (anew["read"], plain["read"]) == ("text", "ids")
    assert anew["metrics"] == plain["metrics"]


def test_a_student_of_texts_is_named(models, corpus, tmp_path):
    student = tmp_path / "student"
    student.mkdir()
    (student / "config.json").write_text('{"model_type": "transferset-bilstm"}')
    told = r"expected a masked language model, found a student [^.]*student; "
    for asked, teacher in ((student, None), (models[0], student)):
        with pytest.raises(InputError, match=told):
            transferset.evaluate(asked, corpus.root, teacher=teacher, mlm=True)
