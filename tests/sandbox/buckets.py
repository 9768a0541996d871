"""Calls to the sandbox's bucket."""

from typing import Any
from urllib.parse import urlsplit

from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.faults import Fault

from .caller import Caller, Reply

PICTURE = bytes(range(256)) * 300


async def links(caller: Caller, file_type: str = "png") -> tuple[str, str]:
    """An upload URL and the public URL that goes with it."""
    told = (await caller.call("POST", "/upload-url", json={"file_type": file_type})).json
    return told["upload_url"], told["public_url"]


async def put(caller: Caller, url: str, body: Any = PICTURE, content_type: str | None = "image/png") -> Reply:
    """An upload, without credentials."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    skip = [] if content_type else ["Content-Type"]
    async with caller.http.put(url, data=body, headers=headers, skip_auto_headers=skip) as reply:
        return Reply(reply.status, reply.headers, await reply.read())


def of_one(fault: Fault | None = None, **more: Any) -> Sandbox:
    """A sandbox whose first media call departs so."""
    return Sandbox(Script(media=(Behaviour(fault=fault, **more),)), render=False)


def get(url: str, *headers: str, body: bytes = b"") -> bytes:
    """A GET as bytes; a PUT where there is a body."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    method = "PUT" if body else "GET"
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = (f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", *headers, *length, "", "")
    return "\r\n".join(lines).encode() + body
