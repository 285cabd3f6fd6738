"""Steps of a derivation: what is to be done to the rows, as plain values.

A step says *what*; how it is done stands in `transforms`. It has the same name on the command line,
in TOML and in Python: `--sample 10%`, `{sample = "10%"}`, `Sample("10%")`.
"""

from transferset.steps.augmenting import Augment, ReplaceLm, Vary
from transferset.steps.kinds import (
    STEPS,
    Custom,
    Dedupe,
    Delete,
    Filter,
    Generate,
    Lengths,
    Mask,
    Pack,
    Replace,
    Sample,
    Shuffle,
    Split,
    step_json,
    step_name,
)
from transferset.steps.parsing import parse_steps, step_from_text
from transferset.steps.plugins import load_function, transform
from transferset.steps.step import Step

__all__ = [
    "STEPS",
    "Augment",
    "Custom",
    "Dedupe",
    "Delete",
    "Filter",
    "Generate",
    "Lengths",
    "Mask",
    "Pack",
    "Replace",
    "ReplaceLm",
    "Sample",
    "Shuffle",
    "Split",
    "Step",
    "Vary",
    "load_function",
    "parse_steps",
    "step_from_text",
    "step_json",
    "step_name",
    "transform",
]
