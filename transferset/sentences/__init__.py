"""Passages into sentences.

    nupunkt         default for English; nupunkt's decisions, five to eight times as fast
    punkt           default for 18 further languages, and the literature's mode for English
    rules           everything else: CJK, Indic, Arabic, Ethiopic, Khmer … marks, and full stops
    spacy[:MODEL]   optional

Importing this loads no model and none of the packages behind the names.
"""

from transferset.sentences.splitter import NAMES, Splitter, default_name, get_splitter

__all__ = ["NAMES", "Splitter", "default_name", "get_splitter"]
