"""A tiny tokenizer as a set has it, models of its ids, and students made for them."""

from __future__ import annotations

from pathlib import Path

from tiny_models import VOCABULARY, bert_config, write_bert

from transferset.students.config import Task
from transferset.tokens.load import load_tokenizer

SIZE = len(VOCABULARY)
SINGLE = Task(classes=("no", "yes"), name="single")
PAIR = Task(classes=None, pair=True, name="pair")


class Place:
    """A directory with `teacher/` (a BERT with a masked-LM head) and the set's `tokenizer.json`."""

    def __init__(self, root: Path, **settings) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.teacher = write_bert(root / "teacher", **settings)
        loaded = load_tokenizer(str(self.teacher / "tokenizer.json"))
        info = loaded.info
        self.file = root / "tokenizer.json"
        self.file.write_text(loaded.json)
        roles = ("cls", "sep", "pad", "unk", "mask")
        self.tokenizer = {
            "name": "tiny",
            "sha256": info.sha256,
            "vocab_size": info.vocab_size,
            "special_ids": {role: getattr(info, f"{role}_id") for role in roles},
        }

    def make(self, kind="bilstm", *, tasks=(SINGLE,), teacher=None, fitted=None, seed=1, **options):
        from transferset.distillation.choice.params import StudentParams
        from transferset.distillation.choice.student import make_student

        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        return make_student(
            StudentParams(kind=str(kind), **options),
            tasks=tasks,
            tokenizer=self.tokenizer,
            tokenizer_file=self.file,
            teacher=teacher,
            words=fitted,
            seed=seed,
            folder=scratch,
        )

    def make_masked(self, kind="transformer", *, teacher=None, seed=1, **options):
        from transferset.distillation.choice.masked import make_masked_student
        from transferset.distillation.choice.params import StudentParams

        return make_masked_student(
            StudentParams(kind=str(kind), **options),
            teacher=teacher,
            tokenizer=self.tokenizer,
            tokenizer_file=self.file,
            seed=seed,
        )

    def encoder(self, name="encoder", *, layers=4, seed=3, model="BertModel", **settings):
        """A directory with a BERT of more layers, without a head unless `model` has one."""
        import torch
        import transformers

        folder = self.root / name
        config = bert_config(SIZE)
        config.num_hidden_layers = layers
        for member, value in settings.items():
            setattr(config, member, value)
        torch.manual_seed(seed)
        getattr(transformers, model)(config).save_pretrained(folder)
        (folder / "tokenizer.json").write_bytes((self.teacher / "tokenizer.json").read_bytes())
        return folder


def state(module):
    return {name: one.clone() for name, one in module.state_dict().items()}


def same(one, other) -> bool:
    import torch

    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
