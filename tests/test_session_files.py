"""The files of a session's requests: where they go, and what is refused before it costs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scene import EAGLE, left_in, seen, stage, told, words

from gmi_video import (
    Event,
    Media,
    errors,
)
from gmi_video.testing import run


def unwritable(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Targets that cannot be written."""
    taken = folder / "taken"
    taken.write_text("mine")
    yield "a folder that is missing", {"to": folder / "no" / "a.mp4"}
    yield "a folder given as a file", {"to": folder}
    yield "a name that is taken", {"to": taken}
    yield "a file as a folder", {"to": taken / "a.mp4"}
    yield "a file given as a folder", {"into": taken}
    yield "below a file", {"into": taken / "below"}
    yield "a name too long", {"to": folder / ("x" * 300)}
    yield "a name that is none", {"to": folder / "a\0b"}
    yield "an empty name", {"to": ""}
    yield "both", {"to": folder / "a.mp4", "into": folder}


def test_generate_is_submit_watch_and_download(tmp_path: Path) -> None:
    """One charge, one file, the events of one request in order, the id told as soon as it is known."""

    async def main() -> None:
        told_so_far: list[tuple[Event, int]] = []
        async with stage() as (sandbox, session):
            video = await session.generate(
                EAGLE,
                to=tmp_path / "eagle.mp4",
                on_event=lambda event: told_so_far.append((event, sandbox.count_calls("look"))),
            )
            (charge,) = sandbox.charges
        events = [event for event, _ in told_so_far]

        assert words(events) == ["Progressed", "Progressed", "Succeeded"]
        assert {event.key for event in events} == {"eagle"}
        assert (told_so_far[0][1], events[0].request_id) == (0, charge.request_id)
        assert video.path == tmp_path / "eagle.mp4"
        assert video.snapshot.request_id == charge.request_id
        assert video.files[0].size == (tmp_path / "eagle.mp4").stat().st_size
        assert left_in(tmp_path) == ["eagle.mp4"]

    run(main())


def test_a_callback_that_fails_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What `on_event` or an observer raises is logged; the paid work goes on."""

    def broken(_: object) -> None:
        raise LookupError("the screen is gone")

    async def main() -> None:
        async with stage(observers=[broken]) as (_, session):
            video = await session.generate(EAGLE, into=tmp_path, on_event=broken)

        assert video.path is not None
        assert video.path.exists()

    run(main())
    assert "the screen is gone" in caplog.text


def test_a_file_is_fetched_without_the_key(tmp_path: Path) -> None:
    """The storage host sees neither the key nor the organisation; the API sees both."""

    async def main() -> None:
        async with stage(organization="an-organisation") as (sandbox, session):
            await session.generate(EAGLE, into=tmp_path)
            api = [call for call in sandbox.calls if call.origin == "api"]
            media = [call for call in sandbox.calls if call.origin == "media"]

        assert all(call.authorized and call.organization for call in api)
        assert len(media) == 1
        assert not any(call.authorized or call.organization for call in media)

    run(main())


def test_a_target_that_cannot_be_written_is_refused_before_it_costs(tmp_path: Path) -> None:
    """Nothing is submitted, resumed or fetched for a file that cannot be made."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            for name, where in unwritable(tmp_path):
                for work in (
                    session.generate(EAGLE, **where),
                    session.resume("an-id", **where),
                    session.download(Media("http://127.0.0.1:1/a.mp4"), **where),
                ):
                    with pytest.raises((errors.TargetUnusable, errors.ConfigurationError)):
                        await work
                assert (sandbox.charges, sandbox.calls) == ([], []), name

    run(main())
    assert left_in(tmp_path) == ["taken"]


def test_the_same_program_run_twice_never_pays_for_nothing(tmp_path: Path) -> None:
    """With a fixed name the second run is refused before it pays; with a folder it gets a file of its own."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            first = await session.generate(EAGLE, to=tmp_path / "eagle.mp4")
            with pytest.raises(errors.TargetUnusable):
                await session.generate(EAGLE, to=tmp_path / "eagle.mp4")
            paid = len(sandbox.charges)
            one = await session.generate(EAGLE, into=tmp_path / "videos")
            two = await session.generate(EAGLE, into=tmp_path / "videos")
            again = await session.resume(one.snapshot.request_id, into=tmp_path / "videos")
            fetched = sandbox.count_calls("media")

        assert paid == 1
        assert first.path == tmp_path / "eagle.mp4"
        assert one.path == again.path != two.path
        assert fetched == 3

    run(main())


def test_a_file_that_appears_after_the_payment_loses_nothing(tmp_path: Path) -> None:
    """The name that was free and is taken at the end is not touched; the video is saved under its id."""
    target = tmp_path / "eagle.mp4"

    async def main() -> None:
        async with stage() as (_, session):
            video = await session.generate(EAGLE, to=target, on_event=lambda _: target.write_text("theirs"))
            request_id = video.snapshot.request_id

        assert target.read_text() == "theirs"
        assert video.path == tmp_path / f"eagle-{request_id}.mp4"
        assert video.path.stat().st_size == video.files[0].size > 1000

    run(main())


def test_download_takes_whatever_stands_for_media(tmp_path: Path) -> None:
    """Media, outcomes, snapshots, events, videos and saved files all stand for their first media."""

    async def main() -> None:
        async with stage() as (_, session):
            video = await session.generate(EAGLE, to=tmp_path / "first.mp4")
            events = await told(session.watch([video.snapshot.request_id]))
            things = [
                video,
                video.snapshot,
                video.snapshot.outcome,
                video.media[0],
                events[-1],
                video.files[0],
            ]
            for number, what in enumerate(things):
                saved = await session.download(what, to=tmp_path / f"{number}.mp4")
                assert saved.sha256 == video.files[0].sha256
            named = await session.download(video, into=tmp_path / "named")
            bare = await session.download(video.media[0], into=tmp_path / "bare")
            with pytest.raises(errors.GenerationEmpty) as caught:
                await session.download(seen(word="success", links=False), into=tmp_path)

        assert named.path.name == f"{video.snapshot.request_id}.mp4"
        assert bare.path.name.startswith("media-")
        assert caught.value.charged == "no"

    run(main())


def test_what_is_a_folder_or_no_media_is_said_to_be(tmp_path: Path) -> None:
    """A name that ends with a slash is a folder's, and a number or a bare link is nothing to download."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with pytest.raises(errors.ConfigurationError, match=r"names a folder; to save into it say into="):
                await session.generate(EAGLE, to=f"{tmp_path}/new/")
            for wrong in (5, "https://example.com/v.mp4", None):
                with pytest.raises(errors.ConfigurationError, match="stands for no file"):
                    await session.download(wrong, into=tmp_path)
            assert len(sandbox.charges) == 0

    run(main())
    assert left_in(tmp_path) == []


def test_download_goes_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a target the file is named by its request, here; one that is there is found again."""
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with stage() as (sandbox, session):
            video = await session.generate(EAGLE)
            one, two = [await session.download(video) for _ in range(2)]
            three = await session.download(video, to=one.path, overwrite=True)

            assert one.path.name == f"{video.snapshot.request_id}.mp4"
            assert (one.sha256, one.path) == (two.sha256, two.path) == (three.sha256, three.path)
            assert sandbox.count_calls("media") == 2

    run(main())
