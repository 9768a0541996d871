"""Requests in, their ends out: the everyday way, and every way of leaving and coming back."""

import asyncio
import gc
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from batch.rundown import MINUTE, charged, played, rivers, rows_of, stage, told
from gmi_video import VideoRequest
from gmi_video.batch import Batch, Journal, JournalLocked, Stored
from gmi_video.batch.steps import change
from gmi_video.errors import ConfigurationError, PayloadInvalid
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run


def test_a_batch_in_memory_hands_out_the_very_requests_with_their_videos(tmp_path: Path) -> None:
    """Fifty at once without a journal: each request comes back as the object that it was, with its file."""
    requests = rivers(50)

    end, charges = played(requests, out=tmp_path)

    assert all(any(done.request is request for request in requests) for done in end.ends)
    assert {done.key for done in end.ends} == {request.key for request in requests}
    assert {path.name for path in tmp_path.iterdir()} == {f"{request.key}.mp4" for request in requests}
    assert charges == {f"river {number}": 1 for number in range(50)}
    for done in end.ends:
        assert done.video is not None
        assert done.video.path == Path(done.stored[0].location)
        assert done.stored[0].sha256 == hashlib.sha256(done.video.path.read_bytes()).hexdigest()
        assert done.attempts == 1
        assert done.cost == end.statistics.spent / 50
        assert done.processing is not None


def test_one_bad_prompt_is_an_error_of_its_own() -> None:
    """A refused line and a failed one are ends like others; no exception comes of them."""
    requests = [
        *rivers(3),
        VideoRequest("Veo3", {"prompt": "x", "durationSeconds": "700"}, key="wrong"),
        VideoRequest("no-such-model", {"prompt": "x"}, key="unknown"),
    ]

    end, _ = played(requests)

    assert end.error is None
    assert end.states == {"done": 3, "failed": 2}
    assert {done.key for done in end.ends if done.error} == {"wrong", "unknown"}
    assert all(done.error.key == done.key for done in end.ends if done.error)


def test_without_a_place_nothing_is_downloaded() -> None:
    """`out=None` leaves the videos where they are."""
    seen: list[int] = []

    end, _ = played(rivers(3), then=lambda sandbox: seen.append(sandbox.count_calls("media")))

    assert seen == [0]
    assert all(done.video and done.video.url and not done.video.files for done in end.ends)


def test_the_same_file_again_adds_nothing_and_what_is_inserted_is_all_that_is_new() -> None:
    """Lines without a key are known by payload and by the equal ones before them, wherever they stand."""
    twin = VideoRequest("Veo3", {"prompt": "twin", "seed": 1})
    once = VideoRequest("Veo3", {"seed": 1, "prompt": "twin"})
    other = VideoRequest("Veo3", {"prompt": "other"})

    async def main() -> list[int]:
        async with stage() as (_, session), Batch(session) as batch:
            return [
                await batch.add(requests)
                for requests in ([twin, twin, other], [other, once, twin], [twin, other, twin, twin], [])
            ]

    assert run(main()) == [3, 0, 1, 0]


def test_a_key_stands_for_one_payload() -> None:
    """A line that was changed under its old key is refused, and the sentence says which."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session) as batch:
            await batch.add(rivers(2))
            await batch.add([VideoRequest("Veo3", {"prompt": "changed"}, key="Veo3-1")])

    with pytest.raises(ConfigurationError, match='"Veo3-1" already stands for another payload'):
        run(main())


def test_leaving_the_loop_and_running_again_continues(tmp_path: Path) -> None:
    """After a break another run, and then another batch over the journal, hand out what is left, each line once."""

    async def main() -> tuple[list[object], int]:
        async with stage() as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db", out=tmp_path / "videos", max_in_flight=4)
            await batch.add(rivers(20))
            keys = []
            for most in (3, 5):
                async for done in batch.run():
                    keys.append(done.key)
                    if len(keys) == most:
                        break
            again = Batch(session, journal=tmp_path / "run.db", out=tmp_path / "videos")
            assert await again.add(rivers(20)) == 0
            keys += [done.key for done in (await told(again)).ends]
            return keys, len(sandbox.charges)

    keys, charges = run(main())

    assert sorted(map(str, keys)) == sorted(str(request.key) for request in rivers(20))
    assert charges == 20
    assert {row.state for row in rows_of(tmp_path / "run.db")} == {"done"}
    assert len(list((tmp_path / "videos").iterdir())) == 20


def test_a_cancelled_reader_loses_nothing(tmp_path: Path) -> None:
    """Cancelled while it waits, with POSTs under way, a run is taken up where it was: nothing is paid twice."""
    slow = Script(models={"*": Behaviour(seconds=60, answers_after=5)})

    async def main() -> tuple[set[object], dict[str, int]]:
        async with stage(slow) as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(10))
            reading = asyncio.ensure_future(told(batch))
            await asyncio.sleep(2)
            reading.cancel()
            await asyncio.wait((reading,))
            gc.collect()
            end = await told(batch)
            return {done.key for done in end.ends}, charged(sandbox)

    keys, charges = run(main())

    assert keys == {request.key for request in rivers(10)}
    assert charges == {f"river {number}": 1 for number in range(10)}


def test_a_producer_may_add_while_results_come() -> None:
    """A run takes up what another task adds, waits for more until that task ends, and then ends itself."""

    async def main() -> int:
        async with stage() as (_, session), Batch(session) as batch:

            async def produce() -> None:
                for number in range(4):
                    await batch.add(rivers(1, first=number))
                    await asyncio.sleep(500)

            producing = asyncio.ensure_future(produce())
            end = await told(batch)
            await producing
            return len(end.ends)

    assert run(main()) == 4


def test_a_producer_that_has_no_more_may_say_so() -> None:
    """`finish` ends the run though the task that added lives on."""

    async def main() -> tuple[int, bool]:
        async with stage() as (_, session), Batch(session) as batch:

            async def produce() -> None:
                await batch.add(rivers(3))
                batch.finish()
                await asyncio.Event().wait()

            producing = asyncio.ensure_future(produce())
            end = await told(batch)
            alive = not producing.done()
            producing.cancel()
            return len(end.ends), alive

    assert run(main()) == (3, True)


def test_requests_may_come_one_by_one_from_an_async_source() -> None:
    """An async iterable is added as it comes, while its first requests are already done."""

    async def main() -> tuple[int, float]:
        async with stage() as (_, session), Batch(session) as batch:
            loop = asyncio.get_running_loop()
            begun = loop.time()

            async def source() -> AsyncIterator[VideoRequest]:
                for request in rivers(3):
                    yield request
                    await asyncio.sleep(300)

            adding = asyncio.ensure_future(batch.add(source()))
            first = 0.0
            count = 0
            async for _ in batch.run():
                first = first or loop.time() - begun
                count += 1
            await adding
            return count, first

    count, first = run(main())

    assert count == 3
    assert first < 200


class Shelf:
    """A sink that keeps files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, name: str, stream: AsyncIterator[bytes]) -> Stored:
        body = b"".join([piece async for piece in stream])
        self.files[name] = body
        return Stored(location=f"memory://{name}", size=len(body), sha256=hashlib.sha256(body).hexdigest())


def test_a_sink_takes_the_videos_without_a_disk() -> None:
    """Each file is given to the sink's `put` as a stream under its name, and its location is in the result."""

    async def main() -> tuple[list[str], dict[str, bytes]]:
        async with stage() as (_, session):
            if not hasattr(session, "stream"):
                pytest.skip("this session cannot stream")
            sink = Shelf()
            async with Batch(session, out=sink, name="{model}/{key}") as batch:
                await batch.add(rivers(2))
                end = await told(batch)
            return [file.location for done in end.ends for file in done.stored], sink.files

    locations, files = run(main())

    assert sorted(locations) == ["memory://Veo3/Veo3-0.mp4", "memory://Veo3/Veo3-1.mp4"]
    assert all(files.values())


def test_names_make_folders_and_stay_inside_the_place(tmp_path: Path) -> None:
    """A template's slashes make folders, a value's do not, and no name leaves the folder or takes another's file."""
    requests = [
        VideoRequest("Veo3", {"prompt": "a", "seed": 1}, key="../../etc/passwd"),
        VideoRequest("Veo3", {"prompt": "b", "seed": 2}, key="a:b"),
        VideoRequest("Veo3", {"prompt": "c", "seed": 3}, key="a?b"),
        VideoRequest("Veo3", {"prompt": "d", "seed": 4}),
    ]
    (tmp_path / "out" / "1").mkdir(parents=True)
    (tmp_path / "out" / "4").mkdir()
    (tmp_path / "out" / "4" / "4.mp4").write_bytes(b"mine")

    end, _ = played(requests, out=tmp_path / "out", name="{seed}/{key}", journal=tmp_path / "run.db")

    names = {Path(done.stored[0].location).relative_to(tmp_path / "out").as_posix() for done in end.ends}
    ids = {done.number: done.video.snapshot.request_id for done in end.ends if done.video}
    assert names == {"1/_.._etc_passwd.mp4", "2/a_b.mp4", "3/a_b.mp4", f"4/4-{ids[4]}.mp4"}
    assert (tmp_path / "out" / "4" / "4.mp4").read_bytes() == b"mine"


def test_two_lines_of_one_name_get_two_files(tmp_path: Path) -> None:
    """Where a template gives equal names, the later file is told apart by its request."""
    end, _ = played(rivers(3), out=tmp_path, name="same")

    assert len({done.stored[0].location for done in end.ends}) == 3
    assert "same.mp4" in {path.name for path in tmp_path.iterdir()}


def test_what_a_kill_left_beside_a_whole_file_goes(tmp_path: Path) -> None:
    """Killed between a file's own name and the end of its hidden one, it is not fetched again, and has one name."""
    journal, videos = tmp_path / "run.db", tmp_path / "videos"

    async def main() -> tuple[Counter[str], Path]:
        async with stage() as (_, session):
            async with Batch(session, journal=journal, out=videos) as batch:
                await batch.add(rivers(1))
                await told(batch)
            (film,) = videos.iterdir()
            (videos / ".gmi_video-00.part").hardlink_to(film)
            with Journal(journal) as kept:
                await kept.do(partial(change, number=1, state="saving", told=0, files=None))
            async with Batch(session, journal=journal, out=videos) as batch:
                return (await told(batch)).states, film

    states, film = run(main())
    assert states == {"done": 1}
    assert list(videos.iterdir()) == [film]


def test_a_journal_in_use_is_refused(tmp_path: Path) -> None:
    """A second batch over the journal of one that runs is told so, at once."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session, journal=tmp_path / "run.db") as batch:
            await batch.add(rivers(2))
            run = batch.run()
            await anext(run)
            try:
                await Batch(session, journal=tmp_path / "run.db").add(rivers(1))
            finally:
                await run.aclose()

    with pytest.raises(JournalLocked, match="in use by this very process"):
        run(main())


def test_what_json_cannot_hold_is_refused_as_it_is_added() -> None:
    """A payload that cannot be kept is refused with the place of what is wrong."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session) as batch:
            await batch.add([VideoRequest("Veo3", {"prompt": "a", "image": b"bytes"})])

    with pytest.raises(PayloadInvalid, match="image: a bytes cannot be sent"):
        run(main())


def test_statistics_add_up_at_any_time() -> None:
    """Every line is in one state, and by model the same lines are counted."""

    async def main() -> list[int]:
        async with (
            stage(Script(models={"*": MINUTE})) as (_, session),
            Batch(session, max_in_flight=5) as batch,
        ):
            totals = [batch.statistics().lines.total]
            await batch.add(rivers(20))
            async for _ in batch.run():
                now = batch.statistics()
                assert now.lines.total == sum(tally.total for tally in now.models.values())
                assert now.lines.running + now.lines.submitting + now.lines.saving <= 5
                totals.append(now.lines.total)
            return totals

    assert run(main()) == [0, *[20] * 20]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": "twenty"}, "budget is 'twenty'"),
        ({"budget": -1}, "budget is -1"),
        ({"max_in_flight": 0}, "max_in_flight is 0"),
        ({"name": "{key"}, "name '{key'"),
        ({"name": "{payload[seed]}"}, "is not a bare name"),
        ({"name": "/"}, "name is empty"),
        ({"out": 7}, "out is a folder or a Sink"),
        ({"resubmit_absent": 0.5}, "resubmit_absent is 0.5"),
    ],
)
def test_wrong_options_are_refused_with_what_would_be_right(options: dict[str, object], words: str) -> None:
    """A wrong argument fails before anything is opened, and the sentence names it."""

    async def main() -> None:
        async with stage() as (_, session):
            Batch(session, **options)  # type: ignore[arg-type]  # what is wrong is the point

    with pytest.raises(ConfigurationError) as caught:
        run(main())
    assert words in str(caught.value)
