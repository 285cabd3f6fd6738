"""No word of a book's body is lost: each one appears in the passages, in order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.text.books import TextCleaner, decode

TEXT = """a I the Emma said Mr. upon house, ran; never day. night! so? "Oh café naïve König 1814 &
    £5 don't well-bred snake_case (here) [sic] x=1 and/or Mrs. Knightley, Lord U.S. é 語 über"""
WORDS = st.sampled_from(TEXT.split())
PROSE = st.lists(WORDS, min_size=1, max_size=60)
HEADING = st.sampled_from(
    [["CHAPTER", "I"], ["Chapter", "12"], ["EMMA"], ["VOLUME", "II"], ["THE", "END"]]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\u2028"])


def wrapped(words: list[str], width: int, indent: int) -> list[str]:
    """Greedily filled lines, as a typesetter makes them."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [" " * indent + filled for filled in [*lines, line]]


@st.composite
def books(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A book's text and its words: prose in a random width, headings, verse, italics, rules."""
    width, lines, words = draw(st.integers(20, 90)), [], []
    for _ in range(draw(st.integers(1, 12))):
        kind = draw(
            st.sampled_from(["prose", "prose", "indented", "heading", "verse", "italics", "rule"])
        )
        block = draw(HEADING if kind == "heading" else PROSE)
        if kind == "rule":
            lines.append("  * * *")
        elif kind == "verse":
            lines += [f"    {' '.join(block[at : at + 5])}" for at in range(0, len(block), 5)]
        elif kind == "italics":
            block = [word for word in block if "_" not in word]
            lines += wrapped(["_The", *block, "same_"], width, 0)
            block = ["The", *block, "same"]
        else:
            lines += wrapped(block, width, 4 if kind == "indented" else 0)
        words += [] if kind == "rule" else block
        lines += [""] * draw(st.integers(0 if kind == "heading" else 1, 3))
    text = draw(ENDS).join(lines)
    return text + draw(st.sampled_from(["", "\n"])), words


@given(books(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]))
@settings(max_examples=300, deadline=None)
def test_every_word_of_the_body_is_there_in_order(
    book: tuple[str, list[str]], encoding: str
) -> None:
    text, words = book
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    cleaned = TextCleaner().clean(decoded.text)
    # a number alone between blank lines reads as that of a page, and is counted
    if "page_number" not in cleaned.removed:
        assert " ".join(cleaned.passages).split() == words


@given(st.lists(st.lists(WORDS, min_size=1, max_size=60), min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_lines_are_passages(paragraphs: list[list[str]]) -> None:
    expected = [" ".join(words) for words in paragraphs]
    assert TextCleaner("lines").clean("\n\n".join(expected)).passages == expected


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=60), min_size=1, max_size=12), st.integers(20, 90)
)
@settings(max_examples=100, deadline=None)
def test_wrapped_paragraphs_come_back(paragraphs: list[list[str]], width: int) -> None:
    text = "\n\n".join("\n".join(wrapped(words, width, 0)) for words in paragraphs)
    assert TextCleaner("wrapped").clean(text).passages == [" ".join(words) for words in paragraphs]
