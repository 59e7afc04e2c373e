"""A model as a back end: an ONNX file that splits segments, run by ONNX Runtime on the processor."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.separation.demucs_spectrum import BINS, frames_of, samples_of, spectrum_of
from harken.audio.separation.model_file import (
    MISFIT,
    NOT_CONFIGURED,
    RUNTIME_MISSING,
    UNREADABLE,
    ModelError,
    ModelFacts,
    description_of,
    facts_of,
    identity_of,
)
from harken.audio.separation.model_shapes import Tensor

NO_DEVIATION: Final = np.float32(1e-5)  # added to what a segment is divided by, as Demucs does


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

    def split(self, samples: Floats) -> Floats:
        """The stems of a segment, (stems, channels, samples). Raises ModelError when the model fails at it."""
        if not self.facts.normalise:
            return self._stems(samples)
        mono = samples.mean(axis=0)
        mean, deviation = mono.mean(), mono.std() + NO_DEVIATION
        return self._stems((samples - mean) / deviation) * deviation + mean

    def _stems(self, samples: Floats) -> Floats:
        tensors, count = self.facts.tensors, samples.shape[1]
        feeds = {tensors.sound.name: samples[None]}
        if tensors.spectrum is not None:
            feeds[tensors.spectrum.name] = spectrum_of(samples)[None]
        wanted = [one.name for one in (tensors.stems, tensors.stem_spectra) if one is not None]
        try:
            given = self._session.run(wanted, feeds)
        except Exception as error:  # ONNX Runtime has no base of its own for its errors
            raise ModelError(MISFIT, f"The model {self.facts.name} failed: {error}") from error
        sound = (1, len(self.facts.stems), *samples.shape)
        stems: Floats = self._checked(given[0], sound)
        if tensors.stem_spectra is None:
            return stems
        spectra = self._checked(
            given[1], (1, sound[1], 2 * samples.shape[0], BINS, frames_of(count))
        )
        return stems + np.stack([samples_of(spectrum, count) for spectrum in spectra])

    def _checked(self, given: Floats, expected: tuple[int, ...]) -> Floats:
        if given.shape != expected:
            message = f"The model {self.facts.name} gave {given.shape} instead of {expected}."
            raise ModelError(MISFIT, message)
        if not np.isfinite(given).all():
            message = f"The model {self.facts.name} gave values that are no numbers."
            raise ModelError(MISFIT, message)
        return given[0]


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
    return [Tensor(name=one.name, shape=tuple(one.shape), type=one.type) for one in found]
