"""Which licences are free: anyone may use, change and pass on the text, also for money.

Statements are free text (Project Gutenberg's rights, a manifest's licence, SPDX identifiers, URLs
of Creative Commons). Only what is known is said to be free, and any word of a restriction weighs
more than any word of freedom.
"""

from __future__ import annotations

import re
from typing import Final

# Statements are compared in lower case with single spaces for everything that is neither letter nor
# digit: "CC BY-SA 4.0" and "creativecommons.org/licenses/by-sa/4.0/" are "… by sa 4 0".
_NOT_A_WORD: Final = re.compile(r"[\W_]+")

# Taken out before restrictions are looked for: they deny one.
_DENIED: Final = re.compile(
    r"\b(?:not|no longer) (?:copyrighted|in copyright|under copyright|protected by copyright)\b"
    r"|\b(?:out of|no known|free of known|expired) copyright(?: restrictions)?\b"
    r"|\bcopyright (?:has )?expired\b"
)
_RESTRICTED: Final = re.compile(
    r"\bcopyrighted\b|\ball rights reserved\b|\b(?:in|under|protected by) copyright\b"
    r"|\bnot (?:yet )?(?:in )?(?:the )?public domain\b|\bfair use\b|\bpermission\b"
    r"|\bnon ?commercial\b|\bno ?deriv\w*|\b(?:by|sa|cc|nc) (?:nc|nd)\b|\bproprietary\b"
    r"|\b(?:personal|research|educational|academic) use\b"
)
_FREE: Final = re.compile(
    r"\bpublic ?domain\b|\bcc ?0\b|\bcc ?zero\b|\bcreative commons zero\b|\bunlicense\b|\bpddl\b"
    r"|\bcc by\b|\bcreative ?commons (?:org licenses by|attribution)\b"
    r"|\bgfdl\b|\bgnu (?:free documentation|general public) licen[cs]e\b|\bgpl\b"
    r"|\bfree art licen[cs]e\b|\bopen government licen[cs]e\b|\bogl uk\b"
    r"|\b(?:mit|bsd|apache) (?:\w+ ){0,4}licen[cs]e\b|\bapache 2 0\b|^mit$|^bsd [023] clause\b"
)


def is_free(licence: str) -> bool | None:
    """Tell whether a licence is free.

    Args:
        licence: As a catalogue, a manifest or a record states it.

    Returns:
        None if nothing is stated, or nothing that is known.
    """
    words = _NOT_A_WORD.sub(" ", licence.lower()).strip()
    rest, denials = _DENIED.subn(" ", words)
    if _RESTRICTED.search(rest):
        return False
    return True if denials or _FREE.search(rest) else None
