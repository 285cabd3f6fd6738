"""Documents of plain text, JSON lines, Parquet and Arrow files, folders, and the hub."""

from transferset.sources.records.files import RecordFile, open_records
from transferset.sources.records.reading import RecordPart, RecordReader
from transferset.sources.records.rows import Document

__all__ = ["Document", "RecordFile", "RecordPart", "RecordReader", "open_records"]
