"""The vectors that a student's embeddings begin with: a teacher's, or those of words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from transferset.distillation.choice.given_models import identity, open_encoder
from transferset.distillation.choice.params import RANDOM, TEACHER, StudentParams
from transferset.errors import InputError, UsageError, sentence
from transferset.language_models.model_files import TOKENIZER, open_tokenizer, tokenizer_size
from transferset.language_models.vector_files import describe_vectors, load_vectors
from transferset.language_models.vectors import Matrix
from transferset.manifest import Json
from transferset.students.config import Vocabulary
from transferset.students.embeddings import Embeddings, word_table
from transferset.students.opening import is_student, open_student
from transferset.students.student import Student, word_embeddings
from transferset.students.word_vocabulary import SPECIAL, WordVocabulary

#: Root mean square of the numbers of random vectors (uniform between −0.25 and 0.25).
_SPREAD: Final = 0.25 / np.sqrt(3)

_LETTER: Final = re.compile(r"\w")


class Starting(NamedTuple):
    """What embeddings begin with.

    Attributes:
        vectors: float32[vocabulary, width].
        about: Where they are from, and how many ids have one.
    """

    vectors: Matrix
    about: Json


def starting_vectors(
    params: StudentParams,
    vocabulary: Vocabulary,
    source: WordVocabulary | Path,
    teacher: Any,
    seed: int,
) -> Starting | None:
    """The vectors that options name.

    Args:
        params: Its `embeddings`.
        vocabulary: The student's.
        source: Its words, or its `tokenizer.json`.
        teacher: A module, a directory or None.
        seed: Of the vectors of words that the file lacks.

    Returns:
        One for each id; None for random ones.

    Raises:
        InputError: The teacher reads other ids, or the file is none of word vectors.
        UsageError: No word of the vocabulary is in the file; there is no teacher.
    """
    if params.embeddings == RANDOM:
        return None
    if params.embeddings == TEACHER:
        return Starting(teacher_table(teacher, vocabulary, seed), {"from": "teacher"})
    return _of_words(str(params.vectors), vocabulary, source, seed)


def teacher_table(teacher: Any, vocabulary: Vocabulary, seed: int = 0) -> Matrix:
    """A teacher's input embeddings.

    Args:
        teacher: A text classifier, a model of transformers, or a directory with either.
        vocabulary: The student's, which must be the teacher's too.
        seed: See `open_encoder`.

    Raises:
        InputError: It reads other ids.
        UsageError: There is no teacher.
    """
    teacher = with_same_ids(teacher, vocabulary, seed)
    if isinstance(teacher, Student):
        table = word_embeddings(teacher)
        weight = table.folded() if isinstance(table, Embeddings) else table.weight
    else:
        weight = getattr(teacher, "base", teacher).get_input_embeddings().weight
    found: Matrix = weight.detach().float().cpu().numpy()
    if len(found) < vocabulary.size:
        expected = f"a teacher that reads {vocabulary.size:,} ids"
        raise InputError(sentence(expected, f"{len(found):,}"))
    return found[: vocabulary.size]


def with_same_ids(teacher: Any, vocabulary: Vocabulary, seed: int) -> Any:
    """A teacher whose ids mean what a student's do.

    Args:
        teacher: A text classifier, a model of transformers, or a directory with either.
        vocabulary: The student's.
        seed: See `open_encoder`.

    Returns:
        A module.

    Raises:
        InputError: They mean something else.
        UsageError: There is no teacher.
    """
    if teacher is None:
        raise UsageError(sentence("a teacher to begin with", "none", do="name --teacher DIR"))
    if isinstance(teacher, str | Path):
        folder = Path(teacher)
        if not is_student(folder):
            _require_same(identity(folder / TOKENIZER), vocabulary, str(folder))
            return open_encoder(folder, seed)
        teacher = open_student(folder).student
    own = teacher.config if isinstance(teacher, Student) else teacher
    stated = getattr(own, "vocabulary", None)  # a bare model of transformers has none
    if stated is not None:
        _require_same(stated.sha256, vocabulary)
    return teacher


def _require_same(sha256: str, vocabulary: Vocabulary, at: str | None = None) -> None:
    if sha256 != vocabulary.sha256:
        do = "take a teacher of the sets' tokenizer, or begin with random weights"
        expected = "a teacher that reads the student's ids"
        raise InputError(sentence(expected, "one with another tokenizer", at, do))


def _of_words(
    name: str, vocabulary: Vocabulary, source: WordVocabulary | Path, seed: int
) -> Starting:
    vectors = load_vectors(name)
    if isinstance(source, WordVocabulary):
        names = source.all_words
        ids = list(range(len(SPECIAL), len(names)))
        words = source.words
    else:
        names, ids, words = _whole_words(source, vocabulary.size)
    having, found = vectors.of(words)
    if not having:
        expected = "vectors of some of the student's words"
        raise UsageError(sentence(expected, "none", name, "name vectors of the set's language"))
    # the file's lengths are gone; these have the size of random ones
    scaled = found * np.float32(_SPREAD * np.sqrt(found.shape[1]))
    table = word_table(names, [ids[i] for i in having], scaled, seed, vocabulary.padding)
    about = {"from": describe_vectors(name), "found": len(having), "of": len(words)}
    return Starting(table, about)


def _whole_words(tokenizer_file: Path, size: int) -> tuple[list[str], list[int], list[str]]:
    """All pieces by id; ids of the pieces that spell a word, and that alone; these words."""
    tokenizer = open_tokenizer(tokenizer_file)
    if tokenizer_size(tokenizer) > size:
        found = f"{tokenizer_size(tokenizer):,}"
        raise InputError(sentence(f"a tokenizer of {size:,} ids", found, str(tokenizer_file)))
    names = [tokenizer.id_to_token(i) or f"[unused {i}]" for i in range(size)]
    spelled = [text.strip() for text in tokenizer.decode_batch([[i] for i in range(size)])]
    known = [(i, word) for i, word in enumerate(spelled) if _LETTER.search(word)]
    texts = [f" {word}" for _, word in known]
    again = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    kept = [one for one, found in zip(known, again, strict=True) if found.ids == [one[0]]]
    return names, [i for i, _ in kept], [word for _, word in kept]
