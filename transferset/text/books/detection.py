"""Detection of an encoding from bytes above 127, where nothing else says what they are."""

from __future__ import annotations

import re
from typing import Final

LEAST_KANA: Final = 0.25
"""Share of full-width kana in Japanese, of what is not ASCII: 0.4 to 0.7."""

LEAST_FREQUENT: Final = 0.5
"""Share that the ten most frequent letters have in Cyrillic text: 0.6; wrongly decoded: 0.3."""

_SIZE: Final = 1 << 17
_KANA: Final = re.compile("[\u3041-\u30fe]")
_OTHER: Final = re.compile("[^\x00-\x7f]")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")
_FREQUENT: Final = re.compile("[оеаинтсрвл]")
_C1: Final = re.compile(b"[\x80-\x9f]")
_JAPANESE: Final = ("cp932", "euc_jp")
_RUSSIAN: Final = ("cp1251", "koi8-r", "cp866", "iso8859-5")

#: What text files are in; charset-normalizer knows more, and takes short texts for them.
#: Not cp1252: it is asked only where the text would not be a Western one.
_USUAL: Final = [
    "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp866", "cp1253", "iso8859_7", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp437", "cp850", "mac_roman", "big5", "gb18030", "cp932",
    "euc_jp", "euc_kr", "tis_620",
]  # fmt: skip


def detected(lines: bytes) -> str | None:
    """Name the encoding that lines are most likely in.

    Japanese is told by its kana, Russian by the frequencies of its letters; both are surer on a
    single line than charset-normalizer, which is asked about everything else.

    Args:
        lines: Lines that hold bytes above 127; only the first 128 KiB are looked at.

    Returns:
        Python's name of an encoding; None when nothing fits.
    """
    lines = lines[:_SIZE]
    return _japanese(lines) or _russian(lines) or _by_library(lines)


def _text(lines: bytes, encoding: str) -> str:
    """Decode what may be cut in the middle of a character."""
    for cut in range(2 if len(lines) == _SIZE else 1):
        try:
            return lines[: len(lines) - cut].decode(encoding)
        except UnicodeError:
            continue
    return ""


def _share(part: re.Pattern[str], whole: re.Pattern[str], text: str) -> float:
    return len(part.findall(text)) / max(1, len(whole.findall(text)))


def _japanese(lines: bytes) -> str | None:
    shares = {name: _share(_KANA, _OTHER, _text(lines, name)) for name in _JAPANESE}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= LEAST_KANA else None


def _russian(lines: bytes) -> str | None:
    def score(name: str) -> float:
        text = _text(lines, name)
        return min(_share(_FREQUENT, _CYRILLIC, text), _share(_CYRILLIC, _OTHER, text))

    shares = {name: score(name) for name in _RUSSIAN}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= LEAST_FREQUENT else None


def _by_library(lines: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(lines, cp_isolation=_USUAL).best()
    if best is None:
        return None
    # the two differ in š, ž, ť, ś, ź and their kin, which cp1250 has where ISO 8859-2 has
    # controls; ł, at 0xb3 in both, is Polish
    if best.encoding == "cp1250" and not _C1.search(lines) and b"\xb3" not in lines:
        return "iso8859_2"
    return best.encoding
