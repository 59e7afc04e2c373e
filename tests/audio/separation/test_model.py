"""A model is an ONNX file: loaded, checked, and run over segments that fade into each other."""

import numpy as np
import pytest
from onnx import TensorProto

from harken.audio.separation.model import load_model
from harken.audio.separation.model_file import ModelError
from harken.audio.separation.model_separator import ModelSeparator
from harken.audio.separation.segments import SegmentStream
from tests.audio.separation.streams import separated
from tests.audio.separation.tiny_model import SAID, write_hybrid, write_model
from tests.audio.signals import chord, noise, sine


def model(path, said=SAID, **given):
    return load_model(str(write_model(path / "model.onnx", said=said, **given)), 1)


def split_by(loaded, samples, rate):
    separator = ModelSeparator(loaded.facts, loaded.split, rate, samples.shape[0])
    assert separator.names == (*loaded.facts.stems, "residual")
    return separated(separator, samples.astype(np.float32), blocks=(30_000, 17))


@pytest.mark.parametrize("count", [1, 5_000, 8_820, 60_000])
def test_at_its_own_rate_a_models_stems_are_exact_and_the_rest_is_the_residual(tmp_path, count):
    samples = noise(3.0).reshape(2, -1)[:, :count].astype(np.float32)
    whole, stems = split_by(model(tmp_path), samples, 44_100)
    assert np.array_equal(whole, samples)
    for stem, gain in zip(stems, (0.25, 0.5, 0.25), strict=True):
        assert np.abs(stem - gain * samples).max() < 1e-6


@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_at_other_rates_and_channels_it_is_brought_there_and_back(tmp_path, rate, channels):
    tone = sine(440, 2.0, rate=rate)
    samples = np.stack([tone * (place + 1) / 3 for place in range(channels)])
    whole, stems = split_by(model(tmp_path), samples, rate)
    inside = slice(rate // 10, -rate // 10)
    assert stems.shape == (3, *samples.shape)
    assert np.abs(stems[0] - 0.25 * whole)[:, inside].max() < 1e-4
    assert np.abs(stems[2] - 0.25 * whole)[:, inside].max() < 1e-4


def test_segments_fade_into_each_other_without_a_seam():
    """What makes every segment another level leaves no step behind."""
    calls = []

    def uneven(segment):
        calls.append(segment.shape)
        return segment * (1.0 if len(calls) % 2 else 0.5)

    stream = SegmentStream(1_000, uneven, 1, 1)
    ones = np.ones((1, 10_400), dtype=np.float32)
    given = np.concatenate([stream.push(ones), stream.finish()], axis=1)
    assert given.shape == ones.shape
    assert np.abs(np.diff(given[0])).max() < 0.5 / 240
    assert set(calls) == {(1, 1_000)}


def test_metadata_of_the_file_do_as_well_as_a_file_beside_it_which_goes_first(tmp_path):
    metadata = {"stems": "left, right", "sample_rate": "22050"}
    facts = model(tmp_path, None, metadata=metadata).facts
    assert (facts.stems, facts.sample_rate, facts.name) == (("left", "right"), 22_050, "model")
    facts = model(tmp_path, {"sample_rate": 16_000}, metadata=metadata).facts
    assert facts.sample_rate == 16_000


def test_open_dimensions_are_filled_by_the_description(tmp_path):
    said = {**SAID, "channels": 1, "segment_s": 0.5}
    facts = model(tmp_path, said, channels="c", segment="n").facts
    assert (facts.channels, facts.segment) == (1, 22_050)


def test_a_model_is_loaded_once_until_its_file_changes(tmp_path):
    first = model(tmp_path)
    assert load_model(str(tmp_path / "model.onnx"), 1) is first
    assert model(tmp_path, {**SAID, "name": "gains 2"}) is not first


@pytest.mark.parametrize(
    ("said", "given", "words"),
    [
        (None, {}, '"stems" has to name its stems'),
        ({**SAID, "stems": ["one"]}, {}, "it gives 2 stems"),
        ({**SAID, "stems": ["one", "../two"]}, {}, "made of a to z"),
        ({**SAID, "stems": ["one", "one"]}, {}, "differ"),
        ({**SAID, "stems": ["one", "residual"]}, {}, "residual is a name of other stems"),
        ({"stems": SAID["stems"]}, {}, '"sample_rate" has to be between'),
        ({**SAID, "sample_rate": "fast"}, {}, '"sample_rate" has to be between'),
        (SAID, {"channels": 6}, "one or two channels"),
        (SAID, {"segment": 100}, "no segment of 0.1 to 60 s; found mix float \\[1, 2, 100\\]"),
        ({**SAID, "normalise": "often"}, {}, '"normalise" has to be true or false'),
    ],
)
def test_a_model_that_does_not_fit_is_refused_with_the_rule(tmp_path, said, given, words):
    with pytest.raises(ModelError, match=words) as refused:
        model(tmp_path, said, **given)
    assert (refused.value.reason, refused.value.kind) == ("MODEL_MISFIT", "INTERNAL")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"frames": 43}, r"the spectrum of a segment is \[1, 4, 2048, 44\] here; found x float"),
        ({"channels": 3}, "one or two channels"),
        (
            {"takes_also": ["mask"]},
            r"the sound \[1, channels, samples\], and perhaps .* found input",
        ),
        ({"kind": TensorProto.DOUBLE}, r"inputs have to be float32.* found input double"),
    ],
)
def test_a_hybrid_of_other_shapes_is_refused_with_those_it_has_to_have(tmp_path, given, words):
    write_hybrid(tmp_path / "model.onnx", [0.5], **{"segment": 44_100, "frames": 44, **given})
    with pytest.raises(ModelError, match=words) as refused:
        load_model(str(tmp_path / "model.onnx"), 1)
    assert refused.value.reason == "MODEL_MISFIT"


def test_a_model_of_htdemucs_shapes_takes_mono_of_48_khz(tmp_path):
    """[1, 2, 343980] in, [1, 4, 2, 343980] out."""
    said = {**SAID, "stems": ["drums", "bass", "other", "vocals"]}
    loaded = model(tmp_path, said, gains=(0.1, 0.2, 0.3, 0.4), segment=343_980)
    tone = sine(330, 12.0, rate=48_000)[None]
    whole, stems = split_by(loaded, tone, 48_000)
    assert stems.shape == (5, *tone.shape)
    inside = slice(4_800, -4_800)
    for stem, gain in zip(stems, (0.1, 0.2, 0.3, 0.4, 0.0), strict=True):
        assert np.abs(stem - gain * whole)[:, inside].max() < 1e-4


def test_a_model_of_the_shapes_of_demucs_network_gets_the_spectrum_and_its_sound_is_added(tmp_path):
    gains = (0.1, 0.2, 0.3, 0.06)
    path = write_hybrid(tmp_path / "model.onnx", gains, segment=343_980, frames=336)
    loaded = load_model(str(path), 1)
    assert (loaded.facts.segment, loaded.facts.channels) == (343_980, 2)
    tones = chord((48, 55, 64), 5.0)
    whole, stems = split_by(loaded, np.stack([tones, 0.5 * tones]), 44_100)
    inside = slice(2_560, -2_560)
    for stem, gain in zip(stems, gains, strict=False):
        assert np.abs(stem - 1.5 * gain * whole)[:, inside].max() < 1e-3


def test_a_model_may_take_segments_with_a_mean_of_0_and_a_deviation_of_1(tmp_path):
    """As Demucs brings them there: by the mean of the channels, and back again."""
    loaded = model(tmp_path, {**SAID, "normalise": True}, root=3.0)
    samples = 0.01 + noise(0.2, dbfs=-40, rate=44_100, seed=4)[: 2 * 4_410].reshape(2, -1)
    segment = np.pad(samples, ((0, 0), (0, 4_410))).astype(np.float32)
    mono = segment.mean(axis=0)
    mean, deviation = mono.mean(), mono.std() + 1e-5
    cubes = 0.25 * ((segment - mean) / deviation) ** 3 * deviation + mean
    assert np.abs(loaded.split(segment)[0] - cubes).max() < 1e-4 * np.abs(cubes).max()
    assert not model(tmp_path, {**SAID, "normalise": "False"}).facts.normalise


def test_the_last_segment_reaches_back_over_what_was_heard(tmp_path):
    """Silence fills up what is shorter than a segment alone."""
    seen = []

    def looking(segment):
        seen.append(segment)
        return segment

    stream = SegmentStream(1_000, looking, 1, 1)
    ramp = np.arange(1, 2_001, dtype=np.float32)[None]
    given = np.concatenate(
        [stream.push(ramp[:, :1_200]), stream.push(ramp[:, 1_200:]), stream.finish()], axis=1
    )
    assert np.allclose(given, ramp)
    assert np.array_equal(seen[-1], ramp[:, -1_000:])
    short = SegmentStream(1_000, looking, 1, 1)
    assert np.array_equal(
        np.concatenate([short.push(ramp[:, :9]), short.finish()], axis=1), ramp[:, :9]
    )
    assert not seen[-1][:, 9:].any()


def test_what_stops_it_is_heard_before_each_segment(tmp_path):
    loaded, runs = model(tmp_path), []

    def stop_at_the_third():
        if len(runs) == 2:
            raise KeyboardInterrupt

    def split(samples):
        runs.append(samples.shape)
        return loaded.split(samples)

    separator = ModelSeparator(loaded.facts, split, 44_100, 6, before_segment=stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        separator.push(np.zeros((6, 60_000), dtype=np.float32))
    assert len(runs) == 2


def test_no_model_a_missing_one_and_what_is_none_are_told_apart(tmp_path):
    with pytest.raises(ModelError, match="HARKEN_STEMS_MODEL") as refused:
        load_model("", 1)
    assert refused.value.reason == "MODEL_NOT_CONFIGURED"
    with pytest.raises(ModelError, match="There is no file") as refused:
        load_model(str(tmp_path / "gone.onnx"), 1)
    assert refused.value.reason == "MODEL_UNREADABLE"
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="no ONNX model"):
        load_model(str(tmp_path / "text.onnx"), 1)
    write_model(tmp_path / "model.onnx").with_suffix(".json").write_text("[1]")
    with pytest.raises(ModelError, match="no JSON object"):
        load_model(str(tmp_path / "model.onnx"), 1)


def test_a_model_that_gives_no_numbers_is_an_error_not_a_stem(tmp_path):
    broken = model(tmp_path, root=0.5)  # the root of what is negative
    with pytest.raises(ModelError, match="no numbers"):
        split_by(broken, noise(1.0).reshape(2, -1), 44_100)
