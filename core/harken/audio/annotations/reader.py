"""What a file says of itself, beside what is found in its sound."""

from dataclasses import replace

from harken.audio.analysis import Analysis
from harken.audio.annotations import mp4, tags
from harken.audio.annotations.acid import of_acid, tempo_of
from harken.audio.annotations.broadcast import of_bext
from harken.audio.annotations.cues import cue_points, of_cue, of_mark
from harken.audio.annotations.sampler import of_inst, of_smpl
from harken.audio.chunks import Form, form_of
from harken.audio.media import all_tags
from harken.audio.result import Annotations


class FileAnnotations(Analysis):
    """Reads the file's own bytes once the sound is over, and hears none of it."""

    def finish(self) -> Annotations:
        """The group."""
        recording = self.track.recording
        form = form_of(recording.file)
        recording.file.raise_failure()
        said = Annotations() if form is None else of_form(form, recording.sample_rate)
        written = all_tags(recording)
        tempo = tags.tempo_bpm(written) or tempo_of(mp4.tempo_bpm(recording.file) or 0.0)
        recording.file.raise_failure()
        return replace(said, tempo_bpm=tempo, key=tags.key(written))


def of_form(form: Form, rate: int) -> Annotations:
    """What the chunks say of a file whose samples have this rate."""
    if form.name == "WAVE":
        markers = of_cue(form)
        smpl, acid, bext = (form.content(name) for name in ("smpl", "acid", "bext"))
        said = Annotations(
            sampler=of_smpl(smpl, rate) if smpl is not None else None,
            acid=of_acid(acid) if acid is not None else None,
            broadcast=of_bext(bext, rate) if bext is not None else None,
        )
    else:
        markers = tuple(of_mark(form.content("MARK") or b""))
        places = {marker.number: marker.sample for marker in markers}
        inst = form.content("INST")
        sampler = of_inst(inst, places, rate) if inst is not None else None
        said = Annotations(sampler=sampler)
    if not markers:
        return said
    return replace(said, cues=cue_points(markers, rate), cue_count=len(markers))
