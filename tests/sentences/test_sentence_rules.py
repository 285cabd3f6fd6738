from __future__ import annotations

import pytest

from transferset.sentences import get_splitter


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        # Chinese: no space between sentences; the closing quote belongs to its sentence.
        ("zh", ["这是一支笔。", "那是一本书！", "“是吗？”", "他走了。"]),
        ("zh-yue", ["今日好熱。", "你去邊度?", "我返屋企。"]),
        # Japanese: a particle after the quotation goes on with the sentence.
        ("ja", ["彼は「はい。」と言った。", "東京（首都。）は大きい。", "ラブライブ！の曲。"]),
        ("ja", ["円周率は3.14です。", "３．１４とも書く。"]),
        # Korean has spaces and the full stop.
        ("ko", ["그는 학교에 갔다.", "날씨는 3.5도였다.", "정말?", "그래."]),
        # Danda, with and without a space; the full stop in Marathi; initials.
        ("hi", ["यह एक किताब है।", "वह घर गया।", "क्या यह सच है?", "श्लोक समाप्त॥"]),
        ("mr", ["हे एक पुस्तक आहे.", "तो घरी गेला."]),
        ("bn", ["এটি একটি বই।", "সে বাড়ি গেল।"]),
        # Arabic script: its own question mark; Urdu's full stop.
        ("ar", ["ذهب إلى البيت.", "هل هذا صحيح؟", "نعم، صحيح!"]),
        ("ur", ["یہ ایک کتاب ہے۔", "کیا یہ سچ ہے؟", "جی ہاں۔"]),
        ("fa", ["او به خانه رفت.", "آیا درست است؟", "بله."]),
        ("he", ["הוא הלך הביתה.", "האם זה נכון?", "כן."]),
        # Ethiopic, Khmer (with "and so on"), Burmese, Armenian, Tibetan.
        ("am", ["ይህ መጽሐፍ ነው።", "እሱ ሄደ፧", "አዎ።"]),
        ("km", ["នេះជាសៀវភៅ ផ្លែឈើ ។ល។", "គាត់ទៅផ្ទះ។"]),
        ("my", ["ဒါ စာအုပ် ဖြစ်တယ်။", "သူ အိမ်ပြန်တယ်။"]),
        ("hy", ["Սա գիրք է։", "Նա տուն գնաց։"]),
        ("bo", ["འདི་དཔེ་ཆ་རེད།", "ཁོ་ནང་ལ་ཕྱིན་སོང་།"]),
        # Thai marks no ends.
        ("th", ["นี่คือหนังสือ เขากลับบ้าน วันนี้อากาศดี"]),
        # Georgian letters count as lower case in Unicode, but start sentences.
        ("ka", ["ეს წიგნია.", "ის სახლში წავიდა."]),
        # Latin and Cyrillic scripts: ordinals, initials, abbreviations, decimals, lower case.
        (
            "hu",
            ["Ez 1848. március 15. napja volt.", "Prof. Kovács J. Pál és Dr. Nagy jött.", "Jó."],
        ),
        ("ro", ["Dl. Popescu a plecat.", "A fost în 1990.", "Apoi s-a întors."]),
        ("uk", ["Він народився 12. Травня, тобто т.зв. Днем.", "Потім пішов."]),
        ("vi", ["Đây là sách.", "Anh ấy về nhà… đúng không?", "Vâng!"]),
        ("id", ['"Ini buku."', "Dia pulang?", "(Ya.)", "Benar."]),
        ("ca", ["La pàg. 5 és aquí.", "El Sr. Puig parla.", "Sí?", "¡No!"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language: str, sentences: list[str]) -> None:
    splitter = get_splitter("rules", language)
    unspaced = language.startswith(("zh", "ja"))
    assert splitter.split(("" if unspaced else " ").join(sentences)) == sentences
    assert splitter.split(" ".join(sentences)) == sentences


def test_a_lone_mark_belongs_to_the_sentence_before() -> None:
    assert get_splitter("rules", "km").split("ផ្លែឈើ ។ល។ ។ គាត់") == ["ផ្លែឈើ ។ល។ ។", "គាត់"]
    assert get_splitter("rules", "fr").split("Non ! ! Si !") == ["Non ! !", "Si !"]


def test_indic_marks_need_no_space() -> None:
    assert get_splitter("rules", "hi").split("यह है।वह है।।") == ["यह है।", "वह है।।"]
