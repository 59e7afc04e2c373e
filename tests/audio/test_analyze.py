"""The engine as its callers see it."""

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.audio import IN_FILES, AnalysisResult, Feature, Media, Rhythm, Tonal, analyze, warm_up
from harken.audio.registry import READINGS
from tests.audio.signals import noise, sine, write

# Those in files need a job to keep them.
# Those in files need a job to keep them, others a film.
FEATURES = [f for f in Feature if f not in IN_FILES and f not in READINGS]
GROUPS = [feature.value for feature in FEATURES]
DEFAULT_GROUPS = [
    "media",
    "rhythm",
    "tonal",
    "spectral",
    "timbre",
    "loudness",
    "onsets",
    "embedding",
]


@pytest.mark.parametrize("feature", FEATURES)
def test_only_the_groups_asked_for_are_filled(piece_path: Path, feature: Feature) -> None:
    result = analyze(piece_path, [feature])
    filled = [name for name in GROUPS if getattr(result, name) is not None]
    assert filled == [feature.value]


def test_a_group_is_the_same_alone_and_together(piece_path: Path) -> None:
    together = analyze(piece_path, FEATURES).to_dict()
    assert list(together) == GROUPS
    for feature in FEATURES:
        assert analyze(str(piece_path), [feature]).to_dict() == {feature.value: together[feature]}


def test_the_default_features_are_the_first_eight(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(0.5))
    assert list(analyze(path).to_dict()) == DEFAULT_GROUPS


@pytest.mark.parametrize("feature", sorted(IN_FILES))
def test_a_feature_in_files_is_a_mistake_of_the_caller(piece_path: Path, feature: Feature) -> None:
    with pytest.raises(ValueError, match=f"result of {feature} is in files"):
        analyze(piece_path, [feature])


def test_an_unknown_feature_is_a_mistake_of_the_caller(piece_path: Path) -> None:
    with pytest.raises(ValueError, match="melody"):
        analyze(piece_path, ["melody"])


def test_asking_for_nothing_still_checks_the_file(piece_path: Path) -> None:
    assert analyze(piece_path, []) == AnalysisResult()


@pytest.mark.parametrize("rate", [1, 10, 1_000, 8_000, 192_000])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_any_rate_and_length_gives_a_clean_result(tmp_path: Path, rate: int, count: int) -> None:
    path = write(tmp_path / "a.wav", noise(count / rate, rate=rate), rate=rate, subtype="PCM_16")
    result = analyze(path)
    assert result.media is not None
    assert result.media.duration_s == pytest.approx(count / rate)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("silence", np.zeros(44_100)),
        ("constant", np.ones(44_100)),
        ("smallest float", np.full(44_100, 1e-40)),
        ("very loud", 1e11 * sine(440, 1.0)),
        ("square wave", np.sign(sine(100, 1.0))),
        ("impulse", np.eye(1, 44_100)[0]),
    ],
)
def test_extreme_signals_give_a_clean_result(
    tmp_path: Path, name: str, samples: np.ndarray
) -> None:
    json.dumps(analyze(write(tmp_path / "a.wav", samples, tile=2)).to_dict(), allow_nan=False)


def test_results_are_frozen(piece_path: Path) -> None:
    result = analyze(piece_path, ["media"])
    with pytest.raises(FrozenInstanceError):
        result.media = None  # type: ignore[misc]


@given(st.floats(), st.lists(st.floats(), max_size=5))
def test_what_is_unset_or_no_number_is_left_out(value: float, values: list[float]) -> None:
    result = AnalysisResult(
        media=Media(duration_s=value, tags={}),
        rhythm=Rhythm(tempo_bpm=None, beats_s=tuple(values), beat_count=0),
        tonal=Tonal(),
    )
    plain = result.to_dict()
    json.dumps(plain, allow_nan=False)
    assert plain["rhythm"]["beat_count"] == 0
    assert plain["tonal"] == {}
    assert ("duration_s" in plain["media"]) == bool(np.isfinite(value))
    assert ("beats_s" in plain["rhythm"]) == bool(values and np.isfinite(values).all())
    assert "spectral" not in plain


def test_importing_the_engine_loads_no_numeric_library() -> None:
    heavy = "{'numpy', 'scipy', 'av', 'soxr', 'librosa', 'numba'}"
    code = f"import sys, harken.audio; print(sorted({heavy} & set(sys.modules)))"
    assert run_python(code) == "[]"


def test_warming_up_loads_everything_an_analysis_needs(piece_path: Path) -> None:
    code = (
        "import sys, harken.audio; harken.audio.warm_up(); before = set(sys.modules);"
        f"harken.audio.analyze({str(piece_path)!r}); print(sorted(set(sys.modules) - before))"
    )
    assert run_python(code) == "[]"


def test_warming_up_twice_does_no_harm() -> None:
    warm_up()
    warm_up()


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()
