"""Videos: what they are, and thumbnails, a contact sheet and a proxy of them as artifacts."""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast

from harken.audio import ContactSheet, Feature, Proxy, Thumbnail, Video
from harken.audio.video.contact_sheet import Grid, clock, contact_sheet
from harken.audio.video.film import Film, no_frames
from harken.audio.video.frame_finder import Found, FrameFinder
from harken.audio.video.picture import encoded, picture_of
from harken.audio.video.poster import poster
from harken.audio.video.probe import probe
from harken.audio.video.proxy import MEDIA_TYPE, ProxyForm, can_encode, write_proxy
from harken.audio.video.shape import Shape, box_of
from harken.jobs.job import ErrorKind
from harken.jobs.options import ImageFormat, VideoOptions, VideoProduct
from harken.tasks.plan.copying import publish_copy
from harken.tasks.plan.step import Groups, Report, Step
from harken.tasks.room import Room
from harken.tasks.work import WorkFailed

EXTENSIONS: Final = {ImageFormat.JPEG: "jpg", ImageFormat.PNG: "png"}
PROXY_NAME: Final = "proxy.mp4"
# What each part costs, in passes over the sound: decoding, and above all encoding, the picture of the whole film.
COSTS: Final = {
    VideoProduct.FACTS: 0.2,
    VideoProduct.THUMBNAILS: 0.3,
    VideoProduct.CONTACT_SHEET: 1.0,
    VideoProduct.PROXY: 10.0,
}


class VideoStep(Step):
    """Makes an artifact of each thumbnail, of the contact sheet and of the proxy."""

    feature = Feature.VIDEO
    cost = COSTS[VideoProduct.FACTS]

    @property
    def spends(self) -> float:
        """What the products cost that are asked for."""
        return sum(COSTS[part] for part in self._parts)

    @property
    def _options(self) -> VideoOptions:
        return self.bench.options.video or VideoOptions()

    @property
    def _parts(self) -> tuple[VideoProduct, ...]:
        """In the order in which they are made; the facts always."""
        asked = {VideoProduct.FACTS, *self._options.products}
        return tuple(part for part in VideoProduct if part in asked)

    def run(self, groups: Groups, report: Report) -> Video:  # noqa: ARG002 # needs none
        """Looks at the file, and makes what is asked for."""
        room = Room.of(self.bench.work)
        kept = 0

        def keep(content: BinaryIO, name: str, media_type: str, tell: Callable[[], None]) -> None:
            nonlocal kept
            kept += content.seek(0, os.SEEK_END)
            room.check(kept)
            content.seek(0)
            publish_copy(
                self.bench, content, name=name, media_type=media_type, on_bytes=lambda _: tell()
            )

        with self._film() as film:
            tell = self._telling(VideoProduct.FACTS, report)
            video = probe(film, lambda: tell(0.0, "looked at"))
            if VideoProduct.THUMBNAILS in self._parts:
                tell = self._telling(VideoProduct.THUMBNAILS, report)
                video = replace(video, thumbnails=self._thumbnails(film, video, keep, tell))
            if VideoProduct.CONTACT_SHEET in self._parts:
                tell = self._telling(VideoProduct.CONTACT_SHEET, report)
                video = replace(video, contact_sheet=self._sheet(film, video, keep, tell))
            damaged = film.damaged_packets
        if VideoProduct.PROXY in self._parts:
            tell = self._telling(VideoProduct.PROXY, report)
            # As it is opened, with what sound there is before the first frame.
            with self._film() as film:
                video = replace(video, proxy=self._proxy(film, video, keep, room, tell))
                damaged = film.damaged_packets  # of the whole film
        return replace(video, damaged_packets=damaged)

    def _film(self) -> Film:
        return Film(
            self.bench.name,
            descriptor=self.bench.descriptor,
            limits=self.bench.limits,
            threads=self._threads,
        )

    @property
    def _threads(self) -> int:
        """As many children as the worker has may be at it."""
        return max((os.cpu_count() or 1) // self.bench.work.settings.concurrency, 1)

    def _telling(self, part: VideoProduct, report: Report) -> Report:
        """Reports the share of one part as one of the whole step."""
        parts = self._parts
        before = sum(COSTS[other] for other in parts[: parts.index(part)])

        def tell(share: float, message: str) -> None:
            done = before + COSTS[part] * min(max(share, 0.0), 1.0)
            report(done / self.spends, message)

        return tell

    def _thumbnails(
        self, film: Film, video: Video, keep: "Keep", tell: Report
    ) -> tuple[Thumbnail, ...]:
        options = self._options
        times: tuple[float | None, ...] = options.thumbnail_times_s or (None,)
        made: dict[int, Thumbnail] = {}
        finder = FrameFinder(film, lambda: tell(len(made) / len(times), "thumbnails"))
        # In the order of the film, which is looked through once, whatever the order asked for.
        for number in sorted(range(len(times)), key=lambda number: times[number] or 0.0):
            time_s = times[number]
            if time_s is None:
                found = poster(finder, video.duration_s)
            else:
                found = finder.at(min(time_s, video.duration_s or time_s))
            if found is None:
                raise no_frames(film)
            name = "thumbnail" if len(times) == 1 else f"thumbnail-{number + 1}"
            made[number] = self._thumbnail(
                film, found, name, time_s, lambda c, n, m: keep(c, n, m, lambda: None)
            )
        return tuple(made[number] for number in range(len(times)))

    def _thumbnail(
        self,
        film: Film,
        found: Found,
        name: str,
        time_s: float | None,
        keep: Callable[[BinaryIO, str, str], None],
    ) -> Thumbnail:
        options = self._options
        shape = Shape.of(found.frame, film.stream.sample_aspect_ratio)
        size = shape.within(box_of(options.thumbnail_height))
        file_name = f"{name}.{EXTENSIONS[options.image_format]}"
        content = encoded(picture_of(found.frame, shape, size), options.image_format)
        keep(io.BytesIO(content), file_name, f"image/{options.image_format}")
        return Thumbnail(
            artifact_name=file_name,
            time_s=time_s,
            frame_time_s=found.time_s,
            width=size.width,
            height=size.height,
        )

    def _sheet(self, film: Film, video: Video, keep: "Keep", tell: Report) -> ContactSheet:
        options = self._options
        grid = Grid(
            columns=options.sheet_columns, rows=options.sheet_rows, width=options.sheet_width
        )
        done = 0

        def on_cell(count: int) -> None:
            nonlocal done
            done = count
            on_frame()

        def on_frame() -> None:
            tell(done / grid.cells, f"{done} of {grid.cells} frames")

        sheet = contact_sheet(
            film,
            FrameFinder(film, on_frame),
            video.duration_s or film.step_s,
            grid,
            _title(video),
            on_cell,
        )
        if sheet is None:
            raise no_frames(film)
        file_name = f"contact-sheet.{EXTENSIONS[options.image_format]}"
        content = encoded(sheet.picture, options.image_format)
        keep(io.BytesIO(content), file_name, f"image/{options.image_format}", on_frame)
        return ContactSheet(
            artifact_name=file_name,
            columns=min(grid.columns, len(sheet.times_s)),
            rows=sheet.rows,
            frame_times_s=sheet.times_s,
            width=sheet.picture.width,
            height=sheet.picture.height,
        )

    def _proxy(self, film: Film, video: Video, keep: "Keep", room: Room, tell: Report) -> Proxy:
        if not can_encode():
            message = (
                "FFmpeg's libraries beside this worker cannot make H.264. Install PyAV's wheel from PyPI, which brings"
                " an encoder."
            )
            raise WorkFailed(kind=ErrorKind.INTERNAL, reason="ENCODER_MISSING", message=message)
        form = ProxyForm(height=self._options.proxy_height, fps=self._options.proxy_fps)
        # Nameless from the start: a process that is killed leaves nothing behind.
        with cast(BinaryIO, TemporaryFile(prefix="harken-")) as file:

            def on_time(time_s: float) -> None:
                room.check(file.tell())
                length_s = video.duration_s or 0.0
                share = time_s / length_s if length_s > 0 else 0.0
                tell(share, f"{time_s:.0f} of {length_s:.0f} s")

            made = write_proxy(film, file, form, threads=self._threads, on_time=on_time)
            keep(file, PROXY_NAME, MEDIA_TYPE, lambda: tell(1.0, "kept"))
        return replace(made, artifact_name=PROXY_NAME)


# Makes a file an artifact: its content, name and media type, and what is called with each block.
Keep = Callable[[BinaryIO, str, str, Callable[[], None]], None]


def _title(video: Video) -> str:
    parts = [
        clock(video.duration_s) if video.duration_s else "",
        f"{video.display_width} x {video.display_height}",  # Pillow's own font lacks ×
        f"{video.fps:.4g} fps" if video.fps else "",
        video.codec or "",
    ]
    return "   ".join(part for part in parts if part)
