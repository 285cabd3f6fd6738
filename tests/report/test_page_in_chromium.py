"""The report as a reader sees it; skipped where there is no Chromium."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from headless import Chromium, find_chromium
from report_sets import measured, thesis_sets, write_rows, zipf_rows

from transferset.report.page import write_report
from transferset.report.palette import DARK, LIGHT

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium: apt-get install chromium-headless-shell, or name one in $CHROMIUM",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(str(find_chromium()), tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """Reports of one set, of the thesis' four, of twelve with long names, and of hostile ones."""
    root = tmp_path_factory.mktemp("pages")
    thesis = thesis_sets(root / "thesis")
    many = [
        write_rows(root / "many" / f"{i}", zipf_rows(40, seed=i), name=f"wiki-of-something-{i}" * 4)
        for i in range(12)
    ]
    evil = "</title></svg><img src='http://127.0.0.1:9/x'><script>alert(1)</script>漢字" + "W" * 500
    hostile = [write_rows(root / "evil", [[2, 6, 7, 3]], name=evil, licence=evil, op=evil)]
    made = {}
    for name, sets in {"one": many[:1], "four": thesis, "many": many, "evil": hostile}.items():
        made[name] = write_report(sets, root / f"{name}.html", **measured(sets))
    return made


NAMES = pytest.mark.parametrize("name", ["one", "four", "many", "evil"])
WIDTHS = pytest.mark.parametrize("width", [360, 768, 1100])


def test_the_browser_tells_of_requests_and_errors(browser, tmp_path):
    """Otherwise the tests below could not fail."""
    page = tmp_path / "bad.html"
    page.write_text("<img src='http://127.0.0.1:9/x'><script>console.log('hi'); oops()</script>")
    browser.show(page)
    assert browser.requests() == ["http://127.0.0.1:9/x"]
    assert any("oops" in one for one in browser.complaints())


@NAMES
def test_the_page_asks_for_nothing_and_complains_of_nothing(browser, pages, name):
    browser.show(pages[name])
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == []
    assert browser.complaints() == []
    assert browser.value("document.scripts.length + document.images.length") == 0


def test_the_policy_keeps_a_smuggled_script_from_running(browser, pages, tmp_path):
    """Even if something were not escaped."""
    page = tmp_path / "smuggled.html"
    evil = "<script>window.ran = 1</script><img src='http://127.0.0.1:9/x' onerror='window.ran=1'>"
    text = pages["four"].read_text("utf-8")
    page.write_text(text.replace("<header>", f"<header>{evil}"), "utf-8")
    browser.show(page)
    assert browser.value("document.scripts.length") == 1
    assert browser.value("window.ran === undefined")
    failed = [one for one in browser.seen("Network.loadingFailed") if one.get("blockedReason")]
    assert [one["blockedReason"] for one in failed] == ["csp"]


@NAMES
@WIDTHS
def test_nothing_sticks_out_at_the_side(browser, pages, name, width):
    browser.show(pages[name], width)
    page = "document.documentElement"
    assert browser.value(f"{page}.scrollWidth") <= browser.value(f"{page}.clientWidth") <= width
    assert browser.value("innerWidth") == width  # no phone had to zoom out
    # what is wider scrolls in a box of its own, which keys can reach
    outside = """[...document.querySelectorAll('body *')].filter(e => {
        const box = e.getBoundingClientRect();
        return box.width && box.right > innerWidth + 0.5 && !e.closest('.scroll');
    }).map(e => e.outerHTML.slice(0, 100))"""
    assert browser.value(outside) == []
    assert browser.value("[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)")


@NAMES
@WIDTHS
def test_each_figure_is_seen_once_at_a_readable_size(browser, pages, name, width):
    browser.show(pages[name], width)
    seen = browser.value("""[...document.querySelectorAll('svg')].filter(
        e => e.checkVisibility()).map(e => {
            const box = e.getBoundingClientRect();
            return [e.querySelector('title').textContent, box.width, box.height,
                    box.width / e.viewBox.baseVal.width];
        })""")
    assert [title for title, *_ in seen] == [
        "Where the sets come from",
        "Cumulative distribution of sequence lengths",
        "Cumulative distribution of token frequencies",
    ]
    for _, wide, high, scale in seen:
        assert wide >= 320
        assert high >= 60
        assert scale >= 0.93  # 12 px stay 11 px


OVERFLOWING = """[...document.querySelectorAll('svg')].filter(e => e.checkVisibility())
    .flatMap(image => [...image.querySelectorAll('text')].filter(e => {
        const box = e.getBBox();
        return box.x < -0.5 || box.x + box.width > image.viewBox.baseVal.width + 0.5
            || box.y < -0.5 || box.y + box.height > image.viewBox.baseVal.height + 0.5;
    }).map(e => e.textContent))"""

OVERLAPPING = """[...document.querySelectorAll('svg')].filter(e => e.checkVisibility())
    .flatMap(image => {
        const texts = [...image.querySelectorAll('text')];
        const boxes = texts.map(e => e.getBBox());
        const found = [];
        boxes.forEach((a, i) => boxes.slice(0, i).forEach((b, j) => {
            const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
            const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
            if (across > 1 && down > 3)
                found.push(texts[i].textContent + ' on ' + texts[j].textContent);
        }));
        return found;
    })"""


@NAMES
@pytest.mark.parametrize("width", [360, 1100])
def test_no_word_of_a_figure_is_cut_off_or_stands_on_another(browser, pages, name, width):
    browser.show(pages[name], width)
    assert browser.value("document.querySelectorAll('svg text').length") > 40
    assert browser.value(OVERFLOWING) == []
    assert browser.value(OVERLAPPING) == []


@pytest.mark.parametrize("width", [360, 1100])
@pytest.mark.parametrize("name", ["four", "many"])
def test_labels_stand_beside_the_lines_and_not_on_them(browser, pages, name, width):
    browser.show(pages[name], width)
    crossed = browser.value("""[...document.querySelectorAll('figure svg')]
        .filter(e => e.checkVisibility()).flatMap(image => {
            const labels = [...image.querySelectorAll('.label')].map(e => e.getBBox());
            return [...image.querySelectorAll('path.line')].flatMap(path => {
                const points = [];
                for (let i = 0; i <= 400; i++)
                    points.push(path.getPointAtLength(path.getTotalLength() * i / 400));
                const on = (b, p) => p.x > b.x && p.x < b.x + b.width
                    && p.y > b.y + 2 && p.y < b.y + b.height - 2;
                return labels.filter(b => points.some(p => on(b, p))).map(() => path.outerHTML);
            });
        })""")
    assert crossed == []


def colour(text: str) -> str:
    return f"rgb({', '.join(str(int(text[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_dark_where_the_reader_prefers_it_and_light_on_paper(browser, pages):
    ground = "getComputedStyle(document.body).backgroundColor"
    first_line = "getComputedStyle(document.querySelector('path.s1')).stroke"
    text = "getComputedStyle(document.querySelector('svg text')).fill"
    for dark, media, colours in ((False, "", LIGHT), (True, "", DARK), (True, "print", LIGHT)):
        browser.show(pages["four"], media=media, dark=dark)
        assert browser.value(ground) == colour(colours["ground"])
        assert browser.value(first_line) == colour(colours["line-1"])
        assert browser.value(text) == colour(colours["ink"])


def test_paper_gets_the_whole_page(browser, pages):
    browser.show(pages["four"], media="print")
    hidden = "[...document.querySelectorAll('section')].filter(e => !e.checkVisibility()).length"
    assert browser.value(hidden) == 0
    assert browser.value("document.querySelector('nav').checkVisibility()") is False
    printed = browser("Page.printToPDF", printBackground=True)["data"]
    pdf = base64.b64decode(printed)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") <= 8


def test_assistive_technology_is_told_names_of_figures_and_tables(browser, pages):
    browser.show(pages["four"])
    nodes = browser("Accessibility.getFullAXTree")["nodes"]
    named = {
        role: [n["name"]["value"] for n in nodes if n.get("role", {}).get("value") == role]
        for role in ("image", "table", "region", "rowheader")
    }
    assert "Cumulative distribution of token frequencies" in named["image"]
    assert len(named["image"]) == 3  # those of the other width are not told
    for title in ("Size, as in Table 5.1 of the thesis", "Text, as in Table 4.4 of the thesis"):
        assert title in named["table"]
    assert "Where they come from" in named["region"]
    assert any("shuffled-10" in name for name in named["rowheader"])
