"""A package that offers a transform: what docs/transforms.md shows, installed."""

import pyarrow as pa

import transferset


@transferset.transform
def reverse(batch: pa.RecordBatch, at, *, share: float = 1.0) -> pa.RecordBatch:
    """Turn the content of a share of the rows around."""
    chosen = at.uniform(batch, draws=1)[:, 0] < share
    rows = batch.column("input_ids").to_pylist()
    turned = [[r[0], *r[-2:0:-1], r[-1]] if c else r for r, c in zip(rows, chosen, strict=True)]
    ids = pa.array(turned, batch.schema.field("input_ids").type)
    return batch.set_column(batch.schema.get_field_index("input_ids"), "input_ids", ids)
