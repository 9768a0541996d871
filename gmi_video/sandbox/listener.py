"""The listening of an origin, which can be stopped and begun again on the same port."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Self

from attrs import define, field

_BACKLOG = 1024


@define(eq=False)
class Listener:
    """Listens on one port of every address of a host; while `shut`, connects are refused.

    A socket that is bound and does not listen keeps the port in the meantime: the kernel gives it to nobody
    who does not ask for this very number.
    """

    factory: Callable[[], asyncio.Protocol]
    _servers: list[asyncio.Server] = field(init=False, factory=list)
    _bound: list[socket.socket] = field(init=False, factory=list)
    _shut: int = field(init=False, default=0)
    _outages: set["asyncio.Task[None]"] = field(init=False, factory=set)

    async def open(self, host: str | Sequence[str], port: int) -> Self:
        """Listens on every address of a host, or of several. Raises `OSError` where the port is taken."""
        loop = asyncio.get_running_loop()
        self._servers = [await loop.create_server(self.factory, host, port, backlog=_BACKLOG)]
        return self

    @property
    def port(self) -> int:
        """The port of the first address."""
        port: int = self._servers[0].sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Ends the listening, and every outage under way."""
        for outage in self._outages:
            outage.cancel()
        await asyncio.gather(*self._outages, return_exceptions=True)
        for server in self._servers:
            server.close()
        for kept in self._bound:
            kept.close()
        self._servers, self._bound = [], []

    def refuse(self, seconds: float, after: float = 0.0) -> None:
        """Stops listening `after` so many seconds (0: at once) and begins again when `seconds` have passed."""
        if not after:
            self.shut()
        outage = asyncio.get_running_loop().create_task(self._outage(seconds, after))
        self._outages.add(outage)
        outage.add_done_callback(self._outages.discard)

    def shut(self) -> None:
        """Stops listening at once; connections that nobody took yet are reset. Counted: as often to be opened."""
        self._shut += 1
        if self._shut > 1:
            return
        places = [(each.family, each.getsockname()) for server in self._servers for each in server.sockets]
        for server in self._servers:
            server.close()
        self._servers = []
        self._bound = [_bound(family, name) for family, name in places]

    async def reopen(self) -> None:
        """Listens again, once every `shut` was answered by a `reopen`."""
        self._shut -= 1
        if self._shut:
            return
        bound, self._bound = self._bound, []
        loop = asyncio.get_running_loop()
        for kept in bound:
            self._servers.append(await loop.create_server(self.factory, sock=kept, backlog=_BACKLOG))

    async def _outage(self, seconds: float, after: float) -> None:
        if after:
            await asyncio.sleep(after)
            self.shut()
        await asyncio.sleep(seconds)
        await self.reopen()


def _bound(family: int, name: tuple[object, ...]) -> socket.socket:
    kept = socket.socket(family, socket.SOCK_STREAM)
    kept.settimeout(0)
    if os.name == "posix":  # elsewhere the option lets two sockets share a port
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        kept.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    kept.bind(name)
    return kept
