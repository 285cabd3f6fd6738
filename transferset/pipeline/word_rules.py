"""What the tagger of a task set counts as words, kept in the set."""

from __future__ import annotations

import json
from typing import Final

from transferset.errors import SetError, sentence
from transferset.manifest import Json
from transferset.pipeline.lineage import read_file
from transferset.shapes import Misshapen, anything, check, text
from transferset.shards import REMEDY, ShardSet
from transferset.tagging.words import ANY_WORD, ENGLISH_WORD

#: Where it stands in a set.
WORDS: Final = "_tables/words.json"


def read_word_rules(found: ShardSet) -> Json:
    """What the tagger of a set counts as words: `stop_words` and `word_pattern`.

    Raises:
        SetError: The table is not as written.
    """
    nothing: Json = {"stop_words": [], "word_pattern": ""}
    if not any(entry.file == WORDS for entry in found.manifest.files):
        return nothing
    where = str(found.root / WORDS)
    try:
        body = json.loads(read_file(found, WORDS))
        check(body, {"stop_words": [text], "word_pattern": text, ...: anything})
    except Misshapen as error:
        at = f"{where}, {error.member}" if error.member else where
        raise SetError(sentence(error.expected, error.found, at, REMEDY)) from None
    except (ValueError, RecursionError) as error:
        raise SetError(sentence("words of a tagger", str(error), where, REMEDY)) from None
    if body["word_pattern"] not in (ENGLISH_WORD, ANY_WORD):  # a stranger's could run for ever
        expected, found_ = "a word pattern of transferset's taggers", body["word_pattern"]
        raise SetError(sentence(expected, found_, where, REMEDY))
    return {**nothing, **body}
