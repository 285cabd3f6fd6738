"""Bytes become the text that was meant, or a refusal that says why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError
from transferset.text.books import decode

# Short texts, and the encodings in which files of such texts are found.
TEXTS = {
    "en": (
        "The café at the corner was closed — “for good,” he said, and the naïve "
        "waiter shrugged.\nNothing else happened that day; it wasn’t a fête.\n"
    ),
    "en1": ("He paid £5 for it.\nIt was 20° outside.\n"),
    "fr": (
        "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma "
        "bougie éteinte, mes yeux se fermaient si vite que je n’avais pas le "
        "temps de me dire : « Je m’endors. » Et, une demi-heure après, la "
        "pensée qu’il était temps de chercher le sommeil m’éveillait.\n"
    ),
    "de": (
        "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er "
        "sich in seinem Bett zu einem ungeheueren Ungeziefer verwandelt. Er lag "
        "auf seinem panzerartig harten Rücken und sah, wenn er den Kopf ein "
        "wenig hob, seinen gewölbten, braunen, von bogenförmigen Versteifungen "
        "geteilten Bauch.\n"
    ),
    "es": (
        "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha "
        "mucho tiempo que vivía un hidalgo de los de lanza en astillero, adarga "
        "antigua, rocín flaco y galgo corredor. ¿Qué más? ¡Señor! El año que "
        "viene será mejor, según decían.\n"
    ),
    "fi": (
        "Mieleni minun tekevi, aivoni ajattelevi lähteäni laulamahan, saa'ani "
        "sanelemahan, sukuvirttä suoltamahan, lajivirttä laulamahan. Sanat "
        "suussani sulavat, puhe'et putoelevat, kielelleni kerkiävät, "
        "hampahilleni hajoovat. Tämä on hyvää päivää äitini kanssa.\n"
    ),
    "sv": (
        "Sverige är ett konungarike i norra Europa på Skandinaviska halvön. Det "
        "är så långt åt öster som möjligt, där älven möter sjön och över åsarna "
        "går vägen hem till gården.\n"
    ),
    "da": (
        "Der var engang en prins; han ville have sig en prinsesse, men det "
        "skulle være en rigtig prinsesse. Så rejste han hele verden rundt, for "
        "at finde sådan en, men alle vegne var der noget i vejen.\n"
    ),
    "pt": (
        "Não consultes médicos; sê tu próprio a tua consciência. A educação é a "
        "base da nação, e a razão está à vista: são corações e mãos que "
        "constroem amanhã.\n"
    ),
    "is": (
        "Hér hefur upp sögu þá er segir frá þeim mönnum er bjuggu á Íslandi. "
        "Hann var góður maður og átti mörg börn. Þau fóru síðan til Noregs og "
        "dvöldu þar um veturinn hjá konungi, og þótti öllum vel um þá. Síðan "
        "sigldu þeir aftur út til Íslands.\n"
    ),
    "ru": (
        "Все счастливые семьи похожи друг на друга, каждая несчастливая семья "
        "несчастлива по-своему. Все смешалось в доме Облонских.\n"
    ),
    "ru_short": ("Привет, мир. Как дела?\n"),
    "ru_in_en": ("The title reads:\nВойна и мир\nand that is all there is.\n"),
    "el": (
        "Μήνιν άειδε θεά Πηληιάδεω Αχιλήος ουλομένην, η μυρί Αχαιοίς άλγε "
        "έθηκε, πολλάς δ ιφθίμους ψυχάς.\n"
    ),
    "he": ("בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו וחשך על פני תהום.\n"),
    "ar": ("في البدء خلق الله السماوات والأرض وكانت الأرض خربة وخالية وعلى وجه الغمر ظلمة.\n"),
    "ja": (
        "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。\n"
    ),
    "ja_short": ("吾輩は猫である。名前はまだ無い。\n"),
    "zh": (
        "道可道，非常道。名可名，非常名。無名天地之始；有名萬物之母。故常無欲以觀其妙；常有欲以觀其徼。\n"
    ),
    "zhs": (
        "话说天下大势，分久必合，合久必分。周末七国分争，并入于秦。及秦灭之后，楚、汉分争，又并入于汉。\n"
    ),
    "ko": (
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. "
        "인간은 천부적으로 이성과 양심을 부여받았다.\n"
    ),
    "cs": (
        "Když se Řehoř Samsa jednoho rána probudil z nepokojných snů, shledal, "
        "že se v posteli proměnil v jakýsi nestvůrný hmyz. Ležel na zádech "
        "tvrdých jak krunýř, a když trochu nadzvedl hlavu, uviděl vyklenuté, "
        "hnědé břicho.\n"
    ),
    "pl": (
        "Gdy Grzegorz Samsa obudził się pewnego rana z niespokojnych snów, "
        "stwierdził, że zmienił się w łóżku w potwornego robaka. Leżał na "
        "grzbiecie twardym jak pancerz, a gdy uniósł nieco głowę, widział swój "
        "sklepiony, brązowy, podzielony brzuch.\n"
    ),
}
ENCODED = {
    "en": ["cp1252"],
    "en1": ["latin-1"],
    "fr": ["cp1252"],
    "de": ["cp1252"],
    "es": ["latin-1"],
    "fi": ["latin-1"],
    "sv": ["cp1252"],
    "da": ["latin-1"],
    "pt": ["cp1252"],
    "is": ["cp1252"],
    "ru": ["cp1251", "koi8-r", "cp866", "iso8859-5"],
    "ru_short": ["cp1251", "koi8-r"],
    "ru_in_en": ["cp1251", "koi8-r"],
    "el": ["cp1253"],
    "he": ["cp1255"],
    "ar": ["cp1256"],
    "ja": ["shift_jis", "euc_jp", "iso2022_jp"],
    "ja_short": ["shift_jis", "euc_jp"],
    "zh": ["big5", "gb18030"],
    "zhs": ["gb2312"],
    "ko": ["euc_kr"],
    "cs": ["cp1250", "iso8859-2"],
    "pl": ["cp1250", "iso8859-2"],
}

KINDS = [(name, encoding) for name, encodings in ENCODED.items() for encoding in encodings]


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize(("name", "encoding"), KINDS)
def test_a_short_text_in_each_encoding(name: str, encoding: str, times: int) -> None:
    text = TEXTS[name] * times
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"],
)
def test_a_short_text_in_unicode(name: str, encoding: str) -> None:
    text = TEXTS[name]
    assert decode(text.encode(encoding)).text == text


@given(
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff\ufffd"
        ),
        min_size=1,
    )
)
@settings(max_examples=200, deadline=None)
def test_utf8_comes_back(text: str) -> None:
    assert decode(text.encode("utf-8")).text == text
    assert decode(text.encode("utf-8-sig")).encoding == "utf-8"


def test_valid_utf8_beats_what_was_declared() -> None:
    assert decode("café".encode(), "cp1251").text == "café"


def test_what_was_declared_beats_a_guess() -> None:
    raw = "Пять, не больше.".encode("koi8-r")
    assert decode(raw, "KOI8-R").encoding == "koi8-r"
    assert decode(
        b"Title\nCharacter set encoding: ISO-8859-2\n\nza\xbe\xf3\xb3\xe6\n"
    ).text.endswith("zažółć\n")


@pytest.mark.parametrize(
    "declared",
    ["ISO-8859-1", "us-ascii", "utf-8", "no such", "zlib", "unicode_escape", "a\0b", "idna", ""],
)
def test_a_declaration_that_does_not_help_is_passed_over(declared: str) -> None:
    assert decode(b"He said \x93caf\xe9\x94.", declared).text == "He said “café”."


def test_latin1_where_cp1252_has_no_character() -> None:
    text = "Le café était ouvert ce jour.\n" * 20 + "So\x81.\n"
    decoded = decode(text.encode("latin-1").replace(b"So", b"S\xf4"))
    assert decoded.text == text.replace("So\x81", "Sô")
    assert (decoded.encoding, decoded.removed) == ("latin-1", 1)


def test_what_no_text_may_hold_is_taken_out_and_counted() -> None:
    decoded = decode("A\x01 b\ufffd.\f\u0085\n\x1a".encode())
    assert (decoded.text, decoded.removed) == ("A b.\f\u0085\n", 3)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"plain\0text and more", "NUL bytes at byte 5"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", "NUL bytes"),
        (bytes(range(1, 256)) * 20, "no known encoding"),
        (b"\x01\x02\x03\x04" * 50, "control or replacement characters"),
        ("café au lait, ".encode() * 9 + b"caf\xe9", "byte 0xe9 among UTF-8 at byte 138"),
        (b"\xef\xbb\xbfcaf\xe9", "byte 0xe9 among UTF-8"),
        ("\ufffd".encode() * 100, "control or replacement characters"),
    ],
)
def test_what_is_no_text_is_refused(raw: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found):
        decode(raw)


@pytest.mark.parametrize("raw", [b"", b"\n", b"a", b"\xe9", b"\xff\xfe", b"\xef\xbb\xbf", b"a\r\n"])
def test_hardly_any_bytes(raw: bytes) -> None:
    assert len(decode(raw).text) <= len(raw)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_text_or_refused(raw: bytes) -> None:
    try:
        text = decode(raw).text
    except InputError:
        return
    assert "\0" not in text
    assert "\ufffd" not in text
    assert text.encode("utf-8").decode("utf-8") == text
