"""How much louder or softer a recording becomes: pure."""

from dataclasses import dataclass
from typing import Final

FULL_SCALE_DB: Final = 0.0


@dataclass(frozen=True, kw_only=True)
class Levels:
    """What is known of a recording's level; None is of silence, or of what is too short for a loudness."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None

    def without(self, gain_db: float) -> "Levels":
        """The levels before that gain was given."""
        return Levels(
            integrated_lufs=_less(self.integrated_lufs, gain_db),
            true_peak_dbtp=_less(self.true_peak_dbtp, gain_db),
            sample_peak_dbfs=_less(self.sample_peak_dbfs, gain_db),
        )


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The gain in dB, and whether a ceiling holds it below what the loudness asks for."""

    db: float
    held: bool


def gain_for(
    levels: Levels, *, loudness_lufs: float | None, ceiling_dbtp: float | None, clips: bool
) -> Gain:
    """The gain that reaches the loudness as far as the ceiling lets it.

    Where samples would be clipped, none goes beyond full scale either. What has no loudness keeps its level.
    """
    wanted = 0.0
    if loudness_lufs is not None and levels.integrated_lufs is not None:
        wanted = loudness_lufs - levels.integrated_lufs
    most = [wanted]
    if ceiling_dbtp is not None and levels.true_peak_dbtp is not None:
        most.append(ceiling_dbtp - levels.true_peak_dbtp)
    if clips and levels.sample_peak_dbfs is not None:
        most.append(FULL_SCALE_DB - levels.sample_peak_dbfs)
    return Gain(db=min(most), held=min(most) < wanted)


def _less(level: float | None, gain_db: float) -> float | None:
    return None if level is None else level - gain_db
