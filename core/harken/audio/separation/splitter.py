"""The listener that takes a recording apart while it is decoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import SoundBlock
from harken.audio.result import StemKind
from harken.audio.separation.foreground_background import foreground_background
from harken.audio.separation.harmonic_percussive import harmonic_percussive
from harken.audio.separation.separator import Separator
from harken.audio.separation.stem_files import StemFile, StemFiles

# Makes a separator for so many samples a second of so many channels.
Separation = Callable[[int, int], Separator]

SEPARATIONS: Final[Mapping[StemKind, Separation]] = {
    StemKind.HARMONIC_PERCUSSIVE: harmonic_percussive,
    StemKind.FOREGROUND_BACKGROUND: foreground_background,
}


@dataclass(frozen=True, kw_only=True)
class _Way:
    separator: Separator
    files: StemFiles


class StemSplitter(Analysis):
    """Takes the sound apart in several ways at once, into files without names; leave them by `close_files`.

    `on_bytes` is told how large all of them are, and may raise what has to stop it.
    """

    hears = Hears.SOUND

    def __init__(
        self, separations: Mapping[StemKind, Separation], on_bytes: Callable[[int], None]
    ) -> None:
        self._separations = separations
        self._on_bytes = on_bytes
        self._ways: dict[StemKind, _Way] = {}
        self._open: list[BinaryIO] = []
        self.stems: Mapping[StemKind, tuple[StemFile, ...]] = {}

    def on_sound(self, block: SoundBlock) -> None:
        """Take the next samples apart."""
        if not self._ways:
            self._ways = {kind: self._begun(kind, block) for kind in self._separations}
        for way in self._ways.values():
            way.files.add(way.separator.push(block.samples))
        self._on_bytes(sum(way.files.size for way in self._ways.values()))

    def finish(self) -> None:
        """Write what is left; then `stems` are there, by kinds."""
        stems: dict[StemKind, tuple[StemFile, ...]] = {}
        for kind, way in self._ways.items():
            way.files.add(way.separator.finish())
            stems[kind] = way.files.finish()
        self.stems = stems
        self._on_bytes(sum(stem.size for some in stems.values() for stem in some))

    def close_files(self) -> None:
        """Take all files away."""
        for file in self._open:
            file.close()

    def _begun(self, kind: StemKind, block: SoundBlock) -> _Way:
        separator = self._separations[kind](block.sample_rate, len(block.channels))
        files = StemFiles(separator.names, block.sample_rate, block.channels, self._new_file)
        return _Way(separator=separator, files=files)

    def _new_file(self) -> BinaryIO:
        # Nameless from the start: a process that is killed leaves nothing behind.
        file = cast(BinaryIO, TemporaryFile(prefix="harken-"))  # noqa: SIM115 # `close_files` closes it
        self._open.append(file)
        return file
