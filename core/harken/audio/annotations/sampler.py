"""What a sampler needs: "smpl" of WAV (Microsoft's RIFF MCI, 1994), "INST" and "MARK" of AIFF (Apple, 1989)."""

import struct
from collections.abc import Mapping
from typing import Final

from harken.audio.result import LoopKind, SampleLoop, SamplerInfo

MOST_LOOPS: Final = 100  # published
_NOTES: Final = range(128)
_SMPL_KINDS: Final = (LoopKind.FORWARD, LoopKind.PING_PONG, LoopKind.BACKWARD)
_INST_KINDS: Final = {1: LoopKind.FORWARD, 2: LoopKind.PING_PONG}
_SMPL_HEAD: Final = struct.Struct("<9I")
_SMPL_LOOP: Final = struct.Struct("<6I")
_INST: Final = struct.Struct(">bbbbbbh" + "hhh" * 2)


def of_smpl(content: bytes, rate: int) -> SamplerInfo | None:
    """What the chunk "smpl" says; None where it is too short."""
    if len(content) < _SMPL_HEAD.size:
        return None
    head = _SMPL_HEAD.unpack_from(content)
    note, fraction, claimed = head[3], head[4], head[7]
    count = min(claimed, (len(content) - _SMPL_HEAD.size) // _SMPL_LOOP.size)
    loops: list[SampleLoop] = []
    for place in range(min(count, MOST_LOOPS)):
        _, kind, start, end, _, plays = _SMPL_LOOP.unpack_from(
            content, _SMPL_HEAD.size + place * _SMPL_LOOP.size
        )
        loops.append(
            SampleLoop(
                kind=_SMPL_KINDS[kind] if kind < len(_SMPL_KINDS) else LoopKind.UNSPECIFIED,
                start_s=start / rate,
                end_s=(end + 1) / rate,  # the chunk names the last sample that is played
                play_count=plays or None,
            )
        )
    return SamplerInfo(
        root_note=note if note in _NOTES else None,
        fine_tune_cents=100.0 * fraction / 2**32 if note in _NOTES else None,
        loops=tuple(loops),
        loop_count=count,
    )


def of_inst(content: bytes, markers: Mapping[int, int], rate: int) -> SamplerInfo | None:
    """What the chunk "INST" says, whose loops lie between markers, by their positions; None where it is too short."""
    if len(content) < _INST.size:
        return None
    said = _INST.unpack_from(content)
    note, detune = said[:2]
    loops: list[SampleLoop] = []
    for kind, begin, end in (said[7:10], said[10:13]):  # of the held note, and of the released one
        if kind in _INST_KINDS and begin in markers and end in markers:
            start_s, end_s = markers[begin] / rate, markers[end] / rate
            loops.append(SampleLoop(kind=_INST_KINDS[kind], start_s=start_s, end_s=end_s))
    return SamplerInfo(
        root_note=note if note in _NOTES else None,
        # It says how far to tune the sound up, so the recording is that much below.
        fine_tune_cents=float(-detune) if note in _NOTES else None,
        loops=tuple(loops),
        loop_count=len(loops),
    )
