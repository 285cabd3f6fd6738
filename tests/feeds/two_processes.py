"""One of two processes that train together; `test_feed_processes.py` starts both.

    torchrun --nproc_per_node=2 two_processes.py SET FOLDER

Writes what it read, as JSON: rows by epoch of a `Loader` in step, and rows and masks of Trainer.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
import transformers
from torch.nn.parallel import DistributedDataParallel

from transferset.feeds import Epochs, Loader, MaskedLm, ShardDataset

RANK, WORLD = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


class Recorded(MaskedLm):
    """Keeps rows and where they were masked."""

    def __init__(self, found):
        super().__init__(found, share=0.5)
        self.seen = []

    def arrays(self, batch):
        made = super().arrays(batch)
        masks = [(row != -100).tolist() for row in made["labels"]]
        self.seen += list(zip(batch.rows.tolist(), masks, strict=True))
        return made


def model():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = transformers.BertConfig(vocab_size=1000, intermediate_size=8, **sizes)
    return transformers.BertForMaskedLM(config)


def in_step(found):
    """Two epochs, the second resumed in its middle by the state of rank 0."""
    rows = ShardDataset(found, seed=1, rank=RANK, world_size=WORLD)
    epochs, network = [], DistributedDataParallel(model())
    loader = Loader(rows.batches(tokens=200, even="drop"))
    collate = MaskedLm(found)
    while loader.epoch < 2:
        seen = []
        for batch in loader:
            seen += batch.rows.tolist()
            network(**collate(batch)).loss.backward()
            if (loader.epoch, loader.position) == (1, 2):
                told = [loader.state_dict()]
                torch.distributed.broadcast_object_list(told, 0)
                loader = Loader(rows.batches(tokens=200, even="drop"))
                loader.load_state_dict(told[0])
                break
        epochs.append(seen)
    return epochs


def with_trainer(found, out):
    rows, collate = ShardDataset(found), Recorded(found)
    arguments = transformers.TrainingArguments(
        output_dir=out, num_train_epochs=2, per_device_train_batch_size=10, use_cpu=True,
        report_to=[], save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model(), arguments, train_dataset=rows, data_collator=collate, callbacks=[Epochs(rows)]
    )
    trainer.train()
    return collate.seen


def main():
    found, folder = sys.argv[1], Path(sys.argv[2])
    torch.distributed.init_process_group("gloo")
    told = {"in step": in_step(found), "trainer": with_trainer(found, str(folder / "out"))}
    (folder / f"{RANK}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
