"""Encoder and head of a masked language model, apart from each other."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from masked_toys import (  # noqa: E402
    CLS,
    HIDDEN,
    KINDS,
    PAD,
    POSITIONS,
    SEP,
    SIZE,
    VOCABULARY,
    ToyRows,
    masked_model,
    plain_model,
)

from transferset.distillation.masked.model import MaskedModel  # noqa: E402
from transferset.errors import InputError  # noqa: E402
from transferset.students.rows import padded, present, rows_of  # noqa: E402


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_at_positions_gives_the_models_own_logits(kind):
    plain, parts = plain_model(kind), masked_model(kind)
    rows = ToyRows(5).rows
    here = present(rows.lengths, int(rows.lengths.max()))
    with torch.inference_mode():
        own = plain(
            input_ids=torch.from_numpy(padded(rows, rows.ids, PAD)),
            attention_mask=torch.from_numpy(here.astype(np.int64)),
            output_hidden_states=True,
        )
        layout = parts.layout(rows)
        hidden = parts.hidden(layout)[layout.places]
        some = torch.arange(0, len(rows.ids), 3)
        logits = parts.head(hidden[some])
    inside = torch.from_numpy(here)
    assert hidden.numpy() == pytest.approx(own.hidden_states[-1][inside].numpy(), abs=1e-5)
    assert logits.numpy() == pytest.approx(own.logits[inside][some].numpy(), abs=1e-4)
    assert (parts.size, parts.hidden_size, parts.positions) == (SIZE, HIDDEN, POSITIONS)


def test_rows_of_one_length_and_pairs():
    parts, plain = masked_model(), plain_model()
    ids = np.array([CLS, 7, SEP, 8, 9, SEP, CLS, 9, 9, SEP, 7, SEP])
    with torch.inference_mode():
        layout = parts.layout(rows_of(ids, np.array([0, 6, 12])))
        hidden = parts.hidden(layout)
        types = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]])
        own = plain.bert(torch.from_numpy(ids).view(2, 6), token_type_ids=types)
    assert "attention_mask" not in layout.given  # nothing is padding
    assert hidden.numpy() == pytest.approx(own.last_hidden_state.flatten(0, 1).numpy(), abs=1e-5)


def test_it_is_left_as_it_was():
    plain = plain_model().train()
    before = {name: one.clone() for name, one in plain.state_dict().items()}
    MaskedModel(plain, VOCABULARY)
    assert plain.training
    assert all(torch.equal(before[name], one) for name, one in plain.state_dict().items())


def test_a_head_that_looks_elsewhere_is_refused():
    plain = plain_model()
    head = plain.cls.predictions.decoder

    class Scaled(torch.nn.Module):
        def forward(self, hidden):
            return head(hidden) * hidden.shape[0]

    plain.cls.predictions.decoder = Scaled()
    plain.cls.forward = lambda hidden: plain.cls.predictions(hidden) + hidden.ndim
    with pytest.raises(InputError, match="head that works on single positions, found BertFor"):
        MaskedModel(plain, VOCABULARY)
