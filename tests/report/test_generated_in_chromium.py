"""The section on written rows as a reader sees it; skipped where there is no Chromium."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from generated_sets import SAMPLING, make_generated
from headless import Chromium, find_chromium
from report_sets import measured

from transferset.ledger import Reason
from transferset.report.generated import LOST
from transferset.report.page import write_report
from transferset.report.palette import DARK, LIGHT

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium: apt-get install chromium-headless-shell, or name one in $CHROMIUM",
)

WIDTHS = pytest.mark.parametrize("width", [360, 768, 1100])

SECTION = "document.querySelector('#written')"
SEEN = f"[...{SECTION}.querySelectorAll('svg')].filter(e => e.checkVisibility())"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(str(find_chromium()), tmp_path_factory.mktemp("profile")) as running:
        yield running


def rows(count, seed):
    draw = np.random.default_rng(seed)
    return [draw.integers(5, 900, 1 + int(draw.gamma(3, 4))).tolist() for _ in range(count)]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A set with all outcomes there are, and one that nothing is known of but its rows."""
    root = tmp_path_factory.mktemp("page")
    ledger = [
        {"reason": str(why), "unit": "attempts", "count": 10**i} for i, why in enumerate(LOST)
    ]
    assert {entry["reason"] for entry in ledger} < {str(one) for one in Reason}
    texts = [f"</td><script>alert(1)</script>{'W' * 300}\u202e {i}" for i in range(130)]
    sampling = {**SAMPLING, "kept": 80, "attempts": 12_000_000}
    full = make_generated(root / ("a-very-long-name-" * 6), rows(50, 1), rows(80, 2), texts=texts,
                          sampling=sampling, ledger=ledger)  # fmt: skip
    bare = make_generated(root / "bare", [], [[5], [6]], sampling=None, prefixes=None)
    return write_report([full, bare], root / "report.html", **measured([full, bare]))


@WIDTHS
def test_nothing_sticks_out_and_nothing_is_asked_for(browser, page, width):
    browser.show(page, width)
    root = "document.documentElement"
    assert browser.value(f"{root}.scrollWidth") <= browser.value(f"{root}.clientWidth") <= width
    outside = f"""[...{SECTION}.querySelectorAll('*')].filter(e => {{
        const box = e.getBoundingClientRect();
        return box.width && box.right > innerWidth + 0.5 && !e.closest('.scroll');
    }}).map(e => e.outerHTML.slice(0, 100))"""
    assert browser.value(outside) == []
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == []
    assert browser.value("document.scripts.length") == 0


@WIDTHS
def test_each_picture_is_seen_once_at_a_readable_size(browser, page, width):
    browser.show(page, width)
    seen = browser.value(f"""{SEEN}.map(e => [e.querySelector('title').textContent,
        e.getBoundingClientRect().width / e.viewBox.baseVal.width])""")
    assert [title for title, _ in seen] == [
        "Lengths of written and of natural rows of set 1",
        "What came of the attempts of set 1",
        "Lengths of written and of natural rows of set 2",
    ]
    assert all(scale >= 0.93 for _, scale in seen)


@WIDTHS
def test_no_word_of_a_picture_is_cut_off_or_stands_on_another(browser, page, width):
    browser.show(page, width)
    boxes = browser.value(f"""{SEEN}.map(image => [image.viewBox.baseVal.width,
        image.viewBox.baseVal.height, [...image.querySelectorAll('text')].map(e => {{
            const box = e.getBBox();
            return [box.x, box.y, box.x + box.width, box.y + box.height, e.textContent];
        }})])""")
    assert sum(len(texts) for _, _, texts in boxes) > 25
    for wide, high, texts in boxes:
        for i, (left, top, right, bottom, text) in enumerate(texts):
            assert left >= -0.5, text
            assert right <= wide + 0.5, text
            assert top >= -0.5, text
            assert bottom <= high + 0.5, text
            for a, b, c, d, other in texts[:i]:
                apart = min(right, c) - max(left, a) <= 1 or min(bottom, d) - max(top, b) <= 3
                assert apart, (text, other)


def test_every_part_of_the_bar_can_be_seen_and_is_named_in_order(browser, page):
    browser.show(page)
    parts = browser.value(f"""(() => {{
        const image = {SEEN}[1];
        const bars = [...image.querySelectorAll(':scope > rect')].filter(e => e.height.baseVal.value > 20);
        return [bars.map(e => [e.x.baseVal.value, e.width.baseVal.value, getComputedStyle(e).fill]),
                [...image.querySelectorAll('text')].map(e => e.textContent)];
    }})()""")  # noqa: E501
    bars, names = parts
    assert len(bars) == len(names) == 9
    assert all(width >= 2 for _, width, _ in bars)
    assert all(a[0] + a[1] < b[0] for a, b in pairwise(bars))
    assert names[0].startswith("kept: 80 (")
    assert names[-1] == "beyond the target: 10,000,000 (90.0\u00a0%)"
    assert len({fill for *_, fill in bars[:8]}) == 8


def colour(text: str) -> str:
    return f"rgb({', '.join(str(int(text[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_dark_where_the_reader_prefers_it_and_light_on_paper(browser, page):
    outline = f"getComputedStyle({SECTION}.querySelector('path.s1')).stroke"
    bars = f"getComputedStyle({SECTION}.querySelector('g.f2')).fill"
    text = f"getComputedStyle({SECTION}.querySelector('svg text.label')).fill"
    for dark, media, colours in ((False, "", LIGHT), (True, "", DARK), (True, "print", LIGHT)):
        browser.show(page, media=media, dark=dark)
        assert browser.value(outline) == colour(colours["line-1"])
        assert browser.value(bars) == colour(colours["line-2"])
        assert browser.value(text) == colour(colours["ink"])
