"""What is rendered is measured again by the engine, and read again by another library."""

import numpy as np
import pytest
import soundfile

from harken.audio import Feature, analyze
from harken.audio.decode import Recording
from harken.audio.rendering.edges import EdgeFinder
from harken.audio.rendering.gain import Levels
from harken.audio.rendering.render import Wanted, render
from harken.audio.writing.form import Form
from tests.audio.signals import noise, sine

FORMS = [Form(), Form(bits=16), *(Form(format="wav", bits=bits) for bits in (16, 24, 32))]


def write(path, samples, rate=44_100, subtype="PCM_16"):
    soundfile.write(path, np.asarray(samples).T, rate, subtype=subtype)
    return path


def rendered(source, target, *, form, trim=None, mono=False, **wanted):
    """The report, the engine's measure of the file, and its samples."""
    edges = EdgeFinder(-60.0 if trim is None else trim, mono=mono)
    heard = analyze(source, [Feature.LOUDNESS], listeners={Feature.PREPARE: edges}).loudness
    levels = Levels(
        integrated_lufs=heard.integrated_lufs,
        true_peak_dbtp=heard.true_peak_dbtp,
        sample_peak_dbfs=heard.sample_peak_dbfs,
    )
    if trim is not None:
        wanted |= {"start": edges.start, "end": edges.end}
    shares = []
    with target.open("w+b") as file:
        report = render(
            lambda: Recording(str(source)),
            file,
            Wanted(form=form, mono=mono, **wanted),
            levels,
            lambda number, share: shares.append((number, share)),
        )
    assert shares == sorted(shares)
    found = analyze(target, [Feature.LOUDNESS, Feature.MEDIA])
    return report, found, soundfile.read(target, always_2d=True)[0].T


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.format}{form.bits}")
def test_a_conversion_alone_changes_no_sample(tmp_path, form):
    source = write(tmp_path / "source.wav", noise(1.0).reshape(2, -1))
    report, found, samples = rendered(source, tmp_path / f"out.{form.format}", form=form)
    assert np.array_equal(samples, soundfile.read(source, always_2d=True)[0].T)
    assert (report.gain.db, report.channels, report.sample_rate) == (0.0, 2, 44_100)
    assert found.media.duration_s == report.samples / 44_100 == 0.5


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.format}{form.bits}")
def test_loudness_rate_and_channels_are_what_was_asked_for(tmp_path, form):
    """Silence is cut off and channels are mixed, so that the recording's own loudness tells little."""
    sound = np.stack([noise(3.0, dbfs=-35), sine(440, 3.0, dbfs=-20)])
    source = write(tmp_path / "source.wav", np.pad(sound, ((0, 0), (44_100, 22_050))))
    report, found, _ = rendered(
        *(source, tmp_path / f"out.{form.format}"),
        form=form,
        trim=-60.0,
        mono=True,
        sample_rate=48_000,
        loudness_lufs=-16.0,
        ceiling_dbtp=-1.0,
    )
    assert found.loudness.integrated_lufs == pytest.approx(-16.0, abs=0.1)
    assert found.loudness.integrated_lufs == pytest.approx(report.levels.integrated_lufs, abs=0.01)
    assert (found.media.sample_rate_hz, found.media.channels) == (48_000, 1)
    # 50 ms are kept on either side.
    assert found.media.duration_s == pytest.approx(3.1, abs=1e-3)
    assert report.gain.held is False


def test_the_ceiling_holds_the_gain_and_the_true_peak_stays_below_it(tmp_path):
    clicks = np.zeros((1, 88_200))
    clicks[0, ::4_410] = 0.5
    source = write(tmp_path / "source.wav", clicks + 0.01 * noise(2.0))
    report, found, _ = rendered(
        *(source, tmp_path / "out.flac"), form=Form(), loudness_lufs=-5.0, ceiling_dbtp=-2.0
    )
    assert report.gain.held is True
    assert found.loudness.true_peak_dbtp == pytest.approx(-2.0, abs=0.01)
    assert found.loudness.integrated_lufs < -5.5


def test_what_is_beyond_full_scale_is_lowered_rather_than_clipped(tmp_path):
    source = write(tmp_path / "source.wav", 1.5 * sine(200, 1.0, dbfs=0.0)[None], subtype="FLOAT")
    report, _, samples = rendered(source, tmp_path / "out.flac", form=Form())
    assert report.gain.db == pytest.approx(-20 * np.log10(1.5), abs=0.01)
    assert np.abs(samples - sine(200, 1.0, dbfs=0.0)).max() < 1e-3
    _, _, kept = rendered(source, tmp_path / "out.wav", form=Form(format="wav", bits=32))
    assert np.abs(kept).max() == pytest.approx(1.5, abs=1e-3)


@pytest.mark.parametrize("seconds", [0.2, 0.01])
def test_what_is_too_short_for_a_loudness_keeps_its_level(tmp_path, seconds):
    source = write(tmp_path / "source.wav", sine(440, seconds)[None])
    report, _, _ = rendered(source, tmp_path / "out.flac", form=Form(), loudness_lufs=-14.0)
    assert (report.gain.db, report.levels.integrated_lufs) == (0.0, None)


def test_of_silence_nothing_is_trimmed(tmp_path):
    source = write(tmp_path / "source.wav", np.zeros((1, 1_000)))
    report, _, samples = rendered(
        source, tmp_path / "out.flac", form=Form(bits=16), trim=-60.0, loudness_lufs=-14.0
    )
    assert report.samples == 1_000
    assert not samples.any()


def test_sixteen_bits_are_dithered(tmp_path):
    """A tone below half a step is still there, in noise, and its harmonics are not."""
    source = write(tmp_path / "source.wav", sine(1_000, 4.0, dbfs=-98)[None], subtype="FLOAT")
    _, _, samples = rendered(source, tmp_path / "out.wav", form=Form(format="wav", bits=16))
    spectrum = np.abs(np.fft.rfft(samples[0])) / samples.shape[1] * 2
    assert 20 * np.log10(spectrum[4_000]) == pytest.approx(-98, abs=1.5)
    assert spectrum[12_000] < spectrum[4_000] / 10


@pytest.mark.parametrize("rate", [8_000, 11_025, 96_000])
def test_resampling_keeps_time_and_tone(tmp_path, rate):
    source = write(tmp_path / "source.wav", sine(1_000, 1.0)[None], subtype="PCM_24")
    report, _, samples = rendered(source, tmp_path / "out.flac", form=Form(), sample_rate=rate)
    assert report.samples == rate
    inside = slice(rate // 10, -rate // 10)
    assert np.abs(samples[0] - sine(1_000, 1.0, rate=rate))[inside].max() < 1e-4
