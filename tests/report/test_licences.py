from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.report.licences import hub_names, spdx, spdx_names, spdx_url


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0"),
        ("cc-by-sa-3.0", "CC-BY-SA-3.0"),
        ("CC BY-SA 4.0 and GFDL", "CC-BY-SA-4.0 AND GFDL-1.1-or-later"),
        ("CC BY-SA 3.0 or GFDL 1.2 or any later version", "CC-BY-SA-3.0 OR GFDL-1.2-or-later"),
        ("GNU Free Documentation License 1.3", "GFDL-1.3-only"),
        ("GFDL-1.3-or-later", "GFDL-1.3-or-later"),
        ("CC0-1.0", "CC0-1.0"),
        ("CC0", "CC0-1.0"),
        ("Creative Commons Zero v1.0 Universal", "CC0-1.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
        ("Creative Commons Attribution-NonCommercial-NoDerivs 3.0 Unported.", "CC-BY-NC-ND-3.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/2.5/deed.en", "CC-BY-NC-SA-2.5"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"),
        ("Public Domain Mark 1.0", "CC-PDM-1.0"),
        ("https://spdx.org/licenses/ODC-By-1.0.html", "ODC-By-1.0"),
        ("MIT License", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("CC0-1.0 AND CC BY-SA 4.0", "CC0-1.0 AND CC-BY-SA-4.0"),
        ("CC BY 4.0; CC BY 4.0", "CC-BY-4.0"),
    ],
)
def test_words_have_their_spdx_name(words, expected):
    assert spdx(words) == expected
    assert spdx(expected) == expected


@pytest.mark.parametrize(
    "words",
    [
        "", "unknown", "CC BY-SA", "CC BY-SA 5.0", "CC BY-SA 4.0 and my own", "GFDL or later",
        "Public domain", "Public domain in the USA.",  # facts about a country, not licences
        "Copyrighted. Read the copyright notice inside this book for details.",
        "CC0 and MIT or Apache-2.0",  # two readings
        "CC BY-ND-SA 4.0", "a" * 100_000,
    ],
)  # fmt: skip
def test_what_spdx_has_no_name_for_has_none(words):
    assert spdx(words) is None
    assert spdx_names(words) == []


@given(st.text(max_size=60))
def test_any_words_are_read(words):
    found = spdx(words)
    assert found is None or spdx(found) == found


def test_names_one_by_one():
    assert spdx_names("CC BY-SA 4.0 and GFDL") == ["CC-BY-SA-4.0", "GFDL-1.1-or-later"]
    assert spdx_url("CC0-1.0") == "https://spdx.org/licenses/CC0-1.0"


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (["CC BY-SA 4.0 and GFDL"], ["cc-by-sa-4.0", "gfdl"]),
        (["CC0-1.0", "CC0", "ODC-By"], ["cc0-1.0", "odc-by"]),
        (["CC0-1.0", "my own"], None),
        (["CC BY 1.0"], None),  # SPDX has it, the hub has not
        ([], None),
    ],
)
def test_names_on_the_hub(licences, expected):
    assert hub_names(licences) == expected
