"""A session against peers that say anything but what was asked: every fault is one of our errors, in time."""

import asyncio
import gzip
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from peers import Answering, Peer, hanging_up, http, peer, saying, silent
from scene import EAGLE, left_in, ours, settings_for, told, words

from gmi_video import Media, Patience, Session, errors
from gmi_video.testing import run

RECORD = {"request_id": "r-1", "model": "Veo3", "status": "processing", "created_at": 1, "updated_at": 1}
DONE = {**RECORD, "status": "success", "outcome": {"video_url": "https://a.example/v.mp4"}}
TWICE = Patience(attempts=2, first=1, jitter=0)

Verb = Callable[[Session], Coroutine[Any, Any, object]]


async def drip(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    """A byte a second, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(1)


async def bomb(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    """A hundred megabytes, packed well."""
    body = gzip.compress(bytes(100 * 2**20), 1)
    await saying(http(body, "200 OK", "Content-Encoding: gzip"))(it, writer, head)


FLOOD = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(10_000)) + b"\r\n"

FAULTS: dict[str, tuple[Answering, type[errors.GmiVideoError]]] = {
    "garbage": (saying(b"\x16\x03\x01\x00garbage\r\n\r\n"), errors.Interrupted),
    "half a header": (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), errors.Interrupted),
    "a flood of headers": (saying(FLOOD), errors.Interrupted),
    "close after accept": (hanging_up, errors.Interrupted),
    "half a body": (saying(http(json.dumps(DONE).encode())[:-20]), errors.Interrupted),
    "a length too long": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{}"), errors.Interrupted),
    "a length too short": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + b'{"a": 1}'),
        errors.Interrupted,
    ),
    "no answer": (silent, errors.TimedOut),
    "a drip": (drip, errors.TimedOut),
    "a bomb": (bomb, errors.MalformedResponse),
    "half a JSON": (saying(http(b'{"request_id": "r-')), errors.MalformedResponse),
    "nothing in it": (saying(http(b"")), errors.MalformedResponse),
    "a deep nest": (saying(http(b"[" * 200_000)), errors.MalformedResponse),
    "a huge number": (
        saying(http(b'{"request_id": "r-1", "created_at": ' + b"9" * 10_000 + b"}")),
        errors.MalformedResponse,
    ),
    "a page of an edge": (
        saying(http(b"<html><title>Just a moment</title>", "503 Busy")),
        errors.ServiceError,
    ),
    "elsewhere": (saying(http(b"", "307 Away", "Location: http://127.0.0.1:1/")), errors.ServiceError),
}


async def snapshot(session: Session) -> object:
    return await session.snapshot("r-1")


async def models(session: Session) -> object:
    return await session.models()


async def model(session: Session) -> object:
    return await session.model("Veo3")


async def listed(session: Session) -> object:
    return [found async for found in session.requests()]


@pytest.mark.parametrize("verb", [snapshot, models, model, listed])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_becomes_one_of_our_errors(fault: str, verb: Verb) -> None:
    """A verb that costs nothing is tried with patience and ends in the leaf that the fault is, within its time."""
    answering, leaf = FAULTS[fault]

    async def main() -> None:
        async with peer(answering) as it:
            session = Session(settings_for(it.url, timeout=10, patience=TWICE), rng=Random(0))
            loop = asyncio.get_running_loop()
            begun = loop.time()
            with pytest.raises(leaf) as caught:
                await verb(session)
            took = loop.time() - begun
            await session.aclose()

        assert took <= 2 * 10 + 1.5
        assert len(str(caught.value)) < 1000
        assert len(it.heads) == caught.value.attempts == (1 if fault == "elsewhere" else 2)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)

    run(main())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_watch_survives_every_fault(fault: str) -> None:
    """A look that meets a fault is a `Missed`; the request is followed to its end all the same."""
    answering, leaf = FAULTS[fault]

    async def main() -> None:
        async def at_first(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
            if len(it.heads) <= 3:
                await answering(it, writer, head)
            else:
                writer.write(http(json.dumps(DONE).encode(), "200 OK", "Connection: close"))

        async with peer(at_first) as it:
            session = Session(settings_for(it.url, timeout=10), rng=Random(0))
            seen = await told(session.watch(["r-1"]))
            await session.aclose()

        assert words(seen) == ["Missed"] * 3 + ["Succeeded"]
        assert {type(event.error) for event in seen[:3]} == {leaf}  # type: ignore[attr-defined]  # they are Missed
        assert len(it.heads) == 4
        assert ours() == []

    run(main())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_submission_is_never_sent_twice(fault: str) -> None:
    """Whatever the answer to a POST is: one POST, and an error that says that it may be charged."""
    answering, _ = FAULTS[fault]

    async def main() -> None:
        async with peer(answering) as it:
            settings = evolve(settings_for(it.url, patience=TWICE), submit_timeout=10, on_uncertain="raise")
            session = Session(settings, rng=Random(0))
            with pytest.raises(errors.SubmissionUncertain) as caught:
                await session.submit(EAGLE)
            await asyncio.sleep(3600)
            await session.aclose()

        assert [head.split()[0] for head in it.heads] == ["POST"]
        assert (caught.value.charged, caught.value.key) == ("maybe", "eagle")
        assert not caught.value.retryable

    run(main())


def test_an_id_in_a_broken_answer_is_told() -> None:
    """One complete id in what came of an acceptance is on the error: it can be resumed."""
    answer = http(json.dumps(RECORD).encode())

    async def main() -> None:
        async with peer(saying(answer[:-30])) as it:
            settings = evolve(settings_for(it.url), on_uncertain="raise")
            session = Session(settings, rng=Random(0))
            with pytest.raises(errors.SubmissionUncertain) as caught:
                await session.submit(EAGLE)
            await session.aclose()

        assert caught.value.candidates == ("r-1",)
        assert caught.value.request_id == "r-1"

    run(main())


def test_a_redirect_of_a_call_is_never_followed() -> None:
    """The place that a 307 or a 302 names sees no connection: neither key, nor body, nor look."""

    async def main() -> None:
        async with peer(saying(http(b"{}"))) as other:
            for status in ("307 Temporary Redirect", "308 Permanent Redirect", "301 Moved", "302 Found"):
                away = saying(http(b"", status, f"Location: {other.url}/requests"))
                async with peer(away) as it:
                    settings = evolve(settings_for(it.url, patience=TWICE), on_uncertain="raise")
                    session = Session(settings, rng=Random(0))
                    with pytest.raises(errors.SubmissionUncertain):
                        await session.submit(EAGLE)
                    with pytest.raises(errors.ServiceError):
                        await session.snapshot("r-1")
                    await session.aclose()
                assert len(it.heads) == 2

            assert other.connections == 0

    run(main())


def test_a_download_is_not_led_into_the_private_net(tmp_path: Path) -> None:
    """A storage host that redirects to a private address, or names one, is not followed there."""

    async def main() -> None:
        for location in (
            "https://10.0.0.1:8443/x.mp4",
            "https://169.254.169.254/",
            "http://192.168.0.1/x.mp4",
        ):
            async with peer(saying(http(b"", "302 Found", f"Location: {location}"))) as it:
                async with Session(settings_for(it.url, patience=TWICE)) as session:
                    for link in (f"{it.url}/film.mp4", location):
                        with pytest.raises(errors.UnsafeURL):
                            await session.download(Media(link), to=tmp_path / "film.mp4")
                assert len(it.heads) == 1

    run(main())
    assert left_in(tmp_path) == []


def test_a_truncated_film_leaves_nothing(tmp_path: Path) -> None:
    """A body that is cut, again and again, leaves nothing at the target and nothing beside it."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + bytes(3_000_000)

    async def main() -> None:
        async with peer(saying(cut)) as it, Session(settings_for(it.url, patience=TWICE)) as session:
            with pytest.raises(errors.Incomplete):
                await session.download(Media(f"{it.url}/film.mp4"), to=tmp_path / "film.mp4")

        assert len(it.heads) == 2

    run(main())
    assert left_in(tmp_path) == []


def test_the_count_of_calls_is_the_peers() -> None:
    """A peer that hangs up after each call sees as many calls as the observers are told of."""
    from gmi_video import Exchange, Notice  # noqa: PLC0415  # only here

    async def main() -> None:
        notices: list[Notice] = []
        async with peer(hanging_up) as it:
            settings = settings_for(it.url, patience=Patience(attempts=5, first=1))
            async with Session(settings, rng=Random(0), observers=[notices.append]) as session:
                with pytest.raises(errors.Interrupted):
                    await session.snapshot("r-1")
                await told(session.watch(["r-1"], deadline=100))

        exchanges = [notice for notice in notices if isinstance(notice, Exchange)]
        assert len(it.heads) == it.connections == len(exchanges) > 8
        assert {notice.error for notice in exchanges} == {"Interrupted"}

    run(main())
