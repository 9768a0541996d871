"""A body on its way to disk: every byte once and in order, and an error of the disk's as what it is."""

import asyncio
import gc
import hashlib
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from gmi_video._blocks import BLOCK, Blocks
from gmi_video._part import Part
from gmi_video._range import Edition
from gmi_video.errors import TargetUnusable
from gmi_video.testing import run


async def add(blocks: Blocks, piece: bytes) -> None:
    """Puts a piece into the blocks."""
    while piece:
        room = blocks.room
        took = min(len(room), len(piece))
        room[:took], piece = piece[:took], piece[took:]
        await blocks.took(took)


BODY = bytes(range(256)) * (3 * BLOCK // 256) + b"and some more"


@pytest.mark.parametrize("size", [777_777, BLOCK, 2 * BLOCK + 1, len(BODY)])
def test_pieces_of_any_size_are_written_and_hashed_in_order(size: int, tmp_path: Path) -> None:
    """Pieces smaller than a block, as large, and larger make the same file."""

    async def main() -> str:
        with Part(tmp_path / "film") as part:
            part.begin(Edition(url="u"))
            blocks = Blocks(part)
            for place in range(0, len(BODY), size):
                await add(blocks, BODY[place : place + size])
            await blocks.flush()
            await blocks.flush()
            return part.finish(overwrite=False)

    assert run(main()) == hashlib.sha256(BODY).hexdigest()
    assert (tmp_path / "film").read_bytes() == BODY


def test_a_small_file_takes_no_large_block(tmp_path: Path) -> None:
    """As much memory as it has bytes; should it have more than it said, they are written all the same."""

    async def main() -> list[int]:
        with Part(tmp_path / "film") as part:
            part.begin(Edition(url="u"))
            async with Blocks(part, 1000) as blocks:
                rooms = [len(blocks.room)]
                await add(blocks, BODY[:2500])
                rooms.append(len(blocks.room))
            assert part.at(0, 9999) == BODY[:2500]
            async with Blocks(part, BLOCK + 1) as blocks:
                return [*rooms, len(blocks.room)]

    assert run(main()) == [1000, 500, BLOCK]


def test_what_comes_slowly_goes_to_disk_after_a_second(tmp_path: Path) -> None:
    """Less than a block is written as well, though nothing follows: no more than that is lost with the process."""

    async def main() -> list[int]:
        with Part(tmp_path / "film") as part:
            part.begin(Edition(url="u"))
            blocks = Blocks(part)
            sizes = []
            for _ in range(3):
                await add(blocks, b"a piece")
                await asyncio.sleep(0.6)
                await add(blocks, b" and more")
                await asyncio.sleep(0.6)
                await asyncio.sleep(0.1)  # for the thread
                sizes.append(part.size)
            await blocks.flush()
            assert part.at(0, 99) == b"a piece and more" * 3
            return sizes

    assert run(main()) == [16, 32, 48]


def test_a_disk_that_is_full_is_told_and_keeps_what_it_took(tmp_path: Path) -> None:
    """The error is the disk's own; nothing is appended behind a gap, and what is there can be completed."""
    program = f"""
import asyncio, resource, signal
from pathlib import Path
from gmi_video._blocks import BLOCK, Blocks
from gmi_video._part import Part
from gmi_video._range import Edition
from gmi_video.errors import TargetUnusable
body = bytes(range(251)) * (5 * BLOCK // 251 + 1)
body = body[:5 * BLOCK]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
async def main():
    with Part(Path({str(tmp_path / "film")!r})) as part:
        part.begin(Edition(url="u", etag='"one"'))
        blocks = Blocks(part)
        try:
            for place in range(0, len(body), BLOCK // 16):
                blocks.room[: BLOCK // 16] = body[place : place + BLOCK // 16]
                await blocks.took(BLOCK // 16)
        except Exception as error:
            print(type(error).__name__)
        finally:
            await blocks.flush()
        print(part.size, part.at(0, 4_000_000) == body[:3_000_000])
        part.go_on()
        print(len(part.steps()))
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == ["TargetUnusable", "3000000 True", "2"], done.stderr[-500:]


class Full(Part):
    """A file on a disk that takes nothing."""

    def _append(self, piece: bytes | memoryview) -> None:
        self._digests = None
        raise TargetUnusable("No space left on device")


def test_a_cancellation_passes_though_the_disk_fails_as_well(tmp_path: Path) -> None:
    """Who is cancelled while a block fails is cancelled; what was to follow that block is dropped."""

    async def main() -> bool:
        with Full(tmp_path / "film") as part:
            part.begin(Edition(url="u"))
            blocks = Blocks(part)

            async def fill() -> None:
                async with blocks:
                    await add(blocks, BODY[:BLOCK])
                    await asyncio.Event().wait()

            filling = asyncio.ensure_future(fill())
            await asyncio.sleep(0)
            filling.cancel()
            await asyncio.wait((filling,))
            return filling.cancelled()

    assert run(main())


def test_a_failure_keeps_no_memory(tmp_path: Path) -> None:
    """Twelve megabytes are let go with the error, and do not wait for the garbage collector."""

    async def fail() -> "weakref.ref[Blocks]":
        with Full(tmp_path / "film") as part:
            part.begin(Edition(url="u"))
            blocks = Blocks(part)
            try:
                async with blocks:
                    await add(blocks, BODY[: 2 * BLOCK])
            except TargetUnusable:
                return weakref.ref(blocks)
        raise AssertionError("nothing failed")

    async def main() -> bool:
        gc.disable()
        try:
            kept = await fail()
            await asyncio.sleep(0)
            return kept() is None
        finally:
            gc.enable()

    assert run(main())
