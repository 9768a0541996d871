"""One HTTP exchange with the API: in its turn, with the key, told to observers, and heard for the service's time."""

import asyncio
from functools import partial

from attrs import evolve

from gmi_video._door import Door
from gmi_video._gate import Gate
from gmi_video._keyring import Keyring
from gmi_video._observe import Observers, logger
from gmi_video._queue import Kind
from gmi_video._servertime import ServerTime
from gmi_video.errors import TransportError
from gmi_video.notices import Exchange
from gmi_video.settings import Secret, Settings
from gmi_video.wire import Call, Reply, Transport

KINDS: dict[str, Kind] = {"requests": "reconcile"}
"""To which share of the account's calls an operation belongs; any other is metadata."""
SECRET = 8
"""Characters from which a key is one: a shorter one, as tests have them, is a part of ordinary words."""
DATE_EVERY = 60.0
"""Seconds for which the service's last word about its time is good enough."""


class Exchanges:
    """The exchanges of an open session."""

    def __init__(
        self,
        transport: Transport,
        gate: Gate,
        clock: ServerTime,
        keyring: Keyring,
        observers: Observers,
        *,
        door: Door,
    ) -> None:
        self._transport = transport
        self._door = door
        self._gate = gate
        self._clock = clock
        self._keyring = keyring
        self._observers = observers
        self._loop = asyncio.get_running_loop()
        self._date_heard = float("-inf")

    async def exchange(self, call: Call, settings: Settings, kind: Kind | None = None) -> Reply:
        """One call to the API in its turn, and its reply, whatever its status; a dead key is renewed once."""
        gate = self._gate
        if call.operation != "submit":
            return await gate.call(
                kind or KINDS.get(call.operation, "metadata"),
                settings.lane,
                partial(self._keyed, call, settings),
            )
        try:
            reply = await self._keyed(call, settings)
        except TransportError as error:
            gate.answered(call, error)
            raise
        gate.answered(call, reply)
        return reply

    async def _keyed(self, call: Call, settings: Settings) -> Reply:
        key = self._keyring.lasting or await self._keyring.key()
        reply = await self._sent(call, settings, key)
        if reply.status == 401 and (fresh := await self._renewed(call, key)) is not None:
            reply = await self._sent(call, settings, fresh)
        return reply

    async def _renewed(self, call: Call, dead: Secret) -> Secret | None:
        """Another key, where there is one. That of a submission must not fail otherwise: its 401 is a sure answer."""
        try:
            return await self._keyring.renewed(dead)
        except Exception as error:
            if call.operation != "submit":
                raise
            logger.error(
                "the callable given as api_key failed (%s)", type(error).__name__
            )  # its words may hold a key
            return None

    async def unkeyed(self, call: Call, settings: Settings) -> Reply:
        """A call that is made to get a key: out of turn, for those who have theirs wait for it."""
        return await self._sent(call, settings, None)

    async def _sent(self, call: Call, settings: Settings, key: Secret | None) -> Reply:
        ready = self._door.sign(call, settings, key)
        if not self._observers.exchanges:
            return self._heard(ready, key, await self._transport.send(ready))
        begun = self._loop.time()
        reply: Reply | None = None
        error: str | None = None
        try:
            reply = await self._transport.send(ready)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            notice = Exchange(
                operation=call.operation,
                method=call.method,
                path=call.url.partition("?")[0],
                status=reply.status if reply else None,
                seconds=self._loop.time() - begun,
                sent=len(call.body or b""),
                received=len(reply.body) if reply else 0,
                error=error,
            )
            self._observers.tell(notice)
        return self._heard(ready, key, reply)

    def _heard(self, call: Call, key: Secret | None, reply: Reply) -> Reply:
        """Learns the service's time from what bears on submissions, and once a minute. An answer that echoes the
        key is taken without it; the organisation, which every record names, is not quoted.
        """  # noqa: D205  # one thought
        now = self._loop.time()
        bears = call.operation in {"submit", "requests"}
        if (bears or now - self._date_heard > DATE_EVERY) and "date" in reply.headers:
            self._clock.heard_date(reply.headers["date"], now)
            self._date_heard = now
        if key is not None and len(key) >= SECRET and key.encode() in reply.body:
            reply = evolve(reply, body=reply.body.replace(key.encode(), b"<secret>"))
        organization = call.headers.get("X-Organization-ID")
        return evolve(reply, hidden=organization) if organization else reply
