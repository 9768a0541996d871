"""Downloads of one film from a host that breaks, by a session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from films import large
from peers import Answering, peer
from scene import stage

from gmi_video import Media, Patience, Saved, Session, Settings
from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.faults import HangUp

MIB = 1 << 20
FILM = large(2 * MIB)
PATIENT = Patience(attempts=3, first=1, jitter=0)
CUT = Behaviour(fault=HangUp(of="body", after=MIB))


@asynccontextmanager
async def fetching(answering: Answering, **settings: Any) -> AsyncIterator[tuple[Session, Media]]:
    """A session, and a link to a peer."""
    async with peer(answering) as it:
        told = Settings(api_key="a-key", base_url=it.url, **{"patience": PATIENT, **settings})
        async with Session(told) as session:
            yield session, Media(f"{it.url}/film.mp4?X-Goog-Signature=secret")


async def placed(
    script: Script, folder: Path, body: bytes = FILM, **settings: Any
) -> tuple[Saved, list[Any]]:
    """A film in the sandbox's bucket, saved; and the calls that it took."""
    async with stage(script, **{"patience": PATIENT, **settings}) as (sandbox, session):
        url = sandbox.place("film.mp4", body)
        return await session.download(Media(url), to=folder / "film.mp4"), sandbox.calls
