"""Texts on which WordPiece engines were seen to differ; an engine must pass them to be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: Written by hand: every rule of BERT's normalizer and pre-tokenizer has a line here.
WRITTEN = (
    "",
    " ",
    "\t\n\r ",
    "Hello, world! It's John's 3.14-inch pie; isn't it?",
    "don't re-enter 1,000,000 e.g. U.S.A. a_b_c x=y+z <p> $5 50% ^ ` ~ |",
    "naïve café Ångström résumé Gödel Ørsted łódź ßtraße ẞ ŒUVRE æ ĳ ŉ",
    "cafe\u0301 A\u030angstro\u0308m n\u0303 \u0301start e\u0301\u0302\u0303 \u0338",
    "ΟΔΥΣΣΕΥΣ Σ ΑΣ. ΑΣΑ İstanbul ISPARTA ıI ǅ Ǆ ﬁne ﬂow ﬃ ſ K Å",
    "中文字符 漢字かな交じり文 カタカナ ｶﾀｶﾅ 한국어 \u1112\u1161\u11ab 𠀀𪛖𫝀 \uf900\U0002f800〇々",
    "русский ЙЁ й е\u0308 українська ғқң Հայերեն ქართული Ქ ᏣᎳᎩ ꭰ",
    "हिन्दी क्षेत्र தமிழ் ไทยภาษา ນ້ຳ မြန်မာ ភាសាខ្មែរ བོད་",
    "العربية عَرَبِيّ ٱلْ \u0640\u0640 עברית שָׁלוֹם فارسی\u200cها \u061c",
    "👍 👩\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🇩🇪 1\ufe0f\u20e3 👍🏽 \U000e0067 ☃ ♥",
    "©®™ € £ ¥ § ¶ † ‰ № ℃ ½ ² ₂ \u200e\u202aRTL\u202c\u2066x\u2069",
    "zero\u200bwidth no\u2060break so\u00adft \ufeffbom a\u200d\u200cb",
    "ctl \x00 \x01a\x02 \x07 \x0b vt \x0c ff \x1b \x1c \x1f \x7f \x80 \x85nel \x9f end",
    "space\u00a0nbsp\u1680og\u2002en\u2009thin\u200ahair",
    "line\u2028ls\u2029ps\u202fnn\u205fmm\u3000id\u180emo",
    "\ufffd a\ufffdb \ue000private \U000f0000x \ufdd0 \ufffe \uffff \U0010ffff \u0378 \U0003fffd",
    "“quoted” ‘single’ «fr» „de“ – — … · • ‐ ‑ ‒ ― ′ ″ 、。「」『』！？：；（）",
    "¿¡ ॥ ። ၊ ‽ ⁂ ‿ ﹏ ＿",
    "\u1fef \u037e \u0387 \u2260 \u226e \u212b \u2126 \u1e9b\u0323 \u0f71\u0f72 \u0344",
    "\ufb2a \u2adc \u0f73 \u1100\u1161 \ufdfa",
    "https://example.org/a?b=c&d=%20#f user@example.com C:\\dir\\file @name #tag 12:30 1/2 −3",
    "[", "]", "[]", "##", "##ing", "#", "a##b", "[UNK", "UNK]", "[ MASK ]", "[mask]", "[unused5]",
    "the [MASK] is [SEP] in [CLS] prose [UNK] and [PAD]", "[MASK][MASK]", "x[SEP]y",
    "<s></s><mask>",
    *("a" * n for n in (99, 100, 101, 200, 1000)),
    *("é" * n for n in (50, 99, 100, 101)),
    *("e\u0301" * n for n in (50, 51, 99, 100, 101)),
    *("\U0001f600" * n for n in (25, 26, 100, 101)),
    *("中" * n for n in (100, 101, 700)),
    *("." * n for n in (100, 101, 700)),
    "x" * 99 + "." + "y" * 101 + " " + "antidisestablishmentarianism" * 4,
    "unaffable supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "word " * 700,
)  # fmt: skip


def nasty(specials: Mapping[str, str]) -> list[str]:
    """Return the start-up set: what is written here, special pieces in prose, a Unicode sweep.

    Args:
        specials: The tokenizer's special pieces by role.
    """
    prose = [f"{left}{piece}{right}" for piece in specials.values() for left, right in _AROUND]
    return [*WRITTEN, *prose, *sweep(step=61)]


_AROUND = (("", ""), ("a ", " b"), ("a", "b"), ("(", ")."), ("\u0301", "\u0301"))


def sweep(step: int) -> Iterator[str]:
    """Yield short texts around every `step`-th code point, each alone, inside and after words.

    Args:
        step: 1 for every code point of Unicode but the surrogates.
    """
    for code in range(1, 0x32000, step):
        if not 0xD800 <= code < 0xE000:
            yield f"a{chr(code)}b {chr(code)} The{chr(code)}"
