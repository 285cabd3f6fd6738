"""The text of an EPUB: its words in order, once; what else it holds is counted."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from epubs import GUTENBERG, STANDARD, epub, epub_members, packed, page, saved
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError
from transferset.sources.books import epub as epub_module
from transferset.sources.books import epub_text
from transferset.sources.books.epub_text import extract, visible
from transferset.sources.books.local import RawBook, find_books, read_book
from transferset.sources.books.xhtml import decoded


def read(folder: Path, data: bytes) -> RawBook:
    return read_book(find_books([saved(folder, data)])[0])


def refusal(folder: Path, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, data)
    message = str(caught.value)
    assert "book.epub" in message
    assert "\n" not in message
    return message


def blocks(body: str) -> list[str]:
    return extract(f"<html><head><title>T</title></head><body>{body}</body></html>", "x").blocks


def removed(body: str) -> dict[str, int]:
    return dict(extract(f"<body>{body}</body>", "x").removed)


#: What `epubs.XHTML` holds of it: a declaration, the document type, a style sheet.
MARKUP = (
    'xml version="1.0" encoding="utf-8"?',
    'DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"',
    "p { margin: 0 }",
)


# --- as publishers make them -------------------------------------------------------------------


def test_an_epub_of_project_gutenberg(tmp_path: Path) -> None:
    first = """
<section class="pg-boilerplate pgheader" id="pg-header"><h2>The Project Gutenberg eBook of
<span>Pride and Prejudice</span></h2><div>This ebook is for the use of anyone</div>
<div id="pg-start-separator"><span>*** START OF THE PROJECT GUTENBERG EBOOK ***</span></div>
</section>
<h1>PRIDE AND PREJUDICE</h1>
<div class="figcenter"><img src="a.jpg" alt="Reading"/><p class="caption">Reading Jane.</p></div>
<h2 id="c1">CHAPTER I.<br/>The <i>Beginning</i></h2>
<p><span class="pagenum">[Pg 3]</span>It is a truth universally ac&shy;knowledged,
that a single man&nbsp;in <span class="smcap">possession</span>
of a good for<span epub:type="pagebreak" title="4">4</span>tune<a id="FNanchor_1"></a><a
href="#Footnote_1" class="fnanchor">[1]</a> must be in want of a wife.</p>"""
    second = """
<div class="poetry-container"><div class="poetry"><div class="stanza">
<div class="verse indent0">Of all the verse,</div><div class="verse indent2">this is one.</div>
</div></div></div>
<p>“Mr. Bennet, how can you?”</p>
<section id="pg-footer" class="pg-boilerplate pgfooter">*** END OF THE PROJECT</section>"""
    book = read(tmp_path, epub(first, second))
    assert (book.text or "").split("\n\n") == [
        "PRIDE AND PREJUDICE",
        "CHAPTER I. The Beginning",
        "It is a truth universally acknowledged, that a single man in possession of a good"
        " fortune must be in want of a wife.",
        "Of all the verse,",
        "this is one.",
        "“Mr. Bennet, how can you?”",
    ]
    assert (book.title, book.author, book.language) == ("Pride and Prejudice", "Jane Austen", "en")
    assert (book.identifier, book.rights) == ("1342", "Public domain in the USA.")
    assert (book.raw, book.layout, book.pictures) == (None, "lines", 1)
    head = "The Project Gutenberg eBook of Pride and Prejudice This ebook is for the use of anyone"
    licence = f"{head}*** START OF THE PROJECT GUTENBERG EBOOK ****** END OF THE PROJECT"
    assert book.removed == {
        "head": 2 * len("Unseen"),
        "licence": visible(licence),
        "caption": visible("Reading Jane."),
        "page_number": len("[Pg") + len("3]") + len("4"),
        "footnote_mark": len("[1]"),
        "soft_hyphen": 1,
        "markup": 2 * sum(map(visible, MARKUP)),
    }  # fmt: skip


def test_an_epub_of_standard_ebooks(tmp_path: Path) -> None:
    chapters = {
        "text/titlepage.xhtml": page('<section epub:type="titlepage"><h1>The C</h1></section>'),
        "text/imprint.xhtml": page('<section epub:type="imprint"><p>By us.</p></section>'),
        "text/chapter-1.xhtml": page(
            '<section epub:type="chapter" role="doc-chapter"><hgroup><h2 epub:type="ordinal">I</h2>'
            '<p epub:type="title">The Start</p></hgroup><p>Word\u2060—word,<a href="endnotes.xhtml'
            '#note-1" epub:type="noteref">1</a> “\u200a‘Yes.’\u200a”</p>'
            '<blockquote epub:type="z3998:verse"><p><span>O verse,</span><br/>\n<span class="i1">'
            "O line!</span></p></blockquote></section>"
        ),
        "text/endnotes.xhtml": page(
            '<section epub:type="endnotes"><ol><li id="note-1" epub:type="endnote"><p>A note.'
            ' <a href="chapter-1.xhtml#noteref-1" epub:type="backlink">↩</a></p></li></ol>'
            "</section>"
        ),
        "text/colophon.xhtml": page('<section epub:type="colophon"><p>Made.</p></section>'),
        "text/uncopyright.xhtml": page('<section epub:type="copyright-page"><p>C0</p></section>'),
        "toc.xhtml": page('<nav epub:type="toc"><ol><li><a href="x#y">I</a></li></ol></nav>'),
    }
    book = read(tmp_path, packed(epub_members(chapters, metadata=STANDARD, folder="epub")))
    assert (
        book.text
        == "The C\n\nI\n\nThe Start\n\nWord—word, “‘Yes.’”\n\nO verse,\nO line!\n\nA note."
    )
    assert (book.title, book.author) == ("The C of D", "A. B.; E. F.")
    assert (book.language, book.identifier) == ("en-GB", "345")
    found = {kind: book.removed[kind] for kind in ("licence", "contents", "footnote_mark")}
    assert found == {"licence": len("Byus.Made.C0"), "contents": 1, "footnote_mark": 2}


# --- paragraphs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>a</p><p>b</p>", ["a", "b"]),
        ("a<p>b</p>c", ["a", "b", "c"]),
        ("<p>un<i>der</i>st<b>an</b>d</p>", ["understand"]),
        ("<p>\n  a\n  b\t c </p>", ["a b c"]),
        ("<p>a<wbr/>b c&#173;d e\u00adf</p>", ["ab cd ef"]),
        ("<p>&lt;b&gt; &amp;amp; &eacute;&#x2014;&nbsp;x &un;</p>", ["<b> &amp; é— x &un;"]),
        ("<div><div><p>a</p></div>b</div>", ["a", "b"]),
        ("<p>a<br/>b</p>", ["a b"]),
        ("<p>a<br/> <br/>b<br/></p>", ["a", "b"]),
        ("<h2>I<br/><br/>Start</h2><p>x</p>", ["I Start", "x"]),
        ("<p>10 High St<br/>Town<br/>Land</p>", ["10 High St\nTown\nLand"]),
        (f"<p>{'word ' * 14}<br/>a<br/>b</p>", [f"{'word ' * 14}a b"]),
        ('<p class="poem">a<br/>b</p><p>c<br/>d</p>', ["a\nb", "c d"]),
        ('<div epub:type="z3998:poem"><p>a<br/>b<br/><br/>c</p></div>', ["a\nb", "c"]),
        ("<pre>\n a\n  b\n\nc</pre>", ["a\nb", "c"]),
        ('<div class="poem">\n<p>a\nb</p></div>', ["a b"]),
        ("<ul><li>a<ul><li>b</li></ul>c</li><li>d</li></ul>", ["a", "b", "c", "d"]),
        ("<ul><li>a<li>b</ul><p>c<p>d", ["a", "b", "c", "d"]),
        ("<dl><dt>a</dt><dd>b</dd></dl>", ["a", "b"]),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table>",
         ["a b", "c d"]),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", ["a b"]),
        ("<table><tr><td>1</td><td><p>a</p><p>b</p></td></tr></table>", ["1", "a", "b"]),
        ("<table><tr><td><table><tr><td>a</td></tr><tr><td>b</td></tr></table></td></tr></table>c",
         ["a", "b", "c"]),
        ("<table><tr><td>a<td>b<tr><td>c</table>", ["a b", "c"]),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>字", ["漢字"]),
        ("<p>M<sup>rs</sup> B x<sup>2</sup></p>", ["Mrs B x2"]),
        ("<p/>a<a id='x'/>b<div/>c", ["ab", "c"]),
        ("<p>a < b <3 >c</p>", ["a < b <3 >c"]),
        ("<p>a<![CDATA[ <b> &amp; ]]>c</p>", ["a <b> &amp; c"]),
        ('<p>a<img alt="1 > 0" src="x"/>b</p>', ["ab"]),
        ('<p class="x>a</p>', ["a"]),
        ("<P>a</P><xhtml:p>b</xhtml:p>", ["a", "b"]),
        ("<p>a</i></b></div>b</p>", ["a", "b"]),
        ("<p>\u00a0</p><p>\u200b</p>a", ["a"]),
        ("<p>last words without an end", ["last words without an end"]),
        ("<p>a<!-- b --><?pi c?>d<!-- never closed <p>e</p>", ["ad never closed", "e"]),
    ],
)  # fmt: skip
def test_paragraphs(body: str, expected: list[str]) -> None:
    assert blocks(body) == expected


@pytest.mark.parametrize(
    ("body", "kind", "count"),
    [
        ("a<script>if (a<b) { x('</p>') }</script>b", "markup", 18),
        ("a<style>p > b { x }</style>b", "markup", 6),
        ("a<svg><text>word</text></svg>b", "picture", 4),
        ("a<math><mi>x</mi></math>b", "formula", 1),
        ("a<nav><a href='#x'>toc</a></nav>b", "contents", 3),
        ("a<div epub:type='landmarks'>toc</div>b", "contents", 3),
        ("a<span epub:type='pagebreak'>12</span>b", "page_number", 2),
        ("a<span role='doc-pagebreak'>12</span>b", "page_number", 2),
        ("a<span class='x pagenum'>12</span>b", "page_number", 2),
        ("a<a epub:type='noteref' href='x'>9</a>b", "footnote_mark", 1),
        ("a<sup><a href='n.xhtml#n9'>9</a></sup>b", "footnote_mark", 1),
        ("a<a href='n.xhtml#n9'><sup>9</sup></a>b", "footnote_mark", 1),
        ("a<a href='#n9'>[9]</a>b", "footnote_mark", 3),
        ("a<a href='#n9'>*</a>b", "footnote_mark", 1),
        ("a<rt>kan</rt>b", "ruby", 3),
        ("a<span hidden='hidden'>no</span>b", "hidden", 2),
        ("a<figure><figcaption>It</figcaption></figure>b", "caption", 2),
        ("a<!-- it is -->b", "markup", 4),
        ("a\ufffd\x02\x01b", "invisible", 3),
    ],
)
def test_what_is_left_out_is_counted(body: str, kind: str, count: int) -> None:
    assert "".join(blocks(body)) == "ab"
    assert removed(body) == {kind: count}


def test_links_that_are_no_marks_stay() -> None:
    links = "<a href='#p12'>12</a>, <a href='http://x.example/'>[1]</a>, <a href='#x'>[sic!]</a>"
    assert blocks(f"<p>see {links}</p>") == ["see 12, [1], [sic!]"]


def test_a_break_of_pages_does_not_swallow_what_follows() -> None:
    assert blocks("<div><span epub:type='pagebreak'>3</div><p>a</p>") == ["a"]


# --- the reading order -------------------------------------------------------------------------


def test_the_spine_is_the_order_not_the_manifest(tmp_path: Path) -> None:
    chapters = {f"{name}.xhtml": page(f"<p>{name}</p>") for name in "abc"}
    spine = "".join(f'<itemref idref="i{n}"/>' for n in (2, 0, 1, 2))
    assert read(tmp_path, packed(epub_members(chapters, spine=spine))).text == "c\n\na\n\nb"


def test_a_file_named_twice_is_read_where_it_is_named_first(tmp_path: Path) -> None:
    chapters = {f"{name}.xhtml": page(f"<p>{name}</p>") for name in "ab"}
    again = '<itemref idref="i0"/><itemref idref="i1"/><itemref idref="i0" linear="no"/>'
    assert read(tmp_path, packed(epub_members(chapters, spine=again))).text == "a\n\nb"


@pytest.mark.parametrize("folder", ["", "OEBPS", "a/b c"])
def test_references_are_seen_from_the_folder_of_the_package(tmp_path: Path, folder: str) -> None:
    chapters = {
        "text/caf%C3%A9%20one.xhtml": page("<p>a</p>"),
        "./x/../two.xhtml": page("<p>b</p>"),
    }
    members = epub_members(chapters, folder=folder)
    members = {name.replace("./x/../", ""): data for name, data in members.items()}
    assert read(tmp_path, packed(members)).text == "a\n\nb"


@pytest.mark.parametrize(
    "href",
    ["../../x.xhtml", "/x.xhtml", "%2e%2e/%2e%2e/x.xhtml", "http://a.example/x", "a%00b", "#x"],
)  # fmt: skip
def test_references_out_of_the_archive(tmp_path: Path, href: str) -> None:
    members = epub_members({"a.xhtml": page("<p>a</p>")})
    package = str(members["OEBPS/content.opf"]).replace("a.xhtml", href)
    assert "a file of the archive" in refusal(
        tmp_path, packed({**members, "OEBPS/content.opf": package})
    )


def test_what_is_not_linear_is_left_out_and_counted(tmp_path: Path) -> None:
    chapters = {"a.xhtml": page("<p>text</p>"), "b.xhtml": page("<p>pop up</p>")}
    book = read(tmp_path, packed(epub_members(chapters, not_linear=("b.xhtml",))))
    assert book.text == "text"
    assert book.removed["not_linear"] == len("popup")


def test_a_contents_page_of_the_guide_goes_if_it_is_mostly_links(tmp_path: Path) -> None:
    links = page("<h2>Contents</h2><p><a href='b.xhtml#a'>Chapter the First</a></p>")
    whole = page("<p>The whole book, word for word.</p><p><a href='#a'>Chapter</a></p>")
    guide = '<guide><reference type="toc" href="{}"/></guide>'
    for data, href, text in (
        (links, "a.xhtml", "end"),
        (links, "a.xhtml#toc", "Contents\n\nChapter the First\n\nend"),
        (whole, "a.xhtml", "The whole book, word for word.\n\nChapter\n\nend"),
    ):
        chapters = {"a.xhtml": data, "b.xhtml": page("<p>end</p>")}
        members = epub_members(chapters, guide=guide.format(href))
        assert read(tmp_path, packed(members)).text == text


def test_pictures_in_the_spine_are_counted_and_other_things_refused(tmp_path: Path) -> None:
    chapters = {"a.xhtml": page("<p>a</p>"), "b.svg": b"<svg/>"}
    for kind in ("image/svg+xml", "application/pdf"):
        data = packed(epub_members(chapters, kinds={"b.svg": kind}))
        if kind.startswith("image"):
            assert read(tmp_path, data).pictures == 1
        else:
            assert "XHTML in the spine, found application/pdf" in refusal(tmp_path, data)


# --- the licence in the text -------------------------------------------------------------------

OLD = """<pre>
The Project Gutenberg EBook of Emma, by Jane Austen

*** START OF THIS PROJECT GUTENBERG EBOOK EMMA ***
</pre><p>First.</p>{}<p>Last.</p><pre>
End of the Project Gutenberg EBook of Emma

*** END OF THIS PROJECT GUTENBERG EBOOK EMMA ***
To hear about our books
</pre>"""


def test_a_licence_without_marks_is_cut_at_its_markers(tmp_path: Path) -> None:
    book = read(tmp_path, epub(OLD.format("")))
    assert book.text == "First.\n\nLast."
    # everything visible of OLD that stands in no tag, but the two paragraphs
    words = (
        OLD.replace("<pre>", "").replace("</pre>", "").replace("<p>First.</p>{}<p>Last.</p>", "")
    )
    assert book.removed["licence"] == visible(words)


def test_markers_in_the_middle_of_a_book_are_text(tmp_path: Path) -> None:
    """Nothing that a header or footer of theirs could not hold is lost to a quoted marker."""
    long = f"<p>{'many words ' * 9000}</p>"
    quoted = "<p>*** START OF THE PROJECT GUTENBERG</p><p>*** END OF THE PROJECT GUTENBERG</p>"
    book = read(tmp_path, epub(OLD.format(long + quoted + long)))
    text = book.text or ""
    assert text.startswith("First.")
    assert text.endswith("Last.")
    assert text.count("many words") == 18_000
    assert text.count("*** ") == 2


# --- what the package says ---------------------------------------------------------------------


def about(folder: Path, metadata: str) -> SimpleNamespace:
    book = read(folder, epub("<p>x</p>", metadata=metadata))
    names = ("title", "author", "language", "rights", "identifier")
    return SimpleNamespace(**{name: getattr(book, name) for name in names})


def test_an_epub_that_says_nothing(tmp_path: Path) -> None:
    assert vars(about(tmp_path, "")) == dict.fromkeys(
        ("title", "author", "language", "rights", "identifier"), ""
    )


def test_authors(tmp_path: Path) -> None:
    both = '<dc:creator opf:role="aut">A</dc:creator><dc:creator opf:role="trl">T</dc:creator>'
    assert about(tmp_path, both + "<dc:creator>B</dc:creator>").author == "A; B"
    assert about(tmp_path, '<dc:creator opf:role="edt">E</dc:creator>').author == "E"
    assert about(tmp_path, "<dc:creator>A</dc:creator><dc:creator>A</dc:creator>").author == "A"


@pytest.mark.parametrize(
    ("text", "code"),
    [("en", "en"), ("en_US", "en-US"), ("zh-Hant-TW", "zh-Hant-TW"), ("UND", ""), ("English!", "")],
)
def test_languages(tmp_path: Path, text: str, code: str) -> None:
    assert about(tmp_path, f"<dc:language>{text}</dc:language>").language == code


@pytest.mark.parametrize(
    ("metadata", "number"),
    [
        ("<dc:identifier>https://www.gutenberg.org/ebooks/76</dc:identifier>", "76"),
        ("<dc:identifier>http://www.gutenberg.org/76</dc:identifier>", "76"),
        ("<dc:source>https://www.gutenberg.org/cache/epub/76/pg76-images.html</dc:source>", "76"),
        ("<dc:source>gutenberg.org/ebooks/76 and gutenberg.org/ebooks/77</dc:source>", ""),
        ("<dc:source>https://www.gutenberg.org/ebooks/author/68</dc:source>", ""),
        ("<dc:identifier>urn:uuid:76</dc:identifier>", ""),
        (GUTENBERG + "<dc:source>https://www.gutenberg.org/ebooks/99</dc:source>", "1342"),
    ],
)
def test_numbers(tmp_path: Path, metadata: str, number: str) -> None:
    assert about(tmp_path, metadata).identifier == number


def test_fields_are_one_line_that_can_be_printed(tmp_path: Path) -> None:
    found = about(tmp_path, f"<dc:title>A\n  B\u202e {'x' * 5000}</dc:title>").title
    assert found.startswith("A B x")
    assert len(found) <= 1000
    assert found.isprintable()


def test_old_packages_without_namespaces(tmp_path: Path) -> None:
    members = epub_members({"a.html": page("<p>a</p>")}, kinds={"a.html": "text/x-oeb1-document"})
    members["OEBPS/content.opf"] = (
        '<!DOCTYPE package PUBLIC "+//ISBN 0-9673008-1-9//DTD OEB 1.2 Package//EN" "oeb.dtd">'
        '<package><metadata><dc-metadata xmlns:dc="x"><dc:Title>T</dc:Title></dc-metadata>'
        "</metadata>"
        '<manifest><item id="a" href="a.html" media-type="text/x-oeb1-document"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    book = read(tmp_path, packed(members))
    assert (book.title, book.text) == ("T", "a")


# --- encodings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", None),
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "iso-8859-1"),  # the mark counts
        ("utf-16", "utf-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", None),
        ("iso-8859-1", "ISO-8859-1"),
        ("windows-1252", "windows-1252"),
        ("gb18030", "GB18030"),
        ("shift_jis", "Shift_JIS"),
    ],
)
def test_encodings(encoding: str, declared: str | None) -> None:
    words = "日本" if encoding in ("gb18030", "shift_jis") else "café"
    said = f' encoding="{declared}"' if declared else ""
    text = f'<?xml version="1.0"{said}?><p>{words}</p>'
    assert decoded(text.encode(encoding), "x") == text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<p>caf\xe9</p>", "text in utf-8, found byte 0xe9 at a.xhtml, byte 6"),
        (b'<?xml version="1.0" encoding="klingon"?>', "a known encoding of text"),
        (b'<?xml version="1.0" encoding="punycode"?>', "a known encoding of text"),
        (b'<?xml version="1.0" encoding="zlib"?>', "a known encoding of text"),
        (b'<?xml version="1.0" encoding="unicode_escape"?>', "a known encoding of text"),
        (b"\xff\xfe<\0p", "text in utf-16-le"),
    ],
)
def test_wrong_bytes_and_unknown_encodings(raw: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decoded(raw, "a.xhtml")


# --- hostile and damaged -----------------------------------------------------------------------

ENTITIES = '<!DOCTYPE html [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize("member", ["META-INF/container.xml", "OEBPS/content.opf", "OEBPS/c.xhtml"])
def test_declarations_of_entities_are_refused(tmp_path: Path, member: str) -> None:
    members = epub_members({"c.xhtml": b"<html><body>&b;</body></html>"})
    data = members[member]
    text = data.decode() if isinstance(data, bytes) else data
    head, mark, rest = text.rpartition("?>")
    message = refusal(tmp_path, packed({**members, member: head + mark + ENTITIES + rest}))
    assert "a declaration of entities" in message
    assert member in message


def encryption(*algorithms: str) -> str:
    data = "".join(
        f'<EncryptedData><EncryptionMethod Algorithm="{name}"/></EncryptedData>'
        for name in algorithms
    )
    return f'<encryption xmlns="http://www.w3.org/2001/04/xmlenc#">{data}</encryption>'


FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def test_protected_books_are_refused_and_obfuscated_fonts_are_not(tmp_path: Path) -> None:
    members = epub_members({"c.xhtml": page("<p>a</p>")})
    where = "META-INF/encryption.xml"
    assert read(tmp_path, packed({**members, where: encryption(*FONTS)})).text == "a"
    aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    unnamed = encryption("").replace('Algorithm=""', "")
    for text in (encryption(*FONTS, aes), unnamed, "<encryption><EncryptedData/></encryption>"):
        assert "DRM" in refusal(tmp_path, packed({**members, where: text}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"META-INF/container.xml": None}, "META-INF/container.xml"),
        ({"META-INF/container.xml": "<container/>"}, "a package, found none"),
        ({"META-INF/container.xml": "<container>"}, "expected XML"),
        ({"OEBPS/content.opf": None}, "OEBPS/content.opf"),
        ({"OEBPS/content.opf": "<package><spine/></package>"}, "a reading order, found none"),
        (
            {"OEBPS/content.opf": '<package><spine><itemref idref="q"/></spine></package>'},
            "idref 'q'",
        ),
        ({"OEBPS/c.xhtml": None}, "OEBPS/c.xhtml"),
    ],
)
def test_damage_is_named(tmp_path: Path, change: dict[str, str | None], message: str) -> None:
    members = {**epub_members({"c.xhtml": page("<p>a</p>")}), **change}
    data = packed({name: data for name, data in members.items() if data is not None})
    assert message in refusal(tmp_path, data)


def test_the_texts_of_an_epub_have_at_most_so_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert epub_module.MOST_TEXT == 64 * 1024**2
    monkeypatch.setattr(epub_module, "MOST_TEXT", 2 * len(page("<p>a</p>")))
    assert read(tmp_path, epub("<p>a</p>", "<p>b</p>")).text == "a\n\nb"
    assert "at most" in refusal(tmp_path, epub("<p>a</p>", "<p>bc</p>"))


def test_elements_stand_at_most_so_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epub_text, "MOST_DEPTH", 10)
    assert extract("<b>" * 10 + "a", "x").blocks == ["a"]
    with pytest.raises(InputError, match="at most 10 deep"):
        extract("<b>" * 11 + "a", "x")


OPENERS = [
    "<!--", "<a ", "<a", "<![CDATA[", "<!DOCTYPE [", "<!DOCTYPE [>", "<!DOCTYPE []", "<?", "<!",
    "<", "</", "</p>", "<p>", "<br/>", "<b/>", "<script", "<script></script", "<style><", "&",
    "&#", "&ampx", "<b a='", "<p class=\"a ", "<a b=c ", "<td>", "<li>", "<a href='#x'>*</a>",
    "\u00ad", "\n", " ", "<b></b>", "]]>", "-->", "<a\"", "<tr>", "</div>", "[", "*",
]  # fmt: skip


@pytest.mark.parametrize("opener", OPENERS)
def test_time_grows_with_the_size_and_no_faster(opener: str) -> None:
    """`html.parser` of Python 3.11 needs a minute for 60 kB of `<a `."""

    def seconds(size: int) -> float:
        text = opener * (size // len(opener))
        start = time.process_time()
        extract(text, "x")
        return time.process_time() - start

    assert min(seconds(60_000) for _ in range(2)) < 0.5


# --- every word, in order, once ----------------------------------------------------------------

WORDS = st.text(st.characters(categories=("L", "N", "P"), exclude_characters="[]*†‡§"), min_size=1)
INLINE = st.sampled_from(["i", "b", "span", "em", "a", "small", "x:y", "sup"])
BLOCK = st.sampled_from(
    ["p", "div", "section", "li", "ul", "h2", "blockquote", "td", "tr", "table"]
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


SPACES = st.sampled_from([" ", "\n", " <!-- x y -->", "\t", "<br/>"])
TEXTS = st.lists(st.tuples(WORDS.map(escaped), SPACES), min_size=1, max_size=4).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


def wrapped(tags: st.SearchStrategy[str], inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(inside, max_size=4).map("".join)
    return st.tuples(tags, parts).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>")


INLINES = st.recursive(TEXTS, lambda inside: wrapped(INLINE, inside), max_leaves=6)
TREES = st.recursive(
    st.one_of(TEXTS, INLINES), lambda inside: wrapped(BLOCK, inside), max_leaves=12
)


def words_of(body: str) -> list[str]:
    """Words by an XML parser, blocks and breaks being spaces."""
    from xml.etree import ElementTree as ET

    inline = {"i", "b", "span", "em", "a", "small", "y", "sup"}

    def text(element: ET.Element) -> str:
        own = (element.text or "") + "".join(text(e) + (e.tail or "") for e in element)
        return own if element.tag in inline else f" {own} "

    return text(ET.fromstring(f"<body>{body.replace('x:y', 'y')}</body>")).split()


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_every_word_comes_out_in_order_once(body: str) -> None:
    assert " ".join(blocks(body)).split() == words_of(body)


SKIPPED = st.sampled_from(["nav", "svg", "rt", "figcaption", "math", 'span class="pagenum"'])


@given(st.lists(st.one_of(TREES, st.tuples(SKIPPED, TEXTS)), max_size=6))
@settings(max_examples=100, deadline=None)
def test_every_character_is_in_the_text_or_counted(pieces: list[str | tuple[str, str]]) -> None:
    body, everything = "", 0
    for piece in pieces:
        text = piece if isinstance(piece, str) else piece[1]
        everything += sum(map(len, words_of(text))) + text.count("<!-- x y -->") * 2
        body += text if isinstance(piece, str) else f"<{piece[0]}>{text}</{piece[0].split()[0]}>"
    found = extract(f"<body>{body}</body>", "x")
    assert sum(map(visible, found.blocks)) + Counter(found.removed).total() == everything
