"""Pages as Arrow's record batches: `TYPED` with lists as lists, `FLAT` with all that is no plain value as JSON text.

PyArrow says nothing of its types: what comes out of it is Any.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from harken.tasks.export.columns import COLUMNS, EMBEDDING_SIZE, Column, ColumnType
from harken.tasks.export.rows import Page, json_text

_PLAIN: dict[ColumnType, Any] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
}
_NESTED: dict[ColumnType, Any] = {
    ColumnType.TEXTS: pa.list_(pa.string()),
    ColumnType.NUMBERS: pa.list_(pa.float64()),
    ColumnType.VECTOR: pa.list_(pa.float32(), EMBEDDING_SIZE),
    ColumnType.MAP: pa.map_(pa.string(), pa.string()),
}


def _typed(column: Column) -> Any:
    if column.type is ColumnType.RECORDS:
        return pa.list_(pa.struct([(part, _PLAIN[type_]) for part, type_ in column.parts.items()]))
    return (_PLAIN | _NESTED)[column.type]


TYPED: Any = pa.schema([(column.name, _typed(column)) for column in COLUMNS])
FLAT: Any = pa.schema([(column.name, _PLAIN.get(column.type, pa.string())) for column in COLUMNS])


def typed_batch(page: Page) -> Any:
    """A page with lists as lists."""

    def typed(column: Column) -> list[Any]:
        values = page.values(column)
        if column.type is ColumnType.MAP:
            return [None if value is None else list(value.items()) for value in values]
        return values

    return _batch(TYPED, typed)


def flat_batch(page: Page) -> Any:
    """A page with plain values alone."""

    def flat(column: Column) -> list[Any]:
        values = page.values(column)
        if column.type in _PLAIN:
            return values
        return [None if value is None else json_text(value) for value in values]

    return _batch(FLAT, flat)


def _batch(schema: Any, values: Callable[[Column], list[Any]]) -> Any:
    arrays = [
        pa.array(values(column), type=field.type)
        for column, field in zip(COLUMNS, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
