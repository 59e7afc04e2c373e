"""Everything made of the spectrum, beside librosa's."""

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import pyplot

from demo import piece
from docs.pictures.engine.canvas import (
    DASHES,
    FOURTH,
    HARKEN,
    INCHES,
    PEER,
    THIRD,
    label,
    panels,
    save,
)
from docs.pictures.engine.frames import Frames, shown
from harken.audio.decode import Recording
from harken.audio.mel import BANDS
from tests.audio.reference import Reference

CODED: Final = ((".flac", HARKEN), (".mp3", PEER), (".m4a", THIRD), (".opus", FOURTH))
CODED_MS: Final = 30
APART: Final = 0.5  # between two curves, of full scale
CONTRAST_BAND: Final = 4  # 1.6 to 3.2 kHz


def draw_decoded(music: piece.Piece, folder: Path) -> None:
    """The first 30 ms out of four formats, below what was composed."""
    figure, (axes,) = panels(2.9, 1)
    count = CODED_MS * music.sample_rate // 1000
    time = 1000 * np.arange(count) / music.sample_rate
    composed = music.samples.mean(axis=1)[:count]
    axes.plot(time, composed, color="black", lw=1.2)
    names = ["composed"]
    for number, (extension, colour) in enumerate(CODED, start=1):
        path = folder / f"coded{extension}"
        piece.write(path, music)
        with Recording(str(path)) as recording:
            decoded = next(iter(recording.blocks())).samples.mean(axis=0)[:count]
        axes.plot(time, composed - APART * number, color="black", lw=2.5, alpha=0.25)
        axes.plot(time, decoded - APART * number, color=colour, lw=1.0)
        names.append(extension[1:])
    axes.set_yticks([-APART * number for number in range(len(names))], names)
    axes.set_xlim(-0.5, CODED_MS)
    label(axes, "", "ms", "")
    save(figure, "signal")


def draw_spectral(frames: Frames, theirs: Reference) -> None:
    """Six series on top of librosa's, and below each what is between them."""
    figure = pyplot.figure(figsize=(INCHES, 6.2), layout="constrained")
    grid = figure.add_gridspec(6, 2, height_ratios=(3, 1) * 3)
    titles = {
        "centroid": "centroid (Hz)", "bandwidth": "bandwidth (Hz)", "rolloff": "rolloff (Hz)",
        "flatness": "flatness", "contrast": "contrast, 1.6 to 3.2 kHz (dB)",
        "zero_crossing_rate": "zero crossings a sample",
    }  # fmt: skip
    time, chosen = shown(frames)
    for number, (name, title) in enumerate(titles.items()):
        row, column = 2 * (number // 2), number % 2
        ours, other = frames.series[name], getattr(theirs, name)
        if ours.ndim > 1:
            ours, other = ours[CONTRAST_BAND], other[CONTRAST_BAND]
        above, below = (
            figure.add_subplot(grid[row, column]),
            figure.add_subplot(grid[row + 1, column]),
        )
        above.plot(time, ours[chosen], color=HARKEN, lw=1.6, label="harken")
        above.plot(time, other[chosen], color=PEER, lw=1.1, ls=DASHES, label="librosa")
        above.set_title(title, loc="left", fontsize=9)
        above.tick_params(labelbottom=False)
        away = (ours - other)[chosen] / np.abs(other).mean()
        below.plot(time, 1e6 * away, color="black", lw=0.8)
        below.set_ylabel("diff.\n×10⁻⁶", fontsize=7)
        below.tick_params(labelsize=7)
        if number == 0:
            above.legend(
                ncols=2, frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1, 1.25)
            )
        print(f"{name}: largest difference of a frame {np.abs(away).max():.1e} of the mean")
    for axes in figure.axes[-1], figure.axes[-3]:
        axes.set_xlabel("s")
    save(figure, "spectral")


def draw_mel(frames: Frames, theirs: Reference) -> None:
    """The mel spectrum, and what its cosines come to."""
    figure, (left, right_, below) = panels(2.9, 3, widths=(1.3, 1, 1))
    time, chosen = shown(frames)
    left.imshow(
        frames.mel_db[:, chosen],
        origin="lower",
        aspect="auto",
        cmap="cividis",
        extent=(time[0], time[-1], 0, BANDS),
    )
    label(left, "mel spectrum (dB)", "s", "band")
    ours, other = frames.series["mfcc"].mean(axis=1), theirs.mfcc.mean(axis=1)
    numbers = np.arange(ours.shape[0])
    right_.bar(numbers[1:] - 0.2, ours[1:], 0.4, color=HARKEN, label="harken")
    right_.bar(numbers[1:] + 0.2, other[1:], 0.4, color=PEER, label="librosa")
    label(right_, "MFCC 1 to 19, mean", "coefficient", "")
    right_.legend(frameon=False, fontsize=8)
    away = 1e6 * (ours - other) / np.abs(other).max()
    below.bar(numbers, away, color="black")
    label(below, "difference × 10⁶, of the largest", "coefficient", "")
    print(
        f"MFCC: largest difference of a mean {np.abs(away).max():.2f}e-6 of the largest coefficient"
    )
    save(figure, "mfcc")


def draw_chroma(frames: Frames, theirs: Reference) -> None:
    """Two pictures that ought to be one, and the means."""
    figure, (left, middle, right_) = panels(2.7, 3)
    time, chosen = shown(frames)
    ours, other = frames.series["chroma"], theirs.chroma
    for axes, values, title in ((left, ours, "chroma, harken"), (middle, other, "chroma, librosa")):
        axes.imshow(
            values[:, chosen],
            origin="lower",
            aspect="auto",
            cmap="cividis",
            extent=(time[0], time[-1], -0.5, 11.5),
        )
        axes.set_yticks(range(12), piece.KEYS, fontsize=7)
        label(axes, title, "s", "")
    away = 1e6 * (ours.mean(axis=1) - other.mean(axis=1))
    right_.bar(range(12), away, color="black")
    right_.set_xticks(range(12), piece.KEYS, fontsize=7)
    label(right_, "difference of the means × 10⁶", "", "")
    print(f"chroma: largest difference of a mean {np.abs(away).max():.2f}e-6")
    save(figure, "chroma")
