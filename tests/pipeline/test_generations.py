"""Sets derived from derived sets under one seed: their random numbers have nothing in common."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from deriving import rows_of
from sets import commit_set, make_set, reshard

import transferset
from transferset import Generate, Mask, Replace, Sample, SetError, Shuffle, schema
from transferset.manifest import Manifest
from transferset.pipeline.generations import MOST_STEPS, first_ordinal, known_generation

MASK_ID = 4


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """12,000 rows of 1 to 10 content tokens, 66,000 in all."""
    return make_set(tmp_path_factory.mktemp("corpus") / "set", [12_000])


@pytest.fixture(scope="module")
def generated(corpus, tmp_path_factory):
    place = tmp_path_factory.mktemp("generated") / "set"
    return transferset.derive(corpus.root, place, steps=[Generate("100%")], workers=1)


def lengths(found):
    return np.diff(rows_of(found)["input_ids"].chunk(0).offsets.to_numpy())


def ids(found):
    return rows_of(found)["input_ids"].chunk(0).values.to_numpy()


def test_a_sample_of_generated_rows_is_of_all_lengths(generated, tmp_path):
    # a generated row's length and its place in samples are of the same words of its block; the mean
    # of 1,200 of 12,000 lengths has the standard deviation 2.9 · √(0.9 / 1200) = 0.08
    found = transferset.derive(generated.root, tmp_path / "s", steps=[Sample("10%")], workers=1)
    assert abs(lengths(found).mean() - lengths(generated).mean()) < 5 * 0.08


def test_a_choice_of_generated_rows_for_a_mix_is_of_all_lengths(generated, tmp_path):
    found = transferset.mix([generated.root], tmp_path / "m", rows=1200, workers=1)
    assert abs(lengths(found).mean() - lengths(generated).mean()) < 5 * 0.08


def test_the_order_of_a_mix_says_nothing_of_what_was_generated(generated, tmp_path):
    # of 12,000 rows; without a relation the standard deviation is 1/√12,000 = 0.009
    found = transferset.mix([generated.root], tmp_path / "m", workers=1)
    column = rows_of(found)["input_ids"].chunk(0)
    first = column.values.to_numpy()[column.offsets.to_numpy()[:-1] + 1].astype(float)
    assert abs(np.corrcoef(first, np.arange(len(first)))[0, 1]) < 5 * 0.0092


def test_masking_twice_masks_others(corpus, tmp_path):
    # half of what the first time left, about 33,000 tokens: a standard deviation of 0.0028
    once = transferset.derive(corpus.root, tmp_path / "1", steps=[Mask(0.5)], workers=1)
    twice = transferset.derive(once.root, tmp_path / "2", steps=[Mask(0.5)], workers=1)
    left = ids(once)[(ids(once) > MASK_ID)].size
    now = ids(twice)[(ids(twice) > MASK_ID)].size
    assert left > 30_000
    assert abs(now / left - 0.5) < 5 * 0.0029


def test_replacing_after_masking_replaces(corpus, tmp_path):
    # half of what masking left, but for draws of the token itself (of 900 tokens: 0.001)
    masked = transferset.derive(
        corpus.root, tmp_path / "1", steps=[Mask(0.5, labels=False)], workers=1
    )
    found = transferset.derive(masked.root, tmp_path / "2", steps=[Replace(0.5)], workers=1)
    left = ids(masked) > MASK_ID
    changed = (ids(found) != ids(masked))[left].mean()
    assert abs(changed - 0.4994) < 5 * 0.0029


def test_shuffling_twice_is_uniform(tmp_path):
    # each of the six orders of three tokens has 1/6 of 12,000 rows, standard deviation 41; the
    # square of a uniformly random order is the identity in 4 of 6 cases
    rows = pa.array([[2, 10, 11, 12, 3]] * 12_000, pa.list_(pa.uint16()))
    of_set = schema.make_schema(["input_ids"], pa.uint16())
    three = commit_set(tmp_path / "0", of_set, [pa.table({"input_ids": rows}).cast(of_set)], 1)
    once = transferset.derive(three.root, tmp_path / "1", steps=[Shuffle()], workers=1)
    twice = transferset.derive(once.root, tmp_path / "2", steps=[Shuffle()], workers=1)
    orders, counts = np.unique(ids(twice).reshape(-1, 5), axis=0, return_counts=True)
    assert len(orders) == 6
    assert np.abs(counts - 2000).max() < 5 * 41


def test_samples_of_a_derived_set_nest(generated, tmp_path):
    chosen = []
    for size in ("0.1%", "1%", "10%"):
        found = transferset.derive(
            generated.root, tmp_path / size, steps=[Sample(size)], lineage=True, workers=1
        )
        chosen.append(set(rows_of(found)["parent_row"].to_pylist()))
    assert chosen[0] < chosen[1] < chosen[2]


def test_a_derived_parent_in_other_shards_gives_the_same_rows(generated, tmp_path):
    other = reshard(generated, tmp_path / "other", [5000, 1, 6999])
    manifest = generated.manifest
    (other.root / "manifest.json").write_bytes(
        Manifest(
            **{
                name: getattr(other.manifest if name in ("shards", "totals") else manifest, name)
                for name in Manifest.__dataclass_fields__
                if name != "files"
            }
        ).to_bytes()
    )
    steps = [Sample("30%"), Shuffle(), Mask(0.2)]
    one, two = (
        transferset.derive(root, tmp_path / f"d{i}", steps=steps, workers=1)
        for i, root in enumerate((generated.root, other.root))
    )
    assert rows_of(one).equals(rows_of(two))


def manifest(parents=()):
    body = dict.fromkeys(Manifest.__dataclass_fields__)
    return Manifest(**{**body, "name": "toy", "parents": list(parents)})


def test_generations_are_counted_from_the_corpus():
    child = {"name": "a", "parents": []}
    for generation in range(1, 400):
        assert known_generation(manifest([{"name": "b", "parents": []}, child])) == generation
        child = {"name": "a", "parents": ["not one", child]}
    written = {"name": "c", "generation": 7, "parents": [{"generation": 2}]}
    assert known_generation(manifest([{"name": "d", "parents": [written]}])) == 9


@pytest.mark.parametrize("value", [-1, 1 << 40, True, "3", None, 2.0])
def test_a_generation_that_is_none_does_not_count(value):
    assert known_generation(manifest([{"name": "a", "generation": value, "parents": []}])) == 1


def test_ordinals_of_different_derivations_differ():
    old, new = manifest(), manifest([{"name": "a", "parents": []}])
    firsts = [
        first_ordinal(sets, mixes=mixes)
        for sets in ([old], [old, new], [manifest([{"name": "b", "generation": 32_766}])])
        for mixes in (False, True)
    ]
    assert firsts[0] == 0, "the rows of sets that were derived from corpora stay what they were"
    assert all(b - a > MOST_STEPS for a, b in pairwise(firsts))
    assert firsts[-1] + MOST_STEPS < 1 << 32


def test_what_was_derived_too_often_is_refused():
    with pytest.raises(SetError, match="fewer than 32,768 derivations"):
        first_ordinal([manifest([{"name": "b", "generation": 32_767}])])


def test_derived_sets_know_their_generation(generated, tmp_path):
    (entry,) = generated.manifest.parents
    assert entry["generation"] == 0
    found = transferset.derive(generated.root, tmp_path / "s", steps=[Sample("1%")], workers=1)
    assert found.manifest.parents[0]["generation"] == 1
    assert known_generation(found.manifest) == 2
