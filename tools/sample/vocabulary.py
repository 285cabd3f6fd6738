"""Fits the sample's own vocabulary: `python tools/sample/vocabulary.py`.

The cleaned sample is what it is fitted to, so run it again when sample or cleaner have changed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from transferset import demo
from transferset.ledger import Ledger
from transferset.sources.dump import Dump
from transferset.text.wikitext import WikitextCleaner
from transferset.tokens import fit_vocabulary

#: Small enough that words are split, large enough that most are not.
SIZE = 8000


def main() -> None:
    """Write `transferset/demo/tokenizer.json`."""
    dump = Dump.open(demo.path())
    cleaner = WikitextCleaner(language=dump.site.language, namespaces=dump.site.namespaces)
    texts = [
        passage
        for part in dump.parts()
        for page in dump.read(part, Ledger())
        for passage in cleaner.clean(page.text, page.title)
    ]
    with tempfile.TemporaryDirectory() as folder:
        fit_vocabulary(texts, SIZE).save(Path(folder))
        made = Path(folder, "tokenizer.json").read_bytes()
    demo.path().with_name("tokenizer.json").write_bytes(made)


if __name__ == "__main__":
    main()
