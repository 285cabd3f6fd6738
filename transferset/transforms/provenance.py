"""Which rows are of documents with a certain licence, author, title or language."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import UsageError, sentence

Bools = npt.NDArray[np.bool_]

#: Opens the documents table of a set.
Documents = Callable[[], Iterator[pa.RecordBatch]]

#: Most names that a message lists.
_SHOWN: Final = 12


class OfDocuments:
    """The documents with one of some values in a field, found once, and looked up by row.

    Holds eight bytes for each of them.
    """

    def __init__(self, documents: Documents, field: str, values: Sequence[str]) -> None:
        """Read the documents table.

        Args:
            documents: Opens it.
            field: `licence`, `author`, `title` or `language`.
            values: What is asked for, in full.

        Raises:
            UsageError: No document has any of the values.
            SetError: The table is damaged.
        """
        found: dict[tuple[int, int], list[npt.NDArray[np.uint64]]] = {}
        names: set[str] = set()
        for batch in documents():
            column = batch.column(field)
            if len(names) <= 1000:  # for the message only
                names.update(column.to_pylist())
            mine = batch.filter(pc.is_in(column, pa.array(values, pa.string())))
            for group, ids in _groups(mine):
                found.setdefault(group, []).append(ids)
        if not found:
            raise _unheard(field, values, names)
        self._ids = {group: np.sort(np.concatenate(ids)) for group, ids in found.items()}

    def __call__(self, batch: pa.RecordBatch) -> Bools:
        """Which rows of a batch with `source` and `doc_id` (in a mix `part`) are of them."""
        wanted = np.zeros(batch.num_rows, np.bool_)
        ids = batch.column("doc_id").to_numpy()
        group = group_codes(batch)
        for (part, source), known in self._ids.items():
            at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
            wanted |= (known[at] == ids) & (group == (part << 16 | source))
        return wanted


def group_codes(batch: pa.RecordBatch) -> npt.NDArray[np.uint32]:
    """Part and source of each row as one number; a set that is no mix has part 0."""
    source = np.zeros(batch.num_rows, np.uint32)
    if "source" in batch.schema.names:
        source = batch.column("source").to_numpy().astype(np.uint32)
    if "part" not in batch.schema.names:
        return source
    part: npt.NDArray[np.uint32] = batch.column("part").to_numpy().astype(np.uint32)
    return (part << np.uint32(16)) | source


def _groups(batch: pa.RecordBatch) -> Iterator[tuple[tuple[int, int], npt.NDArray[np.uint64]]]:
    codes, ids = group_codes(batch), batch.column("doc_id").to_numpy()
    for code in np.unique(codes).tolist():
        yield (code >> 16, code & 0xFFFF), ids[codes == code]


def _unheard(field: str, values: Sequence[str], names: Iterable[str]) -> UsageError:
    have = sorted(name for name in names if name)
    near = difflib.get_close_matches(values[0], have, n=1, cutoff=0.4) if values else []
    do = f"did you mean {near[0]!r}?" if near else None
    more = f", … ({len(have)} in all)" if len(have) > _SHOWN else ""
    known = ", ".join(map(repr, have[:_SHOWN])) + more
    expected = f"the {field} of a document, out of {known or 'none, for they state none'}"
    return UsageError(sentence(expected, ", ".join(map(repr, values)), "--filter", do))
