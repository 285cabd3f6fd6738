"""A model that is judged, or its teacher: what it reads, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.distillation.examples.reading import Reading
from transferset.distillation.examples.word_rows import column_of
from transferset.errors import UsageError, sentence
from transferset.manifest import Json, digest_json
from transferset.pipeline.label.teacher import Open, describe_teacher, kind_of, open_teacher
from transferset.shards import ShardSet
from transferset.storage.mounts import named

if TYPE_CHECKING:
    from transferset.students.config import Task

_REMEDY: Final = "save the model by save_pretrained, as safetensors"


@dataclass(frozen=True, slots=True)
class Judged:
    """An open model.

    Attributes:
        path: Its directory, as it was named.
        about: Its name and digests.
        opened: The model.
    """

    path: str
    about: Json
    opened: Open

    @classmethod
    def open(cls, path: str | Path, *, mlm: bool, device: str | None) -> Judged:
        """Load a model.

        Args:
            path: Its directory.
            mlm: It is a masked language model.
            device: As torch names it, or None.

        Raises:
            InputError: The directory holds no such model, or what is not to be trusted.
            UsageError: torch is not installed, or there is no such device.
        """
        place, kind = str(path), kind_of(mlm=mlm)
        if not mlm:
            _require_classifier(Path(path))
        about = describe_teacher(place, kind)
        return cls(place, about, open_teacher(place, kind, digest_json(about), device))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Of a classifier."""
        return self.opened.tasks

    @property
    def states_layout(self) -> bool:
        """Whether its tasks say right what are pairs: a foreign model reads either."""
        return bool(getattr(self.opened.model, "states_layout", True))

    def require_positions(self, length: int | None) -> None:
        """Refuse a length that the model does not have positions for.

        Raises:
            UsageError: It has not.
        """
        if length is not None and length > self.opened.positions:
            expected = f"--length up to the model's {self.opened.positions:,} positions"
            raise UsageError(sentence(expected, f"{length:,}", self.path))

    def reading(self, found: ShardSet, length: int | None) -> Reading:
        """How it reads a set.

        Args:
            found: The set.
            length: Most ids of a row; None, and what is more, is what it has positions for.
        """
        most = self.opened.positions
        return self.opened.reading(column_of(self.path, [found]), min(length or most, most))

    def to_json(self) -> Json:
        """What the result says of it."""
        return {
            **self.about,
            "path": named(self.path),
            "tasks": [
                {"name": t.name, "classes": t.classes and list(t.classes)} for t in self.tasks
            ],
        }

    def size(self) -> Json:
        """Parameters, those of embeddings and the others; and bytes of its weights on disk."""
        from transferset.distillation.choice.making import parameters
        from transferset.language_models.model_files import weight_files
        from transferset.teachers.statement import HEAD_WEIGHTS

        module: Any = self.opened.model
        counts = parameters(getattr(module, "model", module) if not self.tasks else module)
        folder = Path(self.path)
        files = [*weight_files(folder, _REMEDY), folder / HEAD_WEIGHTS]
        return {
            "parameters": counts["all"],
            "embedding": counts["embedding"],
            "other": counts["other"],
            "bytes": sum(path.stat().st_size for path in files if path.is_file()),
        }


def _require_classifier(folder: Path) -> None:
    """Tell of a masked language model by its name, not by the weights that it lacks."""
    from transferset.language_models.model_files import CONFIG, read_json

    if (folder / CONFIG).is_file():
        named = read_json(folder / CONFIG).get("architectures")
        if isinstance(named, list) and any(str(name).endswith("ForMaskedLM") for name in named):
            expected, found = "a classifier of texts", "a masked language model"
            raise UsageError(sentence(expected, found, str(folder), "judge it with --mlm"))
