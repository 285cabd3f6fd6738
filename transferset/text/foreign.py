"""Templates around text in other languages and scripts."""

from __future__ import annotations

from transferset.text.call import Call
from transferset.text.language_codes import language_name


def plain_language(call: Call) -> str:
    """{{lang|grc|ἀρχή}} → `ἀρχή`."""
    return call.get("text", "2")


def transliterated(call: Call) -> str:
    """{{transl|ar|ALA|Allāh}} → `Allāh`."""
    return call.last()


def _labelled(call: Call, code: str, text: str, roman: str, meaning: str) -> str:
    name = call.get("label") or language_name(code)
    parts = [text]
    if roman:
        parts.append(f"romanized: {roman}")
    if meaning:
        parts.append(f"lit. '{meaning}'")
    body = ", ".join(filter(None, parts))
    return body if name == "none" or not name else f"{name}: {body}"


def named_language(call: Call) -> str:
    """{{langx|de|Wort|lit=word}} → `German: Wort, lit. 'word'`."""
    roman = call.get("translit", "romanized", "romanised", "3")
    meaning = call.get("lit", "translation", "4")
    return _labelled(call, call.get("code", "1"), call.get("text", "2"), roman, meaning)


def language_template(call: Call) -> str:
    """{{lang-ru|слово|slovo|word}} → `Russian: слово, romanized: slovo, lit. 'word'`."""
    code = call.name.partition("-")[2]
    if code in ("rus", "grc-gre", "ell"):
        code = {"rus": "ru"}.get(code, "el")
    roman = call.get("translit", "romanized", "r", "tr", "2")
    meaning = call.get("lit", "translation", "t", "3")
    return _labelled(call, code, call.get("text", "1"), roman, meaning)


def literally(call: Call) -> str:
    """{{lit|word|other}} → `lit. 'word' or 'other'`."""
    return "lit. " + " or ".join(f"'{part.strip()}'" for part in call.positional())


def japanese(call: Call) -> str:
    """{{nihongo|Aikido|合気道|Aikidō|extra|after}} → `Aikido (合気道, Aikidō, extra) after`."""
    english, after = call.get("1", "english"), call.get("5", "extra2")
    inside = [call.get("2", "kanji"), call.get("3", "rōmaji", "romaji"), call.get("4", "extra")]
    if not english:
        english, inside = inside[1], [inside[0], inside[2]]
    return _with_parenthesis(english, inside, after)


def japanese_roman_first(call: Call) -> str:
    """{{nihongo3|English|日本|Nihon}} → `Nihon (日本, English)`."""
    return _with_parenthesis(
        call.get("3"),
        [call.get("2"), call.get("1"), call.get("4", "extra")],
        call.get("5", "extra2"),
    )


def _with_parenthesis(head: str, inside: list[str], after: str) -> str:
    shown = ", ".join(filter(None, inside))
    if not head:
        return shown
    text = f"{head} ({shown})" if shown else head
    return f"{text} {after}".rstrip()


_CHINESE = (
    (("c", "hanzi"), "Chinese"),
    (("s",), "simplified Chinese"),
    (("t",), "traditional Chinese"),
    (("p",), "pinyin"),
    (("w",), "Wade–Giles"),
    (("j",), "Jyutping"),
    (("cy",), "Cantonese Yale"),
    (("poj",), "Pe̍h-ōe-jī"),
)


def chinese(call: Call) -> str:
    """{{zh|s=汉字|t=漢字|p=hànzì}} → `simplified Chinese: 汉字; …; pinyin: hànzì`."""
    labels = call.get("labels") != "no"
    parts = [
        f"{label}: {text}" if labels else text
        for keys, label in _CHINESE
        if (text := call.get(*keys))
    ]
    if call.get("l"):
        parts.append(f"lit. '{call.get('l')}'")
    return "; ".join(parts) or call.get("1")


_KOREAN = (("hangul", "Korean"), ("hanja", "Hanja"), ("rr", "RR"), ("mr", "MR"))


def korean(call: Call) -> str:
    """{{korean|hangul=한국|rr=Hanguk}} → `Korean: 한국; RR: Hanguk`."""
    labels = call.get("labels") != "no"
    shown = {key: call.get(key) for key, _ in _KOREAN}
    shown["hangul"] = shown["hangul"] or call.get("1")
    return "; ".join(
        f"{label}: {shown[key]}" if labels else shown[key] for key, label in _KOREAN if shown[key]
    )


def interlanguage_link(call: Call) -> str:
    """{{ill|Title|de|Titel|lt=label}}, formerly {{ill|de|Titel|Title|label}} → `label`."""
    first = call.get("1")
    if call.get("lt", "display"):
        return call.get("lt", "display")
    if first.isascii() and first.islower() and 2 <= len(first) <= 3 and call.get("2"):
        return call.get("4", "3", "2")
    return first.partition("#")[0] or first
