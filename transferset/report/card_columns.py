"""What the columns of a set and of its documents table mean, in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: By name, for all that `schema.COLUMNS` lists.
MEANINGS: Final[Mapping[str, str]] = {
    "input_ids": "ids of the row's word pieces, [CLS] and [SEP] included",
    "labels": "ids that a masked-LM has to find; −100 where nothing is asked",
    "top_ids": "the ids that a teacher holds most likely, by falling logit, at each label",
    "top_logits": "their logits",
    "tail": "at each label, the logarithm of the sum of exp(logit / temperature) of all other ids",
    "text": "the row's text",
    "text_pair": "text of the second half of a pair",
    "label": "its class, a code, or its score; null where a step changed or a model wrote the row",
    "logits": "a teacher's logits, one for each of its classes, or its score",
    "words": "words of `text`; with their spaces they are exactly the text",
    "words_pair": "words of `text_pair`",
    "space": "whether a space stands after each word",
    "space_pair": "whether a space stands after each word of `text_pair`",
    "pos": "part of speech of each word, a code",
    "pos_pair": "part of speech of each word of `text_pair`, a code",
    "doc_id": "number of the row's document within its source",
    "rev_id": "number of the document's revision",
    "sentence": "number of the row within its document",
    "source": "code of the source, as listed below",
    "part": "code of the part, as listed below",
    "parent_row": "row of the parent that this one comes from",
    "copy": "which copy of that row it is",
    "finished": "false where the language model that wrote the row did not come to its end",
}

#: Of `documents.MIXED`.
DOCUMENT_MEANINGS: Final[Mapping[str, str]] = {
    "part": MEANINGS["part"],
    "source": MEANINGS["source"],
    "doc_id": "number of the document within its source, as in the rows",
    "rev_id": "number of its revision",
    "title": "its title",
    "author": "its authors, as its catalogue writes them",
    "language": "its language, BCP 47",
    "licence": "the licence of its text, in words",
    "url": "where it was read from",
    "sha256": "SHA-256 of the bytes that were read, in hexadecimal",
    "retrieved": "date of retrieval, YYYY-MM-DD",
    "subjects": "its subjects, separated by semicolons",
    "words": "words between white space in its cleaned text",
    "rows": "rows of this set that are of it",
}
