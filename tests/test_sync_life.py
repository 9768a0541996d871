"""The thread of a blocking session: begun late, ended in time, interrupted, forgotten, forked."""

import asyncio
import copy
import gc
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import evolve
from programs import environment
from served import serving

from gmi_video import Pace, Progressed, VideoRequest, errors, sync
from gmi_video.sandbox import Behaviour, Sandbox, Script

EAGLE = VideoRequest("Veo3", {"prompt": "a majestic eagle"})
SLOW = VideoRequest("Luma-Ray2", {"prompt": "a river"})
SOON = Pace(first=0.02, longest=0.05)
SCRIPT = Script(
    models={
        "*": Behaviour(seconds=30, queued=5),
        "Luma-Ray2": Behaviour(seconds=30, answers_after=120),
        "wan2.7-t2v": Behaviour(answers_after=36_000),
    }
)
"""Under the sandbox's speed a request lives half a second, and the slow model's POST is answered after two, another's never."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    with serving(SCRIPT) as sandbox:
        yield sandbox


def session_at(cloud: Sandbox, **changes: Any) -> sync.Session:
    return sync.Session(evolve(cloud.settings, **{"pace": SOON, **changes}))


def threads() -> list[threading.Thread]:
    """The threads of this package that run now."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("gmi_video")]


def test_the_thread_begins_with_the_first_verb_and_ends_with_close(cloud: Sandbox) -> None:
    """An idle session has no thread; closing twice is fine; a verb after it begins anew."""
    session = session_at(cloud)
    idle = threads()
    session.models()
    working = len(threads())
    session.close()
    session.close()
    closed = threads()
    session.models()
    again = len(threads())
    session.close()

    assert (idle, working, closed, again, threads()) == ([], 1, [], 1, [])


def test_it_works_where_a_loop_is_running_already(cloud: Sandbox) -> None:
    """In a notebook a loop runs in the very thread that calls; the verbs wait all the same."""

    async def cell() -> str:
        with session_at(cloud) as session:
            (end,) = (event for event in session.watch([session.submit(EAGLE)]) if event.final)
            return end.request_id

    request_id = asyncio.run(cell())

    assert request_id in {charge.request_id for charge in cloud.charges}


def test_many_threads_share_a_session_and_several_sessions_run_at_once(cloud: Sandbox) -> None:
    """Each session has one thread, however many threads call it; two sessions are two accounts."""
    with serving(SCRIPT) as other, session_at(cloud) as here, session_at(other) as there:
        before = len(cloud.charges)
        with ThreadPoolExecutor(8) as pool:
            videos = list(pool.map(lambda session: session.generate(EAGLE), [here] * 6 + [there] * 2))
        running = len(threads())

        assert running == 2
        assert len(videos) == 8
        assert (len(cloud.charges) - before, len(other.charges)) == (6, 2)


def test_a_callback_that_would_wait_for_itself_is_told_so(cloud: Sandbox) -> None:
    """A verb called in the session's own thread raises instead of hanging for ever."""
    told: list[BaseException] = []

    def nosy(_: object) -> None:
        for verb in (session.models, session.close):
            try:
                verb()
            except errors.ConfigurationError as error:
                told.append(error)

    with session_at(cloud) as session:
        session.generate(EAGLE, on_event=nosy)

    assert len(told) >= 2
    assert "wait for itself" in str(told[0])


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_session_and_its_watches_refuse_to_be_pickled(cloud: Sandbox, way: Any) -> None:
    """A thread cannot travel: the sentence says what can."""
    session = session_at(cloud)
    for held in (session, session.watch([])):
        with pytest.raises(TypeError, match="in each process, and hand over request ids"):
            way(held)


@pytest.mark.parametrize("when", ["idle", "looking"])
def test_a_forgotten_session_warns_once_and_its_thread_ends(cloud: Sandbox, when: str) -> None:
    """One `ResourceWarning` with file and line, and nothing is left running."""

    def forget() -> None:
        session = session_at(cloud)
        accepted = session.submit(EAGLE)
        if when == "looking":
            next(session.watch([accepted]))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forget()
        gc.collect()
        for thread in threads():
            thread.join(20)

    assert threads() == []
    assert [(it.category, str(it.message).split(":")[0]) for it in caught] == [
        (ResourceWarning, f"a Session made at {__file__}")
    ]


def test_closing_from_another_thread_ends_whoever_waits(cloud: Sandbox) -> None:
    """A verb that waits is told that its session was closed; its request goes on and is found again."""
    session = session_at(cloud, pace=Pace(first=60, longest=60))
    accepted = session.submit(EAGLE)
    begun = threading.Event()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(session.resume, accepted, on_event=lambda _: begun.set())
        assert begun.wait(20)
        session.close()
        error = waiting.exception(20)

    assert isinstance(error, errors.GmiVideoError)
    with session_at(cloud) as again:
        assert again.resume(accepted).snapshot.request_id == accepted.request_id


def test_whatever_waits_is_ended_by_close(cloud: Sandbox) -> None:
    """Closing does not wait for what would never end: whoever waits for it is told so."""
    session = session_at(cloud)
    begun = threading.Event()

    async def never() -> None:
        begun.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(session._thread.wait, never)
        assert begun.wait(20)
        session.close()
        error = waiting.exception(20)

    assert isinstance(error, errors.ConfigurationError)
    assert "closed by another thread" in str(error)


def test_what_was_being_read_when_the_session_closed_says_so(cloud: Sandbox) -> None:
    """A watch ends with its session; a list that was half read is never taken for a whole one."""
    with session_at(cloud) as session:
        for prompt in "ab":
            session.submit(VideoRequest("Veo3", {"prompt": prompt}))
        listed = session.requests()
        next(listed)
        watch = session.watch(session.unfinished(), pace=Pace(first=60, longest=60))
        assert isinstance(next(watch), Progressed)

    with pytest.raises(errors.ConfigurationError, match="ask it anew"):
        next(listed)
    assert list(watch) == []
    watch.close()
    assert threads() == []


PROGRAM = """
import asyncio, os, signal, sys, threading, time
from gmi_video import MemoryStore, Pace, Settings, VideoRequest, sync

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs in the background ignores it
wish = VideoRequest({model!r}, {{"prompt": "a majestic eagle"}})

def say(*words):
    print(*words, flush=True)

def interrupt(_=None):
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

{body}
"""


def run(cloud: Sandbox, body: str, *flags: str, model: str = "Veo3") -> "subprocess.CompletedProcess[str]":
    """A program in a process of its own, to its end."""
    return subprocess.run(
        [sys.executable, *flags, "-c", PROGRAM.format(model=model, body=body)],
        env=environment(cloud),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_interrupt_ends_the_program_and_names_what_goes_on(cloud: Sandbox) -> None:
    """Ctrl-C in `generate`: no hang, one charge, and its id in the traceback, to be resumed."""
    before = len(cloud.charges)
    done = run(
        cloud,
        "with sync.Session() as session, session.using(pace=Pace(first=60, longest=60)) as view:\n"
        "    view.generate(wish, on_event=interrupt)",
        "-W",
        "error",
    )
    (charge,) = cloud.charges[before:]

    assert done.returncode == -signal.SIGINT
    assert done.stderr.count(f"not received yet, Session.resume(id) finds it: {charge.request_id}") == 1
    with session_at(cloud) as session:
        assert session.resume(charge.request_id).snapshot.request_id == charge.request_id


def test_an_interrupt_during_the_post_loses_no_id(cloud: Sandbox) -> None:
    """Ctrl-C while the service has not answered yet: the answer is waited for, and its id is named."""
    before = len(cloud.charges)
    done = run(
        cloud,
        "def once_it_is_sent():\n"
        "    while session.uncertain() == ():\n"
        "        pass\n"
        "    time.sleep(0.3)\n"
        "    interrupt()\n"
        "with sync.Session(Settings(check='off')) as session:\n"
        "    threading.Thread(target=once_it_is_sent).start()\n"
        "    session.submit(wish)\n",
        model="Luma-Ray2",
    )
    (charge,) = cloud.charges[before:]

    assert done.returncode == -signal.SIGINT
    assert charge.request_id in done.stderr


def test_a_second_interrupt_breaks_the_wait_for_a_submission_off(cloud: Sandbox) -> None:
    """Ctrl-C again while the session closes: it closes all the same, and the submission is kept as uncertain."""
    done = run(
        cloud,
        "store = MemoryStore()\n"
        "def twice():\n"
        "    while session.uncertain() == ():\n"
        "        pass\n"
        "    interrupt()\n"
        "    while thread.portal is not None:\n"
        "        pass\n"
        "    interrupt()\n"
        "try:\n"
        "    with sync.Session(Settings(check='off'), store=store) as session:\n"
        "        thread = session._thread\n"
        "        threading.Thread(target=twice).start()\n"
        "        session.submit(wish)\n"
        "except KeyboardInterrupt:\n"
        "    say(*(intent.state.value for intent in asyncio.run(store.undecided())))\n",
        "-W",
        "error",
        model="wan2.7-t2v",
    )

    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["ambiguous"], "")


def test_a_caught_interrupt_loses_no_event(cloud: Sandbox) -> None:
    """A loop that catches Ctrl-C goes on where it was, in the same watch."""
    done = run(
        cloud,
        "with sync.Session(Settings(pace=Pace(first=0.1, longest=0.1))) as session:\n"
        "    ids = [session.submit(wish).request_id for _ in range(3)]\n"
        "    with session.watch(ids, keep_open=True) as events:\n"
        "        for _ in range(3):\n"
        "            try:\n"
        "                interrupt()\n"
        "                for event in events:\n"
        "                    say(type(event).__name__, event.request_id)\n"
        "            except KeyboardInterrupt:\n"
        "                say('interrupted')\n"
        "        events.finish()\n"
        "        for event in events:\n"
        "            say(type(event).__name__, event.request_id)\n",
    )
    said = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert said.count("interrupted") == 3
    assert len({line for line in said if line.startswith("Succeeded")}) == 3


def test_a_program_that_forgets_to_close_is_closed_at_its_exit(cloud: Sandbox) -> None:
    """At exit an open session is warned of once and closed: the answer to a submission is waited for."""
    before = len(cloud.charges)
    done = run(
        cloud,
        "session = sync.Session(Settings(check='off'), observers=[lambda it: say(type(it).__name__)])\n"
        "session.models()\n"
        "threading.Thread(target=session.submit, args=(wish,), daemon=True).start()\n"
        "while session.uncertain() == ():\n"
        "    pass\n",
        "-W",
        "always",
        model="Luma-Ray2",
    )

    assert (done.returncode, len(cloud.charges) - before) == (0, 1)
    assert done.stderr.count("ResourceWarning: a Session made at") == 1
    assert {"Submitted", "Abandoned"} & set(done.stdout.split())


def test_a_signal_handler_may_ask_what_is_unfinished(cloud: Sandbox) -> None:
    """SIGTERM in the middle of a verb: the handler learns the ids, closes, and the program ends."""
    before = len(cloud.charges)
    done = run(
        cloud,
        "session = sync.Session()\n"
        "def handler(*_):\n"
        "    say(*session.unfinished())\n"
        "    session.close()\n"
        "    sys.exit(7)\n"
        "signal.signal(signal.SIGINT, handler)\n"
        "session.generate(wish, on_event=interrupt)\n",
        "-W",
        "error",
    )
    (charge,) = cloud.charges[before:]

    assert (done.returncode, done.stdout.split(), done.stderr) == (7, [charge.request_id], "")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no fork on this system")
def test_a_forked_process_is_told_and_does_not_hang(cloud: Sandbox) -> None:
    """The child of a fork has no thread: a verb says so, and it ends; the parent's session is open as before."""
    done = run(
        cloud,
        "session = sync.Session()\n"
        "session.models()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    try:\n"
        "        session.models()\n"
        "    except ValueError as error:\n"
        "        say(error)\n"
        "    sys.exit(5)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "say(code, len(session.models()) > 0)\n"
        "session.close()\n",
        "-W",
        "ignore::DeprecationWarning",  # Python's own word on forking beside threads
    )
    words, ends = done.stdout.splitlines()

    assert "before the process forked" in words
    assert (ends, done.returncode, done.stderr) == ("5 True", 0, "")
