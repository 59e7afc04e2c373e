"""What a part found: a table, targets with their verdicts, and what has to be said beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

NOT_MEASURED: Final = "not measured"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A figure and what it should be; the figure is None where it could not be measured."""

    name: str
    value: float | None
    relation: Literal["≥", "≤"]
    bound: float
    unit: str

    @property
    def verdict(self) -> str:
        """ok, MISSED or not measured."""
        if self.value is None:
            return NOT_MEASURED
        met = self.value >= self.bound if self.relation == "≥" else self.value <= self.bound
        return "ok" if met else "MISSED"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the report; the first column of the table names its rows."""

    part: str
    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()


def at_least(name: str, value: float | None, bound: float, unit: str = "×") -> Target:
    """A target that larger figures meet."""
    return Target(name=name, value=value, relation="≥", bound=bound, unit=unit)


def at_most(name: str, value: float | None, bound: float, unit: str = "×") -> Target:
    """A target that smaller figures meet."""
    return Target(name=name, value=value, relation="≤", bound=bound, unit=unit)


def text(section: Section) -> str:
    """A section as plain text, its columns aligned."""
    parts = ["", f"== {section.part}: {section.title}"]
    if section.rows:
        parts += _aligned((section.columns, *section.rows))
    if section.targets:
        parts += _aligned(_target_row(target) for target in section.targets)
    parts += [f"  {note}" for note in section.notes]
    return "\n".join(parts)


def plain(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """Sections as values for JSON, verdicts included."""
    return [
        {
            **asdict(section),
            "targets": [{**asdict(one), "verdict": one.verdict} for one in section.targets],
        }
        for section in sections
    ]


def _target_row(target: Target) -> tuple[str, ...]:
    value = NOT_MEASURED if target.value is None else f"{target.value:.3g} {target.unit}"
    bound = f"{target.relation} {target.bound:g} {target.unit}"
    return (target.name, value, bound, "" if target.value is None else target.verdict)


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    table = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
