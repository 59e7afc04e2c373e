"""How much sound a file may turn out to hold."""

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest

from harken.audio import InputError, Limits, analyze
from harken.audio.limits import ALWAYS_S, LEAST_BYTES_A_SECOND
from tests.data.damaged import wav_bytes
from tests.data.flac_frames import silent_flac

HOUR_S = 3600


def refusal_of(path: Path, limits: Limits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        analyze(path, ["media"], limits=limits)
    return caught.value


def test_13_kb_that_decode_to_an_hour_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hour.flac"
    path.write_bytes(silent_flac(rate=15_000, samples=HOUR_S * 15_000))
    assert 12_000 < path.stat().st_size < 14_000
    error = refusal_of(path)
    assert error.reason == "INFLATED"
    assert "convert it to WAV" in error.message


def test_the_work_on_such_a_file_ends_at_the_bound(tmp_path: Path) -> None:
    """A day of sound in 20 kB is given up after an hour and a quarter."""
    path = tmp_path / "day.flac"
    path.write_bytes(silent_flac(rate=1_000, samples=24 * HOUR_S * 1_000, channels=1))
    heard: list[str] = []
    with pytest.raises(InputError, match="decode to more than"):
        analyze(path, ["media"], on_progress=lambda *tick: heard.append(tick[2]))
    bound_s = ALWAYS_S + path.stat().st_size / LEAST_BYTES_A_SECOND
    assert float(heard[-1].split()[0]) <= bound_s


def test_ten_minutes_may_be_in_any_file(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    path.write_bytes(wav_bytes(b"\x80" * 599, rate=1, bits=8))
    media = analyze(path, ["media"]).media
    assert media is not None
    assert media.duration_s == 599


SILENCES = {
    "FLAC": ("flac", "flac", 44_100, {}),
    "FLAC of a telephone": ("flac", "flac", 8_000, {}),
    "FLAC in the largest blocks of its subset": ("flac", "flac", 8_000, {"frame_size": "4608"}),
    "WavPack": ("wavpack", "wv", 44_100, {}),
    "WavPack of a telephone": ("wavpack", "wv", 8_000, {}),
    "AAC": ("aac", "ipod", 8_000, {}),
    "Opus": ("libopus", "ogg", 48_000, {"b": "6000"}),
    "Opus without transmission": (
        *("libopus", "ogg", 48_000),
        {"b": "500", "frame_duration": "120", "dtx": "1", "application": "voip"},
    ),
}


@pytest.mark.parametrize("kind", SILENCES)
def test_silence_as_encoders_write_it_is_no_fault(tmp_path: Path, kind: str) -> None:
    """Judged as if it went on for a day: a header and a first second weigh nothing then."""
    codec, container, rate, options = SILENCES[kind]
    minute = size_of_silence(codec, container, rate, options, seconds=60)
    three = size_of_silence(codec, container, rate, options, seconds=180)
    bytes_a_second = (three - minute) / 120
    day_s = 24 * HOUR_S
    Limits().check(day_s, round(bytes_a_second * day_s))


def size_of_silence(
    codec: str, container: str, rate: int, options: dict[str, str], *, seconds: int
) -> int:
    """Bytes of a file of silence."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, options=options)
        stream.layout = "mono"
        kind = stream.codec_context.format.name
        for start in range(0, rate * seconds, rate):
            frame = av.AudioFrame(format=kind, layout="mono", samples=rate)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.tell()


def test_the_longest_recording_is_the_operators_to_say(tmp_path: Path) -> None:
    path = tmp_path / "two-hours.wav"
    path.write_bytes(wav_bytes(bytes(2 * HOUR_S * 8), rate=8, bits=8))
    error = refusal_of(path, Limits(longest_s=1.5 * HOUR_S))
    assert error.reason == "TOO_LONG"
    assert "longer than 1.5 hours" in error.message
    media = analyze(path, ["media"], limits=Limits(longest_s=2.0 * HOUR_S)).media
    assert media is not None
    assert media.duration_s == 2 * HOUR_S


def test_the_ratio_may_be_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "hour.flac"
    path.write_bytes(silent_flac(rate=1_000, samples=HOUR_S * 1_000))
    media = analyze(path, ["media"], limits=Limits(least_bytes_a_second=0.1)).media
    assert media is not None
    assert media.duration_s == HOUR_S
