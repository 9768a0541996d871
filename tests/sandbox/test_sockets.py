import asyncio
import json
from urllib.parse import urlsplit

import pytest

from gmi_video.sandbox import Behaviour, Faults, Sandbox, Script
from gmi_video.sandbox.faults import (
    NAMED,
    Drip,
    Early,
    Endless,
    Fault,
    Garbage,
    HangUp,
    Late,
    Postponed,
    Silence,
    Unmeasured,
    WrongLength,
)
from gmi_video.testing import run

from .wire import EAGLE, Heard, post, submission, talk

BIG = {"model": "Veo3", "payload": {"prompt": "x" * 8_000_000}}


def healthy() -> bytes:
    """The bytes of a healthy reply."""
    return run(submission(None, until=5))[0].told


def length() -> int:
    """How many bytes a healthy reply has."""
    return len(healthy())


@pytest.mark.parametrize("name", NAMED)
def test_a_fault_says_truly_whether_a_submission_was_accepted(name: str) -> None:
    """`accepts` is what the charges show, exactly once, and a sandbox that plays the fault closes."""
    _, _, charged = run(submission(NAMED[name], until=10))

    assert charged == (1 if NAMED[name].accepts else 0)


@pytest.mark.parametrize(
    ("fault", "end", "said"),
    [
        (HangUp(), "fin", 0),
        (HangUp(after=20), "fin", 20),
        (HangUp(after=-10), "fin", -10),
        (HangUp(how="reset"), "reset", 0),
        (HangUp(how="reset", after=20), "reset", 20),
        (HangUp(how="reset", after=-10), "reset", -10),
        (HangUp(how="half_close", after=20), "fin", 20),
        (HangUp(how="half_close", of="request"), "fin", 0),
        (HangUp(of="request"), "fin", 0),
        (HangUp(how="reset", of="request", after=5), "reset", 0),
        (HangUp(how="reset", of="request", after=10**6), "reset", 0),
    ],
)
def test_a_reply_ends_where_and_as_it_is_told_to(fault: HangUp, end: str, said: int) -> None:
    """So many bytes of the healthy reply come, head included, then a FIN or an RST, and nothing else."""
    whole = length()
    heard, _, _ = run(submission(fault))

    assert heard.end == end
    assert len(heard.told) == (said if said >= 0 else whole + said)
    assert healthy().startswith(heard.told[:12])


@pytest.mark.parametrize("after", [0, 70_000])
def test_a_large_request_is_cut_before_it_is_read(after: int) -> None:
    """A reset within a body of megabytes comes while the client is still sending, and charges nothing."""
    heard, _, charged = run(submission(HangUp(how="reset", of="request", after=after), BIG))

    assert (heard.end, heard.told, charged) == ("reset", b"", 0)


def test_after_a_half_close_the_sandbox_still_reads() -> None:
    """A client that met a FIN can go on writing without an RST, until it leaves itself."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=HangUp(how="half_close", of="request")),))
        async with Sandbox(script, render=False) as sandbox:
            parts = urlsplit(sandbox.url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            said = post(sandbox)
            writer.write(said[:-5])
            assert await reader.read() == b""
            assert sandbox.charges == []
            writer.write(said[-5:])
            await writer.drain()
            await asyncio.sleep(1)
            writer.write(b"more")
            await writer.drain()

            assert len(sandbox.charges) == 1
            assert sandbox.calls[0].ended is None
            writer.close()

    run(main())


@pytest.mark.parametrize("accepted", [False, True])
def test_silence_lasts_until_the_client_leaves(accepted: bool) -> None:
    """Not a byte in a day; then the client's own deadline comes, and the charge is there or not."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=Silence(accepted=accepted)),))
        async with Sandbox(script, render=False) as sandbox:
            heard = await talk(sandbox.url, post(sandbox), until=86_400)
            await asyncio.sleep(1)

            assert (heard.told, heard.end, heard.took) == (b"", "open", 86_400)
            assert len(sandbox.charges) == int(accepted)
            (call,) = sandbox.calls
            assert call.status is None
            assert call.ended == pytest.approx(call.at + 86_400, abs=1)

    run(main())


@pytest.mark.parametrize("fault", [None, HangUp(of="request", after=10**6)])
def test_a_client_that_leaves_within_its_body_is_no_error(
    fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a request is nothing: no charge, no reply, and no word in the log."""

    async def main() -> None:
        async with Sandbox(Script(submissions=(Behaviour(fault=fault),)), render=False) as sandbox:
            await talk(sandbox.url, post(sandbox)[:-5], until=5)
            await asyncio.sleep(1)

            (call,) = sandbox.calls
            assert call.status is None
            assert call.ended is not None
            assert sandbox.charges == []

    run(main())
    assert caplog.records == []


def test_closing_the_sandbox_ends_a_silence() -> None:
    """A blackhole, a half-close and an endless body do not outlive the sandbox, and leave no task."""

    async def main() -> None:
        faults: tuple[Fault, ...] = (Silence(), HangUp(how="half_close"), Endless(), Late(seconds=1e6))
        script = Script(submissions=[Behaviour(fault=fault) for fault in faults])
        async with Sandbox(script, render=False) as sandbox:
            talks = [asyncio.create_task(talk(sandbox.url, post(sandbox), until=1e5)) for _ in faults]
            await asyncio.sleep(0.5)
        heard = await asyncio.gather(*talks)

        assert all(each.end != "open" for each in heard)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


def test_a_call_given_up_by_its_client_ends_with_the_sandbox() -> None:
    """A handler whose client has left long ago is ended too when the sandbox closes."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=Late(seconds=1e6)),))
        async with Sandbox(script, render=False) as sandbox:
            await talk(sandbox.url, post(sandbox), until=5)

        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


def test_a_drip_is_whole_and_slow() -> None:
    """Every byte comes, one per second, and the connection serves the next call."""
    whole = length()
    heard, _, _ = run(submission(Drip(), until=whole + 10))

    assert len(heard.told) == whole
    assert json.loads(heard.body)["status"] == "dispatched"
    slow, _, _ = run(submission(Drip(size=100, interval=10), until=3600))
    assert len(slow.told) == whole


def test_a_late_reply_comes_at_its_second() -> None:
    """The charge is there at once and the reply after the seconds named."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=Late(seconds=90)),))
        async with Sandbox(script, render=False) as sandbox:
            early = await talk(sandbox.url, post(sandbox), until=89)

            assert (early.told, len(sandbox.charges)) == (b"", 1)
            assert sandbox.calls[0].status is None
            await asyncio.sleep(2)
            assert sandbox.calls[0].status == 200

    run(main())


def test_a_postponed_submission_is_carried_out_later() -> None:
    """The client hears a FIN; ten seconds later the request is listed and charged, with that time."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=Postponed(seconds=10)),))
        async with Sandbox(script, render=False) as sandbox:
            asked = sandbox.now()
            heard = await talk(sandbox.url, post(sandbox))
            before = len(sandbox.charges)
            await asyncio.sleep(9)
            assert len(sandbox.charges) == before == 0
            await asyncio.sleep(3)

            assert (heard.told, heard.end) == (b"", "fin")
            (charge,) = sandbox.charges
            assert charge.at == pytest.approx(asked + 10)
            assert charge.payload == EAGLE["payload"]

    run(main())


def test_a_postponed_submission_dies_with_the_sandbox() -> None:
    """What was not carried out when the sandbox closed never is."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=Postponed(seconds=10)),))
        async with Sandbox(script, render=False) as sandbox:
            await talk(sandbox.url, post(sandbox))
        await asyncio.sleep(60)

        assert sandbox.charges == []

    run(main())


def test_garbage_is_not_http() -> None:
    """The bytes of the script come as they are, then a FIN."""
    heard, _, charged = run(submission(Garbage(body=b"\x00\x01hello", accepted=False)))

    assert (heard.told, heard.end, charged) == (b"\x00\x01hello", "fin", 0)


@pytest.mark.parametrize("by", [-8, 8])
def test_a_length_is_wrong_by_so_many_bytes(by: int) -> None:
    """Content-Length and body differ by the bytes named, and the connection stays open."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=WrongLength(by=by)),))
        async with Sandbox(script, render=False) as sandbox:
            heard = await talk(sandbox.url, post(sandbox), until=100)

            assert int(heard.header("Content-Length")) == len(heard.body) + by
            assert heard.end == "open"
            assert sandbox.calls[0].status == (200 if by < 0 else None)

    run(main())


def test_bytes_beyond_the_length_stand_before_the_next_reply() -> None:
    """On a connection that is used again the surplus of one reply comes before the next one's head."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=WrongLength(by=-8)),))
        async with Sandbox(script, render=False) as sandbox:
            heard = await talk(sandbox.url, post(sandbox) + post(sandbox), until=10)

            announced = int(heard.header("Content-Length"))
            assert heard.body[announced + 8 :].startswith(b"HTTP/1.1 200 OK")
            assert len(sandbox.charges) == 2

    run(main())


@pytest.mark.parametrize("after", [None, 30])
def test_a_reply_without_length_ends_by_close(after: int | None) -> None:
    """No length, `Connection: close`, a clean FIN: whole or cut, the framing does not tell."""
    heard, _, _ = run(submission(Unmeasured(after=after)))

    assert (heard.header("Content-Length"), heard.header("Connection"), heard.end) == ("", "close", "fin")
    assert len(heard.body) == 30 if after else json.loads(heard.body)


def test_an_endless_body_does_not_end() -> None:
    """The body goes on for as long as the client reads, at a pace that lets its deadline come."""
    heard, _, _ = run(submission(Endless(size=1000, interval=0.1), until=60))

    assert heard.end == "open"
    assert 590_000 <= len(heard.body) <= 602_000


@pytest.mark.parametrize("lingers", [True, False])
def test_an_early_answer_comes_before_the_body_is_read(lingers: bool) -> None:
    """The status is there while most of the body is unsent, and nothing is accepted."""

    async def main() -> None:
        script = Script(submissions=(Behaviour(fault=Early(status=413, lingers=lingers)),))
        async with Sandbox(script, render=False) as sandbox:
            head, _, _ = post(sandbox, BIG).partition(b"\r\n\r\n")
            heard = await talk(sandbox.url, head + b"\r\n\r\n" + b"{", until=5)

            assert heard.status == 413
            assert heard.end == ("open" if lingers else "fin")
            assert sandbox.charges == []
            assert sandbox.calls[0].status == 413

    run(main())


def test_a_head_has_no_body_under_a_fault_either() -> None:
    """HEAD of an artifact under a drip says the headers and no byte of the object."""

    async def main() -> Heard:
        script = Script(media=(Behaviour(fault=Drip(size=1000)),))
        async with Sandbox(script, render=False) as sandbox:
            return await talk(sandbox.media_url, b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", until=5)

    heard = run(main())
    assert (heard.status, heard.body) == (404, b"")


def test_charges_are_what_the_faults_of_the_calls_say() -> None:
    """Under shares of many faults each accepted call is one charge, and two runs of one seed are one run."""
    shares = dict.fromkeys(("drop_after_accept", "502", "502_after_accept", "truncate", "late"), 0.06)
    shares |= dict.fromkeys(("reset_before_body", "reset_in_reply", "postponed", "redirect_307"), 0.06)

    async def main() -> list[str]:
        script = Script(faults=Faults(submit=shares, seed=4))
        async with Sandbox(script, render=False) as sandbox:
            for _ in range(150):
                await talk(sandbox.url, post(sandbox), until=1)
            await asyncio.sleep(600)
            met = [call.fault for call in sandbox.calls]

            assert len(sandbox.charges) == sum(fault is None or fault.accepts for fault in met)
            assert len({charge.request_id for charge in sandbox.charges}) == len(sandbox.charges)
            assert sandbox.count_faults("submit") == sum(fault is not None for fault in met) > 50
            return [charge.request_id for charge in sandbox.charges]

    assert run(main()) == run(main())


def test_a_fault_of_a_model_strikes_its_submissions() -> None:
    """Said of a model, a fault meets each accepted submission of it and none of another."""

    async def main() -> None:
        script = Script(models={"Veo3": Behaviour(fault=HangUp())})
        async with Sandbox(script, render=False) as sandbox:
            mine = [await talk(sandbox.url, post(sandbox)) for _ in range(2)]
            other = {"model": "Luma-Ray2", "payload": {"prompt": "x"}}
            theirs = await talk(sandbox.url, post(sandbox, other), until=5)
            refused = await talk(sandbox.url, post(sandbox, {"model": "Veo3", "payload": {}}), until=5)

            assert [heard.told for heard in mine] == [b"", b""]
            assert (theirs.status, refused.status) == (200, 400)
            assert len(sandbox.charges) == 3
            assert [call.fault for call in sandbox.calls] == [HangUp(), HangUp(), None, None]

    run(main())


def test_a_models_fault_can_lose_the_request_itself() -> None:
    """Said of a model, a fault that accepts nothing leaves no charge and no reply."""

    async def main() -> None:
        script = Script(models={"*": Behaviour(fault=HangUp(how="reset", of="request"))})
        async with Sandbox(script, render=False) as sandbox:
            heard = await talk(sandbox.url, post(sandbox))

            assert (heard.told, heard.end, sandbox.charges) == (b"", "reset", [])

    run(main())
