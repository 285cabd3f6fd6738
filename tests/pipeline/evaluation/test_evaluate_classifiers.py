"""`evaluate` of classifiers, against figures that were counted by hand."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from judged import (
    CLASSES,
    alone,
    ids_of,
    labels_with,
    logits_deciding,
    make_set,
    softmax,
    texts,
    write_classifier,
    write_tokenizer,
)
from tiny_models import VOCABULARY

import transferset
from transferset.errors import InputError, SetError, UsageError
from transferset.metrics.bootstrap import difference, drawn_rows, intervals
from transferset.metrics.tasks import metrics_of
from transferset.pipeline.evaluation import speed

ROWS = 20
TEXTS = texts(ROWS)


@pytest.fixture(scope="module")
def answers(model, pieces):
    """The model's logits of each row, as transformers gives them row by row."""
    return alone(model, ids_of(pieces, TEXTS))


@pytest.fixture(scope="module")
def decided(answers):
    found = answers.argmax(1)
    assert len(set(found.tolist())) == 3  # else there is little to be told
    return found


@pytest.fixture
def judged(model, pieces, decided, tmp_path):
    """A set of 18 labelled rows, of which the model has 14 right and the set's teacher 16."""
    labels = labels_with(decided, wrong=(3, 5, 8, 13))
    taught = decided.copy()
    taught[3], taught[5] = (CLASSES.index(labels[i]) for i in (3, 5))  # of its mistakes 2
    labels[18] = labels[19] = None
    made = make_set(tmp_path / "set", pieces, TEXTS, labels, logits=logits_deciding(taught))
    return made, labels[:18], taught


def by_name(task):
    return {one["name"]: one for one in task["metrics"]}


def test_the_scores_of_labelled_rows_and_of_the_teacher_in_the_set(model, judged):
    found = transferset.evaluate(model, judged[0].root)
    (task,) = found["tasks"]
    assert (task["rows"], task["labelled"], task["unlabelled"]) == (20, 18, 2)
    assert (task["read"], task["teacher_from"]) == ("ids", "logits")
    accuracy = by_name(task)["accuracy"]
    assert accuracy["value"] == 14 / 18
    assert accuracy["teacher"]["value"] == 16 / 18
    assert accuracy["difference"]["value"] == pytest.approx(-2 / 18)
    assert accuracy["retention"]["value"] == pytest.approx(14 / 16)
    assert task["score"]["value"] == 14 / 18  # what GLUE counts of such a task
    assert found["teacher"] is None
    assert found["size"]["teacher"] is None
    assert found["speed"]["teacher"] is None


def test_intervals_are_those_of_the_bootstrap(model, judged, decided):
    made, labels, taught = judged
    gold = np.array([CLASSES.index(one) for one in labels])
    ours, theirs = decided[:18], taught[:18]
    found = transferset.evaluate(model, made.root, resamples=200, seed=3)["tasks"][0]
    metrics = metrics_of("class", 3)
    expected = intervals(metrics, gold, ours, seed=3, resamples=200)
    of_teacher = intervals(metrics, gold, theirs, seed=3, resamples=200)
    for metric, one, other in zip(metrics, expected, of_teacher, strict=True):
        told = by_name(found)[metric.name]
        assert (told["value"], told["low"], told["high"]) == one[:3]
        assert tuple(told["teacher"].values()) == other
        apart = difference(metric, gold, ours, theirs, seed=3, resamples=200)
        ends = [told["difference"][name] for name in ("value", "low", "high")]
        assert ends == [apart.value, apart.low, apart.high]


def test_what_is_left_of_the_teacher_is_a_paired_ratio(model, judged, decided):
    made, labels, taught = judged
    gold = np.array([CLASSES.index(one) for one in labels])
    ratios = []
    for rows in drawn_rows(18, 0, 0, 200):
        hits = [(side[rows] == gold[rows]).mean() for side in (decided, taught)]
        ratios.append(hits[0] / hits[1])
    ratios.sort()
    found = transferset.evaluate(model, made.root, resamples=200)["tasks"][0]
    told = by_name(found)["accuracy"]["retention"]
    assert (told["low"], told["high"]) == pytest.approx((ratios[4], ratios[-5]))  # ⌊201 · 0.025⌋
    assert told["undefined"] == 0


def test_classes_and_which_is_taken_for_which(model, judged, decided):
    _, labels, _ = judged
    task = transferset.evaluate(model, judged[0].root)["tasks"][0]
    assert [one["class"] for one in task["by_class"]] == list(CLASSES)
    for code, one in enumerate(task["by_class"]):
        ours = [i for i in range(18) if decided[i] == code]
        gold = [i for i in range(18) if labels[i] == CLASSES[code]]
        hits = len(set(ours) & set(gold))
        assert (one["support"], one["predicted"]) == (len(gold), len(ours))
        assert one["recall"] == pytest.approx(hits / len(gold))
        assert one["precision"] == pytest.approx(hits / len(ours))
    pairs = {}
    for i in (3, 5, 8, 13):
        both = (labels[i], CLASSES[decided[i]])
        pairs[both] = pairs.get(both, 0) + 1
    told = {(one["gold"], one["predicted"]): one["rows"] for one in task["confused"]["pairs"]}
    assert told == pairs
    assert task["confused"]["count"] == len(pairs)
    counts = [one["rows"] for one in task["confused"]["pairs"]]
    assert counts == sorted(counts, reverse=True)


def test_mistakes_come_with_their_texts(model, judged, answers, decided):
    made, labels, _ = judged
    task = transferset.evaluate(model, made.root, mistakes=3)["tasks"][0]
    sure = softmax(answers).max(1)
    order = sorted((3, 5, 8, 13), key=lambda i: -sure[i])
    told = task["mistakes"]
    assert told["rows"] == 4
    assert [one["row"] for one in told["surest"]] == order[:3]
    assert [one["row"] for one in told["least_sure"]] == order[::-1][:3]
    first = told["surest"][0]
    assert first["texts"] == [TEXTS[order[0]]]
    assert (first["gold"], first["predicted"]) == (labels[order[0]], CLASSES[decided[order[0]]])
    assert first["confidence"] == pytest.approx(sure[order[0]], abs=1e-5)


def test_rows_are_numbered_as_in_the_set_though_some_have_no_label(
    model, pieces, decided, tmp_path
):
    labels = [None, None, *labels_with(decided, wrong=(4,))[2:]]
    found = make_set(tmp_path / "set", pieces, TEXTS, labels, text=False)
    for teacher in (None, model):  # with a teacher rows without a label are asked too
        task = transferset.evaluate(model, found.root, teacher=teacher)["tasks"][0]
        (wrong,) = task["mistakes"]["surest"]
        assert wrong["row"] == 4
        assert wrong["texts"] == [TEXTS[4]]  # of ids, where there is no text
        assert task["score"]["value"] == 17 / 18


def test_calibration_is_confidence_against_accuracy(model, judged, answers):
    _, labels, taught = judged
    task = transferset.evaluate(model, judged[0].root)["tasks"][0]
    gold = [CLASSES.index(one) for one in labels]

    def error(logits):
        sure, right = softmax(logits).max(1), logits.argmax(1) == gold
        bins = np.ceil(sure * 15)
        return sum(
            abs(right[bins == b].sum() - sure[bins == b].sum()) for b in range(1, 16)
        ) / len(gold)  # fmt: skip

    assert task["calibration"]["error"] == pytest.approx(error(answers[:18]), abs=1e-5)
    theirs = logits_deciding(taught).astype(float)[:18]
    assert task["calibration"]["teacher"] == pytest.approx(error(theirs), abs=1e-5)
    assert sum(one["rows"] for one in task["calibration"]["bins"]) == 18


def test_agreement_is_that_of_all_rows_with_or_without_labels(model, judged, answers, decided):
    _, _, taught = judged
    told = transferset.evaluate(model, judged[0].root)["tasks"][0]["agreement"]
    assert told["rows"] == ROWS
    assert told["decisions"]["value"] == (taught == decided).mean() == 18 / 20
    p, q = softmax(logits_deciding(taught).astype(float)), softmax(answers)
    assert told["kl"] == pytest.approx((p * np.log(p / q)).sum(1).mean(), rel=1e-4)


# Teachers


def test_a_model_retains_all_of_itself(model, judged):
    found = transferset.evaluate(model, judged[0].root, teacher=model)
    (task,) = found["tasks"]
    assert task["teacher_from"] == "model"  # which goes before the logits of the set
    for one in task["metrics"]:
        assert one["teacher"]["value"] == one["value"]
        assert {one["difference"][end] for end in ("value", "low", "high")} == {0.0}
        assert {one["retention"][end] for end in ("value", "low", "high")} == {1.0}
    assert task["agreement"]["decisions"]["value"] == 1
    assert task["agreement"]["kl"] == pytest.approx(0, abs=1e-9)
    assert found["size"]["teacher"] == found["size"]["model"]
    assert found["teacher"]["weights"] == found["model"]["weights"]


def test_classes_meet_by_name_whatever_their_order(model, pieces, judged, tmp_path):
    """The same head with its classes in another order, and a set with a third one."""
    from safetensors.torch import load_file, save_file

    made, labels, _ = judged
    order = [2, 0, 1]
    turned = write_classifier(tmp_path / "turned", pieces, [CLASSES[i] for i in order])
    tensors = load_file(model / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        tensors[name] = tensors[name][order].contiguous()
    save_file(tensors, turned / "model.safetensors", metadata={"format": "pt"})
    plain = transferset.evaluate(model, made.root, teacher=turned)["tasks"][0]
    assert plain["agreement"]["decisions"]["value"] == 1
    assert plain["metrics"][0]["difference"]["value"] == 0
    names = ("perhaps", "yes", "no")
    taught = logits_deciding(alone(model, ids_of(pieces, TEXTS)).argmax(1))
    other = make_set(
        tmp_path / "other", pieces, TEXTS, [*labels, None, None], classes=names, logits=taught,
        teacher=CLASSES,
    )  # fmt: skip
    found = transferset.evaluate(turned, other.root)["tasks"][0]
    assert found["classes"] == list(names)  # as the set has them
    assert found["metrics"][0]["value"] == 14 / 18
    beside = transferset.evaluate(turned, other.root, teacher=model)["tasks"][0]
    for one in (found, beside):  # whose teacher is the column, and the model
        assert one["agreement"]["decisions"]["value"] == 1
        assert one["metrics"][0]["teacher"]["value"] == 14 / 18
    assert {one["class"]: one for one in found["by_class"]} == {
        one["class"]: one for one in plain["by_class"]
    }
    assert (
        found["mistakes"]["surest"][0]["predicted"] == plain["mistakes"]["surest"][0]["predicted"]
    )


def test_f1_of_paraphrases_is_that_of_the_sets_second_class(pieces, tmp_path):
    names = ("not", "same")
    turned = write_classifier(tmp_path / "m", pieces, names[::-1], seed=5)
    decisions = alone(turned, ids_of(pieces, TEXTS)).argmax(1)
    labels = [names[i % 2] for i in range(ROWS)]
    made = make_set(
        tmp_path / "set",
        pieces,
        TEXTS,
        labels,
        classes=names,
        params={"max_len": None, "layout": "glue-mrpc"},
    )
    task = transferset.evaluate(turned, made.root)["tasks"][0]
    same = [i for i in range(ROWS) if decisions[i] == 0]  # to the model it is the first class
    hits = sum(labels[i] == "same" for i in same)
    told = {one["name"]: one["value"] for one in task["metrics"]}
    assert told["f1"] == pytest.approx(2 * hits / (len(same) + 10))
    assert told["accuracy_f1"] == pytest.approx((told["accuracy"] + told["f1"]) / 2)
    assert task["score"]["value"] == pytest.approx(told["accuracy_f1"])


def test_a_teacher_with_other_ids_reads_the_texts(model, pieces, judged, tmp_path):
    reverse = [*VOCABULARY[:5], *VOCABULARY[:4:-1]]
    others = write_tokenizer(tmp_path / "others", reverse)
    teacher = write_classifier(tmp_path / "teacher", others, seed=7)
    found = transferset.evaluate(model, judged[0].root, teacher=teacher)["tasks"][0]
    theirs = alone(teacher, ids_of(others, TEXTS)).argmax(1)
    ours = alone(model, ids_of(pieces, TEXTS)).argmax(1)
    assert found["agreement"]["decisions"]["value"] == (ours == theirs).mean()
    bare = make_set(tmp_path / "bare", pieces, TEXTS, labels_with(ours, ()), text=False)
    with pytest.raises(UsageError, match="expected ids of the model's tokenizer, or a column text"):
        transferset.evaluate(model, bare.root, teacher=teacher)


def test_without_labels_only_agreement_is_told(model, pieces, decided, tmp_path):
    made = make_set(tmp_path / "set", pieces, TEXTS, None)
    task = transferset.evaluate(model, made.root, teacher=model)["tasks"][0]
    assert task["agreement"]["decisions"]["value"] == 1
    nothing = ("metrics", "score", "by_class", "confused", "mistakes", "calibration")
    assert [task[name] for name in nothing] == [None] * len(nothing)
    labelled = make_set(tmp_path / "labelled", pieces, TEXTS, None, logits=logits_deciding(decided))
    task = transferset.evaluate(model, labelled.root)["tasks"][0]
    assert (task["teacher_from"], task["labelled"]) == ("logits", 0)


# Scores


def test_a_model_of_scores(pieces, tmp_path):
    model = write_classifier(tmp_path / "m", pieces, None, seed=2)
    pairs = texts(ROWS, seed=1)
    said = alone(model, ids_of(pieces, TEXTS, pairs))[:, 0]
    gold = said + 0.25 * np.where(np.arange(ROWS) % 2, 1, -1)
    gold[6] += 5
    made = make_set(
        tmp_path / "set", pieces, TEXTS, [*gold[:19].tolist(), None], classes=None, pairs=pairs,
        logits=2 * said[:, None] + 1,
    )  # fmt: skip
    task = transferset.evaluate(model, made.root, mistakes=2)["tasks"][0]
    scores = by_name(task)
    assert scores["pearson"]["value"] == pytest.approx(np.corrcoef(said[:19], gold[:19])[0, 1])
    both = (scores["pearson"]["value"] + scores["spearman"]["value"]) / 2
    assert task["score"]["value"] == pytest.approx(both)
    first = task["deviations"][0]
    assert (first["row"], first["texts"]) == (6, [TEXTS[6], pairs[6]])
    assert first["error"] == pytest.approx(said[6] - gold[6], abs=1e-4)
    assert len(task["deviations"]) == 2
    assert task["by_class"] is task["calibration"] is task["mistakes"] is None
    assert task["agreement"]["pearson"]["value"] == pytest.approx(1)
    assert task["agreement"]["distance"] == pytest.approx(np.abs(said + 1).mean(), rel=1e-4)
    assert scores["pearson"]["retention"]["value"] == pytest.approx(1)


# What is always so


def test_the_same_each_time_but_for_speed(model, judged):
    first, second = (transferset.evaluate(model, judged[0].root, teacher=model) for _ in range(2))
    for found in (first, second):
        told = found.pop("speed")
        for side in ("model", "teacher"):
            assert told[side]["rows"] == ROWS
            assert told[side]["tokens_per_second"] > told[side]["rows_per_second"] > 0
            assert (told[side]["threads"], told[side]["passes"]) == (1, 1)
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)


def test_speed_is_that_of_the_median_pass(monkeypatch):
    ends = iter([1.0, 3.0, 5.0, 5.5, 9.0, 13.0])  # passes of 2, 0.5 and 4 seconds
    monkeypatch.setattr(speed, "SECONDS", 5)
    monkeypatch.setattr("time.perf_counter", lambda: next(ends))
    ran = []
    told = speed.timed(ran.append, np.array([0, 2]), np.array([3, 100, 7]))
    assert len(ran) == 4  # the first one warms up
    assert (told["rows"], told["tokens"], told["passes"]) == (2, 10, 3)
    assert (told["rows_per_second"], told["tokens_per_second"]) == (1, 5)


def test_size_is_what_the_model_has_and_its_file(model, judged):
    import transformers

    plain = transformers.AutoModelForSequenceClassification.from_pretrained(model)
    whole = sum(p.numel() for p in plain.parameters())
    embedding = sum(p.numel() for p in plain.bert.embeddings.parameters())
    assert transferset.evaluate(model, judged[0].root)["size"]["model"] == {
        "parameters": whole, "embedding": embedding, "other": whole - embedding,
        "bytes": (model / "model.safetensors").stat().st_size,
    }  # fmt: skip


def test_long_rows_are_cut_and_counted(model, pieces, tmp_path):
    long = [" ".join(["cat"] * 60), "cat dog"]
    made = make_set(tmp_path / "set", pieces, long, ["no", "yes"])
    assert transferset.evaluate(model, made.root)["tasks"][0]["cut_rows"] == 1
    assert transferset.evaluate(model, made.root, length=5)["tasks"][0]["cut_rows"] == 1
    with pytest.raises(UsageError, match="--length up to the model's 40 positions"):
        transferset.evaluate(model, made.root, length=41)


def test_a_student_of_words_reads_texts(pieces, tmp_path):
    labels = ["no" if i % 2 else "yes" for i in range(ROWS)]
    made = make_set(tmp_path / "set", pieces, TEXTS, labels, classes=("no", "yes"))
    transferset.distill(
        made.root, tmp_path / "m", student="bilstm", words=True, hidden=4, width=5, head=0, steps=2
    )
    found = transferset.evaluate(tmp_path / "m", made.root)
    assert found["tasks"][0]["read"] == "words"
    assert found["model"]["kind"] == "student"
    assert 0 <= found["tasks"][0]["score"]["value"] <= 1


# What cannot be judged


def test_a_set_that_tells_nothing(model, pieces, tmp_path):
    bare = make_set(tmp_path / "bare", pieces, TEXTS, None)
    nulls = make_set(tmp_path / "nulls", pieces, TEXTS, [None] * ROWS)
    for made in (bare, nulls):
        with pytest.raises(UsageError, match="expected rows with labels, or a teacher's logits"):
            transferset.evaluate(model, made.root)


@pytest.mark.parametrize("classes", [("no", "yes", "perhaps", "never"), ("a", "b", "c")])
def test_other_classes(model, pieces, tmp_path, classes):
    labels = [classes[i % len(classes)] for i in range(ROWS)]
    made = make_set(tmp_path / "set", pieces, TEXTS, labels, classes=classes)
    with pytest.raises(InputError, match="expected classes out of the model's 3"):
        transferset.evaluate(model, made.root)
    teacher = write_classifier(tmp_path / "teacher", pieces, classes)
    right = make_set(tmp_path / "right", pieces, TEXTS, None)
    with pytest.raises(InputError, match="expected"):
        transferset.evaluate(model, right.root, teacher=teacher)


def test_a_model_of_scores_for_classes(pieces, model, tmp_path):
    scores = write_classifier(tmp_path / "m", pieces, None)
    made = make_set(tmp_path / "set", pieces, TEXTS, labels_with([0] * ROWS, ()))
    with pytest.raises(UsageError, match="expected labels that are scores, found classes"):
        transferset.evaluate(scores, made.root)
    told = r"expected logits of 3 classes \(no, perhaps, yes\), found a score at .*m($|;)"
    with pytest.raises(InputError, match=told):
        transferset.evaluate(model, made.root, teacher=scores)


def test_logits_that_are_no_numbers(model, pieces, judged, tmp_path):
    from safetensors.torch import load_file, save_file

    large = tmp_path / "large"
    shutil.copytree(model, large)
    tensors = load_file(large / "model.safetensors")
    tensors["classifier.weight"] *= 1e38
    tensors["classifier.bias"] += 3e38
    save_file(tensors, large / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"expected finite logits, found others at .*large, row"):
        transferset.evaluate(large, judged[0].root)
    logits = np.zeros((ROWS, 3))
    logits[7, 1] = math.nan
    made = make_set(tmp_path / "nan", pieces, TEXTS, None, logits=logits)
    with pytest.raises(SetError, match=r"expected finite logits, found 0, nan, 0 at .*row 7"):
        transferset.evaluate(model, made.root)


def test_what_is_no_model(model, pieces, judged, tmp_path):
    made = judged[0]
    with pytest.raises(InputError, match=r"expected a file config\.json"):
        transferset.evaluate(tmp_path, made.root)
    with pytest.raises(SetError):
        transferset.evaluate(model, model)
    pickled = tmp_path / "pickled"
    shutil.copytree(model, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(InputError, match="a pickle can run code"):
        transferset.evaluate(pickled, made.root)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mistakes": -1}, "--mistakes from 0"),
        ({"resamples": 38}, "--resamples from 39"),
        ({"length": 3}, "--length from 5"),
        ({"seed": -1}, "--seed"),
        ({"device": "nowhere"}, "a device of torch's"),
        ({"device": "meta"}, "a device of torch's"),
        ({"out": "results.txt"}, "--out FILE.json"),
    ],
)
def test_options_out_of_range(model, judged, options, told):
    with pytest.raises(UsageError, match=told):
        transferset.evaluate(model, judged[0].root, **options)
