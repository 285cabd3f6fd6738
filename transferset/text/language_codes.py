"""Language codes: those that lead interlanguage links, and the names that articles print."""

from __future__ import annotations

_CODES = """
aa ab ace ady af ak als alt am ami an ang ann anp ar arc ary arz as ast atj av avk awa ay az azb ba
ban bar bat-smg bbc bcl bdr be be-tarask be-x-old bew bg bh bi bjn blk bm bn bo bpy br bs btm bug
bxr ca cbk-zam cdo ce ceb ch cho chr chy ckb co cr crh cs csb cu cv cy da dag de dga din diq dsb dtp
dty dv dz ee el eml en eo es et eu ext fa fat ff fi fiu-vro fj fo fon fr frp frr fur fy ga gag gan
gcr gd gl glk gn gom gor got gpe gsw gu guc gur guw gv ha hak haw he hi hif ho hr hsb ht hu hy hyw
hz ia iba id ie ig igl ii ik ilo inh io is it iu ja jam jbo jv ka kaa kab kbd kbp kcg kg kge ki kj
kk kl km kn knc ko koi kr krc ks ksh ku kus kv kw ky la lad lb lbe lez lfn lg li lij lld lmo ln lo
lrc lt ltg lv lzh mad mai map-bms mdf mg mh mhr mi min mk ml mn mni mnw mos mr mrj ms mt mus mwl my
myv mzn na nah nap nb nds nds-nl ne new ng nia nl nn no nov nqo nr nrm nso nup nv ny oc olo om or os
pa pag pam pap pcd pcm pdc pfl pi pih pl pms pnb pnt ps pt pwn qu rki rm rmy rn ro roa-rup roa-tara
rsk ru rue rup rw sa sah sat sc scn sco sd se sg sgs sh shi shn si simple sk skr sl sm smn sn so sq
sr srn ss st stq su sv sw syl szl szy ta tay tcy tdd te tet tg th ti tig tk tl tly tn to tpi tr trv
ts tt tum tw ty tyv udm ug uk ur uz ve vec vep vi vls vo vro wa war wo wuu xal xh xmf yi yo yue za
zea zgh zh zh-classical zh-min-nan zh-yue zu
"""

#: Prefixes of links to the same page in another language's Wikipedia.
INTERLANGUAGE = frozenset(_CODES.split())

_NAMES = """
aa Afar; ab Abkhaz; ace Acehnese; ady Adyghe; ae Avestan; af Afrikaans; ain Ainu; ak Akan; akk
Akkadian; aln Gheg Albanian; am Amharic; an Aragonese; ang Old English; ar Arabic; arc Aramaic; arn
Mapuche; ary Moroccan Arabic; arz Egyptian Arabic; as Assamese; ast Asturian; av Avar; ay Aymara;
az Azerbaijani; ba Bashkir; bal Balochi; ban Balinese; bar Bavarian; bcl Central Bikol; be
Belarusian; ber Berber; bg Bulgarian; bho Bhojpuri; bi Bislama; bla Blackfoot; bm Bambara; bn
Bengali; bo Tibetan; br Breton; bs Bosnian; bug Buginese; ca Catalan; ce Chechen; ceb Cebuano; ch
Chamorro; chg Chagatai; cho Choctaw; chr Cherokee; chy Cheyenne; ckb Central Kurdish; cnr
Montenegrin; co Corsican; cop Coptic; cr Cree; crh Crimean Tatar; cs Czech; csb Kashubian; cu
Church Slavonic; cv Chuvash; cy Welsh; da Danish; dak Dakota; de German; dsb Lower Sorbian; dum
Middle Dutch; dv Dhivehi; dz Dzongkha; ee Ewe; egy Egyptian; el Greek; ell Greek; elx Elamite; en
English; enm Middle English; eo Esperanto; es Spanish; et Estonian; ett Etruscan; eu Basque; ext
Extremaduran; fa Persian; ff Fula; fi Finnish; fil Filipino; fj Fijian; fo Faroese; fr French; frm
Middle French; fro Old French; frp Arpitan; frr North Frisian; fur Friulian; fy West Frisian; ga
Irish; gd Scottish Gaelic; gez Geʽez; gil Gilbertese; gl Galician; gla Scottish Gaelic; gle Irish;
glk Gilaki; gmh Middle High German; gml Middle Low German; gn Guarani; goh Old High German; got
Gothic; grc Ancient Greek; gsw Swiss German; gu Gujarati; gv Manx; ha Hausa; hak Hakka Chinese; haw
Hawaiian; hbo Biblical Hebrew; he Hebrew; hi Hindi; hil Hiligaynon; hit Hittite; hop Hopi; hr
Croatian; hsb Upper Sorbian; ht Haitian Creole; hu Hungarian; hy Armenian; ia Interlingua; id
Indonesian; ig Igbo; ik Inupiaq; ilo Ilocano; inh Ingush; io Ido; is Icelandic; it Italian; iu
Inuktitut; ja Japanese; jv Javanese; ka Georgian; kab Kabyle; kbd Kabardian; kg Kongo; kha Khasi;
ki Kikuyu; kk Kazakh; kl Greenlandic; km Khmer; kmr Northern Kurdish; kn Kannada; ko Korean; kok
Konkani; krl Karelian; ks Kashmiri; ku Kurdish; kv Komi; kw Cornish; ky Kyrgyz; la Latin; lad
Judaeo-Spanish; lb Luxembourgish; lez Lezgian; lg Luganda; li Limburgish; lij Ligurian; liv
Livonian; lkt Lakota; lld Ladin; lmo Lombard; ln Lingala; lo Lao; lt Lithuanian; ltg Latgalian; luo
Luo; lv Latvian; lzz Laz; mad Madurese; mai Maithili; mdf Moksha; mg Malagasy; mga Middle Irish; mh
Marshallese; mhr Meadow Mari; mi Māori; mic Mi'kmaq; min Minangkabau; mk Macedonian; ml Malayalam;
mn Mongolian; mnc Manchu; mni Meitei; mnw Mon; moh Mohawk; mr Marathi; ms Malay; mt Maltese; mus
Muscogee; mwl Mirandese; my Burmese; myn Mayan; myv Erzya; mzn Mazanderani; na Nauruan; nah
Nahuatl; nan Hokkien; nap Neapolitan; nb Norwegian Bokmål; nci Classical Nahuatl; nd Northern
Ndebele; nds Low German; ne Nepali; niu Niuean; nl Dutch; nn Norwegian Nynorsk; no Norwegian; nod
Northern Thai; non Old Norse; nr Southern Ndebele; nso Northern Sotho; nv Navajo; ny Chewa; oc
Occitan; odt Old Dutch; ofs Old Frisian; oj Ojibwe; om Oromo; or Odia; orv Old East Slavic; os
Ossetian; osc Oscan; osx Old Saxon; ota Ottoman Turkish; otk Old Turkic; owl Old Welsh; pa Punjabi;
pag Pangasinan; pal Middle Persian; pam Kapampangan; pcd Picard; peo Old Persian; phn Phoenician;
pi Pali; pl Polish; pms Piedmontese; pro Old Occitan; ps Pashto; pt Portuguese; qu Quechua; rap
Rapa Nui; rif Riffian; rm Romansh; rn Kirundi; ro Romanian; roa-opt Galician-Portuguese; rom
Romani; ru Russian; rue Rusyn; rw Kinyarwanda; ryu Okinawan; sa Sanskrit; sah Yakut; sat Santali;
sc Sardinian; scn Sicilian; sco Scots; sd Sindhi; se Northern Sami; sg Sango; sga Old Irish; sgs
Samogitian; sh Serbo-Croatian; shn Shan; si Sinhala; sk Slovak; sl Slovene; sm Samoan; sma Southern
Sami; smj Lule Sami; smn Inari Sami; sms Skolt Sami; sn Shona; so Somali; sq Albanian; sr Serbian;
ss Swazi; st Sotho; stq Saterland Frisian; su Sundanese; sux Sumerian; sv Swedish; sw Swahili; syc
Classical Syriac; syr Syriac; szl Silesian; ta Tamil; tcy Tulu; te Telugu; tet Tetum; tg Tajik; th
Thai; ti Tigrinya; tk Turkmen; tl Tagalog; tli Tlingit; tn Tswana; to Tongan; tpi Tok Pisin; tr
Turkish; ts Tsonga; tt Tatar; tw Twi; ty Tahitian; tyv Tuvan; udm Udmurt; ug Uyghur; uga Ugaritic;
uk Ukrainian; ur Urdu; uz Uzbek; ve Venda; vec Venetian; vep Veps; vi Vietnamese; vls West Flemish;
vo Volapük; wa Walloon; war Waray; wlm Middle Welsh; wo Wolof; xal Kalmyk; xcl Classical Armenian;
xh Xhosa; xum Umbrian; yi Yiddish; yo Yoruba; yua Yucatec Maya; yue Cantonese; za Zhuang; zh
Chinese; zu Zulu; zza Zazaki
"""

#: English names of languages, as {{langx}} prints them.
NAMES: dict[str, str] = {
    code: name
    for code, _, name in (
        entry.strip().partition(" ") for entry in _NAMES.replace("\n", " ").split(";")
    )
}


def language_name(code: str) -> str:
    """The English name of a language tag such as `sr-Cyrl`, or an empty string."""
    code = code.strip().lower()
    return NAMES.get(code) or NAMES.get(code.partition("-")[0], "")


#: Older names of the file namespace that MediaWiki still takes but a dump's header does not list.
FILE_ALIASES: dict[str, str] = {
    "ar": "صورة",
    "bg": "картинка",
    "ca": "imatge",
    "cs": "obrázek",
    "da": "billede",
    "de": "bild",
    "es": "imagen",
    "fi": "kuva",
    "he": "תמונה",
    "hu": "kép",
    "it": "immagine",
    "ja": "画像",
    "ko": "그림",
    "nl": "afbeelding",
    "no": "bilde",
    "pl": "grafika",
    "pt": "imagem",
    "ro": "imagine",
    "ru": "изображение",
    "sk": "obrázok",
    "sr": "слика",
    "sv": "bild",
    "tr": "resim",
    "uk": "зображення",
    "vi": "hình",
    "zh": "图像 圖像 圖片 图片 檔案",
}
