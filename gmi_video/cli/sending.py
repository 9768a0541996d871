"""The command that sends files: `upload`."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import cyclopts

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.entrance import settings
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import printable, size
from gmi_video.cli.times import span
from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.transfer import Transfer

if TYPE_CHECKING:
    from rich.progress import Progress

File = Annotated[Path, cyclopts.Parameter(metavar="FILE", help="Pictures, clips, sounds.", negative="")]


def upload(
    *files: File,
    file_type: Annotated[
        str | None,
        cyclopts.Parameter(
            name="--file-type",
            metavar="TYPE",
            help="What they are, where their names promise something else.",
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Puts files where models can read them. Prints the public link of each, in the order given.

    gmi-video upload photo.jpg

    JPEG, PNG, MP4, MP3 and WAV are taken. Anybody who knows a link can read it. `-p image=@photo.jpg` uploads by itself.
    """

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        if not files:
            message = "name at least one file to upload"
            raise ConfigurationError(message)
        worst = exits.OK
        with Bars(desk) as bars:
            async with Session(settings()) as session:
                for path in files:
                    _no_link(path)
                    begun = time.monotonic()
                    sent: list[Transfer] = []
                    try:
                        link = await session.upload(path, file_type=file_type, progress=bars.of(path, sent))
                    except GmiVideoError as error:
                        if len(files) == 1:
                            raise
                        desk.fail(printable(error))
                        worst = max(worst, exits.code_of(error))
                        continue
                    took = span(time.monotonic() - begun)
                    told = f" ({size(sent[-1].total or sent[-1].done)})" if sent else ""
                    desk.note(f"uploaded {printable(path)}{told} in {took}")
                    if json:
                        desk.json({"file": str(path), "url": link})
                    else:
                        desk.data(link)
        return worst

    return guarded(work, as_json=json)


def _no_link(path: Path) -> None:
    """Raises `ConfigurationError` for a link, which a path has a slash less of."""
    if path.as_posix().startswith(("https:/", "http:/", "data:")) and not path.exists():
        message = f"{printable(path)} is a link: it stands in a payload as it is, only files are uploaded"
        raise ConfigurationError(message)


class Bars:
    """A bar for each file under way, on a terminal; nothing elsewhere."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._progress: Progress | None = None

    def of(self, path: Path, sent: list[Transfer]) -> Callable[[Transfer], object]:
        """What is to be told how far this file has come; the last word of it is in `sent`."""
        progress = self._progress
        task = None if progress is None else progress.add_task(printable(path.name), total=None)

        def tell(transfer: Transfer) -> None:
            sent[:] = [transfer]
            if progress is None or task is None:
                return
            progress.update(task, completed=transfer.done, total=transfer.total)
            if transfer.done == transfer.total:
                progress.remove_task(task)

        return tell

    def __enter__(self) -> Self:
        if self._desk.manner.live:
            from rich.progress import (  # noqa: PLC0415  # as above
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=self._desk.console,
                transient=True,
            )
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
