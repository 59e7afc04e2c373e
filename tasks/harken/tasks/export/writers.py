"""One writer a format: pages in, bytes out, in as much memory as a row group takes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from harken.jobs.export import ExportFormat
from harken.tasks.export.columns import COLUMNS
from harken.tasks.export.rows import Page, json_text

# Of Arrow's memory: readers like row groups to be large, and workers have to hold one.
ROW_GROUP_BYTES = 32_000_000


class PageWriter(ABC):
    """Writes pages to a file; `close` writes what a format has at its end."""

    @abstractmethod
    def write(self, page: Page) -> None:
        """Appends a page."""

    @abstractmethod
    def close(self) -> None:
        """Ends the file, which stays open itself."""


class ParquetWriter(PageWriter):
    """Apache Parquet, compressed by zstd."""

    def __init__(self, file: BinaryIO) -> None:
        import pyarrow.parquet as pq

        from harken.tasks.export.table import TYPED

        self._writer = pq.ParquetWriter(file, TYPED, compression="zstd")
        self._batches: list[Any] = []
        self._bytes = 0

    def write(self, page: Page) -> None:
        """Appends a page, to a row group that is written when it is large enough."""
        from harken.tasks.export.table import typed_batch

        batch = typed_batch(page)
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= ROW_GROUP_BYTES:
            self._write_row_group()

    def close(self) -> None:
        """Writes the last row group and the footer."""
        self._write_row_group()
        self._writer.close()

    def _write_row_group(self) -> None:
        import pyarrow as pa

        if self._batches:
            table = pa.Table.from_batches(self._batches)
            self._writer.write_table(table, row_group_size=len(table))
        self._batches, self._bytes = [], 0


class CsvWriter(PageWriter):
    """Comma-separated values with a header, as RFC 4180 has them, in UTF-8."""

    def __init__(self, file: BinaryIO) -> None:
        from pyarrow import csv

        from harken.tasks.export.table import FLAT

        self._writer = csv.CSVWriter(file, FLAT)

    def write(self, page: Page) -> None:
        """Appends a page."""
        from harken.tasks.export.table import flat_batch

        self._writer.write_batch(flat_batch(page))

    def close(self) -> None:
        """Hands on what is held back."""
        self._writer.close()


class JsonLinesWriter(PageWriter):
    """An object a line, what is unset left out."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, page: Page) -> None:
        """Appends a page."""
        names = [column.name for column in COLUMNS]
        rows = zip(*(page.values(column) for column in COLUMNS), strict=True)
        lines = (
            json_text(
                {name: value for name, value in zip(names, row, strict=True) if value is not None}
            )
            for row in rows
        )
        self._file.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """There is nothing at the end of a list of lines."""


WRITERS: Mapping[ExportFormat, Callable[[BinaryIO], PageWriter]] = {
    ExportFormat.PARQUET: ParquetWriter,
    ExportFormat.CSV: CsvWriter,
    ExportFormat.JSONL: JsonLinesWriter,
}
MEDIA_TYPES: Mapping[ExportFormat, str] = {
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSONL: "application/jsonl",
}
