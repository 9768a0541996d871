"""The public surface as a type checker sees it: never run, only checked, by mypy and by a second checker."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Literal, assert_never, assert_type

from gmi_video import (
    Abandoned,
    Cancelled,
    Chunks,
    Ended,
    Event,
    Exchange,
    Failed,
    Failure,
    GaveUp,
    GmiVideoError,
    Inline,
    Intent,
    Limits,
    Login,
    Media,
    MemoryStore,
    Missed,
    Model,
    Notice,
    Outcome,
    Pace,
    Parameter,
    Patience,
    Price,
    Profile,
    Progressed,
    Resubmit,
    Saved,
    Session,
    Settings,
    Snapshot,
    Stalled,
    Status,
    Submitted,
    Succeeded,
    Throttled,
    Transfer,
    Uncertain,
    Video,
    VideoRequest,
    data_uri,
    errors,
)
from gmi_video.errors import Charged, GenerationError, ResponseError, SubmissionUncertain, TransferError
from gmi_video.records import Kind, MediaKind
from gmi_video.sandbox import Behaviour, Charge, Sandbox, Script, SeenCall
from gmi_video.testing import VirtualLoop, run


async def key() -> str:
    return "a key"


def settings() -> Settings:
    plain = Settings(api_key="k", organization="o", base_url="https://a.example/x")
    full = Settings(
        api_key=key,
        concurrency=32,
        timeout=10,
        submit_timeout=300.0,
        limits=Limits(submissions=8, downloads=4),
        patience=Patience(attempts=2, first=0.1, growth=2, longest=3, jitter=0),
        pace=Pace(first=1, growth=1.2, longest=20, jitter=0.1, stalled_after=60, remember=10),
        on_uncertain=Resubmit(at_most=1),
        user_agent="me/1",
    )
    assert_type(Settings.from_env({"GMI_API_KEY": "k"}, timeout=3), Settings)
    assert_type(plain.completed({}), Settings)
    assert_type(full.concurrency, int)
    return full


def observe(notice: Notice) -> None:
    match notice:
        case Exchange():
            assert_type(notice.status, int | None)
            assert_type(notice.seconds, float)
        case Submitted():
            assert_type(notice.request_id, str)
        case Abandoned():
            assert_type(notice.request_id, str | None)
        case Throttled():
            assert_type(notice.retry_after, float | None)
        case Uncertain():
            assert_type(notice.candidates, tuple[str, ...])
        case Ended():
            assert_type(notice.status, Status)
        case _:
            pass


async def verbs(folder: Path) -> None:
    wish = VideoRequest("Veo3", {"prompt": "a river"}, key=("row", 1))
    assert_type(wish.payload, Mapping[str, Any])
    async with Session(settings(), rng=Random(0), observers=[observe], store=MemoryStore()) as session:
        assert_type(session, Session)
        assert_type(session.settings, Settings)
        assert_type(session.using(timeout=3), Session)
        assert_type(await session.models(), tuple[str, ...])
        model = await session.model("Veo3")
        assert_type(model, Model)
        snapshot = await session.submit(wish)
        assert_type(snapshot, Snapshot)
        assert_type(await session.snapshot(snapshot.request_id), Snapshot)
        assert_type(session.requests("Veo3", since=datetime.now(UTC)), AsyncIterator[Snapshot])
        async for listed in session.requests():
            assert_type(listed, Snapshot)
        video = await session.generate(wish, into=folder, deadline=None, on_event=print)
        assert_type(video, Video)
        assert_type(await session.resume(snapshot, to="film.mp4"), Video)
        assert_type(await session.resume("an-id", into=folder, deadline=3), Video)
        saved = await session.download(video, to=folder / "film.mp4", overwrite=True)
        assert_type(saved, Saved)
        assert_type(await session.uncertain(), tuple[Intent, ...])
        open(saved, "rb").close()  # noqa: PTH123, ASYNC230  # it stands wherever a path does
        video_parts(video)
        model_parts(model)
        await watching(session, snapshot)
        await streaming(session, video)


async def streaming(session: Session, video: Video) -> None:
    def told(transfer: Transfer) -> None:
        assert_type(transfer.media, Media | None)

    assert_type(await session.download(video, progress=told), Saved)
    assert_type(await session.resume(video.snapshot, into="films", progress=told), Video)
    async with session.stream(video.media[0], start=5, stop=10) as stream:
        assert_type(stream.media, Media)
        assert_type(stream.size, int | None)
        assert_type(stream.length, int | None)
        assert_type(stream.position, int)
        assert_type(stream.etag, str | None)
        async for piece in stream:
            assert_type(piece, bytes)


def video_parts(video: Video) -> None:
    assert_type(video.snapshot, Snapshot)
    assert_type(video.media, tuple[Media, ...])
    assert_type(video.files, tuple[Saved, ...])
    assert_type(video.url, str | None)
    assert_type(video.path, Path | None)
    assert_type(video.as_dict(), dict[str, Any])
    assert_type(Video.from_dict({}), Video)
    snapshot = video.snapshot
    assert_type(snapshot.status, Status)
    assert_type(snapshot.status.final, bool)
    assert_type(snapshot.created_at, datetime | None)
    assert_type(snapshot.outcome, Outcome | None)
    assert_type(snapshot.failure, Failure | None)
    if snapshot.outcome:
        assert_type(snapshot.outcome.thumbnail, Media | None)
        assert_type(snapshot.outcome.media[0].kind, MediaKind)
        assert_type(str(snapshot.outcome.media[0]), str)
    if snapshot.failure:
        assert_type(snapshot.failure.kind, Kind)


def model_parts(model: Model) -> None:
    assert_type(model.parameters, tuple[Parameter, ...])
    assert_type(model.price, Price | None)


async def watching(session: Session, snapshot: Snapshot) -> None:
    async def ids() -> AsyncIterator[str]:
        yield "an-id"

    session.watch(["a", snapshot])
    session.watch({"a": 1, "b": 2})
    session.watch({snapshot: "row"})
    session.watch(name for name in ("a", "b"))
    session.watch(ids(), pace=Pace(first=1), deadline=60)
    async with session.watch(keep_open=True) as events:
        await events.add(["a"])
        await events.add({"b": "row"})
        events.drop("a")
        events.drop(snapshot)
        events.finish()
        assert_type(events.statistics().following, int)
        async for event in events:
            assert_type(event, Event)
            handle(event)
    await events.aclose()


def handle(event: Event) -> None:
    assert_type(event.request_id, str)
    assert_type(event.elapsed, float)
    assert_type(event.final, bool)
    match event:
        case Progressed(previous=before, snapshot=snapshot):
            assert_type(before, Status | None)
            assert_type(snapshot, Snapshot)
        case Missed(error=error, look_again_in=seconds, misses=misses):
            assert_type(error, GmiVideoError)
            assert_type(seconds, float)
            assert_type(misses, int)
        case Stalled() | Succeeded() | Failed() | Cancelled():
            assert_type(event.snapshot, Snapshot)
        case GaveUp():
            assert_type(event.snapshot, Snapshot | None)
            if event.reason == "deadline":
                return
            if event.reason == "not found":
                return
            assert_never(event.reason)
        case _:
            pass


def failing(error: GmiVideoError) -> None:
    assert_type(error.request_id, str | None)
    assert_type(error.charged, Charged)
    assert_type(error.retryable, bool)
    assert_type(error.attempts, int)
    if isinstance(error, SubmissionUncertain):
        assert_type(error.candidates, tuple[str, ...])
    if isinstance(error, ResponseError):
        assert_type(error.retry_after, float | None)
        assert_type(error.kind, Kind)
    if isinstance(error, GenerationError):
        assert_type(error.snapshot, Snapshot | None)
    if isinstance(error, TransferError | errors.UnsafeURL):
        assert_type(str(error), str)


async def with_a_sandbox() -> None:
    script = Script(models={"*": Behaviour(seconds=3)}, looks=[None, Behaviour.edge(502)], balance=10)
    async with Sandbox(script, seed=1, speed=2, render=False) as sandbox:
        assert_type(sandbox.url, str)
        assert_type(sandbox.settings, Settings)
        assert_type(sandbox.charges, list[Charge])
        assert_type(sandbox.calls, list[SeenCall])
        assert_type(sandbox.count_calls("look", "submit"), int)


async def files(session: Session) -> None:
    async def read() -> AsyncIterator[bytes]:
        yield b""

    def told(transfer: Transfer) -> None:
        assert_type(transfer.total, int | None)

    assert_type(await session.upload("a.jpg"), str)
    assert_type(await session.upload(Path("a.jpg"), file_type="jpeg", progress=told), str)
    assert_type(await session.upload(b""), str)
    assert_type(await session.upload(Chunks(read, length=5, name="a.jpg")), str)
    assert_type(data_uri("a.jpg", limit=7), str)
    VideoRequest(
        "Veo3", {"image": Path("a.jpg"), "images": [Inline("a.jpg"), Inline(Path("b.jpg"), limit=9)]}
    )


def virtually() -> None:
    async def number() -> int:
        return 3

    assert_type(run(number()), int)
    assert_type(VirtualLoop().time(), float)


async def doors(session: Session) -> None:
    """Each door is chosen in settings, and changes nothing else."""

    async def code(attempt: int) -> str:
        return str(attempt)

    login = Login(email="ada@example.com", password="secret", one_time_code=code)
    assert_type(Settings(door="console", login=login).door, Literal["apikey", "console", "early"])
    assert_type(Settings.from_env({}, door="early").chosen, str)
    assert_type(await session.profile(), Profile)
    assert_type(session.clock_skew(), float | None)
