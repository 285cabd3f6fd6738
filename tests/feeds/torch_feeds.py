"""What tests of feeds in torch share: streams as digests, and the sets they read."""

from __future__ import annotations

from blake3 import blake3

#: torch warns of more workers than processors; ours only have to be right.
FEW_PROCESSORS = "ignore:This DataLoader will create:UserWarning"


def digest(batch):
    """A collated batch as a digest of its tensors."""
    seen = blake3()
    for name, tensor in batch.items():
        seen.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        seen.update(tensor.numpy().tobytes())
    return seen.hexdigest()


def digests(batches):
    return [digest(one) for one in batches]


def content(batch):
    """The rows of a padded batch as lists of ids."""
    lengths = batch["attention_mask"].sum(1).tolist()
    return [row[:n] for row, n in zip(batch["input_ids"].tolist(), lengths, strict=True)]
