"""Models for `generate.py`: of random weights, whose rows end or do not, or from a directory."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

#: How pieces are drawn, in all tools alike.
WAYS: dict[str, dict[str, int]] = {"ancestral": {"top_k": 0}, "top-k 50": {"top_k": 50}}

#: Mean length of the rows that end, in pieces: about that of SST-2's phrases.
MEAN = 12


@dataclass(frozen=True, slots=True)
class Shape:
    """A GPT-2 of random weights, and the most pieces of its rows."""

    layers: int
    width: int
    heads: int
    vocabulary: int
    length: int


@dataclass(frozen=True, slots=True)
class Task:
    """A model and what its rows are like."""

    name: str
    model: Any
    start: int
    ends: tuple[int, ...]
    length: int
    ways: tuple[str, ...] = tuple(WAYS)


def make_model(shape: Shape, device: str) -> Any:
    """A GPT-2 of random weights, whose scores of the next piece are nearly alike."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=shape.vocabulary,
        n_layer=shape.layers,
        n_embd=shape.width,
        n_head=shape.heads,
        n_positions=max(256, shape.length + 1),
        bos_token_id=0,
        eos_token_id=None,
        pad_token_id=0,
    )
    model = transformers.GPT2LMHeadModel(config).eval().requires_grad_(False)
    return model.to(device, torch.float32 if device == "cpu" else torch.bfloat16)


def with_ends(model: Any, end: int, mean: float, kept: int) -> Any:
    """The same model, whose head has a bias by which each piece is the last with 1 in `mean` + 1.

    A row then has n pieces with probability p (1 − p)^n: `mean` on average, many very short.

    Args:
        model: Its scores are nearly alike wherever it is.
        end: Id of the piece that ends rows.
        mean: Mean length.
        kept: Pieces among which it is drawn, by top-k; 0 for all.
    """
    import torch

    head = model.lm_head
    biased = torch.nn.Linear(head.in_features, head.out_features, bias=True)
    biased.weight = head.weight
    with torch.no_grad():
        biased.bias.zero_()
        shown = torch.arange(50, device=model.device)[:, None] + 2
        scores = model(input_ids=shown).logits[:, -1].float()
        best = scores.topk(kept - 1 if kept else scores.shape[1]).values
        others = torch.logsumexp(best, 1) - scores[:, end]
        biased.bias[end] = float(others.mean()) - math.log(mean)
    model.lm_head = biased.to(head.weight.device, head.weight.dtype).requires_grad_(False)
    return model


def made_tasks(shape: Shape, device: str) -> list[Task]:
    """Rows of full length, and rows that end."""
    size, length = f"{shape.layers} × {shape.width}, {shape.vocabulary:,} pieces", shape.length
    tasks = [Task(f"{size}; no ends", make_model(shape, device), 0, (), length)]
    for way, drawn in WAYS.items():
        mean = min(MEAN, length / 5)
        model = with_ends(make_model(shape, device), 1, mean, drawn["top_k"])
        tasks.append(Task(f"{size}; ends", model, 0, (1,), length, (way,)))
    return tasks


def load_task(path: Path, device: str, length: int) -> Task:
    """The model of a directory, with its own ends."""
    from transferset.language_models.causal import CausalPieces, load_causal

    pieces = CausalPieces(path)
    model = load_causal(path, device, dtype="float32" if device == "cpu" else "bfloat16")
    return Task(path.name, model, pieces.start, tuple(pieces.ends), length)


def releases() -> dict[str, str]:
    """What ran."""
    found = {name: version(name) for name in ("torch", "transformers", "numba")}
    return {"python": platform.python_version()} | found
