"""What an export writes."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """What the file of an export is."""

    PARQUET = "parquet"
    """Apache Parquet: typed columns, lists as lists."""
    CSV = "csv"
    """Comma-separated values with a header, lists as JSON."""
    JSONL = "jsonl"
    """JSON Lines: an object a job, what is unset left out."""
