"""A small net of a test's own: what names resolve to, where addresses lead, and which of them were gone to."""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from itertools import chain, repeat
from typing import Any, TypeVar

T = TypeVar("T")

PUBLIC = "93.184.216.34"
"""A public address; in these nets it leads to this machine, and no packet leaves it."""


class Net(asyncio.SelectorEventLoop):
    """A loop whose names are its own: `names` gives one answer after the other, the last one for ever.

    A call to a public address arrives at the same port of this machine, unless `dark` says that none is answered.
    `gone_to` are the addresses that sockets were connected to.
    """

    def __init__(self, *answers: tuple[str, ...], dark: bool = False) -> None:
        super().__init__()
        self._answers: Iterator[tuple[str, ...]] = chain(answers, repeat(answers[-1]))
        self._dark = dark
        self.gone_to: list[str] = []

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """The next answer, whatever the name."""
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in next(self._answers)
        ]

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Notes it, and leads a public address here."""
        self.gone_to.append(address[0])
        if address[0] == PUBLIC:
            if self._dark:
                raise ConnectionRefusedError
            address = ("127.0.0.1", address[1])
        await super().sock_connect(sock, address)


def run_in(net: Net, coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives, run in that net, which ends with it."""
    with asyncio.Runner(loop_factory=lambda: net) as runner:
        return runner.run(coroutine)
