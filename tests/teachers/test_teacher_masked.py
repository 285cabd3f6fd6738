"""Masked language models as teachers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_encoders import (  # noqa: E402
    KINDS,
    SIZE,
    change_json,
    padded_arguments,
    random_lists,
    write_classifier,
    write_model,
)

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.teachers.masked import (  # noqa: E402
    has_masked_head,
    new_masked_head,
    open_masked,
    save_masked,
)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def base(tmp_path_factory, kind):
    return write_model(tmp_path_factory.mktemp(kind) / "base", kind)


def logits(model, kind="bert"):
    with torch.no_grad():
        return model(**padded_arguments(kind, random_lists(kind))).logits


def test_a_new_head_over_the_encoder_of_the_directory(base, kind):
    model = new_masked_head(base, 1)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    own, stored = model.base_model.state_dict(), load_file(base / "model.safetensors")
    same = [name for name in stored if "pooler" not in name]
    assert all(torch.equal(own[name], stored[name]) for name in same)
    assert logits(model, kind).shape[-1] == SIZE
    tied = model.get_output_embeddings().weight
    assert tied is model.get_input_embeddings().weight


def test_a_head_is_a_function_of_the_seed(base, kind):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = new_masked_head(base, 7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    found = logits(first.eval(), kind)
    assert torch.equal(logits(new_masked_head(base, 7).eval(), kind), found)
    assert not torch.equal(logits(new_masked_head(base, 8).eval(), kind), found)


def test_it_is_saved_and_opens_here_and_with_plain_transformers(base, kind, tmp_path):
    assert not has_masked_head(base)
    model = new_masked_head(base, 1).eval()
    files = save_masked(model, tmp_path / "out", base / "tokenizer.json", ["Made of rows."])
    assert files == sorted((tmp_path / "out").iterdir())
    assert has_masked_head(tmp_path / "out")
    assert "Made of rows." in (tmp_path / "out" / "README.md").read_text()
    wanted = logits(model, kind)
    found = open_masked(tmp_path / "out")
    assert torch.equal(logits(found, kind), wanted)
    assert not any(p.requires_grad for p in found.parameters())
    plain = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "out").eval()
    assert torch.equal(logits(plain, kind), wanted)
    trained = open_masked(tmp_path / "out", train=True)
    assert trained.training
    assert all(p.requires_grad for p in trained.parameters())


def test_the_lines_in_the_readme_run(tmp_path, monkeypatch, capsys):
    base = write_model(tmp_path / "base")
    save_masked(new_masked_head(base, 0), tmp_path / "out", base / "tokenizer.json")
    monkeypatch.chdir(tmp_path / "out")
    lines = (tmp_path / "out" / "README.md").read_text().split("```")[1].removeprefix("python")
    exec(compile(lines, "README", "exec"), {})
    assert "tensor(" in capsys.readouterr().out


def test_a_classifier_has_an_encoder_too(tmp_path):
    folder = write_classifier(tmp_path / "tiny")
    assert not has_masked_head(folder)
    assert logits(new_masked_head(folder, 0)).shape[-1] == SIZE


def test_an_encoder_without_a_head(tmp_path):
    folder = write_model(tmp_path / "tiny")
    match = "the masked-LM head, found none for cls.*; `transferset teacher fit --mlm` makes one"
    with pytest.raises(InputError, match=match):
        open_masked(folder)


def test_what_is_not_to_be_trusted(tmp_path):
    folder = write_model(tmp_path / "tiny", loader="AutoModelForMaskedLM")
    stored = load_file(folder / "model.safetensors")
    stored["cls.predictions.bias"][0] = float("nan")
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"finite weights, found others in cls\.predictions"):
        open_masked(folder)
    change_json(folder / "config.json", auto_map={"AutoModel": "x.Model"})
    for act in (open_masked, has_masked_head, lambda path: new_masked_head(path, 0)):
        with pytest.raises(InputError, match="a member auto_map"):
            act(folder)


def test_seeds_out_of_range(tmp_path):
    with pytest.raises(UsageError, match=r"a seed from 0 to 2\*\*64 − 1, found -1"):
        new_masked_head(tmp_path, -1)
