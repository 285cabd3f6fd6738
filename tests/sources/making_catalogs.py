"""A small catalogue of Project Gutenberg and RDF of its books, as the real ones look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

HEADER = "Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves"

#: Form and quirks of the real file; numbers, titles and authors of real books.
CATALOG = (
    HEADER
    + """
1342,Text,1998-06-01,Pride and Prejudice,en,"Austen, Jane, 1775-1817",\
"England -- Fiction; Young women -- Fiction; Love stories; Sisters -- Fiction",PR,\
"Best Books Ever Listings; Category: British Literature"
84,Text,1993-10-01,"Frankenstein; or, the modern prometheus",en,\
"Shelley, Mary Wollstonecraft, 1797-1851","Science fiction; Horror tales",PR,Gothic Fiction
20,Text,1992-02-01,Paradise Lost,en,"Milton, John, 1608-1674",\
"Bible. Genesis -- Poetry; Fall of man -- Poetry",PR,"Category: Poetry"
2000,Text,1999-12-01,Don Quijote,es,"Cervantes Saavedra, Miguel de, 1547-1616",\
"Knights and knighthood -- Fiction",PQ,"ES Historia"
158,Text,1994-08-01,Emma,en,"Austen, Jane, 1775-1817","Humorous stories; Young women -- Fiction",PR,
10148,Sound,2003-11-01,"Pride and Prejudice",en,"Austen, Jane, 1775-1817",\
"Audiobooks -- Fiction",PR,
239,Image,1995-03-01,Radar Map of the United States,en,,,G,
2,Dataset,1972-12-01,"Human Genome Project, Chromosome Number 01",en,\
"Human Genome Project",,QH,
100,Collection,1994-01-01,"The Complete Works of William Shakespeare",en,\
"Shakespeare, William, 1564-1616","English drama",PR,
1727,Text,1999-04-01,"The Odyssey
Rendered into English prose for the use of those who cannot read the original",en,\
"Homer, 751? BCE-651? BCE; Butler, Samuel, 1835-1902 [Translator]",\
"Epic poetry, Greek -- Translations into English",PA,Classical Antiquity
27045,Text,2008-10-26,"Project Gutenberg (1971-2008)",en,"Lebert, Marie","Project Gutenberg",Z,
22577,Text,2007-09-12,"Practical ""First"" Lessons in French",en; fr,"Worman, James H. [Editor]",\
"French language -- Readers",PC,
7,Text,1991-07-01,The Mayflower Compact,en,,"Mayflower Compact (1620)",F,
1260,Text,1998-03-01,Jane Eyre: An Autobiography,EN,"Brontë, Charlotte, 1816-1855",\
"England -- Fiction; Governesses -- Fiction",PR,
84,Text,1993-10-01,Frankenstein again,en,"Shelley, Mary Wollstonecraft, 1797-1851",,PR,
x12,Text,1993-10-01,A row without a number,en,,,,
13,Text,1993-10-01,A row with a column too few,en,,
3,Text,None,No day of issue,en-GB,Anonymous,"Fiction",PR,
"""
)

PUBLIC = "Public domain in the USA."
COPYRIGHTED = "Copyrighted. Read the copyright notice inside this book for details."
SITE = "https://www.gutenberg.org"

_RDF = """<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xml:base="http://www.gutenberg.org/"
  xmlns:dcterms="http://purl.org/dc/terms/"
  xmlns:pgterms="http://www.gutenberg.org/2009/pgterms/"
  xmlns:cc="http://web.resource.org/cc/"
  xmlns:dcam="http://purl.org/dc/dcam/"
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
  <pgterms:ebook rdf:about="ebooks/{number}">
    <dcterms:publisher>Project Gutenberg</dcterms:publisher>
    <dcterms:license rdf:resource="license"/>
    <dcterms:issued rdf:datatype="http://www.w3.org/2001/XMLSchema#date">{issued}</dcterms:issued>
    <dcterms:rights>{rights}</dcterms:rights>
    <pgterms:downloads rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">417</pgterms:downloads>
    {creators}
    <dcterms:title>A title</dcterms:title>
    <dcterms:type>
      <rdf:Description rdf:nodeID="N0"><rdf:value>Text</rdf:value></rdf:Description>
    </dcterms:type>
    {files}
  </pgterms:ebook>
  <cc:Work rdf:about="">
    <rdfs:comment>Archives of the RDF files for *all* our books can be downloaded.</rdfs:comment>
    <cc:license rdf:resource="https://creativecommons.org/publicdomain/zero/1.0/"/>
  </cc:Work>
  <rdf:Description rdf:about="http://en.wikipedia.org/wiki/Somebody">
    <dcterms:description>en.wikipedia</dcterms:description>
  </rdf:Description>
</rdf:RDF>
"""
_CREATOR = """<dcterms:creator><pgterms:agent rdf:about="2009/agents/{at}">
      <pgterms:name>{name}</pgterms:name><pgterms:alias>Somebody</pgterms:alias>
    </pgterms:agent></dcterms:creator>"""
_FILE = """<dcterms:hasFormat><pgterms:file rdf:about="{url}">
      <dcterms:isFormatOf rdf:resource="ebooks/1"/>
      <dcterms:extent rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">{size}</dcterms:extent>
      <dcterms:modified>2024-10-01T02:31:09.478302</dcterms:modified>
      {formats}
    </pgterms:file></dcterms:hasFormat>"""
_FORMAT = """<dcterms:format><rdf:Description rdf:nodeID="N{at}">
        <dcam:memberOf rdf:resource="http://purl.org/dc/terms/IMT"/>
        <rdf:value rdf:datatype="http://purl.org/dc/terms/IMT">{kind}</rdf:value>
      </rdf:Description></dcterms:format>"""


def rdf(
    number: int,
    files: Mapping[str, tuple[int | str, Sequence[str]]] | None = None,
    rights: str = PUBLIC,
    creators: Sequence[str] = ("Austen, Jane",),
    issued: str = "1998-06-01",
) -> bytes:
    """RDF of a book; `files` has size and media types by address."""
    if files is None:
        files = texts(number, 700_000)
    listed = [
        _FILE.format(
            url=escape(url),
            size=size,
            formats="".join(
                _FORMAT.format(at=at, kind=escape(kind)) for at, kind in enumerate(kinds)
            ),
        )
        for url, (size, kinds) in files.items()
    ]
    makers = [_CREATOR.format(at=at, name=escape(name)) for at, name in enumerate(creators)]
    return _RDF.format(
        number=number,
        rights=escape(rights),
        issued=issued,
        creators="\n    ".join(makers),
        files="\n    ".join(listed),
    ).encode()


def texts(number: int, size: int) -> dict[str, tuple[int | str, Sequence[str]]]:
    """The files of a book that has them all."""
    return {
        f"{SITE}/ebooks/{number}.epub3.images": (3 * size, ["application/epub+zip"]),
        f"{SITE}/ebooks/{number}.epub.noimages": (size // 2, ["application/epub+zip"]),
        f"{SITE}/ebooks/{number}.txt.utf-8": (size, ["text/plain; charset=us-ascii"]),
        f"{SITE}/files/{number}/{number}-0.txt": (size - 9, ["text/plain; charset=utf-8"]),
        f"{SITE}/files/{number}/{number}-0.zip": (
            size // 3,
            ["application/zip", "text/plain; charset=utf-8"],
        ),
        f"{SITE}/ebooks/{number}.rdf": (20_000, ["application/rdf+xml"]),
    }
