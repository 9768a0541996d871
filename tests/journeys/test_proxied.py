"""A web application that passes a video on: the program of the documentation, as it stands."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from films import sample
from scene import EAGLE, stage

from gmi_video.testing import run

PAGE = Path(__file__).parents[2] / "docs" / "downloads.md"


def test_the_program_of_the_page_passes_a_video_on() -> None:
    """Bytes, length and type are the storage's, and no key goes there."""
    from fastapi import FastAPI, Request  # noqa: PLC0415  # it takes each worker a second, and one needs it
    from fastapi.responses import StreamingResponse  # noqa: PLC0415  # as above

    (program,) = (
        block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "@app" in block
    )
    app = FastAPI()
    scope: dict[str, Any] = {"app": app, "Request": Request, "StreamingResponse": StreamingResponse}
    scope |= {"AsyncExitStack": AsyncExitStack, "AsyncIterator": AsyncIterator}
    exec(compile(program, str(PAGE), "exec"), scope)

    async def main() -> httpx.Response:
        async with stage() as (_, session):
            app.state.session = session
            request_id = (await session.generate(EAGLE)).snapshot.request_id
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                return await client.get(f"/videos/{request_id}/file")

    answer = run(main())
    assert (answer.status_code, answer.content) == (200, sample())
    assert answer.headers["content-length"] == str(len(sample()))
    assert answer.headers["content-type"] == "video/mp4"
