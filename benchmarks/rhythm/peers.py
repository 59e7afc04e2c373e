"""What librosa and Essentia find in the corpus: `python -m benchmarks.rhythm.peers FOLDER [FILE ...]`.

Runs whichever of them is installed and writes peers-NAME.json beside the sounds. With files named
after the folder it judges those instead and prints what it finds.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def main(folder: Path, files: list[Path]) -> None:
    """Run the peers over the held-out half, or over the files."""
    rows = json.loads((folder / "truth.json").read_text())
    paths = files or [folder / row["path"] for row in rows if row["seed"] % 2]
    for name, find in installed().items():
        found = {path.name: find(path) for path in paths}
        if files:
            for path in paths:
                print(f"{name:14} {path.name:40} {found[path.name]['bpm']:7.2f}")
        else:
            (folder / f"peers-{name}.json").write_text(json.dumps(found))


def installed() -> dict[str, Any]:
    """The peers that can be imported here."""
    found: dict[str, Any] = {}
    if importlib.util.find_spec("librosa"):
        found["librosa"] = by_librosa
    if importlib.util.find_spec("essentia"):
        found["multifeature"] = lambda path: by_essentia(path, "multifeature")
        found["degara"] = lambda path: by_essentia(path, "degara")
    return found


def by_librosa(path: Path) -> dict[str, Any]:
    """`librosa.beat.beat_track` with its defaults."""
    import librosa

    samples, rate = librosa.load(path, sr=22_050)
    bpm, beats = librosa.beat.beat_track(y=samples, sr=rate, units="time")
    return {"bpm": float(np.atleast_1d(bpm)[0]), "beats": np.asarray(beats).tolist()}


def by_essentia(path: Path, method: str) -> dict[str, Any]:
    """`RhythmExtractor2013` at its own 44.1 kHz."""
    # No dependency of harken's: it is measured where somebody has it.
    essentia: Any = importlib.import_module("essentia")
    es: Any = importlib.import_module("essentia.standard")

    essentia.log.warningActive = False
    rate = soundfile.info(path).samplerate
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate != 44_100:
        mono = es.Resample(inputSampleRate=rate, outputSampleRate=44_100, quality=1)(mono)
    bpm, beats, *_ = es.RhythmExtractor2013(method=method)(mono)
    return {"bpm": float(bpm), "beats": beats.tolist()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
