"""Onsets, beats and tempo of a piece whose beats are known."""

from pathlib import Path

import librosa
import numpy as np

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
from docs.pictures.engine.frames import SHOWN_S, Frames, shown
from harken.audio import Feature, analyze
from harken.audio.blocks import FRAME_RATE, SAMPLE_RATE


def draw_onsets(frames: Frames, path: Path, music: piece.Piece) -> None:
    """The envelope, its peaks, the beats found and composed."""
    figure, (axes,) = panels(2.8, 1)
    time, chosen = shown(frames)
    mel = librosa.feature.melspectrogram(y=frames.mono, sr=SAMPLE_RATE)
    other = librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=SAMPLE_RATE)
    axes.plot(
        time, frames.envelope[chosen], color=HARKEN, lw=1.4, label="onset strength (dB a frame)"
    )
    axes.plot(time, other[chosen], color=PEER, lw=1.0, ls=DASHES, label="librosa")
    result = analyze(path, [Feature.RHYTHM, Feature.ONSETS])
    assert result.onsets is not None
    assert result.rhythm is not None
    onsets = np.array(result.onsets.onsets_s)
    axes.plot(
        onsets,
        frames.envelope[np.rint(onsets * FRAME_RATE).astype(int)],
        "o",
        ms=4,
        color=THIRD,
        label="onset",
    )
    beats = np.array(result.rhythm.beats_s)
    top = float(frames.envelope[chosen].max())
    axes.vlines(
        music.beats_s, -0.26 * top, -0.16 * top, color="black", lw=2, label="beat, composed"
    )
    axes.vlines(beats, -0.14 * top, -0.04 * top, color=HARKEN, lw=2, label="beat, found")
    axes.set_xlim(*SHOWN_S)
    label(axes, "", "s", "")
    legend_above(axes, 5)
    nearest = np.abs(beats[:, None] - np.array(music.beats_s)).min(axis=1)
    print(
        f"beats: median {1000 * np.median(nearest):.0f} ms from the composed ones, at most {1000 * nearest.max():.0f}"
    )
    save(figure, "onsets")


def draw_tempo(path: Path, music: piece.Piece) -> None:
    """The candidates of the composed piece, and how far its beats are off."""
    rhythm = analyze(path, [Feature.RHYTHM]).rhythm
    assert rhythm is not None
    figure, (left, right_) = panels(2.4, 2)
    candidates = rhythm.tempo_candidates
    left.barh(range(len(candidates)), [one.confidence for one in candidates], color=HARKEN)
    left.set_yticks(range(len(candidates)), [f"{one.bpm:.2f}" for one in candidates])
    left.invert_yaxis()
    left.set_xlim(0, 1)
    label(left, f"tempo candidates; composed: {music.tempo_bpm:g}", "confidence", "beats/min")
    beats = np.array(rhythm.beats_s)
    away = beats - np.array(music.beats_s)[np.abs(beats[:, None] - music.beats_s).argmin(axis=1)]
    right_.axhspan(-70, 70, color=GREY, alpha=0.25, lw=0)
    right_.plot(beats, 1000 * away, "o", ms=3, color=HARKEN)
    right_.set_ylim(-100, 100)
    label(right_, "beats found less composed; grey: what counts as right", "s", "ms")
    print(f"tempo: {rhythm.tempo_bpm:.3f} found, {music.tempo_bpm:g} composed")
    save(figure, "tempo")
