"""Sinks as people write them: what is theirs to get wrong costs no video, and no line its name."""

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from batch.rundown import MINUTE, played, rivers, stage, told
from gmi_video import VideoRequest
from gmi_video.batch import Batch, Stored
from gmi_video.errors import ConfigurationError
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run


class Keeping:
    """A sink in memory that says what `like` makes of it."""

    def __init__(self, **like: Any) -> None:
        self.like = like
        self.files: dict[str, bytes] = {}

    async def put(self, name: str, stream: AsyncIterator[bytes]) -> Stored:
        """Keeps a file."""
        body = b"".join([piece async for piece in stream])
        assert self.files.setdefault(name, body) == body, f"{name} was replaced"
        told: dict[str, Any] = {"location": f"memory://{name}", "size": len(body), "sha256": "0"}
        return Stored(**(told | self.like))


def test_a_path_is_a_location_too() -> None:
    """A sink that keeps files gives their paths."""
    end, charges = played(rivers(2), out=Keeping(location=Path("/kept/a.mp4")))

    assert (end.states, end.error, set(charges.values())) == ({"done": 2}, None, {1})
    assert {file.location for done in end.ends for file in done.stored} == {"/kept/a.mp4"}


@pytest.mark.parametrize("wrong", [{"location": 5}, {"size": "12"}, {"size": True}, {"sha256": b"0"}])
def test_what_a_sink_says_of_a_file_is_checked(wrong: dict[str, Any]) -> None:
    """The sentence names what is wrong; the lines are set aside, for their videos are made."""
    end, _ = played(rivers(3), out=Keeping(**wrong))

    (name,) = wrong
    assert isinstance(end.error, ConfigurationError)
    assert f"the sink's Stored(…) has a {name} of {type(wrong[name]).__name__}" in str(end.error)
    assert end.statistics.lines.parked == end.statistics.lines.total


def test_a_sink_whose_own_task_was_cancelled_parks_one_line() -> None:
    """A pool that closes, say: that is no cancellation of the run."""

    class Pooled(Keeping):
        async def put(self, name: str, stream: AsyncIterator[bytes]) -> Stored:
            if "Veo3-1" in name:
                inner = asyncio.create_task(asyncio.sleep(100))
                inner.cancel()
                await inner
            return await super().put(name, stream)

    end, _ = played(rivers(3), out=Pooled())

    assert (end.error, end.states) == (None, {"done": 2, "parked": 1})
    assert {str(done.error) for done in end.ends if done.error} == {"the sink failed (CancelledError)"}


def _png(text: bytes) -> bytes:
    """A picture of one pixel that differs by its text."""
    parts = (
        (b"IHDR", pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"tEXt", b"k\0" + text),
        (b"IDAT", zlib.compress(b"\0abc")),
    )
    chunks = [
        pack(">I", len(body)) + name + body + pack(">I", zlib.crc32(name + body))
        for name, body in (*parts, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_lines_further_files_have_names_that_no_other_line_can_have() -> None:
    """A sink replaces what is there: the second picture of "cat" is not called like the first one of "cat-2"."""
    here: list[Sandbox] = []

    def two() -> Iterator[Behaviour]:
        for tag in "xy":
            pictures = [
                here[0].place(f"{tag}{number}.png", _png(f"{tag}{number}".encode()), "image/png")
                for number in (1, 2)
            ]
            yield Behaviour(
                adds={"outcome": {"media_urls": [{"id": url[-5:], "url": url} for url in pictures]}}
            )

    async def main() -> tuple[Counter[str], Keeping]:
        sink = Keeping()
        async with stage(Script(models={"*": Behaviour(seconds=1)}, submissions=two())) as (sandbox, session):
            here.append(sandbox)
            async with Batch(session.using(check="off"), out=sink) as batch:
                keys = ("cat", "cat-2")
                await batch.add([VideoRequest("seedream-5.0-lite", {"prompt": key}, key=key) for key in keys])
                return (await told(batch)).states, sink

    states, sink = run(main())
    assert (states, len(sink.files), len(set(sink.files.values()))) == ({"done": 2}, 4, 4)
    assert {"cat.png", "cat-2.png"} < set(sink.files)


def test_requests_that_nobody_knows_end_the_run_and_cost_no_more() -> None:
    """A model that accepts what it then does not know gets no fifth request, and the others are set aside."""
    script = Script(models={"Veo3": Behaviour(unknown_for=1e9), "*": MINUTE})

    async def main() -> tuple[Counter[str], int, int]:
        async with stage(script) as (sandbox, session), Batch(session) as batch:
            await batch.add(rivers(10))
            async with asyncio.timeout(24 * 3600):
                end = await told(batch)
            return end.states, end.statistics.lines.parked, len(sandbox.charges)

    assert run(main()) == ({"parked": 10}, 10, 4)


def test_a_strangers_file_in_another_folder_is_not_the_lines_own(tmp_path: Path) -> None:
    """A line that could not be fetched has no claim to its name: what lies there later is not believed to be its video."""
    blocked = Script(models={"*": MINUTE}, media=[Behaviour.refused(403, "no")] * 400)
    theirs = tmp_path / "b" / "Veo3-0.mp4"
    theirs.parent.mkdir()
    theirs.write_bytes(b"a holiday film")

    async def main() -> list[Counter[str]]:
        async with stage(blocked) as (_, session):
            states = []
            for folder in ("a", "b"):
                async with Batch(session, journal=tmp_path / "run.db", out=tmp_path / folder) as batch:
                    await batch.add(rivers(1))
                    states.append((await told(batch)).states)
            return states

    assert run(main()) == [{"parked": 1}] * 2
    assert theirs.read_bytes() == b"a holiday film"
