"""The embedded sample: a small MediaWiki dump of articles written for this project (CC0-1.0).

It is what `transferset build wiki demo` reads. Its sources and the script that makes it are in
`tools/sample` of the repository.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def path() -> Path:
    """Find the sample dump.

    Returns:
        Path of the multistream `.xml.bz2`; its index lies beside it.
    """
    return Path(str(files(__name__) / "demowiki-20261101-pages-articles-multistream.xml.bz2"))
