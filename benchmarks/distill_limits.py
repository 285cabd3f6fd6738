"""What the machine allows: matrix products alone, of the size of a teacher's layers."""

from __future__ import annotations

import time
from typing import Any

from distill_models import Work

#: Rows of the products: ids of a batch.
_IDS = 1024


def products(work: Work, device: str) -> dict[str, Any]:
    """Ids a second that the products of the encoder's linear layers alone would allow.

    Args:
        work: Whose shape is taken.
        device: As torch names it.

    Returns:
        `tokens_per_s` of one pass forward, and `flops_per_s`; attention, norms, head and padding
        come on top.
    """
    import torch

    shape = work.shape
    kind = torch.float32 if device == "cpu" else torch.bfloat16
    x = torch.randn(_IDS, shape.width, device=device, dtype=kind)
    wide = torch.randn(_IDS, shape.feed, device=device, dtype=kind)
    square = torch.randn(shape.width, shape.width, device=device, dtype=kind)
    up = torch.randn(shape.width, shape.feed, device=device, dtype=kind)

    def layer() -> None:
        for _ in range(4):
            torch.mm(x, square)
        torch.mm(x, up)
        torch.mm(wide, up.T)

    def several(times: int) -> float:
        began = time.process_time() if device == "cpu" else time.perf_counter()
        for _ in range(times):
            layer()
        if device != "cpu":
            torch.cuda.synchronize()
        ended = time.process_time() if device == "cpu" else time.perf_counter()
        return ended - began

    several(3)
    times = 20
    per_layer = several(times) / times
    flops = 2 * _IDS * (4 * shape.width**2 + 2 * shape.width * shape.feed)
    return {
        "tokens_per_s": _IDS / per_layer / shape.layers,
        "flops_per_s": flops / per_layer,
    }
