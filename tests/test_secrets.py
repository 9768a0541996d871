"""No secret in any text: canaries through every fault, with all logging on, asyncio's debug mode, and locals shown."""

import asyncio
import logging
import pickle
import traceback
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from intents import Failing, Ledger
from peers import http, peer, saying
from scene import settings_for

import gmi_video
from gmi_video import Intent, Notice, Patience, Session, Snapshot, VideoRequest, errors
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.chances import Faults
from gmi_video.sandbox.faults import NAMED
from gmi_video.testing import run
from gmi_video.wire import Reply

KEY, ORGANIZATION = "key-canary-1", "org-canary-2"
PROMPT, SIGNATURE = "prompt-canary-3", "signature-canary-4"
CANARIES = (KEY, ORGANIZATION, PROMPT, SIGNATURE)
LINK = f"https://storage.example/in.png?X-Goog-Signature={SIGNATURE}"
REQUEST = VideoRequest("Veo3", {"prompt": PROMPT, "image": LINK}, key="row-7")
HOUSE = str(Path(gmi_video.__file__).parent)
OUTER = tuple(f"{HOUSE}/{room}" for room in ("sandbox", "testing"))
TWICE = Patience(attempts=2, first=1, jitter=0)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error with all that hangs on it."""
    seen: list[BaseException | None] = [error]
    while seen:
        each = seen.pop()
        if each is not None:
            yield each
            seen += [each.__cause__, each.__context__]


def texts(error: BaseException) -> Iterator[str]:
    """All that may be printed of an error: its words, its attributes, and the locals of our own frames."""
    for each in chain(error):
        yield str(each)
        yield repr(each)
        yield repr(vars(each))
        yield repr(each.args)
        if isinstance(each, errors.GmiVideoError):
            yield repr(each.as_dict())
        told = traceback.TracebackException.from_exception(each, capture_locals=True)
        for frame in told.stack:
            if frame.filename.startswith(HOUSE) and not frame.filename.startswith(OUTER):
                yield f"{frame.filename}:{frame.lineno} {frame.name} {frame.locals}"


def pickled(error: BaseException) -> str:
    """An error as another process gets it; an intent holds its payload on purpose."""
    if isinstance(error, errors.SubmissionUncertain):
        held = error.intent
        assert PROMPT in str(pickle.dumps(held))
        error.intent = None
        try:
            return str(pickle.dumps(error))
        finally:
            error.intent = held
    return str(pickle.dumps(error))


def assert_silent(shown: Iterator[str] | list[str], canaries: tuple[str, ...] = CANARIES) -> None:
    for text in shown:
        for canary in canaries:
            assert canary not in text, text


def assert_discreet(error: BaseException) -> None:
    """No canary in anything that can be seen of an error, nor a foreign error behind it."""
    assert_silent(texts(error))
    assert_silent([pickled(error)])
    assert [each for each in chain(error) if not isinstance(each, errors.GmiVideoError)] == []


def logged(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """All that any logger was given, arguments and tracebacks included."""
    for entry in caplog.records:
        yield entry.getMessage()
        yield repr(entry.__dict__)
        if entry.exc_info and entry.exc_info[1] is not None:
            yield from texts(entry.exc_info[1])


async def collected(session: Session) -> list[BaseException]:
    """The errors of each verb that meets a fault; the caller of a submission says nothing of it."""
    found: list[BaseException] = []
    verbs: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: session.submit(REQUEST),
        lambda: session.snapshot("r-1"),
        session.models,
        lambda: session.model("Veo3"),
        lambda: _listed(session),
    ]
    for verb in verbs:
        try:
            await verb()
        except errors.GmiVideoError as error:
            found.append(error)
    return found


async def _listed(session: Session) -> list[Snapshot]:
    return [snapshot async for snapshot in session.requests("Veo3")]


@pytest.mark.parametrize("fault", [name for name in NAMED if name not in {"gzip_bomb", "endless"}])
def test_no_fault_of_the_wire_shows_a_secret(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Errors, notices and logs of every operation under every fault, all the way down."""
    caplog.set_level(1)
    told: list[Notice] = []
    operations = ["submit", "look", "models", "model", "list"]

    async def main() -> list[BaseException]:
        shares: dict[str, Any] = {operation: {fault: 1.0} for operation in operations}
        script = Script(models={"*": Behaviour(seconds=9)}, faults=Faults(**shares))
        async with Sandbox(script, api_key=KEY, render=False) as sandbox:
            settings = evolve(
                sandbox.settings,
                organization=ORGANIZATION,
                patience=TWICE,
                check="off",
                on_uncertain="raise",
                submit_timeout=30,
            )
            async with Session(settings, rng=Random(0), observers=[told.append]) as session:
                return await collected(session)

    found = run(main(), debug=True)

    for error in found:
        assert_discreet(error)
    assert_silent(repr(notice) + repr(notice.as_dict()) for notice in told)
    assert_silent(logged(caplog))
    assert found or fault in {"unmeasured", "half_close_first", "late"}


ECHOES = {
    "a page": f"<html><title>{KEY}</title>Authorization: Bearer {KEY} X-Organization-ID: {ORGANIZATION}</html>",
    "an error": f'{{"error": "bad key {KEY} of {ORGANIZATION}"}}',
    "a record": f'{{"org_id": "{ORGANIZATION}", "key": "{KEY}", "payload": {{"prompt": "{PROMPT}", "image": "{LINK}"}}',
    "a link": f'{{"error": "could not fetch {LINK}"}}',
    "a header": f"key {KEY}",
}


@pytest.mark.parametrize(
    "status", ["200 OK", "400 No", "401 No", "403 No", "404 No", "429 No", "500 No", "502 No"]
)
@pytest.mark.parametrize("echo", ECHOES)
def test_a_peer_that_echoes_what_it_was_sent_is_not_repeated(
    echo: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it says back of keys, organisations, payloads and links stays out of errors and logs."""
    caplog.set_level(1)

    async def main() -> list[BaseException]:
        async with peer(saying(http(ECHOES[echo].encode(), status, "Connection: close"))) as it:
            settings = settings_for(it.url, patience=TWICE, check="off", on_uncertain="raise")
            settings = evolve(settings, api_key=KEY, organization=ORGANIZATION)
            async with Session(settings, rng=Random(0)) as session:
                return await collected(session)

    found = run(main(), debug=True)

    assert found
    for error in found:
        assert_discreet(error)
    assert_silent(logged(caplog))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"request_id":"a b","org_id":"%s","payload":{"prompt":"%s"}}'
        % (ORGANIZATION.encode(), PROMPT.encode()),
        b'{"org_id":"%s","user_id":"u","payload":{"prompt":"%s"' % (ORGANIZATION.encode(), PROMPT.encode()),
    ],
)
def test_an_acceptance_that_is_not_understood_shows_no_record(body: bytes) -> None:
    """A full record names the organisation and echoes the payload; what is quoted of it does neither."""

    async def main() -> list[BaseException]:
        async with peer(saying(http(body, "200 OK", "Connection: close"))) as it:
            settings = settings_for(it.url, patience=TWICE, check="off", on_uncertain="raise")
            async with Session(evolve(settings, api_key=KEY, organization=ORGANIZATION)) as session:
                return await collected(session)

    for error in run(main()):
        assert_discreet(error)


def test_a_store_that_fails_with_a_payload_in_its_words_is_not_quoted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Databases name the row that they could not write; the log says only that they failed."""

    class Talking(Failing):
        def _check(self, name: str) -> None:
            if name in self.failing:
                message = f"row ({PROMPT}, {KEY})"
                raise OSError(message)

    caplog.set_level(1)

    async def main(*failing: str) -> list[BaseException]:
        script = Script(
            models={"*": Behaviour(seconds=9)}, faults=Faults(nth={"submit": {1: "drop_after_accept"}})
        )
        async with Sandbox(script, api_key=KEY, render=False) as sandbox:
            settings = evolve(sandbox.settings, settle=1, check="off")
            async with Session(settings, store=Talking(*failing)) as session:
                try:
                    await session.submit(REQUEST)
                except errors.GmiVideoError as error:
                    return [error]
        return []

    for failing in (("ambiguous", "accepted", "claim"), ("claims",), ("undecided", "needs_decision")):
        for error in run(main(*failing), debug=True):
            assert_discreet(error)
    assert_silent(logged(caplog))
    assert "store" in caplog.text


def test_a_key_that_cannot_be_renewed_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    """A vault may name the key in its error; the log says only that it failed."""
    caplog.set_level(1)
    asked = 0

    async def vault() -> str:
        nonlocal asked
        asked += 1
        if asked > 1:
            message = f"cannot renew {KEY}"
            raise OSError(message)
        return KEY

    async def main() -> list[BaseException]:
        async with Sandbox(Script(unauthorized_from=1), render=False) as sandbox:
            settings = evolve(sandbox.settings, api_key=vault, check="off")
            async with Session(settings) as session:
                with pytest.raises(errors.Unauthorized) as caught:
                    await session.submit(REQUEST)
                return [caught.value]

    for error in run(main(), debug=True):
        assert_discreet(error)
    assert_silent(logged(caplog))
    assert "api_key failed (OSError)" in caplog.text


def test_what_is_remembered_of_a_submission_shows_no_payload() -> None:
    """Reprs of intents, wishes and all that stands in a debugger; a pickled intent holds its payload on purpose."""
    shown: list[str] = []

    class Looking(Ledger):
        async def put(self, intent: Intent, reply: bytes = b"") -> None:
            shown.append(repr(intent))
            for task in asyncio.all_tasks():
                shown.append(repr(task))
                for frame in task.get_stack():
                    shown.append(repr(frame.f_locals) if frame.f_code.co_filename.startswith(HOUSE) else "")
            await super().put(intent, reply)

    async def main() -> None:
        async with Sandbox(Script(models={"*": Behaviour(seconds=9)}), api_key=KEY, render=False) as sandbox:
            settings = evolve(sandbox.settings, organization=ORGANIZATION, check="off")
            async with Session(settings, store=Looking()) as session:
                snapshot = await session.submit(REQUEST)
                shown.append(repr(snapshot) + repr(REQUEST) + repr(session.settings) + repr(session))

    run(main(), debug=True)

    assert len(shown) > 4
    assert_silent(shown)


def test_the_reply_of_a_foreign_transport_is_not_shown() -> None:
    """Calls and replies have no repr of their headers and bodies."""
    reply = Reply(status=200, headers={"x": KEY}, body=PROMPT.encode())

    assert_silent([repr(reply)])
    assert logging.getLogger("gmi_video").handlers
