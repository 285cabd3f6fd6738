"""transferset: transfer sets for knowledge distillation, data first.

import transferset
corpus = transferset.build_wiki("simplewiki@latest", "sets/simple")
small = transferset.derive(corpus.root, "sets/small", steps=[transferset.Sample("1%")], seed=7)
for batch in small.batches(): ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.api import (
        books_find,
        build_books,
        build_task,
        build_text,
        build_wiki,
        derive,
        diff,
        evaluate,
        inspect,
        inspect_model,
        mix,
        open,
        plan_books,
        plan_derive,
        plan_label,
        plan_lm_fit,
        plan_lm_sample,
        plan_mix,
        plan_task,
        plan_text,
        plan_wiki,
        report,
        run,
        stats,
        verify,
        verify_model,
        vocab_fit,
        word_starts,
    )
    from transferset.api.distilling import distill, plan_distill
    from transferset.api.exporting import export, plan_export, verify_export
    from transferset.api.label import label
    from transferset.api.lm_fit import lm_fit
    from transferset.api.lm_sample import lm_sample
    from transferset.api.training import finetune, plan_finetune, plan_teacher_fit, teacher_fit
    from transferset.errors import InputError, SetError, TransfersetError, UsageError
    from transferset.exported import Exported
    from transferset.models import Model
    from transferset.shards import ShardSet
    from transferset.steps import (
        Augment,
        Dedupe,
        Delete,
        Filter,
        Generate,
        Lengths,
        Mask,
        Pack,
        Replace,
        ReplaceLm,
        Sample,
        Shuffle,
        Split,
        transform,
    )

_HOMES = {
    "transferset.api": (
        "books_find", "build_books", "build_task", "build_text", "build_wiki", "derive", "diff",
        "evaluate", "inspect", "inspect_model", "label", "lm_fit", "lm_sample", "mix", "open",
        "plan_books",
        "plan_derive", "plan_label", "plan_lm_fit", "plan_lm_sample",
        "plan_mix", "plan_task", "plan_text", "plan_wiki", "report", "run", "stats", "verify",
        "verify_model", "vocab_fit", "word_starts",
    ),
    "transferset.api.distilling": ("distill", "plan_distill"),
    "transferset.api.training": ("finetune", "plan_finetune", "plan_teacher_fit", "teacher_fit"),
    "transferset.api.exporting": ("export", "plan_export", "verify_export"),
    "transferset.exported": ("Exported",),
    "transferset.errors": ("InputError", "SetError", "TransfersetError", "UsageError"),
    "transferset.models": ("Model",),
    "transferset.shards": ("ShardSet",),
    "transferset.steps": (
        "Augment", "Dedupe", "Delete", "Filter", "Generate", "Lengths", "Mask", "Pack", "Replace",
        "ReplaceLm", "Sample", "Shuffle", "Split", "transform",
    ),
}  # fmt: skip

_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Augment",
    "Dedupe",
    "Delete",
    "Exported",
    "Filter",
    "Generate",
    "InputError",
    "Lengths",
    "Mask",
    "Model",
    "Pack",
    "Replace",
    "ReplaceLm",
    "Sample",
    "SetError",
    "ShardSet",
    "Shuffle",
    "Split",
    "TransfersetError",
    "UsageError",
    "__version__",
    "books_find",
    "build_books",
    "build_task",
    "build_text",
    "build_wiki",
    "derive",
    "diff",
    "distill",
    "evaluate",
    "export",
    "finetune",
    "inspect",
    "inspect_model",
    "label",
    "lm_fit",
    "lm_sample",
    "mix",
    "open",
    "plan_books",
    "plan_derive",
    "plan_distill",
    "plan_export",
    "plan_finetune",
    "plan_label",
    "plan_lm_fit",
    "plan_lm_sample",
    "plan_mix",
    "plan_task",
    "plan_teacher_fit",
    "plan_text",
    "plan_wiki",
    "report",
    "run",
    "stats",
    "teacher_fit",
    "transform",
    "verify",
    "verify_export",
    "verify_model",
    "vocab_fit",
    "word_starts",
]


def __getattr__(name: str) -> object:
    # lazy: `transferset --help` must not load Arrow
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
