"""Stems and prepared files, from the command line to the files on this machine."""

import subprocess

import numpy as np
import pytest
import soundfile

from tests.system.conftest import HARKEN, System, clean_environment


def run(system: System, *arguments: str, ends_with: int = 0) -> str:
    """What a command prints, of what is wrong too."""
    done = subprocess.run(
        [*HARKEN, *arguments, "--server", system.address],
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == ends_with, done.stderr
    return done.stdout + done.stderr


def test_stems_and_a_prepared_file_are_made_downloaded_and_right(system, media, tmp_path):
    file = str(media / "piece.flac")
    wanted = ("--stems", "harmonic-percussive,foreground-background", "--prepare")
    shown = run(
        system, "submit", file, *wanted, "wav,rate=22050,loudness=-20,mono,bits=16", "--watch"
    )
    assert "harmonic.flac, percussive.flac, background.flac, foreground.flac" in shown
    job_id = next(iter(system.client.list_jobs(page_size=1))).job_id
    made = tmp_path / "not" / "there"
    run(system, "download", job_id, "--to", str(made))
    whole, rate = soundfile.read(file)
    for kind in (("harmonic", "percussive"), ("background", "foreground")):
        stems = [soundfile.read(made / f"{name}.flac") for name in kind]
        assert [found for _, found in stems] == [rate, rate]
        assert np.abs(sum(stem for stem, _ in stems) - whole).max() < 2**-22
    info = soundfile.info(made / "prepared.wav")
    assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16")
    prepared = system.client.get_job(job_id).result.prepare
    assert prepared.integrated_lufs == pytest.approx(-20.0, abs=0.1)
    assert prepared.duration_s == pytest.approx(whole.shape[0] / rate, abs=1e-3)
    refused = run(system, "download", job_id, "--to", file, ends_with=2)
    assert "5 artifacts need a folder" in refused
