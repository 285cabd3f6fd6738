"""Makes a dump of any size out of a real one: its pages again and again, every copy reworded.

Copies that were equal would let a cache of pages, sentences or templates look fast. So in every
copy after the first, one word in each window of `WINDOW` prose words gives way to another word of
the same dump; markup that a cleaner acts on (template names, parameters, namespaces, tags,
addresses, headers) stays as it is. Case is kept and a word beside a full stop is left alone, so
that lengths, abbreviations and sentence ends keep their statistics.

    python benchmarks/inflate.py DUMP.xml.bz2 --out DIR --name big --size 100MB

writes `big.xml`, `big.xml.bz2` (one stream), and `big-multistream.xml.bz2` (100 pages a stream)
with `big-multistream-index.txt.bz2`. The same dump, size and seed give the same bytes. Memory is
bounded by one page and the vocabulary.
"""

from __future__ import annotations

import argparse
import bz2
import html
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

WINDOW = 5
VOCABULARY_PAGES = 400
STREAM_PAGES = 100
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}

_PAGE_END = b"</page>"
_TEXT = re.compile(r"<text[^>]*(?<!/)>(.*?)</text>", re.DOTALL)
_MODEL = re.compile(r"<model>(.*?)</model>")
# What is never reworded, then the brackets and line starts that decide how words are treated.
_TOKEN = re.compile(
    r"""(?P<fixed><!--.*?(?:-->|\Z)
          |<(?P<raw>math|nowiki|pre|source|syntaxhighlight|code|timeline|score|gallery|chem)\b
             [^<>]*(?<!/)>.*?</(?P=raw)\s*>
          |<[^<>]*>|[a-z]+://[^\s|\]}<]+|&\#?\w+;|__\w+__
          |^(?:=|\#REDIRECT)[^\n]*)
      |(?P<open>\{\{[^|{}\[\]]*             # a template's name
          |\{\|[^\n]*                       # a table's attributes
          |\[\[[^\[\]|\n:]*:[^\[\]|]*)      # a link into a namespace: its target
      |(?P<link>\[\[)
      |(?P<close>\}\}|^\|\}|\]\])
      |(?P<cell>^[ ]*[|!])
      |(?P<line>\n)
      |(?P<word>(?<![\w.&'-])[^\W\d_]{2,}(?![\w.=:;'-]))""",
    re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DumpPage:
    """One article of a dump: its XML, and what a cleaner is given."""

    title: str
    text: str
    xml_bytes: int


def size_in_bytes(size: str) -> int:
    """`100MB` → 100,000,000; units are powers of ten."""
    found = re.fullmatch(r"([\d.]+)\s*([KMG]?B?)", size.strip().upper())
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a size such as 100MB, got {size!r}")
    unit = found[2] if found[2] in _UNITS else found[2] + "B"
    return int(float(found[1]) * _UNITS[unit])


def read_xml_pages(path: Path) -> Iterator[tuple[str, bool]]:
    """The XML as text, cut after the header and after each `</page>`; True marks a page."""
    with bz2.open(path, "rb") if path.suffix == ".bz2" else path.open("rb") as file:
        rest, first = b"", True
        while block := file.read(1 << 20):
            *pages, rest = (rest + block).split(_PAGE_END)
            for page in pages:
                start = page.find(b"<page>")
                if first:
                    yield page[:start].decode("utf-8").rstrip(" "), False
                    first = False
                yield f"  {page[start:].decode('utf-8')}{_PAGE_END.decode()}\n", True
    if first:
        raise SystemExit(f"{path.name}: expected a dump in UTF-8, found no <page> in it")


def read_articles(path: Path, limit: int | None = None) -> Iterator[DumpPage]:
    """The pages of namespace 0 that are wikitext and no redirects, up to `limit` bytes of XML."""
    total = 0
    for xml, is_page in read_xml_pages(path):
        if not is_page or "<ns>0</ns>" not in xml or "<redirect " in xml:
            continue
        model = _MODEL.search(xml)
        body = _TEXT.search(xml)
        if body is None or (model and model[1] != "wikitext"):
            continue
        size = len(xml.encode())
        total += size
        if limit is not None and total > limit:
            return
        title = xml.partition("<title>")[2].partition("</title>")[0]
        yield DumpPage(html.unescape(title), _unescape(body[1]), size)


def _unescape(text: str) -> str:
    for entity, plain in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, plain)
    return text


def _escape(text: str) -> str:
    for entity, plain in (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"')):
        text = text.replace(plain, entity)
    return text


def prose_words(text: str) -> Iterator[tuple[int, int]]:
    """Words that may be reworded, as (start, stop) in `text`.

    Inside a template, a table or a file's link only phrases of three words and more count: shorter
    things there are flags, units and codes, on which a cleaner decides.
    """
    phrase: list[tuple[int, int]] = []
    inside: list[bool] = []  # one per open bracket: is it one of those?
    cell = False
    for token in _TOKEN.finditer(text):
        word, markup = token["word"] is not None, cell or any(inside)
        if phrase and not (word and text[phrase[-1][1] : token.start()] == " "):
            if len(phrase) >= 3 or not markup:
                yield from phrase
            phrase = []
        if word:
            phrase.append(token.span())
        elif token["open"] or token["link"]:
            inside.append(token["open"] is not None)
        elif token["close"] and inside:
            inside.pop()
        elif token["cell"] or token["line"]:
            cell = token["cell"] is not None
    yield from phrase


def reword(text: str, vocabulary: dict[bool, list[str]], rng: random.Random) -> str:
    """`text` with one word of each window of `WINDOW` prose words exchanged."""
    pieces, at, place = [], 0, 0
    for index, (start, stop) in enumerate(prose_words(text)):
        if index % WINDOW == 0:
            place = rng.randrange(WINDOW)
        if index % WINDOW == place:
            pieces += [text[at:start], rng.choice(vocabulary[text[start].isupper()])]
            at = stop
    return "".join([*pieces, text[at:]])


def read_vocabulary(dump: Path) -> dict[bool, list[str]]:
    """Prose words of the first pages, once per occurrence, by whether they are capitalised."""
    vocabulary: dict[bool, list[str]] = {True: [], False: []}
    for number, page in enumerate(read_articles(dump)):
        if number == VOCABULARY_PAGES:
            break
        for start, stop in prose_words(page.text):
            vocabulary[page.text[start].isupper()].append(page.text[start:stop])
    return vocabulary


def copies(dump: Path, seed: int) -> Iterator[tuple[str, int, str]]:
    """Page XML, id and title for ever: the pages as they are, then reworded copies of them."""
    highest = 0
    for xml, is_page in read_xml_pages(dump):
        if is_page:
            page_id, title = _identity(xml)
            highest = max(highest, page_id, *map(int, re.findall(r"<id>(\d+)</id>", xml)))
            yield xml, page_id, title
    vocabulary = read_vocabulary(dump)
    number = 0
    while True:
        number += 1
        for xml, is_page in read_xml_pages(dump):
            if is_page:
                highest += 1
                rng = random.Random(f"{seed}/{highest}")
                yield _renewed(xml, number, highest, vocabulary, rng)


def _identity(xml: str) -> tuple[int, str]:
    found = re.search(r"<title>(.*?)</title>.*?<id>(\d+)</id>", xml, re.DOTALL)
    if found is None:
        raise SystemExit(f"a page without title or id: {xml[:80]!r}")
    return int(found[2]), found[1]


def _renewed(
    xml: str, number: int, page_id: int, vocabulary: dict[bool, list[str]], rng: random.Random
) -> tuple[str, int, str]:
    title = f"{_identity(xml)[1]} ({number})"
    xml = re.sub(r"<title>.*?</title>", lambda _: f"<title>{title}</title>", xml, count=1)
    # The page's id and the revision's; a contributor's stays.
    head, revision, tail = xml.partition("<revision>")
    head = re.sub(r"<id>\d+</id>", f"<id>{page_id}</id>", head, count=1)
    tail = re.sub(r"<id>\d+</id>", f"<id>{page_id}</id>", tail, count=1)
    tail = re.sub(r"\n *<sha1>.*?</sha1>", "", tail)

    def renew(found: re.Match[str]) -> str:
        text = reword(_unescape(found[1]), vocabulary, rng)
        size = len(text.encode("utf-8"))
        return f'<text bytes="{size}" xml:space="preserve">{_escape(text)}</text>'

    return head + revision + _TEXT.sub(renew, tail), page_id, title


class DumpWriter:
    """Writes the same XML plain, as one bzip2 stream, and as many with an index."""

    def __init__(self, files: ExitStack, out: Path, name: str) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.plain = files.enter_context((out / f"{name}.xml").open("wb"))
        self.single = files.enter_context(bz2.BZ2File(out / f"{name}.xml.bz2", "wb"))
        self.multi = files.enter_context((out / f"{name}-multistream.xml.bz2").open("wb"))
        index = out / f"{name}-multistream-index.txt.bz2"
        self.index = files.enter_context(bz2.BZ2File(index, "wb"))
        self.size = 0
        self._stream: list[bytes] = []
        self._lines: list[str] = []

    def write(self, xml: str) -> None:
        """Add XML that is no page."""
        data = xml.encode("utf-8")
        self.plain.write(data)
        self.single.write(data)
        self._stream.append(data)
        self.size += len(data)

    def page(self, xml: str, page_id: int, title: str) -> None:
        """Add a page, closing the stream with every 100th."""
        self.write(xml)
        self._lines.append(f"{page_id}:{html.unescape(title)}\n")
        if len(self._lines) == STREAM_PAGES:
            self.end_stream()

    def end_stream(self) -> None:
        """Compress what was added since the last call into one bzip2 stream."""
        offset = self.multi.tell()
        if self._stream:
            self.multi.write(bz2.compress(b"".join(self._stream)))
        self.index.writelines(f"{offset}:{line}".encode() for line in self._lines)
        self._stream, self._lines = [], []


def inflate(dump: Path, out: Path, name: str, size: int, seed: int = 0) -> None:
    """Write the files named in the module's docstring, `size` bytes of XML, to whole pages."""
    header = next(xml for xml, _ in read_xml_pages(dump))
    with ExitStack() as files:
        writer = DumpWriter(files, out, name)
        writer.write(header)
        writer.end_stream()
        for xml, page_id, title in copies(dump, seed):
            writer.page(xml, page_id, title)
            if writer.size >= size:
                break
        writer.end_stream()
        writer.write("</mediawiki>\n")
        writer.end_stream()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="inflated")
    parser.add_argument("--size", type=size_in_bytes, default="100MB")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    inflate(args.dump, args.out, args.name, args.size, args.seed)


if __name__ == "__main__":
    main()
