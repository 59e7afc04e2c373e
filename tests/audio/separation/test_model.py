"""A model is an ONNX file: loaded, checked, and run over segments that fade into each other."""

import numpy as np
import pytest

from harken.audio.separation.model import ModelSeparator, SegmentStream, load_model
from harken.audio.separation.model_file import ModelError
from tests.audio.separation.streams import separated
from tests.audio.separation.tiny_model import SAID, write_model
from tests.audio.signals import noise, sine


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
        (SAID, {"segment": 100}, "no segment of 0.1 to 60 s"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_with_the_rule(tmp_path, said, given, words):
    with pytest.raises(ModelError, match=words) as refused:
        model(tmp_path, said, **given)
    assert (refused.value.reason, refused.value.kind) == ("MODEL_MISFIT", "INTERNAL")


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
