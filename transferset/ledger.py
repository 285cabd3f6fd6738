"""The closed list of reasons for which something of the input is not in the output.

A set's rows plus its ledger account for everything that was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why a page, block or row is not in the output; see `UNIT` and `WHY`."""

    REDIRECT = "redirect"
    OTHER_NAMESPACE = "other_namespace"
    OTHER_MODEL = "other_model"
    OLDER_REVISION = "older_revision"
    NO_TEXT = "no_text"
    PAGE_TOO_LARGE = "page_too_large"
    NO_PROSE = "no_prose"
    DAMAGED_PAGE = "damaged_page"
    DAMAGED_BLOCK = "damaged_block"
    UNAVAILABLE = "unavailable"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    OTHER_LANGUAGE = "other_language"
    OTHER_LICENCE = "other_licence"
    TOO_FEW_WORDS = "too_few_words"
    AUTHOR_CAP = "author_cap"
    DUPLICATE_DOCUMENT = "duplicate_document"
    NEAR_DUPLICATE = "near_duplicate"
    LICENCE_TEXT = "licence_text"
    MALFORMED_ROW = "malformed_row"
    EMPTY_ROW = "empty_row"
    LEAKED = "leaked"
    TRUNCATED = "truncated"
    BELOW_MIN_LEN = "below_min_len"
    NOT_SAMPLED = "not_sampled"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    FILTERED_OUT = "filtered_out"
    DUPLICATE = "duplicate"
    CONTAINED = "contained"
    EMPTIED = "emptied"
    JOINED = "joined"
    REPLACED = "replaced"
    VARIED = "varied"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    SURPLUS = "surplus"
    UNFINISHED = "unfinished"
    UNDECODABLE = "undecodable"
    BLANK = "blank"
    NOT_A_PAIR = "not_a_pair"
    COPIED = "copied"
    COPIED_EVALUATION = "copied_evaluation"
    OTHER_SPLIT = "other_split"
    BY_TRANSFORM = "by_transform"


#: What is counted under each reason.
UNIT: Mapping[Reason, str] = {
    Reason.REDIRECT: "pages",
    Reason.OTHER_NAMESPACE: "pages",
    Reason.OTHER_MODEL: "pages",
    Reason.OLDER_REVISION: "revisions",
    Reason.NO_TEXT: "pages",
    Reason.PAGE_TOO_LARGE: "pages",
    Reason.NO_PROSE: "pages",
    Reason.DAMAGED_PAGE: "pages",
    Reason.DAMAGED_BLOCK: "blocks",
    Reason.UNAVAILABLE: "documents",
    Reason.UNREADABLE: "documents",
    Reason.MALFORMED: "documents",
    Reason.OTHER_LANGUAGE: "documents",
    Reason.OTHER_LICENCE: "documents",
    Reason.TOO_FEW_WORDS: "documents",
    Reason.AUTHOR_CAP: "documents",
    Reason.DUPLICATE_DOCUMENT: "documents",
    Reason.NEAR_DUPLICATE: "documents",
    Reason.LICENCE_TEXT: "characters",
    Reason.MALFORMED_ROW: "rows",
    Reason.EMPTY_ROW: "rows",
    Reason.LEAKED: "rows",
    Reason.TRUNCATED: "tokens",
    Reason.BELOW_MIN_LEN: "rows",
    Reason.NOT_SAMPLED: "rows",
    Reason.TOO_SHORT: "rows",
    Reason.TOO_LONG: "rows",
    Reason.FILTERED_OUT: "rows",
    Reason.DUPLICATE: "rows",
    Reason.CONTAINED: "rows",
    Reason.EMPTIED: "rows",
    Reason.JOINED: "rows",
    Reason.REPLACED: "rows",
    Reason.VARIED: "rows",
    Reason.UNCHANGED: "attempts",
    Reason.REPEATED: "attempts",
    Reason.SURPLUS: "attempts",
    Reason.UNFINISHED: "attempts",
    Reason.UNDECODABLE: "attempts",
    Reason.BLANK: "attempts",
    Reason.NOT_A_PAIR: "attempts",
    Reason.COPIED: "attempts",
    Reason.COPIED_EVALUATION: "attempts",
    Reason.OTHER_SPLIT: "rows",
    Reason.BY_TRANSFORM: "rows",
}

#: One sentence for the reader of `inspect`.
WHY: Mapping[Reason, str] = {
    Reason.REDIRECT: "the page only points to another page",
    Reason.OTHER_NAMESPACE: "the page is not an article (talk, user, template, …)",
    Reason.OTHER_MODEL: "the page is not wikitext (JSON, Lua, CSS, …)",
    Reason.OLDER_REVISION: "the dump holds a newer revision of the page",
    Reason.NO_TEXT: "the page's text, or the record's, is empty, deleted or suppressed",
    Reason.PAGE_TOO_LARGE: "the page is larger than the stated limit",
    Reason.NO_PROSE: "nothing but markup, lists or tables was on the page, or nothing at all",
    Reason.DAMAGED_PAGE: "the page touches damaged bytes and was skipped on request",
    Reason.DAMAGED_BLOCK: "a compressed block was damaged and skipped on request",
    Reason.UNAVAILABLE: "the server has no such file",
    Reason.UNREADABLE: "the file is damaged, or in no encoding that gives text",
    Reason.MALFORMED: "the record is not what its file says that records are",
    Reason.OTHER_LANGUAGE: "most passages are in another language",
    Reason.OTHER_LICENCE: "it is not stated to be free",
    Reason.TOO_FEW_WORDS: "the cleaned text has fewer words than --min-words",
    Reason.AUTHOR_CAP: "its author has --per-author others in the set",
    Reason.DUPLICATE_DOCUMENT: "another document has the same text",
    Reason.NEAR_DUPLICATE: "another document has nearly the same text",
    Reason.LICENCE_TEXT: "licence and credits of the publisher around the text",
    Reason.MALFORMED_ROW: "the row of a task file is not what its layout says",
    Reason.EMPTY_ROW: "a text of the row is empty",
    Reason.LEAKED: "the row also stands in an evaluation file",
    Reason.TRUNCATED: "the row was longer than --max-len and was cut at its end",
    Reason.BELOW_MIN_LEN: "the row is shorter than --min-len",
    Reason.NOT_SAMPLED: "the row was not drawn by --sample, or for its part of a mix",
    Reason.TOO_SHORT: "the row has fewer ids than --lengths allows",
    Reason.TOO_LONG: "the row has more ids than --lengths allows",
    Reason.FILTERED_OUT: "the row does not satisfy --filter",
    Reason.DUPLICATE: "an earlier row has the same ids",
    Reason.CONTAINED: "a longer row has the row's ids among its own, side by side",
    Reason.EMPTIED: "--delete left no content token in the row",
    Reason.JOINED: "the row stands in the same packed row as the one before it",
    Reason.REPLACED: "a model was fitted on the row, and generated rows stand in its place",
    Reason.VARIED: "only the variants of the row were wanted (--originals none)",
    Reason.UNCHANGED: "an attempt changed no piece of the row",
    Reason.REPEATED: "an attempt gave a row that is there already",
    Reason.SURPLUS: "an attempt gave a row beyond the target",
    Reason.UNFINISHED: "the language model had not ended the row at --max-length",
    Reason.UNDECODABLE: "what the language model wrote is no text",
    Reason.BLANK: "the language model wrote nothing, or an empty side of a pair",
    Reason.NOT_A_PAIR: "the language model wrote no separator of the pair, or several",
    Reason.COPIED: "the language model wrote a row that it was given",
    Reason.COPIED_EVALUATION: "the language model wrote a row of an evaluation file",
    Reason.OTHER_SPLIT: "the row is in another split",
    Reason.BY_TRANSFORM: "a transform from outside transferset dropped the row",
}

#: Counts by reason.
Ledger = Counter[Reason]
