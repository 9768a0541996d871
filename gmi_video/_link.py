"""A link that may die before its file has come: whom to ask for a fresh one, and when not to believe a 404."""

import asyncio
from collections.abc import Awaitable, Callable

from attrs import frozen

from gmi_video._storage import DeadError
from gmi_video.errors import LinkExpired
from gmi_video.records import Media

YOUNG = 60.0
"""Seconds after a request's success for which a file that is not there (404) may still be on its way."""
_LOOK_AGAIN = 2.0


@frozen(kw_only=True)
class Origin:
    """Where a link comes from: its request, how to ask for a fresh one, and until when (the loop's time) it is young."""

    request_id: str | None = None
    again: Callable[[], Awaitable[Media | None]] | None = None
    young_until: float = 0.0


NOWHERE = Origin()
"""Of a bare link nobody can be asked."""


class Link:
    """A link in use. `media` changes where the first one has died."""

    def __init__(self, media: Media, origin: Origin) -> None:
        self.media = media
        self._origin = origin
        self._asked = False

    async def mend(self, dead: DeadError) -> None:
        """Returns once the link is worth another try; raises `LinkExpired` with the request's id where it is not."""
        origin = self._origin
        if dead.status == 404 and asyncio.get_running_loop().time() < origin.young_until:
            await asyncio.sleep(_LOOK_AGAIN)
            return
        asked = origin.again is not None and not self._asked
        if asked and origin.again is not None:
            self._asked = True
            fresh = await origin.again()
            if fresh is not None and fresh.url != self.media.url:
                self.media = fresh
                return
        why = f", and request {origin.request_id} names no other link" if self._asked else ""
        raise LinkExpired(f"{dead}{why}", request_id=origin.request_id)
