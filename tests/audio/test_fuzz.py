"""Files made to break the engine, by seed. What once did has a test of its own below.

`benchmarks/fuzz.py` goes on for as long as one likes.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harken.audio import AnalysisResult, InputError, analyze, container, decode, ffmpeg_sound
from harken.audio.mono import MonoStream
from harken.audio.plain_wave import PlainWave
from tests.data.caf_files import BASS, CENTRE, LEFT, RIGHT, UNKNOWN, caf
from tests.data.flac_frames import silent_flac
from tests.data.sanity import insanities
from tests.data.wave_files import (
    FLOAT,
    by_encoder,
    chunk,
    coded,
    encoded,
    format_chunk,
    riff,
    tone,
    valid,
    wav,
)

REPOSITORY = Path(__file__).parent.parent.parent
CAMPAIGN = 60  # files: about 5 s
FEW_SAMPLES_MB = 150  # what a file of some kilobytes may add to the process


def test_a_short_campaign_of_absurd_files_breaks_nothing() -> None:
    """Of files made here alone, so that it runs everywhere; crashes and hangs are seen outside."""
    run_campaign("--recordings", os.devnull)


def test_a_short_campaign_of_damaged_recordings_breaks_nothing(samples: Path) -> None:
    run_campaign("--recordings", str(samples))


def run_campaign(*options: str) -> None:
    script = [sys.executable, "benchmarks/fuzz.py", "--seed", "1", "--files", str(CAMPAIGN)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*script, *options], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert f"{CAMPAIGN} files, 0 broke something" in done.stdout, done.stdout + done.stderr


def test_the_quick_ways_to_read_a_wav_read_the_same_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of WAV: without FFmpeg, with large packets and a small probe, and as FFmpeg does it by itself."""
    path = tmp_path / "valid.wav"
    plain: set[str] = set()
    for name, data in valid():
        path.write_bytes(data)
        quickest, source = decoded(path), source_of(path)
        if source is PlainWave:
            plain.add(name)
        with monkeypatch.context() as by_ffmpeg:
            by_ffmpeg.setattr(PlainWave, "of", lambda _: None)
            quick = decoded(path)
            by_ffmpeg.setattr(
                ffmpeg_sound,
                "open_container",
                lambda file: container._container(file, container._options()),
            )
            assert quickest == quick == decoded(path), name
    assert plain > {f"pcm {bits} bits {channels} ch" for bits in (16, 24) for channels in (1, 2)}
    assert plain > {"JUNK of 1 MB before fmt", "extensible 2 3", "16 bits of noise", "rate 192000"}


def source_of(path: Path) -> type[object] | None:
    """What reads a file; None for what cannot be read."""
    try:
        with decode.Recording(str(path)) as recording:
            return type(recording.source)
    except InputError:
        return None


def decoded(path: Path) -> tuple[object, ...]:
    """All that decoding says of a file, the samples as their hash; or the reason for none."""
    digest, shape = hashlib.sha256(), [0, 0]
    try:
        with decode.Recording(str(path)) as recording:
            for block in recording.blocks():
                digest.update(block.samples.T.tobytes())
                shape = [block.samples.shape[0], shape[1] + block.samples.shape[1]]
            source = recording.source
            facts = (source.codec, source.sample_format, source.formats, source.picture_starts_s)
            form = (recording.sample_rate, recording.channels, recording.share_done)
            more = (source.coded_bytes, source.coded_s, source.claimed_s)
            starts = (source.first_pts_s, source.non_finite_samples)
            tags = [dict(tags) for tags in source.tags if tags]
    except InputError as error:
        return (error.reason,)
    return (*shape, digest.hexdigest(), *facts, *form, *more, *starts, tags)


@pytest.mark.parametrize("block", [0, 1, 3, 5, 255, 4096, 65_535])
@pytest.mark.parametrize(("bits", "channels"), [(16, 2), (24, 1), (24, 2), (16, 6)])
def test_a_wrong_block_length_in_a_wav_costs_no_sample(
    block: int, bits: int, channels: int, tmp_path: Path
) -> None:
    """FFmpeg would lose some at the end of each packet and mix up the channels."""
    body = coded(tone(3.0, 48_000, channels), bits)
    right, wrong = tmp_path / "right.wav", tmp_path / "wrong.wav"
    for path, align in ((right, None), (wrong, block)):
        head = format_chunk(channels=channels, rate=48_000, bits=bits, align=align)
        path.write_bytes(riff(chunk(b"fmt ", head), chunk(b"data", body)))
    hashes = [decoded(path)[:3] for path in (right, wrong)]
    assert hashes[0] == hashes[1]


def test_a_coding_in_a_wav_is_not_cut_into_packets_of_64_kb(tmp_path: Path) -> None:
    """Flash's ADPCM is another sound then."""
    path = tmp_path / "coded.wav"
    path.write_bytes(by_encoder("adpcm_swf", 1))
    with decode.Recording(str(path)) as recording:
        assert next(recording.source._reader._packets()).size <= 4096


def test_streams_that_come_to_light_on_the_way_are_left_alone(tmp_path: Path) -> None:
    """An MPEG-TS whose packets bear ever new numbers in its last third; PyAV trips over them."""
    data = bytearray(by_encoder("aac", 1, container="mpegts", seconds=3.0))
    packets = range(2 * len(data) // 3 // 188 * 188, len(data) - 187, 188)
    for number, at in enumerate(packets):
        data[at + 2] = number & 0xFF
    path = tmp_path / "growing.ts"
    path.write_bytes(data)
    result = sound(path)
    assert result.media is not None
    assert result.media.duration_s == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("lead", [40_000, 65_536, 126_000])
def test_an_mp3_in_disguise_is_recognised_behind_silence(lead: int, tmp_path: Path) -> None:
    """A WAV of 16-bit "samples" that are an MP3, as on discs; it used to be taken for noise."""
    path = tmp_path / "disguised.wav"
    coding = bytes(lead) + b"".join(encoded("libmp3lame", 2, 3.0, 48_000))
    head = format_chunk(channels=2, rate=48_000)
    path.write_bytes(riff(chunk(b"fmt ", head), chunk(b"data", coding)))
    result = analyze(path, ["media"])
    assert result.media is not None
    assert result.media.codec == "mp3"
    assert result.media.duration_s == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("extension", [".wav", ".flac"])
def test_an_hour_in_a_few_bytes_takes_no_more_memory_than_a_minute(
    extension: str, tmp_path: Path
) -> None:
    """At 1 Hz a single packet may last for hours: 2.5 GB, once."""
    path = tmp_path / f"slow{extension}"
    count = 1000
    data = (
        wav(tone(count, 1), rate=1) if extension == ".wav" else silent_flac(rate=1, samples=count)
    )
    path.write_bytes(data)
    program = (
        "import sys; from harken.audio import Limits, analyze, warm_up; warm_up();"
        "high = lambda: next(int(line.split()[1]) for line in open('/proc/self/status')"
        " if 'VmHWM' in line) // 1024;"
        "before = high(); limits = Limits(least_bytes_a_second=0.01);"
        "result = analyze(sys.argv[1], ['media', 'spectral'], limits=limits);"
        "print(result.media.duration_s, high() - before)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "error", "-c", program, str(path)]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    duration, grown = shown.stdout.split()
    assert float(duration) == count
    assert int(grown) < FEW_SAMPLES_MB


@pytest.mark.parametrize(
    ("labels", "speakers"),
    [
        ((LEFT, RIGHT), ("FL", "FR")),
        ((RIGHT, LEFT), ("FR", "FL")),
        ((LEFT, LEFT), ("FL", "FL")),
        ((BASS, LEFT, RIGHT), ("LFE", "FL", "FR")),
        ((UNKNOWN, CENTRE, 400), ("UNK", "FC", "UNK")),
    ],
)
def test_speakers_in_an_order_of_their_own_do_not_end_the_process(
    labels: tuple[int, ...], speakers: tuple[str, ...], tmp_path: Path
) -> None:
    """PyAV freed the list of them twice: in a process of its own, which used to abort."""
    path = tmp_path / "odd.caf"
    path.write_bytes(caf(labels))
    program = (
        "import sys; from harken.audio.decode import Recording\n"
        "for _ in range(3):\n"
        "    with Recording(sys.argv[1]) as recording:\n"
        "        count = sum(block.samples.shape[1] for block in recording.blocks())\n"
        "        print(count, *recording.channels)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "error", "-c", program, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [" ".join(["22050", *speakers])] * 3


@pytest.mark.parametrize("rate", [1, 3, 7])
def test_the_rarest_samples_are_as_long_as_their_rate_says(rate: int) -> None:
    """Resampled from a few hertz: the length, the level and the sign stay."""
    stream = MonoStream(rate)
    square = np.repeat(np.float32([0.5, -0.5]), 20 * rate)
    pieces = [stream.push(part[None]) for part in np.array_split(square, 7)]
    signal = np.concatenate([*pieces, stream.finish()])
    assert signal.shape == (40 * 22_050,)
    middle = 22_050 * np.array([10, 30])
    assert signal[middle] == pytest.approx([0.5, -0.5], abs=0.02)


def test_a_signalling_nan_in_a_double_warns_no_one(tmp_path: Path) -> None:
    """Making it a float counts as an invalid operation on some processors."""
    samples = tone(0.5, 44_100)
    whole = bytearray(wav(samples, bits=64, tag=FLOAT))
    start = whole.index(b"data") + 8
    for at in range(100):
        bad = (0x7FF0000000000001 | (at % 2) << 63).to_bytes(8, "little")
        whole[start + 80 * at : start + 80 * at + 8] = bad
    path = tmp_path / "signalling.wav"
    path.write_bytes(whole)
    result = sound(path)
    assert result.media is not None
    assert result.media.non_finite_samples == 100


def sound(path: Path) -> AnalysisResult:
    """The whole result, once it has been looked through."""
    result = analyze(path)
    assert not insanities(result)
    return result
