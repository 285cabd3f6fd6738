"""The figures as files: SVG always, PNG where the extra `[report]` is installed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.files import write_atomic, writing
from transferset.report.markup import Html
from transferset.report.palette import line_rules, resolved

#: Says in a file that it is ours, and may be replaced by a newer one of ours.
MARK: Final = b"transferset report"

#: A figure's pixels in a PNG for each of its own, so that it prints sharply.
_ZOOM: Final = 3

#: How far into a file the mark is looked for.
_BEGINNING: Final = 200


def figure_css() -> str:
    """The rules for what stands in a figure; colours are variables."""
    return files("transferset.report").joinpath("figure.css").read_text("utf-8") + line_rules()


def standalone(image: Html) -> str:
    """A figure as a document of its own, on white, in the light colours."""
    start, rest = image.split(">", 1)
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    style = f"<style>{resolved(figure_css())}</style>"
    return f"<!-- {MARK.decode()} -->\n{start}>{style}{ground}{rest}\n"


def how_to_get_png() -> str | None:
    """One sentence for those whose `--figures` gave SVG only; None where PNG is written too."""
    if find_spec("resvg_py") is None:
        return "figures were written as SVG only; for PNG too, pip install 'transferset[report]'"
    if not _draws_text():
        return (
            "figures were written as SVG only; for PNG too, install a font that the system finds "
            "(on Debian: apt-get install fonts-dejavu-core)"
        )
    return None


def require_ours(path: Path) -> None:
    """Refuse to replace a file that is not a report or figure of ours.

    Raises:
        UsageError: Something else is there.
    """
    try:
        if not path.exists():
            return
        found = path.read_bytes()[:_BEGINNING] if path.is_file() else b""
    except OSError as error:
        raise TransfersetError(
            sentence("a readable file", error.strerror or "an error", str(path))
        ) from error
    if MARK not in found:
        what = "a file that transferset did not write" if path.is_file() else "no file"
        do = "name another file, or remove it"
        raise UsageError(sentence("no file, or an older report", what, str(path), do))


def write_figures(directory: Path, figures: Mapping[str, str]) -> list[Path]:
    """Write each figure as `NAME.svg`, and as `NAME.png` where that can be done.

    Args:
        directory: Made if it is not there.
        figures: Complete SVG documents by name, from `standalone`.

    Returns:
        The files written.

    Raises:
        UsageError: A file of that name is there that is not ours; nothing is written then.
        TransfersetError: The directory cannot be written.
    """
    endings = ("svg",) if how_to_get_png() else ("svg", "png")
    paths = [directory / f"{name}.{ending}" for name in figures for ending in endings]
    for path in paths:
        require_ours(path)
    with writing(directory, "--figures"):
        directory.mkdir(parents=True, exist_ok=True)
        for path in paths:
            document = figures[path.stem]
            write_atomic(path, document.encode() if path.suffix == ".svg" else png(document))
    return paths


def png(document: str, zoom: float = _ZOOM) -> bytes:
    """Draw an SVG document.

    Args:
        document: SVG without references to anything outside.
        zoom: Pixels for each of the document's.

    Returns:
        A PNG that carries our mark.
    """
    import resvg_py

    drawn = bytes(resvg_py.svg_to_bytes(svg_string=document, zoom=zoom))
    return drawn[:33] + _chunk(b"tEXt", b"Software\0" + MARK) + drawn[33:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _draws_text() -> bool:
    """A machine without fonts draws figures without a letter, and says nothing."""
    frame = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{}</svg>'
    text = f'<text y="15" font-family="{FONTS}">x</text>'
    return png(frame.format(text), 1) != png(frame.format(""), 1)


#: Families that one of the usual systems has; a drawing program may know no generic one.
FONTS: Final = (
    "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, Noto Sans, sans-serif"
)
