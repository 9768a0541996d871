"""A raw client: what really comes over the socket, and how it ends."""

import asyncio
import json
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import frozen

from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.faults import Fault

End = Literal["open", "fin", "reset"]

EAGLE = {"model": "Veo3", "payload": {"prompt": "an eagle"}}


@frozen
class Heard:
    """All bytes of a reply, how it ended, and the loop's seconds it took."""

    told: bytes
    end: End
    took: float

    @property
    def head(self) -> str:
        """Status line and headers."""
        return self.told.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self) -> bytes:
        """What follows the head."""
        return self.told.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        """The number in the status line."""
        return int(self.head.split()[1])

    def header(self, name: str) -> str:
        """A header's value, "" where it is missing."""
        lines = (line.partition(":") for line in self.head.splitlines()[1:])
        return next((value.strip() for key, _, value in lines if key.lower() == name.lower()), "")


def post(sandbox: Sandbox, told: Any = None) -> bytes:
    """A submission as bytes."""
    body = json.dumps(told or EAGLE).encode()
    return (
        f"POST {urlsplit(sandbox.url).path}/requests HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer sandbox-key\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def talk(url: str, said: bytes, *, until: float = 3600.0) -> Heard:
    """Says `said` and hears all that comes until the other side ends it, or for so many seconds."""
    loop = asyncio.get_running_loop()
    parts, started = urlsplit(url), loop.time()
    told, end = bytearray(), "open"
    writer = None
    try:
        async with asyncio.timeout(until):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(said)
            while part := await reader.read(65536):
                told += part
            end = "fin"
    except TimeoutError:
        pass
    except ConnectionError:
        end = "reset"
    took = loop.time() - started
    if writer is not None:
        writer.close()
        await asyncio.sleep(0)
    return Heard(bytes(told), end, took)  # type: ignore[arg-type]  # one of the three words


async def submission(
    fault: Fault | None, told: Any = None, *, until: float = 3600.0
) -> tuple[Heard, int, int]:
    """What a submission under `fault` hears, and the charges right after it and a minute later."""
    script = Script(submissions=(Behaviour(fault=fault),))
    async with Sandbox(script, render=False) as sandbox:
        heard = await talk(sandbox.url, post(sandbox, told), until=until)
        at_once = len(sandbox.charges)
        await asyncio.sleep(60)
        return heard, at_once, len(sandbox.charges)
