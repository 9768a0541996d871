"""Makes artifacts off the loop, each clip once, and serves the shipped ones where nothing can be rendered."""

import asyncio
import wave
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from io import BytesIO
from typing import Literal

from attrs import define, field

from gmi_video.sandbox.clips import Clip
from gmi_video.sandbox.storage import Shelf, Stored

Rendering = bool | Literal["early"]

_TYPES = {"video": "video/mp4", "image": "image/jpeg", "audio": "audio/wav"}
_AHEAD = 8
"""Clips made before anybody asked for them, at most this many under way: a fleet of a thousand requests that
nobody downloads must not cost a thousand renderings."""


@cache
def renderer_missing() -> str | None:
    """Why nothing can be rendered here, as a sentence; None where everything can."""
    if all(find_spec(name) for name in ("av", "PIL")):
        return None
    return (
        "Artifacts are the small sample shipped with the package, whatever length and size was asked for: "
        "install gmi_video[sandbox] (PyAV and Pillow) to have them rendered."
    )


@define
class Studio:
    """The artifacts of one run. `rendering`: True on demand, "early" also ahead of it, False: samples only."""

    rendering: Rendering
    missing: str | None = field(factory=renderer_missing)
    """Why nothing can be rendered, None where everything can."""
    _shelf: Shelf = field(init=False, factory=Shelf)
    _making: dict[Clip, asyncio.Future[Stored]] = field(init=False, factory=dict)
    _pool: ThreadPoolExecutor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="gmi-video-sandbox")

    @property
    def note(self) -> str | None:
        """What a user should know of the artifacts, as a sentence."""
        return None if self.rendering is False else self.missing

    @property
    def under_way(self) -> int:
        """How many artifacts are being made."""
        return len(self._making)

    def expect(self, clip: Clip) -> None:
        """Begins to make a clip that will be wanted, where rendering is early and few are under way."""
        if self.rendering == "early" and self.under_way < _AHEAD and self._shelf.get(clip) is None:
            self._begin(clip)

    async def make(self, clip: Clip) -> Stored:
        """The artifact, from the shelf or rendered now; callers who want the same one share the work."""
        stored = self._shelf.get(clip)
        if stored is None:
            stored = await asyncio.shield(self._begin(clip))
        return stored

    async def close(self) -> None:
        """Drops what has not begun and waits for what has."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    def _begin(self, clip: Clip) -> asyncio.Future[Stored]:
        future = self._making.get(clip)
        if future is None:
            render = self.rendering is not False and self.missing is None
            future = asyncio.get_running_loop().run_in_executor(self._pool, _make, clip, render)
            self._making[clip] = future
            future.add_done_callback(lambda done: self._done(clip, done))
        return future

    def _done(self, clip: Clip, future: asyncio.Future[Stored]) -> None:
        del self._making[clip]
        if not future.cancelled() and future.exception() is None:
            self._shelf.put(clip, future.result())


def _make(clip: Clip, render: bool) -> Stored:  # noqa: FBT001  # positional through the executor
    return Stored.of(_body(clip, render=render), _TYPES[clip.kind])


def _body(clip: Clip, *, render: bool) -> bytes:
    if clip.kind == "audio":
        return tone(clip.seconds)
    if not render:
        return (files("gmi_video.sandbox") / "samples" / _SAMPLES[clip.kind]).read_bytes()
    from gmi_video.sandbox import rendering  # noqa: PLC0415  # PyAV and Pillow are an extra

    return rendering.video(clip) if clip.kind == "video" else rendering.still(clip)


_SAMPLES = {"video": "clip.mp4", "image": "clip.jpg"}


def tone(seconds: float) -> bytes:
    """A WAV file of a quiet 440 Hz square wave, mono, 8 kHz."""
    rate = 8000
    half = rate // 880
    period = bytes([0x90]) * half + bytes([0x70]) * half
    samples = (period * (int(rate * seconds) // len(period) + 1))[: int(rate * seconds)]
    buffer = BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(rate)
        out.writeframes(samples)
    return buffer.getvalue()
