"""CPU time of the rhythm stage alone: `python -m benchmarks.rhythm.cost`."""

import statistics
import time
from typing import cast

import librosa
import numpy as np

from harken.audio.analysis import Track
from harken.audio.blocks import SAMPLE_RATE, Floats, MelBlock
from harken.audio.decode import Recording
from harken.audio.rhythm import Pulse
from tests.audio.band.instruments import Samples
from tests.audio.band.performance import loop, ramp, song, step

ROUNDS = 15
BLOCK = 256  # frames


def main() -> None:
    """Print medians."""
    sounds: dict[str, Samples] = {
        "song, 180 s": np.tile(song(3, 60.0).samples, 3),
        "ramp, 180 s": ramp(3, seconds=180.0).samples,
        "step, 180 s": step(3, seconds=180.0).samples,
        "loop": loop(3).samples,
        "one-shot, 0.5 s": loop(3).samples[: SAMPLE_RATE // 2],
        "song, 1 h": np.tile(song(5, 60.0).samples, 60),
    }
    for name, samples in sounds.items():
        decibels, strength = prepared(samples)
        duration_s = samples.shape[0] / SAMPLE_RATE
        whole: list[float] = []
        gaps: list[float] = []
        for _ in range(ROUNDS):
            spent, longest = run(decibels, strength, duration_s)
            whole.append(spent)
            gaps.append(longest)
        print(
            f"{name:16} {decibels.shape[0]:7d} frames {1000 * statistics.median(whole):8.2f} ms,"
            f" longest without a report {1000 * statistics.median(gaps):6.1f} ms"
        )


def prepared(samples: Samples) -> tuple[Floats, Floats]:
    """Mel frames in decibels and the onset strength."""
    power = librosa.feature.melspectrogram(y=samples.astype(np.float32), sr=SAMPLE_RATE)
    decibels = np.ascontiguousarray(librosa.power_to_db(power).T.astype(np.float32))
    return decibels, librosa.onset.onset_strength(S=decibels.T, sr=SAMPLE_RATE).astype(np.float32)


def run(decibels: Floats, strength: Floats, duration_s: float) -> tuple[float, float]:
    """CPU seconds in all, and the longest time between two reports of the finish."""
    begun = time.process_time()
    pulse = Pulse()
    total = decibels.shape[0]
    for start in range(0, total, BLOCK):
        part = decibels[start : start + BLOCK]
        pulse.on_mel(MelBlock(decibels=part, start=start, total=total))
    last = time.process_time()
    longest = 0.0

    def done(_: float) -> None:
        nonlocal last, longest
        now = time.process_time()
        longest = max(longest, now - last)
        last = now

    nobody = cast("Recording", None)  # the rhythm asks the recording nothing
    pulse.conclude(Track(recording=nobody, duration_s=duration_s, envelope=strength, done=done))
    done(duration_s)
    return time.process_time() - begun, longest


if __name__ == "__main__":
    main()
