"""The table of templates whose text a reader sees inside a sentence.

Names are lower-case. A template that is not here vanishes with everything in it, which is what
infoboxes, hatnotes, citations, maintenance notices, navigation boxes, coordinates, icons and
footnotes should do; `repair` mends the sentence around it.
"""

from __future__ import annotations

from collections.abc import Callable

from transferset.text import dates, foreign, numbers, proper_names, typography
from transferset.text.call import Call
from transferset.text.convert import convert
from transferset.text.coordinates import coordinates
from transferset.text.marks import HOLE
from transferset.text.symbols import CHARACTERS, MONEY

Handler = Callable[[Call], str]
"""What a reader sees of a call."""

_FUNCTIONS: tuple[tuple[Handler, str], ...] = (
    (
        typography.first,
        "nowrap; nobr; nobreak; j; no wrap; nowr; big; small; smaller; larger; large; huge; "
        "midsize; allcaps; caps; "
        "em; strong; bold; italic; italics; i; b; var; mvar; math; bigmath; tt; mono; "
        "monospaced; code; kbd; key; samp; nobold; noitalic; no italic; no "
        "bold; normal; underline; u; strike; abbr; abbreviation; tooltip; vanchor; visible "
        "anchor; proper name; as written; unicode; polytonic; iast; iast2; iast3; hebrew; "
        "nastaliq; nastiliq; nq; naskh; coptic; gothic; iso 15919; iso15919; tq; xt; "
        "overline; overbar; vec; overset; citation needed span; cn span; cns; fact span; "
        "clarify span; dubious span; quote inline; quotation inline; typo; wrap; awrap; raise; "
        "lower; aut; author; sans-serif; serif; not italic; noitalics; dfn; term inline; "
        "pslink; grc; hbo; semxlit; cuneiform; stylized; initialism; chem name; disputed span; "
        "bigger; bdo; bidi",
    ),
    (
        typography.second,
        "lang-text; color; colour; font color; fontcolor; fontcolour; font colour; coloured "
        "text; colored text; background color; hover title; h:title; resize; size; rtl-lang; "
        "rtllang; hiddenlink; ltr-lang; wikt-lang; wt; wiktlang; background colour; text color",
    ),
    (typography.last, "hover; native name; nativename; native phrase; fontsize; script"),
    (typography.joined, "not a typo; notatypo; nat; gaps; proper noun; typo ok; not typo"),
    (typography.spaced, "linktext; linktexts; keypresses; wict; wikt-link; linktext-zh"),
    (typography.keys, "keypress; key press"),
    (typography.section_link, "section link; slink; sectionlink; seclink"),
    (typography.small_capitals, "smallcaps; sc; sc2; smallcaps all; sm; scap; smcaps"),
    (typography.script("sup"), "sup"),
    (typography.script("sub"), "sub"),
    (typography.both_scripts, "subsup"),
    (typography.sic, "sic; sic?; typo sic"),
    (
        typography.passage,
        "quote; blockquote; block quote; bquote; cquote; quotation; quote frame; block "
        "quotation; centered pull quote; long quote; block; blockq; imagequote; quote1; quoted "
        "text; indented quote; longquote; text quote",
    ),
    (typography.quoted, '"; qi; inline quote; inline-quote'),
    (typography.apostrophe, "'; ’"),
    (typography.sound, "ipalink; ipablink; angle ipa; vr; phoneme; phon; phone"),
    (typography.sound_in_language, "ipa"),
    (typography.sound_between_slashes, "ipaslink; ipaslink2"),
    (
        typography.sound_only,
        "ipac-en; ipac; respell; pronunciation respelling; uspr; pron-en; pronounced; pron; "
        "usdict; usict; audio; h:ipa; ipa-en; ipac-pl; pronunciation; pron-audio; ipa audio; "
        "audio-ipa; uspron",
    ),
    (typography.music, "music"),
    (typography.tex, "tmath; bigtex"),
    (typography.reaction, "ce"),
    (
        typography.verse,
        "bibleref; bibleref2; bibleverse; bibleverse-lb; sourcetext bible; bibleverse-nb; bible "
        "verse",
    ),
    (typography.sura, "cite quran; quran-usc; qref; quran; qur'an; quran verse"),
    (typography.in_text_citation, "harvtxt; harvcoltxt"),
    (coordinates, "coord; coor; coordinates"),
    (convert, "convert; cvt; convert/spell"),
    (foreign.plain_language, "lang; lang-tag; langr"),
    (foreign.transliterated, "transl; transliteration; translit; xlit; tlit"),
    (foreign.named_language, "langx; lang x"),
    (foreign.japanese, "nihongo; nihongo title; nihongo krt; nihongo core; jpn"),
    (foreign.japanese_roman_first, "nihongo3"),
    (typography.first, "nihongo2; kanji; jap; nihongo foot; nihongo-foot; nihongof"),
    (foreign.literally, "lit; literal; literal translation; literally"),
    (foreign.chinese, "zh; lang-zh; zh-full; zhongwen; zh-cpl; zh-stp; zh-tsp; zh-sp; zh-p"),
    (foreign.korean, "korean; ko-hhrm; lang-ko-full"),
    (
        foreign.interlanguage_link,
        "ill; interlanguage link; illm; ill2; link-interwiki; interlanguage link multi; "
        "interlanguage link forced; ill-wd2; interlanguage link wikidata; redlink with "
        "interlanguage",
    ),
    (
        dates.date,
        "birth date; start date; end date; death date; birth date and age; bda; dob; start date "
        "and age; end date and age; dts; date; birth-date; death-date; start-date; end-date; "
        "birth-date and age; birth year and age; death year; release date; date table sorting; "
        "launch date; birth year; birthdate",
    ),
    (dates.as_of, "as of; asof; as at"),
    (dates.age, "age; age in years"),
    (
        dates.death_date_and_age,
        "death date and age; dda; death date and given age; death-date and age",
    ),
    (dates.old_style, "oldstyledate; oldstyledatedy; old style date; os date"),
    (
        typography.first,
        "by; baseball year; mlby; mlb year; wsy; nfly; nfl year; cfly; cfl year; nfl season; "
        "stn; rws; stnlnk; sta; railway station; lrt station",
    ),
    (typography.second, "station link; stl"),
    (dates.season, "nbay; nba year; nhly; nhl year"),
    (dates.about("c."), "circa; c.; ca.; ca; circ; approx."),
    (dates.about("fl."), "floruit; fl.; fl"),
    (dates.about("r."), "reign; r.; ruled"),
    (dates.about("b."), "born; b."),
    (dates.about("d."), "died; d."),
    (numbers.fraction, "frac; fraction; sfrac; fract; vfrac; frac2; ratio; tfrac; dfrac; perfrac"),
    (numbers.value, "val"),
    (numbers.ten_to, "e; esp; x10^; times10^; scinote; x10; 10e"),
    (numbers.ten_raised, "10^; 10 to; power of ten"),
    (numbers.root, "radic; sqrt; radical; root; surd"),
    (
        numbers.number,
        "formatnum; nts; formatnumber; format price; num; number; commas; numfmt; ntc",
    ),
    (numbers.ordinal, "ordinal; ord; nth"),
    (
        numbers.spelled,
        "spellnum; number to word; number to words; numtext; spell number; nwords; num2words",
    ),
    (numbers.percentage, "percentage; percent; pct; %"),
    (numbers.currency, "currency; to currency"),
    (numbers.chemical, "chem; chem/link; chem/atom; chemf; nuclide chem; chemical formula"),
    (numbers.chemical2, "chem2"),
    (numbers.population_density, "pop density; population density"),
    (numbers.gauge, "railgauge; track gauge; trackgauge; rail gauge"),
    (numbers.height, "height; person height"),
    (proper_names.ship, "ship"),
    (proper_names.ship_class, "sclass; sclass2; sclass-; ship class; sclass2-"),
    (proper_names.ship_of_prefix, "; ".join(proper_names.PREFIXES)),
    (
        proper_names.country,
        "flag; flagcountry; flagu; flaglink; flag+link; flagg; country; flag link; flag name; "
        "nft; flag2; countryname",
    ),
    (proper_names.sorted_name, "sortname; sorted name"),
    (typography.last, "sort; ntsh"),
    (
        proper_names.nuclide,
        "nuclide; nuclide2; simplenuclide; simplenuclide2; simple nuclide; nuclidelink; "
        "isotope; physics nuclide",
    ),
    (typography.million_years("million years ago"), "mya; million years ago"),
    (typography.million_years("Ma"), "ma; myr ago"),
    (typography.million_years("million years"), "myr"),
    (typography.text_before("ISBN"), "isbn"),
    (typography.text_before("RTGS:"), "rtgs"),
    (typography.text_before("ISSN"), "issn"),
    (typography.text_before("U.S. Patent"), "us patent; patent us; uspatent"),
    (proper_names.court_report, "ussc; scotus cite"),
    (proper_names.statute, "usc; unitedstatescode; united states code"),
    (proper_names.minor_planet, "mp; mpl; mpl-"),
    (typography.text_before("RFC"), "rfc; ietf rfc; ietf-rfc"),
    (typography.text_before("§"), "section sign; sectsign"),
    (
        typography.between("⟨", "⟩"),
        "angbr; angle bracket; angle brackets; angbr ipa; grapheme; angbripa; orth",
    ),
    (typography.between("'", "'"), "gloss; glossed"),
    (typography.between("|", "|"), "abs"),
    (typography.between("[", "]"), "bracket; brackets; square bracket; interp; bracketed"),
    (typography.between("{", "}"), "mset; curly bracket; curly brackets; braces"),
    (typography.between("(", ")"), "paren; parentheses; parens"),
    (typography.between("~", ""), "approx; approximately"),
)

#: Values that depend on the day or on tables that a page does not hold, and names of roads.
_UNKNOWABLE = (
    "inflation; to usd; inflation/year; inflation-year; time ago; age in days; age in weeks; "
    "age in months; age in years, months and days; age in years and days; age in years, months, "
    "weeks and days; currentage; age nts; to usd round; inflation usd; currentyear; "
    "currentdate; number of articles; wikidata; ayd; aymd; years ago; ymd; age in months, weeks "
    "and days; age as of date; time since; jct; swiss populations; austria population wikidata"
)


def _constant(text: str) -> Handler:
    def printed(_call: Call) -> str:
        return text

    return printed


def _thin(call: Call) -> str:
    """{{thinsp|a|b}} → `a b`; {{nbsp|3}} is a space."""
    parts = [part.strip() for part in call.positional()]
    return " " if not parts or (parts[0].isdigit() and len(parts) == 1) else " ".join(parts)


def _names(names: str) -> list[str]:
    return [name.strip() for name in names.split("; ") if name.strip()]


def _table() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for text, names in CHARACTERS:
        table.update(dict.fromkeys(_names(names), _constant(text)))
    for sign, names in MONEY:
        table.update(dict.fromkeys(_names(names), numbers.money(sign)))
    for handler, names in _FUNCTIONS:
        table.update(dict.fromkeys(_names(names), handler))
    table.update({name: _constant(symbol) for name, symbol in proper_names.SYMBOLS.items()})
    table.update(dict.fromkeys(_names(_UNKNOWABLE), _constant(HOLE)))
    table.update(dict.fromkeys(("thinsp", "thin space", "hair space", "hairsp"), _thin))
    return table


#: Handlers by template name.
TEMPLATES: dict[str, Handler] = _table()

_FAMILIES: tuple[tuple[str, Handler], ...] = (
    ("lang-", foreign.language_template),
    ("ipa-", typography.sound_only),
    ("ipac-", typography.sound_only),
    ("script/", typography.last),
    ("script-", typography.last),
    ("metadata population", _constant(HOLE)),
)


def handler_of(name: str) -> Handler | None:
    """The handler of a template, by lower-case name; None when it vanishes."""
    handler = TEMPLATES.get(name)
    if handler is not None:
        return handler
    return next((family for prefix, family in _FAMILIES if name.startswith(prefix)), None)
