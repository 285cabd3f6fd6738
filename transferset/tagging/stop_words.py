"""English function words, for taggers that bring no list of their own."""

from __future__ import annotations

from typing import Final

_ARTICLES: Final = "a an the"
_PRONOUNS: Final = (
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his"
    " himself she her hers herself it its itself they them their theirs themselves"
    " who whom whose which what this that these those someone somebody something anyone anybody"
    " anything everyone everybody everything nobody nothing none"
)
_QUANTITIES: Final = (
    "all any both each either neither every few many more most much less several some such no"
    " other another own same enough"
)
_VERBS: Final = (
    "am is are was were be been being do does did doing done have has had having can could may"
    " might must shall should will would ought"
)
_PREPOSITIONS: Final = (
    "about above across after against along among around at before behind below beside"
    " between beyond by down during except for from in inside into of off on onto out"
    " outside over per since through throughout to towards under until up upon via"
    " with within without"
)
_CONJUNCTIONS: Final = (
    "and but or nor so yet if because although though unless while whereas whether than as"
)
_ADVERBS: Final = (
    "not only just very too also then there here when where why how again ever never now once"
    " almost already always however still"
)
#: Pieces of contractions, as the word rules cut them.
_PIECES: Final = "'s 're 've 'll 'd 'm n't ca wo"

#: Sorted, in lower case.
ENGLISH: Final[tuple[str, ...]] = tuple(
    sorted(
        " ".join(
            (
                _ARTICLES,
                _PRONOUNS,
                _QUANTITIES,
                _VERBS,
                _PREPOSITIONS,
                _CONJUNCTIONS,
                _ADVERBS,
                _PIECES,
            )
        ).split()
    )
)
