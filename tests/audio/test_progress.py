"""What a caller hears while a recording is analysed, and how it stops the analysis."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.audio import IN_FILES, Feature, analyze
from harken.audio.progress import STAGES, Progress
from harken.audio.registry import READINGS
from tests.audio.signals import noise, write
from tests.data.damaged import hour_in_13_kb


def heard(path: Path, features: list[Feature] | None = None) -> list[tuple[str, float, str]]:
    calls: list[tuple[str, float, str]] = []
    analyze(path, features, on_progress=lambda *call: calls.append(call))
    return calls


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        tmp_path_factory.mktemp("progress") / "a.wav", noise(60.0, rate=22_050), rate=22_050
    )


def test_progress_rises_from_0_to_1_through_the_stages(minute: Path) -> None:
    calls = heard(minute)
    fractions = [fraction for _, fraction, _ in calls]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    stages = list(dict.fromkeys(stage for stage, _, _ in calls))
    assert stages == list(STAGES)


def test_decoding_reports_the_seconds_it_has_done(minute: Path) -> None:
    calls = [call for call in heard(minute) if call[0] == "decode"]
    seconds = [int(message.split()[0]) for _, _, message in calls]
    assert all(message.endswith(" of 60 s") for _, _, message in calls)
    assert max(np.diff(seconds)) <= 5
    fractions = np.array([fraction for _, fraction, _ in calls])
    # The same seconds bring the same progress: it is audio that is counted, not time.
    assert fractions == pytest.approx(fractions[-1] * np.array(seconds) / 60, abs=0.02)


@pytest.mark.parametrize("feature", [f for f in Feature if f not in IN_FILES and f not in READINGS])
def test_every_feature_alone_reaches_the_end(minute: Path, feature: Feature) -> None:
    calls = heard(minute, [feature])
    assert calls[-1][1] == 1.0
    assert {stage for stage, _, _ in calls} <= set(STAGES)


def test_a_header_that_lies_does_not_make_progress_stand_still(tmp_path: Path) -> None:
    calls = heard(hour_in_13_kb(tmp_path))
    assert calls[-1][1] == 1.0
    assert not any("3600" in message for _, _, message in calls)


class Cancelled(Exception):
    """What a caller raises to stop."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_callback_that_raises_stops_the_analysis_and_closes_the_file(
    minute: Path, stage: str
) -> None:
    def stop(now: str, fraction: float, message: str) -> None:
        if now == stage:
            raise Cancelled

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Cancelled):
        analyze(minute, on_progress=stop)
    assert len(os.listdir("/proc/self/fd")) == before


@given(st.lists(st.tuples(st.sampled_from(list(STAGES)), st.floats(-1.0, 2.0))))
def test_the_fraction_never_falls_and_never_leaves_0_to_1(reports: list[tuple[str, float]]) -> None:
    fractions: list[float] = []
    progress = Progress(lambda *call: fractions.append(call[1]), tuple(STAGES))
    for stage, share in reports:
        progress.seconds(stage, 1.0, None, share)
    assert fractions == sorted(fractions)
    assert all(0.0 <= fraction <= 1.0 for fraction in fractions)
