"""The key of an account: given once, or asked for again when it dies, by one caller for all who wait."""

import asyncio
from copy import copy
from inspect import isawaitable

from gmi_video.errors import (
    ConfigurationError,
    GmiVideoError,
    MalformedResponse,
    RateLimited,
    ServiceError,
    TransportError,
    Unauthorized,
    Unreachable,
)
from gmi_video.login import lifetime
from gmi_video.settings import KeySource, Secret, is_key

EARLY = 0.1
"""The share of a key's life before its end in which another one is asked for already."""
AGAIN = 5.0
"""Seconds until it is asked for again where that failed and the key still lives, or where it was refused.

A wrong password that each of a thousand waiting calls tries anew locks the account.
"""
GRACE = 5.0
"""Seconds that closing waits for a question under way: its answer may have made the token before it worthless."""


class Keyring:
    """Holds the key. A callable source is asked when the first call is made, before a JWT's end, and after a 401.

    It is asked in a task of its own: whoever waits may be cancelled, and the answer is still heard.
    """

    def __init__(self, source: str | KeySource | None, *, wants: str = "no API key") -> None:
        if source is None:
            raise ConfigurationError(wants)
        self._source = source
        self._key = Secret(source) if isinstance(source, str) else None
        self._stale_at = float("inf")
        self._asking: asyncio.Task[Secret] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._refused: tuple[float, Unauthorized] | None = None

    @property
    def lasting(self) -> Secret | None:
        """The key at hand, if its end is not known: the usual case, which needs no coroutine."""
        return self._key if self._stale_at == float("inf") else None

    async def key(self) -> Secret:
        """The present key, renewed where its end is near; raises what the source raises where there is none."""
        key = self._key
        if key is None:
            return await self._ask()
        loop = asyncio.get_running_loop()
        if self._stale_at == float("inf") or (self._loop is loop and loop.time() < self._stale_at):
            return key
        try:
            return await self._ask()
        except Exception:  # noqa: BLE001  # the border to the caller's callable; the key may well live
            self._stale_at = loop.time() + AGAIN
            return key

    async def ready(self) -> None:
        """Has a key at hand before anything is sent; raises `Unreachable` where the one who gives it was not reached."""
        try:
            await self.key()
        except (TransportError, ServiceError, RateLimited, MalformedResponse) as error:
            message = f"no key could be had, and nothing was sent: {error}"
        else:
            return
        raise Unreachable(message, retryable=False)

    async def renewed(self, dead: Secret) -> Secret | None:
        """A key other than the `dead` one, or None where there is none to be had. Asks once for all callers."""
        if isinstance(self._source, str):
            return None
        if self._key is not None and self._key != dead:
            return self._key
        fresh = await self._ask()
        return None if fresh == dead else fresh

    async def _ask(self) -> Secret:
        """What the source gives; all who come while it is asked get the same answer, errors included.

        So do those who come shortly after it was refused.
        """
        loop = asyncio.get_running_loop()
        if self._refused is not None and self._loop is loop and loop.time() < self._refused[0]:
            raise copy(self._refused[1])
        if self._asking is None or self._loop is not loop:  # one of a loop that has ended has no answer
            self._loop = loop
            self._asking = loop.create_task(self._answer(), name="gmi_video key")
            self._asking.add_done_callback(self._answered)
        asking = self._asking
        await asyncio.wait((asking,))
        if asking.cancelled():
            message = "the session was closed before a key was had"
            raise ConfigurationError(message)
        error = asking.exception()
        if error is not None:
            raise copy(error) if isinstance(error, GmiVideoError) else error
        return asking.result()

    def _answered(self, asking: "asyncio.Task[Secret]") -> None:
        if self._asking is asking:
            self._asking = None
        if asking.cancelled():
            return
        error = asking.exception()  # whoever waits raises it; asyncio need not complain where nobody does
        again = asking.get_loop().time() + AGAIN
        self._refused = (again, copy(error)) if isinstance(error, Unauthorized) else None

    async def _answer(self) -> Secret:
        assert not isinstance(self._source, str)
        asked: object = self._source()
        found = await asked if isawaitable(asked) else None
        if not isinstance(found, str) or not is_key(found.strip()):
            message = (
                "the callable given as api_key returned no key: an async callable is wanted, that gives printable "
                "ASCII without spaces"
            )
            raise ConfigurationError(message)
        key = Secret(found.strip())
        lives = None if key == self._key else lifetime(key)
        self._key = key
        self._stale_at = float("inf")
        if lives is not None:
            self._stale_at = asyncio.get_running_loop().time() + lives * (1 - EARLY)
        return key

    async def aclose(self) -> None:
        """Ends a question under way, after a grace."""
        asking = self._asking
        if asking is None or self._loop is not asyncio.get_running_loop():
            return
        await asyncio.wait((asking,), timeout=GRACE)
        if not asking.done():
            asking.cancel()
            await asyncio.wait((asking,))
