"""A training that was stopped anywhere ends in the weights of one that was not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from forked import killed_when, lines_of  # noqa: E402
from trained_sets import SMALL  # noqa: E402

import transferset  # noqa: E402
from transferset.models import RECORD, Model  # noqa: E402
from transferset.pipeline.training.train import train_model  # noqa: E402
from transferset.stage import Quiet  # noqa: E402


class Stop(Quiet):
    """Interrupts after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, amount: int, rows: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def files(root: Path) -> dict[str, bytes]:
    """What a model is: all but the log, which has times."""
    return {p.name: p.read_bytes() for p in root.iterdir() if p.is_file() and p.suffix != ".jsonl"}


PLANS = {
    "students": lambda made: transferset.plan_distill(
        made / "set", validation=made / "dev", teacher=made / "teacher", epochs=3,
        evaluate_every=5, **SMALL,
    ),
    "seeds": lambda made: transferset.plan_distill(
        made / "set", validation=made / "dev", epochs=1, seeds=3, **SMALL
    ),
    "encoders": lambda made: transferset.plan_teacher_fit(
        [made / "set", made / "more"], model=made / "encoder", steps=9, batch=8
    ),
    "words": lambda made: transferset.plan_distill(
        made / "set", words=True, batch_tokens=60, steps=12,
        **{name: value for name, value in SMALL.items() if name != "batch"},
    ),
    "pieces": lambda made: transferset.plan_distill(
        made / "set", mlm=True, teacher=made / "masked", student="transformer", layers=1,
        validation=made / "dev", epochs=4, batch=16,
    ),
    "masked": lambda made: transferset.plan_teacher_fit(
        made / "set", model=made / "encoder", mlm=True, validation=made / "dev", epochs=4, batch=16
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLANS)
def test_interrupted_again_and_again(made, tmp_path, kind):
    plan = PLANS[kind](made)
    train_model(plan, tmp_path / "whole", Quiet(), force=False)
    for steps in (1, 3, 4, 6):
        with pytest.raises(KeyboardInterrupt):
            train_model(plan, tmp_path / "broken", Stop(steps), force=False, every=0.0)
        assert not (tmp_path / "broken" / RECORD).exists()
        assert any((tmp_path / "broken" / "_run" / "training").rglob("checkpoint.json"))
    train_model(plan, tmp_path / "broken", Quiet(), force=False)
    assert files(tmp_path / "broken") == files(tmp_path / "whole")
    logs = [
        (tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("broken", "whole")
    ]
    untimed = [[{**json.loads(x), "seconds": 0} for x in log] for log in logs]
    assert untimed[0] == untimed[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["students", "pieces"])
def test_killed_it_ends_in_the_same_bytes(made, tmp_path, kind):
    plan, out = PLANS[kind](made), tmp_path / "broken"
    train_model(plan, tmp_path / "whole", Quiet(), force=False)
    assert killed_when(
        lambda: lines_of(out / "log.jsonl") > 7,
        lambda: train_model(plan, out, Quiet(), force=False, every=0.0),
    )
    assert not (out / RECORD).exists()
    train_model(plan, out, Quiet(), force=False)
    assert files(out) == files(tmp_path / "whole")
    assert Model.open(out).verify()
