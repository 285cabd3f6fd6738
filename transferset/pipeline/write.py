"""Writing one shard of a derived set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.pipeline.chain import Chain
from transferset.pipeline.setting import setting_of
from transferset.shards import ShardSet, ShardWriter, shard_name
from transferset.stage import Done, Output


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What all tasks of the last pass share."""

    chain: Chain
    schema_bytes: bytes
    shards: int


def write_range(root: Path, context: WriteContext, task: Json) -> Done:
    """Send the rows of one range through the chain into one shard.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `ordinal`, `start` and `stop` of the range.

    Returns:
        The shard as output; its manifest entry, content tokens and ledger as result.
    """
    schema = pa.ipc.read_schema(pa.py_buffer(context.schema_bytes))
    special = ~setting_of(ShardSet.open(context.chain.src), ()).is_content()
    ledger = Ledger()
    specials = 0
    with ShardWriter(root / shard_name(task["ordinal"], context.shards), schema) as writer:
        for batch in context.chain.batches(task["start"], task["stop"], ledger):
            ids = batch.column("input_ids").flatten().to_numpy()
            specials += int(np.count_nonzero(special[ids]))
            columns = [batch.column(name) for name in schema.names]
            writer.write(pa.Table.from_arrays(columns, schema=schema))
        entry = writer.commit()
    result = {
        "shard": asdict(entry),
        "rows": entry.rows,
        "content_tokens": entry.tokens - specials,
        "ledger": {str(reason): count for reason, count in ledger.items()},
    }
    return Done([Output(entry.file, entry.bytes, entry.blake3)], result)
