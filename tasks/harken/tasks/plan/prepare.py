"""Prepared files: the recording written anew, once it is known how loud it is and where its silence ends."""

import os
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast

from harken.audio import Feature, Loudness, Prepared
from harken.audio.decode import Recording
from harken.audio.rendering.edges import EdgeFinder
from harken.audio.rendering.gain import Levels
from harken.audio.rendering.render import Rendered, Wanted, render
from harken.audio.writing.form import Form
from harken.jobs.options import PrepareOptions
from harken.tasks.plan.copying import publish_copy
from harken.tasks.plan.step import Groups, Report, Step
from harken.tasks.room import Room

NAME: Final = "prepared"
FIRST_PASS: Final = (
    0.6  # of the step's time; each one after it takes as much of the rest, and copying what is left
)
LAST_SHARE: Final = 0.95


class PrepareStep(Step):
    """Makes one artifact."""

    feature = Feature.PREPARE
    needs = (Feature.LOUDNESS,)
    cost = 1.0

    _edges: EdgeFinder | None = None

    @property
    def _options(self) -> PrepareOptions:
        return self.bench.options.prepare or PrepareOptions()

    def listener(self) -> EdgeFinder:
        """What finds the silence."""
        options = self._options
        self._edges = EdgeFinder(options.silence_threshold_dbfs, mono=options.mono)
        return self._edges

    def run(self, groups: Groups, report: Report) -> Prepared:
        """Renders the recording, and keeps the file."""
        loudness: Loudness = groups[Feature.LOUDNESS]
        levels = Levels(
            integrated_lufs=loudness.integrated_lufs,
            true_peak_dbtp=loudness.true_peak_dbtp,
            sample_peak_dbfs=loudness.sample_peak_dbfs,
        )
        wanted = self._wanted()
        room = Room.of(self.bench.work)
        # Nameless from the start: a process that is killed leaves nothing behind.
        with cast(BinaryIO, TemporaryFile(prefix="harken-")) as file:

            def on_share(number: int, share: float) -> None:
                room.check(file.tell())
                done = 1.0 - (1.0 - FIRST_PASS) ** number * (1.0 - FIRST_PASS * share)
                report(LAST_SHARE * done, f"pass {number + 1}, {share:.0%}")

            rendered = render(self._opened, file, wanted, levels, on_share)
            size = file.seek(0, os.SEEK_END)
            room.check(size)
            file.seek(0)
            publish_copy(
                self.bench,
                file,
                name=_file_name(wanted),
                media_type=wanted.form.media_type,
                on_bytes=lambda _: report(LAST_SHARE, f"{size / 1e6:.0f} MB kept"),
            )
        return self._group(wanted, rendered)

    def _opened(self) -> Recording:
        return Recording(
            self.bench.name, descriptor=self.bench.descriptor, limits=self.bench.limits
        )

    def _wanted(self) -> Wanted:
        options = self._options
        wanted = partial(
            Wanted,
            form=Form(format=options.format.value, bits=options.bits),
            sample_rate=options.sample_rate_hz,
            mono=options.mono,
            loudness_lufs=options.loudness_lufs,
            ceiling_dbtp=options.true_peak_ceiling_dbtp,
        )
        if not options.trim_silence or self._edges is None:
            return wanted()
        return wanted(start=self._edges.start, end=self._edges.end)

    def _group(self, wanted: Wanted, rendered: Rendered) -> Prepared:
        edges = self._edges
        assert edges is not None
        trims = wanted.end is not None
        return Prepared(
            artifact_name=_file_name(wanted),
            duration_s=rendered.samples / rendered.sample_rate,
            sample_rate_hz=rendered.sample_rate,
            channels=rendered.channels,
            bits=wanted.form.bits,
            gain_db=rendered.gain.db or 0.0,  # not minus zero
            held_by_ceiling=rendered.gain.held,
            trimmed_start_s=edges.start / edges.sample_rate if trims else None,
            trimmed_end_s=(edges.total - edges.end) / edges.sample_rate if trims else None,
            integrated_lufs=rendered.levels.integrated_lufs,
            true_peak_dbtp=rendered.levels.true_peak_dbtp,
        )


def _file_name(wanted: Wanted) -> str:
    return f"{NAME}.{wanted.form.format}"
