"""What a file says of itself: chunks that are put together here byte by byte, hostile ones, and real files."""

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.audio import (
    AcidInfo,
    Annotations,
    BroadcastInfo,
    CuePoint,
    LoopKind,
    SampleLoop,
    SamplerInfo,
    analyze,
)
from harken.audio.annotations import mp4
from harken.audio.annotations.cues import MOST_CUES
from harken.audio.annotations.reader import of_form
from harken.audio.annotations.sampler import MOST_LOOPS
from harken.audio.annotations.tags import key, tempo_bpm
from harken.audio.chunks import MOST_BYTES, MOST_CHUNKS, form_of
from tests.data.wave_files import chunk, coded, format_chunk, riff, tone

RATE = 44_100
SOUND = coded(tone(0.1, RATE), 16)
HEAD = chunk(b"fmt ", format_chunk()) + chunk(b"data", SOUND)


class File(io.BytesIO):
    """Bytes in memory that know how many they are, and count what is read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size = len(data)
        self.bytes_read = 0

    def read(self, count: int | None = -1, /) -> bytes:
        """The next bytes."""
        found = super().read(count)
        self.bytes_read += len(found)
        return found


def said_by(tmp_path: Path, data: bytes, name: str = "a.wav") -> Annotations:
    """The group of a file, through the engine."""
    path = tmp_path / name
    path.write_bytes(data)
    found = analyze(path, ["annotations"]).annotations
    assert found is not None
    return found


def smpl(*loops: tuple[int, int, int, int], note: int = 57, fraction: int = 0) -> bytes:
    head = struct.pack("<9I", 0, 0, 22_675, note, fraction, 0, 0, len(loops), 0)
    bodies = (struct.pack("<6I", i, *loop[:3], 0, loop[3]) for i, loop in enumerate(loops))
    return chunk(b"smpl", head + b"".join(bodies))


def acid(flags: int = 0x02, *, root: int = 57, beats: int = 8, tempo: float = 126.5) -> bytes:
    return chunk(b"acid", struct.pack("<IHHfIHHf", flags, root, 0x8000, 0.0, beats, 4, 3, tempo))


def cue(*places: int) -> bytes:
    points = (struct.pack("<II4sIII", i + 1, at, b"data", 0, 0, at) for i, at in enumerate(places))
    return chunk(b"cue ", struct.pack("<I", len(places)) + b"".join(points))


def labels(**texts: bytes) -> bytes:
    parts = (chunk(b"labl", struct.pack("<I", int(n[1:])) + t + b"\0") for n, t in texts.items())
    return chunk(b"LIST", b"adtl" + b"".join(parts))


def bext(*, version: int = 2, date: bytes = b"2024-05-17", levels: tuple[int, ...]) -> bytes:
    texts = struct.pack("<256s32s32s10s8s", b"Rain", b"Ann", b"REF1", date, b"18.30.00")
    time = struct.pack("<QH", 2 * RATE, version)
    return chunk(b"bext", texts + time + bytes(64) + struct.pack("<5h", *levels) + bytes(180))


def test_a_samplers_chunk_gives_the_note_and_the_loops(tmp_path: Path) -> None:
    loops = smpl((0, 0, 4_409, 0), (1, 441, 881, 3), (9, 0, 0, 1), note=57, fraction=1 << 30)
    assert said_by(tmp_path, riff(HEAD, loops)).sampler == SamplerInfo(
        root_note=57,
        fine_tune_cents=25.0,
        loops=(
            SampleLoop(kind=LoopKind.FORWARD, start_s=0.0, end_s=0.1),
            SampleLoop(kind=LoopKind.PING_PONG, start_s=0.01, end_s=0.02, play_count=3),
            SampleLoop(kind=LoopKind.UNSPECIFIED, start_s=0.0, end_s=1 / RATE, play_count=1),
        ),
        loop_count=3,
    )


def test_a_loops_chunk_gives_tempo_beats_note_and_meter(tmp_path: Path) -> None:
    assert said_by(tmp_path, riff(HEAD, acid())).acid == AcidInfo(
        one_shot=False,
        root_note=57,
        tempo_bpm=126.5,
        beats=8,
        meter_numerator=3,
        meter_denominator=4,
    )


def test_a_single_sound_has_no_tempo_and_a_note_only_where_one_is_set(tmp_path: Path) -> None:
    found = said_by(tmp_path, riff(HEAD, acid(0x01))).acid
    assert found == AcidInfo(one_shot=True, meter_numerator=3, meter_denominator=4)


@pytest.mark.parametrize("tempo", [0.0, -1.0, 1e9, float("nan"), float("inf")])
def test_a_tempo_that_cannot_be_meant_is_none(tmp_path: Path, tempo: float) -> None:
    found = said_by(tmp_path, riff(HEAD, acid(tempo=tempo))).acid
    assert found is not None
    assert found.tempo_bpm is None


def test_markers_have_their_times_and_labels(tmp_path: Path) -> None:
    data = riff(chunk(b"fmt ", format_chunk()), labels(n2=b"Refr\xe4n"), cue(0, 2_205), HEAD[24:])
    found = said_by(tmp_path, data)
    assert found.cues == (CuePoint(time_s=0.0), CuePoint(time_s=0.05, label="Refrän"))
    assert found.cue_count == 2


def test_broadcasters_notes_with_their_loudness(tmp_path: Path) -> None:
    data = riff(bext(levels=(-2_300, 710, -105, -1_870, 0x7FFF)), HEAD)
    assert said_by(tmp_path, data).broadcast == BroadcastInfo(
        description="Rain",
        originator="Ann",
        originator_reference="REF1",
        origination_date="2024-05-17",
        origination_time="18:30:00",
        time_reference_s=2.0,
        integrated_lufs=-23.0,
        range_lu=7.1,
        true_peak_dbtp=-1.05,
        momentary_max_lufs=-18.7,
    )


def test_broadcasters_notes_of_an_older_version_have_no_loudness(tmp_path: Path) -> None:
    found = said_by(tmp_path, riff(bext(version=1, date=b"yesterday", levels=(1,) * 5), HEAD))
    assert found.broadcast is not None
    assert found.broadcast.integrated_lufs is None
    assert found.broadcast.origination_date is None


def test_lists_end_at_their_published_lengths_and_are_counted_whole(tmp_path: Path) -> None:
    loops, places = [(0, 0, 9, 0)] * (MOST_LOOPS + 5), range(MOST_CUES + 7)
    found = said_by(tmp_path, riff(HEAD, smpl(*loops), cue(*places)))
    assert found.sampler is not None
    assert (len(found.sampler.loops), found.sampler.loop_count) == (100, 105)
    assert (len(found.cues), found.cue_count) == (1_000, 1_007)


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
def test_what_stands_behind_the_samples_of_a_file_over_4_gib_is_found(name: bytes) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, len(SOUND), 0, 0))
    data = b"data" + struct.pack("<I", 0xFFFF_FFFF) + SOUND
    form = form_of(File(riff(ds64, chunk(b"fmt ", format_chunk()), data, acid(), name=name)))
    assert form is not None
    assert of_form(form, RATE).acid is not None


def aiff(*chunks: tuple[bytes, bytes]) -> bytes:
    rate = struct.pack(">HQ", 16_398, 0xAC44_0000_0000_0000)  # 44,100 as an extended float
    sound = np.frombuffer(SOUND, "<i2").astype(">i2").tobytes()
    comm = struct.pack(">hIh", 1, len(sound) // 2, 16) + rate
    parts = ((b"COMM", comm), (b"SSND", bytes(8) + sound), *chunks)
    body = b"".join(n + struct.pack(">I", len(c)) + c + bytes(len(c) % 2) for n, c in parts)
    return b"FORM" + struct.pack(">I", len(body) + 4) + b"AIFF" + body


def test_an_aiff_gives_its_instrument_and_markers(tmp_path: Path) -> None:
    marks = struct.pack(">H", 2)
    marks += struct.pack(">hIB", 1, 441, 5) + b"start" + struct.pack(">hIB", 2, 882, 4) + b"end!\0"
    loops = struct.pack(">hhh", 2, 1, 2) + struct.pack(">hhh", 1, 1, 9)
    inst = struct.pack(">bbbbbbh", 60, -20, 0, 127, 1, 127, 0) + loops
    found = said_by(tmp_path, aiff((b"MARK", marks), (b"INST", inst)), "a.aiff")
    assert found == Annotations(
        sampler=SamplerInfo(
            root_note=60,
            fine_tune_cents=20.0,
            loops=(SampleLoop(kind=LoopKind.PING_PONG, start_s=0.01, end_s=0.02),),
            loop_count=1,
        ),
        cues=(CuePoint(time_s=0.01, label="start"), CuePoint(time_s=0.02, label="end!")),
        cue_count=2,
    )


def test_a_file_that_says_nothing_is_told_from_one_that_was_not_asked(tmp_path: Path) -> None:
    assert said_by(tmp_path, riff(HEAD)) == Annotations()


FULL = riff(
    bext(levels=(1, 2, 3, 4, 5)), HEAD, smpl((0, 0, 9, 0)), acid(), cue(1, 2), labels(n1=b"a")
)


@given(st.binary(max_size=400), st.integers(0, len(FULL)), st.integers(0, len(FULL)))
def test_damage_anywhere_never_raises_and_reads_no_more_than_there_is(
    junk: bytes, start: int, end: int
) -> None:
    file = File(FULL[:start] + junk + FULL[end:])
    if (form := form_of(file)) is not None:
        found = of_form(form, RATE)
        assert len(found.cues) <= MOST_CUES
    assert file.bytes_read <= 12 * file.size + 100 + 8 * MOST_CHUNKS


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_FFFF, 1 << 20])
@pytest.mark.parametrize("name", [b"smpl", b"acid", b"cue ", b"bext", b"LIST", b"junk"])
def test_a_size_beyond_the_file_takes_no_memory(name: bytes, size: int) -> None:
    file = File(riff(HEAD, chunk(name, b"adtl" + b"\xff" * 100, size)))
    form = form_of(file)
    assert form is not None
    of_form(form, RATE)
    assert file.bytes_read < 1_000


def test_of_a_chunk_of_megabytes_only_the_first_is_read() -> None:
    file = File(riff(HEAD, chunk(b"bext", b"x" * (4 * MOST_BYTES))))
    form = form_of(file)
    assert form is not None
    assert of_form(form, RATE).broadcast is not None
    assert file.bytes_read < MOST_BYTES + 1_000


def test_chunks_without_end_are_left_alone() -> None:
    form = form_of(File(riff(*[chunk(b"none", b"")] * (3 * MOST_CHUNKS))))
    assert form is not None
    assert len(form.chunks) == MOST_CHUNKS


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\0\0\0\0AVI ", b"ID3" + bytes(50), HEAD])
def test_what_is_not_made_of_such_chunks_has_none(data: bytes) -> None:
    assert form_of(File(data)) is None


def encoded(path: Path, codec: str, tags: dict[str, str]) -> Path:
    """Half a second with tags, by an encoder."""
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        fits = av.AudioResampler(stream.codec_context.format, "mono", 48_000, 960)
        sound = np.ascontiguousarray(tone(0.5, 48_000).T, dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.rate = 48_000
        for part in (*fits.resample(frame), None):
            container.mux(stream.encode(part))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "tags"),
    [
        ("a.mp3", "libmp3lame", {"TBPM": "126", "TKEY": "Am"}),
        ("a.flac", "flac", {"BPM": "126.00", "INITIALKEY": "Am"}),
        ("a.ogg", "libopus", {"bpm": "126", "key": "Am"}),
    ],
)
def test_tags_give_tempo_and_key(
    tmp_path: Path, name: str, codec: str, tags: dict[str, str]
) -> None:
    found = analyze(encoded(tmp_path / name, codec, tags), ["annotations"]).annotations
    assert found is not None
    assert (found.tempo_bpm, found.key) == (126.0, "Am")


def atom(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


@pytest.fixture(scope="module")
def mp4_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An MP4 whose tags have a tempo."""
    path = encoded(tmp_path_factory.mktemp("mp4") / "a.m4a", "aac", {})
    tempo = atom(b"tmpo", atom(b"data", struct.pack(">IIH", 21, 0, 126)))
    data = bytearray(path.read_bytes() + tempo)
    # The list of tags is the end of the last atom: it and those around it grow, and nothing moves.
    for name in (b"moov", b"udta", b"meta", b"ilst"):
        at = data.rindex(name) - 4
        (size,) = struct.unpack_from(">I", data, at)
        assert at + size == len(data) - len(tempo)
        struct.pack_into(">I", data, at, size + len(tempo))
    return bytes(data)


def test_an_mp4s_tmpo_is_the_tempo(tmp_path: Path, mp4_file: bytes) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(mp4_file)
    found = analyze(path, ["annotations"]).annotations
    assert found is not None
    assert found.tempo_bpm == 126.0


@given(st.data())
def test_a_damaged_mp4_never_raises(mp4_file: bytes, data: st.DataObject) -> None:
    damaged = bytearray(mp4_file)
    start = mp4_file.rindex(b"moov") - 8
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(start, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    file = File(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    mp4.tempo_bpm(file)
    assert file.bytes_read <= 16 * 6 * MOST_CHUNKS


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("128", 128.0),
        ("127,5 BPM", 127.5),
        (" 99.99 ", 99.99),
        *((text, None) for text in ("", "0", "fast", "120-130", "99999", "nan", "-5", "1e2")),
    ],
)
def test_only_a_number_is_a_tempo(text: str, bpm: float | None) -> None:
    assert tempo_bpm({"bpm": text}) == bpm
    assert tempo_bpm({"bpm": text, "tbpm": "60"}) == (bpm or 60.0)


def test_a_key_is_as_it_is_written_but_for_zeros_and_length() -> None:
    assert key({"key": " F#m\0"}) == "F#m"
    assert key({"initialkey": "", "key": "8A"}) == "8A"
    assert key({"key": "x" * 5_000}) == "x" * 1_000
    assert key({}) is None


def test_real_files_say_what_their_makers_wrote(samples: Path) -> None:
    loop = analyze(samples / "loops" / "loop_Drums_170BPM.wav", ["annotations"]).annotations
    assert loop is not None
    assert loop.broadcast is not None
    assert (loop.broadcast.originator, loop.broadcast.origination_date) == ("REAPER", "2021-11-12")
    snares = (samples / "oneshots").glob("snare_501249*.wav")
    snare = analyze(next(snares), ["annotations"]).annotations
    assert snare is not None
    assert snare.acid is not None
    assert (snare.acid.tempo_bpm, snare.acid.beats, snare.acid.one_shot) == (170.0, 4, False)
    assert snare.sampler is not None
    assert snare.sampler.root_note == 60
