"""Masked language models of two layers and 32 numbers, made on the spot; nothing is trained."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_WORDS = """
the a an of to and in is was it on not he she they we you i cat dog mat sat ran red blue old new
house mouse tree river stone bird fish hat king queen day night sun moon good bad big small sees
eats likes
"""
_PIECES = "##s ##ly ##ing walk un ##happy . , ' n t ##n 7 x"
WORDS, PIECES = _WORDS.split(), _PIECES.split()
VOCABULARY = [*SPECIAL, *WORDS, *PIECES]


def write_word_pieces(folder, vocabulary=VOCABULARY, *, lowercase=True):
    """A `tokenizer.json` as BERT's."""
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    made = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    made.add_special_tokens([piece for piece in SPECIAL if piece in ids])
    made.save(str(folder / "tokenizer.json"))


def bert_config(size=None, positions=64):
    import transformers

    return transformers.BertConfig(
        vocab_size=size or len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
        initializer_range=0.5,  # so that scores differ
        pad_token_id=0,
    )


def write_bert(folder, *, vocabulary=VOCABULARY, positions=64, lowercase=True, seed=0):
    """A directory with a BERT that was trained on nothing."""
    import torch
    import transformers

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    model = transformers.BertForMaskedLM(bert_config(len(vocabulary), positions))
    model.save_pretrained(folder, safe_serialization=True)
    write_word_pieces(folder, vocabulary, lowercase=lowercase)
    return folder


def change_config(folder, **members):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
