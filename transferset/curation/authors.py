"""Who wrote a book, so that the books of one author can be counted.

Catalogues write `Austen, Jane, 1775-1817`, title pages `Jane Austen`: both are `jane austen` here.
Years are left out, because most sources have none; two authors of one name count as one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ROLE: Final = re.compile(r"\[([^\]]*)\]")
_ASIDE: Final = re.compile(r"\([^)]*\)")
_WORD: Final = re.compile(r"[^\W_]+")
_AND: Final = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)

# Titles and degrees that one source has and another has not.
_HONORIFICS: Final = frozenset(
    {
        *("sir", "dame", "lord", "lady", "mr", "mrs", "miss", "ms", "dr", "prof", "professor"),
        *("rev", "reverend", "saint", "graf", "count", "baron", "countess", "baroness"),
        *("madame", "mme", "mlle"),
    }
)
_SUFFIXES: Final = frozenset({"jr", "sr", "junior", "senior", "ii", "iii", "iv"})
_UNKNOWN: Final = frozenset(
    {
        *("anonymous", "anon", "unknown", "various", "none", "n a", "na", "multiple"),
        *("unknown author", "author unknown", "various authors", "multiple authors"),
        *("anonyme", "anonymus", "anonymous author", "not stated", "collective"),
    }
)


def known_authors(author: str) -> frozenset[str]:
    """The authors of a book, each by one name.

    Args:
        author: As a catalogue or a title page writes it; several are parted by `;`, or by `and`
            where no comma turns the names round. Editors, translators and illustrators (`[Editor]`
            behind the name) do not count.

    Returns:
        Names in lower case without accents; none if nobody is known (anonymous, various, …).
    """
    parts = [part for part in author.split(";") if part.strip()]
    written = [part for part in parts if _wrote(part)]
    names = [name for part in written for name in _single(_ROLE.sub(" ", part))]
    return frozenset(name for name in map(_normal, names) if name and name not in _UNKNOWN)


def _wrote(part: str) -> bool:
    roles = _ROLE.findall(part)
    return not roles or any("author" in role.lower() for role in roles)


def _single(part: str) -> list[str]:
    return [part] if "," in part else _AND.split(part)


def _normal(name: str) -> str:
    """One name: given names, family name, and `jr` or the like; all else left out."""
    family, *others = (part.strip() for part in _ASIDE.sub(" ", name).split(","))
    kept = [part for part in others if not any(letter.isdigit() for letter in part)]
    suffixes = [part for part in kept if _words(part) and set(_words(part)) <= _SUFFIXES]
    given = [part for part in kept if part not in suffixes][:1]
    words = [word for part in (*given, family, *suffixes) for word in _words(part)]
    return " ".join([word for word in words if word not in _HONORIFICS] or words)


def _words(text: str) -> list[str]:
    # only the accents of Latin, Greek and Cyrillic: other scripts' marks are vowels
    plain = unicodedata.normalize("NFKD", text).casefold()  # in this order: 𝐉 is J, then j
    plain = "".join(letter for letter in plain if not "\u0300" <= letter <= "\u036f")
    return _WORD.findall(unicodedata.normalize("NFC", plain))
