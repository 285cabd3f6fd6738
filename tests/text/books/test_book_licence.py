"""The licence goes, the book stays, and nothing large goes without a word."""

from __future__ import annotations

import pytest

from transferset.text.books import Cleaned, TextCleaner

BOOK = TextCleaner()
PROSE = (
    "It was a bright cold day in the month of April, and all the clocks of\n"
    "the town were striking thirteen when the man with the narrow chest went\n"
    "quickly through the glass doors of the house, though not so quickly as\n"
    "he had wished.\n"
)
JOINED = PROSE.replace("\n", " ").strip()

HEADER = "The Project Gutenberg EBook of X, by Y\n\nThis eBook is for the use of anyone.\n\n"
START = "*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n\n"
CREDITS = "Produced by Sue Asscher and David Widger\n\n"
END = (
    "\n\nEnd of the Project Gutenberg EBook of X, by Y\n\n"
    "*** END OF THIS PROJECT GUTENBERG EBOOK X ***\n"
)
LICENCE = "\n".join(f"{n}. Project Gutenberg-tm licence text of this number.\n" for n in range(200))
BODY = f"X\n\n{PROSE}\nProduced by the heat of the sun, the wine was good.\n\n" + f"{PROSE}\n" * 700


def licensed(body: str = BODY, start: str = START, end: str = END) -> Cleaned:
    return BOOK.clean(f"{HEADER}{start}{CREDITS}{body}{end}{LICENCE}")


EXPECTED = BOOK.clean(BODY).passages


@pytest.mark.parametrize(
    "start",
    [
        START,
        START.lower(),
        START.replace("THIS", "THE"),
        START.replace("THIS ", ""),
        f"  {START}",
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n",
        START.replace(" X ***", " A LONG\nTITLE OF X ***"),
        f"*END*THE SMALL PRINT\n\nSee\n\n{START}",
    ],
)
def test_the_licence_goes_whatever_its_marker(start: str) -> None:
    cleaned = licensed(start=start)
    assert cleaned.passages == EXPECTED
    assert set(cleaned.removed) == {"licence", "credits"}
    assert cleaned.removed["credits"] == len("ProducedbySueAsscherandDavidWidger")
    assert cleaned.warnings == []
    assert 0 < cleaned.licence_share < 0.1


def test_an_end_marker_may_be_missing() -> None:
    cleaned = BOOK.clean(f"{HEADER}{START}{CREDITS}{BODY}The last")
    assert cleaned.passages == [*EXPECTED, "The last"]


def test_only_an_end_marker() -> None:
    cleaned = BOOK.clean(f"{BODY}The last{END}{LICENCE}")
    assert cleaned.passages == [*EXPECTED, "The last"]


def test_the_last_start_and_the_first_end_behind_it_in_a_file_of_two_books() -> None:
    one = f"{HEADER}{START}{CREDITS}{BODY}{END}{LICENCE}"
    cleaned = BOOK.clean(f"{one}\n\n{one}")
    assert cleaned.passages == EXPECTED * 2


def test_a_marker_inside_a_line_is_none() -> None:
    text = f"He wrote: *** START OF THIS PROJECT GUTENBERG EBOOK X ***\n\n{PROSE}"
    assert len(BOOK.clean(text).passages) == 2
    assert BOOK.clean(text).passages[1] == JOINED


def test_a_book_is_not_lost_to_a_stray_marker() -> None:
    cleaned = BOOK.clean(f"{BODY}\n\n{START}And so on.")
    assert cleaned.passages == [*EXPECTED, "And so on."]
    assert "do not read like its licence" in cleaned.warnings[0]


def test_of_a_short_text_the_licence_goes_with_a_warning_and_the_credits_stay() -> None:
    cleaned = licensed(body=PROSE)
    assert cleaned.passages == [CREDITS.strip(), JOINED]
    assert cleaned.licence_share > 0.9
    assert "more than 10%; credits were kept" in cleaned.warnings[0]


@pytest.mark.parametrize(
    "paragraph",
    [
        "Produced by Athens in her prime, the drama was a thing of beauty.",
        "Transcribed on the wall were these words.",
        "Prepared by long study, he spoke.",
    ],
)
def test_text_that_begins_like_credits_stays(paragraph: str) -> None:
    assert licensed(body=f"{paragraph}\n\n{BODY}").passages == [paragraph, *EXPECTED]


@pytest.mark.parametrize(
    "credit",
    [
        "E-text prepared by Juliet and the Online Distributed Proofreading\nTeam (https://www.pgdp.net)",
        "Transcribed from the 1892 edition by David Price, email ccx074@example.org",
        "[EBook #158]",
        "This etext was prepared by An Anonymous Volunteer.",
    ],
)
def test_credits_go(credit: str) -> None:
    assert licensed(body=f"{credit}\n\n{BODY}").passages == EXPECTED


def test_credits_are_looked_for_in_thirty_lines_and_behind_a_marker_only() -> None:
    far = f"{PROSE}\n" * 8 + CREDITS
    assert CREDITS.strip() in licensed(body=far + BODY).passages
    assert CREDITS.strip() in BOOK.clean(CREDITS + BODY).passages
