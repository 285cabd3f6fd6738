"""The Python API; each command of the CLI is one of these functions with the same parameters."""

from transferset.api.books import books_find, build_books, plan_books
from transferset.api.building import DEMO, build_wiki, plan_wiki, vocab_fit
from transferset.api.deriving import derive, mix, plan_derive, plan_mix
from transferset.api.distilling import distill, plan_distill
from transferset.api.evaluating import evaluate
from transferset.api.exporting import EXPORTS, export, plan_export, verify_export
from transferset.api.label import label, plan_label
from transferset.api.lm_fit import MODELS, lm_fit, plan_lm_fit
from transferset.api.lm_sample import lm_sample, plan_lm_sample
from transferset.api.models import inspect_model, verify_model
from transferset.api.running import run
from transferset.api.sets import (
    SETS,
    Inspection,
    inspect,
    only_set,
    open,
    set_name,
    verify,
    word_starts,
)
from transferset.api.showing import diff, report, stats
from transferset.api.tasks import build_task, plan_task
from transferset.api.texts import build_text, plan_text
from transferset.api.training import finetune, plan_finetune, plan_teacher_fit, teacher_fit

__all__ = [
    "DEMO",
    "EXPORTS",
    "MODELS",
    "SETS",
    "Inspection",
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
    "only_set",
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
    "set_name",
    "stats",
    "teacher_fit",
    "verify",
    "verify_export",
    "verify_model",
    "vocab_fit",
    "word_starts",
]
