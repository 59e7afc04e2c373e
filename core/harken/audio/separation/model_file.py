"""The file of a model that separates, and what it says of itself.

An ONNX file that takes a segment of sound and gives its stems, as model_shapes.py tells. What the shapes leave open is
said by a JSON file beside it (model.onnx, model.json), or by the ONNX file's own metadata under the same names, where
the stems are separated by commas:

    {"sample_rate": 44100, "stems": ["drums", "bass", "other", "vocals"], "segment_s": 7.8, "name": "htdemucs 4.0"}
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from harken.audio.errors import AudioError
from harken.audio.separation.demucs_spectrum import frames_of
from harken.audio.separation.model_shapes import (
    ShapeError,
    Tensor,
    Tensors,
    check_spectrum,
    tensors_of,
)

NOT_CONFIGURED: Final = "MODEL_NOT_CONFIGURED"
RUNTIME_MISSING: Final = "MODEL_RUNTIME_MISSING"
UNREADABLE: Final = "MODEL_UNREADABLE"
MISFIT: Final = "MODEL_MISFIT"

MOST_STEMS: Final = 16
MOST_CHANNELS: Final = 2
SEGMENT_S: Final = 10.0  # where neither shape nor description says how long; memory grows with it
SEGMENTS_S: Final = (0.1, 60.0)
RATES: Final = (8_000, 192_000)
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
RESIDUAL: Final = "residual"
TAKEN: Final = frozenset(
    {"harmonic", "percussive", "foreground", "background", RESIDUAL, "prepared"}
)


class ModelError(AudioError):
    """The model cannot be used: whoever runs the workers has to set it right."""

    kind: ClassVar[str] = "INTERNAL"


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a separator has to know of its model."""

    name: str
    sample_rate: int
    channels: int
    stems: tuple[str, ...]
    segment: int  # samples that go in at a time
    normalise: bool  # whether a segment goes in with a mean of 0 and a deviation of 1
    tensors: Tensors


def description_of(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What the JSON file beside a model and its metadata say; the former goes first. Raises ModelError."""
    beside = path.with_suffix(".json")
    said: dict[str, Any] = {**metadata}
    if "stems" in said:
        said["stems"] = [name.strip() for name in str(said["stems"]).split(",")]
    try:
        if beside.exists():
            read = json.loads(beside.read_text("utf-8"))
            if not isinstance(read, dict):
                raise ModelError(UNREADABLE, f"{beside} holds no JSON object.")
            said.update(read)
    except (OSError, ValueError) as error:
        raise ModelError(UNREADABLE, f"{beside} cannot be read: {error}") from error
    return said


def facts_of(
    path: Path, said: Mapping[str, Any], inputs: list[Tensor], outputs: list[Tensor]
) -> ModelFacts:
    """What holds for a model, by its description and its shapes. Raises ModelError for what does not fit."""
    try:
        return _facts_of(path, said, tensors_of(inputs, outputs))
    except ShapeError as error:
        raise ModelError(MISFIT, f"The model {path} cannot be used: {error}.") from error


def _facts_of(path: Path, said: Mapping[str, Any], tensors: Tensors) -> ModelFacts:
    taken, given = tensors.sound, tensors.stems
    stems = _stems(path, said, given)
    channels = int(taken.size(1) or _number(path, said, "channels", 1, MOST_CHANNELS))
    if channels > MOST_CHANNELS or given.size(2) not in (None, channels):
        raise ShapeError("it has to take one or two channels and to give as many", [taken, given])
    rate = int(_number(path, said, "sample_rate", *RATES))
    segment = taken.size(2)
    if segment is None:
        seconds = _number(path, {"segment_s": SEGMENT_S, **said}, "segment_s", *SEGMENTS_S)
        segment = round(seconds * rate)
    elif not SEGMENTS_S[0] <= segment / rate <= SEGMENTS_S[1]:
        rule = f"its {segment:,} samples at {rate:,} Hz are no segment of 0.1 to 60 s"
        raise ShapeError(rule, [taken])
    if given.size(3) not in (None, segment):
        raise ShapeError(f"it has to give as many samples as it takes, {segment:,}", [given])
    frames = frames_of(segment)
    check_spectrum(tensors.spectrum, channels=channels, frames=frames, stems=None)
    check_spectrum(tensors.stem_spectra, channels=channels, frames=frames, stems=len(stems))
    return ModelFacts(
        name=str(said.get("name") or path.stem)[:100],
        sample_rate=rate,
        channels=channels,
        stems=stems,
        segment=segment,
        normalise=_flag(path, said, "normalise"),
        tensors=tensors,
    )


def identity_of(path: str) -> str:
    """Tells a model from the one that was there before, without reading it."""
    if not path:
        return ""
    seen: list[str] = [path]
    for file in (Path(path), Path(path).with_suffix(".json")):
        try:
            found = os.stat(file)
        except OSError:
            continue
        seen.append(f"{found.st_size}:{found.st_mtime_ns}")
    return "|".join(seen)


def _stems(path: Path, said: Mapping[str, Any], given: Tensor) -> tuple[str, ...]:
    names = said.get("stems")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_STEMS:
        raise _misfit(path, f'"stems" has to name its stems, at most {MOST_STEMS}', names)
    stems = tuple(str(name) for name in names)
    if len(set(stems)) < len(stems) or not all(NAME.fullmatch(name) for name in stems):
        raise _misfit(path, "names of stems differ and are made of a to z, 0 to 9, - and _", names)
    if clash := TAKEN.intersection(stems):
        raise _misfit(path, f"{', '.join(sorted(clash))} is a name of other stems", names)
    if given.size(1) not in (None, len(stems)):
        raise _misfit(
            path, f'it gives {given.size(1)} stems, and "stems" names {len(stems)}', names
        )
    return stems


def _number(path: Path, said: Mapping[str, Any], name: str, least: float, most: float) -> float:
    try:
        number = float(said[name])
    except (KeyError, TypeError, ValueError):
        number = float("nan")
    if not least <= number <= most:
        raise _misfit(path, f'"{name}" has to be between {least:g} and {most:g}', said.get(name))
    return number


def _flag(path: Path, said: Mapping[str, Any], name: str) -> bool:
    flag = str(said.get(name, False)).lower()  # metadata are words
    if flag not in ("true", "false"):
        raise _misfit(path, f'"{name}" has to be true or false', said[name])
    return flag == "true"


def _misfit(path: Path, rule: str, found: object) -> ModelError:
    return ModelError(MISFIT, f"The model {path} cannot be used: {rule}; found {found}.")
