"""A storage host of raw bytes, and downloads from it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from films import large
from peers import Answering, Peer, peer

from gmi_video import Media, Patience, Saved
from gmi_video._carrying import Wish
from gmi_video._downloads import Downloads
from gmi_video._transport import make

FILM = large(5_120_000)
LARGEST = 10**9
WISH = Wish(largest=LARGEST)
PATIENT = Patience(attempts=3, first=1, jitter=0)
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FILM) + FILM[:1000]


@asynccontextmanager
async def storage(
    answering: Answering, *, most: int = 4, keeps: bool = False
) -> AsyncIterator[tuple[Peer, Downloads]]:
    """A storage host, and downloads from it."""
    async with peer(answering, keeps=keeps) as it:
        transport = make(loopback=True, large=1 << 16)  # so that these bodies come by a tap
        try:
            yield it, Downloads(transport, most=most, loopback=True, rng=Random(0))
        finally:
            await transport.aclose()


async def saved(
    it: Peer, downloads: Downloads, folder: Path, *, overwrite: bool = False, patience: Patience = PATIENT
) -> Saved:
    """The file of a peer, saved as film.mp4."""
    media = Media(f"{it.url}/film.mp4?token=secret")
    wish = Wish(overwrite=overwrite, largest=LARGEST)
    return await downloads.save(media, folder / "film.mp4", wish=wish, patience=patience)
