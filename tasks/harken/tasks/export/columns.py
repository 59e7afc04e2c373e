"""The columns of an export: those of the job, then the fields of the engine's result classes under dotted names.

The result classes have the contract's fields (a test compares them), so a field that is added there is a column here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from dataclasses import field as dataclass_field
from enum import Enum, StrEnum, auto
from typing import Any, Final, get_args, get_origin, get_type_hints

from harken.audio.result import AnalysisResult, Embedding

EMBEDDING_SIZE: Final = 128


class ColumnType(Enum):
    """What the values of a column are."""

    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    TIME = auto()
    TEXTS = auto()
    NUMBERS = auto()
    # As many 32-bit numbers in each row.
    VECTOR = auto()
    # Texts under texts.
    MAP = auto()
    # Several values each, as in `Column.parts`.
    RECORDS = auto()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; `group` and `field` name the place in the result, `group` is empty for what the job says itself.

    `field` is empty where the group itself is a list, and has a point in it where a group has groups of its own.
    """

    group: str
    field: str
    type: ColumnType
    # Of records: what each holds, by name.
    parts: Mapping[str, ColumnType] = dataclass_field(default_factory=dict[str, ColumnType])

    @property
    def name(self) -> str:
        """Its name in the file."""
        return ".".join(name for name in (self.group, self.field) if name)


JOB_COLUMNS: tuple[Column, ...] = tuple(
    Column(group="", field=field, type=type_)
    for field, type_ in (
        ("job_id", ColumnType.TEXT),
        ("batch_id", ColumnType.TEXT),
        ("state", ColumnType.TEXT),
        ("source_kind", ColumnType.TEXT),
        ("source", ColumnType.TEXT),
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

# Groups of the result that are lists.
_LISTS: Final = ("errors",)

_TYPES: Mapping[Any, ColumnType] = {
    float | None: ColumnType.NUMBER,
    int | None: ColumnType.INTEGER,
    str | None: ColumnType.TEXT,
    bool | None: ColumnType.BOOLEAN,
    tuple[float, ...]: ColumnType.NUMBERS,
    Mapping[str, str] | None: ColumnType.MAP,
}


def _result_columns() -> Iterator[Column]:
    groups = get_type_hints(AnalysisResult)
    for group in fields(AnalysisResult):
        of_group = get_args(groups[group.name])[0]  # Media of Media | None
        if group.name in _LISTS:
            yield _records(group.name, "", of_group)
        else:
            yield from _columns(of_group, group.name, "")


def _columns(of_group: type[Any], group: str, above: str) -> Iterator[Column]:
    hints = get_type_hints(of_group)
    for field in fields(of_group):
        hint, name = hints[field.name], above + field.name
        inner = get_args(hint)[0] if get_args(hint) else hint
        if of_group is Embedding and name == "vector":
            yield Column(group=group, field=name, type=ColumnType.VECTOR)
        elif (type_ := _plain(hint)) is not None:
            yield Column(group=group, field=name, type=type_)
        elif not is_dataclass(inner) or not isinstance(inner, type):
            raise TypeError(f"{group}.{name}: there is no column for {hint}")
        elif get_origin(hint) is tuple:  # TempoCandidate of tuple[TempoCandidate, ...]
            yield _records(group, name, inner)
        else:  # AcidInfo of AcidInfo | None
            yield from _columns(inner, group, f"{name}.")


def _records(group: str, field: str, record: type[Any]) -> Column:
    parts: dict[str, ColumnType] = {}
    for name, hint in get_type_hints(record).items():
        type_ = _plain(hint)
        if type_ is None:
            raise TypeError(f"{group}.{field}: there is no column for records with {name}")
        parts[name] = type_
    return Column(group=group, field=field, type=ColumnType.RECORDS, parts=parts)


def _plain(hint: Any) -> ColumnType | None:
    """The type of a column for values of one type; None for groups and records."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ColumnType.TEXT
    return _TYPES.get(hint) or _TYPES.get(hint | None if isinstance(hint, type) else hint)


RESULT_COLUMNS: tuple[Column, ...] = tuple(_result_columns())
COLUMNS: tuple[Column, ...] = (*JOB_COLUMNS, *RESULT_COLUMNS)
