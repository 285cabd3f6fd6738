"""Two processes that train together share each epoch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sets import make_set

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")

ROWS = 120

pytestmark = pytest.mark.slow


def places(mask):
    return [at for at, chosen in enumerate(mask) if chosen]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What both processes read."""
    folder = tmp_path_factory.mktemp("processes")
    found = make_set(folder / "set", [70, 50])
    script = Path(__file__).with_name("two_processes.py")
    launch = ["-m", "torch.distributed.run", "--standalone", "--local_addr=127.0.0.1"]
    done = subprocess.run(
        [sys.executable, *launch, "--nproc_per_node=2", script, found.root, folder],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def test_a_loader_gives_them_equally_much_and_each_row_once(told):
    """Epoch 1 comes in two parts; of both epochs a batch at most is left out."""
    zero, one = ([rank["in step"][0], sum(rank["in step"][1:], [])] for rank in told)  # noqa: RUF017
    assert len(told[0]["in step"]) == len(told[1]["in step"]) == 3
    for epoch in range(2):
        seen = zero[epoch] + one[epoch]
        assert len(seen) == len(set(seen))
        assert ROWS - 67 <= len(seen) <= ROWS  # 200 ids are at most 66 rows of 3
    assert zero[0] != zero[1]


def test_trainer_shares_rows_and_masks_each_epoch_otherwise(told):
    seen = [rank["trainer"] for rank in told]
    half = ROWS // 2
    first, second = ([pair for rank in seen for pair in rank[e * half :][:half]] for e in range(2))
    assert sorted(row for row, _ in first) == sorted(row for row, _ in second) == list(range(ROWS))
    masks = [{row: places(mask) for row, mask in epoch} for epoch in (first, second)]
    same = sum(masks[0][row] == masks[1][row] for row in range(ROWS))
    # with a share of a half the masks of n pieces agree with probability 2^−n
    assert same < ROWS / 2
