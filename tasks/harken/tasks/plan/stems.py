"""Stems: the sound is taken apart as it is decoded; what is left to the step is to keep the files."""

import os
from collections.abc import Mapping

from harken.audio import Feature, Stem, StemKind, Stems
from harken.audio.separation.model import load_model
from harken.audio.separation.model_separator import ModelSeparator
from harken.audio.separation.splitter import SEPARATIONS, Separation, StemSplitter
from harken.audio.separation.stem_files import FORM, StemFile
from harken.jobs.options import StemsOptions
from harken.tasks.plan.copying import publish_copy
from harken.tasks.plan.step import Groups, Report, Step
from harken.tasks.room import Room


class StemsStep(Step):
    """Makes an artifact of each stem."""

    feature = Feature.STEMS
    cost = 0.1

    _splitter: StemSplitter | None = None
    _model: str | None = None

    def listener(self) -> StemSplitter:
        """What takes the sound apart."""
        options = self.bench.options.stems or StemsOptions()
        kinds = [StemKind[kind.name] for kind in options.kinds]
        separations = {kind: self._separation(kind) for kind in kinds}
        self._splitter = StemSplitter(separations, Room.of(self.bench.work).check)
        return self._splitter

    def run(self, groups: Groups, report: Report) -> Stems:  # noqa: ARG002 # needs none
        """Keeps the stems."""
        assert self._splitter is not None
        made = self._splitter.stems
        total, kept = sum(stem.size for some in made.values() for stem in some), 0

        def on_bytes(count: int) -> None:
            nonlocal kept
            kept += count
            report(kept / max(total, 1), f"{kept / 1e6:.0f} of {total / 1e6:.0f} MB kept")

        for some in made.values():
            for stem in some:
                publish_copy(
                    self.bench,
                    stem.file,
                    name=_file_name(stem),
                    media_type=FORM.media_type,
                    on_bytes=on_bytes,
                )
        return _group(made, self._model)

    def close(self) -> None:
        """Takes away what the splitter has written."""
        if self._splitter is not None:
            self._splitter.close_files()

    def _separation(self, kind: StemKind) -> Separation:
        if kind is not StemKind.MODEL:
            return SEPARATIONS[kind]
        settings = self.bench.work.settings
        # As many models may run at once as the worker has children.
        threads = max((os.cpu_count() or 1) // settings.concurrency, 1)
        model = load_model(settings.stems_model, threads)
        self._model = model.facts.name
        # A segment takes seconds, and a block of many channels several of them.
        check = self.bench.work.progress.check
        return lambda rate, channels: ModelSeparator(
            model.facts, model.split, rate, channels, before_segment=check
        )


def _group(made: Mapping[StemKind, tuple[StemFile, ...]], model: str | None) -> Stems:
    return Stems(
        stems=tuple(
            Stem(
                name=stem.name,
                kind=kind,
                artifact_name=_file_name(stem),
                rms_dbfs=stem.rms_dbfs,
                energy_share=stem.energy_share,
                model=model if kind is StemKind.MODEL else None,
                gain_db=stem.gain_db,
            )
            for kind, some in made.items()
            for stem in some
        )
    )


def _file_name(stem: StemFile) -> str:
    return f"{stem.name}.{FORM.format}"
