"""Examples of tasks: TSV, CSV, JSON lines, Parquet, Arrow, Rasa's files, folders, the hub."""

from transferset.sources.tasks.files import TaskFile, classes_of, label_names, open_tasks
from transferset.sources.tasks.labels import LabelKind, Tally, kind_of
from transferset.sources.tasks.layouts import LAYOUTS
from transferset.sources.tasks.options import TaskOptions
from transferset.sources.tasks.reading import Example, TaskReader

__all__ = [
    "LAYOUTS",
    "Example",
    "LabelKind",
    "Tally",
    "TaskFile",
    "TaskOptions",
    "TaskReader",
    "classes_of",
    "kind_of",
    "label_names",
    "open_tasks",
]
