"""The benchmark of lost replies: its counting, its service, and that a small run of ours comes out even."""

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks.charges.dialects import DIALECTS
from benchmarks.charges.ours import measured
from benchmarks.charges.service import SHARES, Fault
from benchmarks.charges.tally import Tally, tally
from benchmarks.charges.theirs import Spoken, driven
from benchmarks.fresh import MeasurementFailed
from benchmarks.peers import Peer
from gmi_video.testing import run


def test_a_second_job_for_one_wish_is_an_extra_charge_and_one_of_them_is_lost() -> None:
    """What nobody was told of is lost; what nobody wished for is extra."""
    counted = tally([1, 2, 3], {1: ["a"], 2: ["b", "c"]}, {"a": 1, "c": 2})

    assert counted == Tally(charged=3, extra=1, lost=1, unsent=1)


def test_equal_wishes_share_their_jobs() -> None:
    """Two wishes to a letter want two jobs, whichever of them is whose."""
    assert tally([5, 5], {5: ["a", "b"]}, {"b": 5, "a": 5}) == Tally(charged=2, extra=0, lost=0)


def test_what_the_client_says_may_be_charged_is_undecided_and_not_lost() -> None:
    """And an id that was given to another's wish is wrong."""
    counted = tally([1, 2, 3], {1: ["a"], 2: ["b"], 3: ["c"]}, {"a": 1, "b": 3}, undecided=1)

    assert counted == Tally(charged=3, extra=0, lost=0, undecided=1, wrong=1)


@pytest.mark.parametrize("package", DIALECTS)
def test_a_healthy_service_charges_once_and_names_the_job(package: str) -> None:
    """In each dialect the answer to a submission holds the id of its job, and other calls cost nothing."""

    async def main() -> tuple[bytes, Spoken]:
        service = Spoken(DIALECTS[package], None, seed=1)
        async with service.serving() as url:
            await said(url, "GET", "/me/profile")
            return await said(url, "POST", DIALECTS[package].submits), service

    reply, service = run(main())

    assert service.jobs[7][0] in json.dumps(json.loads(reply.partition(b"\r\n\r\n")[2]))
    assert list(map(len, service.jobs.values())) == [1]


@pytest.mark.parametrize(
    ("fault", "begins", "whole"),
    [("dropped", b"", False), ("truncated", b"HTTP/1.1 200", False), ("502", b"HTTP/1.1 502", True)],
)
def test_what_breaks_breaks_after_the_job_was_made(fault: Fault, begins: bytes, whole: bool) -> None:
    """Each fault meets about its share of the submissions, and every one of them is charged."""

    async def main() -> tuple[list[bytes], Spoken]:
        service = Spoken(DIALECTS["gmicloud"], fault, seed=1)
        async with service.serving() as url:
            return [await said(url, "POST", DIALECTS["gmicloud"].submits) for _ in range(200)], service

    replies, service = run(main())
    sound = [reply for reply in replies if reply.startswith(b"HTTP/1.1 200") and is_whole(reply)]
    broken = [reply for reply in replies if reply not in sound]

    assert sum(map(len, service.jobs.values())) == 200
    assert SHARES[fault] * 100 < len(broken) < SHARES[fault] * 300
    assert all(reply.startswith(begins) and is_whole(reply) is whole for reply in broken)


def test_connects_are_refused_for_three_tenths_of_the_time() -> None:
    """Where they are, nothing is charged."""

    async def main() -> tuple[int, Spoken]:
        service = Spoken(DIALECTS["gmicloud"], "refused", seed=1)
        refused = 0
        async with service.serving() as url:
            for _ in range(100):
                try:
                    await said(url, "POST", DIALECTS["gmicloud"].submits)
                except ConnectionRefusedError:
                    refused += 1
                await asyncio.sleep(0.0999)
        return refused, service

    refused, service = run(main())

    assert 25 <= refused <= 35
    assert len(service.jobs[7]) == 100 - refused


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("fault", ["dropped", "502", "truncated"])
def test_ours_pays_once_and_loses_nothing(fault: Fault, same: bool) -> None:
    """A small run of the line: no second charge, no lost id, nothing undecided where payloads are echoed."""
    counted = measured(fault, 80, same=same)

    assert counted.pop("errors") == {}
    assert counted.pop("charged") == 80
    assert set(counted.values()) == {0}


def test_ours_guesses_nothing_where_nothing_is_echoed() -> None:
    """Every charged request is either its own caller's or said to be undecided, and the number is exact."""
    counted = measured("dropped", 150, echo=False)

    assert (counted["charged"], counted["extra"], counted["lost"], counted["wrong"]) == (150, 0, 0, 0)
    assert counted["errors"] == {"SubmissionUncertain": counted["undecided"]}


def test_a_peer_that_cannot_be_driven_says_why(tmp_path: Path) -> None:
    """The last words of its interpreter are the figure's note."""
    interpreter = tmp_path / "python"
    interpreter.write_text('#!/bin/sh\necho "no module called so, asked by $3 for $5" >&2\nexit 3\n')
    interpreter.chmod(0o755)

    with pytest.raises(
        MeasurementFailed, match="could not be driven: no module called so, asked by lumaai for 1"
    ):
        driven("lumaai", Peer(interpreter, "0"), None, 1)


async def said(url: str, method: str, path: str) -> bytes:
    """All that the service says to one call of the wish number 7."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    body = b'{"prompt": "wish-7"}'
    head = f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    writer.write_eof()
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


def is_whole(reply: bytes) -> bool:
    """Whether a reply has as many bytes as its head says."""
    head, _, body = reply.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(length) and len(body) == int(length)
