"""Writing one shard of a derived set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.pipeline.chain import Chain
from transferset.pipeline.setting import setting_of
from transferset.shards import ShardSet, ShardWriter, shard_name
from transferset.stage import Done, Output
from transferset.transforms.buffers import count_content, flat


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
    of = setting_of(ShardSet.open(context.chain.src), ())
    ledger = Ledger()
    content = 0
    with ShardWriter(root / shard_name(task["ordinal"], context.shards), schema) as writer:
        for batch in context.chain.batches(task["start"], task["stop"], ledger):
            if "input_ids" in batch.schema.names:  # texts alone have none
                content += count_content(flat(batch)[0], of.cls, of.sep, of.pad, of.mask)
            columns = [batch.column(name) for name in schema.names]
            writer.write(pa.RecordBatch.from_arrays(columns, schema=schema))
        entry = writer.commit()
    result = {
        "shard": asdict(entry),
        "rows": entry.rows,
        "content_tokens": content,
        "ledger": {str(reason): count for reason, count in ledger.items()},
    }
    return Done([Output(entry.file, entry.bytes, entry.blake3)], result)
