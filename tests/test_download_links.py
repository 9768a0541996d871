"""Links that die, files that are late, several of them at once: what a session does about them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from films import large, still
from scene import EAGLE, SECONDS, left_in, stage

from gmi_video import Media, Outcome, Patience, Session, Snapshot, Transfer, VideoRequest, errors
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.faults import HangUp, Late
from gmi_video.settings import Limits
from gmi_video.testing import run

FILM = large(100_000)


def lasting(seconds: int, ends_as: Any) -> Script:
    """Files behind signed links that die."""
    return Script(models={"*": evolve(SECONDS, link_lasts=seconds, link_ends_as=ends_as)})


@pytest.mark.parametrize("ends_as", [400, 403, 404, 410])
def test_a_dead_link_is_asked_for_once_more(ends_as: int, tmp_path: Path) -> None:
    """However the host says that a link is past its time, the record has a fresh one; streams know that as well."""

    async def main() -> None:
        async with stage(lasting(300, ends_as)) as (sandbox, session):
            video = await session.generate(EAGLE)
            await asyncio.sleep(3600)
            looks = sandbox.count_calls("look")
            saved = await session.download(video, into=tmp_path)
            async with session.stream(video) as stream:
                async for _ in stream:
                    pass

            assert saved.size == stream.position > 1000
            assert saved.media != video.media[0]
            assert sandbox.count_calls("look") == looks + 2

    run(main())


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_link_that_stays_dead_has_expired(status: int, tmp_path: Path) -> None:
    """The record is asked once, names the same link, and the error carries the id; nothing is left."""
    dead = [Behaviour.refused(status, "no")] * 9

    async def main() -> None:
        async with stage(Script(models={"*": SECONDS}, media=dead)) as (sandbox, session):
            video = await session.generate(EAGLE)
            await asyncio.sleep(3600)
            looks = sandbox.count_calls("look")
            with pytest.raises(
                errors.LinkExpired, match=rf"\({status}\), and request .* no other link"
            ) as caught:
                await session.download(video, into=tmp_path)
            with pytest.raises(errors.LinkExpired) as streamed:
                async with session.stream(video.snapshot):
                    pass
            with pytest.raises(errors.LinkExpired) as bare:
                await session.download(video.media[0], into=tmp_path)

            assert caught.value.request_id == streamed.value.request_id == video.snapshot.request_id
            assert bare.value.request_id is None
            assert sandbox.count_calls("look") == looks + 2
            assert sandbox.count_calls("media") == 3

    run(main())
    assert left_in(tmp_path) == []


def test_a_download_goes_on_behind_a_fresh_link(tmp_path: Path) -> None:
    """A link that dies between two attempts costs no byte twice."""
    cut = Behaviour(fault=HangUp(of="body", after=8000))
    script = evolve(lasting(300, 403), media=[cut])
    told: list[int] = []

    async def main() -> None:
        async with stage(script, patience=Patience(first=600, longest=600, jitter=0)) as (_, session):
            video = await session.generate(EAGLE)
            await session.download(video, into=tmp_path, progress=lambda transfer: told.append(transfer.done))

    run(main())
    assert told[:2] == [0, 8000]
    assert len(left_in(tmp_path)) == 1


@pytest.mark.parametrize(("after", "works"), [(30, True), (3000, False)])
def test_a_file_that_is_not_there_yet_is_waited_for(after: int, works: bool, tmp_path: Path) -> None:
    """For a minute after the success a 404 may mean that the file is still on its way; then it is told."""

    async def main() -> None:
        script = Script(models={"*": evolve(SECONDS, stored_after=after)})
        async with stage(script) as (_, session):
            if works:
                assert (await session.generate(EAGLE, into=tmp_path)).files
                return
            with pytest.raises(errors.LinkExpired) as caught:
                await session.generate(EAGLE, into=tmp_path)
            assert caught.value.request_id

    run(main())


async def finished(sandbox: Sandbox, session: Session, *media: Media) -> Snapshot:
    """A request that is done, with these files."""
    snapshot = (await session.generate(VideoRequest("Veo3", {"prompt": "a river"}))).snapshot
    return evolve(snapshot, outcome=Outcome(media=media), updated_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_files_of_one_outcome_come_side_by_side(tmp_path: Path) -> None:
    """Each has its name and its progress, and no more are under way than the limit says."""
    told: list[Transfer] = []
    late = Behaviour(fault=Late(seconds=1))

    async def main() -> None:
        script = Script(models={"*": SECONDS}, media=[late] * 9)
        async with stage(script, limits=Limits(downloads=3)) as (sandbox, session):
            media = [Media(sandbox.place(f"{n}.mp4", large(50_000 + n))) for n in range(6)]
            still_one = Media(sandbox.place("still.png", still("png"), "image/png"), kind="image")
            snapshot = await finished(sandbox, session, *media, still_one)
            video = await session.resume(snapshot, into=tmp_path, progress=told.append)

            assert [saved.size for saved in video.files[:6]] == [50_000 + n for n in range(6)]
            assert video.files[6].path.name == f"{snapshot.request_id}-7.png"
            assert 1 < sandbox.peak_calls("media") <= 3

    run(main())
    assert len({transfer.name for transfer in told}) == 7
    assert sum(transfer.done == transfer.total for transfer in told) >= 7


def test_one_file_that_fails_does_not_keep_the_others(tmp_path: Path) -> None:
    """The others are brought home before the error is raised, and a second call needs the missing one only."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            good = [Media(sandbox.place(f"{n}.mp4", FILM)) for n in range(3)]
            lost = Media(f"{sandbox.media_url}/gmi-video-assests-prod/nowhere.mp4")
            snapshot = await finished(sandbox, session, good[0], lost, *good[1:])
            with pytest.raises(errors.LinkExpired) as caught:
                await session.resume(snapshot, into=tmp_path)
            assert caught.value.request_id == snapshot.request_id

        names = left_in(tmp_path)
        assert names == sorted(f"{snapshot.request_id}{tail}.mp4" for tail in ("", "-3", "-4"))

    run(main())


def test_a_stated_size_is_held_against_the_picture(tmp_path: Path) -> None:
    """Where the record says how large a picture is, another one is not the file."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            link = sandbox.place("film.mp4", FILM)
            snapshot = await finished(sandbox, session, Media(link))
            assert snapshot.outcome is not None
            stated = {"media_urls": [{"url": link, "width": 1, "height": 2}]}
            wrong = evolve(snapshot, outcome=evolve(snapshot.outcome, raw=stated))
            with pytest.raises(errors.IntegrityError, match="1 × 2 was stated"):
                await session.download(wrong, into=tmp_path)
            await session.download(snapshot, into=tmp_path)

    run(main())


def test_a_disk_that_is_full_keeps_what_came_and_the_other_downloads(tmp_path: Path) -> None:
    """One file that the disk does not take is told and kept in part; the others are whole, and it goes on later."""
    import resource  # noqa: PLC0415  # not on Windows
    import signal  # noqa: PLC0415

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    small, huge = large(100_000), large(6_000_000)

    async def main() -> None:
        async with stage() as (sandbox, session):
            links = {
                name: Media(sandbox.place(name, body))
                for name, body in (("a", small), ("b", huge), ("c", small))
            }
            resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
            work = [session.download(media, to=tmp_path / f"{name}.mp4") for name, media in links.items()]
            ended = await asyncio.gather(*work, return_exceptions=True)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

            assert isinstance(ended[1], errors.TargetUnusable)
            assert "too large" in str(ended[1])
            assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes() == small
            told: list[Transfer] = []
            await session.download(links["b"], to=tmp_path / "b.mp4", progress=told.append)

            assert told[0].done > 1_000_000
            assert (tmp_path / "b.mp4").read_bytes() == huge

    try:
        run(main())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert left_in(tmp_path) == ["a.mp4", "b.mp4", "c.mp4"]
