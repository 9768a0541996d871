"""The blocking face: the same verbs, arguments, records and errors, and nothing done twice."""

import base64
import inspect
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, assert_type

import pytest
from attrs import evolve
from served import serving

import gmi_video
from gmi_video import (
    Pace,
    Progressed,
    Session,
    Settings,
    Snapshot,
    Status,
    Succeeded,
    Video,
    VideoRequest,
    Watch,
    errors,
    sync,
)
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sync.face import Read

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EAGLE = VideoRequest("Veo3", {"prompt": "a majestic eagle"}, key="eagle")
SOON = Pace(first=0.02, longest=0.05)
SCRIPT = Script(models={"*": Behaviour(seconds=30, queued=5), "Luma-Ray2": Behaviour(seconds=5, fails="no")})

RENAMED = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
}
"""What has another name where nothing is awaited."""

FACES = [(Session, sync.Session), (Watch, sync.Watch)]


def verbs(surface: type) -> dict[str, Any]:
    """What a surface offers by its names, what is inherited included."""
    ours = [room for room in surface.__mro__ if room.__module__.startswith("gmi_video")]
    names = {name for room in ours for name in vars(room)}
    offered = {
        name for name in names if not name.startswith("_") or name in RENAMED or name in RENAMED.values()
    }
    return {RENAMED.get(name, name): inspect.getattr_static(surface, name) for name in offered}


def parameters(verb: Callable[..., object]) -> list[tuple[str, object, object]]:
    """Names, kinds and defaults of all that a verb takes besides itself."""
    return [(it.name, it.kind, it.default) for it in list(inspect.signature(verb).parameters.values())[1:]]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    with serving(SCRIPT) as sandbox:
        yield sandbox


@pytest.fixture
def session(cloud: Sandbox) -> Iterator[sync.Session]:
    with sync.Session(evolve(cloud.settings, pace=SOON)) as session:
        yield session


@pytest.mark.parametrize(("surface", "face"), FACES)
def test_both_surfaces_offer_the_same_names(surface: type, face: type) -> None:
    """A verb that only one of them has fails here until the other has it too."""
    assert set(verbs(surface)) == set(verbs(face))


@pytest.mark.parametrize(("surface", "face"), [*FACES, pytest.param(Session, sync.Session, id="init")])
def test_both_surfaces_take_the_same_arguments(surface: type, face: type, request: Any) -> None:
    """Names, kinds and defaults of every verb's arguments are equal, as are those of the constructor."""
    if request.node.callspec.id == "init":
        assert parameters(surface.__init__) == parameters(face.__init__)  # type: ignore[misc]  # both are classes of ours
    there, here = verbs(surface), verbs(face)
    plain = [name for name, verb in there.items() if not isinstance(verb, property)]

    assert {name: parameters(here[name]) for name in plain} == {
        name: parameters(there[name]) for name in plain
    }


@pytest.mark.parametrize(("surface", "face"), FACES)
def test_a_declared_verb_stands_for_the_method_of_its_name(surface: type, face: type) -> None:
    """Each one-line verb waits for the very method that is called so, and no attribute is missing."""
    there, here = verbs(surface), verbs(face)
    stands_for = {
        name: verb.__wrapped__.__qualname__.rpartition(".")[2]
        for name, verb in here.items()
        if hasattr(verb, "__wrapped__")
    }

    assert len(stands_for) >= 3
    assert all(RENAMED.get(name, name) == mine for mine, name in stands_for.items())
    assert {name for name, verb in there.items() if isinstance(verb, property)} == {
        name for name, verb in here.items() if isinstance(verb, Read)
    }


def test_the_walk_of_one_video(session: sync.Session, cloud: Sandbox, tmp_path: Path) -> None:
    """Submit, watch, download: the same records and events, with plain calls."""
    events: list[gmi_video.Event] = []
    video = session.generate(EAGLE, to=tmp_path / "eagle.mp4", on_event=events.append)
    again = session.resume(video.snapshot, into=tmp_path)
    saved = session.download(video, to=tmp_path / "third.mp4")

    assert assert_type(video, Video).path == tmp_path / "eagle.mp4"
    assert (type(events[0]), type(events[-1])) == (Progressed, Succeeded)
    assert again.snapshot.request_id == video.snapshot.request_id
    assert len({path.read_bytes() for path in (video.path, again.path, saved.path) if path}) == 1
    assert session.snapshot(video.snapshot.request_id).status is Status.SUCCESS


def test_a_stream_is_a_plain_iterator_of_bytes(session: sync.Session, tmp_path: Path) -> None:
    """The bytes of a video without a disk, the place in the file, and a part of it; `download` tells its progress."""
    video = session.generate(EAGLE, to=tmp_path / "eagle.mp4")
    assert video.path is not None
    whole = video.path.read_bytes()
    told: list[object] = []
    with session.stream(video) as stream:
        pieces = b"".join(assert_type(stream, sync.Stream))
    with session.stream(video, start=10, stop=20) as part:
        some = next(part)
    session.download(video, to=tmp_path / "again.mp4", progress=told.append)

    assert (pieces, some) == (whole, whole[10:20])
    assert (stream.size, stream.position, part.length) == (len(whole), len(whole), 10)
    assert told


def test_an_upload_gives_a_link_for_a_payload(session: sync.Session, tmp_path: Path) -> None:
    """A file of the caller's is a public URL afterwards."""
    picture = tmp_path / "still.png"
    picture.write_bytes(PIXEL)

    assert session.upload(picture).startswith("http")


def test_reading_what_there_is(session: sync.Session, cloud: Sandbox) -> None:
    """Catalog, list, ledger, statistics and settings are read without a word of async."""
    accepted = assert_type(session.submit(EAGLE), Snapshot)
    listed = {snapshot.request_id for snapshot in session.requests("Veo3")}

    assert "Veo3" in session.models()
    assert session.model("Veo3").id == "Veo3"
    assert accepted.request_id in listed
    assert (session.uncertain(), accepted.request_id in session.unfinished()) == ((), True)
    assert session.statistics().following == 0
    assert assert_type(session.settings, Settings).pace == SOON
    assert session.cadence.export()


def test_an_error_is_the_one_that_the_async_session_raises(session: sync.Session) -> None:
    """Errors come through the thread as they are, with their attributes and without a foreign cause."""
    with pytest.raises(errors.GenerationFailed) as failed:
        session.generate(VideoRequest("Luma-Ray2", {"prompt": "a river"}, key="row"))
    with pytest.raises(errors.NotFound):
        session.snapshot("00000000-0000-0000-0000-000000000000")

    assert (failed.value.key, failed.value.charged) == ("row", "no")
    assert failed.value.__cause__ is None


def test_a_watch_is_a_plain_iterator(session: sync.Session) -> None:
    """Events of many ids come one by one, each id ends once, and the end ends the loop."""
    ids = {session.submit(EAGLE).request_id: number for number in range(3)}
    ends = [event.key for event in session.watch(ids) if event.final]

    assert sorted(ends) == [0, 1, 2]


def test_a_watch_is_a_context_manager_that_takes_more(session: sync.Session) -> None:
    """`add`, `drop`, `finish` and `statistics` work while it is open; leaving it follows nothing any more."""
    first, second, third = (session.submit(EAGLE).request_id for _ in range(3))
    with session.watch([first], keep_open=True) as events:
        events.add([second, third])
        events.drop(third)
        events.finish()
        following = events.statistics().following
        seen = list(events)

    assert following == 2
    assert {event.request_id for event in seen if event.final} == {first, second}
    assert session.statistics().following == 0


def test_leaving_a_watch_in_the_middle_leaves_nothing_behind(session: sync.Session) -> None:
    """A `break` needs no `with`: the ids are followed no longer, and the session is as usable as before."""
    accepted = session.submit(EAGLE).request_id
    for event in session.watch([accepted]):
        assert isinstance(event, Progressed)
        break

    assert session.statistics().following == 0
    assert session.resume(accepted).snapshot.status is Status.SUCCESS


def test_ids_are_read_in_the_callers_own_thread(session: sync.Session, tmp_path: Path) -> None:
    """A database's cursor, or a generator that submits, is a source of ids like any other."""
    rows = sqlite3.connect(tmp_path / "rows.db")  # may be used in the thread that made it, and in no other
    rows.execute("create table wishes (prompt)")
    rows.executemany("insert into wishes values (?)", [("a fox",), ("a boat",)])
    wishes = (
        VideoRequest("Veo3", {"prompt": prompt}) for (prompt,) in rows.execute("select prompt from wishes")
    )
    ends = [event for event in session.watch(session.submit(wish) for wish in wishes) if event.final]
    rows.close()

    assert [type(event) for event in ends] == [Succeeded, Succeeded]


def test_an_async_source_of_ids_is_read_in_the_sessions_loop(session: sync.Session) -> None:
    """What the async watch takes, the plain one takes too."""
    accepted = session.submit(EAGLE).request_id

    async def ids() -> AsyncIterator[str]:
        yield accepted

    assert [event.request_id for event in session.watch(ids()) if event.final] == [accepted]


def test_what_is_no_collection_of_ids_is_refused_in_the_same_words(session: sync.Session) -> None:
    """One id instead of a list of them is said so at once, and is not read letter by letter."""
    with pytest.raises(errors.ConfigurationError, match="not one str"):
        session.watch("an-id")
    with (
        session.watch([], keep_open=True) as events,
        pytest.raises(errors.ConfigurationError, match="not as one str"),
    ):
        events.add("an-id")


def test_a_view_shares_the_thread_and_closes_nothing(cloud: Sandbox) -> None:
    """`using` changes settings of a view; leaving the view leaves the session open, also when it is forgotten."""
    with sync.Session(cloud.settings) as session:
        session.models()
        portal = session._thread.portal
        with session.using(pace=SOON) as view:
            accepted = view.submit(EAGLE)
        assert session._thread.portal is portal
        assert accepted.request_id in view.unfinished() == session.unfinished()
        with pytest.raises(errors.ConfigurationError, match="belongs to the whole session"):
            session.using(concurrency=3)

    lonely = sync.Session(cloud.settings).using(pace=SOON)
    assert lonely.resume(accepted).snapshot.request_id == accepted.request_id
    assert isinstance(lonely._owner, sync.Session)
    lonely._owner.close()
