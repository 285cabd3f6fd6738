"""Fitting a causal language model to texts.

The procedure is that of Sučík 2020, § 3.2, after Tang & Lin 2019: AdamW, linear warm-up and decay,
the mean loss over the pieces of a batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transferset.language_models.causal.examples import Examples
from transferset.language_models.causal.learning import PieceLearner, Procedure
from transferset.language_models.checkpoint import quiet
from transferset.stage import Progress
from transferset.training.batches import Batches
from transferset.training.checkpoint import Checkpoints
from transferset.training.loop import Settings, State, train

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def fit(
    model: PreTrainedModel,
    examples: Examples,
    held_out: Examples | None,
    procedure: Procedure,
    *,
    checkpoints: Checkpoints,
    log: Path,
    progress: Progress,
    every: float = 60.0,
) -> State:
    """Train a model in place; after an interruption, from its checkpoint on.

    Args:
        model: Trainable, in float32; its weights are those to begin with.
        examples: At least one.
        held_out: By whose perplexity the best weights are chosen; None takes the last.
        procedure: How.
        checkpoints: Of this training alone.
        log: File of JSON lines.
        progress: Told of predicted pieces.
        every: Seconds of work between checkpoints.

    Returns:
        What became of it, in pieces; the model has the weights to keep.

    Raises:
        TransfersetError: A loss is not finite, or memory is too short for one example.
    """
    with quiet():  # or transformers asks for a mask
        return train(
            PieceLearner(model, examples, procedure, held_out),
            batches_of(examples, procedure),
            Settings(
                lr=procedure.lr,
                warmup=procedure.warmup,
                evaluate_every=procedure.evaluate_every,
                evaluate_first=True,
                unit="pieces",
            ),
            at_once=procedure.batch,
            checkpoints=checkpoints,
            log=log,
            progress=progress,
            every=every,
        )


def batches_of(examples: Examples, procedure: Procedure) -> Batches:
    """What is learnt at each step."""
    return Batches(
        [examples.lengths],
        seed=procedure.seed,
        rows=procedure.batch,
        epochs=procedure.epochs,
    )
