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
from transferset.text.marks import HOLE

Handler = Callable[[Call], str]
"""What a reader sees of a call."""

_FUNCTIONS: tuple[tuple[Handler, str], ...] = (
    (
        typography.first,
        "nowrap; nobr; nobreak; j; no wrap; nowr; big; small; smaller; larger; large; huge; midsize; sup; sub; smallcaps; sc; sc2; "
        "smallcaps all; sm; scap; caps; smcaps; allcaps; em; strong; bold; italic; italics; i; b; var; mvar; math; bigmath; tt; mono; "
        "monospaced; code; kbd; key press; keypress; key; samp; nobold; noitalic; no italic; no bold; normal; underline; u; strike; abbr; "
        "abbreviation; tooltip; vanchor; visible anchor; proper name; as written; unicode; polytonic; iast; iast2; iast3; hebrew; "
        "nastaliq; nastiliq; nq; naskh; coptic; gothic; script; iso 15919; iso15919; tq; xt; overline; overbar; vec; overset; "
        "citation needed span; cn span; cns; fact span; clarify span; dubious span; quote inline; quotation inline; typo; "
        "shy text; wrap; awrap; raise; lower; aut; author; sans-serif; serif; not italic; noitalics; larger text; dfn; term inline; "
        "def; pslink; nobreak text; "
        "lcfirst text; grc; hbo; semxlit; cuneiform; ubl text; stylized; initialism; chem name; nobots text; "
        "native phrase text; zwj text; linkless; disputed span; bigger; wide text; fs; bdo; bidi",
    ),
    (
        typography.second,
        "lang-text; color; colour; font color; fontcolor; fontcolour; font colour; coloured text; colored text; background color; bg; "
        "hover title; h:title; resize; size; fs90; title text; rtl-lang; rtllang; hiddenlink; longitem text; ltr-lang; wikt-lang; wt; "
        "wiktlang; background colour; text color",
    ),
    (typography.last, "resize text; hover; native name; native phrase; fontsize"),
    (typography.joined, "not a typo; notatypo; nat; gaps; proper noun; typo ok; not typo; chem2 text; nbsp text"),
    (typography.spaced, "linktext; linktexts; thinsp text; keypresses; wict; wikt-link; zhi; linktext-zh"),
    (typography.sic, "sic; sic?; typo sic"),
    (
        typography.passage,
        "quote; blockquote; block quote; bquote; cquote; quotation; quote frame; block quotation; centered pull quote; "
        "long quote; block; blockq; imagequote; quote1; quoted text; indented quote; longquote; text quote",
    ),
    (typography.quoted, '"; qi; inline quote; inline-quote'),
    (typography.apostrophe, "'; ’"),
    (typography.sound, "ipa; ipalink; ipablink; angle ipa; audio-ipa text; vr; phoneme; phon; phone"),
    (typography.sound_between_slashes, "ipaslink; ipaslink2"),
    (
        typography.sound_only,
        "ipac-en; ipac; respell; pronunciation respelling; uspr; pron-en; pronounced; pron; usdict; usict; audio; "
        "h:ipa; ipa-en; ipac-pl; pronunciation; pron-audio; ipa audio; audio-ipa; uspron",
    ),
    (typography.music, "music"),
    (typography.tex, "tmath; bigtex"),
    (typography.reaction, "ce"),
    (typography.verse, "bibleref; bibleref2; bibleverse; bibleverse-lb; sourcetext bible; bibleverse-nb; bible verse"),
    (typography.sura, "cite quran; quran-usc; qref; quran; qur'an; quran verse"),
    (typography.in_text_citation, "harvtxt; harvcoltxt"),
    (convert, "convert; cvt; convinfobox text; convert/spell"),
    (foreign.plain_language, "lang; lang-tag; langr; script-lang"),
    (foreign.transliterated, "transl; transliteration; translit; xlit; tlit"),
    (foreign.named_language, "langx; lang x; langnf"),
    (foreign.japanese, "nihongo; nihongo foot text; nihongo title; nihongo krt; nihongo core; jpn"),
    (foreign.japanese_roman_first, "nihongo3"),
    (typography.first, "nihongo2; kanji; jap"),
    (foreign.chinese, "zh; lang-zh; chinese text; zh-full; zhongwen; zh-cpl; zh-stp; zh-tsp; zh-sp; zh-p"),
    (foreign.korean, "korean; ko-hhrm; lang-ko-full; korean text"),
    (
        foreign.interlanguage_link,
        "ill; interlanguage link; illm; ill2; link-interwiki; interlanguage link multi; interlanguage link forced; "
        "ill-wd2; interlanguage link wikidata; red link; redlink with interlanguage",
    ),
    (
        dates.date,
        "birth date; start date; end date; death date; birth date and age; bda; dob; start date and age; end date and age; dts; "
        "date; birth-date; death-date; start-date; end-date; birth-date and age; birth year and age; death year; "
        "release date; date table sorting; launch date; birth year; birthdate",
    ),
    (dates.as_of, "as of; asof; as at"),
    (dates.age, "age; age in years"),
    (dates.death_date_and_age, "death date and age; dda; death date and given age; death-date and age"),
    (dates.old_style, "oldstyledate; old style date; os date"),
    (dates.about("c."), "circa; c.; ca.; ca; circ; approx."),
    (dates.about("fl."), "floruit; fl.; fl"),
    (dates.about("r."), "reign; r.; ruled"),
    (dates.about("b."), "born; b.; b-da"),
    (dates.about("d."), "died; d."),
    (numbers.fraction, "frac; fraction; sfrac; fract; vfrac; frac2; ratio; tfrac; dfrac; 1/; perfrac"),
    (numbers.value, "val"),
    (numbers.ten_to, "e; esp; x10^; times10^; e-sp; scinote; x10; 10e"),
    (numbers.ten_raised, "10^; 10 to; power of ten"),
    (numbers.root, "radic; sqrt; radical; root; surd"),
    (numbers.number, "formatnum; nts; ntsh text; formatnumber; format price; num; number; commas; numfmt; ntc"),
    (numbers.ordinal, "ordinal; ord; nth"),
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
        "flag; flagcountry; flagu; flaglink; flag+link; flagg; country; flag link; flag name; fb; nft; flag2; flagdeco text; "
        "country data text; countryname",
    ),
    (proper_names.sorted_name, "sortname; sorted name"),
    (typography.last, "sort; hs text; ntsh; sortkey text; sort text"),
    (proper_names.nuclide, "nuclide; nuclide2; simplenuclide; simplenuclide2; simple nuclide; nuclidelink; isotope; physics nuclide"),
    (typography.million_years("million years ago"), "mya; million years ago; mya2"),
    (typography.million_years("Ma"), "ma; myr ago"),
    (typography.million_years("million years"), "myr"),
    (typography.text_before("ISBN"), "isbn"),
    (typography.text_before("ISSN"), "issn"),
    (typography.text_before("U.S. Patent"), "us patent; patent us; uspatent"),
    (typography.text_before("RFC"), "rfc; ietf rfc; ietf-rfc"),
    (typography.text_before("§"), "section sign; sectsign"),
    (typography.between("⟨", "⟩"), "angbr; angle bracket; angle brackets; angbr ipa; grapheme; angbripa; orth"),
    (typography.between("|", "|"), "abs; mabs"),
    (typography.between("[", "]"), "bracket; brackets; square bracket; interp; bracketed"),
    (typography.between("{", "}"), "mset; curly bracket; curly brackets; braces"),
    (typography.between("(", ")"), "paren; parentheses; parens"),
    (typography.between("~", ""), "approx; approximately"),
)

_MONEY: tuple[tuple[str, str], ...] = (
    ("US$", "us$; usd; us dollar; usdollar; united states dollar; dollar"),
    ("£", "gbp; pound; pound sterling; £; pounds; gb pound; sterling; ukp"),
    ("€", "eur; euro; €; euros"),
    ("₹", "inr; rupee; ₹; rs; rs.; indian rupee; inrconvert; rupees; indian rupees"),
    ("A$", "aud; au$; a$; australian dollar"),
    ("C$", "cad; ca$; c$; canadian dollar"),
    ("NZ$", "nzd; nz$"),
    ("¥", "jpy; ¥; yen; japanese yen; jpy text"),
    ("CN¥", "cny; cn¥; rmb; renminbi; yuan"),
    ("₩", "krw; won; south korean won; ₩"),
    ("₽", "rub; rur; ruble; ₽"),
    ("₪", "ils; ₪; shekel"),
    ("R$", "brl; r$; brazilian real"),
    ("₱", "php; philippine peso; ₱; peso"),
    ("₺", "try; turkish lira; ₺"),
    ("₴", "uah; hryvnia; ₴"),
    ("HK$", "hkd; hk$"),
    ("S$", "sgd; s$"),
    ("₦", "ngn; naira; ₦"),
    ("NT$", "ntd; twd; nt$"),
)

_CHARACTERS: tuple[tuple[str, str], ...] = (
    ("–", "ndash; en dash; endash; –; dash; ndsh; en-dash; nsndns; --"),
    ("—", "mdash; em dash; emdash; —; ---; em-dash; mdashb; double dash; emdashb"),
    (" – ", "snd; spnd; spaced ndash; spaced en dash; sndash; snds; spndash; spaced endash; ndashsp; s-; snd2; spacedndash; – "),
    (" — ", "spaced mdash; spaced em dash; smd; smds; snmd; spmd; spaced emdash"),
    (" ", "nbsp; spaces; space; sp; nobreak space; non-breaking space; thinsp; thin space; hair space; hairsp; nnbsp; ensp; emsp; "
          "zwsp space; figure space; 0ws space; pad; px1; px2; nbspace; en space; em space; quad; gap; indent; thinspace; tsp; "
          "thsp; hsp; spc; br; break; crlf; line break; crlf2; -br"),
    ("", "zwj; zwnj; zwsp; shy; soft hyphen; wbr; nowrap begin; nowrap end; nowrapbegin; nowrapend; nobreak begin; zero width space; "
         "nbhyph2; nowrap start; bq start; lrm; rlm"),
    ("-", "nbhyph; hyphen; nbhy; hyphen-minus; non-breaking hyphen; nb-; -; nbhyphen"),
    (" · ", "·; middot; dot; •w; .; ·w; sdot; bold middot; interpunct; midsp"),
    (" • ", "•; bull; bullet; bull; *; black bullet; spaced bullet"),
    (", ", ",; comma"),
    ("'s", "'s"), ("'", "apostrophe; apos; 'w; ' text"), ("'\"", "' \"; '\""), ("\"'", "\" '; \"'"), ('"', '-"; quot; double quote'),
    ("''", "' '"),
    ("ʻ", "okina; ʻokina; ‘okina; 'okina"), ("ʾ", "hamza; aleph; alef text"), ("ʿ", "ayin; ain; ayn"), ("ʼ", "ʼ; saltillo"),
    ("π", "pi; π"), ("τ", "tau"), ("ħ", "hbar"), ("∞", "infinity; infin"), ("°", "deg; degree; °"), ("×", "times; x mark text; ×"),
    ("±", "±; plus-minus; pm; plusminus"), ("−", "minus; −"), ("+", "+; plus"), ("√", "√"), ("…", "ellipsis; ...; …; hellip"),
    ("⇌", "eqm; equilibrium; eqarr; reversible reaction"), ("→", "rarr; →; r arrow; arrow; yields; reactrarr; biochem reaction arrow"),
    ("↔", "harr; ↔"), ("=", "equals; equal"), ("†", "dagger; †; extinct"), ("‡", "double-dagger; ‡; double dagger; ddagger"),
    ("©", "copyright; ©"), ("®", "registered; ®"), ("™", "tm; trademark; ™"), ("№", "numero; №; no."), ("§", "sect; section; §"),
    ("/", "slash; wrap slash; /; spaced slash text"), ("[sic]", "bracketed sic"), ("…", "omission; snip"), ("H2O", "h2o; water formula"),
    ("CO2", "co2; carbon dioxide"), ("O2", "o2"), ("N2", "n2"), ("CH4", "ch4"), ("NH3", "nh3"), ("NOx", "nox"),
    ("LaTeX", "latex"), ("TeX", "tex"), ("B♭", "b flat; bflat"), ("¢", "cent; ¢"), ("et al.", "et al.; et al; etal"),
    ("[", "["), ("]", "]"), ("[[", "[[ text"), ("(", "(( text"), (")", ")) text"), ("¶", "pilcrow"), ("~", "~; tilde"), ("^", "caret"),
)  # fmt: skip

#: Amounts and ages that depend on the day or on tables that a page does not hold.
_UNKNOWABLE = (
    "inflation; to usd; inflation/year; inflation-year; inflation/fn text; time ago; age in days; age in weeks; age in months; "
    "age in years, months and days; age in years and days; age in years, months, weeks and days; currentage; "
    "age nts; to usd round; inflation usd; currentyear; currentdate; number of articles; wikidata; "
    "ayd; aymd; years ago; ymd; age in months, weeks and days; age as of date; time since"
)


def _constant(text: str) -> Handler:
    def printed(_call: Call) -> str:
        return text

    return printed


def _thin(call: Call) -> str:
    """{{thinsp|a|b}} → `a b`; {{nbsp|3}} is a space."""
    parts = [part.strip() for part in call.positional()]
    return " " if not parts or parts[0].isdigit() and len(parts) == 1 else " ".join(parts)


def _names(names: str) -> list[str]:
    return [name.strip() for name in names.split("; ") if name.strip()]


def _table() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for text, names in _CHARACTERS:
        table.update(dict.fromkeys(_names(names), _constant(text)))
    for sign, names in _MONEY:
        table.update(dict.fromkeys(_names(names), numbers.money(sign)))
    for handler, names in _FUNCTIONS:
        table.update(dict.fromkeys(_names(names), handler))
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
)


def handler_of(name: str) -> Handler | None:
    """The handler of a template, by lower-case name; None when it vanishes."""
    handler = TEMPLATES.get(name)
    if handler is not None:
        return handler
    return next((family for prefix, family in _FAMILIES if name.startswith(prefix)), None)
