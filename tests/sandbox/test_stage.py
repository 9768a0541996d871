import asyncio
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import pytest
from aiohttp import ClientConnectionError, ClientSession

from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.calls import CallLog, Operation
from gmi_video.sandbox.stage import Handler, HttpCall, Stage
from gmi_video.testing import run

NOON = 1_700_000_000.75


def routed(method: str, path: str) -> tuple[Operation, str] | Answer:
    """Everything but /no is a look."""
    return Answer.text(404, "404 page not found") if path == "/no" else ("look", path[1:])


async def echo(call: HttpCall) -> Answer:
    """Answers with what was called."""
    return Answer.of(
        [call.method, call.path, call.query, call.subject, call.header("X-Word"), len(call.body)]
    )


def a_stage(handler: Handler = echo, log: CallLog | None = None) -> Stage:
    """A stage over a fixed time."""
    return Stage("api", routed, handler, log or CallLog(), lambda: NOON)


def test_a_call_reaches_the_handler_as_plain_values() -> None:
    """Method, raw path, query, subject, headers and body arrive as they were sent."""

    async def main() -> None:
        stage = await a_stage().open("127.0.0.1", 0)
        async with ClientSession() as http:
            url = f"{stage.url}/a%2Fb?limit=2&x=%20"
            async with http.put(url, data=b"123", headers={"x-word": "hi"}) as reply:
                told = await reply.json()
        await stage.close()

        assert told[0] == "PUT"
        assert told[3:] == ["a%2Fb", "hi", 3]
        assert told[1] == "/a%2Fb"
        assert told[2].startswith("limit=2&x=")

    run(main())


def test_every_answer_carries_the_sandboxs_date() -> None:
    """`Date` is the sandbox's own time in whole seconds, also on the router's refusals."""

    async def main() -> None:
        stage = await a_stage().open("127.0.0.1", 0)
        dates = []
        async with ClientSession() as http:
            for path in ("/yes", "/yes", "/no"):
                async with http.get(stage.url + path) as reply:
                    dates.append(parsedate_to_datetime(reply.headers["Date"]).timestamp())
        await stage.close()

        assert dates == [1_700_000_000] * 3

    run(main())


def test_a_call_that_the_router_refuses_is_seen_too() -> None:
    """The log has every call with its status, whether it has an operation or not."""

    async def main() -> None:
        log = CallLog()
        stage = await a_stage(log=log).open("127.0.0.1", 0)
        async with ClientSession() as http:
            for path in ("/yes?a=1", "/no"):
                async with http.get(stage.url + path, headers={"X-Organization-ID": "o"}) as reply:
                    await reply.read()
        await stage.close()

        assert [(c.operation, c.path, c.query, c.status) for c in log.rows] == [
            ("look", "/yes", "a=1", 200),
            ("unknown", "/no", "", 404),
        ]
        assert all(call.organization and not call.authorized for call in log.rows)
        assert "x-organization-id" in log.rows[0].headers

    run(main())


def test_a_body_beyond_the_cap_is_refused() -> None:
    """A body of more than 64 MiB is a 413 and is not kept."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield bytes(1024 * 1024)

    async def main() -> None:
        stage = await a_stage().open("127.0.0.1", 0)
        async with ClientSession() as http, http.post(stage.url + "/yes", data=body()) as reply:
            assert reply.status == 413
        await stage.close()

    run(main())


def test_closing_ends_a_call_that_blocks() -> None:
    """A handler that would wait for ever does not hold the stage open, and its call is logged as unanswered."""

    async def main() -> None:
        entered = asyncio.Event()

        async def block(_: HttpCall) -> Answer:
            entered.set()
            await asyncio.Event().wait()
            raise AssertionError

        log = CallLog()
        stage = await a_stage(block, log).open("127.0.0.1", 0)
        async with ClientSession() as http:
            call = asyncio.create_task(http.get(stage.url + "/yes"))
            await entered.wait()
            await stage.close()
            with pytest.raises(ClientConnectionError):
                await call

        assert log.rows[0].status is None
        assert log.rows[0].ended is not None

    run(main())


def test_a_caller_who_hangs_up_does_not_stop_the_work() -> None:
    """Where the caller leaves before the answer, the handler still runs to its end."""

    async def main() -> None:
        finished = asyncio.Event()
        entered = asyncio.Event()

        async def slow(_: HttpCall) -> Answer:
            entered.set()
            await asyncio.sleep(60)
            finished.set()
            return Answer.of({})

        stage = await a_stage(slow).open("127.0.0.1", 0)
        async with ClientSession() as http:
            call = asyncio.create_task(http.get(stage.url + "/yes"))
            await entered.wait()
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            async with asyncio.timeout(120):
                await finished.wait()
        await stage.close()

    run(main())


def test_a_port_that_is_taken_is_an_error() -> None:
    """Two stages cannot have one port, and the second leaves nothing open; closing twice is harmless."""

    async def main() -> None:
        stage = await a_stage().open("127.0.0.1", 0)
        port = int(stage.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"):
            await a_stage().open("127.0.0.1", port)
        await stage.close()
        await stage.close()

    run(main())


@pytest.mark.parametrize(
    ("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "localhost")]
)
def test_a_url_names_a_host_that_can_be_called(host: str, shown: str) -> None:
    """The URL of a stage that listens everywhere, or on IPv6, can be called as it is."""

    async def main() -> None:
        stage = await a_stage().open(host, 0)
        await stage.close()

        assert stage.url.startswith(f"http://{shown}:")

    run(main())
