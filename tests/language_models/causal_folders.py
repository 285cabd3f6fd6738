"""Tokenizers and causal language models of a few numbers, made on the spot; nothing is trained."""

from __future__ import annotations

import json

import numpy as np
from tiny_models import write_word_pieces
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

TEXTS = [
    "the cat sat on the mat, and the dog didn't see it",
    "a red house by the river; 1945 old stones",
    "naïve café — größer Straße 東京 🙂",
    "the quick brown fox jumps over the lazy dog",
]
END = "<|endoftext|>"

#: GPT-4's and Llama 3's way of cutting texts, in short.
_WORDS = r"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"


def _trained(made, special, size=400, alphabet=()):
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[AddedToken(piece, special=True) for piece in special],
        initial_alphabet=list(alphabet),
        show_progress=False,
    )
    made.train_from_iterator(TEXTS * 3, trainer)
    return made


def gpt2():
    """Byte-level BPE, `<|endoftext|>` all in one."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return _trained(made, [END], alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))


def llama3():
    """Byte-level BPE that takes a whole word where it has one."""
    made = Tokenizer(models.BPE(ignore_merges=True))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    return _trained(made, special, alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))


def llama2():
    """BPE with ▁ for a space, and single bytes for what it has no piece for."""
    single = [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = ["<unk>", "<s>", "</s>", *single, "▁", *"theca", "th", "the", "▁the", "▁c", "▁ca"]
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("▁", "c"), ("▁c", "a")]
    ids = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    made.add_special_tokens(["<unk>", "<s>", "</s>"])
    return made


def unigram():
    """Unigram with ▁ for a space, whose best reading of `</s>` is the special piece."""
    letters = [(c, -4.0) for c in "acdehmorst</>"]
    special = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    pieces = [*special, ("▁", -2.0), ("▁the", -2.5), ("▁cat", -3.0), *letters]
    made = Tokenizer(models.Unigram(pieces, unk_id=0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.add_special_tokens([name for name, _ in special])
    return made


def write_tokenizer(folder, made, **statement):
    """A `tokenizer.json`, and `tokenizer_config.json` where there is something to state."""
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    if statement:
        (folder / "tokenizer_config.json").write_text(json.dumps(statement))
    return folder


def write_config(folder, name="config.json", **members):
    (folder / name).write_text(json.dumps(members))
    return folder / name


def write_bert_pieces(folder, **options):
    folder.mkdir(parents=True, exist_ok=True)
    write_word_pieces(folder, **options)
    return folder


GPT2 = {"model_type": "gpt2", "n_layer": 2, "n_embd": 16, "n_head": 2, "n_positions": 32}
LLAMA = {
    "model_type": "llama",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 32,
}


def write_causal(folder, config=GPT2, made=None, seed=0):
    """A directory with a causal language model, as `save_causal` writes it."""
    from transferset.language_models.causal import CausalPieces, new_causal, save_causal

    source = write_tokenizer(folder.with_name(f"{folder.name}-pieces"), made or gpt2())
    pieces = CausalPieces(source)
    model = new_causal(write_config(source, "new.json", **config), pieces, seed)
    save_causal(model, pieces, folder)
    return folder


def row(*ids):
    """Pieces of one row, as `decode` takes them."""
    return np.array(ids, np.int32), np.array([0, len(ids)])
