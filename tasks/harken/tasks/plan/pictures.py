"""Pictures: sketched as the sound passes, drawn once beats, tempo and loudness are known."""

import io

from harken.audio import Feature, Loudness, PictureKind, Pictures, Rhythm
from harken.audio.pictures.gallery import Drawn, Known, Look, draw
from harken.audio.pictures.sketch import Sketcher
from harken.audio.pictures.theme import Theme
from harken.jobs.options import PicturesOptions
from harken.tasks.plan.copying import publish_copy
from harken.tasks.plan.step import Groups, Report, Step
from harken.tasks.room import Room


class PicturesStep(Step):
    """Makes an artifact of each picture, and two of peaks."""

    feature = Feature.PICTURES
    needs = (Feature.RHYTHM, Feature.LOUDNESS)
    cost = 0.1

    _sketcher: Sketcher | None = None

    @property
    def _options(self) -> PicturesOptions:
        return self.bench.options.pictures or PicturesOptions()

    @property
    def _kinds(self) -> tuple[PictureKind, ...]:
        return tuple(PictureKind[kind.name] for kind in self._options.kinds)

    def listener(self) -> Sketcher:
        """What gathers all that is drawn."""
        self._sketcher = Sketcher(self._kinds)
        return self._sketcher

    def run(self, groups: Groups, report: Report) -> Pictures:
        """Draws the pictures, and keeps the files."""
        assert self._sketcher is not None
        assert self._sketcher.sketch is not None
        rhythm: Rhythm = groups[Feature.RHYTHM]
        loudness: Loudness = groups[Feature.LOUDNESS]
        known = Known(
            beats_s=rhythm.beats_s,
            tempo_bpm=rhythm.tempo_bpm,
            integrated_lufs=loudness.integrated_lufs,
        )
        options, room = self._options, Room.of(self.bench.work)
        look = Look(
            width=options.width,
            height=options.height,
            scale=options.scale,
            theme=Theme(options.theme.value),
        )
        made: list[Drawn] = []
        for number, kind in enumerate(self._kinds):
            report(number / len(self._kinds), kind.name.lower().replace("_", " "))
            for drawn in draw(kind, self._sketcher.sketch, known, look):
                made.append(drawn)
                room.check(sum(len(one.content) for one in made))
                publish_copy(
                    self.bench,
                    io.BytesIO(drawn.content),
                    name=drawn.picture.artifact_name,
                    media_type=drawn.media_type,
                    on_bytes=lambda _: None,
                )
        return Pictures(pictures=tuple(drawn.picture for drawn in made))
