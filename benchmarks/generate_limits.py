"""What a model and a machine allow at most, however pieces are drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from generate_models import Task
from measure import memcpy

Json = dict[str, Any]

_STEPS = 20


def limits(task: Task, device: str, batch: int) -> Json:
    """Pieces a second of the matrix products alone, and of the model without drawing.

    On the processor rows go through the model in tiles of one size, whatever the batch.
    """
    import torch

    from transferset.language_models.causal.agreeing import open_forward
    from transferset.language_models.causal.sampler import TILE

    places = TILE if device == "cpu" else batch
    forward = open_forward(task.model, task.start, places, task.length + 1)
    ids = torch.full_like(forward.positions, task.start)
    middle = torch.full_like(ids, max(1, task.length // 2))
    forward.begin(task.start)
    return {
        "model": task.name,
        "batch": batch,
        "products_per_s": places / _seconds(device, _products(task.model, places)),
        "without_drawing_per_s": places / _seconds(device, lambda: forward.show(ids, middle)),
        "weight_bytes": sum(one.nbytes for one in task.model.parameters()),  # tied ones once
        "position_bytes": forward.bytes // (forward.places * forward.longest),
    }


def bandwidth(device: str) -> float:
    """Bytes a second that are read and written when memory is copied."""
    if device == "cpu":
        return 2e6 * memcpy()["mb_per_cpu_s"]
    import torch

    source = torch.empty(1 << 30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _seconds(device, lambda: target.copy_(source))


def share(row: Json, limit: Json, speed: float, length: float) -> float:
    """Of the rate at which weights, and the keys and values of rows, can be read at each step."""
    each = limit["weight_bytes"] + row["batch"] * limit["position_bytes"] * length / 2
    return float(row["pieces_per_s"] / (row["batch"] * speed / each))


def _products(model: Any, rows: int) -> Callable[[], None]:
    """All matrix products of a step: on the processor with weights laid out beforehand."""
    import torch
    from transformers.pytorch_utils import Conv1D

    from transferset.language_models.causal.packing import Packed

    maps = [one for one in model.modules() if type(one) in (torch.nn.Linear, Conv1D)]
    sizes = [one.weight.shape[0 if type(one) is Conv1D else 1] for one in maps]
    packed = Packed(model, rows) if model.device.type == "cpu" else None
    given = {
        size: torch.randn((rows, size), dtype=model.dtype, device=model.device) for size in sizes
    }

    def run() -> None:
        with torch.inference_mode():
            for one, size in zip(maps, sizes, strict=True):
                (packed[one] if packed else one)(given[size])

    return run


def _seconds(device: str, work: Callable[[], object]) -> float:
    """Seconds of one run: of CPU on the processor, the fastest of three times many."""
    import torch

    on_cpu = device == "cpu"
    clock = time.process_time if on_cpu else time.perf_counter
    wait = (lambda: None) if on_cpu else torch.cuda.synchronize
    took = []
    for _ in range(4):
        wait()
        started = clock()
        for _ in range(_STEPS):
            work()
        wait()
        took.append((clock() - started) / _STEPS)
    return min(took[1:])
