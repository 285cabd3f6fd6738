"""Scores of the vocabulary at one masked position of each text of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, sentence

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

#: Models that were trained on longer texts are shown no more: time grows with the square.
MOST_POSITIONS: Final = 512


@contextmanager
def one_thread() -> Iterator[None]:
    """With one thread of torch's, so that sums are rounded alike at any number of processors."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Scorer:
    """Runs a model on texts with one mask each.

    Attributes:
        positions: Most ids of a text.
        gathers: Whether the head runs on the masked positions alone.
    """

    def __init__(self, model: PreTrainedModel, around: tuple[int, int], size: int, at: str) -> None:
        """Find out how the model is best run.

        Args:
            model: See `checkpoint.load_model`.
            around: Ids of the pieces before and after a text.
            size: Ids of the tokenizer are below it.
            at: The model's directory, for the message.

        Raises:
            InputError: The tokenizer has ids that the model does not know.
        """
        self._model = model
        known = model.get_input_embeddings().weight.shape[0]
        if size > known:
            raise InputError(sentence(f"a tokenizer of up to {known:,} ids", f"{size:,}", at))
        self._pad = model.config.pad_token_id or 0
        self._at = at
        self.positions = min(most_positions(model), MOST_POSITIONS)
        self.gathers = False
        with one_thread():
            self.gathers = self._can_gather(around)

    def score(self, texts: Sequence[Sequence[int]], masks: Sequence[int]) -> Tensor:
        """Logits of the vocabulary.

        Args:
            texts: Ids of each text, with the pieces around it, up to `positions`.
            masks: Where in each the mask stands.

        Returns:
            float32[texts, vocabulary].

        Raises:
            InputError: They are not all finite.
        """
        import torch

        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[self._pad] * (longest - len(text))] for text in texts])
        here = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
        device = self._model.device
        with torch.inference_mode():
            scores = self._run(ids.to(device), here.to(device), torch.tensor(masks).to(device))
        if not torch.isfinite(scores).all():
            raise InputError(sentence("finite scores of the model", "others", self._at))
        return scores

    def _run(self, ids: Tensor, here: Tensor, masks: Tensor) -> Tensor:
        import torch

        rows = torch.arange(len(ids), device=ids.device)
        if not self.gathers:
            logits: Tensor = self._model(input_ids=ids, attention_mask=here).logits
            return logits[rows, masks]

        def gather(module: Any, args: Any, output: Any) -> Any:
            hidden = output["last_hidden_state"]
            output["last_hidden_state"] = hidden[rows, masks][:, None]
            return output

        # the head, which is most of the work, is between the body and the logits of every model:
        # so it sees one position of each text, whatever the model calls it
        hook = self._model.base_model.register_forward_hook(gather)
        try:
            logits = self._model(input_ids=ids, attention_mask=here).logits
        finally:
            hook.remove()
        return logits[:, 0] if logits.shape[1] == 1 else logits[rows, masks]

    def _can_gather(self, around: tuple[int, int]) -> bool:
        """Whether the head gives the same on gathered positions, tried on one small batch."""
        import torch

        first, last = around
        texts, masks = [[first, last, last, last], [first, last, last]], [2, 1]
        self.gathers = False
        whole = self.score(texts, masks)
        self.gathers = True
        try:
            gathered = self.score(texts, masks)
        except Exception:  # noqa: BLE001  heads of other kinds fail in their own ways
            return False
        return gathered.shape == whole.shape and bool(torch.allclose(gathered, whole, atol=1e-3))


def most_positions(model: PreTrainedModel) -> int:
    """Most ids that the model has positions for."""
    most: int = getattr(model.config, "max_position_embeddings", None) or MOST_POSITIONS
    if most < 1:  # XLNet's word for any number
        return MOST_POSITIONS
    for name, part in model.named_modules():
        # of RoBERTa and its kin, the first positions are those of padding
        padding = getattr(part, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            return most - int(padding) - 1
    return most
