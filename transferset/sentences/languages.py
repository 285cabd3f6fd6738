"""Which language a wiki code means, as far as sentences are concerned."""

from __future__ import annotations

#: Languages for which Kiss and Strunk's algorithm was trained, by ISO 639-1 code.
PUNKT: dict[str, str] = {
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "ml": "malayalam",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "sl": "slovene",
    "sv": "swedish",
    "tr": "turkish",
}

#: Languages without a model for which the Punkt package lists abbreviations.
ABBREVIATIONS: dict[str, str] = {
    "ca": "catalan",
    "ga": "irish",
    "hu": "hungarian",
    "is": "icelandic",
    "lv": "latvian",
    "ro": "romanian",
    "sk": "slovak",
    "ta": "tamil",
}

# Codes of wikis that are not the code of their language, or name a variety of it.
_SAME = {"simple": "en", "nb": "no", "nn": "no", "mo": "ro"}

# Here the part before the hyphen is another language.
_WHOLE = frozenset({"roa-rup", "roa-tara", "fiu-vro", "map-bms", "nds-nl", "be-tarask"})


def normalised(code: str) -> str:
    """Reduce a code to the language.

    Args:
        code: A MediaWiki or ISO code such as `en`, `simple`, `pt-br`, `zh-yue`, `no`.

    Returns:
        The lower-case code without region or variety.
    """
    code = code.strip().lower().replace("_", "-")
    language = code if code in _WHOLE else code.split("-")[0]
    return _SAME.get(language, language)
