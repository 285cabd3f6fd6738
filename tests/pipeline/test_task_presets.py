"""`--as liu2020|tang2019|jiao2019`: exactly the published settings, deviations named."""

from __future__ import annotations

import pytest
from small_tasks import sentences, write_task

import transferset
from transferset import Augment, ReplaceLm, UsageError
from transferset.pipeline.presets import derive_preset


@pytest.fixture(scope="module")
def task(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    path = write_task(folder / "train.tsv", sentences(80))
    options = {"text": "sentence", "label": "label", "tagger": "lexicon", "workers": 1}
    return transferset.build_task(path, folder / "set", tokenizer=str(tokenizer), **options)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        # Liu 2020, § 3.3: p_mask = p_pos = 0.1; 40 times for STS-B and MRPC, 10 for the others
        ("liu2020:sst2", Augment(mask=0.1, pos=0.1, target="10x")),
        ("liu2020:mrpc", Augment(mask=0.1, pos=0.1, target="40x")),
        ("liu2020:mask-only", Augment(mask=0.1, target="10x")),
        # Tang et al. 2019, § 4.2: p_ng = 0.25; n_iter = 20 for SST-2, 10 for MNLI and QQP
        ("tang2019:sst2", Augment(mask=0.1, pos=0.1, window=0.25, iterations=20)),
        ("tang2019:qqp", Augment(mask=0.1, pos=0.1, window=0.25, iterations=10)),
    ],
)
def test_parameters_are_the_published_ones(task, name, step):
    steps, record = derive_preset(name, task.manifest)
    assert steps == (step,)
    assert step.pairs == "cycle"
    assert step.originals == "first"
    assert record["name"] == name
    assert record["deviations"]


def test_tinybert_takes_its_model_from_the_user(task):
    given = ReplaceLm(model="bert", vectors="glove.txt")
    (step,), _ = derive_preset("jiao2019:cola", task.manifest, [given])
    assert step == ReplaceLm(model="bert", vectors="glove.txt", p=0.4, candidates=15, iterations=30)
    with pytest.raises(UsageError, match="--replace-lm model=DIR"):
        derive_preset("jiao2019:cola", task.manifest)
    with pytest.raises(UsageError, match="model and vectors alone"):
        derive_preset("jiao2019:cola", task.manifest, [ReplaceLm(model="bert", p=0.1)])


@pytest.mark.parametrize("name", ["liu2020", "liu2020:trec", "tang2019:stsb", "liu2021:sst2"])
def test_unknown_tasks_are_refused_with_the_known_ones(task, name):
    with pytest.raises(UsageError, match=r"liu2020|tang2019"):
        derive_preset(name, task.manifest)


def test_a_preset_makes_the_stated_multiple(task, tmp_path):
    found = transferset.derive(task.root, tmp_path / "set", preset="liu2020:sst2", workers=1)
    assert len(found) == 10 * len(task)
    assert found.manifest.params["preset"]["name"] == "liu2020:sst2"
