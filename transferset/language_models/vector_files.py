"""Word vectors from a file of text, as GloVe and word2vec write them, or from a spaCy pipeline."""

from __future__ import annotations

import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, UsageError, sentence
from transferset.files import digest_file
from transferset.language_models.vectors import Matrix, WordVectors, to_length_one
from transferset.manifest import Json

if TYPE_CHECKING:
    from spacy.language import Language

#: Words that are read of a file; those files begin with the most frequent ones.
MOST_WORDS: Final = 400_000

#: Longest line, in bytes, and most numbers in it.
_MOST_BYTES: Final = 1 << 17
_MOST_NUMBERS: Final = 4096

#: Lines that are brought to length 1 at once.
_LINES: Final = 4096

_SPACY: Final = "spacy:"


def describe_vectors(vectors: str | None) -> Json | None:
    """What a recipe records of word vectors.

    Args:
        vectors: A file of text, `spacy:MODEL`, or None.

    Returns:
        Name and BLAKE3 digest of a file, name and release of a spaCy pipeline, or None.

    Raises:
        InputError: There is no such file.
        UsageError: The pipeline is not installed.
    """
    if vectors is None:
        return None
    if vectors.startswith(_SPACY):
        meta = _pipeline(vectors.removeprefix(_SPACY)).meta
        return {"name": f"{vectors}-{meta['version']}"}
    path = _check_file(vectors)
    return {"name": path.name, "blake3": digest_file(path)}


def load_vectors(vectors: str, most_words: int = MOST_WORDS) -> WordVectors:
    """Read word vectors.

    Args:
        vectors: A file of text, or `spacy:MODEL`.
        most_words: Words that are read of a file.

    Raises:
        InputError: There is no such file, or a line is not a word and its numbers.
        UsageError: The pipeline is not installed, or has no vectors.
    """
    if vectors.startswith(_SPACY):
        return _from_spacy(vectors.removeprefix(_SPACY))
    return _from_file(_check_file(vectors), most_words)


def _check_file(vectors: str) -> Path:
    path = Path(vectors)
    if not path.is_file():
        do = "name a file of word vectors as text, or spacy:MODEL"
        raise InputError(sentence("a file of word vectors", "none", vectors, do))
    return path


def _from_file(path: Path, most_words: int) -> WordVectors:
    """The vectors lie in a temporary file, so that they need not stay in memory."""
    rows: dict[str, int] = {}
    with path.open("rb") as source, tempfile.TemporaryFile() as target:
        width, first = _width(source, path)
        buffer = np.empty((_LINES, width), np.float32)
        used = written = 0
        for number, line in enumerate(iter(lambda: source.readline(_MOST_BYTES), b""), first):
            if len(rows) == most_words:
                break
            word = _read(line, buffer[used], path, number)
            if word is None or word in rows:
                continue
            rows[word] = written + used
            used += 1
            if used == _LINES:
                written, used = written + _write(target, buffer), 0
        written += _write(target, buffer[:used])
        if not rows:
            raise InputError(sentence("word vectors", "none", str(path)))
        target.flush()
        matrix = np.memmap(target, np.float32, "c", shape=(written, width))
    return WordVectors(rows, matrix)


def _width(source: IO[bytes], path: Path) -> tuple[int, int]:
    """Numbers of a vector, and the line of the first, at which the source stands then."""
    fields = source.readline(_MOST_BYTES).split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        width, first = int(fields[1]), 2  # two counts, as word2vec and fastText begin their files
    else:
        width, first = len(fields) - 1, 1
        source.seek(0)
    if not 0 < width <= _MOST_NUMBERS:
        expected = f"a word and 1 to {_MOST_NUMBERS} numbers"
        raise InputError(sentence(expected, f"{width} numbers", f"{path}:1"))
    return width, first


def _read(line: bytes, target: npt.NDArray[np.float32], path: Path, number: int) -> str | None:
    """The word of a line, whose numbers go to `target`; None if they have no direction."""
    word, *numbers = line.rstrip().rsplit(b" ", len(target))
    try:
        if len(numbers) != len(target):
            raise ValueError(f"{len(numbers)} numbers")
        with np.errstate(over="ignore"):
            target[:] = np.fromiter(map(float, numbers), np.float64, len(target))
        text = word.decode()
    except ValueError as error:
        expected = f"a word and {len(target)} numbers"
        raise InputError(sentence(expected, str(error), f"{path}:{number}")) from error
    if not np.isfinite(target).all():
        raise InputError(sentence("finite numbers", "others", f"{path}:{number}"))
    return text if target.any() else None


def _write(target: IO[bytes], vectors: Matrix) -> int:
    target.write(to_length_one(vectors).tobytes())
    return len(vectors)


def _from_spacy(model: str) -> WordVectors:
    pipeline = _pipeline(model)
    vectors = pipeline.vocab.vectors
    keys = getattr(vectors, "key2row", {})
    if not len(keys) or vectors.mode != "default":
        do = "name a larger pipeline of the language, as en_core_web_lg"
        raise UsageError(sentence("a spaCy pipeline with word vectors", model, do=do))
    rows = {pipeline.vocab.strings[key]: int(row) for key, row in keys.items() if row >= 0}
    return WordVectors(rows, to_length_one(np.asarray(vectors.data)))


def _pipeline(model: str) -> Language:
    try:
        version("spacy")
    except PackageNotFoundError as error:
        do = "pip install 'transferset[spacy]'"
        raise UsageError(sentence(f"spaCy for {_SPACY}{model}", "none", do=do)) from error
    import spacy

    try:
        found = spacy.load(model)
    except (OSError, ValueError) as error:
        do = f"python -m spacy download {model}"
        raise UsageError(sentence("an installed spaCy pipeline", model, do=do)) from error
    return found
