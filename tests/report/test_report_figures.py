from __future__ import annotations

import builtins
import re
import struct
import zlib
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.report import figure_files
from transferset.report.curves import Curve, coinciding, length_curve, same, token_curve
from transferset.report.figures import NARROW, WIDE, Axes, figure, head_share, shown_to
from transferset.report.palette import DARK, DASHES, LIGHT, line
from transferset.report.scales import Scale, tick_label

AXES = Axes("lengths", "Lengths", "tokens", "rows")
LOG = Axes("tokens", "Tokens", "rank", "tokens", log=True)


def measures(lengths: list[int], tokens: list[int]) -> SimpleNamespace:
    return SimpleNamespace(lengths=np.array(lengths), token_counts=np.array(tokens))


def curve(number: int, x: list[float], y: list[float]) -> Curve:
    return Curve(number, f"set {number}", np.array(x, np.float64), np.array(y, np.float64))


# the curves, worked out by hand


def test_lengths_accumulate_to_their_shares():
    # 1 row of 1 token, 2 of 3, 1 of 4
    got = length_curve(1, "a", measures([0, 1, 0, 2, 1], [0]))
    assert got.x.tolist() == [1, 3, 4]
    assert got.y.tolist() == [0.25, 0.75, 1]
    assert [got.at(x) for x in (0, 1, 2, 3, 9)] == [0, 0.25, 0.25, 0.75, 1]
    assert [got.reaches(y) for y in (0.25, 0.5, 0.9, 1)] == [1, 3, 4, 4]


def test_tokens_accumulate_from_the_commonest():
    got = token_curve(1, "a", measures([0], [0, 1, 5, 0, 2]))  # of 8: 5, 2, 1
    assert got.x.tolist() == [1, 2, 3]
    assert got.y.tolist() == [0.625, 0.875, 1]


def test_nothing_has_no_curve():
    assert length_curve(1, "a", measures([0, 0], [0])) is None
    assert token_curve(1, "a", measures([0], [0, 0])) is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80).filter(any))
def test_curves_rise_to_one(counts):
    for got in (
        length_curve(1, "a", measures(counts, [])),
        token_curve(1, "a", measures([0], counts)),
    ):
        assert np.all(np.diff(got.y) > 0)
        assert np.all(np.diff(got.x) > 0)
        assert got.y[-1] == 1


def test_curves_that_lie_on_each_other_are_named():
    a, b = curve(1, [1, 2], [0.5, 1]), curve(2, [1, 2], [0.503, 1])
    c = curve(3, [1, 3], [0.5, 1])  # a step to the right: half of the rows apart at 2
    assert same(a, b)
    assert not same(a, c)
    assert coinciding([a, c, b]) == [[1, 2]]


def test_the_share_of_the_commonest_is_a_range_where_sets_differ():
    a, b = curve(1, [1, 100, 200], [0.1, 0.5, 1]), curve(2, [1, 100], [0.1, 1])
    assert head_share([a], 100) == "50.0\u00a0%"
    assert head_share([a, b], 100) == "50.0–100\u00a0%"


# axes


@given(st.floats(0.001, 1e9), st.integers(3, 12))
def test_ticks_are_round_few_and_inside(high, most):
    ticks = Scale(0, high, 0, 100).ticks(most)
    assert 1 <= len(ticks) <= most + 1
    assert all(0 <= tick <= high * (1 + 1e-9) for tick in ticks)
    step = ticks[1] - ticks[0]
    assert f"{step:.0e}"[0] in "125"
    assert np.allclose(np.diff(ticks), step)


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten():
    axis = Scale(1, 30_522, 50, 450, log=True)
    assert axis.ticks() == [1, 10, 100, 1000, 10_000]
    assert axis.minor()[:9] == [2, 3, 4, 5, 6, 7, 8, 9, 20]
    assert axis.minor()[-1] == 30_000
    assert axis(1.0) == 50
    assert axis(30_522.0) == 450


def test_tick_labels():
    assert [tick_label(v) for v in (0, 2.5, 100, 1000, 20_000, 3e6)] == [
        "0", "2.5", "100", "1,000", "20,000", "3\u00a0M",
    ]  # fmt: skip


def test_the_last_rows_do_not_stretch_the_axis():
    # 99.95 % of the rows have at most 100 tokens, one has 60,000
    assert shown_to([curve(1, [100, 60_000], [0.9995, 1])]) == 100


# drawings


def paths(image: str) -> list[str]:
    return re.findall(r'<path d="([^"]*)" class="line', image)


def test_few_lengths_are_drawn_as_steps_to_scale():
    (path,) = paths(figure(AXES, [curve(1, [1, 4], [0.5, 1])], WIDE))
    # the plot: x from 46 to 702 for 0 to 4, y from 354 (0) to 34 (1)
    assert path == "M46.0 354.0H210.0V194.0H702.0V34.0H702.0"


def test_many_ranks_are_drawn_by_few_points():
    ranks = np.arange(1, 100_001, dtype=np.float64)
    (path,) = paths(figure(LOG, [Curve(1, "a", ranks, ranks / 1e5)], NARROW))
    assert 100 < path.count("L") < 420
    assert path.endswith("326.0 34.0")


@pytest.mark.parametrize("count", [1, 2, 8, 20])
@pytest.mark.parametrize("axes", [AXES, LOG], ids=["linear", "log"])
def test_each_line_has_its_own_dash_or_colour_and_a_label(axes, count):
    curves = [curve(i, [1, 5 + i, 40 + i], [0.2, 0.5, 1]) for i in range(1, count + 1)]
    for width in (WIDE, NARROW):
        root = ElementTree.fromstring(figure(axes, curves, width))
        drawn = [e.get("class") for e in root.iter("{http://www.w3.org/2000/svg}path")]
        assert drawn == [f"line s{line(i)}" for i in range(1, count + 1)]
        texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
        assert [t for t in texts if "set" in t] == [
            f"{i}\u2002set {i}" for i in range(1, count + 1)
        ]
        height = float(root.get("height"))
        assert all(0 < float(e.get("y")) < height for e in root.iter() if e.get("y"))


def test_a_figure_is_told_in_words():
    root = ElementTree.fromstring(figure(AXES, [curve(1, [3, 7, 30], [0.5, 0.9, 1])]))
    desc = root.find("{http://www.w3.org/2000/svg}desc").text
    assert desc == "rows against tokens. set 1: half at 3, nine tenths at 7, all at 30."


# colours


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_lines_have_the_contrast_that_wcag_asks(colours):
    for ground in ("ground", "panel"):
        for text in ("ink", "soft", "link"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["ink"], colours["mark"]) >= 4.5
    for i in range(1, len(DASHES) + 1):
        assert contrast(colours[f"line-{i}"], colours["ground"]) >= 3, i
        assert contrast(colours[f"line-{i}"], colours["on-line"]) >= 4.5, i  # its number on it


#: Viénot, Brettel and Mollon 1999: what protanopes and deuteranopes see of linear RGB.
BLIND = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


@pytest.mark.parametrize("matrix", BLIND.values(), ids=BLIND)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_first_four_lines_differ_for_the_colour_blind(colours, matrix):
    seen = []
    for i in range(1, 5):
        srgb = np.array([int(colours[f"line-{i}"][k : k + 2], 16) / 255 for k in (1, 3, 5)])
        seen.append(np.clip(np.array(matrix) @ srgb**2.2, 0, 1) ** (1 / 2.2))
    distances = [np.abs(a - b).max() for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 0.08


def test_no_two_lines_share_a_dash():
    assert len(set(DASHES)) == len(DASHES)


# files


@pytest.fixture
def document() -> str:
    return figure_files.standalone(figure(AXES, [curve(1, [1, 4], [0.5, 1])]))


def test_a_figure_of_its_own_needs_nothing_from_outside(document):
    root = ElementTree.fromstring(document)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in document
    assert "url(" not in document
    assert "#0072b2" in document


def test_without_the_extra_figures_are_svg_and_one_sentence_says_how_to_get_png(
    tmp_path, document, monkeypatch
):
    monkeypatch.setattr(figure_files, "find_spec", lambda name: None)
    wrote = figure_files.write_figures(tmp_path / "f", {"lengths": document})
    assert [path.name for path in wrote] == ["lengths.svg"]
    assert "pip install 'transferset[report]'" in figure_files.how_to_get_png()


def test_png_is_as_sharp_as_print_asks_and_is_ours(tmp_path, document):
    pytest.importorskip("resvg_py")
    if figure_files.how_to_get_png():
        pytest.skip(figure_files.how_to_get_png())
    wrote = figure_files.write_figures(tmp_path / "f", {"lengths": document})
    assert [path.name for path in wrote] == ["lengths.svg", "lengths.png"]
    raw = wrote[1].read_bytes()
    assert struct.unpack(">II", raw[16:24]) == (3 * WIDE, 3 * 400)
    assert chunks(raw)[:2] == [b"IHDR", b"tEXt"]
    figure_files.write_figures(tmp_path / "f", {"lengths": document})  # replaces its own


def chunks(raw: bytes) -> list[bytes]:
    """Names of a PNG's chunks, their checksums checked."""
    names, at = [], 8
    while at < len(raw):
        (size,) = struct.unpack(">I", raw[at : at + 4])
        name, body = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + size]
        assert struct.unpack(">I", raw[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            name + body
        )
        names.append(name)
        at += 12 + size
    return names


def test_a_machine_without_fonts_gets_no_png_without_letters(tmp_path, document, monkeypatch):
    pytest.importorskip("resvg_py")
    blank = figure_files.png('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    monkeypatch.setattr(figure_files, "png", lambda document, zoom=1: blank)
    assert "install a font" in figure_files.how_to_get_png()
    assert len(figure_files.write_figures(tmp_path / "f", {"lengths": document})) == 1


def test_the_extra_is_not_loaded_for_a_report_without_png(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        assert name != "resvg_py"
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    figure_files.standalone(figure(AXES, [curve(1, [1, 4], [0.5, 1])]))
