"""What a worker does before its first job: load every library, table and compiled loop."""

import struct
import tempfile
from typing import BinaryIO, Final, cast

import numpy as np

from harken.audio.blocks import Doubles
from harken.audio.decode import Recording
from harken.audio.engine import run
from harken.audio.features import Feature
from harken.audio.pictures.result import PictureKind
from harken.audio.pictures.sketch import Sketcher
from harken.audio.registry import ANALYSES
from harken.audio.separation.splitter import SEPARATIONS, StemSplitter
from harken.audio.writing.form import FLAC, WAV, Form
from harken.audio.writing.sound_file import SoundFile

_RATE: Final = 8_000  # differs from the engine's own, so that the resampler is made as well
_SECONDS: Final = 20  # long enough for the tempo to be looked at for changes
_BEAT_S: Final = 0.5
_CHORD_HZ: Final = (220.0, 277.2, 329.6)


def prepare() -> None:
    """Analyse twenty seconds of a beating chord, all features; about a second in a fresh process.

    The first time on a machine the loops are compiled, which takes half a minute.
    """
    time = np.arange(_SECONDS * _RATE) / _RATE
    fading = np.exp(-8.0 * (time % _BEAT_S))
    tone = sum(np.sin(2 * np.pi * hertz * time) for hertz in _CHORD_HZ) * fading
    stereo = np.stack([tone, 0.5 * tone], axis=1) * 8_000
    sound = stereo.astype("<i2").tobytes()
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16, 1, 2, _RATE, 4 * _RATE, 4, 16),
        *(b"data", len(sound)),
    )
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(header + sound)
        file.flush()
        splitter = StemSplitter(SEPARATIONS, lambda _: None)
        listeners = {Feature.STEMS: splitter, Feature.PICTURES: Sketcher(tuple(PictureKind))}
        try:
            run(file.name, tuple(ANALYSES), None, listeners=listeners)
        finally:
            splitter.close_files()
    for form in (Form(format=WAV, bits=24), Form(format=FLAC, bits=16)):
        _decode(stereo, form)


def _decode(stereo: Doubles, form: Form) -> None:
    """The ways of decoding that 16 bits in a WAV file do not take."""
    with tempfile.NamedTemporaryFile(suffix=f".{form.format}") as file:
        written = SoundFile(cast("BinaryIO", file), form, _RATE, ("FL", "FR"))
        written.write(stereo.T)
        written.close()
        with Recording(file.name) as recording:
            for _ in recording.blocks():
                pass
