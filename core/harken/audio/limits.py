"""How much sound a file may turn out to hold: counted while it is decoded, since a header can say anything."""

from dataclasses import dataclass
from typing import Final

from harken.audio import errors
from harken.audio.errors import InputError

LONGEST_HOURS: Final = 48  # published
# Encoders make more of digital silence, the sparest of them being WavPack at a telephone's rate. Files that take less
# are broken, or made to keep a machine busy.
LEAST_BYTES_A_SECOND: Final = 5  # published
ALWAYS_S: Final = (
    600.0  # published: so much any file may hold, such as one of very few samples a second
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The longest recording in seconds, and the fewest bytes a second beyond the first ten minutes."""

    longest_s: float = LONGEST_HOURS * 3600.0
    least_bytes_a_second: float = LEAST_BYTES_A_SECOND

    def check(self, decoded_s: float, size: int) -> None:
        """Raises InputError TOO_LONG and INFLATED for so much sound out of so many bytes."""
        if decoded_s > self.longest_s:
            hours = self.longest_s / 3600
            message = f"The recording is longer than {hours:g} hours; cut it into parts."
            raise InputError(errors.TOO_LONG, message)
        if decoded_s > ALWAYS_S + size / self.least_bytes_a_second:
            raise InputError(
                errors.INFLATED,
                f"The {size:,} bytes of the file decode to more than {decoded_s / 60:.0f} minutes, which no sound"
                " and hardly silence does. If it is meant, convert it to WAV.",
            )
