"""Whisper as a back end, run by faster-whisper (CTranslate2) on the processor, in 8-bit integers.

Radford et al. (2022), "Robust speech recognition via large-scale weak supervision". The folder is what faster-whisper's
converter makes: model.bin, config.json, tokenizer.json, vocabulary.json and preprocessor_config.json. Nothing is ever
fetched from a network: without its tokenizer a model is refused, where faster-whisper would download one.
"""

import os
from collections.abc import Iterator
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any, Final

from harken.audio.blocks import Floats
from harken.audio.separation.model_file import (
    MISFIT,
    NOT_CONFIGURED,
    RUNTIME_MISSING,
    UNREADABLE,
    ModelError,
)
from harken.audio.transcription.result import TranscriptWord
from harken.audio.transcription.transcriber import Part, Wanted

LANGUAGE_UNKNOWN: Final = "LANGUAGE_NOT_KNOWN_TO_MODEL"
NEEDED: Final = ("model.bin", "config.json", "tokenizer.json")
COMPUTE: Final = "int8"  # a fraction of the memory and time of float32 on a processor
# What CTranslate2 and faster-whisper raise; a time limit and a full memory are nothing of theirs.
FAULTS: Final = (RuntimeError, ValueError, LookupError)
BEAM: Final = 5  # faster-whisper's own, and the one of the paper
# A part that the model itself holds for no speech, and is unsure of, was made up.
NO_SPEECH: Final = 0.6


class Whisper:
    """A model that is loaded."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Loads the folder. Raises ModelError."""
        self.name = folder.name
        self._model = _loaded_model(folder, threads)
        self._known: tuple[str, ...] = tuple(self._model.supported_languages)

    def languages(self, samples: Floats) -> dict[str, float]:
        """The probability of each language."""
        if not self._model.model.is_multilingual:
            return {"en": 1.0}
        try:
            _, _, found = self._model.detect_language(samples, language_detection_segments=1)
        except FAULTS as error:
            raise self._failed(error) from error
        return dict(found)

    def parts(self, samples: Floats, wanted: Wanted) -> Iterator[Part]:
        """What is said, part by part."""
        if wanted.language not in self._known:
            raise ModelError(
                LANGUAGE_UNKNOWN,
                f"The model {self.name} does not know the language {wanted.language};"
                f" it knows {', '.join(self._known)}.",
            )
        try:
            found, _ = self._model.transcribe(
                samples,
                language=wanted.language,
                task="translate" if wanted.translate else "transcribe",
                beam_size=BEAM,
                # A mistake in one piece would be repeated in all that follow.
                condition_on_previous_text=False,
                initial_prompt=wanted.prompt,
                word_timestamps=wanted.words,
                no_speech_threshold=NO_SPEECH,
            )
            for part in found:
                yield _part(part)
        except FAULTS as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ModelError:
        return ModelError(MISFIT, f"The model {self.name} failed: {error}")


def load_whisper(path: str, threads: int) -> Whisper:
    """The model of a folder, loaded once in a process while its files stay the same. Raises ModelError."""
    if not path:
        raise ModelError(
            NOT_CONFIGURED,
            "No model for transcripts is set up here. Name the folder of a Whisper model with"
            " HARKEN_TRANSCRIPTION_MODEL, start the workers again, and retry the job.",
        )
    return _loaded(path, identity_of(path), threads)


def identity_of(path: str) -> str:
    """Tells a model from the one that was there before, without reading it."""
    seen = [path]
    for name in NEEDED if path else ():
        try:
            found = os.stat(Path(path, name))
        except OSError:
            continue
        seen.append(f"{name}:{found.st_size}:{found.st_mtime_ns}")
    return "|".join(seen)


@lru_cache(maxsize=1)
def _loaded(path: str, _identity: str, threads: int) -> Whisper:
    return Whisper(Path(path), threads)


def _loaded_model(folder: Path, threads: int) -> Any:
    if not folder.is_dir():
        message = f"There is no folder {folder}, which HARKEN_TRANSCRIPTION_MODEL names."
        raise ModelError(UNREADABLE, message)
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        message = (
            f"{folder}, which HARKEN_TRANSCRIPTION_MODEL lacks {', '.join(missing)}: it has to be a Whisper model"
            " as ct2-transformers-converter makes it, with its tokenizer.json copied."
        )
        raise ModelError(UNREADABLE, message)
    try:
        from faster_whisper import WhisperModel  # slow to import, and not installed everywhere
    except ImportError as error:
        message = "Transcripts need faster-whisper: pip install 'harken[transcription]'"
        raise ModelError(RUNTIME_MISSING, message) from error
    try:
        return WhisperModel(
            str(folder),
            device="cpu",
            compute_type=COMPUTE,
            cpu_threads=threads,
            local_files_only=True,
        )
    except Exception as error:  # CTranslate2 and tokenizers raise what they like
        message = f"{folder} holds no Whisper model that can be run: {error}"
        raise ModelError(UNREADABLE, message) from error


def _part(found: Any) -> Part:
    return Part(
        start_s=float(found.start),
        end_s=float(found.end),
        text=str(found.text).strip(),
        confidence=min(exp(found.avg_logprob), 1.0),
        words=tuple(
            TranscriptWord(
                start_s=float(word.start),
                end_s=float(word.end),
                text=str(word.word).strip(),
                confidence=float(word.probability),
            )
            for word in found.words or ()
        ),
    )
