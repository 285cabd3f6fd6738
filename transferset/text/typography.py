"""Templates that only dress text up, or stand for a few characters."""

from __future__ import annotations

from collections.abc import Callable

from transferset.text.call import Call
from transferset.text.formulas import chemistry, formula
from transferset.text.marks import GAP, HOLE, SOUND


def first(call: Call) -> str:
    """The first argument: {{nowrap|text}}."""
    return call.raw("1") or call.get("text", "content")


def second(call: Call) -> str:
    """The second argument: {{color|red|text}}."""
    return call.raw("2") or call.get("text") or call.raw("1")


def last(call: Call) -> str:
    """The last argument: {{script/Hebrew|text}}, {{resize|90%|text}}."""
    return call.last()


def joined(call: Call) -> str:
    """All arguments as they follow each other: {{not a typo|te|h}}, {{gaps|6.022|140}}."""
    return "".join(value.strip() for value in call.positional())


def spaced(call: Call) -> str:
    """All arguments with spaces between them: {{linktext|a|b}}."""
    return " ".join(value.strip() for value in call.positional())


def keys(call: Call) -> str:
    """{{keypress|Ctrl|C}} → `Ctrl+C`."""
    return "+".join(value.strip() for value in call.positional())


def section_link(call: Call) -> str:
    """{{section link|Page|Part}} → `Page § Part`."""
    page, part = call.get("1"), call.get("2")
    return f"{page} § {part}".strip() if part else page


_CAPITALS = frozenset(["bc", "ad", "bce", "ce", "am", "pm", "a.m.", "p.m.", "b.c.", "a.d."])


def small_capitals(call: Call) -> str:
    """{{sc|bc}} → `BC`; other words keep their case, since small capitals only dress them."""
    text = first(call)
    return text.upper() if text.strip() in _CAPITALS else text


def script(tag: str) -> Callable[[Call], str]:
    """{{sup|2}} → `<sup>2</sup>`, which `tags` knows how to write."""

    def printed(call: Call) -> str:
        return f"<{tag}>{call.get('1')}</{tag}>" if call.get("1") else ""

    return printed


def both_scripts(call: Call) -> str:
    """{{SubSup|x|i|2}} → `x_i²`."""
    below = f"<sub>{call.get('2')}</sub>" if call.get("2") else ""
    above = f"<sup>{call.get('3')}</sup>" if call.get("3") else ""
    return f"{call.get('1')}{below}{above}"


def sic(call: Call) -> str:
    """{{sic|teh}} → `teh [sic]`; {{sic|hide=y|teh}} → `teh`; {{sic}} → `[sic]`."""
    if call.get("hide", "hidden"):
        return joined(call)
    return f"{joined(call)} [sic]".lstrip()


def passage(call: Call) -> str:
    """Quoted text, a paragraph of its own: {{quote|text|author}}."""
    text = call.get("text", "quote", "content", "1")
    return f"\n\n{text}\n\n{GAP}"


def quoted(call: Call) -> str:
    """{{"|text}} → `“text”`."""
    text = call.get("1")
    return f"“{text}”" if text else '"'


def apostrophe(call: Call) -> str:
    """{{'}} → `'`, as a reference, since an apostrophe from a template is no markup."""
    return f"&#39;{call.get('1')}&#39;" if call.get("1") else "&#39;"


def sound(call: Call) -> str:
    """{{IPA|/a/}}: kept in running text, cut in parentheses (see `repair`)."""
    return f"{SOUND}{call.last()}{SOUND}" if call.last() else SOUND * 2


def sound_in_language(call: Call) -> str:
    """{{IPA|de|ˈaxtʊŋ|audio.ogg}}, formerly {{IPA|/a/}}: treated as `sound`."""
    parts = call.positional()
    text = (parts[1] if len(parts) > 1 else "".join(parts)).strip()
    return f"{SOUND}{text}{SOUND}"


def sound_only(_call: Call) -> str:
    """{{IPAc-en|…}}, {{respell|…}}: how the word before is pronounced; cut."""
    return SOUND * 2


def sound_between_slashes(call: Call) -> str:
    """{{IPAslink|ʃ}} → `/ʃ/`."""
    return f"{SOUND}/{call.get('1')}/{SOUND}"


def between(left: str, right: str) -> Callable[[Call], str]:
    """{{angbr|a}} → `⟨a⟩`."""

    def printed(call: Call) -> str:
        return f"{left}{call.get('1')}{right}"

    return printed


def text_before(prefix: str) -> Callable[[Call], str]:
    """{{ISBN|978…}} → `ISBN 978…`."""

    def printed(call: Call) -> str:
        return f"{prefix} {call.get('1')}"

    return printed


def music(call: Call) -> str:
    """{{music|flat}} → `♭`."""
    sign = call.get("1").lower()
    if sign in ("time", "timesig", "time signature"):
        return f"{call.get('2')}/{call.get('3')}"
    return _MUSIC.get(sign, sign)


_MUSIC = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮", "doubleflat": "𝄫",
    "bb": "𝄫",
    "doublesharp": "𝄪", "##": "𝄪", "x": "𝄪", "half": "half", "quarter": "quarter",
    "eighth": "eighth",
}  # fmt: skip


def tex(call: Call) -> str:
    """{{tmath|x^2}} → `x²`."""
    return formula(call.get("1")) or HOLE


def reaction(call: Call) -> str:
    """{{ce|H2O}} → `H2O`."""
    return chemistry(call.get("1")) or HOLE


def verse(call: Call) -> str:
    """{{bibleverse|1|Kings|3:5}} → `1 Kings 3:5`, {{bibleref|Mark|3:25|9}} → `Mark 3:25`."""
    parts = [part.strip() for part in call.positional()]
    if parts and (not parts[0] or parts[0].isdigit()):
        return " ".join(filter(None, parts[:3]))
    return " ".join(filter(None, parts[:2]))


def sura(call: Call) -> str:
    """{{cite quran|29|46}} → `Quran 29:46`."""
    return f"Quran {call.get('1')}" + (f":{call.get('2')}" if call.get("2") else "")


def in_text_citation(call: Call) -> str:
    """{{harvtxt|Linden|1996}} → `Linden (1996)`."""
    *names, year = [part.strip() for part in call.positional()] or [""]
    return f"{' & '.join(names)} ({year})" if names else year


def million_years(text: str) -> Callable[[Call], str]:
    """{{mya|65}} → `65 million years ago`."""

    def printed(call: Call) -> str:
        return f"{'–'.join(value.strip() for value in call.positional()[:2])} {text}"

    return printed
