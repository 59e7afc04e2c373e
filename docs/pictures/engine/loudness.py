"""Loudness over time beside pyloudnorm's, and the peak between samples."""

from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile

from demo import piece
from docs.pictures.engine.canvas import (
    DASHES,
    GREY,
    HARKEN,
    PEER,
    THIRD,
    label,
    legend_above,
    panels,
    save,
)
from harken.audio import Feature, analyze
from harken.audio.energies import EnergyMeter
from harken.audio.gating import MOMENTARY_STEPS, SHORT_TERM_STEPS, STEPS_A_SECOND, lufs
from harken.audio.k_weighting import channel_weights
from harken.audio.true_peak import interpolators
from tests.audio.signals import sine


def draw_loudness(folder: Path) -> None:
    """Music that is soft, loud and softer again: momentary, short-term and integrated."""
    music = piece.compose(duration_s=30.0)
    levels = np.repeat((-18.0, 0.0, -9.0), np.array((10, 12, 8)) * music.sample_rate)
    samples = music.samples * (10 ** (levels / 20))[:, None].astype(np.float32)
    path = folder / "loud.wav"
    soundfile.write(path, samples, music.sample_rate, subtype="FLOAT")
    found = analyze(path, [Feature.LOUDNESS]).loudness
    assert found is not None
    energies = EnergyMeter(music.sample_rate, channel_weights(("FL", "FR"))).add(
        np.ascontiguousarray(samples.T)
    )
    figure, (axes,) = panels(2.8, 1)
    for steps_, colour, name in (
        (MOMENTARY_STEPS, GREY, "momentary (0.4 s)"),
        (SHORT_TERM_STEPS, THIRD, "short-term (3 s)"),
    ):
        levels = lufs(np.convolve(energies, np.full(steps_, 1 / steps_), mode="valid"))
        axes.plot(
            (np.arange(levels.shape[0]) + steps_) / STEPS_A_SECOND,
            levels,
            color=colour,
            lw=1.3,
            label=name,
        )
    theirs = float(
        pyloudnorm.Meter(music.sample_rate).integrated_loudness(samples.astype(np.float64))
    )
    ours = found.integrated_lufs
    assert ours is not None
    axes.axhline(ours, color=HARKEN, lw=1.8, label=f"integrated, harken: −{-ours:.2f}")
    axes.axhline(
        theirs, color=PEER, lw=1.2, ls=DASHES, label=f"integrated, pyloudnorm: −{-theirs:.2f}"
    )
    label(axes, "", "s", "LUFS")
    legend_above(axes, 4)
    print(f"loudness: {ours:.3f} LUFS, pyloudnorm {theirs:.3f}, range {found.range_lu:.2f} LU")
    save(figure, "loudness")


def draw_true_peak() -> None:
    """A tone at a quarter of the sample rate whose samples all miss its peaks."""
    count, rate = 32, 48_000
    samples = sine(rate / 4, count / rate, dbfs=0.0, rate=rate, degrees=45.0)
    filters = interpolators(4)
    half = filters.shape[1] // 2
    between = np.stack([np.convolve(samples, one[::-1], mode="valid") for one in filters])
    at = np.arange(between.shape[1])[None] + half - 1 + np.arange(1, 4)[:, None] / 4
    figure, (axes,) = panels(2.4, 1)
    fine = np.linspace(8, 22, 800)
    axes.plot(
        fine, np.sin(2 * np.pi * fine / 4 + np.pi / 4), color=GREY, lw=1.2, label="the tone, 0 dBTP"
    )
    axes.plot(
        np.arange(count),
        samples,
        "o",
        color="black",
        ms=5,
        label=f"samples: {20 * np.log10(samples.max()):.2f} dBFS",
    )
    found = 20 * np.log10(np.abs(between).max())
    axes.plot(
        at.ravel(),
        between.ravel(),
        "x",
        color=HARKEN,
        ms=5,
        label=f"between them: {found:+.2f} dBTP",
    )
    axes.set_xlim(8, 22)
    label(axes, "", "sample", "")
    legend_above(axes, 3)
    print(
        f"true peak: {found:+.3f} dBTP between samples of {20 * np.log10(samples.max()):.2f} dBFS"
    )
    save(figure, "true-peak")
