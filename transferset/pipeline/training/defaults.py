"""What options are when the user states none: as the publications had them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_ADAM: Final[Mapping[str, Any]] = {
    "optimizer": "adam",
    "schedule": "linear",
    "warmup": 0.05,
    "weight_decay": 0.0,
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "rho": 0.9,
    "sparse": False,
    "seeds": 1,
}

#: van de Graaf 2021, table 4.5: fine-tuning of BERT on GLUE.
FINE_TUNING: Final[Mapping[str, Any]] = MappingProxyType(
    {**_ADAM, "lr": 2e-5, "beta2": 0.98, "clip": 1.0, "batch": 8, "epochs": 3, "length": 128}
)

#: Liu 2020: Adam, its rate, clipping and 16 epochs as in § 4.3.2; batches as in § 3.4.1.
DISTILLING: Final[Mapping[str, Any]] = MappingProxyType(
    {**_ADAM, "lr": 5e-4, "clip": 1.0, "batch": 50, "epochs": 16, "length": 128}
)

#: van de Graaf 2021, table 4.3, but for the batch: there 800 rows, on four GPUs.
PRE_TRAINING: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **_ADAM,
        "lr": 5e-4,
        "beta2": 0.98,
        "eps": 1e-6,
        "clip": 5.0,
        "batch": 64,
        "epochs": 3,
        "length": 512,
    }
)

#: Devlin et al. 2019, § A.2, but for batch and number of steps: going on with a masked LM.
ADAPTING: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **PRE_TRAINING,
        "optimizer": "adamw",
        "lr": 1e-4,
        "beta2": 0.999,
        "weight_decay": 0.01,
        "clip": 1.0,
        "eps": 1e-6,
    }
)

#: Zeiler 2012 as in Liu 2020, § 3.4.1; it needs no schedule, and has no sparse form.
_ADADELTA: Final[Mapping[str, Any]] = MappingProxyType(
    {"lr": 1.0, "rho": 0.95, "eps": 1e-6, "schedule": "constant", "warmup": 0.0, "sparse": False}
)


def defaults(kind: Mapping[str, Any], optimizer: str | None, *, sparse: bool) -> dict[str, Any]:
    """The defaults for an optimiser.

    Args:
        kind: One of the above.
        optimizer: That the user states, if any.
        sparse: Whether the model has word tables that nothing else shares; most of a small
            recurrent student's work is a dense optimiser moving them.
    """
    from transferset.pipeline.training.options import ADADELTA

    if optimizer == ADADELTA:
        return {**kind, **_ADADELTA}
    return {**kind, "sparse": sparse}
