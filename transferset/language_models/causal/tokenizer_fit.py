"""A vocabulary of byte-level pieces, fitted to texts (Radford et al. 2019, § 2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic
from transferset.language_models.causal.pieces import normal
from transferset.language_models.causal.roles import tokenizer_statement
from transferset.language_models.model_files import TOKENIZER

#: Starts, ends and fills up texts, as in GPT-2.
END: Final = "<|endoftext|>"

#: All bytes and the end; and what some bytes of an option can ask for.
LEAST: Final = 257
MOST: Final = 1_000_000

#: A piece stands for at least so many places in the texts.
_LEAST_COUNT: Final = 2


def fit_bpe(texts: Iterable[str], size: int, path: Path) -> int:
    """Fit byte-level BPE as GPT-2's: the most frequent pair of pieces becomes a piece.

    The same texts give the same vocabulary, whatever their order and the number of threads. Memory
    holds the different words of the texts, not the texts.

    Args:
        texts: Their white space is made one space.
        size: Most pieces, 257 to 1,000,000: the end piece (id 0), all bytes and merges.
        path: The directory for `tokenizer.json` and `tokenizer_config.json`; made if missing.

    Returns:
        Pieces; fewer than `size` where no more pairs stand twice in the texts.

    Raises:
        UsageError: `size` is out of range.
    """
    if not LEAST <= size <= MOST:
        raise UsageError(sentence(f"a vocabulary size from {LEAST} to {MOST:,}", f"{size:,}"))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=_LEAST_COUNT,
        show_progress=False,
        special_tokens=[AddedToken(END, special=True, normalized=False)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator((normal(text) for text in texts), trainer)
    path.mkdir(parents=True, exist_ok=True)
    write_atomic(path / TOKENIZER, f"{tokenizer.to_str(pretty=True)}\n".encode())
    roles = dict.fromkeys(("bos", "eos", "pad", "unk"), END)
    write_atomic(path / "tokenizer_config.json", tokenizer_statement(roles))
    return int(tokenizer.get_vocab_size())
