"""`harken show`: pictures of a sound in the terminal, of a file here or of a job's artifacts."""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from harken.client.cli import exit_codes
from harken.client.cli.blocks import block_lines, in_colour
from harken.client.cli.options import PICTURE_KINDS
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.summary import result_lines
from harken.client.cli.text import duration, plain
from harken.client.enums import PictureKind

if TYPE_CHECKING:
    from harken.client.analysis_result import AnalysisResult, Picture

GROUP: Final = "harken.pictures"
SAVED: Final = (1600, 500)
LINES: Final = 8  # of the terminal, to a picture
MOST_COLUMNS: Final = 160
MISSING: Final = "This needs more than the base install. Run: pip install 'harken[audio]'"
DRAWN: Final = tuple(kind for kind in PICTURE_KINDS if kind != "peaks")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture, and what is said of it."""

    picture: "Picture"
    content: bytes


@click.command()
@click.argument("which", metavar="FILE|JOB")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(DRAWN),
    help="What to show; several times for several. [default: all]",
)
@click.option("--theme", type=click.Choice(("dark", "light")), default="dark", show_default=True)
@click.option("--save", type=click.Path(path_type=Path), help="Keep the files in this folder too.")
@shared_options
@pass_session
def show(
    session: Session, which: str, kinds: tuple[str, ...], theme: str, save: Path | None
) -> None:
    """Show a sound in the terminal: its waveform, spectrogram, chromagram, tempogram and loudness.

    A file is analysed here, without a server. Of a job its pictures are shown, if it was submitted
    with --pictures; --theme then is the job's own.
    """
    wide = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    if os.path.exists(which):
        result, shown, files = _of_file(which, kinds or DRAWN, theme, wide, save is not None)
    else:
        result, shown = _of_job(session, which, kinds)
        files = {one.picture.artifact_name or "": one.content for one in shown}
    if session.as_json:
        session.emit(result)
    else:
        _print(result, shown, wide, dark=theme == "dark")
    if save is not None:
        for place in _keep(files, save):
            click.echo(plain(str(place)), err=session.as_json)


def _of_file(
    path: str, kinds: tuple[str, ...], theme: str, wide: int, save: bool
) -> "tuple[AnalysisResult, list[Shown], dict[str, bytes]]":
    from google.protobuf.json_format import ParseDict

    from harken.client.analysis_result import AnalysisResult, Picture
    from harken.client.convert import decode
    from harken.v1.analysis_result_pb2 import AnalysisResult as ResultMessage
    from harken.v1.pictures_pb2 import Picture as PictureMessage

    found = next(iter(entry_points(group=GROUP)), None)
    if found is None:
        raise click.UsageError(MISSING)
    try:
        look_at: Any = found.load()
    except ImportError:
        raise click.UsageError(MISSING) from None
    # So small that there are no labels: the plot fills the characters.
    sizes = [(max(wide, 64), 2 * LINES * 2), *([SAVED] if save else [])]
    try:
        said, sets = look_at(path, kinds, theme=theme, sizes=tuple(sizes))
    except ValueError as error:
        click.echo(f"Error: {plain(path)}: {error}", err=True)
        raise click.exceptions.Exit(exit_codes.JOB_FAILED) from None
    except OSError as error:
        raise click.UsageError(f"{plain(path)}: {error.strerror}") from None
    result = decode(AnalysisResult, ParseDict(said, ResultMessage(), ignore_unknown_fields=True))
    shown = [
        Shown(picture=decode(Picture, ParseDict(about, PictureMessage())), content=content)
        for _, about, content in sets[0]
    ]
    return result, shown, {name: content for name, _, content in sets[-1]} if save else {}


def _of_job(
    session: Session, job_id: str, kinds: tuple[str, ...]
) -> "tuple[AnalysisResult, list[Shown]]":
    with session.connect() as client, tempfile.TemporaryDirectory(prefix="harken-") as folder:
        job = client.get_job(job_id)
        pictures = job.result.pictures.pictures if job.result and job.result.pictures else ()
        wanted = {kind.replace("-", "_") for kind in kinds or DRAWN}
        names = {one.artifact_name: one for one in pictures if one.kind in wanted}
        if not job.state.is_terminal:
            raise click.UsageError(f"Job {job_id} has not ended. Run: harken watch {job_id}")
        if not names or job.result is None:
            what = ",".join(kinds) or "all"
            place = plain(job.place) if job.place else "FILE"
            raise click.UsageError(
                f"Job {job_id} has no such pictures."
                f" Run: harken submit {place} --pictures {what} --watch"
            )
        shown: list[Shown] = []
        for artifact in client.media.artifacts(job_id):
            if artifact.name in names:
                path = client.media.download(artifact.artifact_id, Path(folder))
                shown.append(Shown(picture=names[artifact.name], content=path.read_bytes()))
        order = list(PictureKind)
        return job.result, sorted(shown, key=lambda one: order.index(one.picture.kind))


def _print(result: "AnalysisResult", shown: list[Shown], wide: int, *, dark: bool) -> None:
    try:
        from PIL import Image
    except ImportError:
        raise click.UsageError(MISSING) from None
    colour = in_colour(is_terminal=sys.stdout.isatty())
    length = result.media.duration_s if result.media else None
    for one in shown:
        at = one.picture
        image = Image.open(io.BytesIO(one.content)).convert("RGB")
        left, top = at.plot_left or 0, at.plot_top or 0
        right, bottom = (
            left + (at.plot_width or image.width),
            top + (at.plot_height or image.height),
        )
        image = image.resize((wide, 2 * LINES), Image.Resampling.BOX, (left, top, right, bottom))
        click.echo(at.kind.value.replace("_", " "))
        for line in block_lines(image, colour=colour, dark=dark):
            click.echo(line, color=colour or None)
        end = duration(length)
        click.echo(f"0{end:>{wide - 1}}" if length is not None else "")
    for line in result_lines(result):
        click.echo(line)


def _keep(files: dict[str, bytes], folder: Path) -> Iterable[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
            yield folder / name
    except OSError as error:
        raise click.UsageError(f"{plain(str(folder))}: {error.strerror}") from None
