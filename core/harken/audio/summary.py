"""A report as a few lines that people can read."""

from typing import Any


def summary(report: dict[str, Any]) -> str:
    """The lines for one report of `file_report`, the path first."""
    if error := report.get("error"):
        return f"{report['path']}\n  cannot be analysed: {error['message']} ({error['reason']})"
    lines = [report["path"]]
    named = (
        ("picture", _video(report["video"]) if "video" in report else ""),
        ("sound", _media(report.get("media", {}))),
        ("tempo", _rhythm(report.get("rhythm", {}))),
        ("key", _tonal(report.get("tonal", {}))),
        ("loudness", _loudness(report["loudness"]) if "loudness" in report else ""),
        ("spectrum", _spectral(report.get("spectral", {}))),
        ("onsets", _onsets(report.get("onsets", {}))),
        ("pitch", _pitch(report["pitch"]) if "pitch" in report else ""),
        ("envelope", _envelope(report["envelope"]) if "envelope" in report else ""),
        ("it says", _annotations(report["annotations"]) if "annotations" in report else ""),
        ("quality", _quality(report["quality"]) if "quality" in report else ""),
        ("speech", _speech(report["speech"]) if "speech" in report else ""),
        ("about", report.get("insights", {}).get("description", "")),
        ("tags", _tags(report.get("insights", {}))),
        ("mixes", _keys(report.get("insights", {}))),
    )
    lines += [f"  {title:<9} {text}" for title, text in named if text]
    return "\n".join(lines)


def _media(group: dict[str, Any]) -> str:
    if not group:
        return ""
    plural = "" if group["channels"] == 1 else "s"
    return (
        f"{group['duration_s']:.2f} s, {group['channels']} channel{plural}, "
        f"{group['sample_rate_hz']} Hz, {group['codec']} in {group['container']}"
    )


def _video(group: dict[str, Any]) -> str:
    streams = f"{group['stream_count']} stream" + ("" if group["stream_count"] == 1 else "s")
    rate = f", {group['fps']:.4g} fps" if "fps" in group else ""
    length = f", {group['duration_s']:.2f} s" if "duration_s" in group else ""
    return (
        f"{group['display_width']} × {group['display_height']}{rate}{length}, "
        f"{group['codec']} in {group['container']}, {streams}"
    )


def _rhythm(group: dict[str, Any]) -> str:
    if "tempo_bpm" not in group:
        return "no pulse" if group else ""
    others = ", ".join(f"{tempo['bpm']:.1f}" for tempo in group["tempo_candidates"][1:3])
    return (
        f"{group['tempo_bpm']:.2f} BPM, {group['beat_count']} beats"
        + f" (confidence {group['tempo_confidence']:.2f}"
        + (f", or {others})" if others else ")")
    )


def _tonal(group: dict[str, Any]) -> str:
    if "key" not in group:
        return "none" if group else ""
    return (
        f"{group['key']} {group['mode']} (confidence {group['key_confidence']:.2f}), "
        f"tuned {group['tuning_cents']:+.0f} cents from A = 440 Hz"
    )


def _loudness(group: dict[str, Any]) -> str:
    named = (
        ("integrated_lufs", "{:.1f} LUFS"),
        ("range_lu", "range {:.1f} LU"),
        ("true_peak_dbtp", "true peak {:.1f} dBTP"),
    )
    parts = [form.format(group[name]) for name, form in named if name in group]
    return ", ".join(parts) or "silence"


def _spectral(group: dict[str, Any]) -> str:
    if "centroid_hz_mean" not in group:
        return ""
    return (
        f"centroid {group['centroid_hz_mean']:.0f} Hz, 85 % below {group['rolloff_hz_mean']:.0f} Hz"
    )


def _onsets(group: dict[str, Any]) -> str:
    return f"{group['onset_count']}, {group['rate_hz']:.2f} a second" if group else ""


def _pitch(group: dict[str, Any]) -> str:
    if "f0_hz_median" not in group:
        return "none"
    return (
        f"{group['f0_hz_median']:.1f} Hz, MIDI note {group['midi_note']} {group['cents']:+.0f} cents "
        f"(confidence {group['confidence']:.2f}), in {100 * group['voiced_share']:.0f} % of the sound"
    )


def _envelope(group: dict[str, Any]) -> str:
    named = (
        ("attack_s", "attack {:.3f} s"),
        ("decay_s", "decay {:.3f} s"),
        ("peak_s", "loudest at {:.3f} s"),
    )
    return ", ".join(form.format(group[name]) for name, form in named if name in group) or "silence"


def _speech(group: dict[str, Any]) -> str:
    kinds = ("speech", "music", "noise", "silence")
    parts = [f"{100 * group[f'{kind}_share']:.0f} % {kind}" for kind in kinds]
    named = (
        ("segment_count", "{} segments"),
        ("pause_count", "{} pauses"),
        ("syllable_rate_hz", "{:.1f} syllables a second"),
        ("snr_db", "{:.0f} dB above the noise"),
    )
    parts += [form.format(group[name]) for name, form in named if group.get(name)]
    return ", ".join(parts)


def _tags(group: dict[str, Any]) -> str:
    return ", ".join(tag["name"] for tag in group.get("tags", ()))


def _keys(group: dict[str, Any]) -> str:
    keys = group.get("compatible_keys", ())
    return ", ".join(f"{key['camelot']} ({key['key']} {key['mode']})" for key in keys)


def _annotations(group: dict[str, Any]) -> str:
    said = {**group.get("sampler", {}), **group.get("acid", {}), **group}
    named = (
        ("tempo_bpm", "{:.2f} BPM"),
        ("key", "{}"),
        ("root_note", "root note {}"),
        ("loop_count", "{} loops"),
        ("cue_count", "{} markers"),
    )
    parts = [form.format(said[name]) for name, form in named if said.get(name) is not None]
    return ", ".join(parts) or "nothing"


def _quality(group: dict[str, Any]) -> str:
    found = [problem["message"] for problem in group.get("problems", ())]
    return " ".join(found) or "nothing is wrong"
