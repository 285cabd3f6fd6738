"""Which statements of licences say that a text is free."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.curation.licences import is_free

FREE = [
    "Public domain in the USA.",
    "public domain",
    "As Project Gutenberg states: public domain in the USA unless the book says otherwise",
    "Not copyrighted in the United States. If you live elsewhere check the laws of your country.",
    "No known copyright restrictions",
    "Copyright expired",
    "CC0",
    "CC0-1.0",
    "CC BY 4.0",
    "CC-BY-SA-3.0",
    "CC BY-SA 4.0 and GFDL",
    "https://creativecommons.org/licenses/by-sa/4.0/",
    "https://creativecommons.org/licenses/by/4.0/deed.en",
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "http://creativecommons.org/publicdomain/mark/1.0/",
    "Creative Commons Attribution-ShareAlike 4.0 International",
    "© 2020 A. Author. CC BY 4.0",
    "GFDL-1.3-or-later",
    "GNU Free Documentation License",
    "Apache License, Version 2.0",
    "MIT",
]
RESTRICTED = [
    "Copyrighted. Read the copyright notice inside this book for details.",
    "Copyrighted. CC BY 4.0 for the introduction",
    "All rights reserved",
    "In copyright",
    "Not in the public domain",
    "CC BY-NC 4.0",
    "CC-BY-NC-SA-4.0",
    "CC BY-ND 2.0",
    "http://creativecommons.org/licenses/by-nc-nd/3.0/",
    "Creative Commons Attribution-NonCommercial 4.0",
    "Creative Commons Attribution-NoDerivatives 4.0",
    "Public domain; illustrations used with permission",
    "Fair use",
]
UNKNOWN = ["", "  ", "free", "none", "see the book", "Copyright 2020 A. Author", "BY", "cc"]


@pytest.mark.parametrize("licence", FREE)
def test_free(licence):
    assert is_free(licence) is True


@pytest.mark.parametrize("licence", RESTRICTED)
def test_restricted(licence):
    assert is_free(licence) is False


@pytest.mark.parametrize("licence", UNKNOWN)
def test_unknown(licence):
    assert is_free(licence) is None


@given(st.sampled_from(FREE), st.sampled_from(RESTRICTED), st.booleans())
def test_a_restriction_weighs_more(free, restricted, first):
    both = [free, restricted] if first else [restricted, free]
    assert is_free(". ".join(both)) is False


@pytest.mark.parametrize("unit", ["cc by ", "not ", "mit a ", "no ", "copyright has ", "by-", "\t"])
def test_hostile_statements_are_read_in_linear_time(unit):
    # 0.1 s on a slow machine; work that grows with the square takes minutes
    start = time.process_time()
    is_free(unit * (100_000 // len(unit)))
    assert time.process_time() - start < 10
