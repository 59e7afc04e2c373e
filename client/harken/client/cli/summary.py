"""A job and its result as lines that a person can read, values with their units."""

from collections.abc import Iterator

from harken.client.analysis_result import (
    AnalysisResult,
    Annotations,
    Loudness,
    Media,
    Pitch,
    Prepared,
    Rhythm,
    Tonal,
)
from harken.client.cli.insights import insight_rows
from harken.client.cli.text import NOTHING, count, duration, local_time, number, plain
from harken.client.enums import JobState
from harken.client.job import Job
from harken.client.quality import Quality
from harken.client.speech import Speech, Transcript
from harken.client.video_result import Video

_LABEL_WIDTH = 11

_TAGS = ("title", "artist", "album", "date")
"""Tags worth a place in a summary, in this order."""

_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

_CHANNELS = {1: "mono", 2: "stereo"}

_SAID = 500
"""Characters of a transcript; all of it is in the artifact and in JSON."""

Row = tuple[str, str]


def outcome(job: Job, name: str) -> str:
    """One line: how the job ended, in the user's words."""
    match job.state:
        case JobState.SUCCEEDED:
            took = f" in {duration(job.run_time.total_seconds())}" if job.run_time else ""
            part = " in part" if job.result and job.result.errors else ""
            return f"{plain(name)}: done{part}{took}"
        case JobState.FAILED:
            why = f": {plain(str(job.error))}" if job.error else ""
            return f"{plain(name)}: failed{why}"
        case _:
            return f"{plain(name)}: {job.state.lower()}"


def kind_of(job: Job) -> str:
    """What kind of work a job is, in the user's words."""
    return job.kind.lower().replace("_", " ")


def job_lines(job: Job) -> Iterator[str]:
    """What there is to know about a job, its result apart."""
    rows: list[Row] = [("Job", job.job_id)]
    if job.batch_id:
        rows.append(("Batch", job.batch_id))
    if job.cached_result:
        rows.append(("Result", "of an earlier job: the file has not changed"))
    for artifact in job.artifacts:
        size = f"{artifact.size:,} bytes"
        rows.append(("Artifact", f"{artifact.artifact_id}  {plain(artifact.name)}, {size}"))
    if job.retry_of:
        rows.append(("Retry of", job.retry_of))
    rows.append(("File", plain(job.place)) if job.place else ("Kind", kind_of(job)))
    rows.append(("State", job.state.lower()))
    if job.progress is not None and not job.state.is_terminal:
        rows.append(("Progress", plain(str(job.progress).strip())))
    if job.error is not None:
        rows.append(("Error", plain(str(job.error))))
    if job.features:
        rows.append(("Features", ", ".join(job.features)))
    rows.append(("Priority", str(job.priority)))
    if job.labels:
        rows.append(("Labels", plain(", ".join(f"{k}={v}" for k, v in job.labels.items()))))
    rows.append(("Submitted", local_time(job.create_time)))
    if job.start_time:
        worker = f", by {plain(job.worker)}" if job.worker else ""
        tries = f", attempt {job.attempt}" if job.attempt > 1 else ""
        rows.append(("Started", local_time(job.start_time) + worker + tries))
    if job.end_time:
        took = f", after {duration(job.run_time.total_seconds())}" if job.run_time else ""
        rows.append(("Ended", local_time(job.end_time) + took))
    return _aligned(rows)


def result_lines(result: AnalysisResult) -> Iterator[str]:
    """What was found; what was not asked for has no line, what does not exist is “–”."""
    rows: list[Row] = []
    if result.media is not None:
        rows += _media(result.media)
    if result.rhythm is not None:
        rows.append(("Tempo", _tempo(result.rhythm)))
    if result.tonal is not None:
        rows.append(("Key", _key(result.tonal)))
    if result.loudness is not None:
        rows += _loudness(result.loudness)
    if result.onsets is not None:
        onsets = result.onsets
        found = NOTHING if onsets.onset_count is None else f"{onsets.onset_count:,}"
        rows.append(("Onsets", f"{found}, {number(onsets.rate_hz, 'per second')}"))
    if result.spectral is not None:
        s = result.spectral
        rows.append(
            (
                "Spectrum",
                f"centroid {number(s.centroid_hz_mean, 'Hz', decimals=0)}, "
                f"bandwidth {number(s.bandwidth_hz_mean, 'Hz', decimals=0)}, "
                f"roll-off {number(s.rolloff_hz_mean, 'Hz', decimals=0)}, "
                f"flatness {number(s.flatness_mean, decimals=4)}",
            )
        )
    if result.timbre is not None:
        found = " ".join(f"{c:.0f}" for c in result.timbre.mfcc_mean[:6])
        rows.append(("Timbre", f"MFCC {found} …" if found else NOTHING))
    if result.embedding is not None:
        e = result.embedding
        found = f"{count(len(e.vector), 'number')} by {plain(e.model or NOTHING)}"
        rows.append(("Embedding", found if e.vector else NOTHING))
    if result.pitch is not None:
        rows.append(("Pitch", _pitch(result.pitch)))
    if result.envelope is not None:
        e = result.envelope
        found = (
            f"attack {number(e.attack_s, 's', decimals=3)}, decay {number(e.decay_s, 's', decimals=3)}, "
            f"loudest at {number(e.peak_s, 's', decimals=3)}"
        )
        rows.append(("Envelope", found))
    if result.annotations is not None:
        rows.append(("Annotated", _annotations(result.annotations)))
    if result.stems is not None:
        names = (plain(stem.artifact_name or stem.name or "") for stem in result.stems.stems)
        rows.append(("Stems", ", ".join(names) or NOTHING))
    if result.prepare is not None:
        rows.append(("Prepared", _prepared(result.prepare)))
    if result.quality is not None:
        rows += _quality(result.quality)
    if result.video is not None:
        rows += _video(result.video)
    if result.pictures is not None:
        names = (plain(one.artifact_name or "") for one in result.pictures.pictures)
        rows.append(("Pictures", ", ".join(names) or NOTHING))
    if result.speech is not None:
        rows += _speech(result.speech)
    if result.transcript is not None:
        rows += _transcript(result.transcript)
    if result.insights is not None:
        rows += insight_rows(result.insights)
    rows += [("Failed", plain(str(error))) for error in result.errors]
    return _aligned(rows)


def _media(media: Media) -> list[Row]:
    coding = " in ".join(
        dict.fromkeys(word for word in (media.codec, _container(media.container)) if word)
    )
    channels = media.channels
    sound = (
        plain(coding) or NOTHING,
        number(None if media.sample_rate_hz is None else media.sample_rate_hz / 1000, "kHz"),
        NOTHING if channels is None else _CHANNELS.get(channels, f"{channels} channels"),
        number(None if media.bit_rate is None else media.bit_rate / 1000, "kbit/s", decimals=0),
    )
    rows = [("Duration", duration(media.duration_s)), ("Format", ", ".join(sound))]
    tags = [plain(media.tags[tag]) for tag in _TAGS if tag in media.tags]
    if tags:
        rows.append(("Tags", ", ".join(tags)))
    if media.non_finite_samples:
        rows.append(("Defects", count(media.non_finite_samples, "sample") + " not a number"))
    return rows


def _container(name: str | None) -> str | None:
    """FFmpeg names a family, such as "mov,mp4,m4a,3gp,3g2,mj2": its first member is enough here."""
    return name.partition(",")[0] if name else None


def _tempo(rhythm: Rhythm) -> str:
    beats = NOTHING if rhythm.beat_count is None else count(rhythm.beat_count, "beat")
    return f"{number(rhythm.tempo_bpm, 'bpm')}{_confidence(rhythm.tempo_confidence)}, {beats}"


def _key(tonal: Tonal) -> str:
    key = f"{tonal.key} {tonal.mode or ''}".rstrip() if tonal.key else NOTHING
    tuning = NOTHING if tonal.tuning_cents is None else f"{round(tonal.tuning_cents):+d} cents"
    return f"{plain(key)}{_confidence(tonal.key_confidence)}, tuning {tuning}"


def _loudness(loudness: Loudness) -> list[Row]:
    return [
        (
            "Loudness",
            f"{number(loudness.integrated_lufs, 'LUFS')}, range {number(loudness.range_lu, 'LU')}, "
            f"momentary at most {number(loudness.momentary_max_lufs, 'LUFS')}",
        ),
        (
            "Peak",
            f"{number(loudness.true_peak_dbtp, 'dBTP')}, RMS {number(loudness.rms_dbfs, 'dBFS')}",
        ),
    ]


def _pitch(pitch: Pitch) -> str:
    if pitch.f0_hz_median is None or pitch.midi_note is None:
        return NOTHING
    name, octave = _NOTES[pitch.midi_note % 12], pitch.midi_note // 12 - 1
    return (
        f"{name}{octave} {pitch.cents or 0:+.0f} cents, {number(pitch.f0_hz_median, 'Hz')}"
        f"{_confidence(pitch.confidence)}, in {100 * (pitch.voiced_share or 0):.0f} % of the sound"
    )


def _annotations(said: Annotations) -> str:
    acid, sampler, broadcast = said.acid, said.sampler, said.broadcast
    tempo = said.tempo_bpm or (acid.tempo_bpm if acid else None)
    note = (acid.root_note if acid else None) or (sampler.root_note if sampler else None)
    parts = [
        number(tempo, "bpm") if tempo else "",
        plain(said.key or ""),
        f"root note {note}" if note is not None else "",
        "one shot" if acid and acid.one_shot else "",
        count(sampler.loop_count, "loop") if sampler and sampler.loop_count else "",
        count(said.cue_count, "marker") if said.cue_count else "",
        plain(broadcast.description or broadcast.originator or "") if broadcast else "",
    ]
    return ", ".join(part for part in parts if part) or NOTHING


def _prepared(made: Prepared) -> str:
    gain = "" if made.gain_db is None else f", {made.gain_db:+.1f} dB"
    return f"{plain(made.artifact_name or NOTHING)}, {duration(made.duration_s)}{gain}"


def _quality(found: Quality) -> list[Row]:
    """Each problem, and what there is to know where there is none."""
    resolution, stereo = found.resolution, found.stereo
    bits = resolution.effective_bits if resolution else None
    cutoff = resolution.cutoff_hz if resolution else None
    parts = [
        "" if found.problems else "nothing is wrong",
        f"{bits} bits in use" if bits else "",
        f"spectrum ends at {cutoff / 1000:.1f} kHz" if cutoff else "",
        f"correlation {stereo.correlation:.2f}"
        if stereo and stereo.correlation is not None
        else "",
    ]
    rows = [("Quality", ", ".join(part for part in parts if part) or NOTHING)]
    rows += [(problem.severity.capitalize(), plain(problem.message)) for problem in found.problems]
    return rows


def _video(video: Video) -> list[Row]:
    shown = f"{video.display_width} × {video.display_height}" if video.display_width else NOTHING
    turned = f", turned by {video.rotation_degrees}°" if video.rotation_degrees else ""
    coding = " in ".join(word for word in (video.codec, _container(video.container)) if word)
    picture = (
        shown + turned,
        number(video.fps, "fps", decimals=2) + (", variable" if video.variable_frame_rate else ""),
        plain(coding) or NOTHING,
        "HDR" if video.hdr else "",
        duration(video.duration_s),
        count(video.stream_count or 0, "stream"),
    )
    rows = [("Picture", ", ".join(part for part in picture if part))]
    if video.damaged_packets:
        rows.append(("Defects", count(video.damaged_packets, "packet") + " not decoded"))
    if video.thumbnails:
        names = (plain(made.artifact_name or "") for made in video.thumbnails)
        rows.append(("Thumbnails" if len(video.thumbnails) > 1 else "Thumbnail", ", ".join(names)))
    if (sheet := video.contact_sheet) is not None:
        cells = count(len(sheet.frame_times_s), "frame")
        rows.append(("Sheet", f"{plain(sheet.artifact_name or NOTHING)}, {cells}"))
    if (proxy := video.proxy) is not None:
        size = f"{proxy.width} × {proxy.height}, {duration(proxy.duration_s)}"
        sound = "" if proxy.has_sound else ", without sound"
        rows.append(("Proxy", f"{plain(proxy.artifact_name or NOTHING)}, {size}{sound}"))
    return rows


def _speech(speech: Speech) -> list[Row]:
    shares = (
        ("speech", speech.speech_share),
        ("music", speech.music_share),
        ("noise", speech.noise_share),
        ("silence", speech.silence_share),
    )
    heard = ", ".join(f"{100 * share:.0f} % {name}" for name, share in shares if share is not None)
    rows = [("Heard", heard or NOTHING)]
    if not speech.segment_count:
        return [*rows, ("Speech", "none")]
    parts = [
        f"{number(speech.speech_s, 's')} in {count(speech.segment_count, 'segment')}",
        number(speech.syllable_rate_hz, "syllables per second"),
        f"{number(speech.snr_db, 'dB')} above the noise" if speech.snr_db is not None else "",
    ]
    rows.append(("Speech", ", ".join(part for part in parts if part)))
    if speech.pause_count:
        mean, longest = number(speech.pause_s_mean, "s"), number(speech.pause_s_longest, "s")
        rows.append(("Pauses", f"{speech.pause_count:,}, {mean} on average, the longest {longest}"))
    return rows


def _transcript(transcript: Transcript) -> list[Row]:
    text = plain(transcript.text or "")
    sure = _confidence(transcript.language_probability)
    return [
        ("Language", f"{plain(transcript.language or NOTHING)}{sure}"),
        ("Said", f"{text[:_SAID]}…" if len(text) > _SAID else text or NOTHING),
    ]


def _confidence(confidence: float | None) -> str:
    return "" if confidence is None else f" (confidence {confidence:.2f})"


def _aligned(rows: list[Row]) -> Iterator[str]:
    return (f"  {label:<{_LABEL_WIDTH}}{text}" for label, text in rows)
