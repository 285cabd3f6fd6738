"""What the trainings of all kinds have in common: models and data that are ready to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from transferset.errors import TransfersetError, sentence
from transferset.manifest import Json
from transferset.pipeline.training.options import Training
from transferset.shards import ShardSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from transferset.training.batches import Batches
    from transferset.training.loop import Learner
    from transferset.training.optimizer import Optimizer

#: Below `_run/`: ids that are made anew, and what making a student needs.
EXAMPLES: Final = "examples"
SCRATCH: Final = "student"


class Begun(NamedTuple):
    """A training that has not done a step.

    Attributes:
        learner: With a model of its seed.
        batches: What it is trained on.
        at_once: Padded ids that go through the model at a time at most.
        about: What the record says of the model.
        parameters: Numbers of its weights: all, embedding, other, trained.
    """

    learner: Learner
    batches: Batches
    at_once: int
    about: Json
    parameters: Json


class Work(Protocol):
    """Models and data."""

    @property
    def counts(self) -> Json:
        """Of the examples: `train` and `validation`, an entry for each set."""

    @property
    def tokenizer(self) -> Json:
        """What the record says of it."""

    def begin(self, seed: int) -> Begun:
        """A training; all that is drawn depends on the seed alone."""

    def save(self, module: Any, out: Path, about: Sequence[str]) -> list[Path]:
        """Write a trained model.

        Args:
            module: The learner's.
            out: A directory of its own.
            about: Lines for its README.

        Returns:
            Its files.
        """


def require_rows(sets: Sequence[ShardSet]) -> None:
    """Refuse empty sets.

    Raises:
        TransfersetError: One has no rows.
    """
    for one in sets:
        if not len(one):
            raise TransfersetError(sentence("at least one row", "none", str(one.root)))


def optimizer_of(module: Any, training: Training, vocabulary: int) -> Optimizer:
    """The optimiser of a model on its device.

    Args:
        module: What is trained.
        training: The options.
        vocabulary: Ids of its word tables, whose gradients are sparse if that is wanted.
    """
    from transferset.training.optimizer import make_optimizer

    tables: list[Any] = []
    if training.sparse:
        from transferset.students.embeddings import use_sparse_gradients

        tables = use_sparse_gradients(module, vocabulary)
    return make_optimizer(
        module,
        training.optimizer,  # type: ignore[arg-type]
        training.lr,
        weight_decay=training.weight_decay,
        betas=(training.beta1, training.beta2),
        eps=training.eps,
        rho=training.rho,
        sparse=tables,
    )


def batches_of(lengths: Sequence[npt.NDArray[np.int32]], training: Training, seed: int) -> Batches:
    """What is trained on."""
    from transferset.training.batches import Batches

    return Batches(
        lengths,
        seed=seed,
        rows=training.batch,
        tokens=training.batch_tokens,
        epochs=training.epochs,
        steps=training.steps,
    )
