"""Nothing in a file makes the engine open another file, or a socket."""

import ctypes
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import av
import pytest

from harken.audio import InputError, analyze, container
from tests.data import referring
from tests.data.damaged import wav_bytes

IN_OPEN, IN_ACCESS = 0x20, 0x01
SECRET = wav_bytes(bytes(16_000), rate=8_000)


class Trap:
    """A secret file and a listening socket, both of which notice when somebody comes."""

    def __init__(self, folder: Path) -> None:
        self.secret = folder / "secret.wav"
        self.secret.write_bytes(SECRET)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watch = self._libc.inotify_init1(os.O_NONBLOCK)
        path = os.fsencode(self.secret)
        assert self._libc.inotify_add_watch(self._watch, path, IN_OPEN | IN_ACCESS) > 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def was_sprung(self) -> bool:
        """Whether the file was opened or somebody has connected, since the last time."""
        opened = connected = False
        with suppress(BlockingIOError):
            opened = bool(os.read(self._watch, 4096))
        with suppress(BlockingIOError):
            self._listener.accept()[0].close()
            connected = True
        return opened or connected

    def close(self) -> None:
        """Takes it away."""
        os.close(self._watch)
        self._listener.close()


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    """A trap beside the file that is to be analysed."""
    trap = Trap(tmp_path)
    yield trap
    trap.close()


def places(trap: Trap) -> dict[str, str]:
    """The ways to say where the trap is."""
    return {
        "neighbour": trap.secret.name,
        "absolute path": str(trap.secret),
        "file": f"file:{trap.secret}",
        "subfile": f"subfile,,start,0,end,100,,:{trap.secret}",
        "concat": f"concat:{trap.secret}|{trap.secret}",
        "http": f"http://{trap.address}/a.wav",
        "tcp": f"tcp://{trap.address}",
        "https": f"https://{trap.address}/a.wav",
    }


@pytest.mark.parametrize("way", ["neighbour", "absolute path", "subfile", "concat", "http", "tcp"])
@pytest.mark.parametrize("kind", referring.TEXTS)
@pytest.mark.parametrize("extension", ["", ".wav", ".mov"])
def test_a_list_of_other_files_is_refused_and_not_followed(
    trap: Trap, tmp_path: Path, kind: str, way: str, extension: str
) -> None:
    path = tmp_path / f"list{extension}"
    path.write_text(referring.TEXTS[kind].format(place=places(trap)[way]))
    with pytest.raises(InputError) as caught:
        analyze(path, ["media"])
    assert caught.value.reason == "PLAYLIST"
    assert "Submit those themselves" in caught.value.message
    assert not trap.was_sprung()


@pytest.mark.parametrize("way", ["neighbour", "http"])
@pytest.mark.parametrize("kind", referring.TEXTS)
@pytest.mark.parametrize(
    "wrap",
    [referring.behind_a_tag, lambda text: b" \r\n\t" + text, lambda text: b"\0" + text],
    ids=["behind a tag", "behind spaces", "behind a zero"],
)
def test_a_list_in_disguise_is_not_followed_either(
    trap: Trap, tmp_path: Path, kind: str, way: str, wrap: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "list.m3u8"
    path.write_bytes(wrap(referring.TEXTS[kind].format(place=places(trap)[way]).encode()))
    with pytest.raises(InputError):
        analyze(path, ["media"])
    assert not trap.was_sprung()


def test_a_movie_whose_sound_is_in_another_file_is_refused(trap: Trap, tmp_path: Path) -> None:
    path = tmp_path / "movie.mov"
    path.write_bytes(referring.movie_of_another_file(os.fsencode(trap.secret)))
    with pytest.raises(InputError) as caught:
        analyze(path, ["media"])
    assert caught.value.reason == "SOUND_ELSEWHERE"
    assert not trap.was_sprung()


@pytest.mark.parametrize("name", ["secret%d.wav", "secre%c.wav", "secret*.wav", "secret.idx"])
def test_a_name_is_no_pattern_of_other_files(trap: Trap, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(referring.VOBSUB)
    with pytest.raises(InputError):
        analyze(path, ["media"])
    assert not trap.was_sprung()


CARELESS = {
    "protocol_whitelist": "file,http,tcp,subfile,concat",
    "allowed_extensions": "ALL",
    "extension_picky": "0",
    "safe": "0",
}


@pytest.mark.parametrize("way", ["absolute path", "http"])
@pytest.mark.parametrize("kind", ["HLS", "HLS with a key", "concat"])
def test_without_the_engines_care_the_trap_springs(
    trap: Trap, tmp_path: Path, kind: str, way: str
) -> None:
    """So that the tests above are known to see what they look for."""
    path = tmp_path / "list.m3u8"
    path.write_text(referring.TEXTS[kind].format(place=places(trap)[way]))
    read_carelessly(path, CARELESS)
    assert trap.was_sprung()


def test_without_the_engines_care_a_movie_reads_the_other_file(trap: Trap, tmp_path: Path) -> None:
    path = tmp_path / "movie.mov"
    path.write_bytes(referring.movie_of_another_file(os.fsencode(trap.secret)))
    read_carelessly(path, {"enable_drefs": "1", "use_absolute_path": "1"})
    assert trap.was_sprung()


@pytest.mark.parametrize("way", ["absolute path", "http"])
@pytest.mark.parametrize("kind", ["HLS", "HLS with a key", "concat"])
@pytest.mark.parametrize("wall", ["no protocol", "no such format"])
def test_each_wall_holds_alone(
    trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wall: str, kind: str, way: str
) -> None:
    """Should a list not be told by its first bytes, and FFmpeg's other wall have a hole."""
    options = container._options()
    alone = {"no protocol": "protocol_whitelist", "no such format": "format_whitelist"}[wall]
    monkeypatch.setattr(container, "_options", lambda: {**CARELESS, alone: options[alone]})
    monkeypatch.setattr(container, "refuse_playlist", lambda _: None)
    path = tmp_path / "list.m3u8"
    path.write_text(referring.TEXTS[kind].format(place=places(trap)[way]))
    with pytest.raises(InputError):
        analyze(path, ["media"])
    assert not trap.was_sprung()


def read_carelessly(path: Path, options: dict[str, str]) -> None:
    """Reads a packet as a program does that opens files by their names."""
    with (
        suppress(av.error.FFmpegError, StopIteration),
        av.open(str(path), container_options=options, timeout=0.3) as opened,
    ):
        next(opened.demux())
