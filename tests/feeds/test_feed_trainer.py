"""Training on a set with transformers' Trainer and in a plain loop: the same rows, the same ids."""

from __future__ import annotations

import numpy as np
import pytest
from blake3 import blake3
from sets import make_set
from torch_feeds import digest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")
import torch
import transformers

from transferset.feeds import Epochs, Loader, MaskedLm, ShardDataset

ROWS, EPOCHS, BATCH = 90, 2, 16

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*pin_memory.*:UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)


class Recorded(MaskedLm):
    """Masks, and keeps what it gave: rows and ids before, and a digest of what came out."""

    def __init__(self, found, **settings):
        super().__init__(found, **settings)
        self.rows, self.ids, self.given = [], {}, []

    def arrays(self, batch):
        made = super().arrays(batch)
        self.rows.append(batch.rows.tolist())
        ids = batch.columns["input_ids"]
        for place, row in enumerate(batch.rows.tolist()):
            self.ids[row] = blake3(ids.row(place).astype(np.uint16).tobytes()).hexdigest()
        self.given.append(digest({name: torch.from_numpy(a) for name, a in made.items()}))
        return made


class Stopping(transformers.TrainerCallback):
    """Saves after a step and ends there."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **rest):
        control.should_save = control.should_training_stop = state.global_step == self.step


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("trained") / "set", [50, 40])


def model():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = transformers.BertConfig(vocab_size=1000, intermediate_size=16, **sizes, **still)
    return transformers.BertForMaskedLM(config)


def arguments(out, **more):
    return transformers.TrainingArguments(
        output_dir=str(out), num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH,
        learning_rate=1e-3, lr_scheduler_type="constant", weight_decay=0.0, report_to=[],
        disable_tqdm=True, save_strategy="no", logging_strategy="no", use_cpu=True, seed=3, **more,
    )  # fmt: skip


def own_digests(found):
    """Of the ids of each row, by the set's own reader."""
    rows = [row for batch in found.batches() for row in batch.column("input_ids").to_pylist()]
    return {i: blake3(np.array(row, np.uint16).tobytes()).hexdigest() for i, row in enumerate(rows)}


def epochs(recorded):
    """The rows of each epoch, one after another."""
    flat = [row for batch in recorded.rows for row in batch]
    return [flat[i : i + ROWS] for i in range(0, len(flat), ROWS)]


def test_trainer_reads_each_row_once_an_epoch_as_the_set_has_it(found, tmp_path):
    collate = Recorded(found)
    trainer = transformers.Trainer(
        model(), arguments(tmp_path), train_dataset=ShardDataset(found), data_collator=collate
    )
    assert np.isfinite(trainer.train().training_loss)
    assert [sorted(rows) for rows in epochs(collate)] == [list(range(ROWS))] * EPOCHS
    assert collate.ids == own_digests(found)


def test_trainer_masks_each_epoch_otherwise(found, tmp_path):
    """In one batch an epoch, and in the order of the set, so that masks alone can differ."""
    collate = Recorded(found)
    settings = {"train_sampling_strategy": "sequential"}
    trainer = transformers.Trainer(
        model(), arguments(tmp_path, **settings), train_dataset=ShardDataset(found),
        data_collator=collate,
    )  # fmt: skip
    trainer.train()
    first, second = np.array_split(np.array(collate.given), EPOCHS)
    assert collate.rows[: len(first)] == collate.rows[len(first) :]
    assert (first != second).all()


def test_trainer_and_a_plain_loop_learn_the_same_from_the_same_batches(found, tmp_path):
    """By digest of all that the models are given, and by their weights in the end."""
    with_trainer, plain = Recorded(found), Recorded(found)

    class OwnLoader(transformers.Trainer):
        def get_train_dataloader(self):
            return Loader(ShardDataset(found, seed=7).batches(rows=BATCH), with_trainer)

    trained = model()
    settings = arguments(tmp_path, max_grad_norm=0.0, optim="sgd")
    OwnLoader(trained, settings, train_dataset=ShardDataset(found)).train()

    other = model().train()
    optimizer = torch.optim.SGD(other.parameters(), lr=1e-3)
    loader = Loader(ShardDataset(found, seed=7).batches(rows=BATCH), plain)
    for _ in range(EPOCHS):
        for batch in loader:
            other(**batch).loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    assert plain.given == with_trainer.given
    assert plain.rows == with_trainer.rows
    assert plain.ids == with_trainer.ids == own_digests(found)
    assert loader.epoch == EPOCHS
    for name, weight in other.state_dict().items():
        torch.testing.assert_close(trained.state_dict()[name], weight)
    assert not torch.equal(weight, model().state_dict()[name])


def test_trainer_resumes_its_checkpoint_with_the_same_rest(found, tmp_path):
    def run(out, *callbacks, resume=None):
        rows, collate = ShardDataset(found), Recorded(found)
        trainer = transformers.Trainer(
            model(), arguments(out), train_dataset=rows, data_collator=collate,
            callbacks=[Epochs(rows), *callbacks],
        )  # fmt: skip
        trainer.train(resume_from_checkpoint=resume)
        return collate.given, trainer.state.global_step

    whole, steps = run(tmp_path / "whole")
    stop = steps // 2 + 2  # within the second epoch
    run(tmp_path / "cut", Stopping(stop))
    rest, done = run(tmp_path / "cut", resume=str(tmp_path / "cut" / f"checkpoint-{stop}"))
    assert done == steps
    assert len(rest) == steps - stop
    assert rest == whole[stop:]


def test_trainer_resumes_batches_of_a_loader_too(found, tmp_path):
    def run(out, *callbacks, resume=None):
        collate = Recorded(found)
        loader = Loader(ShardDataset(found, seed=7).batches(rows=BATCH), collate)

        class OwnLoader(transformers.Trainer):
            def get_train_dataloader(self):
                return loader

        trainer = OwnLoader(
            model(), arguments(out), train_dataset=ShardDataset(found),
            callbacks=[Epochs(loader), *callbacks],
        )  # fmt: skip
        trainer.train(resume_from_checkpoint=resume)
        return collate.given, trainer.state.global_step

    whole, steps = run(tmp_path / "whole")
    stop = steps // 2 + 2
    run(tmp_path / "cut", Stopping(stop))
    given, done = run(tmp_path / "cut", resume=str(tmp_path / "cut" / f"checkpoint-{stop}"))
    assert done == steps
    assert given == whole[steps // 2 :]  # what was trained on is read, and passed over
