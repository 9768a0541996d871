import asyncio
import os
import socket
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from io import BytesIO

import pytest

import gmi_video.sandbox
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.studio import Rendering
from gmi_video.testing import run

from .caller import EAGLE, calling

LITTLE = {"prompt": "x", "duration": "5", "aspect_ratio": "16:9", "quality": "360p"}


def test_settings_find_the_sandbox() -> None:
    """`settings` holds the key and the base URL of this very sandbox."""

    async def main() -> None:
        async with Sandbox(api_key="k-1", render=False) as sandbox:
            assert sandbox.settings.base_url == sandbox.url
            assert sandbox.settings.api_key == "k-1"
            assert sandbox.url.endswith("/api/v1/ie/requestqueue/apikey")
            assert sandbox.media_url not in sandbox.url

    run(main())


def test_time_is_the_loops_clock_from_the_wall_clock_on() -> None:
    """`created_at` and `Date` begin at the wall clock and move with the loop, not with the wall."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            started = time.time()
            first = await caller.submit()
            await asyncio.sleep(7200)
            second = await caller.submit()

            assert abs(first.json["created_at"] - started) < 5
            assert second.json["created_at"] - first.json["created_at"] == pytest.approx(7200, abs=2)
            for reply in (first, second):
                date = parsedate_to_datetime(reply.headers["Date"]).timestamp()
                assert date - reply.json["created_at"] in {0, 1}

    run(main())


def test_a_clip_that_was_asked_for_can_be_played() -> None:
    """The artifact behind a finished request is an MP4 of the asked size and length, and a JPEG beside it."""
    av = pytest.importorskip("av")

    async def main() -> None:
        async with calling(Sandbox()) as caller:
            outcome = (await caller.done("pixverse-v5.6-t2v", LITTLE))["outcome"]
            film = await caller.media(outcome["media_urls"][0]["url"])
            thumbnail = await caller.media(outcome["thumbnail_image_url"])

            with av.open(BytesIO(film.body)) as container:
                stream = container.streams.video[0]
                assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 640, 360)
                assert container.duration / av.time_base == pytest.approx(5, abs=0.05)
            assert film.headers["Content-Type"] == "video/mp4"
            assert thumbnail.headers["Content-Type"] == "image/jpeg"
            assert caller.sandbox.note is None

    run(main())


def test_the_second_origin_is_a_plain_bucket() -> None:
    """Artifacts have length, tag and ranges, need no key, allow no browser origin, and HEAD has no body."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            url = (await caller.done())["outcome"]["video_url"]
            whole, head = await caller.media(url), await caller.media(url, "HEAD")
            part = await caller.media(url, Range="bytes=10-19", Origin="https://a.example")
            gone = await caller.media(url.replace(".mp4", "_x.mp4"))
            put = await caller.media(url, "PUT")

            assert url.startswith(caller.sandbox.media_url + "/gmi-video-assests-prod/user-assets/")
            assert (whole.status, len(whole.body)) == (200, int(whole.headers["Content-Length"]))
            assert (head.status, head.body) == (200, b"")
            assert head.headers["Content-Length"] == whole.headers["Content-Length"]
            assert head.headers["ETag"] == whole.headers["ETag"]
            assert (part.status, part.body) == (206, whole.body[10:20])
            assert "Access-Control-Allow-Origin" not in part.headers
            assert (gone.status, b"<Code>NoSuchKey</Code>" in gone.body) == (404, True)
            assert (put.status, b"<Code>MethodNotAllowed</Code>" in put.body) == (405, True)

    run(main())


def test_credentials_that_leak_to_the_bucket_are_seen() -> None:
    """A key or an organisation that a client sends to the storage host stands in the calls."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            url = (await caller.done())["outcome"]["video_url"]
            await caller.media(url)
            await caller.media(url, Authorization="Bearer sandbox-key", **{"X-Organization-ID": "o"})

            clean, leaked = (call for call in caller.sandbox.calls if call.origin == "media")
            assert (clean.authorized, clean.organization) == (False, False)
            assert (leaked.authorized, leaked.organization, leaked.status) == (True, True, 200)

    run(main())


def test_nothing_lies_outside_the_accounts_folder() -> None:
    """A path beside the account's folder holds no object."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            record = await caller.done()
            name = record["outcome"]["video_url"].rpartition("/")[2]

            assert (await caller.media(f"{caller.sandbox.media_url}/{name}")).status == 404

    run(main())


@pytest.mark.parametrize(("render", "made"), [("early", 1), (True, 0), (False, 0)])
def test_an_early_clip_is_begun_when_its_request_is_seen_at_work(render: Rendering, made: int) -> None:
    """Seen at work by a look, a sweep or a blocked POST, a clip is begun where rendering is early."""
    pytest.importorskip("av")
    slow = Script(models={"*": Behaviour(queued=10, seconds=100), "Luma-Ray2": Behaviour(fails="no")})

    async def main() -> None:
        async with calling(Sandbox(slow, render=render)) as caller:
            await caller.submit("pixverse-v5.6-t2v", LITTLE)
            await caller.submit("Luma-Ray2")
            await caller.get("/requests")
            assert caller.sandbox.clips_under_way == 0
            await asyncio.sleep(50)
            await caller.get("/requests")

            assert caller.sandbox.clips_under_way == made

    run(main())


def test_concurrency_is_counted_at_the_server() -> None:
    """The peak of calls of a kind, and of several kinds together, is what really was under way at once."""
    slow = Behaviour(answers_after=5)

    async def main() -> None:
        async with calling(Sandbox(Script(looks=[slow] * 4, lists=[slow] * 2), render=False)) as caller:
            looks = [caller.get("/requests/x") for _ in range(4)]
            await asyncio.gather(
                *looks, caller.get("/requests"), caller.get("/requests"), caller.get("/models")
            )

            assert caller.sandbox.peak_calls("look") == 4
            assert caller.sandbox.peak_calls("look", "list") == 6
            assert caller.sandbox.count_calls("look", "list") == 6
            assert caller.sandbox.count_calls() == 7

    run(main())


def test_scripted_answers_come_in_their_turn() -> None:
    """Looks, lists, the catalog and the bucket each take their own row of behaviours."""
    script = Script(
        submissions=(Behaviour.edge(403), Behaviour(without=("request_id",))),
        looks=(Behaviour.garbage(), Behaviour(cut=20)),
        lists=(Behaviour.edge(502),),
        catalog=(Behaviour.garbage(b"{}"),),
        media=(Behaviour.edge(503), Behaviour(cut=10)),
    )

    async def main() -> None:
        async with calling(Sandbox(script, render=False)) as caller:
            banned, nameless = await caller.submit(), await caller.submit()
            garbage, cut = await caller.get("/requests/x"), await caller.get("/requests/x")
            record = (
                (await caller.get("/requests")).status,
                (await caller.get("/requests")).json["requests"][0],
            )
            await asyncio.sleep(3600)
            url = (await caller.record(record[1]["request_id"]))["outcome"]["video_url"]
            media = [await caller.media(url) for _ in range(3)]

            assert (banned.status, b"1010" in banned.body) == (403, True)
            assert "request_id" not in nameless.json
            assert len(caller.sandbox.charges) == 1
            assert (garbage.status, garbage.body[:8]) == (200, b"upstream")
            assert (cut.status, cut.body) == (404, b'{"error":"Request no')
            assert record[0] == 502
            assert (await caller.get("/models")).body == b"{}"
            assert [(reply.status, len(reply.body)) for reply in media[:2]] == [
                (503, len(media[0].body)),
                (200, 10),
            ]
            assert media[2].status == 200

    run(main())


def test_a_reply_lost_at_the_edge_is_charged() -> None:
    """A 502 after the queue took the work in: the caller has no id, the account has a charge."""

    async def main() -> None:
        lost = Script(submissions=(Behaviour.edge(502, accepted=True),))
        async with calling(Sandbox(lost, render=False)) as caller:
            reply = await caller.submit()
            listed = (await caller.get("/requests")).json["requests"]

            assert reply.status == 502
            assert [row["request_id"] for row in listed] == [c.request_id for c in caller.sandbox.charges]

    run(main())


def test_a_dead_model_never_changes() -> None:
    """A day later the request of a dead model is as queued as it was, without an error."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            accepted = (await caller.submit("Z-Image")).json
            await asyncio.sleep(86_400)
            told = await caller.record(accepted["request_id"])

            assert (told["status"], told["outcome"]) == ("queued", None)
            assert told["updated_at"] == told["created_at"]

    run(main())


def test_credit_can_be_read_and_runs_out() -> None:
    """The balance is what acceptances left; a dearer model is refused while a cheaper one passes."""

    async def main() -> None:
        async with calling(Sandbox(Script(balance=100_000), render=False)) as caller:
            dear, cheap = await caller.submit("Veo3"), await caller.submit("seedream-5.0-lite")

            assert (dear.status, cheap.status) == (402, 200)
            assert caller.sandbox.balance() == 65_000

    run(main())


def test_speed_makes_an_hour_a_minute() -> None:
    """At a speed of 60 what takes minutes is done in seconds."""

    async def main() -> None:
        async with calling(Sandbox(speed=60, render=False)) as caller:
            accepted = (await caller.submit()).json
            await asyncio.sleep(5)

            assert (await caller.record(accepted["request_id"]))["status"] == "success"

    run(main())


def test_two_runs_of_one_seed_are_alike() -> None:
    """The same seed and the same calls at the same times give the same ids, statuses and durations."""

    async def play() -> list[object]:
        async with calling(Sandbox(seed=5, render=False)) as caller:
            records = [await caller.done(model) for model in ("Veo3", "Luma-Ray2")]
            return [
                (r["request_id"], r["org_id"], r["status"], r["updated_at"] - r["created_at"])
                for r in records
            ]

    assert run(play()) == run(play())


def test_calls_need_not_be_kept() -> None:
    """For long runs the calls are only counted."""

    async def main() -> None:
        async with calling(Sandbox(render=False, keep_calls=False)) as caller:
            await caller.get("/models")

            assert caller.sandbox.calls == []
            assert (caller.sandbox.count_calls("models"), caller.sandbox.peak_calls("models")) == (1, 1)

    run(main())


def test_a_sandbox_is_opened_once() -> None:
    """A second entry is refused in words: each run wants its own."""

    async def main() -> None:
        sandbox = Sandbox(render=False)
        async with sandbox:
            pass
        with pytest.raises(RuntimeError, match="already entered"):
            await sandbox.__aenter__()

    run(main())


@pytest.mark.parametrize("speed", [0, -1])
def test_time_runs_forward(speed: float) -> None:
    """A speed that is not above zero is refused at construction."""
    with pytest.raises(ValueError, match="speed"):
        Sandbox(speed=speed)


def test_a_fixed_port_has_the_artifacts_on_the_next_one() -> None:
    """With a port of one's own the second origin is the port above; a taken one leaves nothing open."""

    async def main() -> None:
        port = free_row()
        async with Sandbox(port=port, render=False) as sandbox:
            assert sandbox.url.startswith(f"http://127.0.0.1:{port}/")
            assert sandbox.media_url == f"http://127.0.0.1:{port + 1}"
            with pytest.raises(OSError, match="address already in use"):
                await Sandbox(port=port - 1, render=False).__aenter__()
        taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port)
        with pytest.raises(OSError, match="address already in use"):
            await Sandbox(port=port, render=False).__aenter__()
        taken.close()
        async with Sandbox(port=port, render=False):
            pass

    run(main())


def free_row() -> int:
    """A port that is free, as are its neighbours; below those that the kernel gives out by itself."""
    for port in range(20_001 + os.getpid() % 9000, 32_000):
        try:
            for near in (port - 1, port, port + 1):
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", near))
        except OSError:
            continue
        return port
    raise AssertionError("no three ports in a row are free")


def test_leaving_ends_a_post_that_still_blocks() -> None:
    """The sandbox closes while a submission blocks; nothing is left and nothing warns."""

    async def main() -> None:
        async with calling(
            Sandbox(Script(submissions=(Behaviour(answers_after=1e6),)), render=False)
        ) as caller:
            post = asyncio.create_task(caller.submit())
            await asyncio.sleep(1)
            post.cancel()
            await asyncio.gather(post, return_exceptions=True)

            assert caller.sandbox.calls[0].status is None

    run(main())


def test_without_the_renderer_the_sample_is_served_and_the_note_says_so() -> None:
    """In a process without PyAV the sandbox works, serves the shipped clip, and says what to install."""
    program = """
import asyncio, sys
sys.modules["av"] = None
from aiohttp import ClientSession
from gmi_video.sandbox import Sandbox
from gmi_video.testing import run

async def main():
    async with Sandbox() as sandbox, ClientSession(headers={"Authorization": "Bearer sandbox-key"}) as http:
        body = {"model": "Veo3", "payload": {"prompt": "x"}}
        async with http.post(sandbox.url + "/requests", json=body) as reply:
            link = f"{sandbox.url}/requests/{(await reply.json())['request_id']}"
        await asyncio.sleep(3600)
        async with http.get(link) as reply:
            video = (await reply.json())["outcome"]["video_url"]
        async with http.get(video) as reply:
            print(reply.status, (await reply.read())[4:8], sandbox.note)

run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout.startswith("200 b'ftyp' ")
    assert "gmi_video[sandbox]" in done.stdout


def test_the_room_costs_nothing_to_import() -> None:
    """Importing the room loads no HTTP library; its names are there all the same."""
    program = (
        "import sys, gmi_video.sandbox as s; assert 'aiohttp' not in sys.modules; s.Sandbox; print(dir(s))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )

    assert all(name in done.stdout for name in ("Behaviour", "Charge", "Sandbox", "Script", "SeenCall"))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """A misspelt name of the room fails as in any module."""
    with pytest.raises(AttributeError, match="Sandbocks"):
        gmi_video.sandbox.Sandbocks  # noqa: B018
    assert set(gmi_video.sandbox.__all__) <= set(dir(gmi_video.sandbox))


def test_an_eagle_is_an_eagle() -> None:
    """A misnamed parameter is ignored: the request is accepted, charged, and echoed as it was sent."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            record = await caller.done("wan2.7-t2v", {**EAGLE, "aspect_ratio": "9:16"})

            assert record["status"] == "success"
            assert record["payload"] == {"aspect_ratio": "9:16", **EAGLE}

    run(main())
