"""Paid calls against peers that vanish at any byte, and hosts that are not there."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import define, field
from intents import Ledger
from lostfound import clock
from peers import peer, saying
from scene import settings_for
from submitting import end

from gmi_video import Patience, Session, Snapshot, errors
from gmi_video.testing import run

RECORD = {"request_id": "r-1", "model": "Veo3", "status": "queued", "created_at": 1_700_000_000}


BODY = json.dumps(RECORD).encode()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


PATIENT = Patience(attempts=3, first=1, jitter=0)


@define(eq=False)
class Vanishing:
    """A server that reads so many bytes of a call, says so many of the answer, and is gone: with a FIN or an RST."""

    reads: int | None = None
    says: int = 0
    resets: bool = False
    connections: int = 0
    read: list[bytes] = field(factory=list)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        got = b""
        try:
            if self.reads is not None:
                got = await reader.readexactly(self.reads)
            else:
                got = await reader.readuntil(b"\r\n\r\n")
                got += await reader.readuntil(b"}}")
            writer.write(ANSWER[: self.says])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            got = getattr(error, "partial", got)
        finally:
            self.read.append(got)
            if self.resets:
                gone: socket.socket = writer.get_extra_info("socket")
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


@asynccontextmanager
async def vanishing(**changes: Any) -> AsyncIterator[tuple[Vanishing, Session]]:
    """Such a server and a session on it; each submission has a connection of its own."""
    server = Vanishing(**changes)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    settings = settings_for(
        f"http://127.0.0.1:{port}/q", patience=PATIENT, on_uncertain="raise", check="off", submit_timeout=20
    )
    async with Session(settings, rng=Random(0)) as session:
        yield server, session
    listening.close()


@pytest.mark.parametrize("resets", [False, True])
def test_a_peer_that_vanishes_at_any_byte_of_the_call_leaves_it_uncertain(resets: bool) -> None:
    """Never refused, never sent again, whether it read nothing, half of the head, or all of the body."""

    async def main() -> tuple[list[object], int, int]:
        async with vanishing() as (server, session):
            await end(session)
            size = len(server.read[0])
            server.resets = resets
            results = []
            for server.reads in range(size + 1):
                results.append(await end(session))
            return results, server.connections, size

    results, connections, size = run(main())

    assert size > 200
    assert connections == size + 2
    for result in results:
        assert isinstance(result, errors.SubmissionUncertain), result
        assert (result.charged, result.candidates, result.attempts) == ("maybe", (), 1)


@pytest.mark.parametrize("resets", [False, True])
def test_a_peer_that_vanishes_at_any_byte_of_its_answer_loses_no_id(resets: bool) -> None:
    """Once the id was said whole it is told, whatever became of the rest; the whole answer is an acceptance."""

    async def main() -> tuple[list[object], int]:
        async with vanishing(resets=resets) as (server, session):
            results = []
            for server.says in range(len(ANSWER) + 1):
                results.append(await end(session))
            return results, server.connections

    results, connections = run(main())
    said = ANSWER.index(b"r-1") + len(b'r-1"')

    assert connections == len(results) == len(ANSWER) + 1
    for length, result in enumerate(results):
        if isinstance(result, Snapshot):
            assert length == len(ANSWER)
            continue
        assert isinstance(result, errors.SubmissionUncertain), result
        told = ("r-1",) if length >= said else ()
        assert result.candidates in ((told, ()) if resets else (told,))  # an RST may throw away what was said
    assert isinstance(results[-1], Snapshot) or resets


def test_a_host_that_is_not_there_is_tried_with_patience_and_costs_nothing() -> None:
    """Refused connections and unknown names are provably unsent; the ledger has them prepared again."""

    async def main(url: str) -> tuple[object, float, Ledger]:
        store = Ledger()
        settings = settings_for(url, patience=PATIENT, check="off")
        async with Session(settings, rng=Random(0), store=store) as session:
            began = clock()
            return await end(session), clock() - began, store

    async def nobody() -> str:
        async with peer(saying(b"")) as it:
            return it.url

    for url in (run(nobody()), "https://no-such-host.invalid/queue"):
        result, took, store = run(main(url))

        assert isinstance(result, errors.Unreachable), result
        assert (result.attempts, result.charged, result.retryable, took) == (3, "no", True, 3.0)
        assert store.states == ["sending", "prepared"] * 3


@pytest.mark.parametrize(("trusted", "attempts"), [(None, 3), ("self-signed", 1)])
def test_tls_that_fails_is_provably_unsent(trusted: str | None, attempts: int) -> None:
    """One that does not speak TLS may come to its senses; a certificate that is not accepted stays so."""

    async def main() -> tuple[object, int, list[str]]:
        context = None
        if trusted is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(Path(__file__).with_name(f"{trusted}.pem"))
        async with peer(saying(ANSWER), tls=context) as it:
            url = it.url.replace("http://", "https://")
            async with Session(settings_for(url, patience=PATIENT, check="off"), rng=Random(0)) as session:
                result = await end(session)
            return result, it.connections, it.heads

    result, connections, heads = run(main())

    assert isinstance(result, errors.Unreachable), result
    assert (result.attempts, heads) == (attempts, [])
    assert connections <= attempts


def test_a_service_that_comes_back_within_patience_is_reached() -> None:
    """The submission that could not connect is sent as soon as somebody listens, once."""

    async def main() -> tuple[object, int]:
        async with peer(saying(b"")) as it:
            port = it.port
        settings = settings_for(f"http://127.0.0.1:{port}/q", patience=PATIENT, check="off")
        async with Session(settings, rng=Random(0)) as session:
            task = asyncio.create_task(end(session))
            await asyncio.sleep(0.5)
            async with peer(saying(ANSWER), port=port) as it:
                return await task, len(it.heads)

    result, posts = run(main())

    assert isinstance(result, Snapshot)
    assert posts == 1
