"""Tiny sets, and tiny language models whose distribution is known: for tests of `lm sample`.

A writer draws every piece from one and the same distribution, whatever stands before it: the last
norm of its GPT-2 has weight 0, so its output is the norm's bias, and logits are what the embedding
of each piece says of that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import transferset
from transferset.shards import ShardSet

#: What the model may write; a space stands in the piece before the word, as GPT-2 has it.
WORDS = ("good", "Ġfilm", "Ġbad", "Ġplot", "Ġa", "Ġfine", "Ġcast")

END = "<|endoftext|>"


def task_set(
    folder: Path, rows: list[tuple[str, ...]], *, evaluation: list[tuple[str, ...]] = ()
) -> ShardSet:
    """A task set of (text, label) or (text, text_pair, label) rows."""
    names = ["text", "label"] if len(rows[0]) == 2 else ["text", "other", "label"]
    files = {"train": rows, **({"dev": evaluation} if evaluation else {})}
    for name, some in files.items():
        lines = ["\t".join(names), *("\t".join(row) for row in some)]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return transferset.build_task(
        folder / "train.tsv",
        folder / "task",
        text="text",
        text_pair="other" if len(names) == 3 else None,
        label="label",
        tagger="none",
        tokenizer="demo",
        eval=[folder / "dev.tsv"] if evaluation else (),
        workers=1,
    )


def writer(folder: Path, weights: Mapping[str, float]) -> Path:
    """The directory of a model that draws each piece by weight; `END` ends a row.

    Args:
        folder: Where.
        weights: Of pieces out of `WORDS`, `END`, and `Ċ`, the line break that parts a pair.
    """
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder.mkdir(parents=True)
    pieces = _tokenizer(folder)
    config = transformers.GPT2Config(
        vocab_size=len(pieces), n_positions=140, n_embd=8, n_layer=1, n_head=1,
        bos_token_id=pieces[END], eos_token_id=pieces[END],
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config)
    with torch.no_grad():
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.copy_(torch.eye(8)[0])
        model.transformer.wte.weight[:, 0] = -40.0
        for piece, weight in weights.items():
            model.transformer.wte.weight[pieces[piece], 0] = torch.log(torch.tensor(weight))
    model.save_pretrained(folder)
    return folder


def _tokenizer(folder: Path) -> dict[str, int]:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: i for i, piece in enumerate([END, *alphabet])}
    merges = []
    for word in WORDS:  # each word piece by piece from the left, so that it becomes one piece
        for stop in range(2, len(word) + 1):
            if word[:stop] not in vocabulary:
                vocabulary[word[:stop]] = len(vocabulary)
                merges.append((word[: stop - 1], word[stop - 1]))
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"eos_token": END, "bos_token": END, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return tokenizer.get_vocab(with_added_tokens=True)
