"""How long a film really is: what its header claims is looked up at its end."""

from collections.abc import Callable
from typing import Final

from harken.audio.video.film import Film

# A header may be off by so much; what is further off is looked through from the start, without decoding.
OFF_S: Final = 10.0
OFF_SHARE: Final = 0.1


def length_of(film: Film, on_packet: Callable[[], None]) -> float | None:
    """Seconds from the first frame to the end of the last; None where no packet says when it is."""
    claim = film.claimed_s
    if claim is not None and film.seek(max(claim - OFF_S / 2, 0.0)):
        end = _end(film, on_packet)
        if end is not None and end >= claim - max(OFF_S, OFF_SHARE * claim):
            return end
    film.rewind()
    return _end(film, on_packet, counted=True)


def _end(film: Film, on_packet: Callable[[], None], *, counted: bool = False) -> float | None:
    """When the last frame from here on ends; `counted` in frames, where they bear no time (raw H.264)."""
    end: float | None = None
    frames = 0
    for packet in film.packets():
        on_packet()
        stamp = packet.pts if packet.pts is not None else packet.dts
        if not packet.size:
            continue
        frames += 1
        if stamp is None:
            continue
        shown = packet.duration * film.time_base if packet.duration else film.step_s
        until = round(film.seconds(stamp) + shown, 6)
        if 0 < until <= film.longest_s and (end is None or until > end):
            end = until
    if end is None and counted and frames:
        return min(frames * film.step_s, film.longest_s)
    return end
