"""What publications set when they distilled, by variant; and where we cannot do as they did.

Van de Graaf 2021 ("the thesis"), Sanh et al. 2019 (DistilBERT), Liu 2020, Tang et al. 2019, Sučík
2020 (the fuller draft). Where a text is silent and its code is published, the code's values are
taken, and a deviation says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Work(NamedTuple):
    """A variant of a publication.

    Attributes:
        settings: By name of the option.
        deviations: What remains, in sentences.
        vectors: Whose word vectors theirs were, if their student began with some; then in two
            channels, one of them frozen.
    """

    settings: Mapping[str, Any]
    deviations: tuple[str, ...]
    vectors: str | None = None


#: Of an objective, all that has no weight.
_NO_LOSS: Final = {"mse": 0.0, "soft": 0.0, "hard": 0.0}

_SEEDS: Final = "weights, order and masks come from this program's seed; theirs are not known"
_TEACHER: Final = "the teacher is the one that is given; theirs was {}"
_LENGTH: Final = "the text states no longest row"

#: Table 4.3.
_THESIS: Final = Work(
    {
        "mlm": True,
        "student": "transformer",
        "layers": 6,
        "init_layers": "spread",
        "hard": 1 / 3,
        "soft": 1 / 3,
        "cosine": 1 / 3,
        "temperature": 2.0,
        "direction": "teacher‖student",
        "mask": 0.15,
        "smoothing": 0.0,
        "optimizer": "adam",
        "lr": 5e-4,
        "beta1": 0.9,
        "beta2": 0.98,
        "eps": 1e-6,
        "weight_decay": 0.0,
        "sparse": False,
        "schedule": "linear",
        "warmup": 0.05,
        "clip": 5.0,
        "batch": 800,
        "epochs": 3,
        "length": 512,
    },
    (
        _TEACHER.format("BERT-base, uncased, of 12 layers"),
        "the temperature is 2 as in DistilBERT's code; the thesis states none",
        "the divergence is KL(teacher‖student); equation 4.1 writes it the other way round, the "
        "code of its kind computes this one",
        "the divergence is taken at masked positions; the thesis does not say where",
        "800 rows are one batch; theirs were 40 batches of 5 on each of 4 GPUs, whose means were "
        "averaged",
        _SEEDS,
    ),
)

#: The text's losses and first layers; numbers of the authors' code and its README (weights of the
#: losses, optimiser, schedule, smoothing).
_DISTILBERT: Final = Work(
    {
        **_THESIS.settings,
        "freeze_positions": True,
        "hard": 2.0,
        "soft": 5.0,
        "cosine": 1.0,
        "smoothing": 0.7,
        "optimizer": "adamw",
        "batch": 4000,
    },
    (
        _TEACHER.format("BERT-base, uncased, of 12 layers"),
        "the student keeps its teacher's token types and the transform of its LM head; theirs has "
        "no token types",
        "the divergence is taken at masked positions; their code takes all tokens, unless it is "
        "told otherwise",
        "batches are of 4,000 rows; the text says up to 4 K by accumulation, the code's default is "
        "250",
        "weights of the losses, optimiser, schedule and smoothing are those of the code, as its "
        "README runs it; the text states none",
        _SEEDS,
    ),
)

#: Liu 2020, § 3.4.1; Tang et al. 2019 is the same work.
_BILSTM: Final[Mapping[str, Any]] = {
    "student": "bilstm",
    "layers": 1,
    "hidden": 300,
    "head": 400,
    "head_dropout": 0.1,
    "words": True,
    **_NO_LOSS,
    "mse": 1.0,
    "optimizer": "adadelta",
    "lr": 1.0,
    "rho": 0.95,
    "eps": 1e-6,
    "weight_decay": 0.0,
    "sparse": False,
    "schedule": "constant",
    "warmup": 0.0,
    "clip": 30_000.0,
    "batch": 50,
    "epochs": 30,
    "length": 128,
}

#: MNLI and QQP, which are larger, and pairs.
_LARGE: Final[Mapping[str, Any]] = {**_BILSTM, "head_dropout": 0.2, "batch": 256}

_OF_BILSTM: Final = (
    _TEACHER.format("BERT-large, fine-tuned"),
    "units were chosen out of {150, 300} and {200, 400} by the development set of each task; here "
    "they are the larger ones",
    "epochs, dropout and the clipping, which never clips, are those of the code (d-bert); the text "
    "states none",
    "the squared error is the mean over classes, as in that code; equation 3.4 is the sum",
    "words are those of the sets, lower-cased, and all of the training text are kept",
    _LENGTH,
    _SEEDS,
)

_NEWS: Final = "word2vec of Google News, 300 numbers a word"

#: § 4.3.2.
_MULTITASK: Final[Mapping[str, Any]] = {
    "student": "biattentive",
    "hidden": 256,
    "head": 512,
    **_NO_LOSS,
    "mse": 1.0,
    "optimizer": "adam",
    "lr": 5e-4,
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "weight_decay": 0.0,
    "sparse": False,
    "schedule": "constant",
    "warmup": 0.0,
    "clip": 1.0,
    "batch": 128,
    "epochs": 16,
    "length": 128,
}

_OF_MULTITASK: Final = (
    _TEACHER.format("MT-DNN, refined on all tasks"),
    "the rate is constant; the text states no schedule",
    "tuning on each task afterwards is transferset finetune; their rates are 1e-5, 1.5e-5 and "
    "5e-5, the best on the development set",
    _LENGTH,
    _SEEDS,
)

#: Sučík 2020, § 4.2 and chapter 5. The code is that of DistilBERT and of d-bert, joined.
_SUCIK: Final[Mapping[str, Any]] = {
    **_NO_LOSS,
    "optimizer": "adam",
    "lr": 5e-4,
    "beta1": 0.9,
    "beta2": 0.98,
    "eps": 1e-6,
    "weight_decay": 0.0,
    "sparse": False,
    "schedule": "linear",
    "warmup": 0.0,
    "clip": 5.0,
    "length": 128,
}

_OF_SUCIK: Final = (
    _TEACHER.format("BERT-large, uncased, fine-tuned"),
    "ε and clipping are those of DistilBERT's code, on which theirs is built; the text states none",
    _LENGTH,
    _SEEDS,
)

_SMALL_BERT: Final[Mapping[str, Any]] = {
    **_SUCIK,
    "student": "transformer",
    "layers": 5,
    "hidden": 204,
    "feed": 750,
    "heads": 3,
    "head": 0,
    "head_dropout": 0.1,
    "soft": 1.0,
    "temperature": 3.0,
    "direction": "teacher‖student",
    "epochs": 60,
}

_OF_SMALL_BERT: Final = (
    "the loss is T²·KL(teacher‖student), whose gradient is that of the cross-entropy at T times "
    "T²; the text does not say whether theirs has that factor",
    "dropout is BERT's; the text states none",
    *_OF_SUCIK,
)

WORKS: Final[Mapping[str, Mapping[str, Work]]] = {
    "vandegraaf2021": {"": _THESIS},
    "sanh2019": {"": _DISTILBERT},
    "liu2020": {
        "bilstm": Work(_BILSTM, _OF_BILSTM, _NEWS),
        "bilstm-mnli": Work(_LARGE, _OF_BILSTM, _NEWS),
        "bilstm-qqp": Work(_LARGE, _OF_BILSTM, _NEWS),
        "multitask": Work(
            {**_MULTITASK, "feed": 256, "width": 300},
            (
                "embeddings are of 300 numbers and the feed-forward layer of 256; the text states "
                "neither",
                *_OF_MULTITASK,
            ),
        ),
        "transformer": Work(
            {
                **{name: x for name, x in _MULTITASK.items() if name != "hidden"},
                "student": "transformer-cls-mean",
                "layers": 3,
                "init_layers": "first",
            },
            (
                "the student begins with the first three layers of the teacher that is given; "
                "theirs were those of pre-trained BERT-base",
                *_OF_MULTITASK,
            ),
        ),
    },
    "tang2019": {
        "sst2": Work(_BILSTM, _OF_BILSTM, _NEWS),
        "mnli": Work(_LARGE, _OF_BILSTM, _NEWS),
        "qqp": Work(_LARGE, _OF_BILSTM, _NEWS),
    },
    "sucik2020": {
        "lstm": Work(
            {
                **_SUCIK,
                "student": "bilstm",
                "layers": 1,
                "hidden": 300,
                "head": 400,
                "head_dropout": 0.1,
                "words": True,
                "mse": 1.0,
                "batch": 32,
                "epochs": 30,
            },
            (
                "dropout is that of d-bert, on which their student is built; the text states none",
                "words are those of the sets, lower-cased, and all of the training text are kept",
                *_OF_SUCIK,
            ),
            "word2vec, 300 numbers a word",
        ),
        "bert": Work(
            {
                **_SMALL_BERT,
                "embeddings": "teacher",
                "projection": True,
                "channels": "non-static",
                "warmup": 0.25,
                "batch": 128,
            },
            _OF_SMALL_BERT,
        ),
        "bert-scratch": Work(
            {**_SMALL_BERT, "schedule": "constant", "warmup": 1 / 3, "batch": 256},
            _OF_SMALL_BERT,
        ),
    },
}


def variants(name: str) -> tuple[str, ...]:
    """The variants of a publication, the first of which its bare name stands for.

    Args:
        name: Of a publication; of any other text there are none.
    """
    return tuple(variant for variant in WORKS.get(name, {}) if variant)


def names_told() -> str:
    """All publications, as `sanh2019, sucik2020:lstm|bert`."""
    told = (f"{name}:{'|'.join(variants(name))}".rstrip(":") for name in WORKS)
    return ", ".join(told)
