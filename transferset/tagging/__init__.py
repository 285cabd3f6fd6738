"""Texts into words, spaces and part-of-speech tags.

    spacy[:MODEL]   default; any spaCy pipeline with a tagger or a morphologizer, any language
    lexicon         English, a hidden Markov model that comes with the package
    nltk            English, the literature's mode; needs NLTK's data

Importing this loads no model and none of the packages behind the names.
"""

from transferset.tagging.tagger import NAMES, Tagged, Tagger, TaggerInfo, code_of, load_tagger
from transferset.tagging.words import normal_text

__all__ = ["NAMES", "Tagged", "Tagger", "TaggerInfo", "code_of", "load_tagger", "normal_text"]
