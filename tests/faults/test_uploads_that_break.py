"""An upload against each fault of the wire: how it ends, how often it is tried, and that no text shows its link."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import parse_qs

import pytest
from attrs import evolve
from cargo import in_chunks, large, lying_at, placed
from scene import ours
from test_secrets import assert_silent, logged, pickled, texts

from gmi_video import Patience, Session, errors
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.chances import Faults
from gmi_video.sandbox.faults import NAMED, HangUp
from gmi_video.testing import run

KEY, ORGANIZATION = "key-canary-1", "org-canary-2"
BODY = large(300_000)
FINAL = {"redirect_302", "redirect_307", "redirect_308", "early", "early_reset"}
"""Answers that trying again would not change."""
FINE = {"unmeasured", "late", "wrong_length", "gzip_bomb", "header_flood", "huge_header", "postponed"}
"""What may come through: a reply whose head says that the file was taken."""


@asynccontextmanager
async def met(operation: str, fault: str, times: int) -> AsyncIterator[tuple[Sandbox, Session]]:
    """A session whose first calls of one kind meet a fault."""
    script = Script(faults=Faults(nth={operation: dict.fromkeys(range(1, times + 1), fault)}))
    async with Sandbox(script, api_key=KEY, render=False) as sandbox:
        settings = evolve(
            sandbox.settings, organization=ORGANIZATION, patience=Patience(attempts=3, first=6, jitter=0)
        )
        async with Session(settings, rng=Random(0)) as session:
            yield sandbox, session


def signatures(sandbox: Sandbox) -> tuple[str, ...]:
    """The secret parts of the links that the storage saw."""
    queries = (parse_qs(call.query) for call in sandbox.calls if call.operation == "put")
    return tuple(query["X-Goog-Signature"][0] for query in queries if "X-Goog-Signature" in query)


@pytest.mark.parametrize("operation", ["put", "upload"])
@pytest.mark.parametrize("fault", [name for name in NAMED if name != "endless"])
def test_an_upload_meets_each_fault(
    operation: str, fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One fault is got over, unless it is an answer; a lasting one ends after three tries in an error of ours.

    Neither says anything of the key, the organisation or the link, all the way down, with all logging on.
    """
    path = placed(tmp_path, "a.wav", BODY)
    caplog.set_level(1)

    async def main(times: int) -> None:
        async with met(operation, fault, times) as (sandbox, session):
            link, error = None, None
            try:
                link = await session.upload(path)
            except errors.GmiVideoError as raised:
                error = raised
            canaries = (KEY, ORGANIZATION, *signatures(sandbox))
            await asyncio.sleep(1)

            assert ours() == []
            assert sandbox.count_calls("put") <= 3
            assert sandbox.count_calls("upload") <= (9 if operation == "upload" else 3)
            if link is not None:
                assert times == 1 or fault in FINE
                assert await lying_at(link) == (BODY, "audio/wav")
            else:
                assert error is not None
                assert times == 3 or fault in FINAL
                assert isinstance(
                    error,
                    errors.TransportError
                    | errors.TransferError
                    | errors.ResponseError
                    | errors.MalformedResponse,
                )
                assert error.charged == "no"
                assert_silent(texts(error), canaries)
                assert_silent([pickled(error)], canaries)
            assert_silent(logged(caplog), canaries)

    run(main(1))
    run(main(3), debug=True)


@pytest.mark.parametrize("after", [0, 1, 1000, 65_536, 150_000, 299_999, 300_000])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_cut_at_any_byte_is_begun_again(how: str, after: int) -> None:
    """Wherever the connection is cut, the file arrives whole by the next link, chunk by chunk from the first one."""

    async def main() -> None:
        cut = HangUp(how=how, of="request", after=after)  # type: ignore[arg-type]  # the words of the parameters above
        async with Sandbox(Script(puts=[Behaviour(fault=cut)] * 2), render=False) as sandbox:
            async with Session(sandbox.settings, rng=Random(0)) as session:
                link = await session.upload(in_chunks(BODY, 7777))

            assert await lying_at(link) == (BODY, "audio/wav")
            assert sandbox.count_calls("put") == 3

    run(main())


@pytest.mark.parametrize("await_number", range(0, 60, 2))
def test_a_cancelled_upload_leaves_nothing(await_number: int, tmp_path: Path) -> None:
    """Cancelled at whichever turn of the loop, an upload leaves no task, no open file and no connection in use."""
    path = placed(tmp_path, "a.wav", BODY)

    async def main() -> None:
        async with Sandbox(Script(), render=False) as sandbox, Session(sandbox.settings) as session:
            for source in (path, in_chunks(BODY, 50_000)):
                upload = asyncio.ensure_future(session.upload(source))
                for _ in range(await_number):
                    await asyncio.sleep(0)
                upload.cancel()
                with suppress(asyncio.CancelledError):
                    await upload
                await asyncio.sleep(0.1)
                assert ours() == []
            assert await lying_at(await session.upload(path)) == (BODY, "audio/wav")

    run(main())


def test_a_session_in_debug_is_silent_about_its_links(caplog: pytest.LogCaptureFixture) -> None:
    """A fine upload logs its call to the API, and nothing of the link that it was given."""
    caplog.set_level(logging.DEBUG)

    async def main() -> tuple[str, ...]:
        async with met("media", "502", 0) as (sandbox, session):
            await session.upload(BODY)
            return signatures(sandbox)

    (signature,) = run(main(), debug=True)
    assert_silent(logged(caplog), (KEY, ORGANIZATION, signature))
    assert "/upload-url" in caplog.text
