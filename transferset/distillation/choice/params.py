"""What a user says of a student; all that can be told without torch is checked here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal

from transferset.errors import InputError, UsageError, sentence
from transferset.files import digest_file
from transferset.language_models.vector_files import describe_vectors
from transferset.manifest import Json
from transferset.students.layers import FIRST, SPREAD
from transferset.students.modes import CHANNELS, NON_STATIC
from transferset.teachers.describing import describe_classifier

BILSTM, BIATTENTIVE, TRANSFORMER, CLS_MEAN = STUDENTS = (
    "bilstm",
    "biattentive",
    "transformer",
    "transformer-cls-mean",
)

RANDOM, TEACHER, VECTORS = "random", "teacher", "vectors:"

#: Options of sizes that a kind does not have.
_LACKS: Final[Mapping[str, tuple[str, ...]]] = {
    BILSTM: ("heads", "feed", "freeze_positions"),
    BIATTENTIVE: ("layers", "heads", "freeze_positions"),
    TRANSFORMER: (),
    CLS_MEAN: (),
}

_SIZES: Final = ("hidden", "heads", "feed", "width")

#: What a directory and a file of configuration say themselves.
_SAID: Final = (*_SIZES, "head", "head_dropout", "channels", "projection")

#: Largest of each number; what a student's configuration bounds besides is said by it.
_MOST: Final = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentParams:
    """A student as the options name it; None is the kind's own value.

    Attributes:
        kind: One of `STUDENTS`; or a directory with a student or an encoder of transformers to go
            on with; or a file with a configuration as JSON.
        layers: Of a BiLSTM or a transformer; with `init_layers` how many are picked.
        hidden: Units of a layer.
        heads: Attention heads of a transformer.
        feed: Units of a transformer's feed-forward layers, or of a biattentive student's first.
        head: Units of the layer before the logits; 0 for no such layer.
        head_dropout: Before the logits, 0 ≤ p < 1.
        embeddings: `random`, `teacher`, or `vectors:` and a file of word vectors or `spacy:MODEL`.
        width: Numbers of a random vector; with `projection`, numbers that it makes of a given one.
        channels: One of `modes.CHANNELS`.
        projection: Whether a trained map stands behind given vectors.
        words: Whether the student reads words, not pieces.
        lowercase: Whether these are lower-cased.
        least: Count below which a word is unknown.
        most: Words that are kept, the most frequent ones.
        init_layers: Which of a teacher's layers the student begins with: see `layers.pick_layers`.
        freeze_positions: Whether position embeddings stay as they are.

    Raises:
        UsageError: Something is out of range, or does not go together.
    """

    kind: str
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    feed: int | None = None
    head: int | None = None
    head_dropout: float | None = None
    embeddings: str = RANDOM
    width: int | None = None
    channels: str | None = None
    projection: bool = False
    words: bool = False
    lowercase: bool = True
    least: int = 1
    most: int | None = None
    init_layers: str | None = None
    freeze_positions: bool = False

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_names(self)
        _check_embeddings(self)
        if self.form == "kind":
            _check_kind(self)
        else:
            _check_described(self)
        if self.init_layers is not None:
            _check_init_layers(self)

    @property
    def form(self) -> Literal["kind", "folder", "file"]:
        """What `kind` is."""
        if self.kind in STUDENTS:
            return "kind"
        path = Path(self.kind)
        if path.is_dir():
            return "folder"
        if path.is_file():
            return "file"
        raise unknown(
            f"a student {', '.join(STUDENTS)}, a directory or a file of configuration",
            self.kind,
            STUDENTS,
        )

    @property
    def vectors(self) -> str | None:
        """The file of word vectors, or `spacy:MODEL`."""
        given = self.embeddings.startswith(VECTORS)
        return self.embeddings.removeprefix(VECTORS) if given else None

    @property
    def picked(self) -> int | None:
        """How many layers are picked of a teacher's or a directory's, if it is stated."""
        if self.layers is None and self.init_layers not in (None, SPREAD, FIRST):
            return len(str(self.init_layers).split(","))
        return self.layers

    @property
    def picks(self) -> bool:
        """Whether layers are picked of a teacher's or a directory's."""
        return self.init_layers is not None or (self.form == "folder" and self.layers is not None)

    def to_json(self) -> Json:
        """All members."""
        return asdict(self)


def unknown(expected: str, found: str, known: tuple[str, ...]) -> UsageError:
    """The error for a name that is not there; it tells the nearest one."""
    near = difflib.get_close_matches(found, known, n=1, cutoff=0.5)
    return UsageError(sentence(expected, found, do=f"did you mean {near[0]}?" if near else None))


def check_student(params: StudentParams, *, mlm: bool, teacher: bool) -> None:
    """Refuse what a student cannot do in a training.

    Args:
        params: The student.
        mlm: Whether it becomes a masked language model.
        teacher: Whether a teacher's directory is named.

    Raises:
        UsageError: It can not, or the student needs a teacher.
    """
    wants = [("--embeddings teacher", params.embeddings == TEACHER)]
    if params.form == "kind":  # a directory has layers of its own
        wants.append((f"--init-layers {params.init_layers}", params.init_layers is not None))
    for option, given in wants:
        if given and not teacher:
            raise UsageError(sentence(f"a teacher for {option}", "none", do="name --teacher DIR"))
    if not mlm:
        return
    if params.kind in (BILSTM, BIATTENTIVE, CLS_MEAN):
        do = f"write --student {TRANSFORMER}, or name a directory or a configuration"
        raise UsageError(sentence("a masked language model for --mlm", params.kind, do=do))
    _refuse(params, ("words", "channels", "projection", "width", "head", "head_dropout"), "--mlm")
    if params.embeddings != RANDOM:
        do = "begin with its layers by --init-layers"
        found = f"--embeddings {params.embeddings}"
        raise UsageError(sentence("a masked language model without --embeddings", found, do=do))


def describe_student(params: StudentParams) -> Json:
    """What a recipe records of a student: its options, files by name and digest.

    Raises:
        InputError: A file or directory is not what it is named for.
        UsageError: torch, transformers or spaCy is needed and not installed.
    """
    described: Json = params.to_json()
    path = Path(params.kind)
    if params.form == "file":
        described["kind"] = {"name": path.name, "blake3": digest_file(path)}
    elif params.form == "folder":
        described["kind"] = describe_classifier(path, headless=True)
    if params.vectors is not None:
        described["embeddings"] = describe_vectors(params.vectors)
    return described


def _check_numbers(params: StudentParams) -> None:
    for name in ("layers", *_SIZES, "least", "most"):
        value = getattr(params, name)
        if value is not None and not 1 <= value <= _MOST:
            raise UsageError(sentence(f"{_option(name)} from 1 to {_MOST:,}", f"{value:,}"))
    if params.head is not None and not 0 <= params.head <= _MOST:
        raise UsageError(sentence(f"--head from 0 to {_MOST:,}", f"{params.head:,}"))
    if params.head_dropout is not None and not 0 <= params.head_dropout < 1:
        found = str(params.head_dropout)
        raise UsageError(sentence("--head-dropout from 0 to below 1", found))


def _check_names(params: StudentParams) -> None:
    if params.channels not in (None, *CHANNELS):
        raise unknown(f"--channels {' or '.join(CHANNELS)}", str(params.channels), CHANNELS)
    vectors = params.vectors
    if vectors is None and params.embeddings not in (RANDOM, TEACHER):
        names = (RANDOM, TEACHER, f"{VECTORS}PATH")
        raise unknown(f"--embeddings {', '.join(names)}", params.embeddings, names)
    if vectors is not None and not vectors.startswith("spacy:") and not Path(vectors).is_file():
        do = f"name a file of text, or {VECTORS}spacy:MODEL"
        raise InputError(sentence("a file of word vectors", "none", vectors, do))
    if not params.words and (not params.lowercase or params.least > 1 or params.most):
        do = "add --words, for pieces are the tokenizer's"
        raise UsageError(sentence("a vocabulary of words for its options", "pieces", do=do))


def _check_embeddings(params: StudentParams) -> None:
    if params.embeddings == RANDOM and params.form == "kind":
        static = params.channels not in (None, NON_STATIC)
        for found, given in (("--projection", params.projection), (f"{params.channels}", static)):
            if given:
                do = f"add --embeddings {TEACHER} or {VECTORS}PATH"
                expected = "given vectors for it, which random ones need not have"
                raise UsageError(sentence(expected, found, do=do))
    elif params.width is not None and not params.projection:
        do = "add --projection, or leave --width out"
        expected = "vectors of the width that they are given in"
        raise UsageError(sentence(expected, f"--width {params.width}", do=do))
    if params.words and params.embeddings == TEACHER:
        do = f"write --embeddings {VECTORS}PATH, or leave --words out"
        raise UsageError(sentence("vectors of words for --words", "a teacher's of pieces", do=do))


def _check_kind(params: StudentParams) -> None:
    _refuse(params, _LACKS[params.kind], f"a {params.kind} student")
    if params.kind in (TRANSFORMER, CLS_MEAN) and params.width is not None:
        do = "write --hidden"
        expected = "embeddings as wide as a transformer's layers"
        raise UsageError(sentence(expected, f"--width {params.width}", do=do))


def _check_described(params: StudentParams) -> None:
    what = "a directory" if params.form == "folder" else "a configuration"
    _refuse(params, _SAID, f"a student from {what}, which says them")
    if params.form == "file":
        _refuse(params, ("layers",), f"a student from {what}, which says them")
    else:
        if params.words:
            raise UsageError(sentence("the vocabulary of a directory's student", "--words"))
        if params.embeddings != RANDOM:
            found = f"--embeddings {params.embeddings}"
            raise UsageError(sentence("the embeddings of a directory's student", found))


def _check_init_layers(params: StudentParams) -> None:
    if params.form == "file" or params.kind in (BILSTM, BIATTENTIVE):
        do = f"write --student {TRANSFORMER}, or {CLS_MEAN}"
        raise UsageError(sentence("a transformer for --init-layers", params.kind, do=do))
    given = ("words", "channels", "projection", *_SIZES)
    _refuse(params, given, "--init-layers, whose teacher says them")
    if params.vectors is not None:
        found = f"--embeddings {params.embeddings}"
        raise UsageError(sentence("the teacher's embeddings with its layers", found))


def _refuse(params: StudentParams, names: tuple[str, ...], of: str) -> None:
    default = {field.name: field.default for field in fields(params)}
    for name in names:
        if getattr(params, name) != default[name]:
            raise UsageError(sentence(f"{of} without {_option(name)}", _shown(params, name)))


def _shown(params: StudentParams, name: str) -> str:
    value = getattr(params, name)
    return _option(name) if value is True else f"{_option(name)} {value}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
