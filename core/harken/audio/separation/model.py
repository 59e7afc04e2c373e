"""A model as a back end: an ONNX file that splits segments, run by ONNX Runtime.

Segments overlap by a quarter and fade into each other. The model works at its own rate: what it gives is brought back
to the recording's. Channels go through it in groups of as many as it takes, the last one repeated where they do not
suffice. What the stems leave of the whole is the last stem, "residual", so that they sum to it whatever the model does.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.rendering.resampling import Resampler
from harken.audio.separation.model_file import (
    MISFIT,
    NOT_CONFIGURED,
    RESIDUAL,
    RUNTIME_MISSING,
    UNREADABLE,
    ModelError,
    ModelFacts,
    Tensor,
    description_of,
    facts_of,
    identity_of,
)
from harken.audio.separation.separator import DelayLine, Parts, Separator

OVERLAP: Final = 4  # a segment shares so much of itself with the next one, as a fraction

# Splits (channels, samples) of a segment into (stems, channels, samples).
Split = Callable[[Floats], Floats]


class Model:
    """A model that is loaded, and checked."""

    def __init__(self, path: Path, threads: int) -> None:
        """Loads the file. Raises ModelError."""
        self._session = _session(path, threads)
        metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.facts: ModelFacts = facts_of(
            path, description_of(path, metadata), _tensors(inputs), _tensors(outputs)
        )
        self._input, self._output = inputs[0].name, outputs[0].name

    def split(self, samples: Floats) -> Floats:
        """The stems of a segment. Raises ModelError when the model fails at it."""
        try:
            (given,) = self._session.run([self._output], {self._input: samples[None]})
        except Exception as error:  # ONNX Runtime has no base of its own for its errors
            raise ModelError(MISFIT, f"The model {self.facts.name} failed: {error}") from error
        expected = (1, len(self.facts.stems), *samples.shape)
        if given.shape != expected:
            message = f"The model {self.facts.name} gave {given.shape} instead of {expected}."
            raise ModelError(MISFIT, message)
        if not np.isfinite(given).all():
            message = f"The model {self.facts.name} gave values that are no numbers."
            raise ModelError(MISFIT, message)
        return given[0]


class ModelSeparator(Separator):
    """One recording's, by a model."""

    def __init__(self, facts: ModelFacts, split: Split, sample_rate: int, channels: int) -> None:
        self.names = (*facts.stems, RESIDUAL)
        self._stems, self._channels = len(facts.stems), channels
        self._whole = DelayLine(channels)
        self._to_model = Resampler(sample_rate, facts.sample_rate, channels)
        groups = -(-channels // facts.channels)
        self._groups = [
            [min(group * facts.channels + at, channels - 1) for at in range(facts.channels)]
            for group in range(groups)
        ]
        self._segments = SegmentStream(facts.segment, self._split, self._stems * channels, channels)
        self._from_model = Resampler(facts.sample_rate, sample_rate, self._stems * channels)
        self._split_group = split

    def push(self, samples: Floats) -> Parts:
        """What the next samples complete."""
        self._whole.push(samples)
        return self._parts(self._from_model.push(self._segments.push(self._to_model.push(samples))))

    def finish(self) -> Parts:
        """The rest."""
        nothing = np.zeros((self._channels, 0), dtype=np.float32)
        last = self._segments.push(self._to_model.push(nothing, last=True))
        rest = np.concatenate([last, self._segments.finish()], axis=1)
        ready = self._from_model.push(rest, last=True)[:, : self._whole.length]
        missing = self._whole.length - ready.shape[1]
        return self._parts(np.pad(ready, ((0, 0), (0, missing))))

    def _parts(self, ready: Floats) -> Parts:
        ready = ready[:, : self._whole.length]
        stems = ready.reshape(self._stems, self._channels, ready.shape[1])
        return Parts(whole=self._whole.pop(ready.shape[1]), stems=stems)

    def _split(self, segment: Floats) -> Floats:
        """A segment of all channels, (channels, samples), into (stems · channels, samples)."""
        stems = np.empty((self._stems, *segment.shape), dtype=np.float32)
        for group in self._groups:
            given = self._split_group(np.ascontiguousarray(segment[group]))
            for place, channel in enumerate(group):
                stems[:, channel] = given[:, place]
        return stems.reshape(-1, segment.shape[1])


class SegmentStream:
    """A signal cut into overlapping segments, each split, and what comes of them faded into each other."""

    def __init__(self, segment: int, split: Split, rows: int, channels: int) -> None:
        self._segment = segment
        self._step = segment - segment // OVERLAP
        self._split = split
        self._signal: Floats = np.zeros((channels, 0), dtype=np.float32)
        self._fading: Floats = np.zeros((rows, segment - self._step), dtype=np.float32)
        rise = (np.arange(segment - self._step) + 1.0) / (segment - self._step + 1.0)
        self._rise = rise.astype(np.float32)
        self._first = True

    def push(self, signal: Floats) -> Floats:
        """What the next samples, (channels, n), complete: (rows, n)."""
        self._signal = np.concatenate([self._signal, signal], axis=1)
        ready = [self._fading[:, :0]]
        # One sample more than a segment: the last one is left to `finish`, which fades nothing out.
        while self._signal.shape[1] > self._segment:
            rows = self._faded(self._split(self._signal[:, : self._segment]))
            ready.append(rows[:, : self._step])
            self._fading = rows[:, self._step :]
            self._signal = self._signal[:, self._step :]
        return np.concatenate(ready, axis=1)

    def finish(self) -> Floats:
        """The last segment, filled up with silence."""
        count = self._signal.shape[1]
        filled = np.pad(self._signal, ((0, 0), (0, self._segment - count)))
        return self._faded(self._split(filled))[:, :count]

    def _faded(self, rows: Floats) -> Floats:
        """A segment's rows with the end of the one before."""
        rows = rows.copy()
        if not self._first:
            lap = self._rise.shape[0]
            rows[:, :lap] = rows[:, :lap] * self._rise + self._fading * (1 - self._rise)
        self._first = False
        return rows


def load_model(path: str, threads: int) -> Model:
    """The model of the file, loaded once in a process while the file stays the same. Raises ModelError."""
    if not path:
        raise ModelError(
            NOT_CONFIGURED,
            "No model for stems is set up here. Name an ONNX file with HARKEN_STEMS_MODEL, start the workers again,"
            " and retry the job; or ask for other kinds of stems.",
        )
    return _loaded(path, identity_of(path), threads)


@lru_cache(maxsize=1)
def _loaded(path: str, _identity: str, threads: int) -> Model:
    return Model(Path(path), threads)


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime  # slow to import, and not installed everywhere
    except ImportError as error:
        message = "The model needs ONNX Runtime: pip install 'harken[models]'"
        raise ModelError(RUNTIME_MISSING, message) from error
    if not path.is_file():
        raise ModelError(UNREADABLE, f"There is no file {path}, which HARKEN_STEMS_MODEL names.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has no base of its own for its errors
        raise ModelError(UNREADABLE, f"{path} is no ONNX model that can be run: {error}") from error


def _tensors(found: Any) -> list[Tensor]:
    return [Tensor(shape=tuple(one.shape), type=one.type) for one in found]
