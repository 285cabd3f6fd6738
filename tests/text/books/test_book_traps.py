"""What happens to each trap that real books hold; the expected passages are written by hand."""

from __future__ import annotations

import pytest

from transferset.text.books import TextCleaner

BOOK = TextCleaner()


def passages(text: str) -> list[str]:
    return BOOK.clean(text).passages


PROSE = (
    "It was a bright cold day in the month of April, and all the clocks of\n"
    "the town were striking thirteen when the man with the narrow chest went\n"
    "quickly through the glass doors of the house, though not so quickly as\n"
    "he had wished.\n"
)
JOINED = PROSE.replace("\n", " ").strip()

TRAPS = {
    "hard wraps": (
        "One line\nand the next.\n\nA second paragraph.\n",
        ["One line and the next.", "A second paragraph."],
    ),
    "no final newline": ("First.\n\nThe last\nparagraph", ["First.", "The last paragraph"]),
    "byte order mark": ("\ufeffFirst.\n", ["First."]),
    "CRLF": ("One line\r\nand the next.\r\n\r\nTwo.\r\n", ["One line and the next.", "Two."]),
    "CR": ("One line\rand the next.\r\rTwo.\r", ["One line and the next.", "Two."]),
    "line separators": (
        "One line\u2028and the next.\u2029Two.",
        ["One line and the next.", "Two."],
    ),
    "blank lines that hold spaces": ("One.\n   \nTwo.\n\t\nThree.", ["One.", "Two.", "Three."]),
    "a page ends in a sentence": ("He went\n\fto the house.\n", ["He went to the house."]),
    "a page ends with a paragraph": (
        "He went.\n\fThe house stood.\n",
        ["He went.", "The house stood."],
    ),
    "a page's number in a sentence": ("He went\n\n12\n\nto the house.", ["He went to the house."]),
    "a page's number with dashes": ("He went.\n\n- 12 -\n\nShe came.", ["He went.", "She came."]),
    "a page's number and its end": ("He went to\n\n 12\n\fthe house.", ["He went to the house."]),
    "[Pg 12] in a line": (
        "He went [Pg 12]to the house {13}again.",
        ["He went to the house again."],
    ),
    "a year in a title": (
        "MANSFIELD PARK\n\n(1814)\n\nIt was so.",
        ["MANSFIELD PARK", "(1814)", "It was so."],
    ),
    "a word cut at a line's end": ("We saw the exam-\nple there.", ["We saw the example there."]),
    "a compound cut at a line's end": (
        "The drawing-room. Her drawing-\nroom was cold.",
        ["The drawing-room. Her drawing-room was cold."],
    ),
    "cut, and elsewhere in one": (
        "A drawing-\nroom; the drawingroom.",
        ["A drawingroom; the drawingroom."],
    ),
    "a name cut at a line's end": ("The Anglo-\nSaxon came.", ["The Anglo-Saxon came."]),
    "years cut at a line's end": ("The war of 1914-\n18 ended.", ["The war of 1914-18 ended."]),
    "a hyphen that waits for its word": (
        "Of two-\nand three-act plays.",
        ["Of two- and three-act plays."],
    ),
    "a dash at a line's end": ("He stopped--\nthen went on.", ["He stopped-- then went on."]),
    "tight dashes": (
        "So--and so--but he\nstopped--\nthen went on.",
        ["So--and so--but he stopped--then went on."],
    ),
    "spaced dashes": (
        "So -- and so -- but he --\nstopped.",
        ["So -- and so -- but he -- stopped."],
    ),
    "items of a list": ("I. The Start\nII. The End", ["I. The Start", "II. The End"]),
    "a word cut by a page": (
        "We saw the exam-\n\n[Pg 7]\n\nple there.",
        ["We saw the example there."],
    ),
    "soft hyphens": ("An ex\u00adam\u00ad\nple of it.", ["An example of it."]),
    "_italics_": (
        "He said _never_ and _not\nonce_, you _know_.",
        ["He said never and not once, you know."],
    ),
    "=bold= and ~spaced~": ("A =bold= word, a ~wide~ one.", ["A bold word, a wide one."]),
    "marks that are none": (
        "snake_case and a_b_c, a = b = c, ~5 or ~6, __init__, x=1=y.",
        ["snake_case and a_b_c, a = b = c, ~5 or ~6, __init__, x=1=y."],
    ),
    "italics with punctuation": (
        '"_You_!" he cried, "_Emma_\'s--_now_."',
        ['"You!" he cried, "Emma\'s--now."'],
    ),
    "an illustration": ("One.\n\n[Illustration]\n\nTwo.", ["One.", "Two."]),
    "an illustration with brackets": (
        "One.\n\n[Illustration: A man\n\nwith [the] hat.]\n\nTwo.",
        ["One.", "Two."],
    ),
    "an illustration in a sentence": (
        "He went\n\n[Illustration: him]\n\nto bed.",
        ["He went to bed."],
    ),
    "an illustration between lines": ("He went\n[Illustration: him]\nto bed.", ["He went to bed."]),
    "an illustration that is never closed": (
        "One [Illustration: a.\n\nTwo.",
        ["One [Illustration: a.", "Two."],
    ),
    "footnote marks": (
        "The king[1] came [2], they say.[A] So.[*]\n",
        ["The king came, they say. So."],
    ),
    "brackets that are no marks": (
        "He [Exit] said [sic] the line [A] ends.",
        ["He [Exit] said [sic] the line [A] ends."],
    ),
    "a footnote": (
        "The king came.\n\n[Footnote 1: See [2] there.]\n\nHe went.",
        ["The king came.", "He went."],
    ),
    "a footnote without brackets": (
        "The king[1] came.\n\n[1] See there.\n",
        ["The king came.", "See there."],
    ),
    "a transcriber's note": ("[Transcriber's Note: spelling kept.]\n\nOne.", ["One."]),
    "rules": (
        "One.\n\n  * * * * *\n\nTwo.\n\n-----\n\nThree.\n=====\nFour.\n_____\n\nFive.",
        ["One.", "Two.", "Three.", "Four.", "Five."],
    ),
    "a heading over its text": ("CHAPTER I\nIt is a truth.", ["CHAPTER I", "It is a truth."]),
    "a heading apart from its text": (
        "Chapter 1\n\n\nEmma Woodhouse, handsome,\nclever.",
        ["Chapter 1", "Emma Woodhouse, handsome, clever."],
    ),
    "volumes, titles, ends": (
        f"EMMA\n\nVOLUME II\nCHAPTER IV\n{PROSE}\nTHE END",
        ["EMMA", "VOLUME II", "CHAPTER IV", JOINED, "THE END"],
    ),
    "capitals over their text": (f"THE ESCAPE\n{PROSE}", ["THE ESCAPE", JOINED]),
    "a table of contents": (
        f"CONTENTS\n\nI. The Start      1\nII. The End     20\n\n{PROSE}",
        ["CONTENTS", "I. The Start 1", "II. The End 20", JOINED],
    ),
    "verse": (
        f"{PROSE}\n  My first doth affliction denote,\n    Which my second is destined to feel;\n"
        f"  And my whole is the best\n    That affliction to heal.\n\n{PROSE}",
        [
            JOINED,
            "My first doth affliction denote,",
            "Which my second is destined to feel;",
            "And my whole is the best",
            "That affliction to heal.",
            JOINED,
        ],
    ),
    "verse that is not indented": (
        f"{PROSE}\nTyger Tyger, burning bright,\nIn the forests of the night;\n"
        f"What immortal hand or eye,\nCould frame\n\n{PROSE}",
        [
            JOINED,
            "Tyger Tyger, burning bright,",
            "In the forests of the night;",
            "What immortal hand or eye,",
            "Could frame",
            JOINED,
        ],
    ),
    "an indented letter": (
        f"{PROSE}\n     I have just had the honour of receiving\n     your letter, for which I"
        f" beg to return\n     my thanks.\n\n{PROSE}",
        [
            JOINED,
            "I have just had the honour of receiving your letter, for which I beg"
            " to return my thanks.",
            JOINED,
        ],
    ),
    "paragraphs by indentation": (f"   {PROSE}   {PROSE}", [JOINED, JOINED]),
    "a letter's salutation and name": (
        f"My dear Sir,\n{PROSE}\nYours ever,\n      JANE B.",
        ["My dear Sir,", JOINED, "Yours ever,", "JANE B."],
    ),
    "dialogue": (
        '"Oh! Single, my dear, to be sure! A single man of large fortune; four or\n'
        'Five thousand a year. What a fine thing for our girls!"\n\n"How so?"\n',
        [
            '"Oh! Single, my dear, to be sure! A single man of large fortune; four or Five thousand'
            ' a year. What a fine thing for our girls!"',
            '"How so?"',
        ],
    ),
    "a quotation of two paragraphs": (
        '"One is here,\nhe said.\n\n"Two is there."\n',
        ['"One is here, he said.', '"Two is there."'],
    ),
    "Mr. at a line's end": (
        f"{PROSE}\nThen came Mr.\nKnightley.\n",
        [JOINED, "Then came Mr. Knightley."],
    ),
    "controls": ("A\x01 b\u200bc\ufffd.\0", ["A bc."]),
    "East Asian lines": (
        "吾輩は猫である。名前は\nまだ無い。",
        ["吾輩は猫である。名前はまだ無い。"],
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_trap(trap: str) -> None:
    text, expected = TRAPS[trap]
    assert passages(text) == expected
