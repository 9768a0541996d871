"""fal-client: the status of a queue request, by its asyncio client (httpx), one for all."""

import asyncio
import sys

import httpx
from fal_client.client import AsyncRequestHandle

from benchmarks.lookers.course import serve, tasks


def main() -> None:
    """Keeps one loop and one client, as a service would."""
    url = sys.argv[1]
    runner = asyncio.Runner()
    loop = runner.get_loop()

    async def made() -> AsyncRequestHandle:
        limits = httpx.Limits(max_connections=128, max_keepalive_connections=128)
        return AsyncRequestHandle(
            request_id="r",
            response_url=f"{url}/requests/r",
            status_url=f"{url}/requests/r/status",
            cancel_url=f"{url}/requests/r/cancel",
            client=httpx.AsyncClient(limits=limits),
        )

    handle = loop.run_until_complete(made())
    serve(lambda looks, at_once: loop.run_until_complete(tasks(handle.status, looks, at_once)))
    runner.close()


main()
