"""The columns of an export: those of the job, then the fields of the engine's result classes under dotted names.

The result classes have the contract's fields (a test compares them), so a field that is added there is a column here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, auto
from typing import Any, Final, get_args, get_type_hints

from harken.audio.result import AnalysisResult, Embedding

EMBEDDING_SIZE: Final = 128


class ColumnType(Enum):
    """What the values of a column are."""

    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    TIME = auto()
    TEXTS = auto()
    NUMBERS = auto()
    # As many 32-bit numbers in each row.
    VECTOR = auto()
    # Texts under texts.
    MAP = auto()
    # Several numbers each, under the names in `Column.parts`.
    RECORDS = auto()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; `group` and `field` name the place in the result, `group` is empty for what the job says itself."""

    group: str
    field: str
    type: ColumnType
    parts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the file."""
        return f"{self.group}.{self.field}" if self.group else self.field


JOB_COLUMNS: tuple[Column, ...] = tuple(
    Column(group="", field=field, type=type_)
    for field, type_ in (
        ("job_id", ColumnType.TEXT),
        ("batch_id", ColumnType.TEXT),
        ("state", ColumnType.TEXT),
        ("source_kind", ColumnType.TEXT),
        ("source", ColumnType.TEXT),
        ("filename", ColumnType.TEXT),
        ("features", ColumnType.TEXTS),
        ("labels", ColumnType.MAP),
        ("attempt", ColumnType.INTEGER),
        ("error_kind", ColumnType.TEXT),
        ("error_reason", ColumnType.TEXT),
        ("error_message", ColumnType.TEXT),
        ("create_time", ColumnType.TIME),
        ("start_time", ColumnType.TIME),
        ("end_time", ColumnType.TIME),
    )
)

_TYPES: Mapping[Any, ColumnType] = {
    float | None: ColumnType.NUMBER,
    int | None: ColumnType.INTEGER,
    str | None: ColumnType.TEXT,
    tuple[float, ...]: ColumnType.NUMBERS,
    Mapping[str, str] | None: ColumnType.MAP,
}


def _result_columns() -> Iterator[Column]:
    groups = get_type_hints(AnalysisResult)
    for group in fields(AnalysisResult):
        of_group = get_args(groups[group.name])[0]  # Media of Media | None
        hints = get_type_hints(of_group)
        for field in fields(of_group):
            yield _column(of_group, group.name, field.name, hints[field.name])


def _column(of_group: type[Any], group: str, field: str, hint: Any) -> Column:
    if of_group is Embedding and field == "vector":
        return Column(group=group, field=field, type=ColumnType.VECTOR)
    if hint in _TYPES:
        return Column(group=group, field=field, type=_TYPES[hint])
    record = get_args(hint)[0]  # TempoCandidate of tuple[TempoCandidate, ...]
    if not is_dataclass(record):
        raise TypeError(f"{group}.{field}: there is no column for {hint}")
    parts = tuple(part.name for part in fields(record))
    return Column(group=group, field=field, type=ColumnType.RECORDS, parts=parts)


RESULT_COLUMNS: tuple[Column, ...] = tuple(_result_columns())
COLUMNS: tuple[Column, ...] = (*JOB_COLUMNS, *RESULT_COLUMNS)
