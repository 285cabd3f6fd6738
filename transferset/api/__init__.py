"""The Python API; each command of the CLI is one of these functions with the same parameters."""

from transferset.api.building import DEMO, build_wiki, plan_wiki, vocab_fit
from transferset.api.deriving import derive, mix, plan_derive
from transferset.api.running import run
from transferset.api.sets import SETS, Inspection, inspect, only_set, open, set_name, verify
from transferset.api.showing import diff, report, stats

__all__ = [
    "DEMO",
    "SETS",
    "Inspection",
    "build_wiki",
    "derive",
    "diff",
    "inspect",
    "mix",
    "only_set",
    "open",
    "plan_derive",
    "plan_wiki",
    "report",
    "run",
    "set_name",
    "stats",
    "verify",
    "vocab_fit",
]
