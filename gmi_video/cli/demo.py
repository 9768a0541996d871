"""The command `demo`: the whole library at work against a GMI Cloud of its own inside the process."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from attrs import evolve, frozen

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import Column, printable
from gmi_video.cli.progress import Progress
from gmi_video.cli.times import span
from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.events import Event
from gmi_video.records import Status, Video, VideoRequest
from gmi_video.settings import Pace

if TYPE_CHECKING:
    from gmi_video.sandbox import Charge, Script
    from gmi_video.session import Session

TABLE = (
    Column("model", whole=True),
    Column("queued", right=True),
    Column("processing", right=True),
    Column("price", right=True),
    Column("path"),
)
PACE = Pace(first=0.05, growth=1.0, longest=0.1, jitter=0.2)
"""Twenty looks a second at most: a matter of display; at GMI the first look is after two seconds."""


@frozen(kw_only=True)
class Scene:
    """One video of the demo. `queued` and `working` are the seconds that its model usually takes at GMI."""

    name: str
    request: VideoRequest
    queued: float
    working: float


SCENES = (
    Scene(
        name="paper-boat",
        request=VideoRequest(
            "Veo3-Fast",
            {
                "prompt": "A paper boat sails down a rainy street",
                "durationSeconds": "4",
                "aspectRatio": "16:9",
            },
        ),
        queued=24,
        working=45,
    ),
    Scene(
        name="fox",
        request=VideoRequest(
            "wan2.7-t2v",
            {
                "prompt": "A fox crosses a snowy field at dawn",
                "duration": 5,
                "ratio": "1:1",
                "resolution": "720P",
            },
        ),
        queued=40,
        working=110,
    ),
    Scene(
        name="lanterns",
        request=VideoRequest(
            "Kling-Text2Video-V2.1-Master",
            {"prompt": "Paper lanterns drift over a quiet lake", "duration": "5", "aspect_ratio": "9:16"},
        ),
        queued=50,
        working=230,
    ),
    Scene(
        name="lighthouse",
        request=VideoRequest(
            "pixverse-v5.6-t2v",
            {
                "prompt": "A lighthouse stands firm in a storm",
                "duration": "5",
                "aspect_ratio": "4:3",
                "quality": "540p",
            },
        ),
        queued=60,
        working=95,
    ),
)
"""Kling's duration is what its users measured (about 240 s); the others are of the order they report."""


def demo(
    *,
    into: Annotated[
        Path, cyclopts.Parameter(name="--into", metavar="DIR", help="Where the four files go.")
    ] = Path("demo"),
    speed: Annotated[
        float, cyclopts.Parameter(help="How many times faster than at GMI time runs in the demo.")
    ] = 40.0,
    seed: Annotated[int, cyclopts.Parameter(help="Of all that is drawn, durations among it.")] = 7,
    json: options.Json = False,
) -> int:
    """Makes four videos on four models at once, against a GMI Cloud inside this process: no key, no cost.

    A file that is there is left alone: a second run numbers its own.
    """

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.sandbox import Sandbox  # noqa: PLC0415  # both load aiohttp, which takes a while
        from gmi_video.session import Session  # noqa: PLC0415

        try:
            sandbox = Sandbox(script(), speed=speed, seed=seed, render="early")
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        paths = fresh(into, [scene.name for scene in SCENES])
        await asyncio.to_thread(_make, into)
        begun = time.monotonic()
        with Progress(desk) as progress:
            async with sandbox:
                if sandbox.note:
                    desk.note(sandbox.note)
                async with Session(evolve(sandbox.settings, pace=PACE)) as session:
                    runs = [
                        _film(session, progress, scene, path, speed)
                        for scene, path in zip(SCENES, paths, strict=True)
                    ]
                    made = await asyncio.gather(*runs, return_exceptions=True)
                charges = {charge.request_id: charge for charge in sandbox.charges}
        return _told(desk, made, charges, speed, time.monotonic() - begun)

    return guarded(work, as_json=json)


def script() -> "Script":
    """Each scene's model with its usual times and every step that the service documents."""
    from gmi_video.sandbox import Behaviour, Script  # noqa: PLC0415  # as above

    steps = ("queued", "dispatched", "processing")
    return Script(
        models={
            scene.request.model: Behaviour(steps=steps, queued=scene.queued, median=scene.working, sigma=0.12)
            for scene in SCENES
        }
    )


def fresh(folder: Path, names: list[str]) -> list[Path]:
    """A free path for each name: all of one run with the same number, the first run without."""
    number = 1
    while True:
        end = "" if number == 1 else f"-{number}"
        paths = [folder / f"{name}{end}.mp4" for name in names]
        if not any(path.exists() or path.is_symlink() for path in paths):
            return paths
        number += 1


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--into {str(folder)!r}: {error.strerror or 'the folder cannot be made'}"
        raise ConfigurationError(message) from None


@frozen(kw_only=True)
class Film:
    """A scene that became a file, with the seconds it was seen to queue and to be worked on."""

    video: Video
    queued: float
    working: float


async def _film(session: "Session", progress: Progress, scene: Scene, path: Path, speed: float) -> Film:
    request, started, ended = scene.request, 0.0, 0.0

    def seen(event: Event) -> None:
        nonlocal started, ended
        snapshot = getattr(event, "snapshot", None)
        if snapshot is not None and snapshot.status is Status.PROCESSING and not started:
            started = event.elapsed
        ended = event.elapsed
        progress.event(scene.name, event, saves=True)

    typical = (scene.queued + scene.working) / speed
    progress.take(
        scene.name, "submitting", title=str(request.payload["prompt"]), model=request.model, typical=typical
    )
    video = await session.generate(request, to=path, on_event=seen)
    progress.saved(scene.name, video.files)
    return Film(video=video, queued=started or ended, working=ended - (started or ended))


def _told(
    desk: Desk,
    made: "list[Film | BaseException]",
    charges: "dict[str, Charge]",
    speed: float,
    took: float,
) -> int:
    films = [each for each in made if isinstance(each, Film)]
    for film in films:
        desk.record(film.video)
    if not desk.manner.json:
        if desk.manner.live:
            desk.data("")
        desk.table(TABLE, [_row(film, charges) for film in films])
    if desk.manner.live:
        desk.data("")
    desk.note(
        f"{len(films)} videos in {span(took)}. In the sandbox time is compressed {speed:g} times: one second here "
        f"stands for {speed:g} at GMI. Prices are the sandbox's; nothing was charged."
    )
    for error in made:
        if isinstance(error, GmiVideoError):
            desk.record(error)
            desk.fail(printable(error))
        elif isinstance(error, BaseException):
            raise error
    return exits.OK if len(films) == len(made) else exits.FAILED


def _row(film: Film, charges: "dict[str, Charge]") -> tuple[str, ...]:
    snapshot = film.video.snapshot
    dollars = charges[snapshot.request_id].price / 1_000_000
    path = str(film.video.path)
    return (snapshot.model, f"{film.queued:.1f} s", f"{film.working:.1f} s", f"${dollars:.2f}", path)
