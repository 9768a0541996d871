import asyncio
from urllib.parse import urlsplit

import pytest

from gmi_video.sandbox import Behaviour, Faults, Sandbox, Script
from gmi_video.sandbox.faults import Fault, Garbage, HangUp, Refuse, Silence
from gmi_video.sandbox.listener import Listener
from gmi_video.testing import run

from .wire import post, talk


async def connects(sandbox: Sandbox, origin: str = "") -> bool:
    """Whether a connect is taken."""
    parts = urlsplit(origin or sandbox.url)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await asyncio.sleep(0)
    return True


def test_while_refusing_no_connect_is_taken() -> None:
    """Within the block connects are refused and open connections stay; then the same port listens again."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox:
            parts = urlsplit(sandbox.url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            async with sandbox.refusing():
                async with sandbox.refusing():
                    assert not await connects(sandbox)
                assert not await connects(sandbox)
                assert await connects(sandbox, sandbox.media_url)
                writer.write(post(sandbox))
                assert (await reader.readline()).endswith(b"200 OK\r\n")
            writer.close()

            assert await connects(sandbox)
            async with sandbox.refusing("media"):
                assert not await connects(sandbox, sandbox.media_url)
                assert await connects(sandbox)

    run(main())


def test_outages_come_and_go_at_their_seconds() -> None:
    """Each outage of the script begins and ends to the second, and those that overlap are one."""

    async def main() -> None:
        script = Script(outages=((10, 5), (12, 8), (100, 1)))
        seen = []
        async with Sandbox(script, render=False) as sandbox:
            for _ in range(25):
                seen.append(await connects(sandbox))
                await asyncio.sleep(1.001)

        assert [second for second, taken in enumerate(seen) if not taken] == list(range(10, 20))

    run(main())


def test_a_sandbox_may_close_in_an_outage() -> None:
    """Leaving while connects are refused ends the outage with the rest."""

    async def main() -> None:
        async with Sandbox(Script(outages=((0, 1e6),)), render=False) as sandbox:
            assert not await connects(sandbox)

        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_every_address_of_a_host_refuses_and_listens_again(host: str) -> None:
    """A host of several addresses, or of IPv6, goes away and comes back whole."""

    async def main() -> None:
        async with Sandbox(host=host, render=False) as sandbox:
            async with sandbox.refusing():
                assert not await connects(sandbox)

            assert await connects(sandbox)

    run(main())


@pytest.mark.parametrize(
    ("fault", "end", "told"),
    [
        (HangUp(how="reset", of="request"), "reset", b""),
        (HangUp(how="reset", of="request", after=10), "reset", b""),
        (HangUp(of="request"), "fin", b""),
        (HangUp(how="half_close", of="request"), "fin", b""),
        (Garbage(body=b"SSH-2.0-x\r\n"), "fin", b"SSH-2.0-x\r\n"),
        (Silence(), "open", b""),
        ("refuse", "reset", b""),
    ],
)
def test_a_connection_can_fail_before_anything_is_known_of_it(
    fault: Fault | str, end: str, told: bytes
) -> None:
    """The first connection meets the fault and no call is seen; the next one, a minute later, is healthy."""

    async def main() -> None:
        script = Script(faults=Faults(nth={"connect": {1: fault}}))
        async with Sandbox(script, render=False) as sandbox:
            heard = await talk(sandbox.url, post(sandbox), until=7200)
            assert (heard.end, heard.told) == (end, told)
            assert (sandbox.calls, sandbox.charges) == ([], [])
            assert sandbox.count_faults("connect") == sandbox.count_faults() == 1
            await asyncio.sleep(60)
            again = await talk(sandbox.url, post(sandbox), until=5)

            assert again.status == 200

    run(main())


@pytest.mark.parametrize("place", ["connect", "submit", "model"])
def test_a_refusal_closes_the_port_for_its_seconds(place: str) -> None:
    """The connection that met it is reset with nothing accepted; for so long all others are refused."""

    async def main() -> None:
        refuse = Refuse(seconds=30)
        script = Script(faults=Faults(nth={place: {1: refuse}} if place != "model" else {}))
        if place == "model":
            script = Script(models={"*": Behaviour(fault=refuse)})
        async with Sandbox(script, render=False) as sandbox:
            first = await talk(sandbox.url, post(sandbox), until=1)
            taken = []
            for _ in range(3):
                taken.append(await connects(sandbox))
                await asyncio.sleep(14)

            assert first.end == "reset"
            assert taken == [False, False, False]
            assert await connects(sandbox)
            assert sandbox.charges == []

    run(main())


def test_a_connection_is_cut_at_its_byte() -> None:
    """With fewer bytes than named the connection stays, and hears nothing; the byte named ends it."""

    async def main() -> None:
        fault = HangUp(how="reset", of="request", after=10)
        async with Sandbox(Script(faults=Faults(nth={"connect": {1: fault}})), render=False) as sandbox:
            parts = urlsplit(sandbox.url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(b"GET / HTT")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(), 60)
            writer.write(b"P")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    run(main())


def test_a_listener_of_several_addresses_goes_away_and_comes_back_whole() -> None:
    """Each address of the host refuses while the listener is shut, and takes connects again afterwards."""

    async def main() -> None:
        hosts = ("127.0.0.1", "127.0.0.2")
        async with Sandbox(render=False) as sandbox:
            port = urlsplit(sandbox.media_url).port or 0
        listener = await Listener(asyncio.Protocol).open(hosts, port)
        seen = []
        for _ in range(2):
            seen.append([await connects(sandbox, f"http://{host}:{port}") for host in hosts])
            listener.shut()
            seen.append([await connects(sandbox, f"http://{host}:{port}") for host in hosts])
            await listener.reopen()
        await listener.close()

        assert seen == [[True, True], [False, False]] * 2

    run(main())
