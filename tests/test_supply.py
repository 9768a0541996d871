"""Files of payloads on their way: each content sent once, replaced by its link, and only then anything is submitted."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from cargo import lying_at, picture, placed, puts
from intents import Ledger
from scene import ours, stage

from gmi_video import Inline, Patience, Session, VideoRequest, data_uri, errors
from gmi_video._likeness import digest
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import HangUp, Late
from gmi_video.testing import run

QUICK: dict[str, Any] = {"check": "off"}


def wish(**payload: Any) -> VideoRequest:
    """A request with a prompt and these parameters."""
    return VideoRequest("wan2.6-i2v", {"prompt": "x", **payload}, key="row-1")


async def echoed(session: Session, request: VideoRequest) -> dict[str, Any]:
    """The payload that the service has of a request."""
    accepted = await session.submit(request)
    return dict((await session.snapshot(accepted.request_id)).payload or {})


def made_old(path: Path) -> Path:
    """A file that was last written an hour ago."""
    told = path.stat()
    os.utime(path, (told.st_atime - 3600, told.st_mtime - 3600))
    return path


def test_a_path_is_sent_as_its_link(tmp_path: Path) -> None:
    """What the service gets is a public link to the very bytes, at any depth; an `Inline` file is in the payload."""
    photo = placed(tmp_path)

    async def main() -> None:
        async with stage(Script(), **QUICK) as (sandbox, session):
            payload = await echoed(
                session, wish(img_url=photo, list=[photo, {"a": photo}], own=Inline(photo))
            )
            link = payload["img_url"]

            assert payload == {
                "prompt": "x",
                "img_url": link,
                "list": [link, {"a": link}],
                "own": data_uri(photo),
            }
            assert await lying_at(link) == (photo.read_bytes(), "image/jpeg")
            assert puts(sandbox) == 1

    run(main())


@pytest.mark.parametrize("old", [True, False])
def test_one_content_is_uploaded_once_in_a_session(old: bool, tmp_path: Path) -> None:
    """The same file again, a copy of it under another name, many at once: one upload; another session sends it anew."""
    photo = placed(tmp_path)
    copy = placed(tmp_path, "copy.jpeg", photo.read_bytes())
    if old:
        made_old(photo)
        made_old(copy)

    async def main() -> None:
        async with stage(Script(), **QUICK) as (sandbox, session):
            await asyncio.gather(*(session.submit(wish(img_url=path)) for path in (photo, copy, photo)))
            links = [(await echoed(session, wish(img_url=path)))["img_url"] for path in (photo, copy)]

            assert len(set(links)) == 1
            assert puts(sandbox) == 1
            async with Session(session.settings) as another:
                await another.submit(wish(img_url=photo))
            assert puts(sandbox) == 2

    run(main())


def test_another_content_under_the_same_name_is_uploaded_anew(tmp_path: Path) -> None:
    """A file that was rewritten between two requests goes out as it is now, of equal size and moment or not."""
    photo = placed(tmp_path, "a.png", picture(400, 400, "PNG"))
    other = bytearray(photo.read_bytes())
    other[-1] ^= 1

    async def main() -> None:
        async with stage(Script(), **QUICK) as (sandbox, session):
            first = (await echoed(session, wish(img_url=photo)))["img_url"]
            told = photo.stat()
            photo.write_bytes(bytes(other))
            os.utime(photo, ns=(told.st_atime_ns, told.st_mtime_ns))
            second = (await echoed(session, wish(img_url=photo)))["img_url"]

            assert (await lying_at(second))[0] == bytes(other) != (await lying_at(first))[0]
            assert puts(sandbox) == 2

    run(main())


def test_what_is_remembered_is_what_was_sent(tmp_path: Path) -> None:
    """The intent holds the payload with its links, and its digest: a lost submission is found by what the service saw."""
    photo = placed(tmp_path)
    store = Ledger()

    async def main() -> None:
        async with (
            Sandbox(Script(), render=False) as sandbox,
            Session(sandbox.settings, store=store) as session,
        ):
            payload = await echoed(session.using(check="off"), wish(img_url=photo))
        intents = [intent for intent, _ in store.puts]

        assert intents
        assert all(dict(intent.payload) == payload for intent in intents)
        assert all(intent.digest == digest(payload) for intent in intents)

    run(main())


def test_a_lost_submission_with_a_file_is_found(tmp_path: Path) -> None:
    """An answer that was lost is found by its payload, links included: one charge, one upload."""
    photo = placed(tmp_path)

    async def main() -> None:
        script = Script(submissions=[Behaviour(fault=HangUp())])
        async with stage(script, **QUICK) as (sandbox, session):
            snapshot = await session.submit(wish(img_url=photo))

            assert [charge.request_id for charge in sandbox.charges] == [snapshot.request_id]
            assert puts(sandbox) == 1

    run(main())


def test_generate_takes_paths(tmp_path: Path) -> None:
    """`generate` with a file makes a video of it; a saved video in the next payload is its link, and not uploaded."""
    photo = placed(tmp_path)

    async def main() -> None:
        async with stage(Script(), **QUICK) as (sandbox, session):
            video = await session.generate(wish(img_url=photo), into=tmp_path)
            payload = await echoed(session, wish(img_url=video.files[0], again=video))

            assert payload["img_url"] == payload["again"] == video.url
            assert puts(sandbox) == 1

    run(main())


def test_a_payload_that_is_wrong_moves_no_byte(tmp_path: Path) -> None:
    """A payload that its model refuses, a file that is none, a picture that is too small: nothing is uploaded."""
    photo = placed(tmp_path)
    small = placed(tmp_path, "small.jpg", picture(100, 100))
    text = placed(tmp_path, "a.txt", b"hello")
    cases: list[tuple[VideoRequest, dict[str, Any], str]] = [
        (VideoRequest("wan2.6-i2v", {"img_url": photo, "duration": "5"}), {}, "duration"),
        (wish(img_url=text), {}, "payload.img_url: 'a.txt' is not uploaded"),
        (wish(img_url=tmp_path / "none.jpg"), {}, "No such file"),
        (wish(img_url=small), {"check": "strict"}, "100x100 pixels; 360 to 2000 a side are taken"),
        (wish(img_url=photo, odd={1, 2}), {"check": "off"}, "payload.odd: a set cannot be sent"),
    ]

    async def main() -> None:
        async with stage(Script()) as (sandbox, session):
            for request, changes, sentence in cases:
                with pytest.raises(errors.PayloadInvalid) as caught:
                    await session.using(**changes).submit(request)
                assert sentence in str(caught.value)
                assert caught.value.key == request.key
            assert (sandbox.count_calls("upload"), puts(sandbox)) == (0, 0)
            assert not sandbox.charges

    run(main())


def test_an_upload_that_fails_submits_nothing(tmp_path: Path) -> None:
    """Where a file cannot be carried the request is not made, the others are broken off, and the error names the key."""
    paths = [placed(tmp_path, f"{number}.jpg", picture(400 + number, 400)) for number in range(4)]
    refused = Behaviour(answer=Answer(413, b"", "text/html"))

    async def main() -> None:
        script = Script(puts=[refused, *[Behaviour(fault=Late(seconds=20))] * 3])
        async with stage(script, **QUICK) as (sandbox, session):
            with pytest.raises(
                errors.TransferError, match=r"\(413 the file is larger than the storage takes\)"
            ) as caught:
                await session.submit(wish(img_url=paths[0], images=paths))

            assert (caught.value.key, caught.value.charged) == ("row-1", "no")
            await asyncio.sleep(0.1)
            assert ours() == []
            assert sandbox.count_calls("submit") == 0
            assert await session.submit(wish(img_url=paths[0], images=paths))

    run(main())


def test_a_caller_who_leaves_takes_only_his_own_upload(tmp_path: Path) -> None:
    """Of two who wait for one upload one may be cancelled; when nobody waits any more it is broken off."""
    photo = placed(tmp_path)

    async def main() -> None:
        script = Script(puts=[Behaviour(fault=Late(seconds=20))] * 2)
        async with stage(script, **QUICK) as (sandbox, session):
            first, second = (asyncio.ensure_future(session.submit(wish(img_url=photo))) for _ in range(2))
            await asyncio.sleep(5)
            first.cancel()
            assert await second
            assert (puts(sandbox), sandbox.count_calls("submit")) == (1, 1)
            alone = asyncio.ensure_future(
                session.submit(wish(img_url=placed(tmp_path, "b.jpg", picture(500, 500))))
            )
            await asyncio.sleep(5)
            alone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await alone
            await asyncio.sleep(0.1)
            assert [name for name in ours() if "upload" in name] == []
            assert sandbox.count_calls("submit") == 1

    run(main())


def test_closing_breaks_uploads_off(tmp_path: Path) -> None:
    """A session that is closed while a file is being carried submits nothing, and says so."""
    photo = placed(tmp_path)

    async def main() -> None:
        script = Script(puts=[Behaviour(fault=Late(seconds=20))])
        async with stage(script, **QUICK) as (sandbox, session):
            waiting = asyncio.ensure_future(session.submit(wish(img_url=photo)))
            await asyncio.sleep(5)
            await session.aclose()
            with pytest.raises(errors.Interrupted, match="closed before a file was uploaded"):
                await waiting
            assert sandbox.count_calls("submit") == 0
            assert ours() == []

    run(main())


def test_a_file_that_changes_on_its_way_is_an_error(tmp_path: Path) -> None:
    """What was checked is what is sent, or nothing is: uploaded or inline."""
    photo = placed(tmp_path)

    async def main() -> None:
        for value in (photo, Inline(photo)):
            script = Script(catalog=[Behaviour(fault=Late(seconds=0.5))])
            async with stage(script) as (sandbox, session):
                waiting = asyncio.ensure_future(session.submit(wish(img_url=value)))
                await asyncio.sleep(0.2)
                photo.write_bytes(picture(900, 900))
                with pytest.raises(errors.TransferError, match="changed while"):
                    await waiting
                assert sandbox.count_calls("submit") == 0

    run(main())


def test_a_session_without_files_pays_nothing(tmp_path: Path) -> None:
    """A payload without files goes out as before: no thread, no further call."""

    async def main() -> None:
        async with stage(Script(), patience=Patience(attempts=1), **QUICK) as (sandbox, session):
            await session.submit(wish(img_url="https://a.example/a.jpg"))

            assert [call.operation for call in sandbox.calls] == ["submit"]

    run(main())
