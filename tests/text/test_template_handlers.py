"""What the templates of the table print, as their documentation on English Wikipedia says."""

from __future__ import annotations

import re

import pytest

from transferset.text.templates import TEMPLATES
from transferset.text.wikitext import WikitextCleaner

CLEANER = WikitextCleaner(language="en", namespaces={})

PRINTED = [
    # languages and scripts
    ("{{lang|grc|ἀρχή}}", "ἀρχή"),
    ("{{langx|de|Wort|lit=word}}", "German: Wort, lit. 'word'"),
    ("{{lang-ru|слово|slovo|word}}", "Russian: слово, romanized: slovo, lit. 'word'"),
    ("{{langx|fr|mot|label=none}}", "mot"),
    ("{{transl|ar|ALA|''Allāh''}}", "Allāh"),
    ("{{transliteration|ja|dō}}", "dō"),
    ("{{nihongo|'''Aikido'''|合気道|Aikidō|lead=yes}}", "Aikido (合気道, Aikidō)"),
    ("{{nihongo3|harmony|合気道|Aikidō}}", "Aikidō (合気道, harmony)"),
    ("{{nihongo|English|日本|extra=more}}", "English (日本, more)"),
    ("{{langx|gml|wort}}", "Middle Low German: wort"),
    ("{{RTGS|Chiang Mai}}", "RTGS: Chiang Mai"),
    ("{{korean|hangul=한국|rr=Hanguk|labels=no}}", "한국; Hanguk"),
    ("{{zh|s=汉|t=漢|p=hàn}}", "simplified Chinese: 汉; traditional Chinese: 漢; pinyin: hàn"),
    ("{{zh|c=漢|labels=no}}", "漢"),
    ("{{korean|hangul=한국|rr=Hanguk}}", "Korean: 한국; RR: Hanguk"),
    ("{{script/Hebrew|שלום}}", "שלום"),
    ("{{ill|Title|de|Titel|lt=label}}", "label"),
    ("{{ill|de|Titel|Title|label}}", "label"),
    ("{{interlanguage link|Title|de}}", "Title"),
    # typography
    ("{{nowrap|a b}}", "a b"),
    ("{{small|a}}{{big|b}}{{smallcaps|c}}{{em|d}}{{var|e}}{{mvar|f}}", "abcdef"),
    ("{{sc|bc}} {{sc|Lord}}", "BC Lord"),
    ("10{{sup|6}} H{{sub|2}}O {{SubSup|''x''|''i''|2}}", "10⁶ H2O x_i²"),
    ("{{abbr|BBC|British Broadcasting}}", "BBC"),
    ("{{tooltip|a|b}}", "a"),
    ("{{color|red|text}}", "text"),
    ("{{not a typo|te|h}}", "teh"),
    ("{{sic|teh}}", "teh [sic]"),
    ("{{sic|hide=y|teh}}", "teh"),
    ("a{{ndash}}b{{mdash}}c", "a–b—c"),
    ("a{{snd}}b{{spaced ndash}}c", "a – b – c"),
    ("a{{nbsp}}b{{thinsp}}c", "a b c"),
    ("a{{·}}b{{•}}c", "a · b • c"),
    ("the dog{{'s}} tail", "the dog's tail"),
    ('{{"|a}}', "“a”"),
    ("{{angbr|a}}", "⟨a⟩"),
    ("{{music|flat}}", "♭"),
    ("{{keypress|Ctrl|C}}", "Ctrl+C"),
    ("{{section link|Dog|Food}}", "Dog § Food"),
    ("{{okina}}{{pi}}", "ʻπ"),
    ("{{citation needed span|some text|date=May 2015}}", "some text"),
    ("{{nihongo foot|English|日本|Nihon}} {{script|Hebr|שלום}}", "English שלום"),
    ("{{lit|word}} or {{gloss|dog}}", "lit. 'word' or 'dog'"),
    # numbers, money, chemistry
    ("{{number to words|21}}", "twenty-one"),
    ("{{formatnum:1234567.5}}", "1,234,567.5"),
    ("{{formatnum:1,234|R}}", "1234"),
    ("{{val|6.241|(9)|e=18|u=C}}", "6.241(9)×10¹⁸ C"),
    ("{{val|-1.5|0.2|u=m|up=s}}", "−1.5±0.2 m/s"),
    ("{{frac|1|2}}", "1/2"),
    ("{{frac|3|1|2}}", "3 1/2"),
    ("{{frac|3}}", "1/3"),
    ("{{sfrac|''a'' + 1|2}}", "(a + 1)/2"),
    ("3{{e|-24}}", "3×10⁻²⁴"),
    ("{{10^|6}}", "10⁶"),
    ("{{radic|2}}", "√2"),
    ("{{math|''x''<sup>2</sup>}}", "x²"), ("{{val|e=120}}", "10¹²⁰"),
    ("{{gaps|6.022|140}}", "6.022140"),
    ("{{ordinal|21}} {{ordinal|112}}", "21st 112th"),
    ("{{percentage|1|4}}", "25%"),
    ("{{USD|50}}", "US$50"),
    ("{{US$|2 billion}}", "US$2 billion"),
    ("{{GBP|1500}}", "£1,500"),
    ("{{INRConvert|5|c}}", "₹5 crore"),
    ("{{currency|5000|EUR}}", "€5,000"),
    ("{{chem|H|2|O}}", "H2O"),
    ("{{chem|SO|4|2-}}", "SO4²⁻"),
    ("{{chem2|2 H2 + O2 -> 2 H2O}}", "2 H2 + O2 → 2 H2O"),
    ("{{chem2|SO4(2-)}}", "SO4²⁻"),
    ("{{nuclide|uranium|235}}", "²³⁵U"),
    ("{{carbon}}", "C"),
    ("{{coord|13|19|N|169|9|W|type:event}}", "13°19′N 169°9′W"),
    ("{{coord|57|18|22.5|N|4|27|32|W|display=inline,title}}", "57°18′22.5″N 4°27′32″W"),
    ("{{Coord|43.65|-79.38}}", "43.65°N 79.38°W"),
    ("{{RailGauge|1435mm}}", "1,435 mm"),
    # dates
    ("{{circa|300|200}}", "c. 300 – c. 200"),
    ("{{as of|2015|6|30|lc=y}}", "as of 30 June 2015"),
    ("{{As of|2011|June|20}}", "As of 20 June 2011"),
    ("{{as of|2010}}", "As of 2010"),
    ("{{birth date|1809|2|12}}", "February 12, 1809"),
    ("{{birth date|df=yes|1809|2|12}}", "12 February 1809"),
    ("{{death date and age|1865|4|15|1809|2|12}}", "April 15, 1865 (aged 56)"),
    ("{{start date|1969|07}}", "July 1969"),
    ("{{age|1809|2|12|1865|2|11}}", "55"),
    ("{{OldStyleDate|February 2|1905|January 20}}", "February 2 [O.S. January 20] 1905"),
    ("{{OldStyleDateDY|2 February|1905|20 January}}", "2 February [O.S. 20 January] 1905"),
    ("{{nfly|1998}} {{nbay|2005}} {{nhly|1999}} {{nbay|2005|end}}", "1998 2005–06 1999–2000 2006"),
    # names
    ("{{rws|Leeds}} {{stl|BART|Fremont}}", "Leeds Fremont"),
    ("{{ussc|347|483|1954}}, {{USC|17|107}}", "347 U.S. 483 (1954), 17 U.S.C. § 107"),
    ("{{mp|2000 CR|105}}", "2000 CR105"),
    ("{{USS|Hornet|CV-12|6}}", "USS Hornet"),
    ("{{USS|Hornet|CV-12}}", "USS Hornet (CV-12)"),
    ("{{USS|Hornet|CV-12|1}}", "CV-12"),
    ("{{HMS|Ajax|22|2}}", "Ajax"),
    ("{{ship|French ship|Bretagne|1855|3}}", "Bretagne (1855)"),
    ("{{sclass|Nimitz|aircraft carrier}}", "Nimitz-class aircraft carrier"),
    ("{{flag|France}} {{flag|USA}} {{FRA}} {{flagicon|Italy}}", "France United States France"),
    ("{{sortname|Ada|Lovelace}}", "Ada Lovelace"),
    ("{{bibleverse|1|Kings|3:5}}", "1 Kings 3:5"),
    ("{{bibleref|Mark|3:25|9}}", "Mark 3:25"),
    # names are written in many ways
    ("{{ Nowrap |a}}{{template:nowrap|b}}{{not_a_typo|c}}{{\nnowrap\n|d}}", "abcd"),
    ("{{nowrap|1=a=b}}", "a=b"),
]  # fmt: skip


@pytest.mark.parametrize(("wikitext", "printed"), PRINTED)
def test_what_a_template_prints(wikitext: str, printed: str) -> None:
    page = f"There is this thing, {wikitext} as they say."
    assert CLEANER.clean(page) == [f"There is this thing, {printed} as they say."]


VANISHING = """
{{sfn|Smith|2001|p=5}} {{efn|A note.}} {{r|a}} {{rp|12}} {{refn|A note.}} {{cite web|title=A}}
{{citation needed|date=May}} {{cn}} {{who}} {{when}} {{clarify|x}} {{coord|1|N|2|E|display=title}}
{{IPAc-en|a|b}} {{IPA-fr|a}} {{respell|A|b}} {{flagicon|Italy}} {{anchor|x}} {{increase}}
{{see also|X}} {{main|X}} {{hatnote|A text.}} {{Infobox x|a=b}} {{fr icon}} {{dead link}}
{{#invoke:Foo|bar|x}} {{DEFAULTSORT:A}} {{DISPLAYTITLE:a}} {{#if:}} {{nowrap|}}
"""


@pytest.mark.parametrize("wikitext", re.findall(r"\{\{.*?\}\}", VANISHING))
def test_what_vanishes_leaves_no_trace(wikitext: str) -> None:
    assert CLEANER.clean(f"One two{wikitext}, three ({wikitext}) {wikitext} four.") == [
        "One two, three four."
    ]
    assert CLEANER.clean(f"{wikitext}\nOne two three.") == ["One two three."]


def test_the_table_is_in_the_form_that_lookups_use() -> None:
    assert len(TEMPLATES) > 400
    for name in TEMPLATES:
        assert name == " ".join(name.lower().split())


SOUNDS = [
    ("The sound {{IPA|/a/}} is open.", "The sound /a/ is open."),
    ("Rome ({{IPA|/a/}}) is old.", "Rome is old."),
    ("The word is {{IPA|it|ˈroma|It-Roma.ogg}} in it.", "The word is ˈroma in it."),
    ("Rome ({{IPA|it|ˈroma|pron}}; {{langx|la|Roma}}) is old.", "Rome (Latin: Roma) is old."),
    ("Rome (pronounced {{IPA-it|a}}; Latin: ''Roma'') is old.", "Rome (Latin: Roma) is old."),
    ("Rome (UK: {{IPAc-en|r}}, US: {{IPAc-en|r}}) is old.", "Rome is old."),
    ("Rome (Latin: ''Roma'', Italian pronunciation: {{IPA-it|a}}) is old.",
    "Rome (Latin: Roma) is old."),
    ("Rome {{IPAc-en|r}} is old.", "Rome is old."),
]  # fmt: skip


@pytest.mark.parametrize(("wikitext", "printed"), SOUNDS)
def test_pronunciations_go_with_what_leads_to_them(wikitext: str, printed: str) -> None:
    assert CLEANER.clean(wikitext) == [printed]
