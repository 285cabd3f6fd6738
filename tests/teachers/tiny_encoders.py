"""Encoders of two layers and 24 numbers with random weights, of several kinds, made on the spot."""

from __future__ import annotations

import json

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from transferset.students.config import Task
from transferset.students.rows import Rows

_WORDS = "the a cat dog mat sat ran red blue old new house ##s ##ly good bad big small"
WORDS = _WORDS.split()
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

#: Most ids of a row.
POSITIONS = 20
SIZE = len(BERT_SPECIAL) + len(WORDS)

#: Ids of what stands before, between and after texts, and of padding.
FRAME = {"roberta": (0, 2, 1)}
KINDS = ("bert", "roberta", "distilbert", "electra")

#: Of encoders with one head, and with several.
ONE = (Task(classes=("bad", "good"), pair=True, name="reviews"),)
SCORE = (Task(classes=None, pair=True, name="likeness"),)
TWO = (Task(classes=("no", "perhaps", "yes"), name="first"), *SCORE)
TASKS = {"one": ONE, "score": SCORE, "two": TWO}


def frame(kind):
    return FRAME.get(kind, (2, 3, 0))


def write_tokenizer(folder, kind="bert"):
    special = ROBERTA_SPECIAL if kind == "roberta" else BERT_SPECIAL
    ids = {piece: i for i, piece in enumerate([*special, *WORDS])}
    start, separator, _ = frame(kind)
    made = Tokenizer(models.WordPiece(ids, unk_token=special[3 if kind == "roberta" else 1]))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cls, sep = special[start], special[separator]
    made.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", special_tokens=[(cls, start), (sep, separator)]
    )
    made.add_special_tokens(special)
    made.save(str(folder / "tokenizer.json"))


def settings(kind, **members):
    """A configuration of transformers."""
    import transformers

    common = {"vocab_size": SIZE, "initializer_range": 0.2}
    sizes = {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 40,
        "max_position_embeddings": POSITIONS,
    }
    if kind == "bert":
        return transformers.BertConfig(**common, **sizes, **members)
    if kind == "electra":
        return transformers.ElectraConfig(**common, **sizes, embedding_size=16, **members)
    if kind == "roberta":
        ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
        sizes["max_position_embeddings"] += 2  # RoBERTa's positions begin after that of padding
        return transformers.RobertaConfig(**common, **sizes, **ids, **members)
    small = {"dim": 24, "n_layers": 2, "n_heads": 2, "hidden_dim": 40}
    positions = {"max_position_embeddings": POSITIONS}
    return transformers.DistilBertConfig(**common, **small, **positions, **members)


def write_model(folder, kind="bert", loader="AutoModel", *, seed=0, **members):
    """A directory of transformers, with a head if `loader` has one."""
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, loader).from_config(settings(kind, **members))
    model.save_pretrained(folder)
    write_tokenizer(folder, kind)
    return folder


def write_classifier(folder, kind="bert", **members):
    return write_model(folder, kind, "AutoModelForSequenceClassification", **members)


def change_json(path, **members):
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))


def rows(*lists) -> Rows:
    flat = [i for one in lists for i in one]
    offsets = np.append(0, np.cumsum([len(one) for one in lists]))
    return Rows(np.array(flat, np.int64), offsets.astype(np.int64))


def random_lists(kind="bert", count=9, *, pair=False, seed=0, longest=7):
    """Rows as a set has them."""
    generator = np.random.default_rng(seed)
    start, separator, _ = frame(kind)

    def text():
        return generator.integers(5, SIZE, generator.integers(1, longest + 1)).tolist()

    def row():
        second = [*text(), separator] if pair else []
        return [start, *text(), separator, *second]

    return [row() for _ in range(count)]


def padded_arguments(kind, lists):
    """What a person would give to a model of transformers."""
    import torch

    _, separator, padding = frame(kind)
    longest = max(map(len, lists))
    ids, mask, types = [], [], []
    for row in lists:
        empty = [0] * (longest - len(row))
        first = row.index(separator) + 1
        ids.append([*row, *[padding] * len(empty)])
        mask.append([*[1] * len(row), *empty])
        types.append([*[0] * first, *[1] * (len(row) - first), *empty])
    given = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}
    if kind in ("bert", "electra"):
        given["token_type_ids"] = torch.tensor(types)
    return given
