"""FLAC read by harken's own loops: the samples that were written, and FFmpeg's whatever is broken."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.frame import AudioFrame

from harken.audio import Feature, analyze
from harken.audio.decode import Recording
from tests.audio.two_ways import Ways, found, found_by_ffmpeg, samples_of
from tests.data.flac_frames import (
    FIXED,
    LEFT_SIDE,
    MIDDLE_SIDE,
    SIDE_RIGHT,
    constant,
    flac,
    frame,
    plain,
    predicted,
)

RATE: Final = 44_100
Samples = npt.NDArray[np.int64]


def music(channels: int, width: int, *, count: int, seed: int) -> Samples:
    """Tones with noise, (channels, count), the second channel much like the first; at the end full scale."""
    rng = np.random.default_rng(seed)
    time = np.arange(count) / RATE
    full = (1 << (width - 1)) - 1
    first = 0.4 * np.sin(2 * np.pi * 440 * time) + 0.2 * np.sin(2 * np.pi * 3_000 * time)
    lines = [first + 0.02 * rng.standard_normal(count) for _ in range(channels)]
    lines[-1] *= 0.8
    made = np.round(full * np.clip(lines, -1, 1)).astype(np.int64)
    made[:, -1_000:] = rng.choice([-full - 1, full], (channels, 1_000))
    return made


def encoded(path: Path, samples: Samples, width: int, options: dict[str, str]) -> None:
    """By FFmpeg's encoder."""
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    with av.open(path, "w", format="flac") as container:
        stream = container.add_stream("flac", RATE, layout=layout, options=options)
        stream.format = "s16" if width == 16 else "s32"
        packed: Any = samples.T.astype(np.int16) if width == 16 else samples.T.astype(np.int32) << 8
        sound = AudioFrame.from_ndarray(
            packed.reshape(1, -1), "s16" if width == 16 else "s32", layout
        )
        sound.sample_rate = RATE
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))


OPTIONS: Final = (
    {},
    {"compression_level": "0"},
    {"compression_level": "12"},
    {"lpc_type": "none"},
    *({"lpc_type": "fixed", "max_prediction_order": str(order)} for order in (1, 2, 3, 4)),
    *(
        {
            "lpc_type": "cholesky",
            "min_prediction_order": str(order),
            "max_prediction_order": str(order),
        }
        for order in (1, 8, 9, 12, 13, 31, 32)
    ),
    *({"lpc_coeff_precision": str(bits)} for bits in (5, 15)),
    *({"ch_mode": mode} for mode in ("indep", "left_side", "right_side", "mid_side")),
    *({"frame_size": str(size)} for size in (16, 192, 255, 4_608, 65_535)),
    {"max_partition_order": "8", "min_partition_order": "6", "exact_rice_parameters": "1"},
)


@pytest.mark.parametrize("width", [16, 24])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda options: " ".join(map("=".join, options.items()))
)
def test_what_an_encoder_writes_is_read_as_it_was(
    tmp_path: Path, ways: Ways, width: int, channels: int, options: dict[str, str]
) -> None:
    path = tmp_path / "sound.flac"
    written = music(channels, width, count=20_000, seed=7)
    encoded(path, written, width, options)
    assert np.array_equal(samples_of(path), (written / (1 << (width - 1))).astype(np.float32))
    assert ways.own_samples == written.shape[1]
    assert not ways.by_ffmpeg
    assert found(path) == found_by_ffmpeg(path)


@pytest.mark.parametrize("width", [8, 12, 16, 20, 24])
def test_every_form_of_a_channel_is_read(tmp_path: Path, ways: Ways, width: int) -> None:
    """Frames by hand, also those that encoders seldom make: parts in plain numbers, long runs of zeros, unused bits."""
    path, rng = tmp_path / "sound.flac", random.Random(width)
    frames, lines = [], []
    for number in range(120):
        samples, bits, assignment = a_frame(rng, width)
        frames.append(frame(number, samples.shape[1], bits, width=width, assignment=assignment))
        lines.append(samples)
    written = np.concatenate(lines, axis=1)
    path.write_bytes(flac(frames, rate=RATE, samples=written.shape[1], channels=2, width=width))
    assert np.array_equal(samples_of(path), (written / (1 << (width - 1))).astype(np.float32))
    assert (ways.own_samples, ways.by_ffmpeg) == (written.shape[1], False)


def a_frame(rng: random.Random, width: int) -> tuple[Samples, list[str], int]:
    """Left and right, (2, n), and how they are written: the bits of each channel, and the assignment."""
    count = rng.choice((16, 64, 96, 192))
    full = 1 << (width - 1)
    peak = rng.choice((1, 20, full // 50, full - 1))
    left = [rng.randint(-peak - 1, peak) for _ in range(count)]
    right = [max(min(value + rng.randint(-3, 3), full - 1), -full) for value in left]
    if rng.random() < 0.1:
        left, right = [peak] * count, [-peak] * count
    both = np.array([left, right])
    assignment = rng.choice((1, LEFT_SIDE, SIDE_RIGHT, MIDDLE_SIDE))
    side = both[0] - both[1]
    stored, widths = {
        1: ((both[0], both[1]), (width, width)),
        LEFT_SIDE: ((both[0], side), (width, width + 1)),
        SIDE_RIGHT: ((side, both[1]), (width + 1, width)),
        MIDDLE_SIDE: (((both[0] + both[1]) >> 1, side), (width, width + 1)),
    }[assignment]
    bits = [
        a_channel(rng, [int(value) for value in line], line_width)
        for line, line_width in zip(stored, widths, strict=True)
    ]
    return both, bits, assignment


def a_channel(rng: random.Random, samples: list[int], width: int) -> str:
    """The bits of one, in one of the forms that can hold it."""
    if len(set(samples)) == 1 and rng.random() < 0.8:
        return constant(samples[0], width=width)
    alike = min((value & -value).bit_length() - 1 if value else width for value in samples)
    unused = rng.randint(0, min(alike, width - 1))
    if rng.random() < 0.15:
        return plain(samples, width=width, unused=unused)
    splits = rng.choice([split for split in (1, 2, 4, 8) if len(samples) // split >= 16])
    linear = None
    order = rng.randint(0, len(FIXED) - 1)
    if rng.random() < 0.6:
        order, precision = rng.randint(1, min(32, len(samples) // splits)), rng.randint(2, 15)
        most = (1 << (precision - 1)) - 1
        weights = [rng.randint(-most - 1, most) for _ in range(order)]
        linear = (weights, precision, rng.randint(max(precision - 2, 0), 15))
    # Parameters so large that no code is longer than a few thousand bits.
    low = max(width + 4 - 10, 0)
    method = int(low > 14 or rng.random() < 0.3)
    parts = [
        None if rng.random() < 0.2 else rng.randint(low, max(low, 30 if method else 14))
        for _ in range(splits)
    ]
    return predicted(
        samples, width=width, order=order, parts=parts, linear=linear, unused=unused, method=method
    )


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A few bytes behind the stream's facts changed, lost or doubled."""
    broken = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(60, len(broken))
        kind = rng.random()
        if kind < 0.7:
            broken[at] = rng.randrange(256)
        elif kind < 0.85:
            del broken[at : at + rng.randint(1, 300)]
        else:
            broken[at:at] = broken[at : at + rng.randint(1, 300)]
    return bytes(broken)


@pytest.mark.parametrize("width", [16, 24])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_damaged_file_gives_what_ffmpeg_makes_of_it(
    tmp_path: Path, ways: Ways, width: int, channels: int
) -> None:
    path, rng = tmp_path / "sound.flac", random.Random(width + channels)
    encoded(path, music(channels, width, count=30_000, seed=3), width, {"frame_size": "1024"})
    data = path.read_bytes()
    for number in range(60):
        path.write_bytes(damaged(data, rng))
        assert found(path) == found_by_ffmpeg(path), number
    assert ways.own_samples > 60 * 1024
    assert ways.by_ffmpeg


def test_damage_at_the_end_of_a_long_file_leaves_it_cancellable(tmp_path: Path) -> None:
    """FFmpeg reads all of it again, of which nothing new comes for a while."""
    path = tmp_path / "sound.flac"
    waits: list[float] = []
    encoded(path, music(1, 16, count=40 * RATE, seed=2), 16, {})
    data = bytearray(path.read_bytes())
    data[-1_000] ^= 0xFF
    path.write_bytes(data)
    with Recording(str(path)) as recording:
        for _ in recording.blocks(on_wait=lambda: waits.append(recording.decoded_s)):
            pass
    assert len(waits) >= 15
    assert min(waits) > 39

    told: list[str] = []
    analyze(path, [Feature.LOUDNESS], on_progress=lambda *report: told.append(report[2]))
    assert told.count("40 of 40 s") >= 15


def test_tags_behind_the_last_frame_are_no_damage(tmp_path: Path, ways: Ways) -> None:
    path = tmp_path / "sound.flac"
    encoded(path, music(2, 16, count=5_000, seed=1), 16, {})
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    assert samples_of(path).shape == (2, 5_000)
    assert not ways.by_ffmpeg


def test_a_piece_of_another_file_keeps_its_time_stamps(tmp_path: Path, ways: Ways) -> None:
    """Frames that do not count from 0: FFmpeg knows what that means."""
    path = tmp_path / "sound.flac"
    frames = [frame(7 + at, 4_096, [constant(3, width=16)], width=16) for at in range(3)]
    path.write_bytes(flac(frames, rate=RATE, samples=0, channels=1, width=16))
    assert found(path) == found_by_ffmpeg(path)
    assert ways.by_ffmpeg


def others(folder: Path) -> Iterator[Path]:
    """FLAC that is not plain: more than two channels, wider samples, or in another container."""
    samples = music(2, 16, count=5_000, seed=1)
    path = folder / "sound.flac"
    encoded(path, samples, 16, {})
    with av.open(folder / "sound.mka", "w") as copy, av.open(path) as original:
        stream = copy.add_stream_from_template(original.streams.audio[0])
        for packet in original.demux(audio=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    yield folder / "sound.mka"
    silent = [frame(0, 4_000, [constant(0, width=16)] * 6, width=16)]
    path.write_bytes(flac(silent, rate=RATE, samples=4_000, channels=6, width=16))
    yield path


def test_what_is_not_plain_is_left_to_ffmpeg(tmp_path: Path, ways: Ways) -> None:
    for path in others(tmp_path):
        assert samples_of(path).shape[1] >= 4_000
    assert ways.own_samples == 0
    assert ways.by_ffmpeg
