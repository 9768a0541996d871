"""Bodies on their way in and out, large ones by way of a file or in pieces, so that memory stays flat."""

import tempfile

from aiohttp import web

from gmi_video.sandbox.answers import Bytes
from gmi_video.sandbox.pages import mapped, pieces

CAP = 64 * 1024 * 1024
"""The largest body of an API call; data URIs of 10 MB images are legitimate."""
_SPOOLED = 8 * 1024 * 1024
LARGE = 1024 * 1024
"""From here on a body is written piece by piece."""


async def read(request: web.BaseRequest, *, spools: bool) -> Bytes | None:
    """The call's body; None where it is beyond the cap of an origin that does not spool.

    An origin that spools has no cap: from a few megabytes on the bytes lie in a file without a name.
    """
    if "100-continue" in request.headers.get("Expect", "").lower() and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        parts.append(part)
        if spools and size > _SPOOLED:
            return await _spooled(request, parts)
        if size > CAP:
            return None
    return b"".join(parts)


async def _spooled(request: web.BaseRequest, parts: list[bytes]) -> Bytes:
    with tempfile.TemporaryFile(prefix="gmi-video-sandbox-") as file:
        file.writelines(parts)
        async for part in request.content.iter_any():
            file.write(part)
        file.flush()
        return mapped(file.fileno())


class Flow(web.StreamResponse):
    """A reply whose body is written in pieces, at the pace of its reader."""

    def __init__(self, body: Bytes, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]  # status and headers, handed through
        self.content_length = len(body)
        self._told = body

    async def write_eof(self, data: bytes = b"") -> None:
        """The whole body, and its end."""
        for piece in pieces(self._told):
            await self.write(bytes(piece))
        await super().write_eof(data)
