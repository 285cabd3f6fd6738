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
ab Abkhaz; ae Avestan; af Afrikaans; ak Akan; akk Akkadian; aln Gheg Albanian; am Amharic;
an Aragonese; ang Old English; ar Arabic; arc Aramaic; arn Mapuche; ary Moroccan Arabic;
arz Egyptian Arabic; as Assamese; ast Asturian; av Avar; ay Aymara; az Azerbaijani; ba Bashkir;
be Belarusian; ber Berber; bg Bulgarian; bn Bengali; bo Tibetan; br Breton; bs Bosnian; ca Catalan;
ce Chechen; ceb Cebuano; chr Cherokee; ckb Central Kurdish; co Corsican; cop Coptic;
crh Crimean Tatar; cs Czech; cu Church Slavonic; cv Chuvash; cy Welsh; da Danish; de German;
dsb Lower Sorbian; dv Dhivehi; dz Dzongkha; egy Egyptian; el Greek; ell Greek; en English;
enm Middle English; eo Esperanto; es Spanish; et Estonian; eu Basque; fa Persian; fi Finnish;
fil Filipino; fj Fijian; fo Faroese; fr French; fro Old French; frp Arpitan; frr North Frisian;
fur Friulian; fy West Frisian; ga Irish; gd Scottish Gaelic; gez Geʽez; gl Galician;
gla Scottish Gaelic; gle Irish; gmh Middle High German; gn Guarani; goh Old High German;
got Gothic; grc Ancient Greek; gsw Swiss German; gu Gujarati; gv Manx; ha Hausa; haw Hawaiian;
he Hebrew; hi Hindi; hr Croatian; hsb Upper Sorbian; ht Haitian Creole; hu Hungarian; hy Armenian;
ia Interlingua; id Indonesian; ig Igbo; io Ido; is Icelandic; it Italian; iu Inuktitut;
ja Japanese; jv Javanese; ka Georgian; kab Kabyle; kk Kazakh; kl Greenlandic; km Khmer; kn Kannada;
ko Korean; ks Kashmiri; ku Kurdish; kw Cornish; ky Kyrgyz; la Latin; lad Judaeo-Spanish;
lb Luxembourgish; li Limburgish; lij Ligurian; lmo Lombard; ln Lingala; lo Lao; lt Lithuanian;
lv Latvian; mg Malagasy; mi Māori; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi; ms Malay;
mt Maltese; my Burmese; myn Mayan; nah Nahuatl; nap Neapolitan; nds Low German; ne Nepali;
nl Dutch; nn Norwegian Nynorsk; no Norwegian; nb Norwegian Bokmål; non Old Norse;
nso Northern Sotho; nv Navajo; oc Occitan; oj Ojibwe; om Oromo; or Odia; os Ossetian;
ota Ottoman Turkish; pa Punjabi; pal Middle Persian; peo Old Persian; pi Pali; pl Polish;
pms Piedmontese; ps Pashto; pt Portuguese; qu Quechua; rm Romansh; ro Romanian; rom Romani;
ru Russian; rue Rusyn; rw Kinyarwanda; sa Sanskrit; sc Sardinian; scn Sicilian; sco Scots;
sd Sindhi; se Northern Sami; sh Serbo-Croatian; si Sinhala; sk Slovak; sl Slovene; sm Samoan;
sn Shona; so Somali; sq Albanian; sr Serbian; ss Swazi; st Sotho; su Sundanese; sux Sumerian;
sv Swedish; sw Swahili; syc Classical Syriac; syr Syriac; ta Tamil; te Telugu; tet Tetum; tg Tajik;
th Thai; ti Tigrinya; tk Turkmen; tl Tagalog; tn Tswana; to Tongan; tr Turkish; ts Tsonga;
tt Tatar; ty Tahitian; ug Uyghur; uk Ukrainian; ur Urdu; uz Uzbek; ve Venda; vec Venetian;
vi Vietnamese; vo Volapük; wa Walloon; wo Wolof; xal Kalmyk; xh Xhosa; yi Yiddish; yo Yoruba;
yua Yucatec Maya; yue Cantonese; za Zhuang; zh Chinese; zu Zulu
"""

#: English names of languages, as {{langx}} prints them.
NAMES: dict[str, str] = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _NAMES.split(";"))
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
