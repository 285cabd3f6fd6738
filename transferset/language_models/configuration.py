"""A model's configuration, read so that a forward gives what it gives of every model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, sentence

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: Members that change what a forward returns, or which lengths it takes, and no number in it; all
#: are legal, some cannot be saved again, and none is needed here.
_SETTLED: Final[Mapping[str, Any]] = {
    "return_dict": True,
    **dict.fromkeys(("output_attentions", "output_hidden_states", "output_router_logits"), False),
    "chunk_size_feed_forward": 0,  # else lengths have to be its multiples
    "gradient_checkpointing": False,
    "torchscript": False,
}


def read_configuration(folder: Path) -> PreTrainedConfig:
    """The configuration in a directory, settled.

    Args:
        folder: Checked, see `model_files.check_config`.
    """
    from transformers import AutoConfig

    return settled(
        AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    )


def settled(config: Any) -> Any:
    """A configuration without what would change a forward's form; it is changed in place.

    Args:
        config: Of transformers, with those inside it.
    """
    inside = [getattr(config, name, None) for name in getattr(config, "sub_configs", ())]
    for one in (config, *(part for part in inside if part is not None)):
        for name, value in _SETTLED.items():
            if getattr(one, name, value) != value:
                setattr(one, name, value)
    return config


def require_no_decoder(config: Any, what: str, at: str) -> None:
    """Refuse an encoder's configuration that hides later pieces from each.

    Args:
        config: Of transformers.
        what: That is wanted, with its article.
        at: Its file, for the message.

    Raises:
        InputError: It does: the first piece, which stands for the text, would see itself alone.
    """
    if getattr(config, "is_decoder", False):
        do = "set it to false if the model was trained to see all of a text"
        raise InputError(sentence(what, "is_decoder true", at, do))
