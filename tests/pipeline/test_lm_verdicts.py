"""Which attempts of a language model become rows, and how many are made."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transferset.ledger import Reason
from transferset.pipeline.lm_sample.attempts import FAULTS
from transferset.pipeline.lm_sample.verdicts import Rules, judge, keys_of, next_round

#: An attempt: what is wrong with it by itself (0: nothing), and what it says, as a small number.
ATTEMPTS = st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 2, 3, 4]), st.integers(0, 8)))


def keys(values: list[int]) -> np.ndarray:
    return keys_of(np.array(values, np.uint64), np.array(values, np.uint64) << np.uint64(40))


def spilled(folder: Path, attempts: list[tuple[int, int]], cuts: list[int]) -> list[Path]:
    paths = []
    edges = [0, *sorted(min(cut, len(attempts)) for cut in cuts), len(attempts)]
    for number, (start, stop) in enumerate(pairwise(edges)):
        some = attempts[start:stop]
        path = folder / f"{number}.arrow"
        batch = pa.RecordBatch.from_pydict(
            {
                "fault": pa.array([fault for fault, _ in some], pa.uint8()),
                "high": pa.array([value for _, value in some], pa.uint64()),
                "low": pa.array([value << 40 for _, value in some], pa.uint64()),
            }
        )
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        paths.append(path)
    return paths


def plainly(attempts, rules, originals, evaluation):
    """One attempt after the other, as one would say it."""
    kept, seen, why = [], set(), []
    for fault, value in attempts:
        reason = FAULTS[fault]
        if reason is None and not rules.copies and value in evaluation:
            reason = Reason.COPIED_EVALUATION
        if reason is None and not rules.copies and value in originals:
            reason = Reason.COPIED
        if reason is None and not rules.repeats and value in seen:
            reason = Reason.REPEATED
        if reason is None:
            seen.add(value)
            if sum(kept) == rules.wanted:
                reason = Reason.SURPLUS
        kept.append(reason is None)
        why.append(reason)
    return kept, why


@given(
    ATTEMPTS,
    st.lists(st.integers(0, 30), max_size=3),
    st.sets(st.integers(0, 8), max_size=3),
    st.sets(st.integers(0, 8), max_size=3),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
)
def test_the_verdict_is_that_of_one_attempt_after_the_other(
    tmp_path_factory, attempts, cuts, originals, evaluation, wanted, repeats, copies
) -> None:
    rules = Rules(wanted, 1000, repeats, copies)
    spills = spilled(tmp_path_factory.mktemp("v"), attempts, cuts)
    found = judge(spills, rules, keys(sorted(originals)), keys(sorted(evaluation)))
    kept, why = plainly(attempts, rules, originals, evaluation)
    assert found.kept.tolist() == kept
    for reason in Reason:
        assert found.ledger[reason] == why.count(reason)
    assert found.rows + sum(found.ledger.values()) == len(attempts)


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**7),
    st.floats(0.001, 1),
)
def test_rounds_end_with_enough_rows_or_no_attempts_left(wanted, most, rate) -> None:
    rules = Rules(wanted, most, False, False)
    attempts = kept = rounds = 0
    while more := next_round(attempts, kept, rules):
        attempts, rounds = attempts + more, rounds + 1
        kept = min(wanted, int(attempts * rate))
        assert attempts <= most
        assert rounds < 60
    assert kept == wanted or attempts == most
    # not many more than needed: the first 10,000, and then by the rate so far
    assert attempts <= max(10_000, 1.1 * wanted / rate + 200, 5 * 10_000 + wanted)


def test_a_model_that_gives_nothing_is_given_up() -> None:
    rules = Rules(800_000, 8_000_000, False, False)
    assert next_round(0, 0, rules) == 10_000
    assert next_round(10_000, 0, rules) == 0
    assert next_round(300, 0, Rules(300, 3000, False, False)) == 2700
