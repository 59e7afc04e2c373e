"""What a model takes and gives, told by the shapes of its tensors whatever their names are.

It takes the sound, [1, channels, samples], and may take its spectrum beside it, [1, 2 · channels, 2048, frames]; it
gives the stems' sound, [1, stems, channels, samples], and may give their spectra, [1, stems, 2 · channels, 2048,
frames], whose sound is added. The first is how whole separators are exported, the second how Demucs's network alone is.
"""

from dataclasses import dataclass
from typing import Any, Final

from harken.audio.separation.demucs_spectrum import BINS

FLOAT: Final = "tensor(float)"
TAKES: Final = (
    "its inputs have to be float32: the sound [1, channels, samples], and perhaps beside it the spectrum that Demucs"
    f" takes, [1, 2 · channels, {BINS}, frames]"
)
GIVES: Final = (
    "its outputs have to be float32: the stems [1, stems, channels, samples], and perhaps beside them their spectra,"
    f" [1, stems, 2 · channels, {BINS}, frames]"
)
SOUND_IN, SPECTRUM_IN = 3, 4  # dimensions
SOUND_OUT, SPECTRUM_OUT = 4, 5


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A shape as ONNX gives it, names standing for what is open, and its type."""

    name: str
    shape: tuple[Any, ...]
    type: str

    def size(self, place: int) -> int | None:
        """The size of a dimension; None where it is open."""
        found = self.shape[place]
        return found if isinstance(found, int) and found > 0 else None

    def __str__(self) -> str:
        sizes = ", ".join(str(size) if size is not None else "?" for size in self.shape)
        return f"{self.name} {self.type.removeprefix('tensor').strip('()')} [{sizes}]"


@dataclass(frozen=True, kw_only=True)
class Tensors:
    """The tensors of a model by what they are; the spectra are None where there are none."""

    sound: Tensor
    spectrum: Tensor | None
    stems: Tensor
    stem_spectra: Tensor | None


class ShapeError(ValueError):
    """A rule that the tensors of a model break, and what was found."""

    def __init__(self, rule: str, found: list[Tensor]) -> None:
        super().__init__(f"{rule}; found {', '.join(map(str, found)) or 'none'}")


def tensors_of(inputs: list[Tensor], outputs: list[Tensor]) -> Tensors:
    """What each tensor of a model is. Raises ShapeError."""
    sound, spectrum = _first(inputs, SOUND_IN), _first(inputs, SPECTRUM_IN)
    stems, stem_spectra = _first(outputs, SOUND_OUT), _first(outputs, SPECTRUM_OUT)
    taken = [one for one in (sound, spectrum) if one is not None]
    given = [one for one in (stems, stem_spectra) if one is not None]
    # An input that is not known cannot be filled; an output that is not known is not asked for.
    if sound is None or len(taken) < len(inputs) or not _fit(taken):
        raise ShapeError(TAKES, inputs)
    if stems is None or not _fit(given):
        raise ShapeError(GIVES, outputs)
    return Tensors(sound=sound, spectrum=spectrum, stems=stems, stem_spectra=stem_spectra)


def check_spectrum(tensor: Tensor | None, *, channels: int, frames: int, stems: int | None) -> None:
    """Raises ShapeError where the spectrum is not that of a segment; `stems` where it is one of each."""
    if tensor is None:
        return
    ends = (2 * channels, BINS, frames)
    due = (1, *ends) if stems is None else (1, stems, *ends)
    if any(tensor.size(place) not in (None, size) for place, size in enumerate(due)):
        raise ShapeError(f"the spectrum of a segment is {list(due)} here", [tensor])


def _first(tensors: list[Tensor], dimensions: int) -> Tensor | None:
    return next((one for one in tensors if len(one.shape) == dimensions), None)


def _fit(tensors: list[Tensor]) -> bool:
    return all(one.type == FLOAT and one.size(0) in (None, 1) for one in tensors)
