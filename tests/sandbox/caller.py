"""A plain HTTP client over a sandbox, as somebody would write it who knows only the vendor's pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from attrs import frozen
from multidict import CIMultiDictProxy

from gmi_video.sandbox import Sandbox

EAGLE = {"prompt": "A majestic eagle soaring over a valley"}


@frozen
class Reply:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


@frozen
class Caller:
    sandbox: Sandbox
    http: ClientSession

    async def call(self, method: str, url: str, *, key: str = "sandbox-key", **more: Any) -> Reply:
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        async with self.http.request(method, self.sandbox.url + url, headers=headers, **more) as reply:
            return Reply(reply.status, reply.headers, await reply.read())

    async def get(self, url: str) -> Reply:
        return await self.call("GET", url)

    async def submit(self, model: str = "Veo3", payload: Any = None) -> Reply:
        return await self.call("POST", "/requests", json={"model": model, "payload": payload or EAGLE})

    async def done(self, model: str = "Veo3", payload: Any = None) -> Any:
        """The record of a request that is submitted and waited for."""
        accepted = (await self.submit(model, payload)).json
        await asyncio.sleep(3600)
        return await self.record(accepted["request_id"])

    async def record(self, request_id: str) -> Any:
        return (await self.get(f"/requests/{request_id}")).json

    async def media(self, url: str, method: str = "GET", **headers: str) -> Reply:
        async with self.http.request(method, url, headers=headers) as reply:
            return Reply(reply.status, reply.headers, await reply.read())


@asynccontextmanager
async def calling(sandbox: Sandbox) -> AsyncIterator[Caller]:
    """The sandbox opened, and a client for it."""
    async with sandbox, ClientSession() as http:
        yield Caller(sandbox, http)
